"""The picture of connections: everything once, few enough to be read, safe with any name, and the same as a list."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import index
from catalog.models import Dataset, Project, Run
from catalog.pages import picture
from catalog.pages.figures import Share
from catalog.pages.picture import Connections, RunThing, Thing
from ingest import documents
from tests.catalog.hostile import CORPUS, see
from tests.catalog.tree import AUDIT, Tree, entry, identifier, put

pytestmark = pytest.mark.django_db(transaction=True)


def add_instrument(tree: Tree, name: str, **fields: Any) -> str:
    number = identifier("instrument", name)
    value = {
        "instrument_identifier": number,
        "instrument_name": name,
        "name": name,
        "status": "draft",
        **fields,
        **AUDIT,
    }
    put(documents.instrument_document(tree.root, f"i-{number[:8]}"), value)
    return number


def add_run(tree: Tree, dataset: str, label: str, **fields: Any) -> str:
    number = identifier("run", label)
    value = {
        "run_id": number,
        "run_label": label,
        "dataset_identifier": dataset,
        "status": "draft",
        "experiment_name": fields.pop("name", f"Experiment {label}"),
        **fields,
        **AUDIT,
    }
    put(tree.root / "p_Alpha" / "plate_1" / ".metadata" / "runs" / label / "experiment_contextual.json", value)
    return number


def drawn(shares: tuple[Share, ...] = ()) -> picture.Picture:
    runs = Run.objects.order_by("label")
    return picture.of_dataset(Dataset.objects.get(), Project.objects.first(), runs, shares)


def test_project_dataset_runs_and_files_hang_together(tree: Tree) -> None:
    project = tree.project(project_title="Alpha")
    dataset = tree.dataset(entries=[entry("a.csv", 1_000), entry("b.csv", 500)])
    run = add_run(tree, dataset, "run-1")
    index.refresh(tree.documents())
    found = drawn((Share(run, 1, 1_000), Share("", 1, 500)))
    assert found.connections.project == Thing("Alpha", "draft", f"/projects/{project}/")
    assert found.connections.dataset == Thing("plate_1", "2 files · 1.50 kB", f"/datasets/{dataset}/", "here")
    assert [r.thing.name for r in found.connections.runs] == ["Experiment run-1"]
    assert found.connections.runs[0].thing.detail == "1 file · draft"
    assert found.connections.loose == Thing("Files in no run", "1 file · 500 B", f"/datasets/{dataset}/files/", "loose")
    assert [heading.text for heading in found.headings] == ["Project", "Dataset", "Runs and their files"]
    assert len(found.arrows) == 3


def test_instruments_point_at_the_runs_that_used_them(tree: Tree) -> None:
    dataset = tree.dataset()
    scope = add_instrument(tree, "Microscope", serial_number="4711")
    add_run(tree, dataset, "run-1", instruments_used=[scope, "not known"])
    add_run(tree, dataset, "run-2", instruments_used=[scope.upper()])
    add_run(tree, dataset, "run-3", instruments_used={"odd": 1})
    index.refresh(tree.documents())
    found = drawn()
    assert [thing.name for thing in found.connections.instruments] == ["Microscope"]
    assert found.connections.instruments[0].detail == "no. 4711"
    assert [run.instruments for run in found.connections.runs] == [(0,), (0,), ()]
    assert len(found.arrows) == 3 + 2


def test_the_thirteenth_run_and_instrument_are_counted_not_drawn(tree: Tree) -> None:
    dataset = tree.dataset()
    for n in range(26):
        add_run(tree, dataset, f"run-{n:02}", instruments_used=[add_instrument(tree, f"Instrument {n:02}")])
    index.refresh(tree.documents())
    found = drawn()
    assert len(found.connections.runs) == 12
    assert found.connections.more_runs == 14
    assert [box.thing.name for box in found.boxes].count("and 14 more") == 1
    assert len(found.connections.instruments) == 12


def test_a_dataset_alone_has_a_small_picture(tree: Tree) -> None:
    tree.dataset(entries=[entry("a.csv", 10)])
    index.refresh(tree.documents())
    found = drawn((Share("", 1, 10),))
    assert [(box.thing.name, box.x) for box in found.boxes] == [("plate_1", 297), ("Files", 594)]
    assert found.height < 100


def test_boxes_never_lie_on_each_other() -> None:
    runs = tuple(RunThing(Thing(f"run {n}"), (0, 1)) for n in range(12))
    shown = picture.drawn(
        Connections(Thing("p"), Thing("d"), runs, 3, Thing("files"), (Thing("a"), Thing("b")), more_instruments=1)
    )
    places = sorted((box.x, box.y) for box in shown.boxes)
    for (x, y), (next_x, next_y) in pairwise(places):
        assert next_x > x or next_y - y >= shown.box_height
    assert max(y for _, y in places) + shown.box_height == shown.height


@pytest.mark.parametrize("text", CORPUS)
def test_hostile_names_stay_text_in_boxes_and_list(reader: Client, tree: Tree, text: str) -> None:
    tree.project(project_title=text)
    dataset = tree.dataset(entries=[entry("a.csv")], dataset_title=text)
    scope = add_instrument(tree, text, serial_number=text)
    add_run(tree, dataset, "run-1", name=text, run_type=text, status=text, instruments_used=[scope])
    index.refresh(tree.documents())
    see(reader, f"/datasets/{dataset}/")


def test_the_list_says_what_the_picture_says(reader: Client, tree: Tree) -> None:
    tree.project(project_title="Alpha")
    dataset = tree.dataset(entries=[entry("a.csv", 1_000)])
    scope = add_instrument(tree, "Microscope")
    add_run(tree, dataset, "run-1", instruments_used=[scope])
    index.refresh(tree.documents())
    words = see(reader, f"/datasets/{dataset}/").words
    listed = words[words.index("The same as a list") :]
    order = ["Project Alpha", "Dataset plate_1", "Run Experiment run-1", "Instrument Microscope", "Files in no run"]
    places = [listed.index(each) for each in order]
    assert places == sorted(places)


def test_runs_are_listed_with_what_became_of_them(reader: Client, tree: Tree) -> None:
    dataset = tree.dataset(entries=[entry("a.csv")])
    add_run(tree, dataset, "run-1", run_type="wet_lab")
    index.refresh(tree.documents())
    assert re.search(r"Experiment run-1 run-1 wet lab draft –", see(reader, f"/datasets/{dataset}/").words)


def test_of_many_runs_the_first_are_shown_and_all_are_listed_page_by_page(reader: Client, tree: Tree) -> None:
    dataset = tree.dataset(entries=[entry("a.csv")])
    for n in range(120):
        add_run(tree, dataset, f"run-{n:03}")
    index.refresh(tree.documents())
    with CaptureQueriesContext(connection) as caught:
        page = see(reader, f"/datasets/{dataset}/").words
    assert ("run-049 draft" in page, "run-050 draft" in page, "All 120 runs" in page) == (True, False, True)
    whole = [q["sql"] for q in caught if "catalog_run" in q["sql"] and '"catalog_document"."value"' in q["sql"]]
    assert [sql.rsplit("LIMIT ", 1)[-1] for sql in whole] == ["12"]
    first = reader.get(f"/datasets/{dataset}/runs/").content.decode()
    assert ("run-099" in first, "run-100" in first) == (True, False)
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    last = see(reader, f"/datasets/{dataset}/runs/{following[1]}").words
    assert ("run-099" in last, "run-100" in last, "101–120 of 120 runs" in last) == (False, True, True)
    assert reader.get(f"/datasets/{dataset}/runs/?at=x").status_code == 400
