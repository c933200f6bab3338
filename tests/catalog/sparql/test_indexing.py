"""The indexer: what is public becomes visible in SPARQL soon after it is saved, and nothing else ever does."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from catalog import indexing
from catalog.graph.snapshots import Lease
from catalog.graph.store import QuadStore
from catalog.indexing import Graph, PublicRows, version_of
from catalog.models import Published
from catalog.publishing.site import site
from catalog.sparql import answering
from catalog.sparql.ready import QUESTIONS
from catalog.whole_records import WholeRows
from tests.catalog.service import CHECKOUT, Service, Serving, eventually

GOLDEN = json.loads((Path(__file__).parent.parent / "publishing" / "published.json").read_text())
IDENTIFIER = GOLDEN["dataset_identifier"]


def row(value: dict[str, Any], etag: str) -> dict[str, Any]:
    """A row of what is public, as the index writes it."""
    return {
        "identifier": value["dataset_identifier"], "state": "published", "access_level": "public", "title": "x",
        "modified": datetime(2026, 11, 1, tzinfo=UTC), "version": "1", "previous_version": "", "doi": "",
        "etag": etag, "sequence": 1, "size_bytes": 1, "file_count": 1, "value": value, "basis": "b",
    }  # fmt: skip


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Graph]:
    here = site()
    with QuadStore(tmp_path / "public", version_of(here)) as store:
        yield Graph("public", store, PublicRows(), here)


def names(graph: Graph, query: str) -> list[str]:
    from pyoxigraph import Store

    assert isinstance(graph.store, QuadStore)
    lease = Lease(graph.store.snapshots)
    found = Store.read_only(str(lease.path)).query(query, use_default_graph_as_union=True)
    values = [str(solution[0].value) for solution in found]  # type: ignore[union-attr]
    lease.release()
    return values


_TITLES = "SELECT ?t WHERE { ?s a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/title> ?t }"
_GRAPHS = "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }"


@pytest.mark.django_db
def test_the_store_follows_the_rows(public: Graph) -> None:
    Published.objects.create(**row(GOLDEN, "1"))
    assert (public.bring_up_to_date(), names(public, _TITLES)) == (1, [GOLDEN["dataset_title"]])
    assert names(public, _GRAPHS) == [f"{site().base_url}/id/record/{IDENTIFIER}"]
    assert public.bring_up_to_date() == 0
    Published.objects.update(value={**GOLDEN, "dataset_title": "Another"}, etag="2")
    assert (public.bring_up_to_date(), names(public, _TITLES)) == (1, ["Another"])
    Published.objects.all().delete()
    assert (public.bring_up_to_date(), names(public, _GRAPHS)) == (1, [])


@pytest.mark.django_db
def test_one_record_that_cannot_be_drawn_keeps_no_other_out(public: Graph, caplog: pytest.LogCaptureFixture) -> None:
    other = "11111111-1111-4111-8111-111111111111"
    broken = {
        "@id": f"urn:uuid:{other}",
        "@type": "Dataset",
        "dataset_identifier": other,
        "creators": 7,
        "data_objects": [7],
    }
    Published.objects.create(**row(GOLDEN, "1"))
    Published.objects.create(**row(broken, "1"))
    public.bring_up_to_date()
    assert GOLDEN["dataset_title"] in names(public, _TITLES)
    assert public.bring_up_to_date() == 0


@pytest.mark.django_db
def test_every_ready_question_finds_something(public: Graph) -> None:
    from pyoxigraph import Store

    Published.objects.create(**row(GOLDEN, "1"))
    public.bring_up_to_date()
    assert isinstance(public.store, QuadStore)
    lease = Lease(public.store.snapshots)
    store = Store.read_only(str(lease.path))
    for each in QUESTIONS:
        assert list(store.query(each.query, use_default_graph_as_union=True)), each.title  # type: ignore[arg-type]
    lease.release()


def test_a_store_that_does_not_take_changes_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        tries = 0

        def etags(self) -> dict[str, str]:
            self.tries += 1
            raise OSError(28, "No space left on device")

        graphs = apply = etags

    class NoRows:
        def etags(self) -> dict[str, str]:
            return {}

        def values(self, identifiers: Any) -> Iterator[Any]:
            yield from ()

    monkeypatch.setattr(indexing, "FIRST_WAIT", 0.05)
    full = Full()
    graph = Graph("public", full, NoRows(), site(), wait=0.05)  # type: ignore[arg-type]
    graph.look(rows_changed=True)
    graph.look(rows_changed=False)
    assert full.tries == 1
    assert graph.is_behind
    time.sleep(0.06)
    graph.look(rows_changed=False)
    assert full.tries == 2


# --- the service as a whole -----------------------------------------------------------------------------------------


def plant(state: Path, value: dict[str, Any] | None, etag: str) -> None:
    """What is public, written as the index would."""
    with sqlite3.connect(state / "fairfolder.sqlite3", timeout=30) as db:
        db.execute("DELETE FROM catalog_published WHERE identifier = ?", (IDENTIFIER,))
        if value is not None:
            usual = {
                each.column: each.get_default() for each in Published._meta.concrete_fields if not each.primary_key
            }
            columns = usual | row(value, etag) | {"value": json.dumps(value), "modified": "2026-11-01 00:00:00"}
            marks = ",".join("?" * len(columns))
            db.execute(f"INSERT INTO catalog_published ({','.join(columns)}) VALUES ({marks})", list(columns.values()))
    db.close()


def titles(serving: Serving) -> list[str]:
    return asked(serving, _TITLES)


def asked(serving: Serving, text: str) -> list[str]:
    """The lines of an answer."""
    query = urllib.parse.urlencode({"query": text, "format": "csv"})
    try:
        with urllib.request.urlopen(f"{serving.url}sparql?{query}", timeout=20) as answer:
            return answer.read().decode().split("\r\n")[1:-1]
    except urllib.error.HTTPError as error:
        return [f"status {error.code}"]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    (tmp_path / "data").mkdir()
    return Service(tmp_path)


def test_a_change_is_visible_within_two_seconds(service: Service) -> None:
    with service.serving() as serving:
        eventually(lambda: titles(serving) == [])
        for number in range(3):
            began = time.monotonic()
            plant(service.state, {**GOLDEN, "dataset_title": f"Title{number}"}, f"etag {number}")
            eventually(lambda n=number: titles(serving) == [f"Title{n}"], 20)
            assert time.monotonic() - began <= 2.0 + 2.0  # 2 s on a machine that does nothing else
        plant(service.state, None, "")
        eventually(lambda: titles(serving) == [], 30)


def test_an_indexer_that_was_killed_misses_nothing(service: Service) -> None:
    environment = service.environment(DJANGO_SETTINGS_MODULE="catalog.settings")
    command = [sys.executable, "-m", "tests.catalog.public.served"]
    made = subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    files = "SELECT (COUNT(DISTINCT ?f) AS ?n) { ?f a <http://www.w3.org/ns/dcat#Distribution> }"
    with service.serving() as serving:
        eventually(lambda: asked(serving, files) == ["2"], 30)
        os.kill(serving.children()["index_graph"], signal.SIGKILL)
        taken_back = service.run("publish", made.stdout.strip(), "--withdraw", "--reason", "Consent was taken back.")
        assert taken_back.code == 0, taken_back.err
        eventually(lambda: asked(serving, files) == ["0"], 30)
        os.kill(serving.children()["catalog.graph.broker"], signal.SIGKILL)
        eventually(lambda: asked(serving, files) == ["0"], 30)
    assert "The indexer process stopped (signal SIGKILL)" in serving.errors.read_text()
    assert "Traceback" not in serving.errors.read_text()


@pytest.mark.django_db
def test_the_internal_graph_holds_what_was_never_published(tmp_path: Path) -> None:
    from catalog.models import Dataset, Document

    document = Document.objects.create(
        root="/r", path="p/d", kind="x", sha256="1" * 64,
        value={"dataset_title": "A draft", "metadata_language": "en", "creators": GOLDEN["creators"]},
    )  # fmt: skip
    Dataset.objects.create(identifier=IDENTIFIER, state="present", administrative=document)
    here = site()
    with QuadStore(tmp_path / "internal", version_of(here)) as store:
        graph = Graph("internal", store, WholeRows(), here)
        assert (graph.bring_up_to_date(), names(graph, _TITLES)) == (1, ["A draft"])
        assert graph.bring_up_to_date() == 0
        document.value = {**document.value, "dataset_title": "A later draft"}
        document.sha256 = "2" * 64
        document.save()
        assert (graph.bring_up_to_date(), names(graph, _TITLES)) == (1, ["A later draft"])
        assert not Published.objects.exists()


@pytest.mark.django_db
def test_only_datasets_whose_instruments_changed_are_made_again_with_few_queries(
    django_assert_max_num_queries: Any,
) -> None:
    from catalog.models import Dataset, Document, Instrument, Run

    def document(path: str, **value: Any) -> Document:
        return Document.objects.create(root="/r", path=path, kind="x", sha256=path, value=value)

    for number in range(3):
        named = f"instrument {number}"
        Instrument.objects.create(identifier=named, document=document(f"i{number}", instrument_name=named))
    for number in range(60):
        Dataset.objects.create(identifier=str(number), state="present", administrative=document(f"d{number}"))
        used = document(f"r{number}", instruments_used=[f"instrument {number % 2}", "unknown"])
        Run.objects.create(identifier=str(number), dataset_identifier=str(number), document=used)
    rows = WholeRows()
    before = rows.etags()
    with django_assert_max_num_queries(4 + 60):  # one for each dataset's files
        found = {identifier: (etag, value) for identifier, etag, value in rows.values(before)}
    assert {identifier: etag for identifier, (etag, _) in found.items()} == before
    assert [each["instrument_name"] for each in found["3"][1]["instruments"]] == ["instrument 1"]
    for name, changed in (("instrument 1", range(1, 60, 2)), ("instrument 2", ())):
        Document.objects.filter(pk=Instrument.objects.get(identifier=name).document_id).update(sha256="new")
        after = rows.etags()
        assert {each for each in after if after[each] != before[each]} == {str(number) for number in changed}
        before = after
    Run.objects.filter(identifier="5").update(document=document("broken", instruments_used={"no": "list"}))
    assert [value["instruments"] for _, _, value in rows.values({"5": rows.etags()["5"]})] == [[]]


def test_slow_comparisons_take_a_small_part_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        spent = 0.0
        drawing = 0.0

        def etags(self) -> dict[str, str]:
            clock[0] += self.spent
            return {}

        def graphs(self) -> dict[str, str]:
            return {}

        def apply(self, changes: Any) -> int:
            clock[0] += self.drawing
            return 0

    clock = [1_000.0]
    monkeypatch.setattr(indexing.time, "monotonic", lambda: clock[0])
    slow = Slow()
    for slow.spent, slow.drawing, pause in ((0.0, 0.0, 0.5), (1.0, 0.0, 20.0), (0.0, 30.0, 0.5), (9.0, 0.0, 60.0)):
        graph = Graph("public", slow, slow, site())  # type: ignore[arg-type]
        graph.look(rows_changed=True)
        assert graph.due == clock[0] + pause


@pytest.mark.django_db(transaction=True)
def test_without_sparql_there_is_no_store_and_a_clear_answer(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with override_settings(FAIRFOLDER_SPARQL=False, FAIRFOLDER_STATE_DIR=tmp_path / "state"):
        indexing.follow(stop)
        assert not (tmp_path / "state" / "graph").exists()
        with pytest.raises(answering.NoAnswerError, match="FAIRFOLDER_SPARQL"):
            answering.answer(answering.Question("ASK {}"))
