"""Records the tests start from, written out: the generated templates, and one complete record of each kind."""

from __future__ import annotations

import copy
from typing import Any

import schemas

P = "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"
D = "7e1d2c3b-4a59-4687-9f0e-1d2c3b4a5968"
F = "3c9d8e7f-1a2b-4c3d-8e4f-5a6b7c8d9e0f"
I = "c1f7b2a4-58d3-4e96-a7b0-9d8c7b6a5f4e"  # noqa: E741
R = "5d4c3b2a-1f0e-4d9c-8b7a-6f5e4d3c2b1a"
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
NOW = "2026-11-23T05:24:05Z"
AUDIT = {
    "created_by": "system:trigger-1",
    "created_date": NOW,
    "last_modified_by": "system:trigger-2",
    "last_modified_date": "2026-11-23T05:24:05.123456Z",
}
PERSON = {"@type": "Person", "name": "Josiah Carberry", "orcid": "https://orcid.org/0000-0002-1825-0097"}
ORGANIZATION = {"@type": "Organization", "name": "Brown University", "ror": "https://ror.org/05gq02987"}


def _head(kind: str, type_: str, identifier: str) -> dict[str, Any]:
    return {
        "$schema": f"https://w3id.org/fairfolder/schemas/{kind}/1.0.0",
        "@context": f"https://w3id.org/fairfolder/contexts/{kind}/1.0.0.jsonld",
        "@id": f"urn:uuid:{identifier}",
        "@type": type_,
    }


ENTRY: dict[str, Any] = {
    "path": "plate1/well_A01.tif",
    "file_identifier": F,
    "@id": f"urn:uuid:{F}",
    "@type": "File",
    "file_name": "well_A01.tif",
    "extension": ".tif",
    "size_bytes": 4096,
    "permissions": "-rw-r--r--",
    "modified_utc": "2026-01-05T09:00:00.123456789Z",
    "metadata_changed_utc": "1969-12-31T23:59:59Z",
    "checksum": {"algorithm": "sha256", "value": SHA},
    "mime_type": "image/tiff",
    "extraction": {"extractor": "tiff", "version": "1", "warnings": []},
    "data_object_version": "V1",
    "state": "present",
    "first_seen": NOW,
}

TEMPLATES: dict[str, dict[str, Any]] = {
    "project_descriptive": {
        **_head("project_descriptive", "Project", P),
        "project_identifier": P,
        "status": "draft",
        "metadata_language": "en",
        **AUDIT,
    },
    "dataset_administrative": {
        **_head("dataset_administrative", "Dataset", D),
        "dataset_identifier": D,
        "associated_project_identifier": P,
        "status": "draft",
        "metadata_language": "en",
        **AUDIT,
    },
    "dataset_structural": {
        **_head("dataset_structural", "Dataset", D),
        "dataset_identifier": D,
        "associated_project_identifier": P,
        "metadata_language": "en",
        "file_count": 0,
        "total_size_bytes": 0,
        "formats": [],
        **AUDIT,
        "file_descriptions": [],
    },
    "file_technical": ENTRY,
    "instrument_technical": {
        **_head("instrument_technical", "Instrument", I),
        "instrument_identifier": I,
        "identifiers": [{"value": f"urn:uuid:{I}", "scheme": "UUID"}],
        "landing_page": f"https://data.example.org/id/instrument/{I}",
        "status": "draft",
        "metadata_language": "en",
        **AUDIT,
    },
    "experiment_contextual": {
        **_head("experiment_contextual", "Run", R),
        "run_id": R,
        "run_label": "run-1",
        "dataset_identifier": D,
        "status": "draft",
        "metadata_language": "en",
        **AUDIT,
    },
    "registry": {
        "$schema": "https://w3id.org/fairfolder/schemas/registry/1.0.0",
        "identifier": D,
        "kind": "dataset",
        "path": "p_HeatShock/dataset_1",
        "project_identifier": P,
        "state": "present",
        "publication": {"state": "unpublished"},
        "datestamp": NOW,
        "sequence": 1,
        **AUDIT,
    },
}

_SUPPLIED: dict[str, dict[str, Any]] = {
    "project_descriptive": {
        "project_title": "Heat shock",
        "project_description": "Response of seedlings to heat.",
        "principal_investigator": PERSON,
    },
    "dataset_administrative": {
        "dataset_title": "RNA-Seq, replicate 1",
        "dataset_abstract": "Raw reads of replicate 1 of the heat-shock time series, 2026.",
        "creators": [PERSON, ORGANIZATION],
        "data_steward": {"name": "Data Desk", "email": "data@example.org"},
        "publisher": ORGANIZATION,
        "license": "CC-BY-4.0",
        "access_level": "public",
        "keywords": ["RNA-Seq"],
        "data_retention_schedule": {"period": "P10Y", "start_event": "published", "action": "review"},
    },
    "instrument_technical": {
        "instrument_name": "Confocal 2",
        "owners": [ORGANIZATION],
        "manufacturers": [{"name": "Leica Microsystems"}],
    },
    "experiment_contextual": {
        "run_type": "wet_lab",
        "experiment_name": "Heat shock, replicate 1",
        "experiment_dates": {"start": "2026-01-12"},
        "experimenters": [PERSON],
        "protocol_references": [{"url": "https://www.protocols.io/view/rna-extraction-v3"}],
    },
}


def template(kind: str) -> dict[str, Any]:
    """A generated template, the caller's to change; of ``file_technical`` one entry."""
    return copy.deepcopy(TEMPLATES[kind])


def complete(kind: str) -> dict[str, Any]:
    """The least record of a kind that is complete."""
    return copy.deepcopy({**TEMPLATES[kind], "status": "complete", **_SUPPLIED[kind]})


def full(kind: str) -> dict[str, Any]:
    """A record of a kind with every field filled, from the schema's own examples."""
    return copy.deepcopy(schemas.load(kind)["examples"][-1])
