"""Which keys of a record are public, and why the others are not: what is not named here never leaves. Pure.

Each kind of thing has its own list, down to the persons in it. A key that no list names, such as one that somebody put
into a file or a local schema added, is not public, whatever stands under it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_IRI = re.compile(r"https?://[^\x00-\x20<>\"{}|\\^`]+|urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What a public thing may be called: an address of the web, or a name of ours. A ``mailto:`` would tell an address."""
_AUDIT = "names accounts of this service"
_STAMP = "speaks of the record's text on disk"
_EMAIL = "only the data steward's address is public"
_ETHICS = "never public, whatever the access level"


@dataclass(frozen=True)
class Kind:
    """What of one kind of thing is public: key → kind of what stands under it, None for plain values.

    ``private`` says of each key the schema has besides why it is not; ``types`` are the ``@type`` it may have.
    """

    public: Mapping[str, Kind | None]
    private: Mapping[str, str] = field(default_factory=dict)
    types: tuple[str, ...] = ()


def _plain(*keys: str) -> dict[str, Kind | None]:
    return dict.fromkeys(keys)


_NODE = _plain("@id", "@type")
IDENTIFIER = Kind(_plain("value", "scheme"))
ORGANIZATION = Kind(
    {**_NODE, **_plain("name", "ror", "url"), "identifiers": IDENTIFIER}, {"email": _EMAIL}, ("Organization",)
)
PERSON = Kind(
    {
        **_NODE, **_plain("name", "given_name", "family_name", "orcid"),
        "identifiers": IDENTIFIER, "affiliations": ORGANIZATION,
    },
    {"email": _EMAIL},
    ("Person",),
)  # fmt: skip
AGENT = Kind({**PERSON.public, **ORGANIZATION.public}, {"email": _EMAIL}, ("Person", "Organization"))
STEWARD = Kind({**AGENT.public, "email": None}, {}, AGENT.types)
CONTRIBUTION = Kind({"agent": AGENT, "role": None})
RELATION = Kind(
    _plain("identifier", "scheme", "iri", "relation", "relation_type_information", "resource_type", "title")
)
REFERENCE = Kind(_plain("label", "url"))
GRANT = Kind({"funder": ORGANIZATION, **_plain("award_number", "award_title", "award_uri")})
VARIABLE = Kind(
    {
        **_NODE,
        **_plain("name", "description", "data_type", "property_iri", "unit", "unit_iri", "min", "max"),
        **_plain("missing_value", "file_identifier"),
    },
    {},
    ("Variable",),
)
MEASURE = Kind(_plain("name", "value", "unit", "unit_iri", "threshold"))
PROPERTY = Kind(_plain("name", "value", "unit", "property_iri"))
TERM = Kind(_plain("term", "iri", "scheme", "scheme_iri"))
PERIOD = Kind(_plain("start", "end"))

_DOCUMENT_PRIVATE = {
    "$schema": _STAMP,
    "@context": _STAMP,
    "status": _STAMP,
    "created_by": _AUDIT,
    "created_date": _STAMP,
    "last_modified_by": _AUDIT,
    "last_modified_date": _STAMP,
}
_ORIGINAL = "names a record that may not be public; a related identifier says it where it may be known"

PROJECT = Kind(
    {
        **_NODE,
        **_plain("project_identifier", "metadata_language", "project_title", "project_description"),
        "principal_investigator": PERSON,
        "contributors": CONTRIBUTION,
        "funding": GRANT,
        "institution": ORGANIZATION,
        "laboratory": ORGANIZATION,
        "keywords": None,
        "project_dates": PERIOD,
        **_plain("project_status", "data_collection_method", "data_storage_strategy"),
        "identifiers": IDENTIFIER,
        "related_identifiers": RELATION,
        "additional_properties": PROPERTY,
    },
    {**_DOCUMENT_PRIVATE, "derived_from": _ORIGINAL},
    ("Project",),
)

DATASET = Kind(
    {
        **_NODE,
        **_plain("dataset_identifier", "associated_project_identifier", "metadata_language", "dataset_title"),
        "alternative_titles": Kind(_plain("title", "type", "language")),
        "dataset_abstract": None,
        "creators": AGENT,
        "contributors": CONTRIBUTION,
        "rights_holder": AGENT,
        "data_steward": STEWARD,
        "publisher": ORGANIZATION,
        **_plain("resource_type", "resource_type_general", "license", "license_title", "rights_statement"),
        **_plain("access_level", "embargo_end_date", "access_conditions"),
        "access_contact": AGENT,
        "keywords": None,
        "subjects": TERM,
        "languages": None,
        "spatial_coverage": Kind(
            _plain("place_name", "iri", "west", "south", "east", "north", "longitude", "latitude")
        ),
        "temporal_coverage": PERIOD,
        "funding": GRANT,
        "conforms_to": REFERENCE,
        **_plain("methods", "provenance_statement", "version_notes", "dataset_version", "preservation_location"),
        "documentation": REFERENCE,
        "recommended_citation": None,
        "related_identifiers": RELATION,
        "additional_properties": PROPERTY,
    },
    {
        **_DOCUMENT_PRIVATE,
        "derived_from": _ORIGINAL,
        "ethics_approvals": _ETHICS,
        "consent_framework": _ETHICS,
        "sensitivity": _ETHICS,
        "anonymization_method": _ETHICS,
        "data_retention_schedule": _ETHICS,
    },
    ("Dataset",),
)

STRUCTURE = Kind(
    {
        **_plain("metadata_language", "scope", "structure_description", "naming_convention"),
        "data_dictionary": REFERENCE,
        "variables": VARIABLE,
        "software_to_read": Kind(_plain("name", "version", "url")),
        "additional_properties": PROPERTY,
        **_plain("file_count", "total_size_bytes"),
        "formats": Kind(_plain("name", "count", "size_bytes")),
    },
    {
        **{key: why for key, why in _DOCUMENT_PRIVATE.items() if key != "status"},
        "@id": "is the dataset's",
        "@type": "is the dataset's",
        "dataset_identifier": "is the dataset's",
        "associated_project_identifier": "is the dataset's",
        "runs": "the data objects say it",
        "file_descriptions": "stand beside it, each cut to what is public of a file",
    },
)

_MACHINE = "speaks of this institution's own machines"
FILE = Kind(
    {
        **_NODE,
        **_plain("file_identifier", "path", "path_encoding", "file_name", "extension", "size_bytes", "modified_utc"),
        "checksum": Kind(_plain("algorithm", "value")),
        **_plain("mime_type", "compression", "encoding"),
        "format": Kind(_plain("name", "version", "iri", "edam_iri")),
        "dimensions": Kind(_plain("axis", "size", "unit")),
        **_plain("number_of_records", "bit_depth", "channels", "duration_seconds"),
        "variables": VARIABLE,
        **_plain("description", "data_object_version", "run_id"),
    },
    {
        "permissions": _MACHINE,
        "metadata_changed_utc": _MACHINE,
        "created_utc": _MACHINE,
        "instrument_metadata": "read from the file's header as it is; nobody has looked at it",
        "extraction": "tells how this service read the file",
        "complete_metadata": "a path among this service's own files; the data object says it",
        "state": "of the file on disk today, not of what is published",
        "first_seen": _MACHINE,
        "missing_since": _MACHINE,
        "previous_checksums": "of bytes that were never published",
    },
    ("File",),
)

INSTRUMENT = Kind(
    {
        **_NODE,
        **_plain("instrument_identifier", "metadata_language", "landing_page", "instrument_name"),
        "identifiers": IDENTIFIER,
        "owners": ORGANIZATION,
        "manufacturers": ORGANIZATION,
        "instrument_types": TERM,
        "model": Kind(_plain("name", "identifier")),
        "description": None,
        "measured_variables": TERM,
        "serial_number": None,
        "alternate_identifiers": Kind(_plain("value", "type")),
        "hardware_specifications": MEASURE,
        **_plain("firmware_version", "instrument_location"),
        "calibration_log": REFERENCE,
        "last_calibration_date": None,
        "dates_in_service": PERIOD,
        "related_identifiers": RELATION,
        "additional_properties": PROPERTY,
    },
    _DOCUMENT_PRIVATE,
    ("Instrument",),
)

RUN = Kind(
    {
        **_NODE,
        **_plain("run_id", "run_label", "dataset_identifier", "metadata_language", "outputs"),
        **_plain("run_type", "experiment_name"),
        "experiment_dates": PERIOD,
        **_plain("started_at", "ended_at"),
        "experimenters": PERSON,
        "protocol_references": REFERENCE,
        **_plain("no_protocol_reason", "protocol_deviations"),
        "inputs": Kind(_plain("file_identifier", "url", "label")),
        "sample_identifiers": Kind(_plain("sample_identifier", "scheme", "iri", "label")),
        **_plain("sample_source", "sample_treatments", "sample_preparation", "instruments_used"),
        "instrument_settings": MEASURE,
        "software_used": Kind({**_plain("name", "version", "url", "purpose"), "identifiers": IDENTIFIER}),
        "software_parameters": MEASURE,
        "scripts": REFERENCE,
        "command_line": None,
        "environment": Kind(_plain("container", "lock_file", "commit")),
        "reagents": Kind(_plain("name", "manufacturer", "catalog_number", "lot_number", "expiry_date")),
        "qc_metrics": MEASURE,
        **_plain("qc_assessment", "notes"),
        "additional_properties": PROPERTY,
    },
    {**_DOCUMENT_PRIVATE, "data_files": "the outputs say it, and each file its own path"},
    ("Run",),
)

DATA_OBJECT = Kind(
    {**_NODE, **_plain("data_object_identifier", "revision", "generated_date")},
    {
        "$schema": _STAMP,
        "@context": _STAMP,
        "metadata_version": _STAMP,
        "revision_of": "names a revision that may never have been published",
        "generated_by": _AUDIT,
        "completeness": _STAMP,
        "sources": "paths among this service's own files",
        "project": "stands beside it",
        "dataset": "stands around it",
        "experiment": "stands in it, cut to what is public of a run",
        "instruments": "stand beside it",
        "structure": "stands beside it",
    },
    ("DataObject",),
)


def public_part(value: Any, kind: Kind) -> dict[str, Any]:
    """What of a thing is public; {} of what is none."""
    if not isinstance(value, Mapping):
        return {}
    part: dict[str, Any] = {}
    for key, each in value.items():
        if key in kind.public:
            kept = _kept(each, kind.public[key])
            if kept is not None:
                part[key] = kept
    return _named(part, kind)


def _kept(value: Any, kind: Kind | None) -> Any:
    """The value without what is not public; None when nothing is left of it."""
    if isinstance(value, list):
        kept = [each for each in (_one(item, kind) for item in value) if each is not None]
        return kept or None
    return _one(value, kind)


def _one(value: Any, kind: Kind | None) -> Any:
    if kind is not None:
        return public_part(value, kind) or None
    return value if isinstance(value, str | int | float | bool) else None


def _named(part: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """With a name and a type only if they can be ones: the store's own always are."""
    if "@type" in part and part["@type"] not in kind.types:
        del part["@type"]
    if "@id" in part and not (isinstance(part["@id"], str) and _IRI.fullmatch(part["@id"])):
        del part["@id"]
    if set(part) <= {"@id", "@type"} and kind.types and len(kind.public) > len(_NODE):
        return {}
    return part
