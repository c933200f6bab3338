"""What a schema says of each place of a document: references followed, and the conditions under which it says so.

Everything is asked of the document *as if it were complete*: a form shows what will be needed, not what a draft may do
without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from ingest.schema_compile import PACKAGED_BY_ID, Schema, positions, target, validator

_DEEPEST = 40  # references and combinations within one place


@dataclass(frozen=True, eq=False)
class Guard:
    """The question of an ``if``, asked of the value ``depth`` steps below the document, and the answer it needs."""

    depth: int
    asks: jsonschema_rs.Draft202012Validator
    wanted: bool

    def holds(self, value: Any) -> bool:
        return bool(self.asks.is_valid(value)) is self.wanted

    @property
    def is_about_status(self) -> bool:
        """Whether it only asks for ``status: complete``, which is taken for granted here."""
        return self.depth == 0 and self.asks.is_valid({"status": "complete"}) and not self.asks.is_valid({"status": ""})


Guards = tuple[Guard, ...]


@dataclass(frozen=True, eq=False)
class Node:
    """A schema that speaks of a place when its guards hold; ``is_either``: one of several that may."""

    home: Schema
    schema: Schema
    guards: Guards = ()
    is_either: bool = False


class Places:
    """Finds what the schemas in force say; ``local`` are a site's own schemas by their ``$id``."""

    def __init__(self, local: Mapping[str, Schema]) -> None:
        self._local = dict(local)
        self._known = {**PACKAGED_BY_ID, **local}
        self._positions: dict[int, dict[str, Any]] = {}
        self._guards: dict[tuple[int, int], Guard] = {}

    def of(self, schema: Schema) -> list[Node]:
        """What a schema says of the document as a whole."""
        return list(self._flat([Node(schema, schema)], 0, 0))

    def below(self, nodes: Iterable[Node], key: str, depth: int) -> list[Node]:
        """What the nodes of an object say of one of its keys, ``depth`` steps below the document."""
        inside = (
            replace(node, schema=node.schema["properties"][key])
            for node in nodes
            if key in _mapping(node.schema, "properties")
        )
        return list(self._flat(inside, depth, 0))

    def items(self, nodes: Iterable[Node], depth: int) -> list[Node]:
        """What the nodes of a list say of each of its entries."""
        inside = (replace(node, schema=node.schema["items"]) for node in nodes if "items" in node.schema)
        return list(self._flat(inside, depth, 0))

    def _flat(self, nodes: Iterable[Node], depth: int, level: int) -> Iterator[Node]:
        for node in nodes:
            if not isinstance(node.schema, dict) or level > _DEEPEST:
                continue
            yield node
            yield from self._flat(self._inside(node, depth), depth, level + 1)

    def _inside(self, node: Node, depth: int) -> Iterator[Node]:
        schema = node.schema
        if isinstance(reference := schema.get("$ref"), str):
            yield from self._referred(node, reference)
        yield from (replace(node, schema=child) for child in _sequence(schema, "allOf"))
        for keyword in ("anyOf", "oneOf"):
            yield from (replace(node, schema=child, is_either=True) for child in _sequence(schema, keyword))
        if "if" in schema:
            for keyword, wanted in (("then", True), ("else", False)):
                if keyword in schema:
                    yield from self._guarded(node, schema[keyword], wanted, depth)

    def _referred(self, node: Node, reference: str) -> Iterator[Node]:
        home = self._known.get(reference.partition("#")[0], node.home)
        found = target(self._positions_of(home), reference)
        if found is not None:
            yield replace(node, home=home, schema=found[1])

    def _guarded(self, node: Node, inner: Any, wanted: bool, depth: int) -> Iterator[Node]:
        guard = self._guard(node, depth)
        if guard is None:
            return
        if guard.is_about_status:
            if wanted:
                yield replace(node, schema=inner)
            return
        asked = guard if wanted else Guard(guard.depth, guard.asks, False)
        yield replace(node, schema=inner, guards=(*node.guards, asked))

    def _guard(self, node: Node, depth: int) -> Guard | None:
        key = (id(node.schema), depth)
        if key not in self._guards:
            places = self._positions_of(node.home)
            where = next((pointer for pointer, each in places.items() if each is node.schema), None)
            if where is None:
                return None
            question = {"$ref": f"{node.home['$id']}#{quote(where, safe='/~')}/if"}
            self._guards[key] = Guard(depth, validator(question, self._local), True)
        return self._guards[key]

    def _positions_of(self, home: Schema) -> dict[str, Any]:
        if id(home) not in self._positions:
            self._positions[id(home)] = positions(home)
        return self._positions[id(home)]


def _mapping(schema: Schema, keyword: str) -> Mapping[str, Any]:
    found = schema.get(keyword)
    return found if isinstance(found, dict) else {}


def _sequence(schema: Schema, keyword: str) -> Sequence[Any]:
    found = schema.get(keyword)
    return found if isinstance(found, list) else ()


def keys(nodes: Iterable[Node]) -> list[str]:
    """The keys an object may have, as its schemas list them; those that always hold first."""
    ordered = sorted(nodes, key=lambda node: bool(node.guards))
    return list(dict.fromkeys(key for node in ordered for key in _mapping(node.schema, "properties")))


def demands(nodes: Iterable[Node], key: str) -> tuple[Guards, ...]:
    """Under which conditions a key is required: one alternative each, ``()`` for always."""
    found = (node for node in nodes if not node.is_either and key in _sequence(node.schema, "required"))
    return tuple(node.guards for node in found)


def stated(nodes: Sequence[Node], keyword: str) -> Any:
    """The first word the schemas of a place have on something, those that always hold first; None if none."""
    for node in sorted(nodes, key=lambda node: (bool(node.guards), node.is_either)):
        if keyword in node.schema:
            return node.schema[keyword]
    return None
