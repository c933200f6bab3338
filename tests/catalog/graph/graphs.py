"""Documents and graphs the tests of this room share."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import rdflib
from pyld import jsonld

from catalog.graph.contexts import context, scope
from catalog.graph.reading import Reading
from catalog.publishing.site import Site

GOLDEN = Path(__file__).parent / "golden"
PUBLISHED = Path(__file__).parents[1] / "publishing" / "published.json"
SITE = Site(
    base_url="https://data.example.org",
    title="Research data",
    description="Published research datasets.",
    publisher_name="Example University",
    publisher_iri="https://example.edu/",
    language="en",
    theme_iri="http://publications.europa.eu/resource/authority/data-theme/TECH",
    contact_email="data@example.org",
)
_NOWHERE = "http://nowhere.invalid/"
_DOUBLE = re.compile(r'"([^"]*)"\^\^<http://www.w3.org/2001/XMLSchema#double>')


def published() -> dict[str, Any]:
    """The published document of the example, the caller's to change."""
    value: dict[str, Any] = json.loads(PUBLISHED.read_text())
    return value


def with_context(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The document with our context written into it, as a stranger's program would have fetched it."""
    return {**copy.deepcopy(dict(document)), "@context": context(name)}


def no_loader(address: str, _options: Any = None) -> Any:
    raise AssertionError(f"fetched {address}")


# --- canonical graphs -------------------------------------------------------------------------------------------


def canonical(quads: Iterable[ox.Quad]) -> set[str]:
    """A graph by RDFC-1.0: the same for the same graph, however its blank nodes are called."""
    graph = ox.Dataset(quads)
    graph.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in graph}


def of_text(text: str | bytes) -> set[str]:
    """A graph in N-Quads; numbers by value, for rdflib writes 0.93 where others write 9.3E-1."""
    text = text.decode() if isinstance(text, bytes) else text
    text = _DOUBLE.sub(lambda found: f'"{float(found[1])!r}"^^<urn:double>', text)
    return canonical(ox.parse(text, format=ox.RdfFormat.N_QUADS))


def by_us(document: Mapping[str, Any], name: str) -> set[str]:
    reading = Reading()
    reading.document({key: value for key, value in document.items() if key != "@context"}, scope(name))
    return of_text(ox.serialize(reading.quads, format=ox.RdfFormat.N_QUADS) or b"")


def by_oxigraph(document: Mapping[str, Any], name: str) -> set[str]:
    text = json.dumps(with_context(document, name))
    return of_text(ox.serialize(ox.parse(text, format=ox.RdfFormat.JSON_LD), format=ox.RdfFormat.N_QUADS) or b"")


def by_pyld(document: Mapping[str, Any], name: str) -> set[str]:
    """A document has no address of its own here, so a relative IRI in it is none: the others leave it out as well."""
    options = {"format": "application/n-quads", "documentLoader": no_loader, "base": _NOWHERE}
    written = jsonld.to_rdf(with_context(document, name), options)
    return of_text("".join(line for line in written.splitlines(True) if f"<{_NOWHERE}" not in line))


def by_rdflib(document: Mapping[str, Any], name: str) -> set[str]:
    graph = rdflib.Graph()
    normalises, rdflib.NORMALIZE_LITERALS = rdflib.NORMALIZE_LITERALS, False
    try:
        graph.parse(data=json.dumps(with_context(document, name)), format="json-ld")
        return of_text(graph.serialize(format="nt"))
    finally:
        rdflib.NORMALIZE_LITERALS = normalises


PROCESSORS: Mapping[str, Callable[[Mapping[str, Any], str], set[str]]] = {
    "pyld": by_pyld,
    "rdflib": by_rdflib,
    "pyoxigraph": by_oxigraph,
}


def lines(quads: Iterable[ox.Quad]) -> str:
    """A graph without blank nodes as sorted N-Triples: a golden file."""
    return "".join(sorted(f"{quad.subject} {quad.predicate} {quad.object} .\n" for quad in quads))
