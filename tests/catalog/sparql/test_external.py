"""A SPARQL server of one's own instead of the embedded store, by protocol alone: rdflib-endpoint, a real one."""

from __future__ import annotations

import csv
import io
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph
import pytest
from django.test import Client, override_settings
from pyoxigraph import Literal, NamedNode, Quad

from catalog.graph import external
from catalog.graph.asking import NoAnswerError, Question
from catalog.graph.limits import Limits
from catalog.graph.media import RDF, RESULTS
from catalog.graph.outside import OutsideStore
from catalog.graph.store import Change
from tests.catalog.service import CHECKOUT, Service, eventually, free_port
from tests.catalog.sparql.test_indexing import asked
from tests.catalog.sparql.test_store import NAME, change

pytest.importorskip("rdflib_endpoint", reason="needs rdflib-endpoint")

_SERVER = """
import sys
import uvicorn
from rdflib import Dataset
from rdflib_endpoint import SparqlEndpoint
app = SparqlEndpoint(graph=Dataset(default_union=True), path="/", enable_update=True)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
LIMITS = Limits(seconds=300)


def outside(folder: Path, server: str, version: str) -> OutsideStore:
    return OutsideStore(folder, server, server, NAME, version)


@contextmanager
def serving_sparql() -> Iterator[str]:
    """An empty server of its own."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", _SERVER, str(port)])
    address = f"http://127.0.0.1:{port}/"

    def is_up() -> bool:
        try:
            external.ask(address, Question("ASK {}"), LIMITS)
        except NoAnswerError:
            return False
        return True

    try:
        eventually(is_up)
        yield address
    finally:
        process.terminate()
        process.wait(120)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving_sparql() as address:
        yield address


def values(server: str) -> list[str]:
    found = external.ask(server, Question("SELECT ?g ?o WHERE { GRAPH ?g { ?s ?p ?o } } ORDER BY ?o ?g"), LIMITS)
    with found.stream:
        rows = json.load(found.stream)["results"]["bindings"]
    return [f"{row['g']['value'].rpartition('/')[2]} {row['o']['value']}" for row in rows]


def test_records_are_written_replaced_and_removed_there(server: str, tmp_path: Path) -> None:
    with outside(tmp_path, server, "1") as store:
        assert store.apply([change(1, 1, 2), change(2, 1, 1)]) == 2
        assert values(server) == ["1 1 0", "2 1 0", "1 1 1"]
        store.apply([change(1, 2, 1)])
        gone = change(2, 1)
        store.apply([type(gone)(gone.identifier, gone.graph)])
        assert (values(server), dict(store.etags())) == (["1 2 0"], {"1": "etag 2"})
    with outside(tmp_path, server, "1") as store:
        assert dict(store.etags()) == {"1": "etag 2"}


def test_a_record_too_large_for_one_request_is_written_in_several(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.graph.outside._QUADS_AT_ONCE", 2)
    with outside(tmp_path, server, "large") as store:
        for version in (1, 2):
            whole = change(7, version, 5)
            store.apply([Change(whole.identifier, whole.graph, whole.etag, iter(list(whole.quads))), change(8, 1, 1)])
            found = [each for each in values(server) if each.startswith(("7", "8"))]
            assert sorted(found) == [*(f"7 {version} {n}" for n in range(5)), "8 1 0"]
        store.apply([Change("7", f"{NAME}7"), Change("8", f"{NAME}8")])


def test_what_the_server_did_not_take_is_sent_again(tmp_path: Path) -> None:
    with outside(tmp_path, f"http://127.0.0.1:{free_port()}/", "1") as store:
        with pytest.raises(OSError, match="refused"):
            store.apply([change(1, 1)])
        assert dict(store.etags()) == {}
        with pytest.raises(OSError, match="refused"):  # what it has is not known yet, so nothing can be compared
            store.graphs()


@pytest.mark.django_db
def test_sparql_asks_there_and_refuses_what_it_refuses_here(server: str, tmp_path: Path) -> None:
    with outside(tmp_path, server, "2") as store:
        store.apply([change(1, 3, 1)])
    with override_settings(FAIRFOLDER_SPARQL_QUERY_URL=server):
        client = Client()

        def asked(query: str, accept: str) -> tuple[int, str]:
            answer = client.get("/sparql", {"query": query}, headers={"Accept": accept})
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
            answer.close()
            return answer.status_code, body.decode()

        assert asked("SELECT ?o WHERE { GRAPH ?g { ?s ?p ?o } }", "text/csv")[1].split() == ["o", "3", "0"]
        status, text = asked("CONSTRUCT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }", "text/turtle")
        assert (status, "http://e/" in text) == (200, True)
        assert asked("SELECT * WHERE {", "text/csv")[0] == 400
        assert asked("SELECT * WHERE { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", "text/csv")[0] == 400
        assert asked("CLEAR ALL", "text/csv")[0] == 400
    with override_settings(FAIRFOLDER_SPARQL_QUERY_URL=f"http://127.0.0.1:{free_port()}/"):
        answer = Client().get("/sparql", {"query": "ASK {}"})
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")


def renamed(number: int, version: int, triples: int = 1) -> Change:
    """The same record under another base address."""
    found = change(number, version, triples)
    return Change(found.identifier, found.graph.replace("http://e/", "http://new.test/"), found.etag, found.quads)


def test_what_was_taken_back_goes_also_after_a_new_version_and_without_its_memory(server: str, tmp_path: Path) -> None:
    def emptied(folder: Path, version: str) -> None:
        with outside(folder, server, version) as store:
            store.apply([Change(each, name) for each, name in store.graphs().items()])

    emptied(tmp_path / "before", "0")
    for folder, version in ((tmp_path / "known", "2"), (tmp_path / "forgotten", "1")):
        with outside(tmp_path / "known", server, "1") as store:
            store.apply([change(1, 1, 1), change(2, 1, 1)])
        with outside(folder, server, version) as store:
            assert (dict(store.etags()), set(store.graphs())) == ({}, {"1", "2"})
            store.apply([Change("1", f"{NAME}1"), change(2, 2, 1)])
            assert (values(server), set(store.graphs())) == (["2 2 0"], {"2"})
        emptied(tmp_path / "other", "0")


def test_another_base_address_leaves_nothing_under_the_old_one(server: str, tmp_path: Path) -> None:
    with outside(tmp_path, server, "1") as store:
        store.apply([change(1, 1, 1), change(2, 1, 1)])
    with OutsideStore(tmp_path, server, server, "http://new.test/record/", "2") as store:
        assert set(store.graphs()) == {"1", "2"}
        store.apply([Change("2", renamed(2, 1).graph), renamed(1, 1)])
        assert list(external.graphs(server, "http://")) == [renamed(1, 1).graph]
        assert (store.graphs(), store.etags()) == ({"1": renamed(1, 1).graph}, {"1": "etag 1"})
        store.apply([Change("1", renamed(1, 1).graph)])


def test_names_of_graphs_are_told_in_parts(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "_NAMES_AT_ONCE", 2)
    with outside(tmp_path, server, "1") as store:
        store.apply([change(number, 1, 1) for number in range(5)])
        assert external.graphs(server, NAME) == [f"{NAME}{number}" for number in range(5)]
        store.apply([Change(str(number), f"{NAME}{number}") for number in range(5)])


@pytest.mark.parametrize(
    ("head", "body", "reason"),
    [("", b"x", "time"), ("Content-Length: 9\r\n", b"short", "absent")],
)
def test_an_answer_in_drops_is_given_up_and_half_of_one_refused(head: str, body: bytes, reason: str) -> None:
    def serve(door: socket.socket) -> None:
        client, _ = door.accept()
        with client:
            client.recv(65_536)
            try:
                client.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n{head}\r\n".encode())
                client.sendall(body)
                while not head:  # it never ends by itself
                    client.sendall(body)
                    time.sleep(0.1)
            except OSError:  # it was given up
                return

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=serve, args=(door,), daemon=True).start()
        with pytest.raises(NoAnswerError) as told:
            external.ask(
                f"http://127.0.0.1:{door.getsockname()[1]}/",
                Question("ASK {}", results="csv"),
                Limits(seconds=1 if reason == "time" else 300),
            )
    assert told.value.reason == reason


# --- more rows than may be told ---------------------------------------------------------------------------------------

_ROWS = "SELECT ?o WHERE { GRAPH ?g { ?s ?p ?o } } ORDER BY ?o"
_MORE = 'a "quoted", word\nand a second line'


@pytest.fixture
def many(server: str, tmp_path: Path) -> Iterator[str]:
    """A server with five triples, two of them with a line break in their text."""
    graph = NamedNode(f"{NAME}many")
    texts = [_MORE, f"b {_MORE}", "c", "d", "e"]
    quads = [Quad(NamedNode("http://e/many"), NamedNode("http://e/p"), Literal(text), graph) for text in texts]
    with outside(tmp_path, server, "many") as store:
        store.apply([Change("many", graph.value, "1", quads)])
        yield server
        store.apply([Change("many", graph.value)])


def rows(form: str, text: str) -> int:
    if form == "csv":
        return len(list(csv.reader(io.StringIO(text)))) - 1
    found = pyoxigraph.parse_query_results(text, pyoxigraph.QueryResultsFormat.from_media_type(RESULTS[form]))
    return len(list(found))  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["json", "xml", "csv"])
@pytest.mark.parametrize(("most", "told", "partial"), [(1, 1, "rows"), (2, 2, "rows"), (5, 5, ""), (9, 5, "")])
def test_rows_beyond_the_limit_are_cut(many: str, form: str, most: int, told: int, partial: str) -> None:
    found = external.ask(many, Question(_ROWS, results=form, note="http://e/note"), Limits(seconds=300, rows=most))
    with found.stream:
        text = found.stream.read().decode()
    assert (found.partial, rows(form, text), found.size) == (partial, told, len(text.encode()))
    assert ("http://e/note" in text) == (bool(partial) and form != "csv")


@pytest.mark.parametrize(("most", "told", "partial"), [(2, 2, "rows"), (5, 5, "")])
@pytest.mark.parametrize("form", ["turtle", "ntriples"])
def test_triples_beyond_the_limit_are_cut(many: str, form: str, most: int, told: int, partial: str) -> None:
    question = Question("CONSTRUCT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }", rdf=form)
    found = external.ask(many, question, Limits(seconds=300, rows=most))
    with found.stream:
        triples = list(pyoxigraph.parse(found.stream.read(), pyoxigraph.RdfFormat.from_media_type(RDF[form])))
    assert (found.partial, len(triples)) == (partial, told)


def test_an_answer_that_cannot_be_read_is_refused() -> None:
    def serve(door: socket.socket) -> None:
        client, _ = door.accept()
        with client:
            client.recv(65_536)
            body = b'{"head": {"vars": ["x"]}, "results": {"bindings": [{"x": 1},'
            media = RESULTS["json"]
            client.sendall(f"HTTP/1.0 200 OK\r\nContent-Type: {media}\r\n\r\n".encode() + body)

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=serve, args=(door,), daemon=True)
        thread.start()
        with pytest.raises(NoAnswerError, match="answers with json that cannot be read"):
            external.ask(f"http://127.0.0.1:{door.getsockname()[1]}/", Question("ASK {}"), Limits(seconds=300, rows=1))
        thread.join(60)


# --- the service as a whole -------------------------------------------------------------------------------------------


def test_what_is_published_and_taken_back_is_asked_from_a_server_of_ones_own(tmp_path: Path) -> None:
    """By the settings alone: the indexer writes there, ``/sparql`` asks there, and nothing public is kept here."""
    (tmp_path / "data").mkdir()
    with serving_sparql() as server:
        urls = {"FAIRFOLDER_SPARQL_QUERY_URL": server, "FAIRFOLDER_SPARQL_UPDATE_URL": server}
        service = Service(tmp_path, urls)
        environment = service.environment(DJANGO_SETTINGS_MODULE="catalog.settings")
        command = [sys.executable, "-m", "tests.catalog.public.served"]
        made = subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        files = "SELECT (COUNT(DISTINCT ?f) AS ?n) { ?f a <http://www.w3.org/ns/dcat#Distribution> }"
        with service.serving() as serving:
            eventually(lambda: asked(serving, files) == ["2"])
            there = external.ask(server, Question(files, results="csv"), LIMITS)
            with there.stream:
                assert there.stream.read().split() == [b"n", b"2"]
            assert not (service.state / "graph" / "public").exists()
            taken_back = service.run(
                "publish", made.stdout.strip(), "--withdraw", "--reason", "Consent was taken back."
            )
            assert taken_back.code == 0, taken_back.err
            eventually(lambda: asked(serving, files) == ["0"])
