"""Each format gives back the graph it was made from; none needs anything from elsewhere to be read."""

from __future__ import annotations

import json

import pyoxigraph as ox
import pytest
import rdflib
from pyld import jsonld

from catalog.graph import quads as graphs
from catalog.graph.serialising import FORMATS, WITH_GRAPHS, UnknownFormatError, text
from tests.catalog.graph.graphs import SITE, canonical, no_loader, of_text, published

READERS = {
    "jsonld": ox.RdfFormat.JSON_LD,
    "turtle": ox.RdfFormat.TURTLE,
    "rdfxml": ox.RdfFormat.RDF_XML,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "trig": ox.RdfFormat.TRIG,
    "nquads": ox.RdfFormat.N_QUADS,
}


@pytest.mark.parametrize("function", ["dcat", "prov", "schemaorg", "terms", "record_quads"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_round_trip_loses_nothing(name: str, function: str) -> None:
    found = getattr(graphs, function)(published(), SITE)
    back = canonical(ox.parse(text(found, name), format=READERS[name]))
    wanted = found if name in WITH_GRAPHS else [ox.Quad(q.subject, q.predicate, q.object) for q in found]
    assert back == canonical(wanted)


@pytest.mark.parametrize(
    ("name", "reader"), [("turtle", "turtle"), ("rdfxml", "xml"), ("ntriples", "nt"), ("jsonld", "json-ld")]
)
def test_rdflib_reads_the_same(name: str, reader: str) -> None:
    found = graphs.dcat(published(), SITE)
    before, rdflib.NORMALIZE_LITERALS = rdflib.NORMALIZE_LITERALS, False
    try:
        graph = rdflib.Graph().parse(data=text(found, name), format=reader)
        assert of_text(graph.serialize(format="nt")) == of_text(text(found, "ntriples"))
    finally:
        rdflib.NORMALIZE_LITERALS = before


def test_json_ld_is_read_by_pyld_without_a_fetch() -> None:
    found = graphs.record_quads(published(), SITE)
    document = json.loads(text(found, "jsonld"))
    read = jsonld.to_rdf(document, {"format": "application/n-quads", "documentLoader": no_loader})
    assert of_text(read) == of_text(text(found, "ntriples"))
    assert all(isinstance(value, str) for value in document["@context"].values())
    assert "dct:title" in json.dumps(document)


def test_byte_size_stays_what_dcat_ap_asks_for() -> None:
    written = text(graphs.dcat(published(), SITE), "nquads").decode()
    assert "#nonNegativeInteger" in next(line for line in written.splitlines() if "byteSize" in line)


def test_another_format_is_a_clear_error() -> None:
    with pytest.raises(UnknownFormatError, match="no RDF format 'n3'; there are jsonld, turtle"):
        text([], "n3")


def test_an_empty_graph_is_written_in_every_format() -> None:
    for name, reader in READERS.items():
        assert list(ox.parse(text([], name), format=reader)) == []


def test_control_characters_never_break_rdf_xml() -> None:
    quad = ox.Quad(
        ox.NamedNode("urn:a"), ox.NamedNode("urn:b#c"), ox.Literal("a\x00\x08\x0b\ufffe</script>z", language="en")
    )
    back = list(ox.parse(text([quad], "rdfxml"), format=ox.RdfFormat.RDF_XML))
    assert back[0].object == ox.Literal("a\ufffd\ufffd\ufffd\ufffd</script>z", language="en")
    assert rdflib.Graph().parse(data=text([quad], "rdfxml"), format="xml")
