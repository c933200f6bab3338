"""Which schema is in force, and what a person is told of a record under it."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import schemas
from ingest import schema_lint
from ingest.errors import SchemaError
from ingest.schema import Override, Problem, SchemaSet
from tests.schemas.records import ENTRY, complete, full, template

OWN = "https://uni.example/schemas/{}/1.0.0"
PROJECT = f"{schemas.BASE}project_descriptive/1.0.0"


def write(folder: Path, name: str, rules: dict[str, Any] | bytes, kind: str | None = None) -> Path:
    """A local schema with an ``$id`` of its own."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    label = kind or name.removesuffix(".json")
    path.write_bytes(rules if isinstance(rules, bytes) else json.dumps({"$id": OWN.format(label), **rules}).encode())
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".template_schemas"


@pytest.fixture
def live(folder: Path) -> SchemaSet:
    """A set that looks at the folder on every call."""
    return SchemaSet(folder, recheck_seconds=0)


def pointers(problems: list[Problem]) -> list[str]:
    return [problem.pointer for problem in problems]


# --- which schema is in force -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*schemas.CATEGORIES, "registry"])
def test_without_a_local_folder_the_packaged_schemas_are_in_force(kind: str, live: SchemaSet) -> None:
    for schema_set in (SchemaSet(), live):
        assert schema_set.schema_id(kind) == f"{schemas.BASE}{kind}/1.0.0"
        assert schema_set.in_force(kind) == schemas.load(kind)
        assert schema_set.is_packaged(kind)
        assert schema_set.overrides() == []


def test_a_local_schema_is_in_force_in_place_of_the_packaged_one(folder: Path, live: SchemaSet) -> None:
    path = write(folder, "project_descriptive.json", {"properties": {"project_title": {"maxLength": 5}}})
    assert live.schema_id("project_descriptive") == OWN.format("project_descriptive")
    assert not live.is_packaged("project_descriptive")
    assert live.is_packaged("dataset_administrative")
    assert live.overrides() == [Override("project_descriptive", path, True, "")]
    record = {**template("project_descriptive"), "project_title": "Heat shock", "keywords": "not ours to judge now"}
    assert pointers(live.problems("project_descriptive", record)) == ["/project_title"]


def test_the_core_holds_under_a_local_schema_that_knows_nothing_of_it(folder: Path, live: SchemaSet) -> None:
    write(folder, "project_descriptive.json", {})
    record = {**template("project_descriptive"), "project_identifier": "7"}
    del record["created_by"]
    assert sorted(pointers(live.problems("project_descriptive", record))) == ["/created_by", "/project_identifier"]


def test_the_other_file_name_is_accepted_too_and_comes_second(folder: Path, live: SchemaSet) -> None:
    second = write(folder, "project_descriptive_schema.json", {"title": "second"}, "second")
    assert live.in_force("project_descriptive")["title"] == "second"
    first = write(folder, "project_descriptive.json", {"title": "first"}, "first")
    assert live.in_force("project_descriptive")["title"] == "first"
    assert live.overrides() == [
        Override("project_descriptive", first, True, ""),
        Override(
            "project_descriptive",
            second,
            False,
            "Project_descriptive.json is in force in its place; keep one of the two.",
        ),
    ]


def test_a_local_schema_is_picked_up_changed_refused_and_dropped_while_running(folder: Path, live: SchemaSet) -> None:
    record = {**template("project_descriptive"), "cost_centre": "abc"}
    assert live.problems("project_descriptive", record) == []
    rules = {"$ref": PROJECT, "properties": {"cost_centre": {"type": "integer"}}}
    path = write(folder, "project_descriptive.json", rules)
    assert pointers(live.problems("project_descriptive", record)) == ["/cost_centre"]
    write(folder, "project_descriptive.json", {**rules, "properties": {"cost_centre": {"type": "string"}}})
    assert live.problems("project_descriptive", record) == []
    write(folder, "project_descriptive.json", b"{")
    assert live.is_packaged("project_descriptive")
    assert not live.overrides()[0].in_force
    write(folder, "project_descriptive.json", rules)
    assert pointers(live.problems("project_descriptive", record)) == ["/cost_centre"]
    path.unlink()
    assert live.is_packaged("project_descriptive")
    assert live.overrides() == []
    folder.rmdir()
    assert live.problems("project_descriptive", record) == []


def test_a_change_that_leaves_size_and_time_alone_is_seen(folder: Path, live: SchemaSet) -> None:
    path = write(folder, "project_descriptive.json", {"title": "aaa"})
    before = path.stat()
    assert live.in_force("project_descriptive")["title"] == "aaa"
    path.write_bytes(path.read_bytes().replace(b"aaa", b"bbb"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert live.in_force("project_descriptive")["title"] == "bbb"


def test_the_folder_is_looked_at_no_more_often_than_asked(folder: Path) -> None:
    patient = SchemaSet(folder, recheck_seconds=3600)
    assert patient.overrides() == []
    write(folder, "project_descriptive.json", {})
    assert patient.overrides() == []
    assert SchemaSet(folder).overrides() != []


def test_a_file_that_did_not_change_is_not_judged_again(
    folder: Path, live: SchemaSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(folder, "project_descriptive.json", {})
    os.utime(path, (1, 1))
    assert live.overrides()[0].in_force

    def judged(*_: object, **__: object) -> None:
        raise AssertionError("it was judged again")

    monkeypatch.setattr(schema_lint.subprocess, "run", judged)
    for _ in range(3):
        assert live.overrides()[0].in_force


# --- what a local schema may ask --------------------------------------------------------------------------------


def test_what_a_local_schema_requires_of_people_binds_once_complete(folder: Path, live: SchemaSet) -> None:
    rules = {
        "$ref": PROJECT,
        "required": ["cost_centre"],
        "properties": {
            "cost_centre": {"title": "Cost centre", "description": "Six digits.", "pattern": "^[0-9]{6}$"},
            "principal_investigator": {"required": ["orcid"]},
        },
    }
    write(folder, "project_descriptive.json", rules)
    draft = {**template("project_descriptive"), "principal_investigator": {"name": "A"}}
    assert live.problems("project_descriptive", draft) == []
    missing = live.missing_for_complete("project_descriptive", {**complete("project_descriptive"), **draft})
    assert Problem("/cost_centre", "required", "“Cost centre” is missing.") in missing
    assert "/principal_investigator/orcid" in pointers(missing)
    assert "/cost_centre" in pointers(live.problems("project_descriptive", complete("project_descriptive")))
    wrong = {**draft, "cost_centre": "12"}
    assert [p.message for p in live.problems("project_descriptive", wrong)] == [
        'Cost centre: "12" is not accepted; expected: Six digits.'
    ]


def test_a_part_of_ours_in_its_complete_form_binds_once_complete(folder: Path, live: SchemaSet) -> None:
    person = {"$ref": f"{schemas.BASE}definitions/1.0.0#/$defs/person_complete"}
    write(folder, "project_descriptive.json", {"properties": {"principal_investigator": person}})
    record = {**template("project_descriptive"), "principal_investigator": {"family_name": "Carberry"}}
    assert live.problems("project_descriptive", record) == []
    assert pointers(live.missing_for_complete("project_descriptive", record)) == ["/principal_investigator/name"]


def test_a_question_in_a_local_schema_stays_a_question_in_a_draft(folder: Path, live: SchemaSet) -> None:
    rules = {"if": {"required": ["laboratory"]}, "then": {"properties": {"institution": {"minProperties": 1}}}}
    write(folder, "project_descriptive.json", rules)
    draft = {**template("project_descriptive"), "institution": {}}
    assert live.problems("project_descriptive", draft) == []
    assert pointers(live.problems("project_descriptive", {**draft, "laboratory": {}})) == ["/institution"]


@pytest.mark.parametrize("structural", [None, {}, {"$ref": f"{schemas.BASE}dataset_structural/1.0.0"}])
def test_a_local_file_schema_holds_for_the_entries_of_a_manifest(
    folder: Path, live: SchemaSet, structural: dict[str, Any] | None
) -> None:
    rules = {
        "$ref": f"{schemas.BASE}file_technical/1.0.0",
        "properties": {"description": {"title": "What it is", "maxLength": 3}},
        "required": ["description"],
    }
    write(folder, "file_technical.json", rules)
    if structural is not None:
        ours = {"properties": {"file_descriptions": {"items": {"$ref": f"{schemas.BASE}file_technical/1.0.0"}}}}
        write(folder, "dataset_structural.json", structural or ours)
    assert [o.in_force for o in live.overrides()] == [True] * len(live.overrides())
    manifest = {**template("dataset_structural"), "file_descriptions": [ENTRY, {**ENTRY, "description": "long"}]}
    assert [(p.pointer, p.message) for p in live.problems("dataset_structural", manifest)] == [
        (
            "/file_descriptions/1/description",
            'File 2, What it is: "long" has 4 characters; at most 3 are accepted.',
        )
    ]
    assert "/file_descriptions/0/description" in pointers(live.missing_for_complete("dataset_structural", manifest))
    assert not live.is_packaged("dataset_structural")
    assert live.is_packaged("dataset_administrative")
    assert pointers(live.problems("file_technical", {**ENTRY, "description": "long"})) == ["/description"]
    manifest["file_descriptions"][0] = {**ENTRY, "checksum": {"algorithm": "sha256", "value": "x"}}
    assert "/file_descriptions/0/checksum/value" in pointers(live.problems("dataset_structural", manifest))


# --- files that are no schema -----------------------------------------------------------------------------------


def test_whatever_stands_in_the_folder_is_told_and_harms_nothing(folder: Path, live: SchemaSet, tmp_path: Path) -> None:
    outside = write(tmp_path / "elsewhere", "schema.json", {}, "outside")
    folder.mkdir()
    (folder / "project_descriptive.json").mkdir()
    (folder / "dataset_administrative.json").symlink_to(outside)
    os.mkfifo(folder / "dataset_structural.json")
    (folder / "instrument_technical.json").symlink_to("instrument_technical.json")
    (folder / "experiment_contextual.json").symlink_to("/dev/zero")
    (folder / "contexts").mkdir()
    (folder / "README.md").write_text("Ours.")
    write(folder, "core.json", {})
    write(folder, "sample.json", {})
    reasons = {override.path.name: override.reason for override in live.overrides()}
    assert reasons.keys() == {p.name for p in folder.glob("*.json")}
    assert reasons["project_descriptive.json"].startswith("It is not a regular file")
    assert reasons["dataset_administrative.json"].startswith(
        f"It is a symbolic link to {outside}, outside of its folder"
    )
    assert reasons["dataset_structural.json"].startswith("It is not a regular file")
    assert reasons["instrument_technical.json"].startswith("It cannot be read")
    assert "outside of its folder" in reasons["experiment_contextual.json"]
    assert "always holds and is never replaced" in reasons["core.json"]
    assert 'there is no schema of the name "sample"' in reasons["sample.json"].lower()
    assert all(reason.endswith("The packaged schema stays in force.") for reason in reasons.values())
    assert all(live.is_packaged(kind) for kind in schemas.CATEGORIES)


def test_a_link_within_the_folder_is_followed(folder: Path, live: SchemaSet) -> None:
    folder.mkdir()
    (folder / "v1").mkdir()
    write(folder / "v1", "project.json", {}, "project")
    (folder / "project_descriptive.json").symlink_to("v1/project.json")
    assert [o.in_force for o in live.overrides()] == [True]


def test_a_folder_that_is_a_link_or_a_file_is_refused_whole(folder: Path, live: SchemaSet, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", "project_descriptive.json", {})
    folder.symlink_to(tmp_path / "elsewhere")
    [override] = live.overrides()
    assert override == Override(
        ".template_schemas",
        folder,
        False,
        "It is a symbolic link; put the folder itself there. The packaged schema stays in force.",
    )
    folder.unlink()
    folder.write_text("")
    assert live.overrides()[0].reason.startswith("It is not a folder")
    folder.unlink()
    assert live.overrides() == []
    write(folder, "project_descriptive.json", {})
    assert not live.is_packaged("project_descriptive")


def test_two_local_schemas_do_not_share_an_identity(folder: Path, live: SchemaSet) -> None:
    write(folder, "dataset_administrative.json", {}, "same")
    write(folder, "project_descriptive.json", {}, "same")
    assert [o.in_force for o in live.overrides()] == [True, False]
    assert "is that of dataset_administrative.json too" in live.overrides()[1].reason


def test_a_hostile_pattern_holds_nobody_up(folder: Path, live: SchemaSet) -> None:
    write(folder, "project_descriptive.json", {"properties": {"code": {"type": "string", "pattern": "^(a+)+$"}}})
    record = {**template("project_descriptive"), "code": "a" * 100 + "!"}  # tried one after the other: for ever
    assert live.overrides()[0].in_force
    assert pointers(live.problems("project_descriptive", record)) == ["/code"]
    assert pointers(live.problems("project_descriptive", {**record, "code": "a" * 100_000 + "!"})) == ["/code"]


# --- what a person is told --------------------------------------------------------------------------------------


def said(kind: str, record: Any) -> list[tuple[str, str, str]]:
    return [(p.pointer, p.rule, p.message) for p in SchemaSet().problems(kind, record)]


def test_a_problem_names_the_field_its_value_the_rule_and_what_is_accepted() -> None:
    record = {
        **template("dataset_administrative"),
        "access_level": "open",
        "creators": [{"name": "A"}, {"name": 7, "orcid": "https://orcid.org/0000-0002-1825-0098"}],
        "dataset_abstract": "",
        "spatial_coverage": [{"latitude": 99}],
        "languages": ["en", "en"],
    }
    assert sorted(said("dataset_administrative", record)) == [
        (
            "/access_level",
            "enum",
            'Access level: "open" is not accepted; accepted are public, embargoed, restricted, confidential.',
        ),
        ("/creators/1/name", "type", "Creator 2, Name: 7 is a whole number; a text is expected."),
        (
            "/creators/1/orcid",
            "format",
            'Creator 2, ORCID: "https://orcid.org/0000-0002-1825-0098" is not accepted; expected: '
            "A person's ORCID with its last digit right, such as 0000-0002-1825-0097. For example: "
            '"https://orcid.org/0000-0002-1825-0097".',
        ),
        ("/dataset_abstract", "pattern", "Abstract: it is empty; leave the field out instead."),
        ("/languages", "uniqueItems", "Languages: it holds the same entry twice; keep one of the two."),
        (
            "/spatial_coverage/0/latitude",
            "maximum",
            "Place 1, Latitude: 99 is too large; 90 or less is accepted.",
        ),
    ]


def test_what_is_missing_is_told_where_it_belongs_with_the_choices() -> None:
    record = complete("dataset_administrative")
    del record["access_level"]
    record["data_retention_schedule"] = {"action": "review"}
    assert sorted(said("dataset_administrative", record)) == [
        (
            "/access_level",
            "required",
            "“Access level” is missing. Accepted are public, embargoed, restricted, confidential.",
        ),
        (
            "/data_retention_schedule/period",
            "anyOf",
            "Retention: “Period” or “Keep until” is missing; one of them is needed.",
        ),
    ]


def test_a_long_value_is_cut_short_in_the_message() -> None:
    [(_, _, message)] = said(
        "project_descriptive", {**template("project_descriptive"), "project_title": ["x" * 10_000]}
    )
    assert len(message) < 200


def test_the_pointer_escapes_what_a_key_may_hold(folder: Path, live: SchemaSet) -> None:
    write(folder, "project_descriptive.json", {"properties": {"a/b~c": {"type": "string"}}})
    assert pointers(live.problems("project_descriptive", {**template("project_descriptive"), "a/b~c": 1})) == [
        "/a~1b~0c"
    ]


@pytest.mark.parametrize("record", [None, 7, "text", [], [{}]])
def test_a_record_that_is_no_object_is_told_so(record: Any) -> None:
    for kind in (*schemas.CATEGORIES, "registry"):
        assert [pointer for pointer, _, _ in said(kind, record)] == [""]


def test_a_value_no_json_can_hold_is_told_and_not_raised() -> None:
    deep: Any = "x"
    for _ in range(2000):
        deep = [deep]
    for value in ("\ud800", {1: 2}, deep, float("nan"), object()):
        record = {**template("project_descriptive"), "project_title": value}
        assert len(said("project_descriptive", record)) == 1


def test_no_more_problems_are_given_than_asked_for() -> None:
    record = {**full("dataset_administrative"), "keywords": list(range(100))}
    assert len(SchemaSet().problems("dataset_administrative", record, limit=7)) == 7


def test_a_bad_entry_in_a_long_manifest_is_found_at_its_place() -> None:
    bad = {**ENTRY, "size_bytes": -1}
    entries = [ENTRY] * 1700
    entries[3] = entries[1234] = entries[1699] = bad
    manifest = {**template("dataset_structural"), "file_count": "many", "file_descriptions": entries}
    assert pointers(SchemaSet().problems("dataset_structural", manifest)) == [
        "/file_count",
        "/file_descriptions/3/size_bytes",
        "/file_descriptions/1234/size_bytes",
        "/file_descriptions/1699/size_bytes",
    ]


def test_a_rule_on_a_long_list_as_a_whole_is_told_once(folder: Path, live: SchemaSet) -> None:
    write(folder, "dataset_structural.json", {"properties": {"file_descriptions": {"maxItems": 1000}}})
    manifest = {**template("dataset_structural"), "file_descriptions": [ENTRY] * 1200}
    assert pointers(live.problems("dataset_structural", manifest)) == ["/file_descriptions"]


def test_a_name_that_is_no_kind_is_refused() -> None:
    for name in ("person", "core", "definitions", ""):
        with pytest.raises(SchemaError, match=f'there is no schema of the name "{name}"'):
            SchemaSet().problems(name, {})


def test_many_threads_may_ask_at_once(folder: Path, live: SchemaSet) -> None:
    write(folder, "project_descriptive.json", {"$ref": PROJECT, "properties": {"x": {"type": "string"}}})
    record = {**template("project_descriptive"), "x": 1}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: pointers(live.problems("project_descriptive", record)), range(200)))
    assert found == [["/x"]] * 200
