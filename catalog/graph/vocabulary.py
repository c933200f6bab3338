"""Names of public vocabularies that functions add to a graph. Pure."""

from __future__ import annotations

from typing import Final

from pyoxigraph import NamedNode

from catalog.graph.prefixes import PREFIXES

WKT: Final = NamedNode("http://www.opengis.net/ont/geosparql#wktLiteral")


class Names:
    """The names of one vocabulary: ``DCT["title"]``."""

    def __init__(self, prefix: str) -> None:
        self._base = PREFIXES[prefix]
        self._made: dict[str, NamedNode] = {}

    def __getitem__(self, name: str) -> NamedNode:
        node = self._made.get(name)
        if node is None:
            node = self._made[name] = NamedNode(self._base + name)
        return node


ADMS, BIBO, DCAT, DCATAP, DCT = Names("adms"), Names("bibo"), Names("dcat"), Names("dcatap"), Names("dct")
FF, FOAF, OWL, PROV, RDF = Names("ff"), Names("foaf"), Names("owl"), Names("prov"), Names("rdf")
RDFS, SCHEMA, SKOS, SOSA, SPDX = Names("rdfs"), Names("schema"), Names("skos"), Names("sosa"), Names("spdx")
VCARD, XSD = Names("vcard"), Names("xsd")
TYPE: Final = RDF["type"]
