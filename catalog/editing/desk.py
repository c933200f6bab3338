"""One form on someone's desk: the document it was made from, what is filled in, and how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog import engine
from catalog.editing import completeness, drawing, fields, opened, reading, settling
from catalog.editing.completeness import Meter
from catalog.editing.drawing import Pen
from catalog.editing.drawn import Drawn, Section
from catalog.editing.fields import Tree
from catalog.editing.opened import Opened
from catalog.editing.reading import Filled, Reading
from catalog.editing.targets import Target
from ingest.documents import STRUCTURAL, SYSTEM_KEYS
from ingest.records import Value
from ingest.schema import SchemaSet

Errors = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Desk:
    """A document someone is about to change. ``system`` is its system part, without the entries of a manifest."""

    target: Target
    tree: Tree
    schemas: SchemaSet
    now: Opened
    system: Value

    @property
    def status(self) -> str:
        return str(self.now.people.get("status", ""))

    @property
    def can_be_complete(self) -> bool:
        """Whether this kind of document knows of being complete at all."""
        return self.target.kind != STRUCTURAL


def on(target: Target) -> Desk:
    """The document as it stands on disk.

    Raises:
        FileNotFoundError, DocumentError: when it cannot be read.
    """
    head = target.read_head()
    schemas = engine.schemas(target.root)
    tree = fields.tree(schemas, target.kind)
    system = {key: each for key, each in head.value.items() if key in SYSTEM_KEYS[target.kind]}
    return Desk(target, tree, schemas, opened.of(target, head.etag, head.value), system)


@dataclass(frozen=True)
class Sheet:
    """A form as it is shown."""

    sections: tuple[Section, ...]
    meter: Meter
    filled: Filled
    base: Opened

    @property
    def suggestions(self) -> list[str]:
        """The kinds of values that inputs of this form suggest."""
        parts = (each for section in self.sections for part in section.parts for each in part.walk())
        return sorted({each.suggestions for each in parts} - {""})

    def find(self, name: str) -> Drawn | None:
        """The field of a name, if the form has it."""
        parts = (part for section in self.sections for part in section.parts if f"{name}/".startswith(f"{part.name}/"))
        return next((each for part in parts for each in part.walk() if each.name == name), None)


def fresh(desk: Desk) -> Filled:
    """The form as the document fills it."""
    return reading.fill(desk.tree, desk.now.people)


def draw(
    desk: Desk,
    filled: Filled,
    base: Opened,
    *,
    errors: Errors | None = None,
    focus: str = "",
    **more: Any,
) -> Sheet:
    """A filled form, drawn, with how complete the document would be; ``more`` is the pen's."""
    read = reading.read(desk.tree, filled, base.rows)
    pen = Pen(filled, base.rows, read.shape, with_notes(desk, read, base, errors or {}), focus, **more)
    drawn = drawing.sections(desk.tree, pen)
    return Sheet(drawn, meter(desk, read, completeness.places(drawn)), filled, base)


def with_notes(desk: Desk, read: Reading, base: Opened, errors: Errors) -> Errors:
    """The errors of a form, and what else looks wrong in it though a draft may keep it."""
    noted = settling.noted(desk.schemas, desk.target.kind, read, base.people)
    new = {
        name: (*errors.get(name, ()), *(each for each in words if each not in errors.get(name, ())))
        for name, words in noted.items()
    }
    return {**errors, **new}


def meter(desk: Desk, read: Reading, places: Mapping[str, str]) -> Meter:
    """How complete the document would be; ``places``: name of each field that is shown → its id."""
    kind = desk.target.kind
    problems = settling.complete_problems(desk.schemas, kind, read.value, desk.system)
    asked = settling.asked(desk.schemas, kind, read.value, desk.system)
    return completeness.meter(desk.tree, places, read, problems, asked)
