"""A SPARQL server of one's own instead of the embedded store, by protocol alone: rdflib-endpoint, a real one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client, override_settings

from catalog.graph import external
from catalog.graph.asking import NoAnswerError, Question
from catalog.graph.limits import Limits
from catalog.graph.outside import OutsideStore
from tests.catalog.service import eventually, free_port
from tests.catalog.sparql.test_store import change

pytest.importorskip("rdflib_endpoint", reason="needs rdflib-endpoint")

_SERVER = """
import sys
import uvicorn
from rdflib import Dataset
from rdflib_endpoint import SparqlEndpoint
app = SparqlEndpoint(graph=Dataset(default_union=True), path="/", enable_update=True)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
LIMITS = Limits(seconds=10)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
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
        eventually(is_up, 30)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def values(server: str) -> list[str]:
    found = external.ask(server, Question("SELECT ?g ?o WHERE { GRAPH ?g { ?s ?p ?o } } ORDER BY ?o"), LIMITS)
    with found.stream:
        rows = json.load(found.stream)["results"]["bindings"]
    return [f"{row['g']['value'].rpartition('/')[2]} {row['o']['value']}" for row in rows]


def test_records_are_written_replaced_and_removed_there(server: str, tmp_path: Path) -> None:
    with OutsideStore(tmp_path, server, "1") as store:
        assert store.apply([change(1, 1, 2), change(2, 1, 1)]) == 2
        assert values(server) == ["1 1 0", "2 1 0", "1 1 1"]
        store.apply([change(1, 2, 1)])
        gone = change(2, 1)
        store.apply([type(gone)(gone.identifier, gone.graph)])
        assert (values(server), dict(store.etags())) == (["1 2 0"], {"1": "etag 2"})
    with OutsideStore(tmp_path, server, "1") as store:
        assert dict(store.etags()) == {"1": "etag 2"}


def test_what_the_server_did_not_take_is_sent_again(tmp_path: Path) -> None:
    with OutsideStore(tmp_path, f"http://127.0.0.1:{free_port()}/", "1") as store:
        with pytest.raises(OSError, match="refused"):
            store.apply([change(1, 1)])
        assert (dict(store.etags()), set(store.graphs())) == ({}, {"1"})


@pytest.mark.django_db
def test_sparql_asks_there_and_refuses_what_it_refuses_here(server: str, tmp_path: Path) -> None:
    with OutsideStore(tmp_path, server, "2") as store:
        store.apply([change(1, 3, 1)])
    with override_settings(FAIRFOLDER_SPARQL_QUERY_URL=server):
        client = Client()

        def asked(query: str, accept: str) -> tuple[int, str]:
            answer = client.get("/sparql", {"query": query}, headers={"Accept": accept})
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
            answer.close()
            return answer.status_code, body.decode()

        assert asked("SELECT ?o WHERE { GRAPH ?g { ?s ?p ?o } }", "text/csv")[1].split() == ["o", "3", "0"]
        status, text = asked("CONSTRUCT WHERE { GRAPH ?g { ?s ?p ?o } }", "text/turtle")
        assert (status, "http://e/" in text) == (200, True) or status == 400
        assert asked("SELECT * WHERE {", "text/csv")[0] == 400
        assert asked("SELECT * WHERE { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", "text/csv")[0] == 400
        assert asked("CLEAR ALL", "text/csv")[0] == 400
    with override_settings(FAIRFOLDER_SPARQL_QUERY_URL=f"http://127.0.0.1:{free_port()}/"):
        answer = Client().get("/sparql", {"query": "ASK {}"})
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
