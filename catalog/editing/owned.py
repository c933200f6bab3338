"""Which fields of a kind of document belong to people, and what each takes, by the schema in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import schemas
from catalog import engine
from catalog.editing import guided
from ingest.documents import SYSTEM_KEYS
from ingest.schema_words import Step, Words

_Node = Mapping[str, Any]


class Shape(StrEnum):
    """What a field takes, as far as one value for many records can be asked for in one line."""

    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    YES_NO = "yes or no"
    TEXTS = "texts"
    CHOICES = "choices"
    AGENT = "agent"
    AGENTS = "agents"
    OTHER = "other"

    @property
    def is_list(self) -> bool:
        return self in (Shape.TEXTS, Shape.CHOICES, Shape.AGENTS)


@dataclass(frozen=True)
class Field:
    """A top-level field.

    ``kinds`` are the types an agent may have (Person, Organization); ``guided`` is the kind of value of a text, or of
    each text of a list, for :mod:`catalog.editing.guided`.
    """

    key: str
    title: str
    help: str
    shape: Shape
    choices: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    guided: str = ""


def is_owned(kind: str, key: str) -> bool:
    """Whether people change a top-level key: neither the system's nor the record's identity, nor its status."""
    return key not in SYSTEM_KEYS.get(kind, frozenset()) and key not in _core(kind)


@cache
def _core(kind: str) -> frozenset[str]:
    return frozenset(schemas.load("core")["$defs"].get(kind, {}).get("properties", {}))


def owned(kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a document that people change."""
    return {key: value[key] for key in value if is_owned(kind, key)}


def fields(root: Path, kind: str) -> tuple[Field, ...]:
    """People's fields in the order of the schema in force."""
    schema = engine.schemas(root).in_force(kind)
    words = engine.schemas(root).words(kind)
    return tuple(_field(words, key) for key in schema.get("properties", {}) if is_owned(kind, key))


def common(roots: Sequence[Path], kind: str) -> tuple[Field, ...]:
    """The fields that have the same shape in all these roots, whose schemas may differ."""
    first, *others = (fields(root, kind) for root in roots)
    known = [{field.key: field.shape for field in each} for each in others]
    return tuple(field for field in first if all(each.get(field.key) == field.shape for each in known))


def _field(words: Words, key: str) -> Field:
    nodes = words.nodes([key])
    help_ = next((str(node["description"]) for node in nodes if "description" in node), "")
    shape = shape_of(words, [key])
    inner: list[Step] = [key, 0] if shape.is_list else [key]
    choices = _choices(words.nodes(inner)) if shape in (Shape.CHOICE, Shape.CHOICES) else ()
    kinds = _choices(words.nodes([*inner, "@type"])) if shape in (Shape.AGENT, Shape.AGENTS) else ()
    told = guided.kind_of(words.nodes(inner), key) if shape in (Shape.TEXT, Shape.TEXTS) else None
    return Field(key, words.title([key]), help_, shape, choices, kinds, told or "")


def shape_of(words: Words, path: Sequence[Step]) -> Shape:
    """What stands at a place of a document."""
    types = types_at(words, path)
    if types == {"array"}:
        inner = shape_of(words, [*path, 0])
        return {Shape.TEXT: Shape.TEXTS, Shape.CHOICE: Shape.CHOICES, Shape.AGENT: Shape.AGENTS}.get(inner, Shape.OTHER)
    if types == {"object"}:
        keys = {key for node in words.nodes(path) for key in node.get("properties", ())}
        return Shape.AGENT if {"@id", "@type", "name"} <= keys else Shape.OTHER
    if types == {"string"}:
        return Shape.CHOICE if _choices(words.nodes(path)) else Shape.TEXT
    if types and types <= {"integer", "number"}:
        return Shape.NUMBER
    return Shape.YES_NO if types == {"boolean"} else Shape.OTHER


def types_at(words: Words, path: Sequence[Step]) -> frozenset[str]:
    """The JSON types a place takes; empty where the schema says nothing of it."""
    for node in words.nodes(path):
        if "type" in node:
            return frozenset([node["type"]] if isinstance(node["type"], str) else node["type"])
        if accepted := _accepted(node):
            return frozenset("string" if isinstance(each, str) else "number" for each in accepted)
    return frozenset()


def is_known(words: Words, path: Sequence[Step]) -> bool:
    """Whether the schema in force speaks of a place."""
    return bool(words.nodes(path))


def _accepted(node: _Node) -> list[Any]:
    return list(node.get("enum", ())) or ([node["const"]] if "const" in node else [])


def _choices(nodes: Iterable[_Node]) -> tuple[str, ...]:
    found = next((accepted for node in nodes if (accepted := _accepted(node))), [])
    return tuple(each for each in found if isinstance(each, str))
