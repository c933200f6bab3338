"""The packaged schemas: sound in themselves, whole against the model, and strict about the right things."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

import schemas
from ingest.check_digits import is_orcid, is_ror
from ingest.schema import SchemaSet
from tests.schemas.records import TEMPLATES, complete, full, template

SET = SchemaSet()
CURATED = ("project_descriptive", "dataset_administrative", "instrument_technical", "experiment_contextual")
REGISTRY = Registry().with_resources(
    [(schemas.load(name)["$id"], Resource.from_contents(schemas.load(name))) for name in schemas.NAMES]
)
HEAD = "$schema @context @id @type created_by created_date last_modified_by last_modified_date metadata_language"

# Every key of the model, written out: a key that is lost or renamed fails here.
KEYS = {
    "project_descriptive": f"""{HEAD} status additional_properties
        project_identifier project_title project_description principal_investigator contributors funding institution
        laboratory keywords project_dates project_status data_collection_method data_storage_strategy identifiers
        related_identifiers derived_from""",
    "dataset_administrative": f"""{HEAD} status additional_properties
        dataset_identifier associated_project_identifier dataset_title alternative_titles dataset_abstract creators
        contributors rights_holder data_steward publisher resource_type resource_type_general license license_title
        rights_statement access_level embargo_end_date access_conditions access_contact keywords subjects languages
        spatial_coverage temporal_coverage funding conforms_to methods provenance_statement version_notes
        dataset_version ethics_approvals consent_framework sensitivity anonymization_method data_retention_schedule
        preservation_location documentation recommended_citation related_identifiers derived_from""",
    "dataset_structural": f"""{HEAD} additional_properties
        dataset_identifier associated_project_identifier file_descriptions scope structure_description
        naming_convention data_dictionary variables software_to_read formats total_size_bytes file_count runs""",
    "file_technical": """@id @type file_identifier path path_encoding file_name extension size_bytes permissions
        modified_utc metadata_changed_utc created_utc checksum mime_type compression encoding format dimensions
        number_of_records bit_depth channels duration_seconds variables instrument_metadata description extraction
        data_object_version run_id complete_metadata state first_seen missing_since previous_checksums""",
    "instrument_technical": f"""{HEAD} status additional_properties
        instrument_identifier identifiers landing_page instrument_name owners manufacturers instrument_types model
        description measured_variables serial_number alternate_identifiers hardware_specifications firmware_version
        instrument_location calibration_log last_calibration_date dates_in_service related_identifiers""",
    "experiment_contextual": f"""{HEAD} status additional_properties
        run_id run_label dataset_identifier run_type experiment_name experiment_dates started_at ended_at experimenters
        protocol_references no_protocol_reason protocol_deviations inputs outputs data_files sample_identifiers
        sample_source sample_treatments sample_preparation instruments_used instrument_settings software_used
        software_parameters scripts command_line environment reagents qc_metrics qc_assessment notes""",
    "complete_metadata": """$schema @context @id @type metadata_version data_object_identifier revision revision_of
        generated_by generated_date completeness sources project dataset experiment instruments structure""",
    "registry": """$schema created_by created_date last_modified_by last_modified_date identifier kind path
        path_encoding project_identifier state state_reason missing_since derived_from publication datestamp
        sequence""",
}
PARTS = {
    "person": "@id @type name given_name family_name orcid identifiers email affiliations",
    "organization": "@id @type name ror identifiers url email",
    "agent": "@id @type name given_name family_name orcid ror identifiers url email affiliations",
    "contribution": "agent role",
    "identifier": "value scheme",
    "relation": "identifier scheme iri relation relation_type_information resource_type title",
    "reference": "label url",
    "grant": "funder award_number award_title award_uri",
    "variable": """@id @type name description data_type property_iri unit unit_iri min max missing_value
        file_identifier""",
    "measure": "name value unit unit_iri threshold",
    "additional_property": "name value unit property_iri",
    "audit": "created_by created_date last_modified_by last_modified_date",
    "dates": "start end",
    "term": "term iri scheme scheme_iri",
}
INNER = {
    ("dataset_administrative", "alternative_titles"): "title type language",
    ("dataset_administrative", "spatial_coverage"): "place_name iri west south east north longitude latitude",
    ("dataset_administrative", "temporal_coverage"): "start end",
    ("dataset_administrative", "data_retention_schedule"): "period keep_until start_event action basis legal_hold",
    ("dataset_structural", "software_to_read"): "name version url",
    ("core", "formats"): "name count size_bytes",
    ("core", "runs"): "run_id run_label complete_metadata revision sha256 finalized_date",
    ("core", "checksum"): "algorithm value",
    ("core", "format"): "name version iri edam_iri",
    ("core", "dimensions"): "axis size unit",
    ("core", "instrument_metadata"): "name value unit source",
    ("core", "extraction"): "extractor version warnings",
    ("core", "previous_checksums"): "algorithm value replaced_date",
    ("instrument_technical", "model"): "name identifier",
    ("instrument_technical", "alternate_identifiers"): "value type",
    ("experiment_contextual", "inputs"): "file_identifier url label",
    ("experiment_contextual", "sample_identifiers"): "sample_identifier scheme iri label",
    ("experiment_contextual", "software_used"): "name version url purpose identifiers",
    ("experiment_contextual", "environment"): "container lock_file commit",
    ("experiment_contextual", "reagents"): "name manufacturer catalog_number lot_number expiry_date",
    ("complete_metadata", "completeness"): "required present required_missing recommended_missing drafts",
    ("complete_metadata", "sources"): "path path_encoding sha256",
    ("registry", "publication"): """state doi date_published previous_version withdrawn_date withdrawal_reason cited
        versions""",
    ("registry", "versions"): "number date_published label data_objects",
    ("registry", "data_objects"): "run_id data_object_identifier revision sha256",
}


def fields(node: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field a schema describes, with its place; what a complete record asks (then, *_complete) is no field."""
    if not isinstance(node, dict):
        return
    for key, child in node.get("properties", {}).items():
        yield f"{where}/{key}", child
        yield from fields(child, f"{where}/{key}")
    yield from fields(node.get("items"), f"{where}[]")
    for key, child in node.get("$defs", {}).items():
        if not key.endswith("_complete"):
            yield from fields(child, f"{where}#{key}")


FIELDS = {place: field for name in schemas.NAMES for place, field in fields(schemas.load(name), name)}


def reference(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    checker = jsonschema.FormatChecker(formats=["date"])
    checker.checks("orcid")(is_orcid)
    checker.checks("ror")(is_ror)
    return jsonschema.Draft202012Validator(schema, registry=REGISTRY, format_checker=checker)


def pointers(kind: str, record: Any) -> set[str]:
    return {problem.pointer for problem in SET.problems(kind, record)}


@pytest.mark.parametrize("name", schemas.NAMES)
def test_each_schema_is_valid_against_its_metaschema(name: str) -> None:
    schema = schemas.load(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"{schemas.BASE}{name}/1.0.0"


@pytest.mark.parametrize("kind", KEYS)
def test_each_kind_has_exactly_the_keys_of_the_model(kind: str) -> None:
    assert set(schemas.load(kind)["properties"]) == set(KEYS[kind].split())


@pytest.mark.parametrize("part", PARTS)
def test_each_shared_part_has_exactly_the_keys_of_the_model(part: str) -> None:
    assert set(schemas.load("definitions")["$defs"][part]["properties"]) == set(PARTS[part].split())


@pytest.mark.parametrize(("name", "key"), INNER)
def test_each_group_of_fields_has_exactly_the_keys_of_the_model(name: str, key: str) -> None:
    found = [field for place, field in FIELDS.items() if place.startswith(name) and place.endswith(f"/{key}")]
    groups = [set((field.get("items") or field).get("properties", {})) for field in found]
    assert set(INNER[name, key].split()) in groups


@pytest.mark.parametrize("place", FIELDS)
def test_each_field_says_what_it_is_and_gives_examples_that_are_valid(place: str) -> None:
    field = FIELDS[place]
    assert field["title"]
    assert field["description"]
    assert isinstance(field["examples"], list)
    judge = reference(field)
    for example in field["examples"]:
        assert list(judge.iter_errors(example)) == []


def test_nothing_forbids_keys_it_does_not_know() -> None:
    for name in schemas.NAMES:
        assert "additionalProperties" not in schemas.text(name)
        assert "unevaluated" not in schemas.text(name)


def test_each_packaged_category_holds_the_whole_core_by_reference() -> None:
    for kind, core in schemas.load("core")["$defs"].items():
        category = schemas.load(kind)
        assert set(core["required"]) <= set(category["required"])
        for key in core["properties"]:
            rule = category["properties"][key].get("$ref") or category["properties"][key]["items"]["$ref"]
            own = f"{schemas.BASE}core/1.0.0#/$defs/{kind}/properties/{key}"
            assert rule == (own if key != "file_descriptions" else f"{schemas.BASE}file_technical/1.0.0")


def test_the_values_new_in_datacite_4_7_are_known() -> None:
    relation = schemas.load("definitions")["$defs"]["relation"]["properties"]
    assert {"RAiD", "SWHID"} < set(relation["scheme"]["enum"])
    assert {"Poster", "Presentation"} < set(relation["resource_type"]["enum"])
    assert "Other" in relation["relation"]["enum"]
    assert "Translator" in schemas.load("definitions")["$defs"]["contribution"]["properties"]["role"]["enum"]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_generated_template_is_a_valid_draft(kind: str) -> None:
    assert SET.problems(kind, template(kind)) == []


@pytest.mark.parametrize("kind", CURATED)
def test_a_template_is_never_complete(kind: str) -> None:
    assert SET.missing_for_complete(kind, template(kind)) != []


@pytest.mark.parametrize("kind", CURATED)
def test_the_least_and_the_fullest_complete_record_are_complete(kind: str) -> None:
    for record in (complete(kind), full(kind)):
        assert record["status"] == "complete"
        assert SET.problems(kind, record) == []
        assert SET.missing_for_complete(kind, record) == []


REQUIRED = [(kind, key) for kind in CURATED for key in complete(kind) if key != "$schema" and key not in template(kind)]


@pytest.mark.parametrize(("kind", "key"), REQUIRED)
def test_each_field_a_complete_record_needs_is_missed_there_and_only_there(kind: str, key: str) -> None:
    record = complete(kind)
    del record[key]
    assert pointers(kind, record) == {f"/{key}"}
    assert {p.pointer for p in SET.missing_for_complete(kind, {**record, "status": "draft"})} == {f"/{key}"}
    assert SET.problems(kind, {**record, "status": "draft"}) == []


@pytest.mark.parametrize("kind", [k for k in TEMPLATES if k != "registry"])
def test_each_key_the_system_writes_is_missed_in_a_draft_too(kind: str) -> None:
    optional = {"extension"}
    for key in template(kind).keys() - optional:
        record = template(kind)
        del record[key]
        assert f"/{key}" in pointers(kind, record), key


CONDITIONS: list[tuple[str, dict[str, Any], str]] = [
    ("dataset_administrative", {"access_level": "embargoed"}, "/embargo_end_date"),
    ("dataset_administrative", {"access_level": "restricted"}, "/access_conditions"),
    ("dataset_administrative", {"sensitivity": "personal"}, "/ethics_approvals"),
    ("dataset_administrative", {"sensitivity": "personal"}, "/consent_framework"),
    ("dataset_administrative", {"sensitivity": "personal"}, "/anonymization_method"),
    ("dataset_administrative", {"data_retention_schedule": {"action": "delete"}}, "/data_retention_schedule/period"),
    (
        "dataset_administrative",
        {"data_retention_schedule": {"action": "delete", "period": "P1Y"}},
        "/data_retention_schedule/start_event",
    ),
    ("dataset_administrative", {"data_steward": {"name": "Desk"}}, "/data_steward/email"),
    ("dataset_administrative", {"dataset_abstract": "Too short."}, "/dataset_abstract"),
    ("dataset_administrative", {"creators": []}, "/creators"),
    ("dataset_administrative", {"creators": [{"orcid": "https://orcid.org/0000-0002-1825-0097"}]}, "/creators/0/name"),
    ("dataset_administrative", {"keywords": []}, "/keywords"),
    ("dataset_administrative", {"subjects": [{"term": "botany"}]}, "/subjects/0/iri"),
    ("dataset_administrative", {"contributors": [{"agent": {"name": "A"}}]}, "/contributors/0/role"),
    ("dataset_administrative", {"contributors": [{"agent": {}, "role": "Editor"}]}, "/contributors/0/agent/name"),
    ("dataset_administrative", {"funding": [{"award_number": "1"}]}, "/funding/0/funder"),
    ("dataset_administrative", {"documentation": [{"label": "x"}]}, "/documentation/0/url"),
    ("dataset_administrative", {"alternative_titles": [{"language": "de"}]}, "/alternative_titles/0/title"),
    ("dataset_administrative", {"additional_properties": [{"name": "x"}]}, "/additional_properties/0/value"),
    ("project_descriptive", {"principal_investigator": {"family_name": "C"}}, "/principal_investigator/name"),
    (
        "project_descriptive",
        {"related_identifiers": [{"identifier": "x", "scheme": "URN"}]},
        "/related_identifiers/0/relation",
    ),
    ("instrument_technical", {"owners": []}, "/owners"),
    ("instrument_technical", {"model": {"identifier": "x"}}, "/model/name"),
    ("experiment_contextual", {"run_type": "computational"}, "/inputs"),
    ("experiment_contextual", {"run_type": "computational"}, "/software_used"),
    ("experiment_contextual", {"software_used": [{"name": "STAR", "version": "2"}]}, "/software_used/0/url"),
    ("experiment_contextual", {"inputs": [{"label": "genome"}]}, "/inputs/0/file_identifier"),
    ("experiment_contextual", {"experiment_dates": {"end": "2026-01-01"}}, "/experiment_dates/start"),
]


@pytest.mark.parametrize(("kind", "change", "pointer"), CONDITIONS)
def test_what_a_complete_record_needs_on_a_condition_binds_only_there(
    kind: str, change: dict[str, Any], pointer: str
) -> None:
    record = {**complete(kind), **change}
    assert pointer in pointers(kind, record)
    assert SET.problems(kind, {**record, "status": "draft"}) == []


def test_a_reason_may_stand_in_place_of_a_protocol() -> None:
    record = complete("experiment_contextual")
    del record["protocol_references"]
    assert pointers("experiment_contextual", record) == {"/protocol_references"}
    assert SET.problems("experiment_contextual", {**record, "no_protocol_reason": "Exploratory."}) == []


def planted(kind: str, pointer: str, value: Any) -> tuple[dict[str, Any], str]:
    """A full record with one value replaced."""
    record = full(kind)
    *steps, last = pointer.strip("/").split("/")
    at: Any = record
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
    at[int(last) if isinstance(at, list) else last] = value
    return record, pointer


DEFECTS = [
    ("project_descriptive", "/project_identifier", "7"),
    ("project_descriptive", "/project_identifier", "0B6A3F0E-6F4C-4B8E-9D53-2A1C7E5F9B10"),
    ("project_descriptive", "/@id", "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"),
    ("project_descriptive", "/@type", "Dataset"),
    ("project_descriptive", "/@context", "https://evil.example/context.jsonld"),
    ("project_descriptive", "/@context", {"name": "https://schema.org/name"}),
    ("project_descriptive", "/status", "done"),
    ("project_descriptive", "/created_date", "2026-11-23 05:24:05"),
    ("project_descriptive", "/created_date", "2026-11-23T05:24:05+01:00"),
    ("project_descriptive", "/created_by", ""),
    ("project_descriptive", "/metadata_language", "english language"),
    ("project_descriptive", "/project_title", "   "),
    ("project_descriptive", "/principal_investigator/orcid", "0000-0002-1825-0097"),
    ("project_descriptive", "/principal_investigator/orcid", "https://orcid.org/0000-0002-1825-0098"),
    ("project_descriptive", "/principal_investigator/email", "somewhere"),
    ("project_descriptive", "/institution/ror", "https://ror.org/05gq02988"),
    ("project_descriptive", "/institution/ror", "https://ror.org/05gQ02987"),
    ("project_descriptive", "/contributors/0/role", "Boss"),
    ("project_descriptive", "/project_dates/start", "2026-02-30"),
    ("project_descriptive", "/project_status", "Active"),
    ("project_descriptive", "/keywords", ["a", "a"]),
    ("dataset_administrative", "/license", "Creative Commons"),
    ("dataset_administrative", "/access_level", "open"),
    ("dataset_administrative", "/embargo_end_date", "soon"),
    ("dataset_administrative", "/languages/0", "e"),
    ("dataset_administrative", "/spatial_coverage/0/latitude", 91),
    ("dataset_administrative", "/temporal_coverage/start", "2026-13"),
    ("dataset_administrative", "/data_retention_schedule/period", "10 years"),
    ("dataset_administrative", "/data_retention_schedule/period", "P"),
    ("dataset_administrative", "/data_retention_schedule/legal_hold", "no"),
    ("dataset_administrative", "/related_identifiers/0/scheme", "doi"),
    ("dataset_administrative", "/related_identifiers/0/identifier", "doi 10.5438/0012"),
    ("dataset_administrative", "/documentation/0/url", "www.example.org"),
    ("dataset_administrative", "/documentation/0/url", "https://exa mple.org/"),
    ("dataset_administrative", "/resource_type_general", "dataset"),
    ("dataset_structural", "/file_count", -1),
    ("dataset_structural", "/file_descriptions/0/path", "../secret"),
    ("dataset_structural", "/file_descriptions/0/path", "/etc/passwd"),
    ("dataset_structural", "/file_descriptions/0/path", "a//b"),
    ("dataset_structural", "/file_descriptions/0/path", "a/./b"),
    ("dataset_structural", "/file_descriptions/0/path", "a\x00b"),
    ("dataset_structural", "/file_descriptions/0/checksum/value", "abc"),
    ("dataset_structural", "/file_descriptions/0/checksum/algorithm", "md5"),
    ("dataset_structural", "/file_descriptions/0/mime_type", "text/plain; charset=utf-8"),
    ("dataset_structural", "/file_descriptions/0/size_bytes", 1.5),
    ("dataset_structural", "/file_descriptions/0/state", "gone"),
    ("dataset_structural", "/file_descriptions/0/data_object_version", "V3"),
    ("dataset_structural", "/file_descriptions/0/permissions", "644"),
    ("dataset_structural", "/file_descriptions/1/instrument_metadata/0/name", "@id"),
    ("dataset_structural", "/runs/0/revision", 0),
    ("instrument_technical", "/last_calibration_date", "03/02/2026"),
    ("instrument_technical", "/landing_page", "page 3"),
    ("experiment_contextual", "/run_label", "a/b"),
    ("experiment_contextual", "/run_label", "../x"),
    ("experiment_contextual", "/instruments_used/0", "confocal"),
    ("experiment_contextual", "/started_at", "2026-01-12T08:30:00"),
    ("experiment_contextual", "/qc_assessment", "ok"),
    ("experiment_contextual", "/experimenters/0/@type", "Organization"),
    ("registry", "/path", "/data/p_X"),
    ("registry", "/sequence", 0),
    ("registry", "/publication/doi", "10.5438/0012"),
    ("registry", "/publication/state", "public"),
]


@pytest.mark.parametrize(("kind", "pointer", "value"), DEFECTS)
def test_each_planted_defect_is_found_where_it_stands_and_nowhere_else(kind: str, pointer: str, value: Any) -> None:
    record, pointer = planted(kind, pointer, value)
    assert pointers(kind, record) == {pointer}


def test_odd_but_honest_values_are_accepted() -> None:
    for path in ("..a", ".../x", ".hidden/y", "a\nb", "a\\b", "caf\u0065\u0301", "😀", "%FF", "a" * 255, "-x", " "):
        assert SET.problems("file_technical", {**template("file_technical"), "path": path}) == [], path
    for tag in ("en", "de-CH-1996", "zh-Hant", "sr-Latn-RS", "x-lab", "gsw"):
        assert SET.problems("project_descriptive", {**template("project_descriptive"), "metadata_language": tag}) == []
    for period in ("P10Y", "P1Y6M", "P2W", "PT36H", "P1DT12H"):
        record = {**template("dataset_administrative"), "data_retention_schedule": {"period": period}}
        assert SET.problems("dataset_administrative", record) == [], period


def test_unknown_keys_are_accepted_at_every_level() -> None:
    def salt(value: Any) -> Any:
        if isinstance(value, dict):
            return {**{k: salt(v) for k, v in value.items()}, "x_lab": {"any": [1, None]}}
        return [salt(v) for v in value] if isinstance(value, list) else value

    for kind in TEMPLATES:
        assert SET.problems(kind, salt(full(kind))) == []


@pytest.mark.parametrize("good", ["0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X"])
def test_orcid_check_digit(good: str) -> None:
    assert is_orcid(f"https://orcid.org/{good}")
    for digit in set("0123456789X") - {good[-1]}:
        assert not is_orcid(f"https://orcid.org/{good[:-1]}{digit}")
    assert is_orcid(7), "a format speaks of texts only"


@pytest.mark.parametrize("good", ["05gq02987", "02mhbdp94", "03yrm5c26", "04wxnsj81", "013meh722", "00f54p054"])
def test_ror_check_digits(good: str) -> None:
    assert is_ror(f"https://ror.org/{good}")
    for number in range(100):
        assert is_ror(f"https://ror.org/{good[:-2]}{number:02d}") == (f"{number:02d}" == good[-2:])
    assert not is_ror(good)
