"""One verdict from two validators: jsonschema is the reference, jsonschema-rs decides."""

from __future__ import annotations

import copy
import datetime
import random
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

import schemas
from ingest import periods
from ingest.check_digits import is_orcid, is_ror
from ingest.schema import SchemaSet
from tests.schemas.records import complete, full, template

KINDS = (*schemas.CATEGORIES, "registry")
CHECKER = jsonschema.FormatChecker(formats=["date"])
CHECKER.checks("orcid")(is_orcid)
CHECKER.checks("ror")(is_ror)


@CHECKER.checks("iri", raises=ValueError)
def _is_iri(value: object) -> bool:
    """RFC 3987 as far as the patterns beside it leave it open: the port of an authority is a number."""
    return not isinstance(value, str) or urlsplit(value).port != -1


@CHECKER.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", value, re.ASCII):
        return False
    return bool(datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", value.upper())))


@CHECKER.checks("email")
def _is_email(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+", value))


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    """As ECMA 262 has it: ``$`` is the very end, where Python's also stands before a last newline."""
    ecma = f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern
    if isinstance(value, str) and not re.search(ecma, value):
        yield ValidationError("pattern")


REGISTRY = Registry().with_resources(
    [(schemas.load(name)["$id"], Resource.from_contents(schemas.load(name))) for name in schemas.NAMES]
)
Reference = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _pattern})
REFERENCE = {kind: Reference(schemas.load(kind), registry=REGISTRY, format_checker=CHECKER) for kind in KINDS}
SET = SchemaSet()

POOL: list[Any] = [
    None, True, False, 0, 1, -1, 1.0, 1.5, 10**12, "", " ", "x", "a\n", "en", "de-CH", "a/b", "../a", "/a", ".",
    "a\x00b", "2026-11-23", "2026-02-30", "2026-13-01", "2026", "2026-11", "2026-11-23T05:24:05Z",
    "2026-11-23T25:24:05Z", "2026-11-23T05:24:05+01:00", "2026-02-30T05:24:05Z", "P10Y", "P", "PT", "P1Y2D",
    "CC-BY-4.0", "CC BY", "draft", "complete", "https://orcid.org/0000-0002-1825-0097",
    "https://orcid.org/0000-0002-1825-0098", "https://ror.org/05gq02987", "https://ror.org/05gq02986",
    "https://doi.org/10.5438/0012", "10.5438/0012", "doi:10.5438/0012", "urn:uuid:x",
    "urn:uuid:0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10", "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10", "http://a b",
    "http://a/%zz", "http://a/é#ü", "http://a:b/", "mailto:a@example.org", "a@example.org", "a@", "text/csv",
    "text/csv; header=present", "embargoed", "restricted", "personal", "computational", "DOI", "URL", "Cites",
    "Editor", "Person", "Organization", "present", "missing", "V2", "project", "dataset", "sha256", "-rw-r--r--",
    [], [[]], ["a", "a"], ["a", "b"], [1, 1.0], {}, {"name": "x"}, {"name": 1}, {"@type": "Person"}, {"value": "x"},
    {"url": "x"}, [{"name": "x"}], [{}], [None], {"period": "P1Y"},
    {"keep_until": "2026-11-23", "action": "delete"}, {"start": "2026-11-23"}, {"agent": {"name": "x"}},
]  # fmt: skip


def _places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield (*here, key)
        yield from _places(child, (*here, key))


def _change(record: Any, place: tuple[Any, ...], value: Any, how: str) -> None:
    at = record
    for step in place[:-1]:
        at = at[step]
    if how == "remove":
        del at[place[-1]]
    elif how == "double" and isinstance(at, list):
        at.append(copy.deepcopy(at[place[-1]]))
    else:
        at[place[-1]] = copy.deepcopy(value)


@st.composite
def records(draw: st.DrawFn, kind: str) -> Any:
    makers = [full, template, *([complete] if "status" in full(kind) else [])]
    record = draw(st.sampled_from(makers))(kind)
    known = sorted(schemas.load(kind)["properties"])
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from([*_places(record), *((key,) for key in known)]))
        how = draw(st.sampled_from(["set", "set", "remove", "double"]))
        if len(place) == 1 and place[0] not in record:
            how = "set"
        _change(record, place, draw(st.sampled_from(POOL)), how)
    return record


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150)
@given(data=st.data())
def test_both_validators_come_to_one_verdict_at_the_same_places(kind: str, data: st.DataObject) -> None:
    record = data.draw(records(kind))
    expected = {_pointer(error) for error in REFERENCE[kind].iter_errors(record)}
    problems = SET.problems(kind, record, limit=1000)
    # That an end comes before its beginning no schema can say.
    found = {problem.pointer for problem in problems if problem.rule != periods.RULE}
    assert found == expected


def _pointer(error: ValidationError) -> str:
    path = list(error.absolute_path)
    if error.validator == "required":  # reported where the missing key belongs
        path.append(next(key for key in error.validator_value if f"'{key}' is a required" in error.message))
    if error.validator == "anyOf":
        path.append(error.validator_value[0]["required"][0])
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def test_values_of_the_pool_in_fields_of_a_record(rng: random.Random, count: Callable[[int, int], int]) -> None:
    every = [(kind, key, value) for kind in KINDS for key in schemas.load(kind)["properties"] for value in POOL]
    disagreements = []
    for kind, key, value in rng.sample(every, count(1500, len(every))):
        record = {**template(kind), key: copy.deepcopy(value)}
        if REFERENCE[kind].is_valid(record) != (SET.problems(kind, record, 1) == []):
            disagreements.append((kind, key, value))
    assert disagreements == []
