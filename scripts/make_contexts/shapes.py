"""How a term is written, and the shapes that several contexts share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Terms = dict[str, Any]

FALLBACK = "https://w3id.org/fairfolder/terms/unmapped/"
EU = "http://publications.europa.eu/resource/authority/"
IANA = "https://www.iana.org/assignments/media-types/"

PREFIXES: Terms = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "ff": "https://w3id.org/fairfolder/terms#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "ssn": "http://www.w3.org/ns/ssn/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def iri(predicate: str) -> Terms:
    """A value that is an IRI."""
    return {"@id": predicate, "@type": "@id"}


def typed(predicate: str, datatype: str) -> Terms:
    """A literal of a datatype."""
    return {"@id": predicate, "@type": f"xsd:{datatype}"}


def words(predicate: str, vocabulary: str = FALLBACK, **known: str) -> Terms:
    """A word that stands for an IRI; one that is not known goes under the vocabulary, so that nothing vanishes."""
    return {"@id": predicate, "@type": "@vocab", "@context": {"@vocab": vocabulary, **known}}


def uuid(predicate: str) -> Terms:
    """The UUID of another thing."""
    return words(predicate, "urn:uuid:")


def many(term: str | Terms) -> Terms:
    """A list of such values."""
    return {**(term if isinstance(term, dict) else {"@id": term}), "@container": "@set"}


def node(predicate: str, **terms: Any) -> Terms:
    """An object whose keys mean something of their own here."""
    return {"@id": predicate, "@context": terms}


MEASURE: Terms = {
    "name": "schema:name",
    "value": "schema:value",
    "unit": "schema:unitText",
    "unit_iri": iri("schema:unitCode"),
    "threshold": "ff:threshold",
}
REFERENCE: Terms = {"label": "rdfs:label", "url": "@id"}
SUBJECT: Terms = {
    "term": "skos:prefLabel",
    "iri": "@id",
    "scheme": "ff:schemeName",
    "scheme_iri": iri("skos:inScheme"),
}
DATES: Terms = {"start": typed("dcat:startDate", "date"), "end": typed("dcat:endDate", "date")}
CHECKSUM: Terms = {
    "algorithm": words("spdx:algorithm", sha256="spdx:checksumAlgorithm_sha256"),
    "value": typed("spdx:checksumValue", "hexBinary"),
}
CONTACT: Terms = {
    "Person": "vcard:Individual",
    "Organization": "vcard:Organization",
    "name": "vcard:fn",
    "given_name": "vcard:given-name",
    "family_name": "vcard:family-name",
    "email": words("vcard:hasEmail", "mailto:"),
    "url": iri("vcard:hasURL"),
    "affiliations": None,
}

TYPES: Terms = {
    "Project": "foaf:Project",
    "Dataset": "dcat:Dataset",
    "File": "dcat:Distribution",
    "Instrument": "ssn:System",
    "Run": "prov:Activity",
    "DataObject": "prov:Collection",
    "Person": "foaf:Person",
    "Organization": "foaf:Organization",
    "Variable": "schema:PropertyValue",
}

# Keys whose meaning hangs on the type of the thing they stand in.
OF_TYPE: Mapping[str, Terms] = {
    "Project": {"project_identifier": "dct:identifier"},
    "Dataset": {"dataset_identifier": "dct:identifier"},
    "File": {"file_identifier": "dct:identifier", "run_id": uuid("prov:wasGeneratedBy")},
    "Run": {"run_id": "dct:identifier", "run_label": "ff:runLabel", "dataset_identifier": uuid("ff:ofDataset")},
    "DataObject": {"structure": "dct:isPartOf"},
}
