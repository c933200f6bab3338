"""The schema in force as a tree of fields: what a form asks, in which form, with which words.

A field a site adds in a local schema is in the tree at once. Trees are kept for as long as the schemas they were made
of are in force.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from catalog.editing import guided, layout, nodes
from catalog.editing.nodes import Guards, Node, Places
from ingest.schema import SchemaSet
from ingest.schema_compile import PACKAGED, Schema, escape
from schemas import CATEGORIES

_DEEPEST = 12
_MOST_TREES = 64


class Kind(StrEnum):
    """In which form a field is asked."""

    TEXT = "text"
    LONG = "long"
    CHOICE = "choice"
    DATE = "date"
    DATETIME = "datetime"
    PARTIAL = "partial"
    NUMBER = "number"
    INTEGER = "integer"
    YES_NO = "yes_no"
    SCALAR = "scalar"  # a text, a number or yes/no
    LINES = "lines"  # a list of values, one on each line
    ROWS = "rows"  # a list of groups
    GROUP = "group"
    AGENT = "agent"  # a group that is a person or an organization
    OTHER = "other"  # what no form can ask: shown, and kept


@dataclass(frozen=True, eq=False)
class Field:
    """One field. ``key`` is "" for the entries of a list.

    ``demands``: under which conditions a complete record needs it (``()`` in it: always). ``conditions``: it is shown
    only while one of them holds; empty means always.
    """

    key: str
    kind: Kind
    title: str
    help: str = ""
    examples: tuple[Any, ...] = ()
    choices: tuple[Any, ...] = ()
    accepts: frozenset[str] = frozenset()
    fields: tuple[Field, ...] = ()
    item: Field | None = None
    guided: str = ""
    demands: tuple[Guards, ...] = ()
    conditions: tuple[Guards, ...] = ()
    is_minor: bool = False
    only_for: str = ""

    @property
    def is_picked(self) -> bool:
        """A list of what is registered: chosen by name, never typed."""
        return self.kind is Kind.LINES and self.guided == "instrument"

    @property
    def is_leaf(self) -> bool:
        return self.kind not in (Kind.GROUP, Kind.AGENT, Kind.ROWS, Kind.OTHER)


@dataclass(frozen=True, eq=False)
class Section:
    """Fields under one heading."""

    title: str
    anchor: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, eq=False)
class Tree:
    """All a form of one kind of document asks."""

    kind: str
    title: str
    sections: tuple[Section, ...]
    root: Field

    @property
    def asks_conditionally(self) -> bool:
        """Whether an answer can make further fields appear."""
        return any(each.conditions or each.only_for for each in walk(self.root))


def walk(field: Field) -> Iterator[Field]:
    """A field and all below it."""
    yield field
    for each in field.fields:
        yield from walk(each)
    if field.item is not None:
        yield from walk(field.item)


def name(parent: str, key: str | int) -> str:
    """The name of an input: a JSON pointer."""
    return f"{parent}/{escape(str(key))}"


# --- one tree for as long as its schemas hold -----------------------------------------------------------------

_trees: OrderedDict[tuple[str, tuple[int, ...]], tuple[tuple[Mapping[str, Any], ...], Tree]] = OrderedDict()
_trees_lock = threading.Lock()


def tree(schemas: SchemaSet, kind: str) -> Tree:
    """The fields of a kind of document under the schemas in force."""
    in_force = tuple(schemas.in_force(each) for each in CATEGORIES)
    key = kind, tuple(map(id, in_force))  # what is kept beside the tree keeps these from being used again
    with _trees_lock:
        if key not in _trees:
            pairs = zip(CATEGORIES, in_force, strict=True)
            local = {str(schema["$id"]): dict(schema) for each, schema in pairs if schema is not PACKAGED[each]}
            _trees[key] = in_force, _make(kind, str(schemas.in_force(kind)["$id"]), local)
        _trees.move_to_end(key)
        while len(_trees) > _MOST_TREES:
            _trees.popitem(last=False)
        return _trees[key][1]


def _make(kind: str, own: str, local: Mapping[str, Schema]) -> Tree:
    schema = local.get(own, PACKAGED[kind])
    maker = _Maker(Places(local))
    root = maker.group("", maker.places.of(schema), 0, layout.NOT_SHOWN.get(kind, frozenset()))
    return Tree(kind, str(schema.get("title", kind)), tuple(_sections(kind, root.fields)), root)


def _sections(kind: str, fields: Sequence[Field]) -> Iterator[Section]:
    by_key = {each.key: each for each in fields}
    table = layout.SECTIONS.get(kind, ((layout.FURTHER, ()),))
    placed = {key for _, keys in table for key in keys}
    for number, (title, keys) in enumerate(table):
        own = [key for key in by_key if key not in placed] if title == layout.FURTHER else []
        found = tuple(by_key[key] for key in (*own, *keys) if key in by_key)
        if found:
            yield Section(title, f"part-{number + 1}", found)


# --- from schema to fields --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Maker:
    places: Places

    def group(self, key: str, found: list[Node], depth: int, hidden: frozenset[str]) -> Field:
        """An object with its fields; ``depth`` is its own place below the document."""
        references = _references(found)
        hidden = hidden.union(*(layout.SYSTEM_WITHIN.get(each, frozenset()) for each in references))
        is_agent = _is_agent(self.places, found, depth)
        fields = [
            self.field(each, found, depth, is_agent)
            for each in nodes.keys(found)
            if each not in hidden and (each[:1] not in "@$" or (each == "@type" and is_agent))
        ]
        kind = Kind.AGENT if is_agent else Kind.GROUP
        help_ = _text(found, "description")
        return Field(key, kind, _title(found, key), help_, fields=tuple(fields), guided=_guided(key, found))

    def field(self, key: str, around: list[Node], depth: int, in_agent: bool) -> Field:
        """The field of one key of an object at ``depth``."""
        found = self.places.below(around, key, depth + 1)
        demands = nodes.demands(around, key)
        kind = self.kind(key, found, depth + 1)
        inner = self._inner(key, kind, found, depth + 1)
        return Field(
            key,
            kind if kind not in (Kind.GROUP, Kind.AGENT) else inner[0].kind,
            "Person or organization" if in_agent and key == "@type" else _title(found, key),
            _text(found, "description"),
            _examples(found),
            choices=_choices(found) if kind is Kind.CHOICE else (),
            accepts=frozenset(_types(found)),
            fields=inner[0].fields if kind in (Kind.GROUP, Kind.AGENT) else (),
            item=inner[0] if kind in (Kind.ROWS, Kind.LINES) else None,
            guided=_guided(key, found),
            demands=demands,
            conditions=_conditions(found, demands),
            is_minor=depth > 0 and key in layout.MINOR,
            only_for=layout.ONLY_FOR.get(key, "") if in_agent else "",
        )

    def _inner(self, key: str, kind: Kind, found: list[Node], depth: int) -> tuple[Field, ...]:
        if kind is Kind.GROUP:
            return (self.group(key, found, depth, frozenset()),)
        if kind is Kind.ROWS:
            return (self.group("", self.places.items(found, depth + 1), depth + 1, frozenset()),)
        if kind is Kind.LINES:
            inside = self.places.items(found, depth + 1)
            inner = self.kind(key, inside, depth + 1)
            choices = _choices(inside) if inner is Kind.CHOICE else ()
            return (
                Field(
                    "", inner, _title(inside, key), choices=choices, accepts=frozenset(_types(inside)),
                    guided=_guided(key, inside),
                ),
            )  # fmt: skip
        return ()

    def kind(self, key: str, found: list[Node], depth: int) -> Kind:
        """In which form a place is asked."""
        types = _types(found)
        references = _references(found)
        if nodes.stated(found, "enum") is not None or nodes.stated(found, "const") is not None:
            return Kind.CHOICE
        if "object" in types:
            return Kind.GROUP if depth < _DEEPEST and nodes.keys(found) else Kind.OTHER
        if "array" in types:
            return self._kind_of_list(key, found, depth)
        if "boolean" in types and not {"string", "number", "integer"} & types:
            return Kind.YES_NO
        if "string" in types or not types:
            return _kind_of_text(key, found, types, references)
        return Kind.INTEGER if types <= {"integer", "null"} else Kind.NUMBER if types <= _NUMERIC else Kind.OTHER

    def _kind_of_list(self, key: str, found: list[Node], depth: int) -> Kind:
        inside = self.places.items(found, depth + 1)
        inner = self.kind(key, inside, depth + 1) if inside and depth < _DEEPEST else Kind.OTHER
        if inner is Kind.GROUP:
            return Kind.ROWS
        return Kind.OTHER if inner in (Kind.OTHER, Kind.ROWS, Kind.LINES) else Kind.LINES


_NUMERIC = frozenset({"integer", "number", "null"})


def _kind_of_text(key: str, found: list[Node], types: frozenset[str], references: frozenset[str]) -> Kind:
    if {"number", "integer", "boolean"} & types:
        return Kind.SCALAR
    for name_, kind in (("date", Kind.DATE), ("date_time", Kind.DATETIME), ("partial_date", Kind.PARTIAL)):
        if name_ in references:
            return kind
    form = nodes.stated(found, "format")
    if form in ("date", "date-time"):
        return Kind.DATE if form == "date" else Kind.DATETIME
    longest = nodes.stated(found, "maxLength")
    is_long = isinstance(longest, int) and longest >= 200
    is_long = is_long or any(isinstance(each, str) and len(each) > 90 for each in _examples(found))
    return Kind.LONG if key in layout.LONG_TEXTS or is_long else Kind.TEXT


def _is_agent(places: Places, found: list[Node], depth: int) -> bool:
    types = nodes.stated(places.below(found, "@type", depth + 1), "enum")
    return isinstance(types, list) and {"Person", "Organization"} == {each for each in types if isinstance(each, str)}


def _conditions(found: Sequence[Node], demands: Sequence[Guards]) -> tuple[Guards, ...]:
    """When a field is shown: always (empty), or while what asks for it, or what alone describes it, applies."""
    described = [node.guards for node in found]
    if any(not guards for guards in demands):
        return ()
    if described and all(described):
        return tuple(dict.fromkeys((*demands, *described)))
    return tuple(dict.fromkeys(demands))


def _types(found: Sequence[Node]) -> frozenset[str]:
    stated = nodes.stated(found, "type")
    if isinstance(stated, str):
        return frozenset({stated})
    if isinstance(stated, list):
        return frozenset(each for each in stated if isinstance(each, str))
    return frozenset({"object"}) if nodes.keys(found) else frozenset()


def _choices(found: Sequence[Node]) -> tuple[Any, ...]:
    """What is accepted by every schema that always holds."""
    lists = [node.schema["enum"] for node in found if isinstance(node.schema.get("enum"), list) and not node.guards]
    lists += [[node.schema["const"]] for node in found if "const" in node.schema and not node.guards]
    lists = lists or [each for each in [nodes.stated(found, "enum"), [nodes.stated(found, "const")]] if each]
    return tuple(each for each in lists[0] if all(each in other for other in lists[1:]))


def _references(found: Sequence[Node]) -> frozenset[str]:
    """The names of the shared definitions a place is made of."""
    texts = (node.schema.get("$ref") for node in found)
    return frozenset(text.rpartition("/")[2] for text in texts if isinstance(text, str))


def _guided(key: str, found: Sequence[Node]) -> str:
    return guided.kind_of((node.schema for node in found), key) or ""


def _title(found: Sequence[Node], key: str) -> str:
    stated = nodes.stated(found, "title")
    return stated if isinstance(stated, str) and stated.strip() else key.replace("_", " ").capitalize()


def _text(found: Sequence[Node], keyword: str) -> str:
    stated = nodes.stated(found, keyword)
    return stated if isinstance(stated, str) else ""


def _examples(found: Sequence[Node]) -> tuple[Any, ...]:
    stated = nodes.stated(found, "examples")
    return tuple(stated[:3]) if isinstance(stated, list) else ()
