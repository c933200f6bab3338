"""The published document: what is in it, and above all what never is."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import schemas
from catalog.publishing import whitelist
from catalog.publishing.access import LEVELS, Access, strictest
from catalog.publishing.iris import with_public_iris
from catalog.publishing.record import Former, Published, compose
from catalog.publishing.whitelist import Kind, public_part
from ingest import documents
from ingest.schema import SchemaSet
from tests.catalog.publishing import example

NOW = example.NOW


def test_the_example_is_as_it_stands_in_its_file() -> None:
    assert example.GOLDEN.read_text() == example.text(), "python -m tests.catalog.publishing.example writes it anew"


@pytest.mark.parametrize("kind", [*schemas.CATEGORIES, "registry"])
def test_the_records_the_example_is_made_of_are_valid(kind: str) -> None:
    made: dict[str, list[dict[str, Any]]] = {
        "project_descriptive": [example.project()],
        "dataset_administrative": [example.dataset()],
        "dataset_structural": [example.structure(example.images())],
        "file_technical": [*example.images(), *example.counts()],
        "instrument_technical": [example.microscope()],
        "experiment_contextual": [example.imaging(), example.analysis()],
        "registry": [example.entry()],
    }
    for part in made[kind]:
        # Embedded in a complete metadata file they carry no context of their own.
        context = {} if kind in ("file_technical", "registry") else {"@context": documents.context_iri(kind)}
        value = {**part, **context}
        assert [f"{p.pointer} {p.message}" for p in SchemaSet().problems(kind, value)] == []


@pytest.mark.parametrize("newest", [0, 1])
def test_the_facts_are_those_of_the_newest_data_object(newest: int) -> None:
    """Whichever of them is named first, and whatever the live record says by now."""
    made = copy.deepcopy(example.objects())
    for number, each in enumerate(made):
        each["generated_date"] = f"2026-0{1 + (number == newest)}-01T00:00:00Z"
        each["dataset"] |= {"dataset_title": f"Title {number}", "license": ("CC0-1.0", "ODbL-1.0")[number]}
        each["dataset"]["access_level"] = "public" if number == newest else "restricted"
        each["project"]["project_title"] = f"Project {number}"
        each["structure"]["naming_convention"] = f"Names {number}"
    for objects in (made, made[::-1]):
        found = compose(copy.deepcopy(example.entry()), {**example.dataset(), "dataset_title": "Live"}, objects, NOW)
        assert found is not None
        value = found.value
        assert (value["dataset_title"], value["license"]) == (f"Title {newest}", ("CC0-1.0", "ODbL-1.0")[newest])
        assert value["project"]["project_title"] == f"Project {newest}"
        assert value["structure"]["naming_convention"] == f"Names {newest}"
        assert (value["access_level"], len(value["data_objects"])) == ("public", 2)


# --- every key is decided ------------------------------------------------------------------------------------------

OF_SCHEMAS = {
    "project_descriptive": whitelist.PROJECT,
    "dataset_administrative": whitelist.DATASET,
    "dataset_structural": whitelist.STRUCTURE,
    "file_technical": whitelist.FILE,
    "instrument_technical": whitelist.INSTRUMENT,
    "experiment_contextual": whitelist.RUN,
    "complete_metadata": whitelist.DATA_OBJECT,
}


def resolved(rule: Any) -> dict[str, Any]:
    """A rule with what it refers to."""
    while isinstance(rule, dict) and "$ref" in rule:
        name, _, pointer = rule["$ref"].removeprefix(schemas.BASE).partition("#")
        target: Any = schemas.load(name.partition("/")[0])
        for step in filter(None, pointer.split("/")):
            target = target[step]
        rule = {**{k: v for k, v in rule.items() if k != "$ref"}, **target}
    return rule if isinstance(rule, dict) else {}


def undecided(rule: dict[str, Any], kind: Kind, where: str) -> Iterator[str]:
    known = {*kind.public, *kind.private}
    properties = resolved(rule).get("properties", {})
    yield from (f"{where}/{key} is neither public nor private" for key in properties if key not in known)
    yield from (f"{where}/{key} is no key of the schema" for key in known if key not in properties)
    yield from (f"{where}/{key} is both public and private" for key in kind.public if key in kind.private)
    for key, inner in kind.public.items():
        below = resolved(properties.get(key, {}))
        below = resolved(below.get("items", below))
        if inner is not None:
            yield from undecided(below, inner, f"{where}/{key}")
        elif below.get("properties"):
            yield f"{where}/{key} has keys of its own, and they are not decided"


@pytest.mark.parametrize("name", OF_SCHEMAS)
def test_every_key_of_every_schema_is_public_or_private_with_a_reason(name: str) -> None:
    assert list(undecided(schemas.load(name), OF_SCHEMAS[name], name)) == []


# --- what never leaves ---------------------------------------------------------------------------------------------

NEVER = (
    "audit-name-jdoe", "system:trigger-1", "private@example.org", "never public", "private reader", "private operator",
    "local_reviewer", "Foreign Person", "0000-0001-5109-3700", "p_Private", "p_HeatShock", "P10Y", "-rw-r--r--",
    "data_retention_schedule", "ethics_approvals", "consent_framework", "sensitivity", "anonymization_method",
    "instrument_metadata", "created_by", "last_modified_by", "generated_by", "11111111-2222",
)  # fmt: skip


@pytest.mark.parametrize("access", ["public", "embargoed", "restricted"])
@pytest.mark.parametrize("secret", NEVER)
def test_what_is_private_is_nowhere_in_it_whatever_the_level(secret: str, access: str) -> None:
    made = example.published(access_level=access, embargo_end_date="2030-01-01")
    assert secret not in json.dumps([made.value, made.files])
    assert secret in json.dumps([example.objects(), example.entry()])


def test_the_stewards_address_is_the_only_one() -> None:
    text = json.dumps(example.published().value)
    assert text.count("@example.org") == 1
    assert '"data@example.org"' in text


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every object in a document."""
    if isinstance(value, dict):
        yield here
        for key, each in value.items():
            yield from places(each, (*here, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from places(each, (*here, number))


FOREIGN = {
    "@id": "https://orcid.org/0000-0001-5109-3700",
    "@type": "Person",
    "name": "Foreign Person",
    "email": "foreign@example.org",
}


def test_a_foreign_key_with_a_typed_node_is_dropped_wherever_it_stands() -> None:
    expected = example.published().value
    for number, original in enumerate(example.objects()):
        for place in places(original):
            objects = copy.deepcopy(example.objects())
            here: Any = objects[number]
            for step in place:
                here = here[step]
            here["somebody"] = FOREIGN
            here["somebodies"] = [[FOREIGN], FOREIGN, "Foreign Person"]
            made = compose(example.entry(), example.dataset(), objects, NOW)
            assert made is not None
            assert made.value == expected, place


def test_a_node_where_a_plain_value_belongs_is_dropped() -> None:
    for kind in OF_SCHEMAS.values():
        forged = {key: FOREIGN for key, inner in kind.public.items() if inner is None}
        forged |= {key: [FOREIGN, [FOREIGN]] for key in list(forged)[::2]}
        assert public_part(forged, kind) == {}


def test_names_and_types_that_are_none_are_dropped() -> None:
    odd = {"@id": "javascript:alert(1) <x>", "@type": "Organization", "name": "Rosa"}
    assert public_part(odd, whitelist.PERSON) == {"name": "Rosa"}
    assert public_part({"@id": "urn:uuid:x", "@type": "Person"}, whitelist.PERSON) == {}
    assert public_part(["Rosa"], whitelist.PERSON) == {}


OURS = "urn:uuid:5b0d7f61-93a4-4c2e-8f17-6c5d4e3f2a1b"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("https://orcid.org/0000-0001-5109-3700", True),
        ("http://example.org/people#rosa", True),
        (OURS, True),
        ("mailto:rosa.private@example.org", False),
        ("MAILTO:rosa.private@example.org", False),
        ("tel:+49-30-1234", False),
        ("file:///home/rosa", False),
        (f"{OURS}#me", False),
        ("urn:uuid:rosa.private@example.org", False),
    ],
)
def test_a_name_written_by_hand_tells_no_address(name: str, kept: bool) -> None:
    part = public_part({"@id": name, "@type": "Person", "name": "Rosa"}, whitelist.PERSON)
    assert part == ({"@id": name} if kept else {}) | {"@type": "Person", "name": "Rosa"}


# --- state and access ------------------------------------------------------------------------------------------------


def composed(
    change: Callable[[dict[str, Any]], object] = lambda entry: None, now: datetime = NOW, **live: Any
) -> Published | None:
    entry = example.entry()
    change(entry)
    return compose(entry, {**example.dataset(), **live}, example.objects(), now)


@pytest.mark.parametrize("state", ["unpublished", "", None, "Published", 1])
def test_what_is_not_published_is_nothing(state: Any) -> None:
    assert composed(lambda entry: entry["publication"].update(state=state)) is None


def test_a_project_is_never_published_by_itself() -> None:
    assert composed(lambda entry: entry.update(kind="project")) is None


def test_only_the_revisions_that_were_published_are_public() -> None:
    def unpin(entry: dict[str, Any]) -> None:
        entry["publication"]["versions"][-1]["data_objects"].pop()

    made = composed(unpin)
    assert made is not None
    assert [each["experiment"]["run_label"] for each in made.value["data_objects"]] == ["run-1"]
    assert {each["run_id"] for each in made.value["file_descriptions"]} == {example.IMAGING}


def test_a_tombstone_says_who_and_when_and_nothing_else() -> None:
    told = {"state": "withdrawn", "withdrawn_date": "2026-11-30T10:00:00Z", "withdrawal_reason": "A wrong plate."}
    made = composed(lambda entry: entry["publication"].update(told))
    assert made is not None
    assert set(made.value) == {
        "@id", "@type", "dataset_identifier", "dataset_title", "creators", "publisher", "doi", "date_published",
        "previous_version", "dataset_version", "version_published", "publication_state", "withdrawal_reason",
        "withdrawn_date", "last_modified_date",
    }  # fmt: skip
    assert (made.state, made.value["last_modified_date"], made.files) == ("withdrawn", "2026-11-30T10:00:00Z", ())


@pytest.mark.parametrize("reason", ["", None])
def test_what_is_withdrawn_stays_so_without_a_reason(reason: str | None) -> None:
    made = composed(lambda entry: entry["publication"].update(state="withdrawn", withdrawal_reason=reason))
    assert made is not None
    assert (made.state, made.files, made.value["withdrawal_reason"]) == ("withdrawn", (), "No reason is recorded.")


@pytest.mark.parametrize("state", ["missing", "tombstone"])
def test_with_its_folder_gone_it_is_a_tombstone(state: str) -> None:
    gone = {"state": state, "missing_since": "2026-11-29T00:00:00Z"}
    entry = {**example.entry(), **gone}
    made = compose(entry, {}, [], NOW, last_level="restricted")
    assert made is not None
    assert (made.state, made.title) == ("withdrawn", example.dataset()["dataset_title"])
    assert made.value["withdrawn_date"] == "2026-11-29T00:00:00Z"


@pytest.mark.parametrize("state", ["missing", "tombstone"])
@pytest.mark.parametrize("level", ["", "confidential", "open"])
def test_with_its_folder_gone_only_a_level_that_was_read_keeps_title_and_names(state: str, level: str) -> None:
    gone = {"state": state, "missing_since": "2026-11-29T00:00:00Z"}
    made = compose({**example.entry(), **gone}, {}, [], NOW, last_level=level)
    assert made is not None
    assert (made.state, made.access_level) == ("withdrawn", "confidential")
    assert example.dataset()["dataset_title"] not in json.dumps(made.value)
    assert "Carberry" not in json.dumps(made.value)


@pytest.mark.parametrize("live", [{}, {"dataset_title": "A"}])
@pytest.mark.parametrize("level", ["", "public"])
def test_without_a_live_record_that_says_its_level_nothing_is_public(live: dict[str, Any], level: str) -> None:
    made = compose(example.entry(), live, example.objects(), NOW, last_level=level)
    assert made is not None
    assert (made.state, made.access_level, made.files) == ("withdrawn", "confidential", ())
    assert example.dataset()["dataset_title"] not in json.dumps(made.value)


def test_the_moment_of_the_last_change_only_grows() -> None:
    one = composed()
    assert one is not None
    later = Former(datetime(2026, 12, 24, 8, tzinfo=UTC), one.etag)
    again = compose(example.entry(), example.dataset(), example.objects(), NOW, former=later)
    assert again is not None
    assert (
        again.modified
        == datetime(2026, 12, 24, 8, 0, 1, tzinfo=UTC)
        == datetime.fromisoformat(again.value["last_modified_date"])
    )
    assert again.etag != one.etag
    same = Former(again.modified, again.etag)
    assert compose(example.entry(), example.dataset(), example.objects(), NOW, former=same) == again
    earlier = Former(datetime(2026, 11, 1, tzinfo=UTC), "0")
    moved = compose(example.entry(), example.dataset(), example.objects(), NOW, former=earlier)
    assert moved is not None
    assert moved.modified == NOW


def test_without_a_former_one_it_is_no_earlier_than_the_registrys_change() -> None:
    made = composed(lambda entry: entry.update(datestamp="2026-11-29T07:00:00Z"))
    assert made is not None
    assert made.value["last_modified_date"] == "2026-11-29T07:00:00Z"


def test_what_became_confidential_keeps_not_even_its_title() -> None:
    made = composed(access_level="confidential", last_modified_date="2026-11-25T08:00:00Z")
    assert made is not None
    assert (made.state, made.access_level) == ("withdrawn", "confidential")
    assert example.dataset()["dataset_title"] not in json.dumps(made.value)
    assert "Carberry" not in json.dumps(made.value)
    assert made.value["withdrawn_date"] == "2026-11-25T08:00:00Z"


# level and end of the embargo → what holds on 1 December 2026
SAID: dict[tuple[str | None, str | None], Access] = {
    ("public", None): Access("public"),
    ("embargoed", "2026-12-01"): Access("public"),
    ("embargoed", "2026-12-02"): Access("embargoed", date(2026, 12, 2)),
    ("embargoed", "2030-01-01"): Access("embargoed", date(2030, 1, 1)),
    ("embargoed", None): Access("embargoed", None),
    ("embargoed", "soon"): Access("embargoed", None),
    ("restricted", None): Access("restricted"),
    ("confidential", None): Access("confidential"),
    (None, None): Access("confidential"),
    ("open", None): Access("confidential"),
}


@pytest.mark.parametrize(("fixed", "live"), list(itertools.product(SAID, SAID)))
def test_the_stricter_of_two_records_holds(fixed: Any, live: Any) -> None:
    def said(pair: tuple[str | None, str | None]) -> dict[str, Any]:
        return {k: v for k, v in zip(("access_level", "embargo_end_date"), pair, strict=True) if v is not None}

    access = strictest([said(fixed), said(live)], NOW)
    both = (SAID[fixed], SAID[live])
    assert LEVELS.index(access.level) == max(LEVELS.index(each.level) for each in both)
    assert access == strictest([said(live), said(fixed)], NOW)
    if access.level == "embargoed":
        ends = [each.embargo_end for each in both if each.level == "embargoed"]
        assert access.embargo_end == (None if None in ends else max(end for end in ends if end is not None))


def test_an_embargo_is_over_as_its_day_begins_in_utc() -> None:
    last = composed(
        now=datetime(2027, 5, 31, 23, 59, 59, tzinfo=UTC), access_level="embargoed", embargo_end_date="2027-06-01"
    )
    first = composed(now=datetime(2027, 6, 1, tzinfo=UTC), access_level="embargoed", embargo_end_date="2027-06-01")
    assert last is not None
    assert first is not None
    assert (last.access_level, last.embargo_end, last.value["embargo_end_date"]) == (
        "embargoed", date(2027, 6, 1), "2027-06-01",
    )  # fmt: skip
    assert (first.access_level, first.embargo_end) == ("public", None)
    assert "embargo_end_date" not in first.value
    assert first.value["last_modified_date"] == "2027-06-01T00:00:00Z"


def test_a_private_change_of_the_live_record_changes_nothing_public() -> None:
    one, other = composed(), composed(sensitivity="personal", last_modified_date="2026-11-30T00:00:00Z")
    assert one is not None
    assert other is not None
    assert one.etag == other.etag


def test_the_funding_of_the_project_is_that_of_a_dataset_without() -> None:
    objects = example.objects()
    for each in objects:
        del each["dataset"]["funding"]
    made = compose(example.entry(), example.dataset(), objects, NOW)
    assert made is not None
    assert made.value["funding"] == made.value["project"]["funding"]


# --- names -----------------------------------------------------------------------------------------------------------


def test_every_thing_gets_a_public_name_by_its_type() -> None:
    value = with_public_iris(example.published().value, "https://data.example.org")
    base = "https://data.example.org/id"
    assert value["@id"] == f"{base}/dataset/{example.DATASET}"
    assert value["previous_version"] == f"{base}/dataset/{example.DATASET}#version-1"
    assert value["project"]["@id"] == f"{base}/project/{example.PROJECT}"
    assert value["creators"][0]["@id"] == example.CARBERRY["@id"]
    assert value["creators"][1]["@id"] == f"{base}/agent/{example.OKAFOR['@id'].removeprefix('urn:uuid:')}"
    assert value["data_objects"][0]["experiment"]["@id"].startswith(f"{base}/run/")
    assert value["file_descriptions"][0]["@id"].startswith(f"{base}/file/")
    assert value["instruments"][0]["landing_page"] == value["instruments"][0]["@id"]
    assert "urn:uuid:" not in json.dumps(value)


def test_the_guide_names_every_key_of_a_project_that_is_public() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "publishing.md").read_text()
    (sentence,) = re.findall(r"Of a project, what its published datasets say of it is public: (.*?)\. So", guide, re.S)
    assert set(re.findall(r"`(\w+)`", sentence)) == {key for key in whitelist.PROJECT.public if key[0] != "@"}
