"""A dataset with two finished runs, as rich as the schemas allow: what `published.json` beside it is composed from.

`python -m tests.catalog.publishing.example` writes that file anew.
"""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.publishing.record import Published, compose
from ingest.revisions import data_object, revision_iri

GOLDEN = Path(__file__).with_name("published.json")
NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)

DATASET = "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"
PROJECT = "7e1d2c3b-4a59-4687-9f0e-1d2c3b4a5968"
IMAGING = "c1f7b2a4-58d3-4e96-a7b0-9d8c7b6a5f4e"
ANALYSIS = "2f9c4d1e-7b3a-4c58-8e6d-5a4b3c2d1e0f"
MICROSCOPE = "3c9d8e7f-1a2b-4c3d-8e4f-5a6b7c8d9e0f"
SCHEMAS, VERSION = "https://w3id.org/fairfolder/schemas", "1.0.0"

AUDIT = {
    "created_by": "system:trigger-1",
    "created_date": "2026-11-02T08:00:00Z",
    "last_modified_by": "audit-name-jdoe",
    "last_modified_date": "2026-11-20T16:30:00Z",
}
UNIVERSITY = {
    "@id": "https://ror.org/05gq02987",
    "@type": "Organization",
    "name": "Brown University",
    "ror": "https://ror.org/05gq02987",
    "url": "https://www.brown.edu/",
}
FUNDER = {
    "@id": "https://ror.org/021nxhr62",
    "@type": "Organization",
    "name": "National Science Foundation",
    "ror": "https://ror.org/021nxhr62",
    "identifiers": [{"value": "https://doi.org/10.13039/100000001", "scheme": "Crossref Funder ID"}],
}
CARBERRY = {
    "@id": "https://orcid.org/0000-0002-1825-0097",
    "@type": "Person",
    "name": "Josiah Carberry",
    "given_name": "Josiah",
    "family_name": "Carberry",
    "orcid": "https://orcid.org/0000-0002-1825-0097",
    "email": "josiah.private@example.org",
    "affiliations": [UNIVERSITY],
}
OKAFOR = {
    "@id": "urn:uuid:5b0d7f61-93a4-4c2e-8f17-6c5d4e3f2a1b",
    "@type": "Person",
    "name": "Adaeze Okafor",
    "given_name": "Adaeze",
    "family_name": "Okafor",
    "email": "adaeze.private@example.org",
    "affiliations": [UNIVERSITY],
}
GROUP = {
    "@id": "urn:uuid:8d2f6b90-1c3e-4a57-b8d9-0e1f2a3b4c5d",
    "@type": "Organization",
    "name": "Carberry Laboratory",
    "url": "https://carberry.example.org/",
    "email": "lab.private@example.org",
}
DESK = {
    "@id": "urn:uuid:4e8a1c7d-2b3f-4d6e-9a0b-1c2d3e4f5a6b",
    "@type": "Organization",
    "name": "Research Data Desk",
    "email": "data@example.org",
}
COMMITTEE = {
    "@id": "urn:uuid:9f1e2d3c-4b5a-4697-8a7b-6c5d4e3f2a10",
    "@type": "Organization",
    "name": "Data Access Committee",
    "email": "dac.private@example.org",
}
GRANT = {
    "funder": FUNDER,
    "award_number": "IOS-2026117",
    "award_title": "Heat shock response in plants",
    "award_uri": "https://doi.org/10.35802/221400",
}


def _head(kind: str, identifier: str, type_name: str) -> dict[str, Any]:
    return {"$schema": f"{SCHEMAS}/{kind}/{VERSION}", "@id": f"urn:uuid:{identifier}", "@type": type_name, **AUDIT}


def project() -> dict[str, Any]:
    """The project, complete."""
    return {
        **_head("project_descriptive", PROJECT, "Project"),
        "project_identifier": PROJECT,
        "status": "complete",
        "metadata_language": "en",
        "project_title": "Heat shock response in Arabidopsis",
        "project_description": "Transcriptome and imaging of heat-shocked seedlings over 24 hours.",
        "principal_investigator": CARBERRY,
        "contributors": [{"agent": OKAFOR, "role": "ProjectMember"}],
        "funding": [GRANT],
        "institution": UNIVERSITY,
        "laboratory": GROUP,
        "keywords": ["heat shock", "Arabidopsis thaliana"],
        "project_dates": {"start": "2026-01-01", "end": "2028-12-31"},
        "project_status": "active",
        "data_collection_method": "Time-lapse microscopy, three replicates per time point.",
        "data_storage_strategy": "Group share, mirrored nightly.",
        "identifiers": [{"value": "https://raid.org/10.26259/5c43ca8f", "scheme": "RAiD"}],
        "related_identifiers": [
            {
                "identifier": "10.5438/0012",
                "scheme": "DOI",
                "iri": "https://doi.org/10.5438/0012",
                "relation": "IsDocumentedBy",
                "resource_type": "Text",
                "title": "Data management plan",
            }
        ],
    }


def dataset() -> dict[str, Any]:
    """The administrative record, complete and public, with everything in it that never is."""
    return {
        **_head("dataset_administrative", DATASET, "Dataset"),
        "dataset_identifier": DATASET,
        "associated_project_identifier": PROJECT,
        "status": "complete",
        "metadata_language": "en",
        "dataset_title": "Images and cell counts of heat-shocked seedlings, replicate 1",
        "alternative_titles": [{"title": "Hitzeschock bei Keimlingen", "type": "TranslatedTitle", "language": "de"}],
        "dataset_abstract": (
            "Confocal images of Arabidopsis thaliana seedlings after heat shock, and the number of living cells "
            "counted in each image, for replicate 1 of the time series of 2026."
        ),
        "creators": [CARBERRY, OKAFOR, GROUP],
        "contributors": [{"agent": OKAFOR, "role": "DataCurator"}, {"agent": UNIVERSITY, "role": "HostingInstitution"}],
        "rights_holder": UNIVERSITY,
        "data_steward": DESK,
        "publisher": UNIVERSITY,
        "resource_type": "Microscopy images and derived counts",
        "resource_type_general": "Dataset",
        "license": "CC-BY-4.0",
        "license_title": "Creative Commons Attribution 4.0 International",
        "rights_statement": "Please cite the accompanying article.",
        "access_level": "public",
        "access_conditions": "None for research; tell us of commercial use.",
        "access_contact": COMMITTEE,
        "keywords": ["heat shock", "confocal microscopy", "cell count"],
        "subjects": [
            {
                "term": "plant physiology",
                "iri": "http://id.loc.gov/authorities/subjects/sh85102849",
                "scheme": "LCSH",
                "scheme_iri": "http://id.loc.gov/authorities/subjects",
            }
        ],
        "languages": ["en"],
        "spatial_coverage": [
            {"place_name": "Providence, Rhode Island", "longitude": -71.41, "latitude": 41.82},
            {
                "place_name": "New England",
                "iri": "https://www.geonames.org/4326850/",
                "west": -73.73,
                "south": 40.98,
                "east": -66.89,
                "north": 47.46,
            },
        ],
        "temporal_coverage": {"start": "2026-01", "end": "2026-02-28"},
        "funding": [GRANT],
        "conforms_to": [{"label": "REMBI 1.5", "url": "https://doi.org/10.1038/s41592-021-01166-8"}],
        "methods": "Confocal laser scanning microscopy; cells counted by threshold.",
        "provenance_statement": "Exported by the microscope's software; nothing else was changed.",
        "version_notes": "Two images taken again.",
        "dataset_version": "1.1",
        "ethics_approvals": [{"label": "IRB 2026-117 never public", "url": "https://irb.example.org/2026-117"}],
        "consent_framework": "Broad consent never public",
        "sensitivity": "internal",
        "anonymization_method": "Pseudonymised never public",
        "data_retention_schedule": {"period": "P10Y", "start_event": "published", "action": "review"},
        "preservation_location": "University archive",
        "documentation": [{"label": "Read me", "url": "https://www.example.org/readme"}],
        "recommended_citation": "Carberry J, Okafor A (2026) Images and cell counts of heat-shocked seedlings.",
        "related_identifiers": [
            {
                "identifier": "10.1234/article.5",
                "scheme": "DOI",
                "iri": "https://doi.org/10.1234/article.5",
                "relation": "IsSupplementTo",
                "resource_type": "JournalArticle",
                "title": "Cells under heat",
            },
            {
                "identifier": "https://example.org/raw/17",
                "scheme": "URL",
                "iri": "https://example.org/raw/17",
                "relation": "IsDerivedFrom",
                "resource_type": "Dataset",
            },
        ],
        "additional_properties": [
            {"name": "Greenhouse bay", "value": "B12"},
            {"name": "Bay height", "value": 2.4, "unit": "m", "property_iri": "https://schema.org/height"},
        ],
        "local_reviewer": {"@id": "https://orcid.org/0000-0001-5109-3700", "@type": "Person", "name": "Foreign Person"},
    }


def microscope() -> dict[str, Any]:
    """The instrument, complete."""
    return {
        **_head("instrument_technical", MICROSCOPE, "Instrument"),
        "instrument_identifier": MICROSCOPE,
        "identifiers": [{"value": "https://hdl.handle.net/21.T11998/0000-001A-3905-1", "scheme": "Handle"}],
        "landing_page": f"urn:uuid:{MICROSCOPE}",
        "status": "complete",
        "metadata_language": "en",
        "instrument_name": "Confocal microscope 2",
        "owners": [UNIVERSITY],
        "manufacturers": [
            {
                "@id": "urn:uuid:6a5b4c3d-2e1f-4a0b-9c8d-7e6f5a4b3c2d",
                "@type": "Organization",
                "name": "Leica Microsystems",
                "url": "https://www.leica-microsystems.com/",
            }
        ],
        "instrument_types": [{"term": "confocal microscope", "iri": "http://purl.obolibrary.org/obo/OBI_0002119"}],
        "model": {"name": "TCS SP8"},
        "description": "Confocal laser scanning microscope with two detectors.",
        "measured_variables": [{"term": "fluorescence intensity"}],
        "serial_number": "8100001234",
        "alternate_identifiers": [{"value": "INV-2019-0042", "type": "InventoryNumber"}],
        "hardware_specifications": [{"name": "Objective magnification", "value": 63}],
        "firmware_version": "4.2.1",
        "instrument_location": "Building C, room 214",
        "calibration_log": {"label": "Calibration log", "url": "https://www.example.org/calibration/sp8"},
        "last_calibration_date": "2026-03-02",
        "dates_in_service": {"start": "2019-05-01"},
    }


def _file(run: str, label: str, path: str, number: int, facts: dict[str, Any]) -> dict[str, Any]:
    identifier = f"5d4c3b2a-1f0e-4d9c-8b7a-{number:012x}"
    name = path.rpartition("/")[2]
    return {
        "path": path,
        "file_identifier": identifier,
        "@id": f"urn:uuid:{identifier}",
        "@type": "File",
        "file_name": name,
        "extension": f".{name.partition('.')[2]}",
        "permissions": "-rw-r--r--",
        "modified_utc": f"2026-01-{12 + number:02d}T09:00:00Z",
        "metadata_changed_utc": "2026-11-02T08:00:00Z",
        "checksum": {"algorithm": "sha256", "value": hashlib.sha256(path.encode()).hexdigest()},
        **facts,
        "extraction": {"extractor": "plain", "version": "1", "warnings": ["read by a private reader"]},
        "instrument_metadata": [{"name": "Operator", "value": "private operator", "source": "header"}],
        "data_object_version": "V2",
        "run_id": run,
        "complete_metadata": f".metadata/runs/{label}/data_object_{label}_v2_metadata.json",
        "state": "present",
        "first_seen": "2026-11-02T08:00:00Z",
    }


def images() -> list[dict[str, Any]]:
    """The files of the first run."""
    tiff = {
        "mime_type": "image/tiff",
        "format": {
            "name": "TIFF",
            "version": "6.0",
            "iri": "http://www.nationalarchives.gov.uk/pronom/fmt/353",
            "edam_iri": "http://edamontology.org/format_3591",
        },
        "dimensions": [{"axis": "x", "size": 1024, "unit": "px"}, {"axis": "y", "size": 768, "unit": "px"}],
        "bit_depth": 16,
        "channels": 2,
    }
    return [
        _file(IMAGING, "run-1", "plate1/well_A01.tif", 1, {"size_bytes": 4194304, **tiff}),
        _file(
            IMAGING, "run-1", "plate1/well_A02.tif", 2, {"size_bytes": 4194304, **tiff, "description": "Focus drifts."}
        ),
        _file(IMAGING, "run-1", "plate1/caf%E9.log", 3, {
            "size_bytes": 512, "mime_type": "text/plain", "encoding": "iso-8859-1", "path_encoding": "percent",
        }),
    ]  # fmt: skip


def counts() -> list[dict[str, Any]]:
    """The files of the second run."""
    columns = [
        {
            "@id": "urn:uuid:b7c6d5e4-f3a2-4b10-8c9d-8e7f6a5b4c3d",
            "@type": "Variable",
            "name": "cells",
            "description": "Living cells in the image",
            "data_type": "integer",
            "unit": "1",
            "min": 0,
            "max": 4096,
        },
        {"@id": "urn:uuid:c8d7e6f5-a4b3-4c21-9d0e-9f8a7b6c5d4e", "@type": "Variable", "name": "well"},
    ]
    csv = {"mime_type": "text/csv", "encoding": "utf-8", "format": {"name": "CSV"}, "number_of_records": 96}
    packed = {"mime_type": "text/plain", "compression": "application/gzip", "format": {"name": "FASTQ"}}
    return [
        _file(ANALYSIS, "run-2", "counts.csv", 4, {"size_bytes": 2048, **csv, "variables": columns}),
        _file(ANALYSIS, "run-2", "sample_A_read1.fastq.gz", 5, {"size_bytes": 1048576, **packed}),
    ]


def imaging() -> dict[str, Any]:
    """The run at the microscope."""
    return {
        **_head("experiment_contextual", IMAGING, "Run"),
        "run_id": IMAGING,
        "run_label": "run-1",
        "dataset_identifier": DATASET,
        "status": "complete",
        "metadata_language": "en",
        "outputs": [each["file_identifier"] for each in images()],
        "data_files": [each["path"] for each in images()],
        "run_type": "instrument",
        "experiment_name": "Heat shock, replicate 1: imaging",
        "experiment_dates": {"start": "2026-01-12", "end": "2026-01-14"},
        "started_at": "2026-01-12T08:30:00+01:00",
        "ended_at": "2026-01-14T17:05:00+01:00",
        "experimenters": [CARBERRY, OKAFOR],
        "protocol_references": [{"label": "Imaging, version 3", "url": "https://www.protocols.io/view/imaging-v3"}],
        "protocol_deviations": "Incubated for 25 min instead of 20.",
        "sample_identifiers": [
            {
                "sample_identifier": "SAMN12345678",
                "scheme": "BioSample",
                "iri": "https://www.ncbi.nlm.nih.gov/biosample/SAMN12345678",
                "label": "Seedling 1",
            }
        ],
        "sample_source": "Arabidopsis thaliana Col-0, 10 days old",
        "sample_treatments": "42 degrees Celsius for 1 h",
        "sample_preparation": "Propidium iodide, 10 min",
        "instruments_used": [MICROSCOPE],
        "instrument_settings": [{"name": "Laser power", "value": 12.5, "unit": "mW"}],
        "reagents": [{"name": "Propidium iodide", "manufacturer": "Sigma-Aldrich", "catalog_number": "P4170"}],
        "qc_metrics": [{"name": "In focus", "value": 0.93, "threshold": 0.8}],
        "qc_assessment": "pass",
        "notes": "Plate 1 was reloaded.",
    }


def analysis() -> dict[str, Any]:
    """The run at the computer."""
    read = images()[0]["file_identifier"]
    return {
        **_head("experiment_contextual", ANALYSIS, "Run"),
        "run_id": ANALYSIS,
        "run_label": "run-2",
        "dataset_identifier": DATASET,
        "status": "complete",
        "metadata_language": "en",
        "outputs": [each["file_identifier"] for each in counts()],
        "data_files": [each["path"] for each in counts()],
        "run_type": "computational",
        "experiment_name": "Heat shock, replicate 1: counting",
        "experiment_dates": {"start": "2026-02-02"},
        "experimenters": [OKAFOR],
        "no_protocol_reason": "The script says all there is to say.",
        "inputs": [
            {"file_identifier": read, "label": "Image of well A01"},
            {"url": "https://example.org/reference/tair10", "label": "TAIR10"},
            {"file_identifier": "11111111-2222-4333-8444-555555555555", "label": "a file of another dataset"},
        ],
        "software_used": [
            {
                "name": "Fiji",
                "version": "2.14.0",
                "url": "https://fiji.sc/",
                "purpose": "analysis",
                "identifiers": [{"value": "RRID:SCR_002285", "scheme": "RRID"}],
            }
        ],
        "software_parameters": [{"name": "threshold", "value": 128}],
        "scripts": [{"label": "Counting script", "url": "https://github.com/example/count"}],
        "command_line": "fiji --headless count.ijm",
        "environment": {"container": "quay.io/example/fiji:2.14.0", "commit": "4f1e2d3"},
        "qc_assessment": "pass",
    }


def structure(files: list[dict[str, Any]]) -> dict[str, Any]:
    """What the manifest says of some files."""
    return {
        **_head("dataset_structural", DATASET, "Dataset"),
        "dataset_identifier": DATASET,
        "associated_project_identifier": PROJECT,
        "metadata_language": "en",
        "file_count": len(files),
        "total_size_bytes": sum(each["size_bytes"] for each in files),
        "formats": [],
        "scope": "All wells of replicate 1.",
        "structure_description": "One folder per plate, one image per well.",
        "naming_convention": "<plate>/well_<row><column>.tif",
        "data_dictionary": {"label": "Data dictionary", "url": "https://www.example.org/dictionary"},
        "variables": [
            {
                "@id": "urn:uuid:d9e8f7a6-b5c4-4d32-8e1f-0a9b8c7d6e5f",
                "@type": "Variable",
                "name": "temperature",
                "description": "Air temperature at the plate",
                "data_type": "number",
                "property_iri": "http://vocab.nerc.ac.uk/standard_name/air_temperature/",
                "unit": "Cel",
                "unit_iri": "http://qudt.org/vocab/unit/DEG_C",
                "min": -40,
                "max": 60,
                "missing_value": "NA",
            }
        ],
        "software_to_read": [{"name": "Fiji", "version": "2.14.0", "url": "https://fiji.sc/"}],
        "file_descriptions": files,
    }


def complete(
    run: dict[str, Any], files: list[dict[str, Any]], instruments: list[dict[str, Any]], revision: int, moment: str
) -> dict[str, Any]:
    """A complete metadata file."""
    return {
        "$schema": f"{SCHEMAS}/complete_metadata/{VERSION}",
        "@context": f"https://w3id.org/fairfolder/contexts/complete_metadata/{VERSION}.jsonld",
        "@id": revision_iri(run["run_id"], revision),
        "@type": "DataObject",
        "metadata_version": "2",
        "data_object_identifier": data_object(run["run_id"]),
        "revision": revision,
        **({"revision_of": revision_iri(run["run_id"], revision - 1)} if revision > 1 else {}),
        "generated_by": "audit-name-jdoe",
        "generated_date": moment,
        "completeness": {"required": 21, "present": 21, "recommended_missing": [], "drafts": []},
        "sources": [{"path": "p_Private/.metadata/project_descriptive.json", "sha256": "0" * 64}] * 4,
        "project": project(),
        "dataset": dataset(),
        "experiment": run,
        "instruments": instruments,
        "structure": structure(files),
    }


def objects() -> list[dict[str, Any]]:
    """The complete metadata files of both runs, the second in its second revision."""
    first = complete(imaging(), images(), [microscope()], 1, "2026-11-20T16:30:00Z")
    second = complete(analysis(), counts(), [], 2, "2026-11-21T10:00:00Z")
    return [first, second]


def pins(complete_files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a version in the registry says of complete metadata files."""
    return [
        {
            "run_id": each["experiment"]["run_id"],
            "data_object_identifier": each["data_object_identifier"],
            "revision": each["revision"],
            "sha256": hashlib.sha256(each["@id"].encode()).hexdigest(),
        }
        for each in complete_files
    ]


def entry() -> dict[str, Any]:
    """The registry entry of the dataset, published in its second version."""
    both = objects()
    old = complete(analysis(), counts(), [], 1, "2026-11-20T17:00:00Z")
    return {
        "$schema": f"{SCHEMAS}/registry/{VERSION}",
        "identifier": DATASET,
        "kind": "dataset",
        "path": "p_HeatShock/dataset_replicate1",
        "project_identifier": PROJECT,
        "state": "present",
        "publication": {
            "state": "published",
            "doi": "https://doi.org/10.5072/heat-shock-1",
            "date_published": "2026-11-21T08:00:00Z",
            "previous_version": f"urn:uuid:{DATASET}#version-1",
            "cited": {
                "dataset_title": dataset()["dataset_title"],
                "creators": [{k: v for k, v in each.items() if k != "email"} for each in dataset()["creators"]],
                "publisher": UNIVERSITY,
            },
            "versions": [
                {"number": 1, "date_published": "2026-11-21T08:00:00Z", "data_objects": pins([both[0], old])},
                {
                    "number": 2, "date_published": "2026-11-23T05:24:05Z", "label": "1.1", "data_objects": pins(both),
                },
            ],
        },
        "datestamp": "2026-11-23T05:24:05Z",
        "sequence": 42,
        **AUDIT,
    }  # fmt: skip


def published(**live: Any) -> Published:
    """The example as the public sees it; the live administrative record may say something else by now."""
    found = compose(copy.deepcopy(entry()), {**dataset(), **live}, copy.deepcopy(objects()), NOW)
    assert found is not None
    return found


def text() -> str:
    """The golden file."""
    return json.dumps(published().value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(text())
