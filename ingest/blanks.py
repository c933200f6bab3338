"""What a new document of each kind holds: what the system knows of it, and nothing invented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.documents import (
    ADMINISTRATIVE,
    EXPERIMENT,
    INSTRUMENT,
    PROJECT,
    REGISTRY,
    STRUCTURAL,
    context_iri,
    encode_path,
    schema_iri,
)


def _head(kind: str, identifier: str, type_: str) -> dict[str, Any]:
    return {
        "$schema": schema_iri(kind),
        "@context": context_iri(kind),
        "@id": f"urn:uuid:{identifier}",
        "@type": type_,
    }


def project_template(identifier: str, language: str) -> dict[str, Any]:
    """Trigger 0: what the system knows of a new project."""
    return {
        **_head(PROJECT, identifier, "Project"),
        "project_identifier": identifier,
        "status": "draft",
        "metadata_language": language,
    }


def administrative_template(
    identifier: str, project_identifier: str, language: str, publisher: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Trigger 1: what the system knows of a new dataset; ``publisher`` only when a setting names it."""
    value = {
        **_head(ADMINISTRATIVE, identifier, "Dataset"),
        "dataset_identifier": identifier,
        "associated_project_identifier": project_identifier,
        "status": "draft",
        "metadata_language": language,
    }
    if publisher is not None:
        value["publisher"] = dict(publisher)
    return value


def structural_template(identifier: str, project_identifier: str, language: str) -> dict[str, Any]:
    """Trigger 1: the empty manifest."""
    return {
        **_head(STRUCTURAL, identifier, "Dataset"),
        "dataset_identifier": identifier,
        "associated_project_identifier": project_identifier,
        "metadata_language": language,
        "file_count": 0,
        "total_size_bytes": 0,
        "formats": [],
        "file_descriptions": [],
    }


def experiment_template(identifier: str, label: str, dataset_identifier: str, language: str) -> dict[str, Any]:
    """Trigger 3: what the system knows of a new run."""
    return {
        **_head(EXPERIMENT, identifier, "Run"),
        "run_id": identifier,
        "run_label": label,
        "dataset_identifier": dataset_identifier,
        "status": "draft",
        "metadata_language": language,
    }


def instrument_template(identifier: str, language: str) -> dict[str, Any]:
    """What the system knows of a new instrument; its own IRI leads to its page."""
    return {
        **_head(INSTRUMENT, identifier, "Instrument"),
        "instrument_identifier": identifier,
        "identifiers": [],
        "landing_page": f"urn:uuid:{identifier}",
        "status": "draft",
        "metadata_language": language,
    }


def registry_entry(kind: str, identifier: str, relative: str) -> dict[str, Any]:
    """A new project's or dataset's own truth: identity and publication."""
    return {
        "$schema": schema_iri(REGISTRY),
        "identifier": identifier,
        "kind": kind,
        **encode_path(relative),
        "state": "present",
        "publication": {"state": "unpublished"},
    }
