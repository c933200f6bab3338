"""The indexer: what is public becomes visible in SPARQL soon after it is saved, and nothing else ever does."""

from __future__ import annotations

import copy
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from catalog import indexing
from catalog.graph import portions
from catalog.graph.portions import drawn
from catalog.graph.quads import record_quads
from catalog.graph.snapshots import Lease
from catalog.graph.store import QuadStore
from catalog.indexing import Graph, PublicRows, summaries, version_of
from catalog.models import Published, PublishedThing
from catalog.publishing.record import compose
from catalog.publishing.site import Site, site
from catalog.sparql import answering
from catalog.sparql.ready import QUESTIONS
from catalog.whole_records import WholeRows
from tests.catalog.publishing import example
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
    found = Store.read_only(str(lease.path)).query(query)
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


_CATALOG = """
PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX dct: <http://purl.org/dc/terms/> PREFIX foaf: <http://xmlns.com/foaf/0.1/>
SELECT (CONCAT(?title, " | ", ?name, " | ", STR(?asked), " | ", STR(COUNT(?dataset))) AS ?told) {
  GRAPH ?catalog { ?catalog a dcat:Catalog ; dct:title ?title ; dct:publisher/foaf:name ?name ;
    dcat:service/dcat:endpointURL ?asked . OPTIONAL { ?catalog dcat:dataset ?dataset } }
} GROUP BY ?title ?name ?asked
"""


@pytest.mark.django_db
def test_the_catalog_itself_is_in_the_graph_and_follows_its_datasets_and_settings(tmp_path: Path) -> None:
    def told(here: Site) -> str:
        with QuadStore(tmp_path / "public", version_of(here)) as store:
            graph = Graph("public", store, PublicRows(), here, catalog=summaries)
            graph.bring_up_to_date()
            assert graph.bring_up_to_date() == 0
            return names(graph, _CATALOG)[0]

    here = replace(site(), title="Seeds", publisher_name="Uni")
    asked = f"{here.base_url}/sparql"
    assert told(here) == f"Seeds | Uni | {asked} | 0"
    Published.objects.create(**row(GOLDEN, "1"))
    assert told(here) == f"Seeds | Uni | {asked} | 1"
    assert told(replace(here, title="Plants")) == f"Plants | Uni | {asked} | 1"
    Published.objects.update(state="withdrawn", etag="2")
    assert told(here) == f"Seeds | Uni | {asked} | 0"


_COUNTS = """
PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX dct: <http://purl.org/dc/terms/> PREFIX foaf: <http://xmlns.com/foaf/0.1/>
SELECT (CONCAT(STR(?datasets), " ", STR(?agents), " ", STR(?named)) AS ?told) {
  { SELECT (COUNT(*) AS ?datasets) { ?d a dcat:Dataset } }
  { SELECT (COUNT(*) AS ?agents) { ?a a foaf:Agent } }
  { SELECT (COUNT(*) AS ?named) { ?d a dcat:Dataset ; dct:creator/foaf:name ?n } }
}
"""


@pytest.mark.django_db
def test_what_several_datasets_share_is_counted_once(public: Graph) -> None:
    def counted() -> list[int]:
        public.bring_up_to_date()
        return [int(each) for each in names(public, _COUNTS)[0].split()]

    Published.objects.create(**row(GOLDEN, "1"))
    datasets, agents, named = counted()
    other = "11111111-1111-4111-8111-111111111111"
    Published.objects.create(**row({**GOLDEN, "@id": f"urn:uuid:{other}", "dataset_identifier": other}, "1"))
    assert counted() == [datasets + 1, agents, 2 * named]
    Published.objects.filter(identifier=other).delete()
    assert counted() == [datasets, agents, named]


# --- files that a record does not list ------------------------------------------------------------------------------


def unlisted() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The example as a record that lists too few files to name its own, and these."""
    made = compose(
        copy.deepcopy(example.entry()), example.dataset(), copy.deepcopy(example.objects()), example.NOW,
        files_in_record=1,
    )  # fmt: skip
    assert made is not None
    assert "file_descriptions" not in made.value
    return made.value, list(made.files)


def plant_unlisted(etag: str = "1") -> list[dict[str, Any]]:
    value, files = unlisted()
    Published.objects.create(**row(value, etag))
    for position, file in enumerate(files):
        PublishedThing.objects.create(
            record=IDENTIFIER, kind="file", identifier=file["file_identifier"], position=position, value=file
        )
    return files


_LARGER = """
PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX ff: <https://w3id.org/fairfolder/terms#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?path { ?dataset dcat:distribution ?file . ?file ff:fileFormat/rdfs:label "TIFF" ; dcat:byteSize ?n ;
  ff:path ?path FILTER(?n > 1000) }
"""


@pytest.mark.django_db
def test_the_files_of_a_dataset_too_large_to_list_them_are_found(
    public: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_FILES_AT_ONCE", 2)
    files = plant_unlisted()
    large = {
        each["path"] for each in files if each.get("format", {}).get("name") == "TIFF" and each["size_bytes"] > 1000
    }
    assert len(files) > 2
    assert public.bring_up_to_date() == 1
    assert set(names(public, _LARGER)) == large != set()
    PublishedThing.objects.filter(identifier=files[0]["file_identifier"]).delete()
    Published.objects.update(etag="2")
    public.bring_up_to_date()
    assert set(names(public, _LARGER)) == large - {files[0]["path"]}
    Published.objects.all().delete()
    assert (public.bring_up_to_date(), names(public, _GRAPHS)) == (1, [])


@pytest.mark.django_db
def test_portions_say_together_what_a_record_that_lists_its_files_says() -> None:
    value, files = unlisted()
    listed = example.published().value
    here = site()
    for size in (1, 2, 100):
        found = set(drawn(value, [files[start : start + size] for start in range(0, len(files), size)], here))
        whole = set(record_quads(listed, here))
        left_out = {quad for quad in whole - found if not quad.predicate.value.endswith("#generated")}
        assert (left_out, found - whole) == (set(), set()), size


@pytest.mark.django_db
def test_of_a_dataset_with_too_many_files_for_the_store_the_data_objects_are_there(
    public: Graph, caplog: pytest.LogCaptureFixture
) -> None:
    files = plant_unlisted()
    with override_settings(FAIRFOLDER_SPARQL_FILES=len(files) - 1):
        public.bring_up_to_date()
    assert names(public, _LARGER) == []
    assert "FAIRFOLDER_SPARQL_FILES" in caplog.text
    found = names(public, "SELECT ?o { ?d <http://www.w3.org/ns/dcat#distribution> ?o }")
    assert len(found) == len(unlisted()[0]["data_objects"])


@pytest.mark.django_db
def test_a_file_that_cannot_be_drawn_keeps_no_other_out(
    public: Graph, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    files = plant_unlisted()
    bad = files[2]

    def strict(value: Any, here: Site) -> Any:
        if bad in value["file_descriptions"]:
            raise ValueError("as no context knows it")
        return record_quads(value, here)

    monkeypatch.setattr(portions, "record_quads", strict)
    public.bring_up_to_date()
    found = set(
        names(
            public,
            "SELECT ?p { ?d <http://www.w3.org/ns/dcat#distribution>/<https://w3id.org/fairfolder/terms#path> ?p }",
        )
    )
    assert found == {each["path"] for each in files} - {bad["path"]}
    assert bad["@id"] in caplog.text


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
        assert list(store.query(each.query)), each.title  # type: ignore[arg-type]
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

    clock = [1_000.0]
    monkeypatch.setattr(indexing.time, "monotonic", lambda: clock[0])
    full = Full()
    graph = Graph("public", full, NoRows(), site(), wait=0.05)  # type: ignore[arg-type]
    graph.look(rows_changed=True)
    graph.look(rows_changed=False)
    assert full.tries == 1
    assert graph.is_behind
    clock[0] += 0.06
    graph.look(rows_changed=False)
    assert full.tries == 2


# --- the service as a whole -----------------------------------------------------------------------------------------


def plant(state: Path, value: dict[str, Any] | None, etag: str) -> None:
    """What is public, written as the index would."""
    with sqlite3.connect(state / "fairfolder.sqlite3", timeout=120) as db:
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
        with urllib.request.urlopen(f"{serving.url}sparql?{query}", timeout=180) as answer:
            return answer.read().decode().split("\r\n")[1:-1]
    except urllib.error.HTTPError as error:
        return [f"status {error.code}"]


def nothing_is_said(serving: Serving) -> None:
    """Before anything is published every way to ask answers, with nothing."""
    for address in (
        *(f"sparql?{urllib.parse.urlencode({'query': each.query})}" for each in QUESTIONS),
        "sparql/picture?node=http://e/unknown",
    ):
        request = urllib.request.Request(f"{serving.url}{address}", headers={"Accept": "text/html"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            assert answer.status == 200
            assert "Nothing" in answer.read().decode(), address


@pytest.fixture
def service(tmp_path: Path) -> Service:
    (tmp_path / "data").mkdir()
    return Service(tmp_path)


def test_a_change_becomes_visible_by_itself(service: Service) -> None:
    """How soon, the benchmark "sparql" tells."""
    with service.serving() as serving:
        eventually(lambda: titles(serving) == [])
        nothing_is_said(serving)
        for number in range(3):
            plant(service.state, {**GOLDEN, "dataset_title": f"Title{number}"}, f"etag {number}")
            eventually(lambda n=number: titles(serving) == [f"Title{n}"])
        plant(service.state, None, "")
        eventually(lambda: titles(serving) == [])


def test_an_indexer_that_was_killed_misses_nothing(service: Service) -> None:
    environment = service.environment(DJANGO_SETTINGS_MODULE="catalog.settings")
    command = [sys.executable, "-m", "tests.catalog.public.served"]
    made = subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    files = "SELECT (COUNT(DISTINCT ?f) AS ?n) { ?f a <http://www.w3.org/ns/dcat#Distribution> }"
    with service.serving() as serving:
        eventually(lambda: asked(serving, files) == ["2"])
        os.kill(serving.children()["index_graph"], signal.SIGKILL)
        taken_back = service.run("publish", made.stdout.strip(), "--withdraw", "--reason", "Consent was taken back.")
        assert taken_back.code == 0, taken_back.err
        eventually(lambda: asked(serving, files) == ["0"])
        os.kill(serving.children()["catalog.graph.broker"], signal.SIGKILL)
        eventually(lambda: asked(serving, files) == ["0"])
    for name in ("indexer", "query"):
        assert f"The {name} process stopped (signal SIGKILL)" in serving.errors.read_text()
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
