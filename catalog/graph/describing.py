"""What the SPARQL endpoint says of itself, as RDF: the W3C's service description."""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple

SD = "http://www.w3.org/ns/sparql-service-description#"
_FORMATS = "http://www.w3.org/ns/formats/"
_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_TITLE, _DESCRIPTION = "http://purl.org/dc/terms/title", "http://purl.org/dc/terms/description"
_RESULT_FORMATS = (
    "SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV",
    "Turtle", "N-Triples", "RDF_XML", "JSON-LD",
)  # fmt: skip
_RDF = {
    "turtle": RdfFormat.TURTLE,
    "ntriples": RdfFormat.N_TRIPLES,
    "rdfxml": RdfFormat.RDF_XML,
    "jsonld": RdfFormat.JSON_LD,
}
_PREFIXES = {"sd": SD, "formats": _FORMATS, "dct": "http://purl.org/dc/terms/"}


def service_description(endpoint: str, title: str, words: str, form: str) -> bytes:
    """The description of the endpoint with this address, every node of it with an IRI."""
    body = pyoxigraph.serialize(_triples(endpoint, title, words), format=_RDF[form], prefixes=_PREFIXES)
    return body or b""


def _triples(endpoint: str, title: str, words: str) -> Iterable[Triple]:
    service, dataset, graph = NamedNode(endpoint), NamedNode(f"{endpoint}#dataset"), NamedNode(f"{endpoint}#default")
    kinds = ((service, "Service"), (dataset, "Dataset"), (graph, "Graph"))
    yield from (Triple(node, NamedNode(_RDF_TYPE), NamedNode(SD + kind)) for node, kind in kinds)
    yield Triple(service, NamedNode(f"{SD}endpoint"), service)
    yield Triple(service, NamedNode(f"{SD}supportedLanguage"), NamedNode(f"{SD}SPARQL11Query"))
    yield Triple(service, NamedNode(f"{SD}feature"), NamedNode(f"{SD}UnionDefaultGraph"))
    for name in _RESULT_FORMATS:
        yield Triple(service, NamedNode(f"{SD}resultFormat"), NamedNode(_FORMATS + name))
    yield Triple(service, NamedNode(f"{SD}defaultDataset"), dataset)
    yield Triple(dataset, NamedNode(f"{SD}defaultGraph"), graph)
    yield Triple(dataset, NamedNode(_TITLE), Literal(title))
    yield Triple(dataset, NamedNode(_DESCRIPTION), Literal(words))
