"""The W3C's SPARQL 1.1 tests, read from their manifests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, Quad, RdfFormat, parse
from rdflib import RDF, Graph, Namespace, URIRef
from rdflib.collection import Collection

from tests.catalog.service import CHECKOUT

SUITE = CHECKOUT.parent / "shared" / "conformance" / "w3c-sparql11"
DEFAULT = "urn:x-default:graph"  # data of the default graph: it has a name here, and is in their union
MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
RESULT = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/result-set#")
QT = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-query#")
QUERY_FOLDERS = (
    "aggregates", "bind", "bindings", "cast", "construct", "exists", "functions", "grouping", "negation",
    "project-expression", "property-path", "subquery", "syntax-query", "csv-tsv-res", "json-res",
)  # fmt: skip


@dataclass(frozen=True)
class Test:
    """One test: its query, its data, and what must come out."""

    __test__ = False  # for pytest

    name: str
    kind: str
    query: Path
    data: tuple[Path, ...] = ()
    graphs: tuple[tuple[str, Path], ...] = ()
    result: Path | None = None
    skip: str = field(default="")

    @property
    def base(self) -> str:
        return self.query.as_uri()


def manifest(folder: str) -> Graph:
    path = SUITE / folder / "manifest.ttl"
    return Graph().parse(path, format="turtle", publicID=path.as_uri())


def tests() -> Iterator[Test]:
    """Every query test of the suite."""
    for folder in QUERY_FOLDERS if SUITE.is_dir() else ():
        graph = manifest(folder)
        for start in graph.subjects(RDF.type, MF.Manifest):
            for entry in Collection(graph, graph.value(start, MF.entries)):
                if (test := _test(graph, folder, entry)) is not None:
                    yield test


def _test(graph: Graph, folder: str, entry: Any) -> Test | None:
    kind = str(graph.value(entry, RDF.type)).rpartition("#")[2]
    action = graph.value(entry, MF.action)
    name = f"{folder}/{str(entry).rpartition('#')[2]}"
    query = graph.value(action, QT.query) or action
    if kind not in ("QueryEvaluationTest", "PositiveSyntaxTest11", "NegativeSyntaxTest11", "CSVResultFormatTest"):
        return Test(name, kind, _path(query), skip=f"{kind} is not of this endpoint")
    result = graph.value(entry, MF.result)
    return Test(
        name,
        kind,
        _path(query),
        tuple(_path(each) for each in graph.objects(action, QT.data)),
        tuple((str(each), _path(each)) for each in graph.objects(action, QT.graphData)),
        _path(result) if result is not None else None,
    )


def is_result_set(path: Path) -> bool:
    """Whether a file of triples tells rows."""
    return (None, RDF.type, RESULT.ResultSet) in rdf(path)


def rows(path: Path) -> list[dict[str, Any]]:
    """Rows told in triples."""
    graph = rdf(path)
    return [
        {
            str(graph.value(each, RESULT.variable)): graph.value(each, RESULT.value)
            for each in graph.objects(row, RESULT.binding)
        }
        for row in graph.objects(None, RESULT.solution)
    ]


def _path(iri: Any) -> Path:
    return Path(str(iri).removeprefix("file://"))


def quads(test: Test) -> Iterator[Quad]:
    """Its data, each file in a named graph."""
    for path in test.data:
        yield from _read(path, DEFAULT)
    for name, path in test.graphs:
        yield from _read(path, name)


def _read(path: Path, graph: str) -> Iterator[Quad]:
    form = {".ttl": RdfFormat.TURTLE, ".rdf": RdfFormat.RDF_XML, ".nt": RdfFormat.N_TRIPLES}[path.suffix]
    for quad in parse(path=str(path), format=form, base_iri=path.as_uri()):
        yield Quad(*quad.triple, NamedNode(graph))


def rdf(path: Path) -> Graph:
    """A file of triples."""
    form = {".ttl": "turtle", ".rdf": "xml", ".nt": "nt"}[path.suffix]
    return Graph().parse(path, format=form, publicID=path.as_uri())


def with_base(test: Test) -> str:
    """The query with the address of its file, against which its relative IRIs are meant."""
    text = test.query.read_text()
    return text if re.search(r"^\s*BASE\b", text, re.IGNORECASE | re.MULTILINE) else f"BASE <{test.base}>\n{text}"


def protocol_requests() -> Iterator[tuple[str, list[Any], Graph]]:
    """Each protocol test: its name, its requests, and the graph they stand in."""
    graph = manifest("protocol")
    connection = Namespace("http://www.w3.org/2011/http#")
    for start in graph.subjects(RDF.type, MF.Manifest):
        for entry in Collection(graph, graph.value(start, MF.entries)):
            action = graph.value(entry, MF.action)
            requests = list(Collection(graph, graph.value(action, connection.requests)))
            yield str(entry).rpartition("#")[2], requests, graph


Node = URIRef
