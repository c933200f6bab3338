"""What the index says of runs: current revision, whether it is outdated and why, and which files are a run's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from catalog import index
from catalog.models import Dataset, Document, File, Run
from ingest import blanks, documents
from ingest.complete import Finalised, finalise
from ingest.documents import ADMINISTRATIVE, EXPERIMENT, PROJECT
from ingest.instruments import new
from ingest.run_templates import templates
from ingest.runs import RunStart, start
from tests.catalog.tree import AUDIT, Tree, entry, identifier, put
from tests.ingest.test_complete import COMPLETE
from tests.ingest.watched import Watched

pytestmark = pytest.mark.django_db(transaction=True)

D = "p_Barley/leaves"


@dataclass
class Lab(Watched):
    """A watched folder whose index is refreshed after each act, as the service does it."""

    def look(self) -> None:
        self.reconcile()
        index.refresh([self.root])

    def begin(self, name: str, **more: Any) -> str:
        plain = templates(self.root)[0]
        with self.workspace() as ws:
            dataset = self.administrative(D)["dataset_identifier"]
            run = start(ws.store, ws.root, D, dataset, RunStart(name, plain, **more), "anna")
            filled = {**COMPLETE, "experiment_name": name}
            ws.store.change(run.path, EXPERIMENT, lambda old: {**(old or {}), **filled}, by="anna")
        index.refresh([self.root])
        return run.run_label

    def finish(self, label: str) -> Finalised:
        with self.workspace() as ws:
            done = finalise(ws.store, ws.root, D, label, "anna", ws.seen)
        index.refresh([self.root])
        return done

    def change(self, path: Path, kind: str, **fields: Any) -> None:
        with self.workspace() as ws:
            outcome = ws.store.change(path, kind, lambda old: {**(old or {}), **fields}, by="anna")
        index.refresh([written.path for written in outcome.written])


@pytest.fixture
def lab(tree: Tree, settings: Settings) -> Lab:
    lab = Lab(tree.root, settings.ENGINE.state_dir)
    lab.put(f"{D}/a.txt", "a\n")
    lab.put(f"{D}/b.txt", "b\n")
    lab.look()
    return lab


def said() -> dict[str, Any]:
    run = Run.objects.get()
    return {name: getattr(run, name) for name in ("revision", "status", "outdated", "outdated_files")}


def test_a_finalised_run_tells_its_revision_and_its_files(lab: Lab) -> None:
    label = lab.begin("Heat shock")
    assert said() == {"revision": 0, "status": "draft", "outdated": [], "outdated_files": []}
    done = lab.finish(label)
    run = Run.objects.get()
    assert said() == {"revision": 1, "status": "complete", "outdated": [], "outdated_files": []}
    assert lab.root / D / run.complete_metadata == done.path
    assert run.finalized is not None
    assert {f.path: (f.run, f.version) for f in File.objects.all()} == {
        "a.txt": (run.identifier, "V2"),
        "b.txt": (run.identifier, "V2"),
    }
    document = Document.objects.get(kind=documents.COMPLETE)
    assert document.problem == ""
    assert document.value is not None
    assert document.value["structure"]["file_descriptions"] == []
    assert document.value["experiment"]["run_id"] == run.identifier


OUTDATING: dict[str, tuple[Callable[[Lab], None], list[str]]] = {
    "the project": (
        lambda lab: lab.change(documents.project_document(lab.root, "p_Barley"), PROJECT, project_title="Barley"),
        ["The project has changed: project title."],
    ),
    "the dataset": (
        lambda lab: lab.change(
            documents.dataset_document(lab.root, D, ADMINISTRATIVE), ADMINISTRATIVE, license="CC0-1.0"
        ),
        ["The dataset has changed: license."],
    ),
    "the run": (
        lambda lab: lab.change(documents.run_document(lab.root, D, "Heat-shock"), EXPERIMENT, notes="Lane 3."),
        ["The run has changed: notes."],
    ),
    "a file": (lambda lab: lab.put(f"{D}/a.txt", "other\n") and lab.look(), ["One file has changed: 'a.txt'."]),
    "a file's name": (
        lambda lab: lab.move(f"{D}/a.txt", f"{D}/c.txt") or lab.look(),
        ["One file has another name or place: 'a.txt'."],
    ),
    "a file's loss": (lambda lab: lab.remove(f"{D}/a.txt") or lab.look(), ["One file is missing: 'a.txt'."]),
}


@pytest.mark.parametrize("what", OUTDATING)
def test_a_change_of_a_source_is_told_and_a_new_revision_mends_it(lab: Lab, what: str) -> None:
    act, words = OUTDATING[what]
    label = lab.begin("Heat shock")
    lab.finish(label)
    act(lab)
    assert said()["outdated"] == words
    before = index.snapshot()
    index.rebuild()
    assert index.snapshot() == before
    if what == "a file's loss":
        lab.put(f"{D}/a.txt", "a\n")
        lab.look()
        assert said()["outdated"] == []
        return
    assert lab.finish(label).revision == 2
    assert said() == {"revision": 2, "status": "complete", "outdated": [], "outdated_files": []}


def test_a_changed_instrument_is_told(lab: Lab) -> None:
    with lab.workspace() as ws:
        path = new(ws.store, ws.root, {"instrument_name": "LSM 880"}, "anna")
    used = lab.json(str(path.relative_to(lab.root)))["instrument_identifier"]
    label = lab.begin("Heat shock")
    lab.change(documents.run_document(lab.root, D, label), EXPERIMENT, instruments_used=[used])
    lab.finish(label)
    assert said()["outdated"] == []
    lab.change(path, documents.INSTRUMENT, serial_number="4711")
    assert said()["outdated"] == ["The instrument 'LSM 880' has changed: serial number."]


def test_what_does_not_concern_a_record_does_not_outdate_it(lab: Lab) -> None:
    label = lab.begin("Heat shock", files=("a.txt",))
    lab.finish(label)
    lab.put(f"{D}/new.txt", "new\n")
    lab.put(f"{D}/b.txt", "another run's\n")
    (lab.root / D / "a.txt").chmod(0o400)
    lab.look()
    assert said()["outdated"] == []


def test_a_complete_file_that_was_changed_or_deleted_is_told(lab: Lab) -> None:
    label = lab.begin("Heat shock")
    done = lab.finish(label)
    text = done.path.read_text()
    done.path.write_text(text.replace("Heat shock", "Cold shock"))
    index.refresh([done.path])
    assert said()["outdated"] == ["Its complete metadata file was changed after it was written."]
    done.path.unlink()
    index.refresh([done.path])
    assert said()["outdated"] == [
        "Its complete metadata file .metadata/runs/Heat-shock/data_object_Heat-shock_v2_metadata.json is missing."
    ]
    done.path.write_text(text)
    index.refresh([done.path])
    assert said()["outdated"] == []


def test_files_are_compared_only_when_some_of_the_runs_own_have_changed(lab: Lab) -> None:
    label = lab.begin("Heat shock", files=("a.txt",))
    lab.finish(label)
    with CaptureQueriesContext(connection) as caught:
        lab.change(documents.project_document(lab.root, "p_Barley"), PROJECT, project_title="Barley")
        lab.put(f"{D}/new.txt", "new\n")
        lab.look()
    asked = [q["sql"] for q in caught.captured_queries]
    assert not any(
        "JOIN catalog_filedocument" in sql or "SELECT digest FROM catalog_file WHERE run" in sql for sql in asked
    )
    assert said()["outdated"] == ["The project has changed: project title."]


def test_a_record_as_it_was_written_is_compared_without_reading_an_entry(lab: Lab) -> None:
    label = lab.begin("Heat shock")
    with CaptureQueriesContext(connection) as caught:
        lab.finish(label)
    assert not any("JOIN catalog_filedocument" in q["sql"] for q in caught.captured_queries)
    assert said()["outdated"] == []


def test_a_dataset_without_runs_asks_no_more_of_the_database(lab: Lab) -> None:
    with CaptureQueriesContext(connection) as caught:
        lab.put(f"{D}/new.txt", "new\n")
        lab.look()
    about_runs = [q["sql"] for q in caught.captured_queries if "catalog_run" in q["sql"]]
    assert all("LIMIT 1" in sql for sql in about_runs)


def _run_in(tree: Tree, folder: str, dataset: str, label: str = "run_8", number: str = "") -> Path:
    value = blanks.experiment_template(number or identifier("run", folder, label), label, dataset, "en")
    return put(documents.run_document(tree.root, folder, label), {**value, **AUDIT})


def test_a_run_belongs_to_the_dataset_in_whose_folder_it_stands_whatever_it_names(tree: Tree) -> None:
    alpha, beta = tree.dataset("p_Alpha/plate"), tree.dataset("p_Beta/plate")
    _run_in(tree, "p_Beta/plate", alpha)
    _run_in(tree, "p_Alpha/plate", "no identifier")
    orphan = _run_in(tree, "p_Beta/none", beta)
    for paths in (tree.documents(), tree.documents()[::-1]):
        for path in paths:
            index.refresh([path])
        assert dict(Run.objects.values_list("document__path", "dataset_identifier")) == {
            "p_Beta/plate/.metadata/runs/run_8/experiment_contextual.json": beta,
            "p_Alpha/plate/.metadata/runs/run_8/experiment_contextual.json": alpha,
            "p_Beta/none/.metadata/runs/run_8/experiment_contextual.json": "",
        }
        live = index.snapshot()
        index.rebuild()
        assert index.snapshot() == live
    orphan.unlink()
    index.refresh([orphan])
    assert Run.objects.count() == 2


def test_a_run_follows_its_folder_and_a_copy_elsewhere_does_not_hide_it(tree: Tree) -> None:
    number = identifier("run", "moving")
    here = tree.dataset("p_Alpha/plate", dataset_identifier=identifier("dataset", "moving"))
    _run_in(tree, "p_Alpha/plate", here, number=number)
    _run_in(tree, "p_Aaa/copy", here, number=number)
    index.refresh(tree.documents())
    run = "/.metadata/runs/run_8/experiment_contextual.json"
    assert list(Run.objects.values_list("document__path", "dataset_identifier")) == [(f"p_Alpha/plate{run}", here)]
    (tree.root / "p_Alpha/plate").rename(tree.root / "p_Alpha/dish")
    entry = tree.register("dataset", here, "p_Alpha/dish", 9)
    for path in (tree.root / "p_Alpha/dish", entry, tree.root / "p_Alpha/plate"):
        index.refresh([path])
    assert list(Run.objects.values_list("document__path", "dataset_identifier")) == [(f"p_Alpha/dish{run}", here)]
    live = index.snapshot()
    index.rebuild()
    assert index.snapshot() == live


def test_the_runs_of_files_are_found_by_their_index(lab: Lab) -> None:
    label = lab.begin("Heat shock")
    with CaptureQueriesContext(connection) as asked:
        lab.finish(label)
        lab.put(f"{D}/a.txt", "other\n")
        lab.look()
    of_runs = {q["sql"] for q in asked.captured_queries if re.search(r"FROM catalog_file .*\brun\b", q["sql"])}
    plans = {}
    with connection.cursor() as cursor:
        for query in of_runs:
            if "id IN" not in query:
                cursor.execute("EXPLAIN QUERY PLAN " + query)
                plans[query] = " ".join(str(row) for row in cursor.fetchall())
    assert len(plans) == 3
    assert [query for query, plan in plans.items() if "file_run" not in plan] == []


def test_what_runs_share_is_asked_for_once(tree: Tree) -> None:
    tree.project()
    number = tree.dataset(entries=[entry("a.csv")])
    asked = []
    for count in (2, 12):
        for label in range(count):
            _run_in(tree, "p_Alpha/plate_1", number, f"run_{label}")
        index.refresh([tree.root])
        tree.edit(tree.document("p_Alpha/plate_1", ADMINISTRATIVE), {"dataset_title": f"With {count} runs"})
        with CaptureQueriesContext(connection) as caught:
            index.refresh([tree.document("p_Alpha/plate_1", ADMINISTRATIVE)])
        tables = r'FROM "catalog_(dataset|project)"'
        asked.append(sum(bool(re.search(tables, query["sql"])) for query in caught.captured_queries))
    assert asked[0] == asked[1]


# --- the project of a dataset -----------------------------------------------------------------------------------


def test_a_dataset_is_in_the_project_whose_folder_it_stands_in_whatever_it_names(tree: Tree) -> None:
    alpha, beta = tree.project("p_Alpha"), tree.project("p_Beta", 2)
    number = tree.dataset("p_Alpha/plate")
    index.rebuild()
    tree.edit(tree.document("p_Alpha/plate", ADMINISTRATIVE), {"associated_project_identifier": beta})
    index.refresh([tree.document("p_Alpha/plate", ADMINISTRATIVE)])
    assert Dataset.objects.get(identifier=number).project_identifier == alpha
    live = index.snapshot()
    index.rebuild()
    assert index.snapshot() == live


def test_a_project_that_comes_later_or_is_another_one_has_the_datasets_below_it(tree: Tree) -> None:
    number = tree.dataset("p_Alpha/plate")
    index.rebuild()
    own = Dataset.objects.get(identifier=number).project_identifier
    assert own == identifier("project", "p_Alpha"), "nobody else says anything"
    other = tree.project("p_Alpha", project_identifier=identifier("another"))
    index.refresh([documents.project_document(tree.root, "p_Alpha")])
    assert Dataset.objects.get(identifier=number).project_identifier == other
    documents.project_document(tree.root, "p_Alpha").unlink()
    index.refresh([documents.project_document(tree.root, "p_Alpha")])
    assert Dataset.objects.get(identifier=number).project_identifier == own
