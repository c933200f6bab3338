"""What a query may not do: change anything, fetch anything (FA-53, FA-54, FA-56); and what its errors may not tell."""

from __future__ import annotations

import socket
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from catalog.graph.queries import CHANGES, FETCHES, refusal
from tests.catalog.sparql.endpoint import BASE, Endpoint, triples

HERE = "http://127.0.0.1:PORT/x"
FETCHING = [
    "SELECT * WHERE { SERVICE <HERE> { ?s ?p ?o } }",
    "SELECT * WHERE { SERVICE SILENT <HERE> { ?s ?p ?o } }",
    "SELECT * WHERE { VALUES ?x { <HERE> } SERVICE SILENT ?x { ?s ?p ?o } }",
    "SELECT * WHERE { { SELECT * WHERE { SERVICE <HERE> { ?s ?p ?o } } } }",
    "SELECT * WHERE { ?a ?b ?c OPTIONAL { service <HERE> { ?s ?p ?o } } }",
    "SELECT * WHERE { ?a ?b ?c FILTER EXISTS { SERVICE <HERE> { ?s ?p ?o } } }",
    "SELECT * WHERE { ?a ?b ?c MINUS { SeRvIcE<HERE>{ ?s ?p ?o } } }",
    "ASK { \\u0053ERVICE <HERE> { ?s ?p ?o } }",
    "ASK { \\U00000053ERVICE <HERE> { ?s ?p ?o } }",
    "ASK { # comment\nSERVICE# another\n<HERE> { ?s ?p ?o } }",
    "PREFIX : <HERE> ASK { SERVICE:x { ?s ?p ?o } }",
    "PREFIX service: <http://a/> PREFIX : <HERE> ASK { service:x { ?s ?p ?o } }",
    "PREFIX serviceé: <HERE> ASK { SERVICEé:x { ?s ?p ?o } }",
    "ASK { ?a ?b 1SERVICE <HERE> { ?s ?p ?o } }",
    "ASK { ?a ?b trueSERVICE <HERE> { ?s ?p ?o } }",
    "ASK { ?a ?b ?c.SERVICE <HERE> { ?s ?p ?o } }",
]
DISGUISED = [  # reads as a string here, and as a comment to Oxigraph: only the missing network stops it
    'ASK { ?a ?b ?c FILTER(?a<?b)#>"""\n SERVICE <HERE> { ?s ?p ?o } #"""\n }',
    'ASK { VALUES ?a { 1 } VALUES ?b { 2 } FILTER(?a<?b)#>"""\n SERVICE SILENT <HERE> { ?s ?p ?o } #"""\n }',
]
NAMING = [
    "ASK FROM <HERE> { ?s ?p ?o }",
    "ASK FROM NAMED <HERE> { GRAPH ?g { ?s ?p ?o } }",
    "ASK { GRAPH <HERE> { ?s ?p ?o } }",
]
CHANGING = [
    "INSERT DATA { <http://a/> <http://b/> 1 }",
    "PREFIX a: <http://a/> DELETE WHERE { ?s ?p ?o }",
    "DELETE { ?s ?p ?o } INSERT { ?s ?p 1 } WHERE { ?s ?p ?o }",
    "LOAD <HERE>",
    "BASE <http://a/> LOAD SILENT <file:///etc/passwd> INTO GRAPH <g>",
    "CLEAR ALL",
    "DROP GRAPH <http://a/>",
    "CREATE GRAPH <http://a/>",
    "COPY <http://a/> TO <http://b/>",
    "# first\nWITH <http://a/> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
]


@contextmanager
def listening() -> Iterator[tuple[int, list[object]]]:
    """A port, and who connected to it."""
    came: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        done = threading.Event()

        def wait() -> None:
            while not done.is_set():
                try:
                    came.append(server.accept()[1])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=wait)
        thread.start()
        try:
            yield server.getsockname()[1], came
        finally:
            done.set()
            thread.join()


def test_nothing_is_fetched_and_nothing_changed(running: Endpoint) -> None:
    running.put(*triples("<a> <b> 1 ."))
    with listening() as (port, came):
        here = HERE.replace("PORT", str(port))
        for template in (*FETCHING, *DISGUISED, *NAMING, *CHANGING):
            query = template.replace("HERE", here)
            for method in ("GET", "POST", "HEAD"):
                reply = running.ask(query, method=method)
                assert reply.status == 400 or template in (*NAMING, *DISGUISED), (template, reply.text)
            direct = {"Content-Type": "application/sparql-query"}
            assert running.send("POST", "/sparql", query.encode(), direct).status in (200, 400, 503)
            assert running.ask(None, method="POST", update=query).status == 400
        assert running.ask("ASK {}", default_graph_uri=here, named_graph_uri="file:///etc/passwd").status == 200
        assert came == []
    assert running.ask("SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }", "text/csv").text.split() == ["n", "1"]


def test_graphs_that_are_not_here_are_empty(running: Endpoint) -> None:
    running.put(*triples("<a> <b> 1 ."))
    for query in NAMING:
        assert '"boolean":false' in running.ask(query.replace("HERE", "http://127.0.0.1:9/x")).text


@pytest.mark.parametrize("query", FETCHING)
def test_fetching_is_refused_in_words(query: str) -> None:
    assert refusal(query) == FETCHES


@pytest.mark.parametrize("query", CHANGING)
def test_changing_is_refused_in_words(query: str) -> None:
    assert refusal(query) == CHANGES


@pytest.mark.parametrize("query", DISGUISED)
def test_without_a_network_to_leave_every_mention_is_refused(query: str) -> None:
    assert (refusal(query), refusal(query, strictly=True)) == ("", FETCHES)


@pytest.mark.parametrize(
    "query",
    [
        'SELECT ?service WHERE { ?s <http://e/SERVICE> "SERVICE" ; a ?service } # SERVICE',
        "PREFIX dcat: <http://www.w3.org/ns/dcat#> SELECT * WHERE { ?s a dcat:DataService ; dcat:service ?o }",
        "SELECT * WHERE { ?s ?p '''insert data SERVICE''' , \"load\"@service }",
        "PREFIX e: <http://e/> SELECT * WHERE { e:load e:my.SERVICE _:SERVICE }",
        "SELECT * WHERE { ?load ?insert $service }",
    ],
)
def test_what_only_looks_like_it_is_asked(query: str) -> None:
    assert refusal(query) == ""


# --- nothing of what is not public ----------------------------------------------------------------------------------

SECRET = "Zebrafish-4711"


def test_what_is_not_public_is_told_by_no_way_of_asking(running: Endpoint) -> None:
    hidden, absent = (f"{BASE}/id/record/{digit * 8}-0000-4000-8000-000000000000" for digit in "78")
    running.put(*triples("<http://e/open> <http://e/title> 'Open' .", f"{BASE}/id/record/1"))
    running.fill(
        running.internal,
        [
            *triples("<http://e/open> <http://e/title> 'Open' .", f"{BASE}/id/record/1"),
            *triples(f"<http://e/{SECRET}> <http://e/{SECRET}-p> '{SECRET}' .", hidden),
        ],
    )
    asked = {
        "rows": "SELECT * WHERE { ?s ?p ?o }",
        "count": "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }",
        "graph names": "SELECT ?g WHERE { GRAPH ?g { } }",
        "graphs with triples": "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }",
        "counted graphs": "SELECT (COUNT(DISTINCT ?g) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } }",
        "by name": f"SELECT * WHERE {{ GRAPH <{hidden}> {{ ?s ?p ?o }} }}",
        "from": f"SELECT * FROM <{hidden}> FROM NAMED <{hidden}> WHERE {{"
        " { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }",
        "construct": "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }",
        "describe": "DESCRIBE ?s WHERE { ?s ?p ?o }",
        "path": "SELECT ?o WHERE { ?s (<http://e/x>|!<http://e/x>)* ?o }",
        "text": "SELECT (GROUP_CONCAT(?o) AS ?all) WHERE { ?s ?p ?o }",
        "error": f"SELECT * WHERE {{ GRAPH <{hidden}> {{ ?s ?p",
    }
    for name, query in asked.items():
        for accept in ("application/sparql-results+json, text/turtle", "text/html"):
            for graphs in ({}, {"default_graph_uri": hidden}, {"named_graph_uri": hidden}):
                reply = running.ask(query, accept, **graphs)
                assert SECRET not in reply.text, (name, accept)
                other = running.ask(query.replace(hidden, absent), accept, **dict.fromkeys(graphs, absent))
                assert without(reply.text, hidden) == without(other.text, absent), (name, accept)
    assert running.ask(asked["count"], "text/csv").text.split()[-1] == "1"
    assert running.ask(asked["counted graphs"], "text/csv").text.split()[-1] == "1"
    page = running.ask(None, "text/html", path="/sparql/picture", node=f"http://e/{SECRET}")
    assert "Nothing that is public" in page.text


def without(text: str, name: str) -> str:
    """An answer without the name of a graph that stood in the question."""
    return text.replace(name, "").replace(urllib.parse.quote(name, safe=""), "")


def test_the_internal_graph_is_for_curators_with_a_token(running: Endpoint) -> None:
    running.fill(running.internal, triples(f"<http://e/a> <http://e/b> '{SECRET}' ."))
    query = "SELECT ?o WHERE { ?s ?p ?o }"
    tokens = {}
    for name, role in (("carla", "curator"), ("vera", "viewer")):
        running.manage("user", "add", name, "--role", role)
        tokens[name] = running.manage("token", "add", name, "asking").split()[0]

    def asked(token: str | None, path: str = "/sparql/internal") -> tuple[int, bool]:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        reply = running.ask(query, path=path, headers=headers)
        assert path == "/sparql" or reply.headers["cache-control"] == "private, no-store"
        return reply.status, SECRET in reply.text

    assert asked(tokens["carla"]) == (200, True)
    assert [asked(None), asked(""), asked("ff_wrong"), asked(tokens["vera"])] == [(401, False)] * 3 + [(403, False)]
    assert asked(tokens["carla"], "/sparql") == (200, False)
    assert running.ask(None, "text/html", path="/sparql/internal").status == 401
    running.manage("user", "disable", "carla")
    assert asked(tokens["carla"]) == (401, False)
    running.manage("user", "enable", "carla")
    running.manage("token", "remove", "carla", "asking")
    assert asked(tokens["carla"]) == (401, False)
    assert "vera: asking" in running.manage("token", "list")
