"""Whether a local schema may be used. ``python -m ingest.schema_lint KIND`` judges the schema on standard input.

A local schema comes from anyone who can write into the watched folder, so it is judged in a child process with
limits on time and memory (:func:`judge`) before this process compiles a pattern of it. The rules are on the page
``docs/why/schemas.md``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from ingest.schema_compile import (
    DIALECT,
    PACKAGED,
    PACKAGED_BY_ID,
    Schema,
    children,
    core_and,
    draft_form,
    positions,
    target,
    validator,
)
from schemas import BASE

MAX_BYTES = 512 * 1024
MAX_PATTERN = 4_000
MAX_EXPANDED = 20_000
MAX_DEPTH = 100
CPU_SECONDS = 5
WALL_SECONDS = 30
MEMORY_BYTES = 512 * 1024**2
_VERSION = re.compile(r"[/:@_-]v?\d+(\.\d+)*([-+][0-9A-Za-z.]+)?(\.json)?(/[^/]*)?$")
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_STRESS_COUNT = 2_000


class RefusedError(Exception):
    """Why a schema is refused, as a person reads it."""


def judge(kind: str, raw: bytes) -> str:
    """The reason for which a local schema of a kind is refused, in one sentence; ``""`` when it may be used.

    The child process gets no more than ``CPU_SECONDS`` of one core and ``MEMORY_BYTES``.
    """
    if len(raw) > MAX_BYTES:
        return f"it has {len(raw):,} bytes, more than the {MAX_BYTES:,} a schema may have; make it smaller"
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter and module, no shell
            [sys.executable, "-P", "-m", "ingest.schema_lint", kind],
            input=raw, capture_output=True, env=_environment(), timeout=WALL_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"checking it took longer than {WALL_SECONDS} seconds; make its rules simpler"
    if child.returncode == 0:
        return child.stdout.decode("utf-8", "replace")
    if child.returncode < 0 or b"MemoryError" in child.stderr:
        return (
            f"checking it took more than {CPU_SECONDS} seconds or {MEMORY_BYTES // 1024**2} MB; "
            "make its patterns, combinations and lists of rules simpler"
        )
    last = child.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return f"it could not be checked ({_short(last)}); please report this with the file"


def _environment() -> dict[str, str]:
    """What Python needs to start and to find us, and nothing else of this process's environment."""
    here = str(Path(__file__).resolve().parent.parent)
    kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH", "HOME") if key in os.environ}
    paths = os.pathsep.join([here, *(entry for entry in sys.path if entry)])
    return {**kept, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}


# --- in the child --------------------------------------------------------------------------------------------


def refuse(kind: str, raw: bytes) -> None:
    """Every rule a local schema has to meet, the cheap ones first.

    Raises:
        RefusedError: with the rule that is broken, and where.
    """
    schema = parse(raw)
    _identity(schema)
    _dialect(schema)
    home = _Home(schema["$id"], positions(schema))
    _inner_identities(home.places)
    _references(home)
    _patterns(home.places)
    _size(home)
    _probe(kind, schema)


def parse(raw: bytes) -> Schema:
    """The schema of a file, read strictly: UTF-8, no NaN, no key twice, an object.

    Raises:
        RefusedError: when it is none.
    """
    try:
        schema = orjson.loads(raw)
        json.loads(raw, object_pairs_hook=_no_key_twice)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise RefusedError(f"it is not valid JSON ({error.msg} at {where}); correct it there") from None
    except RecursionError:
        raise RefusedError("it is nested too deeply; flatten it") from None
    if not isinstance(schema, dict):
        raise RefusedError("it is not a JSON object; a schema stands in { }")
    return schema


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, item in pairs:
        if key in value:
            raise RefusedError(f'the key "{key}" stands twice in one object; keep one of the two')
        value[key] = item
    return value


def _identity(schema: Schema) -> None:
    own = schema.get("$id")
    dialect = schema.get("$schema", DIALECT)
    if dialect != DIALECT:
        raise RefusedError(f'"$schema" is {_show(dialect)}; only {DIALECT} is understood, and nothing is fetched')
    if not isinstance(own, str):
        raise RefusedError('it has no "$id" of its own; give it one with a version, such as '
                      "https://example.org/schemas/project_descriptive/1.0.0")  # fmt: skip
    if own.startswith((BASE, "https://json-schema.org/", "http://json-schema.org/")):
        raise RefusedError(f'its "$id" {_show(own)} belongs to someone else; give it one of your own, with a version')
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s#]+$", own):
        raise RefusedError(f'its "$id" {_show(own)} is no absolute IRI without a fragment; write it in full')
    if not _VERSION.search(own):
        raise RefusedError(f'its "$id" {_show(own)} has no version; end it with one, such as /1.0.0')


def _dialect(schema: Schema) -> None:
    """Against the metaschema, by the reference validator: none of the schema's own patterns is run."""
    import jsonschema  # type: ignore[import-untyped,unused-ignore]  # heavy; only the child needs it

    checker = jsonschema.Draft202012Validator(jsonschema.Draft202012Validator.META_SCHEMA)
    try:
        error = jsonschema.exceptions.best_match(checker.iter_errors(schema))
    except RecursionError:
        raise RefusedError("it is nested too deeply; flatten it") from None
    if error is not None:
        where = "/" + "/".join(str(step) for step in error.absolute_path)
        raise RefusedError(f"it is not a valid schema of draft 2020-12: {_short(error.message)} (at {where})")


def _inner_identities(places: Mapping[str, Any]) -> None:
    for pointer, node in places.items():
        if pointer and isinstance(node, dict):
            for key in ("$id", "$schema", "$vocabulary"):
                if key in node:
                    raise RefusedError(f'"{key}" at {pointer} stands inside the schema; it belongs at the top only')


@dataclass(frozen=True)
class _Home:
    """A schema that references lead into: its ``$id`` and its places."""

    iri: str
    places: Mapping[str, Any]


@cache
def _packaged(iri: str) -> _Home | None:
    schema = PACKAGED_BY_ID.get(iri)
    return None if schema is None else _Home(iri, positions(schema))


def _references(home: _Home) -> None:
    for pointer, node in home.places.items():
        if isinstance(node, dict):
            for keyword in _REFERENCES:
                if keyword in node:
                    _resolve(home, node[keyword], f'"{keyword}" at {pointer or "the top"}')


def _resolve(home: _Home, reference: str, place: str) -> tuple[_Home, str, Any]:
    """The schema a reference leads into, the pointer there, and what stands there.

    Raises:
        RefusedError: when it leads to anything but the schema itself or a packaged one.
    """
    iri = reference.partition("#")[0]
    there = home if iri in ("", home.iri) else _packaged(iri)
    if there is None:
        raise RefusedError(
            f"{place} leads to {_show(reference)}; a schema may refer to itself (#/…) and to the packaged ones "
            f"({BASE}<name>/1.0.0) only, and nothing is fetched"
        )
    found = target(there.places, reference)
    if found is None:
        raise RefusedError(f"{place} leads to {_show(reference)}, where no schema stands")
    return there, *found


def _patterns(places: Mapping[str, Any]) -> None:
    for pointer, node in places.items():
        if isinstance(node, dict):
            for pattern in _patterns_of(node):
                _pattern(pattern, pointer or "the top")


def _patterns_of(node: Schema) -> Iterator[str]:
    if "pattern" in node:
        yield node["pattern"]
    yield from node.get("patternProperties", {})


def _pattern(pattern: str, place: str) -> None:
    if len(pattern) > MAX_PATTERN:
        raise RefusedError(
            f"the pattern at {place} has {len(pattern):,} characters, more than {MAX_PATTERN:,}; shorten it"
        )
    try:
        validator({"pattern": pattern})
    except ValueError:
        raise RefusedError(
            f"the pattern {_show(pattern)} at {place} is not one that runs in linear time: it is malformed, too "
            "large, or has look-around or back references; write it without"
        ) from None


def _size(home: _Home) -> None:
    """No reference leads back to itself, and written out in full the schema stays small: evaluation is bounded."""
    total = _Measure().parts(home, "", home.places[""])
    if total > MAX_EXPANDED:
        raise RefusedError(
            f"written out in full it has {total:,} parts, more than {MAX_EXPANDED:,}: its combinations "
            "(allOf, anyOf, $ref) multiply; make it simpler"
        )


class _Measure:
    """Counts the parts of a schema with every reference written out, each place once."""

    def __init__(self) -> None:
        self._counted: dict[tuple[str, str], int] = {}
        self._open: list[tuple[str, str]] = []

    def parts(self, home: _Home, pointer: str, node: Any) -> int:
        """How many parts a place comes to.

        Raises:
            RefusedError: a reference leads back to a place it stands in, or the parts are nested too deeply.
        """
        key = (home.iri, pointer)
        if key in self._counted or not isinstance(node, dict):
            return self._counted.get(key, 1)
        if key in self._open:
            raise RefusedError(f'"$ref" leads back to {pointer or "the top"}, where it stands: a loop; take it out')
        if len(self._open) >= MAX_DEPTH:
            raise RefusedError(f"it is nested more than {MAX_DEPTH} levels deep; flatten it")
        self._open.append(key)
        self._counted[key] = self._below(home, pointer, node)
        self._open.pop()
        return self._counted[key]

    def _below(self, home: _Home, pointer: str, node: Schema) -> int:
        total = 1
        for keyword, below, child in children(node):
            if keyword not in ("$defs", "definitions"):
                total += self.parts(home, pointer + below, child)
        for keyword in _REFERENCES:
            if keyword in node:
                total += self.parts(*_resolve(home, node[keyword], f'"{keyword}" at {pointer or "the top"}'))
        return total


# --- what the system writes must stay possible ---------------------------------------------------------------


def _probe(kind: str, schema: Schema) -> None:
    own = {schema["$id"]: schema}
    try:
        full = validator(core_and(kind, {"$ref": schema["$id"]}), own)
        draft = validator(core_and(kind, draft_form(kind, schema)))
    except ValueError as error:
        raise RefusedError(f"it cannot be used: {_short(str(error).splitlines()[0])}") from None
    for document in PACKAGED["core"]["$defs"][kind]["examples"]:
        for broken in draft.iter_errors(document):
            if document.get("status") == "complete" and not broken.instance_path:
                continue  # what else a complete record needs is the schema's own affair
            where = "/" + "/".join(str(step) for step in broken.instance_path)
            raise RefusedError(
                f"it forbids what the system itself writes: {_short(broken.message)} "
                f"(rule {_show(broken.kind.name)} for {where}); leave every value the system writes possible"
            )
    for document in _stress(schema):  # only the time matters: the child is killed when it runs out
        for each in (draft, full):
            each.is_valid(document)


def _stress(schema: Schema) -> Iterator[Any]:
    """Values that make costly rules show: a long text, and long lists of texts and objects, under every key."""
    names = sorted({name for node in positions(schema).values() for name in _named(node)})[:200]
    rows = [{"name": f"n{i}", "value": i, **dict.fromkeys(names[:5], i)} for i in range(_STRESS_COUNT)]
    texts = [f"{'a' * 30}!{i}" for i in range(_STRESS_COUNT)]
    for value in ("a" * 10_000 + "!", texts, rows, {f"k{i}": i for i in range(_STRESS_COUNT)}):
        yield value
        yield {"status": "complete", **dict.fromkeys(names, value)}


def _named(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node.get("properties", {})


def _show(value: Any) -> str:
    return _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"


def _limit() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(kind: str) -> None:
    """Print why the schema on standard input is refused as one of this kind; print nothing when it may be used."""
    _limit()
    try:
        refuse(kind, sys.stdin.buffer.read())
    except RefusedError as refusal:
        sys.stdout.buffer.write(str(refusal).encode("utf-8", "replace"))


if __name__ == "__main__":
    main(sys.argv[1])
