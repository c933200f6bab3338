"""Names of public vocabularies that functions add to a graph. Pure."""

from __future__ import annotations

from typing import Final

from pyoxigraph import NamedNode

PREFIXES: Final = {
    "adms": "http://www.w3.org/ns/adms#",
    "bibo": "http://purl.org/ontology/bibo/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "ff": "https://w3id.org/fairfolder/terms#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "locn": "http://www.w3.org/ns/locn#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "sosa": "http://www.w3.org/ns/sosa/",
    "spdx": "http://spdx.org/rdf/terms#",
    "ssn": "http://www.w3.org/ns/ssn/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
"""The prefixes of every serialisation."""

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
