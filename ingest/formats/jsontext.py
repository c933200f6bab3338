"""JSON and JSON Lines: the top-level type, its size, the fields of its records. Source: RFC 8259; jsonlines.org.

The values are never recorded, only the names of fields of records in an array.
"""

from __future__ import annotations

import os
import re
from typing import Any

import orjson

from ingest.formats import sandbox
from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Source
from ingest.formats.text import LineCounter, count_lines, is_wide

# A parsed value takes up to forty times its text; larger files are parsed in the worker, with its limits.
MAX_IN_PROCESS = 1 << 20
MAX_IN_WORKER = 64 << 20
_SAMPLE_RECORDS = 25
_LOOKS_LIKE = re.compile(rb'\s*(?:\{\s*["}]|\[\s*(?:[\[{"\]]|-?\d[\d.eE+-]*\s*[,\]]|(?:true|false|null)\s*[,\]]))')
_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", dict: "object", list: "array"}
_UNPARSED = object()


def is_json(source: Source) -> bool:
    """Whether the head is one JSON object or array, or starts like one; the value, if complete, is the clue."""
    body = source.body
    if not source.whole:
        source.clue = _UNPARSED
        return _LOOKS_LIKE.match(body) is not None and not is_json_lines(source)
    try:
        source.clue = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        source.clue = error
        return source.extension == "json" and not is_json_lines(source)
    return isinstance(source.clue, dict | list)


def is_json_lines(source: Source) -> bool:
    """Whether the first two lines are complete objects or arrays of their own."""
    lines = source.body[:65_536].split(b"\n", 2)
    if len(lines) < 2 or not lines[1].lstrip().startswith((b"{", b"[")):
        return False
    try:
        orjson.loads(lines[0])
        if len(lines) > 2 or source.whole:
            orjson.loads(lines[1])
    except orjson.JSONDecodeError:
        return False
    return True


def describe(source: Source, facts: Facts) -> None:
    """Members of the top-level object, or elements of the array and their fields."""
    value = source.clue
    if value is _UNPARSED:
        value = _load_rest(source, facts)
    if isinstance(value, orjson.JSONDecodeError):
        facts.warn(_not_json(value))
    elif isinstance(value, dict | list):
        describe_value(value, facts)


def _not_json(error: orjson.JSONDecodeError) -> str:
    return f"this is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}"


def describe_value(value: dict[str, Any] | list[Any], facts: Facts) -> None:
    """Size of the top level; for an array of objects their fields."""
    if isinstance(value, dict):
        facts.dimension("object members", len(value))
        return
    facts.records = len(value)
    facts.dimension("array elements", len(value))
    _describe_fields(value[:_SAMPLE_RECORDS], facts)


def _describe_fields(records: list[Any], facts: Facts) -> None:
    types: dict[str, str] = {}
    for record in records:
        if type(record) is not dict:
            return
        for name, value in record.items():
            if value is None:
                types.setdefault(name, "")
                continue
            found = _JSON_TYPES[type(value)]
            known = types.get(name)
            if known != found:
                types[name] = found if not known else _wider(known, found)
    for name, kind in types.items():
        facts.variable(name, kind or "null")


def _wider(one: str, other: str) -> str:
    return "number" if {one, other} == {"integer", "number"} else "mixed"


def _load_rest(source: Source, facts: Facts) -> Any:
    """The parsed value of a file larger than its head; None when that is left to the worker or left out."""
    if source.size is None or source.fd is None:
        facts.warn("the JSON value was not parsed: it is compressed and larger than 64 kB")
    elif is_wide(source) or source.size > MAX_IN_WORKER:
        facts.warn(f"the JSON value was not parsed: it is larger than {MAX_IN_WORKER >> 20} MB or not UTF-8")
    elif source.size > MAX_IN_PROCESS:
        sandbox.describe("json", source, facts)
    else:
        try:
            return orjson.loads(source.read(0, source.size).removeprefix(b"\xef\xbb\xbf"))
        except orjson.JSONDecodeError as error:
            return error
    return None


def extract(fd: int, size: int, facts: Facts) -> None:
    """The worker's part: parse a value of up to 64 MB, inside its memory limit."""
    try:
        value = orjson.loads(os.pread(fd, size, 0).removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise MalformedError(_not_json(error)) from error
    if isinstance(value, dict | list):
        describe_value(value, facts)


def describe_lines(source: Source, facts: Facts) -> None:
    """The number of lines that are not empty, and the fields of the first ones."""
    lines = source.body.split(b"\n", _SAMPLE_RECORDS)
    if len(lines) > _SAMPLE_RECORDS or not source.whole:
        lines.pop()
    records = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            records.append(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            facts.warn(f"line {number} is not valid JSON: {error.msg}")
            break
    _describe_fields(records, facts)
    if source.whole:
        blank = sum([not line.strip() for line in source.body.splitlines()])
        facts.records = count_lines(source.body) - blank


def lines_counter(source: Source) -> LineCounter | None:
    return None if is_wide(source) else LineCounter(source)
