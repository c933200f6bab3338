"""The SPARQL 1.1 protocol and service description: the W3C's tests through HTTP, and what they leave open."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

import pytest
from pyoxigraph import Literal, NamedNode, Quad
from rdflib import RDF, Graph, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, JSON, TURTLE, SPARQLWrapper
from SPARQLWrapper import POST as POSTED

from catalog.graph import queries
from tests.catalog.sparql import w3c
from tests.catalog.sparql.endpoint import BASE, Endpoint, Reply, triples

HT = Namespace("http://www.w3.org/2011/http#")
CNT = Namespace("http://www.w3.org/2011/content#")
SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
KASEI = "http://kasei.us/2009/09/sparql/data/"
READS = "it updates the store, and this endpoint only reads: what is public is written by publishing alone"
# Every protocol test that is not asked, and why; that each is refused is shown below.
NOT_ASKED: Mapping[str, str] = dict.fromkeys(
    (
        "update_dataset_default_graph", "update_dataset_default_graphs", "update_dataset_named_graphs",
        "update_dataset_full", "update_post_form", "update_post_direct", "update_base_uri",
    ),
    READS,
)  # fmt: skip

conformance = pytest.mark.skipif(not w3c.SUITE.is_dir(), reason="needs ../shared/conformance/w3c-sparql11")


# --- the W3C's protocol tests ---------------------------------------------------------------------------------------


def sent(running: Endpoint, graph: Graph, request: Any) -> Reply:
    path = str(graph.value(request, HT.absolutePath)).replace("/sparql/", "/sparql", 1)
    headers = {}
    if (listed := graph.value(request, HT.headers)) is not None:
        for each in Collection(graph, listed):
            headers[str(graph.value(each, HT.fieldName)).lower()] = str(graph.value(each, HT.fieldValue))
    body = graph.value(request, HT.body)
    data = None
    if body is not None:
        encoding = str(graph.value(body, CNT.characterEncoding) or "utf-8")
        data = str(graph.value(body, CNT.chars)).encode(encoding)
    return running.send(str(graph.value(request, HT.methodName)), path, data, headers)


def expected(graph: Graph, request: Any) -> tuple[set[str], str, bool | None]:
    response = graph.value(request, HT.resp)
    statuses = {str(each).rpartition("StatusCode")[2][0] for each in graph.objects(response, w3c.MF.expectedStatus)}
    truth = graph.value(response, w3c.MF.expectedBoolean)
    return statuses, str(graph.value(response, w3c.MF.expectedFormat) or ""), None if truth is None else bool(truth)


@conformance
def test_the_protocol_suite(running: Endpoint) -> None:
    running.put(
        *(
            Quad(NamedNode(f"{KASEI}data{n}.rdf"), NamedNode(RDF.type), NamedNode("http://example.org/T"), graph)
            for n in (1, 2, 3)
            for graph in [NamedNode(f"{KASEI}data{n}.rdf")]
        )
    )
    wrong: dict[str, str] = {}
    for name, requests, graph in w3c.protocol_requests():
        if name in NOT_ASKED:
            replies = [sent(running, graph, request) for request in requests[:1]]
            statuses, form, truth = {"4"}, "", None
        else:
            replies = [sent(running, graph, request) for request in requests]
            statuses, form, truth = expected(graph, requests[-1])
        reply = replies[-1]
        if str(reply.status)[0] not in statuses:
            wrong[name] = f"status {reply.status}: {reply.text}"
        elif form == "boolean" and truth is not None and json.loads(reply.text)["boolean"] is not truth:
            wrong[name] = reply.text
        elif (
            form == "RDF"
            and "turtle" not in reply.headers["content-type"]
            and "rdf" not in reply.headers["content-type"]
        ):
            wrong[name] = reply.headers["content-type"]
    assert wrong == {}


# --- service description --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "form"),
    [("text/turtle", "turtle"), ("application/rdf+xml", "xml"), ("application/ld+json", "json-ld"), ("*/*", "turtle")],
)
def test_the_service_describes_itself(running: Endpoint, accept: str, form: str) -> None:
    """The three tests of the service-description suite: RDF, the endpoint, and the schema."""
    reply = running.ask(None, accept)
    graph = Graph().parse(data=reply.text, format=form)
    service = URIRef(f"{BASE}/sparql")
    assert (reply.status, list(graph.objects(service, SD.endpoint))) == (200, [service])
    assert set(graph.objects(service, SD.supportedLanguage)) == {SD.SPARQL11Query}
    assert (service, RDF.type, SD.Service) in graph
    domains = {
        SD.endpoint: SD.Service, SD.supportedLanguage: SD.Service, SD.feature: SD.Service,
        SD.resultFormat: SD.Service, SD.defaultDataset: SD.Service, SD.defaultGraph: SD.Dataset,
    }  # fmt: skip
    used = [(s, p) for s, p, _ in graph if str(p).startswith(str(SD))]
    assert used
    assert all((s, RDF.type, domains[p]) in graph for s, p in used)
    assert len(list(graph.objects(service, SD.resultFormat))) == 8


def test_a_service_description_that_nobody_can_read_is_a_406(running: Endpoint) -> None:
    reply = running.ask(None, "image/png")
    assert (reply.status, "text/turtle" in reply.text) == (406, True)


# --- forms ----------------------------------------------------------------------------------------------------------

_SELECT, _GRAPH = "SELECT ?s WHERE { ?s ?p ?o }", "CONSTRUCT WHERE { ?s ?p ?o }"


@pytest.mark.parametrize(
    ("query", "accept", "answered"),
    [
        (_SELECT, "application/sparql-results+json", "application/sparql-results+json"),
        (_SELECT, "application/json", "application/json"),
        (_SELECT, "application/sparql-results+xml", "application/sparql-results+xml"),
        (_SELECT, "text/csv", "text/csv; charset=utf-8"),
        (_SELECT, "text/tab-separated-values", "text/tab-separated-values; charset=utf-8"),
        (_SELECT, "text/csv;q=0.5, application/sparql-results+xml;q=0.9", "application/sparql-results+xml"),
        (_SELECT, "application/sparql-results+json;q=0, */*;q=0.1", "application/json"),
        (_SELECT, "text/*", "text/xml"),
        (_SELECT, "image/png, */*;q=0.1", "application/sparql-results+json"),
        (_SELECT, "", "application/sparql-results+json"),
        (_SELECT, "text/turtle", ""),
        (_SELECT, "application/sparql-results+json;q=0", ""),
        (_GRAPH, "text/turtle", "text/turtle; charset=utf-8"),
        (_GRAPH, "application/n-triples", "application/n-triples"),
        (_GRAPH, "application/rdf+xml", "application/rdf+xml"),
        (_GRAPH, "application/ld+json", "application/ld+json"),
        (_GRAPH, "text/turtle;q=0.2, application/ld+json;q=0.3", "application/ld+json"),
        (_GRAPH, "application/sparql-results+json", ""),
        ("DESCRIBE <http://example.org/a>", "application/rdf+xml", "application/rdf+xml"),
        ("ASK {}", "application/sparql-results+xml", "application/sparql-results+xml"),
    ],
)
def test_the_form_that_is_wanted_most_is_answered(running: Endpoint, query: str, accept: str, answered: str) -> None:
    running.put(*triples("<a> <b> 'c'@en ."))
    reply = running.ask(query, accept)
    assert (reply.status, reply.headers.get("content-type")) == (
        (200, answered) if answered else (406, "text/plain; charset=utf-8")
    )
    assert "accept" in reply.headers["vary"].lower()
    if not answered:
        assert "application/sparql-results+json" in reply.text
        assert "text/turtle" in reply.text


def test_every_answer_is_open_to_scripts_and_has_no_cookie(running: Endpoint) -> None:
    for reply in (
        running.ask("ASK {}"),
        running.ask("ASK {"),
        running.ask(None),
        running.ask("ASK {}", method="OPTIONS"),
    ):
        assert reply.headers["access-control-allow-origin"] == "*"
        assert "set-cookie" not in reply.headers
        assert "access-control-allow-credentials" not in reply.headers
    preflight = running.send(
        "OPTIONS", "/sparql", None, {"Origin": "https://x.example", "Access-Control-Request-Method": "POST"}
    )
    assert (preflight.status, "POST" in preflight.headers["access-control-allow-methods"]) == (204, True)


def test_the_default_graph_is_the_union_and_may_be_chosen(running: Endpoint) -> None:
    one, two = f"{BASE}/id/record/1", f"{BASE}/id/record/2"
    running.put(*triples("<a> <p> 1 .", one), *triples("<a> <p> 2 .", two))

    def counted(query: str, **graphs: str | list[str]) -> str:
        return running.ask(query, "text/csv", **graphs).text.split()[-1]

    count = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"
    in_graphs = "SELECT (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } }"
    assert [counted(count), counted(in_graphs)] == ["2", "2"]
    assert [counted(count, default_graph_uri=one), counted(in_graphs, default_graph_uri=one)] == ["1", "0"]
    assert [counted(count, named_graph_uri=one), counted(in_graphs, named_graph_uri=[one, two])] == ["0", "2"]
    assert counted(f"SELECT (COUNT(*) AS ?n) FROM <{two}> WHERE {{ ?s ?p ?o }}") == "1"
    assert counted(f"SELECT (COUNT(*) AS ?n) FROM <{two}> WHERE {{ ?s ?p ?o }}", default_graph_uri="urn:none") == "0"


def test_a_query_that_cannot_be_read_is_told_with_its_place(running: Endpoint) -> None:
    reply = running.ask("SELECT ?s\nWHERE { ?s ?p }")
    assert (reply.status, reply.text.startswith("The query cannot be read at line 2, column ")) == (400, True)
    assert len(reply.text) < 300
    assert "Traceback" not in reply.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("SELECT * { ?s ?p ?o } # " + "x" * queries.LONGEST, 413),
        ("SELECT (<http://example.org/f>(1) AS ?x) {}", 400),
        ("\ud800".encode(errors="surrogatepass").decode(errors="replace"), 400),
        ("", 400),
        ("SELECT * FROM <not an iri> {}", 400),
    ],
    ids=["long", "unknown function", "no text", "empty", "wrong IRI"],
)
def test_what_cannot_be_asked_is_refused_in_one_sentence(running: Endpoint, query: str, status: int) -> None:
    reply = running.ask(query, method="POST")
    assert (reply.status, reply.text.count("\n")) == (status, 1)


def test_a_query_of_a_megabyte_is_refused_before_it_is_read(running: Endpoint) -> None:
    text = urllib.parse.urlencode({"query": "ASK { " + "<a> <b> <c> . " * 80_000 + "}"}).encode()
    reply = running.send("POST", "/sparql", text, {"Content-Type": "application/x-www-form-urlencoded"})
    assert (reply.status, "100,000 bytes" in reply.text) == (413, True)
    reply = running.send("POST", "/sparql", b"x" * 1_000_000, {"Content-Type": "application/sparql-query"})
    assert reply.status == 413


def test_a_graph_name_that_is_no_iri_is_told(running: Endpoint) -> None:
    reply = running.ask("ASK {}", default_graph_uri="no iri")
    assert (reply.status, "no IRI" in reply.text) == (400, True)


def test_an_answer_beyond_the_limit_is_cut_valid_and_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.catalog.sparql.endpoint import endpoint

    with endpoint(
        tmp_path_factory.mktemp("cut"), FAIRFOLDER_SPARQL_ROWS="10", FAIRFOLDER_SPARQL_MEGABYTES="1"
    ) as small:
        graph = NamedNode(f"{BASE}/id/record/1")
        of = NamedNode("http://example.org/p")
        hard = 'a "b", <c> & \u2028 },{"x": \t\n \\ \u00e9'
        small.put(*(Quad(NamedNode(f"http://example.org/{n:02}"), of, Literal(f"{hard}{n}"), graph) for n in range(12)))
        every = "SELECT ?s ?o WHERE { ?s ?p ?o }"
        exact = small.ask(every + " LIMIT 10")
        assert "fairfolder-partial" not in exact.headers
        assert len(json.loads(exact.text)["results"]["bindings"]) == 10
        found = small.ask(every)
        assert found.headers["fairfolder-partial"] == "rows; limit=10"
        assert json.loads(found.text)["head"]["link"] == [f"{BASE}/sparql#partial"]
        assert json.loads(found.text)["results"] == json.loads(exact.text)["results"]
        for accept in ("application/sparql-results+xml", "text/csv", "text/tab-separated-values"):
            cut, whole = small.ask(every, accept), small.ask(every + " LIMIT 10", accept)
            assert cut.headers["fairfolder-partial"] == "rows; limit=10"
            assert rows_of(cut, accept) == rows_of(whole, accept), accept
        for accept, form in (
            ("text/turtle", "turtle"),
            ("application/ld+json", "json-ld"),
            ("application/rdf+xml", "xml"),
        ):
            cut = small.ask("CONSTRUCT WHERE { ?s ?p ?o }", accept)
            assert (cut.headers["fairfolder-partial"], len(Graph().parse(data=cut.text, format=form))) == (
                "rows; limit=10",
                10,
            )
        small.put(*(Quad(NamedNode(f"http://example.org/{n}"), of, Literal("x" * 400_000), graph) for n in range(4)))
        for query, accept in (
            (every, "application/sparql-results+json"),
            ("CONSTRUCT WHERE { ?s ?p ?o }", "application/n-triples"),
        ):
            large = small.ask(query, accept)
            assert large.headers["fairfolder-partial"] == "bytes; limit=1000000"
            assert 800_000 < len(large.body) <= 1_000_100
        assert "This is not the whole answer" in small.ask(every, "text/html").text


def rows_of(reply: Reply, accept: str) -> Any:
    import io

    from rdflib.query import Result

    if "xml" in accept:
        return [
            {str(k): v for k, v in row.items()} for row in Result.parse(io.BytesIO(reply.body), format="xml").bindings
        ]
    return reply.text


# --- clients that others wrote --------------------------------------------------------------------------------------


def test_sparqlwrapper_asks(running: Endpoint) -> None:
    running.put(*triples("<a> <b> 'c'@en . <d> <b> 2 ."))
    client = SPARQLWrapper(running.url)
    client.setQuery("SELECT ?o WHERE { <http://example.org/a> ?p ?o }")
    client.setReturnFormat(JSON)
    assert client.queryAndConvert()["results"]["bindings"] == [
        {"o": {"type": "literal", "value": "c", "xml:lang": "en"}}
    ]
    client.setMethod(POSTED)
    client.setReturnFormat(CSV)
    assert client.queryAndConvert().split() == [b"o", b"c"]
    client.setQuery("CONSTRUCT WHERE { ?s ?p ?o }")
    client.setReturnFormat(TURTLE)
    assert len(Graph().parse(data=client.queryAndConvert(), format="turtle")) == 2


def test_rdflibs_store_asks(running: Endpoint) -> None:
    running.put(*triples("<a> <b> 'c'@en . <d> <b> 2 ."))
    graph = Graph(SPARQLStore(running.url))
    assert len(graph) == 2
    assert {str(o) for _, _, o in graph.triples((URIRef("http://example.org/d"), None, None))} == {"2"}
    assert graph.query("ASK { ?s ?p 2 }").askAnswer
