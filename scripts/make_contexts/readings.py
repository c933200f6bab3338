"""Readings of the published document and of a complete metadata file: whole, DCAT-AP, schema.org, PROV-O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scripts.make_contexts.kinds import PUBLICATION, WHOLE
from scripts.make_contexts.shapes import (
    CHECKSUM,
    OF_TYPE,
    REFERENCE,
    Terms,
    iri,
    many,
    node,
    typed,
    uuid,
    words,
)  # fmt: skip

# What is never public, and what speaks of a document's text rather than of what it describes.
PRIVATE = (
    "email", "$schema", "status", "created_by", "created_date", "last_modified_by", "last_modified_date",
    "generated_by", "metadata_language", "ethics_approvals", "consent_framework", "sensitivity", "anonymization_method",
    "data_retention_schedule", "instrument_metadata", "extraction", "data_files", "sources", "completeness",
    "previous_checksums", "permissions", "complete_metadata", "derived_from",
)  # fmt: skip


def public(term: Any) -> Any:
    """A term as DCAT reads it: what only our own vocabulary has means nothing there."""
    predicate = term if isinstance(term, str) else (term or {}).get("@id", "")
    if predicate.startswith("ff:"):
        return None
    if not isinstance(term, dict) or term.get("@type") == "@vocab" or "@context" not in term:
        return term
    inner = {key: value if key.startswith("@") else public(value) for key, value in term["@context"].items()}
    return {**term, "@context": inner}


RECORD: Terms = {
    **WHOLE,
    **PUBLICATION,
    **dict.fromkeys(PRIVATE),
    # DCAT-AP allows one format, of the EU's list, and relations only between datasets: functions say those.
    "format": {**WHOLE["format"], "@id": "ff:fileFormat"},
    "related_identifiers": {**WHOLE["related_identifiers"], "@id": "ff:relatedResource"},
}
NESTED: Terms = {"structure": "@nest"}
"""What stands under `structure` is said of the dataset around it, in the published document; in a V2 it has a name."""

OF_TYPE_IN_RECORD: Mapping[str, Terms] = {**OF_TYPE, "Dataset": {**OF_TYPE["Dataset"], **NESTED}}
DCAT: Terms = {key: public(term) for key, term in RECORD.items()}
OF_TYPE_IN_DCAT: Mapping[str, Terms] = {
    type_: {key: public(term) for key, term in terms.items()} for type_, terms in OF_TYPE_IN_RECORD.items()
}

_NOTHING: Terms = dict.fromkeys({**WHOLE, **PUBLICATION})

# --- schema.org -------------------------------------------------------------------------------------------------

SCHEMA_TYPES: Terms = {
    "Project": "schema:ResearchProject",
    "Dataset": "schema:Dataset",
    "File": "schema:DataDownload",
    "Instrument": "schema:IndividualProduct",
    "Run": "schema:CreateAction",
    "DataObject": "schema:Collection",
    "Person": "schema:Person",
    "Organization": "schema:Organization",
    "Variable": "schema:PropertyValue",
}


def _role(predicate: str) -> Terms:
    """A person in a role, the way schema.org has it: the role stands between, under the same property."""
    return many(node(predicate, agent=predicate, role="schema:roleName"))


def _thing(predicate: str, **terms: Any) -> Terms:
    return many(node(predicate, label="schema:name", url="@id", **terms))


SCHEMA_OF_TYPE: Mapping[str, Terms] = {
    "Project": {"project_identifier": "schema:identifier", "contributors": _role("schema:member")},
    "Dataset": {"dataset_identifier": "schema:identifier", "contributors": _role("schema:contributor"), **NESTED},
    "File": {"file_identifier": "schema:identifier", "run_id": None},
    "Run": {"run_id": "schema:identifier", "run_label": "schema:alternateName", "dataset_identifier": None},
    "DataObject": {"structure": "schema:isPartOf"},
}
SCHEMA: Terms = {
    **{key: term for key, term in _NOTHING.items() if key != "contributors"},
    "name": "schema:name",
    "given_name": "schema:givenName",
    "family_name": "schema:familyName",
    "orcid": iri("schema:sameAs"),
    "ror": iri("schema:sameAs"),
    "url": iri("schema:url"),
    "affiliations": many("schema:affiliation"),
    "identifiers": many(node("schema:identifier", value="schema:value", scheme="schema:propertyID")),
    "funding": many(
        node(
            "schema:funding",
            funder="schema:funder",
            award_number="schema:identifier",
            award_title="schema:name",
            award_uri=iri("schema:url"),
        )
    ),
    "keywords": many("schema:keywords"),
    "variables": many(
        node(
            "schema:variableMeasured",
            name="schema:name",
            description="schema:description",
            property_iri=iri("schema:propertyID"),
            unit="schema:unitText",
            unit_iri=iri("schema:unitCode"),
            min="schema:minValue",
            max="schema:maxValue",
            data_type=None,
            missing_value=None,
            file_identifier=None,
        )
    ),
    "additional_properties": WHOLE["additional_properties"],
    "project_title": "schema:name",
    "project_description": "schema:description",
    "principal_investigator": "schema:member",
    "institution": "schema:parentOrganization",
    "laboratory": "schema:department",
    "associated_project_identifier": uuid("schema:producer"),
    "dataset_title": "schema:name",
    "dataset_abstract": "schema:description",
    "creators": many("schema:creator"),
    "rights_holder": "schema:copyrightHolder",
    "publisher": "schema:publisher",
    "resource_type": "schema:additionalType",
    "license": words("schema:license", "https://spdx.org/licenses/"),
    "access_conditions": "schema:conditionsOfAccess",
    "subjects": many(
        node(
            "schema:keywords",
            term="schema:name",
            iri="@id",
            scheme=None,
            scheme_iri=iri("schema:inDefinedTermSet"),
        )
    ),
    "languages": many("schema:inLanguage"),
    "spatial_coverage": many(node("schema:spatialCoverage", place_name="schema:name", iri=iri("schema:sameAs"))),
    "conforms_to": _thing("dct:conformsTo"),
    "methods": "schema:measurementTechnique",
    "dataset_version": "schema:version",
    "documentation": _thing("schema:subjectOf"),
    "recommended_citation": "schema:creditText",
    "file_descriptions": many("schema:distribution"),
    "file_name": "schema:name",
    "size_bytes": typed("schema:contentSize", "string"),
    "modified_utc": {"@id": "schema:dateModified", "@type": "schema:DateTime"},
    "checksum": node("spdx:checksum", **CHECKSUM),
    "mime_type": "schema:encodingFormat",
    "description": "schema:description",
    "instrument_identifier": "schema:identifier",
    "landing_page": iri("schema:url"),
    "instrument_name": "schema:name",
    "manufacturers": many("schema:manufacturer"),
    "model": node("schema:model", name="schema:name", identifier="schema:identifier"),
    "serial_number": "schema:serialNumber",
    "outputs": many(uuid("schema:result")),
    "experiment_name": "schema:name",
    "started_at": {"@id": "schema:startTime", "@type": "schema:DateTime"},
    "ended_at": {"@id": "schema:endTime", "@type": "schema:DateTime"},
    "experimenters": many("schema:agent"),
    "inputs": _thing("schema:object", file_identifier=uuid("schema:sameAs")),
    "instruments_used": many(uuid("schema:instrument")),
    "software_used": many(
        node(
            "schema:instrument",
            name="schema:name",
            version="schema:softwareVersion",
            url=iri("schema:url"),
            purpose=None,
        )
    ),
    "notes": "schema:description",
    "data_object_identifier": "schema:identifier",
    "generated_date": {"@id": "schema:sdDatePublished", "@type": "schema:DateTime"},
    "project": "schema:producer",
    "dataset": "schema:isPartOf",
    "experiment": {"@reverse": "schema:result"},
    "doi": "schema:identifier",
    "date_published": {"@id": "schema:datePublished", "@type": "schema:DateTime"},
    "version_published": {"@id": "schema:dateModified", "@type": "schema:DateTime"},
    "data_objects": {"@reverse": "schema:isPartOf"},
    "file_identifiers": many(uuid("schema:hasPart")),
}

# --- PROV-O -----------------------------------------------------------------------------------------------------

PROV_TYPES: Terms = {
    "Project": "prov:Activity",
    "Dataset": "prov:Entity",
    "File": "prov:Entity",
    "Instrument": "prov:Entity",
    "Run": "prov:Activity",
    "DataObject": "prov:Collection",
    "Person": "prov:Person",
    "Organization": "prov:Organization",
    "Variable": "prov:Entity",
}
PROV_OF_TYPE: Mapping[str, Terms] = {
    "Project": {"project_identifier": "dct:identifier"},
    "Dataset": {"dataset_identifier": "dct:identifier", **NESTED},
    "File": {"file_identifier": "dct:identifier", "run_id": uuid("prov:wasGeneratedBy")},
    "Run": {"run_id": "dct:identifier", "run_label": None, "dataset_identifier": None},
    "DataObject": {"structure": "dct:isPartOf"},
}
PROV: Terms = {
    **_NOTHING,
    "name": "rdfs:label",
    "affiliations": many("prov:actedOnBehalfOf"),
    "project_title": "rdfs:label",
    "associated_project_identifier": uuid("prov:wasGeneratedBy"),
    "dataset_title": "rdfs:label",
    "creators": many("prov:wasAttributedTo"),
    "file_descriptions": many("dct:hasPart"),
    "file_name": "rdfs:label",
    "instrument_name": "rdfs:label",
    "outputs": many(uuid("prov:generated")),
    "experiment_name": "rdfs:label",
    "started_at": typed("prov:startedAtTime", "dateTime"),
    "ended_at": typed("prov:endedAtTime", "dateTime"),
    "experimenters": many("prov:wasAssociatedWith"),
    "protocol_references": many(node("prov:used", **REFERENCE)),
    "inputs": many(node("prov:used", file_identifier=None, **REFERENCE)),
    "sample_identifiers": many(
        node("prov:used", sample_identifier="dct:identifier", scheme=None, iri="@id", label="rdfs:label")
    ),
    "instruments_used": many(uuid("prov:used")),
    "software_used": many(
        node(
            "prov:used",
            name="rdfs:label",
            version="schema:softwareVersion",
            url=iri("schema:url"),
            purpose=None,
            identifiers=None,
        )
    ),
    "scripts": many(node("prov:used", **REFERENCE)),
    "qc_metrics": {
        "@reverse": "prov:wasGeneratedBy",
        "@context": {"name": "rdfs:label", "value": "prov:value", "unit": None, "unit_iri": None, "threshold": None},
    },
    "notes": "rdfs:comment",
    "data_object_identifier": uuid("dct:isVersionOf"),
    "revision_of": iri("prov:wasRevisionOf"),
    "generated_date": typed("prov:generatedAtTime", "dateTime"),
    "project": "prov:wasGeneratedBy",
    "dataset": "dct:isPartOf",
    "instruments": many("prov:wasInfluencedBy"),
    "experiment": "prov:wasGeneratedBy",
    "previous_version": iri("prov:wasRevisionOf"),
    "data_objects": {"@reverse": "dct:isPartOf"},
    "file_identifiers": many(uuid("prov:hadMember")),
}
