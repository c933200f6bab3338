"""How the fields of each kind of document are laid out for people: sections, long texts, what stands behind "More".

Tables by key; a field that stands in none of them (a site's own) comes in the section "Further fields".
"""

from __future__ import annotations

from collections.abc import Mapping

from ingest.documents import ADMINISTRATIVE, EXPERIMENT, INSTRUMENT, PROJECT, STRUCTURAL, SYSTEM_KEYS

FURTHER = "Further fields"

SECTIONS: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    PROJECT: (
        ("The project", ("project_title", "project_description", "keywords", "project_status", "project_dates")),
        ("People", ("principal_investigator", "contributors")),
        ("Where it is at home", ("institution", "laboratory")),
        ("Funding", ("funding",)),
        ("How data are collected and kept", ("data_collection_method", "data_storage_strategy")),
        ("Identifiers and related works", ("identifiers", "related_identifiers")),
        (FURTHER, ("additional_properties", "metadata_language")),
    ),
    ADMINISTRATIVE: (
        ("The dataset", ("dataset_title", "dataset_abstract", "keywords", "subjects", "alternative_titles")),
        ("People", ("creators", "contributors", "data_steward", "publisher", "rights_holder")),
        (
            "Licence and access",
            ("license", "license_title", "rights_statement", "access_level", "embargo_end_date", "access_conditions",
             "access_contact"),
        ),
        ("Sensitive data", ("sensitivity", "ethics_approvals", "consent_framework", "anonymization_method")),
        ("How long it is kept", ("data_retention_schedule", "preservation_location")),
        ("Coverage", ("temporal_coverage", "spatial_coverage", "languages")),
        ("Methods and version", ("methods", "conforms_to", "provenance_statement", "dataset_version", "version_notes")),
        ("Funding", ("funding",)),
        ("Citation and related works", ("recommended_citation", "related_identifiers", "documentation")),
        ("Kind of resource", ("resource_type", "resource_type_general")),
        (FURTHER, ("additional_properties", "metadata_language")),
    ),
    STRUCTURAL: (
        ("About the files", ("scope", "structure_description", "naming_convention", "data_dictionary")),
        ("Variables", ("variables",)),
        ("Software", ("software_to_read",)),
        (FURTHER, ("additional_properties", "metadata_language")),
    ),
    INSTRUMENT: (
        ("The instrument", ("instrument_name", "instrument_types", "model", "serial_number", "description")),
        ("Owners and manufacturers", ("owners", "manufacturers")),
        (
            "Technical facts",
            ("measured_variables", "hardware_specifications", "firmware_version", "instrument_location"),
        ),
        ("Service and calibration", ("dates_in_service", "last_calibration_date", "calibration_log")),
        (
            "Identifiers and related works",
            ("identifiers", "alternate_identifiers", "landing_page", "related_identifiers"),
        ),
        (FURTHER, ("additional_properties", "metadata_language")),
    ),
    EXPERIMENT: (
        (
            "The experiment",
            ("experiment_name", "run_type", "experiment_dates", "started_at", "ended_at", "experimenters", "notes"),
        ),
        ("Protocol", ("protocol_references", "no_protocol_reason", "protocol_deviations")),
        ("Samples", ("sample_identifiers", "sample_source", "sample_treatments", "sample_preparation")),
        ("Instruments", ("instruments_used", "instrument_settings", "reagents")),
        (
            "Computation",
            ("inputs", "software_used", "software_parameters", "scripts", "command_line", "environment"),
        ),
        ("Quality", ("qc_metrics", "qc_assessment")),
        (FURTHER, ("additional_properties", "metadata_language")),
    ),
}  # fmt: skip

# Kept as they are and never shown as inputs.
NOT_SHOWN: Mapping[str, frozenset[str]] = {
    kind: keys | {"status", "run_label", "data_files", "outputs"} for kind, keys in SYSTEM_KEYS.items()
}

# Name of a shared definition → keys of it that the system writes.
SYSTEM_WITHIN: Mapping[str, frozenset[str]] = {"relation": frozenset({"iri"})}

LONG_TEXTS = frozenset(
    {
        "access_conditions", "anonymization_method", "command_line", "consent_framework", "data_collection_method",
        "data_storage_strategy", "dataset_abstract", "description", "methods", "naming_convention",
        "no_protocol_reason", "notes", "project_description", "protocol_deviations", "provenance_statement",
        "recommended_citation", "rights_statement", "sample_preparation", "sample_source", "sample_treatments",
        "scope", "structure_description", "version_notes",
    }
)  # fmt: skip

# Within a row or group: what stands behind "More" as long as it is empty.
MINOR = frozenset(
    {
        "affiliations", "file_identifier", "identifiers", "missing_value", "property_iri",
        "relation_type_information", "resource_type", "scheme_iri", "threshold", "unit_iri",
    }
)  # fmt: skip

# Of an agent: what only a person or only an organization has.
ONLY_FOR: Mapping[str, str] = {
    "given_name": "Person",
    "family_name": "Person",
    "orcid": "Person",
    "affiliations": "Person",
    "ror": "Organization",
    "url": "Organization",
}

# Of these, the ones that are asked before anyone has said which of the two it is: whoever fills one in has said it.
TELLING = frozenset({"orcid", "ror"})
