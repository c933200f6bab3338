"""Which local schemas are refused, and why; that none of them reaches out; that none holds the service up."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import schemas
from ingest import schema_lint
from ingest.schema import SchemaSet
from tests.schemas.records import template

OWN = "https://uni.example/schemas/project/1.0.0"
PROJECT = f"{schemas.BASE}project_descriptive/1.0.0"
DEFINITIONS = f"{schemas.BASE}definitions/1.0.0"


def reason(schema: Any, kind: str = "project_descriptive") -> str:
    raw = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
    return schema_lint.judge(kind, raw)


def verdict(schema: Any, kind: str = "project_descriptive") -> str:
    """As :func:`reason`, without the child process around it."""
    raw = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
    try:
        schema_lint.refuse(kind, raw)
    except schema_lint.RefusedError as refused:
        return str(refused)
    return ""


def own(**rules: Any) -> dict[str, Any]:
    return {"$id": OWN, **rules}


ACCEPTED: dict[str, dict[str, Any]] = {
    "ours, and one field more": own(**{"$ref": PROJECT}, required=["cost_centre"]),
    "its own fields only": own(type="object", properties={"project_title": {"type": "string", "maxLength": 80}}),
    "required on what only people know": own(required=["project_title", "cost_centre"]),
    "required deep inside": own(properties={"principal_investigator": {"required": ["orcid"]}}),
    "required within its own parts": own(
        **{"$defs": {"all": {"required": ["laboratory"]}}}, allOf=[{"$ref": "#/$defs/all"}]
    ),
    "one of two required": own(anyOf=[{"required": ["institution"]}, {"required": ["laboratory"]}]),
    "one field requires another": own(dependentRequired={"status": ["project_title"]}),
    "required once complete": own(
        **{"if": {"properties": {"status": {"const": "complete"}}}, "then": {"required": ["x"]}}
    ),
    "a part of ours": own(properties={"owner": {"$ref": f"{DEFINITIONS}#/$defs/person"}}),
    "a part of ours, complete": own(
        properties={"principal_investigator": {"$ref": f"{DEFINITIONS}#/$defs/person_complete"}}
    ),
    "an anchor of its own": own(
        **{"$defs": {"c": {"$anchor": "code", "type": "string"}}}, properties={"c": {"$ref": "#code"}}
    ),
    "the dialect named": own(**{"$schema": "https://json-schema.org/draft/2020-12/schema"}),
    "a hostile pattern, which runs in linear time here": own(properties={"code": {"pattern": "^(a+)+$"}}),
    "closed, with every key the system writes": own(
        properties=dict.fromkeys(schemas.load("project_descriptive")["properties"], True), additionalProperties=False
    ),
    "a $ref that is a value, not a keyword": own(
        properties={"$ref": {"type": "string"}, "x": {"enum": [{"$ref": "http://127.0.0.1/x"}]}}
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_sound_local_schema_is_accepted(name: str) -> None:
    assert verdict(ACCEPTED[name]) == ""


DEEP: dict[str, Any] = {}
for _ in range(300):
    DEEP = {"items": DEEP}
DOUBLING = {f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(40)} | {"a40": {"type": "string"}}

REFUSED: dict[str, tuple[Any, str]] = {
    "no JSON": (b"{", "it is not valid JSON"),
    "empty": (b"", "it is not valid JSON"),
    "NaN": (b'{"$id": "https://uni.example/1.0.0", "minimum": NaN}', "it is not valid JSON"),
    "a lone surrogate": (b'{"$id": "https://uni.example/1.0.0", "title": "\\ud800"}', "it is not valid JSON"),
    "Latin-1": (b'{"$id": "https://uni.example/1.0.0", "title": "\xe9"}', "it is not valid JSON"),
    "a key twice": (
        b'{"$id": "https://uni.example/1.0.0", "type": "object", "type": "array"}',
        'the key "type" stands twice',
    ),
    "a list": (b"[]", "it is not a JSON object"),
    "no identity": ({"type": "object"}, 'it has no "$id"'),
    "no version": ({"$id": "https://uni.example/schemas/project"}, "has no version"),
    "a relative identity": ({"$id": "project/1.0.0"}, "no absolute IRI"),
    "our identity": ({"$id": PROJECT}, "belongs to someone else"),
    "the metaschema's identity": ({"$id": "https://json-schema.org/draft/2020-12/schema"}, "belongs to someone else"),
    "another dialect": (
        own(**{"$schema": "http://json-schema.org/draft-07/schema#"}),
        '"$schema" is "http://json-schema.org',
    ),
    "a dialect to be fetched": (own(**{"$schema": "http://127.0.0.1:9/meta"}), "nothing is fetched"),
    "not a schema": (own(type="text"), "not a valid schema of draft 2020-12"),
    "required as a text": (own(required="title"), "not a valid schema of draft 2020-12"),
    "an identity inside": (own(**{"$defs": {"x": {"$id": f"{DEFINITIONS}"}}}), '"$id" at /$defs/x stands inside'),
    "$ref to http": (own(**{"$ref": "http://127.0.0.1:9/x"}), '"$ref" at the top leads to "http://127.0.0.1:9/x"'),
    "$ref to https inside": (
        own(properties={"x": {"$ref": "https://evil.example/x"}}),
        '"$ref" at /properties/x leads to',
    ),
    "$ref to a file": (own(allOf=[{"$ref": "file:///etc/passwd"}]), '"$ref" at /allOf/0 leads to "file:///etc/passwd"'),
    "$ref to ftp": (own(items={"$ref": "ftp://127.0.0.1/x"}), "leads to"),
    "$ref to a neighbour": (own(**{"$ref": "other.json"}), '"$ref" at the top leads to "other.json"'),
    "$dynamicRef to http": (own(**{"$dynamicRef": "http://127.0.0.1:9/x#y"}), '"$dynamicRef" at the top leads to'),
    "$ref to one of ours that is not": (own(**{"$ref": f"{schemas.BASE}person/1.0.0"}), "leads to"),
    "$ref to a part that is not": (own(**{"$ref": f"{DEFINITIONS}#/$defs/nobody"}), "where no schema stands"),
    "$ref to no schema": (own(title="x", **{"$ref": "#/title"}), "where no schema stands"),
    "a loop to itself": (own(**{"$ref": "#"}), "a loop"),
    "a loop by $dynamicRef": (own(**{"$dynamicRef": "#"}), "a loop"),
    "a loop by its identity": (own(**{"$ref": OWN}), "a loop"),
    "a loop of two": (
        own(**{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}),
        "a loop",
    ),
    "a loop through a field": (own(properties={"part": {"$ref": "#"}}), "a loop"),
    "look-ahead": (own(properties={"x": {"pattern": "^(?!a)b"}}), "look-around or back references"),
    "a back reference": (own(properties={"x": {"pattern": r"^(a+)\1$"}}), "look-around or back references"),
    "look-ahead in a name": (own(patternProperties={"^(?=a)": True}), "look-around or back references"),
    "a pattern nobody uses": (own(**{"$defs": {"x": {"pattern": "(?<=a)b"}}}), "look-around or back references"),
    "a huge pattern": (own(properties={"x": {"pattern": "((a{100}){100}){100}"}}), "too large"),
    "a long pattern": (own(properties={"x": {"pattern": "a" * 5000}}), "characters, more than"),
    "multiplying combinations": (own(**{"$defs": DOUBLING, "$ref": "#/$defs/a0"}), "written out in full"),
    "deeply nested": (own(**DEEP), "deep"),
    "a core key forbidden": (own(properties={"created_by": False}), "it forbids what the system itself writes"),
    "a core key of another type": (
        own(properties={"project_identifier": {"type": "integer"}}),
        "for /project_identifier",
    ),
    "closed against the core": (
        own(properties={"project_title": True}, additionalProperties=False),
        "forbids what the system",
    ),
    "names the system does not use": (
        own(propertyNames={"pattern": "^[a-z]+$"}),
        "it forbids what the system itself writes",
    ),
    "too few keys": (own(maxProperties=3), "it forbids what the system itself writes"),
    "drafts forbidden": (own(properties={"status": {"const": "complete"}}), "for /status"),
    "completing forbidden": (own(properties={"status": {"const": "draft"}}), "for /status"),
    "people as authors forbidden": (
        own(properties={"last_modified_by": {"pattern": "^system:"}}),
        "for /last_modified_by",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_unsound_local_schema_is_refused_with_the_rule_and_the_place(name: str) -> None:
    schema, expected = REFUSED[name]
    assert expected in verdict(schema)


def test_the_child_process_comes_to_the_same_verdict() -> None:
    for name in ("no JSON", "look-ahead", "a loop of two", "a core key forbidden"):
        schema, expected = REFUSED[name]
        assert expected in reason(schema)
    assert reason(ACCEPTED["ours, and one field more"]) == ""
    assert "bytes, more than" in reason(b'{"title": "' + b"x" * schema_lint.MAX_BYTES + b'"}')


ENTRY_RULES = {
    "no checksum": {"properties": {"checksum": False}},
    "names by a convention": {"properties": {"file_name": {"pattern": "^[a-z0-9_.]+$"}}},
    "no large files": {"properties": {"size_bytes": {"maximum": 10**9}}},
    "no missing files": {"properties": {"state": {"const": "present"}}},
    "an extension on every file": {
        "properties": {"extension": {"minLength": 2}},
        "required": ["path"],
        "minProperties": 17,
    },
}


@pytest.mark.parametrize("name", ENTRY_RULES)
def test_no_local_schema_can_stop_a_file_from_being_described(name: str) -> None:
    assert "it forbids what the system itself writes" in verdict(own(**ENTRY_RULES[name]), "file_technical")
    manifest = own(properties={"file_descriptions": {"items": ENTRY_RULES[name]}})
    assert "it forbids what the system itself writes" in verdict(manifest, "dataset_structural")


def test_a_dataset_schema_must_leave_a_copys_origin_and_the_default_publisher_possible() -> None:
    for key in ("derived_from", "publisher"):
        assert f"for /{key}" in verdict(own(properties={key: False}), "dataset_administrative")


# --- nothing is fetched ---------------------------------------------------------------------------------------


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A port of this machine, and whoever called it."""
    calls: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                calls.append(str(address))
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1], calls
        time.sleep(0.2)
        stop.set()
        thread.join()


def _hostile(address: str) -> list[dict[str, Any]]:
    return [
        own(**{"$ref": address}),
        own(**{"$dynamicRef": f"{address}#x"}),
        own(**{"$schema": address}),
        own(properties={"x": {"$ref": address}}),
        own(**{"$defs": {"x": {"$ref": address}}}),
        own(**{"$vocabulary": {address: True}, "$ref": f"{address}#/$defs/x"}),
        {"$id": f"{address}/1.0.0", "$ref": "other"},
    ]


def test_the_listener_hears_a_caller(listener: tuple[int, list[str]]) -> None:
    port, calls = listener
    socket.create_connection(("127.0.0.1", port)).close()
    for _ in range(3_000):
        if calls:
            break
        time.sleep(0.02)
    assert len(calls) == 1


def test_a_reference_to_elsewhere_is_refused_without_a_single_connection(
    listener: tuple[int, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, calls = listener
    tried: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: tried.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: tried.append(args) or [])
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"type": "object"}))
    addresses = [
        f"http://127.0.0.1:{port}/x",
        f"https://127.0.0.1:{port}/x",
        f"ftp://127.0.0.1:{port}/x",
        secret.as_uri(),
    ]
    for address in addresses:
        for schema in _hostile(address):
            assert address in reason(schema) or "nothing is fetched" in reason(schema)
            with pytest.raises(schema_lint.RefusedError):  # in this process too, where connect is watched
                schema_lint.refuse("project_descriptive", json.dumps(schema).encode())
    assert tried == []
    time.sleep(0.2)
    assert calls == []


def test_a_document_that_names_a_schema_elsewhere_makes_nobody_fetch_it(listener: tuple[int, list[str]]) -> None:
    port, calls = listener
    address = f"http://127.0.0.1:{port}/x"
    record = {**template("project_descriptive"), "$schema": address, "$ref": address, "$dynamicRef": address}
    assert SchemaSet().problems("project_descriptive", record) == []
    assert [p.pointer for p in SchemaSet().problems("project_descriptive", {**record, "@context": address})] == [
        "/@context"
    ]
    time.sleep(0.2)
    assert calls == []


# --- nothing hangs --------------------------------------------------------------------------------------------


def test_a_check_that_takes_too_long_is_ended_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_lint, "WALL_SECONDS", 0)
    assert "took longer than" in reason(own())


def test_a_check_that_takes_too_much_time_or_memory_is_ended_by_its_own_limits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schema_lint, "WALL_SECONDS", 500)
    heavy = own(properties={f"k{i}": {"pattern": f"^(\\w{{1,60}}){{1,200}}{i}$"} for i in range(9000)})
    assert "took more than" in reason(heavy)


def test_costly_rules_that_stay_within_the_limits_are_accepted() -> None:
    assert reason(own(properties={f"k{i}": {"uniqueItems": True} for i in range(100)})) == ""
