"""From schemas to compiled validators: linear-time patterns, formats asserted, nothing ever fetched.

Every function here is pure; which schema is in force is :mod:`ingest.schema`'s business.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

import schemas
from ingest.check_digits import is_orcid, is_ror

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FORMATS = {"orcid": is_orcid, "ror": is_ror}
PATTERN_BYTES = 2_000_000
"""Bound on one compiled regular expression: our own stay far below, ``((a{100}){100}){100}`` is far above."""

PACKAGED: Mapping[str, Schema] = {name: schemas.load(name) for name in schemas.NAMES}
PACKAGED_BY_ID: Mapping[str, Schema] = {schema["$id"]: schema for schema in PACKAGED.values()}
FILE_TECHNICAL: str = PACKAGED["file_technical"]["$id"]

# Keywords of draft 2020-12 (and the two older spellings it still knows) that hold schemas.
ONE = (
    "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
NAMED = ("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties")


def escape(step: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")


def unescape(step: str) -> str:
    """The inverse of :func:`escape`."""
    return step.replace("~1", "/").replace("~0", "~")


def children(node: Schema) -> Iterator[tuple[str, str, Any]]:
    """The schemas directly inside a schema: (keyword, pointer below the node, schema)."""
    for keyword in ONE:
        if keyword in node:
            yield keyword, f"/{keyword}", node[keyword]
    for keyword in MANY:
        if isinstance(node.get(keyword), list):
            for number, child in enumerate(node[keyword]):
                yield keyword, f"/{keyword}/{number}", child
    for keyword in NAMED:
        if isinstance(node.get(keyword), dict):
            for name, child in node[keyword].items():
                if not isinstance(child, list):  # "dependencies" may also hold lists of names
                    yield keyword, f"/{keyword}/{escape(name)}", child


def positions(schema: Schema) -> dict[str, Any]:
    """Every place of a schema that holds a schema, by its JSON pointer; ``""`` is the whole."""
    found: dict[str, Any] = {}
    waiting: list[tuple[str, Any]] = [("", schema)]
    while waiting:
        pointer, node = waiting.pop()
        found[pointer] = node
        if isinstance(node, dict):
            waiting.extend((pointer + below, child) for _, below, child in children(node))
    return found


def validator(schema: Schema, extra: Mapping[str, Schema] | None = None) -> jsonschema_rs.Draft202012Validator:
    """A validator that knows the packaged schemas, and ``extra`` ones by their ``$id``; compiled once for a process.

    Raises:
        jsonschema_rs.ValidationError: a pattern has look-around or back references or is too large, or a
            ``$ref`` leads to what is not known.
    """
    # Every workspace and every form has schemas of its own, nearly always the same: to compile them takes milliseconds.
    return _compiled(marshal.dumps((schema, dict(extra or {})), 2))


@lru_cache(maxsize=64)
def _compiled(key: bytes) -> jsonschema_rs.Draft202012Validator:
    schema, extra = marshal.loads(key)  # noqa: S302 - written by ourselves, in this process
    resources: list[tuple[str, Any]] = [*PACKAGED_BY_ID.items(), *extra.items()]
    return jsonschema_rs.Draft202012Validator(
        schema,
        registry=jsonschema_rs.Registry(resources),
        validate_formats=True,
        formats=FORMATS,
        pattern_options=jsonschema_rs.RegexOptions(size_limit=PATTERN_BYTES),
        offline=True,
    )


def core_and(kind: str, schema: Schema) -> Schema:
    """The core of a kind above a local schema: both must hold. A packaged schema repeats its core by reference."""
    return {"$schema": DIALECT, "allOf": [{"$ref": f"{PACKAGED['core']['$id']}#/$defs/{kind}"}, schema]}


def replace_reference(node: Any, old: str, new: str) -> Any:
    """A copy in which every ``$ref`` into ``old`` leads into ``new``; texts that only look like one are left alone."""
    if not isinstance(node, dict):
        return node
    copy = dict(node)
    iri, hash_sign, fragment = str(copy.get("$ref", "")).partition("#")
    if iri == old:
        copy["$ref"] = f"{new}{hash_sign}{fragment}"
    for keyword in ONE:
        if keyword in copy:
            copy[keyword] = replace_reference(copy[keyword], old, new)
    for keyword in MANY:
        if isinstance(copy.get(keyword), list):
            copy[keyword] = [replace_reference(child, old, new) for child in copy[keyword]]
    for keyword in NAMED:
        if isinstance(copy.get(keyword), dict):
            copy[keyword] = {k: replace_reference(child, old, new) for k, child in copy[keyword].items()}
    return copy


def refers_to(schema: Schema, iri: str) -> bool:
    """Whether any place of a schema has a ``$ref`` to an IRI."""
    return any(isinstance(node, dict) and node.get("$ref") == iri for node in positions(schema).values())


def target(places: Mapping[str, Any], reference: str) -> tuple[str, Any] | None:
    """What a reference leads to among the :func:`positions` of a schema: its pointer and the schema there, or None.

    ``reference`` is ``#``, ``#/json/pointer`` or ``#anchor``, with or without an IRI before it, which is not looked at.
    """
    fragment = reference.partition("#")[2]
    if fragment == "" or fragment.startswith("/"):
        pointer = unquote(fragment)
        return (pointer, places[pointer]) if pointer in places else None
    for pointer, node in places.items():
        if isinstance(node, dict) and fragment in (node.get("$anchor"), node.get("$dynamicAnchor")):
            return pointer, node
    return None


# --- the draft form of a local schema -----------------------------------------------------------------------


def draft_form(kind: str, schema: Schema) -> Schema:
    """A local schema as it binds a draft: without any ``required`` on what the system cannot know.

    What the packaged schema always requires may stay required. ``required`` is left alone where it is no demand
    but a question (``if``, ``not``, ``oneOf``, ``contains``). References within the schema are written out; the
    schema must have passed :mod:`ingest.schema_lint`, so that none leads back to itself.
    """
    form: Schema = _Weaker(schema).weaken(schema, frozenset(PACKAGED[kind]["required"]))
    for keyword in ("$defs", "definitions"):
        if keyword in schema:  # as they were: questions still refer to them
            form[keyword] = schema[keyword]
    return form


_NOTHING: frozenset[str] = frozenset()


class _Weaker:
    """Writes the demands of one schema out, each without ``required`` but on what the system always knows."""

    def __init__(self, schema: Schema) -> None:
        self._own = schema.get("$id")
        self._places = positions(schema)

    def weaken(self, node: Any, always: frozenset[str]) -> Any:
        if not isinstance(node, dict):
            return node
        copy = {k: v for k, v in node.items() if k not in ("dependentRequired", "$ref", "$dynamicRef")}
        if "required" in copy:
            copy["required"] = [key for key in copy["required"] if key in always]
        for keyword in ("then", "else"):
            if keyword in copy:
                copy[keyword] = self.weaken(copy[keyword], always)
        for keyword in ("allOf", "anyOf"):
            if keyword in copy:
                copy[keyword] = [self.weaken(child, always) for child in copy[keyword]]
        self._weaken_below(copy)
        inlined = [self._target(node[key], always) for key in ("$ref", "$dynamicRef") if key in node]
        if inlined:
            copy["allOf"] = [*copy.get("allOf", []), *inlined]
        return copy

    def _weaken_below(self, copy: Schema) -> None:
        """The schemas that see a part of the value: the system need not know any key there."""
        for keyword in ("items", "additionalProperties"):
            if keyword in copy:
                copy[keyword] = self.weaken(copy[keyword], _NOTHING)
        for keyword in ("patternProperties", "dependentSchemas", "properties"):
            if keyword in copy:
                copy[keyword] = {k: self.weaken(v, _NOTHING) for k, v in copy[keyword].items()}
        if "prefixItems" in copy:
            copy["prefixItems"] = [self.weaken(child, _NOTHING) for child in copy["prefixItems"]]

    def _target(self, reference: str, always: frozenset[str]) -> Any:
        if reference.partition("#")[0] not in ("", self._own):
            return True if reference.endswith("_complete") else {"$ref": reference}
        found = target(self._places, reference)
        return True if found is None else self.weaken(found[1], always)
