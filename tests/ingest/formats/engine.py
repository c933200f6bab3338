"""Reads a file as the engine does: the head, one sequential read, the facts; and checks what every answer must be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

import schemas
from ingest import formats

CHUNK = 1 << 20


def describe(path: Path, chunk: int = CHUNK) -> dict[str, Any]:
    """The facts of one file, checked against the schema."""
    fd = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        extraction = formats.begin(path.name, size, os.pread(fd, formats.HEAD_BYTES, 0))
        if extraction.wants_chunks:
            for piece in _pieces(fd, chunk):
                extraction.feed(piece)
        facts = extraction.finish(fd)
    finally:
        os.close(fd)
    assert_valid(facts)
    return facts


def _pieces(fd: int, chunk: int) -> Iterator[memoryview]:
    offset = 0
    while piece := os.pread(fd, chunk, offset):
        yield memoryview(piece)
        offset += len(piece)


def describe_bytes(name: str, content: bytes) -> dict[str, Any]:
    """The facts of a content that never was on disk."""
    extraction = formats.begin(name, len(content), content[: formats.HEAD_BYTES])
    if extraction.wants_chunks:
        for start in range(0, len(content), CHUNK):
            extraction.feed(content[start : start + CHUNK])
    facts = extraction.finish(None)
    assert_valid(facts)
    return facts


def assert_valid(facts: dict[str, Any]) -> None:
    """Strict JSON, and a valid entry of a manifest when the system's own keys are added."""
    written = orjson.dumps(facts)
    assert orjson.loads(written) == facts
    assert not set(facts) - _KEYS, set(facts) - _KEYS
    errors = [f"{error.instance_path}: {error.message}" for error in _validator().iter_errors(_entry() | facts)]
    assert not errors, errors[:5]


_KEYS = frozenset(
    (
        "mime_type",
        "compression",
        "encoding",
        "format",
        "dimensions",
        "number_of_records",
        "bit_depth",
        "channels",
        "duration_seconds",
        "variables",
        "instrument_metadata",
        "extraction",
    )
)


def _entry() -> dict[str, Any]:
    identifier = "5d4c3b2a-1f0e-4d9c-8b7a-6f5e4d3c2b1a"
    return {
        "path": "a/b",
        "file_identifier": identifier,
        "@id": f"urn:uuid:{identifier}",
        "@type": "File",
        "file_name": "b",
        "size_bytes": 1,
        "permissions": "-rw-r--r--",
        "modified_utc": "2026-01-05T09:00:00Z",
        "metadata_changed_utc": "2026-01-05T09:00:00Z",
        "checksum": {"algorithm": "sha256", "value": "0" * 64},
        "data_object_version": "V1",
        "state": "present",
        "first_seen": "2026-01-05T09:00:00Z",
    }


@cache
def _validator() -> Any:
    loaded = [schemas.load(name) for name in schemas.NAMES]
    registry = jsonschema_rs.Registry([(schema["$id"], schema) for schema in loaded])
    return jsonschema_rs.Draft202012Validator(schemas.load("file_technical"), registry=registry, validate_formats=True)


def axes(facts: dict[str, Any]) -> dict[str, int]:
    """Axis → size."""
    return {row["axis"]: row["size"] for row in facts.get("dimensions", [])}


def variables(facts: dict[str, Any]) -> dict[str, str]:
    """Variable → data type."""
    return {row["name"]: row["data_type"] for row in facts.get("variables", [])}


def header(facts: dict[str, Any]) -> dict[str, Any]:
    """Header value by name; the first of each."""
    return {row["name"]: row["value"] for row in reversed(facts.get("instrument_metadata", []))}


def warnings(facts: dict[str, Any]) -> list[str]:
    """What the extraction left out or found malformed."""
    found: list[str] = facts["extraction"]["warnings"]
    return found
