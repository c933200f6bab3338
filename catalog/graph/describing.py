"""What the SPARQL endpoint says of itself, as RDF: the W3C's service description."""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple

from catalog.graph import media
from catalog.graph.prefixes import PREFIXES

SD = "http://www.w3.org/ns/sparql-service-description#"
_FORMATS = "http://www.w3.org/ns/formats/"
_RDF_TYPE = f"{PREFIXES['rdf']}type"
_TITLE, _DESCRIPTION = f"{PREFIXES['dct']}title", f"{PREFIXES['dct']}description"
_RESULT_FORMATS = (
    "SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV",
    "Turtle", "N-Triples", "RDF_XML", "JSON-LD",
)  # fmt: skip
_PREFIXES = {"sd": SD, "formats": _FORMATS, "dct": PREFIXES["dct"]}


def service_description(endpoint: str, title: str, words: str, form: str) -> bytes:
    """The description of the endpoint with this address, every node of it with an IRI."""
    written = RdfFormat.from_media_type(media.RDF[form])
    body = pyoxigraph.serialize(_triples(endpoint, title, words), format=written, prefixes=_PREFIXES)
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
