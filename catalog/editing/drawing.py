"""Draws a filled form: which fields are shown, and what each of them says; nothing here knows a request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from catalog.editing import fields, guided, layout, reading, texts, words
from catalog.editing.conditions import Answers, Path, at
from catalog.editing.drawn import Drawn, Option, Picker, Row, Section
from catalog.editing.fields import Field, Kind, Tree
from catalog.editing.guided import inherited
from catalog.editing.reading import IDENTITY, PICK, ROW, SHOW
from ingest.merging import ABSENT

_OPEN_ROWS = 1  # so many rows of a list stand open by themselves


def anchor(name: str) -> str:
    """The id of an input in a page: letters, digits, hyphens and underscores only."""
    return "f" + re.sub(r"[^A-Za-z0-9_]", lambda m: "-" if m[0] == "/" else f"_{ord(m[0]):x}_", name)


def sections(tree: Tree, pen: Pen) -> tuple[Section, ...]:
    """All of a form."""
    return tuple(section(each, pen) for each in tree.sections)


def section(section: fields.Section, pen: Pen) -> Section:
    """One section of a form."""
    parts = tuple(pen.draw(spot) for spot in spots(section))
    apart = tuple(each for each in parts if not each.is_shown)
    return Section(section.title, section.anchor, parts, apart)


class Spot(NamedTuple):
    """Where a field stands. ``is_there``: its group is filled in or needed; ``agent``: what its group is said to be."""

    part: Field
    name: str
    path: Path
    is_there: bool = True
    agent: str | None = None


def spots(section: fields.Section) -> Iterator[Spot]:
    """Where the fields of a section stand."""
    return (Spot(each, fields.name("", each.key), (each.key,)) for each in section.fields)


@dataclass
class Pen:
    """Draws the fields of one filled form.

    ``base`` is the document the form was made from, ``shape`` what the form says now, row by row
    (:attr:`catalog.editing.reading.Reading.shape`); ``errors`` stand by the names of their inputs; ``focus`` is the
    name of the row or field to go on with. ``pickers``: guided kind → word of the address that suggests its values;
    ``names``: guided kind → what says how a value of it is called, "" where it is not registered;
    ``found``: what was looked for in one field, and found.
    """

    filled: Mapping[str, str]
    base: Mapping[str, Any]
    shape: Mapping[str, Any]
    errors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    focus: str = ""
    offers: Mapping[str, inherited.Offer] = field(default_factory=dict)
    pickers: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    found: tuple[str, tuple[guided.Choice, ...]] | None = None
    knows_me: bool = False

    def __post_init__(self) -> None:
        self._answers = Answers(self.shape)
        self._rows = reading.Rows(self.filled)

    def is_shown(self, spot: Spot) -> bool:
        """Whether a field is in the form."""
        part, name, path, _, agent = spot
        is_told = not part.only_for or part.only_for == agent or (not agent and part.key in layout.TELLING)
        is_asked = is_told and self._answers.is_asked(part, path)
        return (
            is_asked or name in self._filled or SHOW + name in self.filled or name in self.errors or self._keeps(spot)
        )

    def inside(self, spot: Spot) -> Iterator[Spot]:
        """Where the fields directly inside a group, or the entries of a list, stand."""
        part, name, path, _, _ = spot
        if part.kind is Kind.ROWS and part.item is not None:
            for number in self._rows.of(name):
                yield Spot(part.item, f"{name}/{number}", (*path, number))
        elif part.fields:
            said = self._said(fields.name(name, "@type"), (*path, "@type")) if part.kind is Kind.AGENT else None
            there = self._is_needed(spot) or name in self._filled or self._keeps(spot)
            for each in part.fields:
                yield Spot(each, fields.name(name, each.key), (*path, each.key), there, said)

    def _said(self, name: str, path: Path) -> str:
        """What a group is said to be, or what follows from what is filled in there."""
        said = self.filled.get(name) or at(self.shape, path, "")
        return said if isinstance(said, str) else ""

    def _is_needed(self, spot: Spot) -> bool:
        return spot.is_there and self._answers.is_needed(spot.part, spot.path)

    def _keeps(self, spot: Spot) -> bool:
        return bool(self._kept(spot.part, spot.name, spot.path))

    def draw(self, spot: Spot) -> Drawn:
        """One field with all inside."""
        part, name, path, _, _ = spot
        kept = self._kept(part, name, path)
        is_filled = bool(kept) or name in self._filled
        text = self._said(name, path) if part.key == "@type" and part.is_leaf else self.filled.get(name, "")
        return Drawn(
            part,
            name,
            anchor(name),
            text=text.replace("\x00", "\ufffd"),
            errors=self.errors.get(name, ()),
            is_needed=self._is_needed(spot),
            is_shown=bool(kept) or self.is_shown(spot),
            is_conditional=bool(part.conditions or part.only_for),
            is_deep=len(path) > 1,
            kept=kept,
            parts=tuple(self.draw(each) for each in self.inside(spot)) if part.kind is not Kind.ROWS else (),
            rows=self._drawn_rows(spot) if part.kind is Kind.ROWS else (),
            options=self._options(part, text),
            chosen=self._chosen(part, text) if part.is_picked else (),
            suggestions=part.guided if guided.common(part.guided) else "",
            identity=self.filled.get(name + IDENTITY, ""),
            picker=self._picker(part, name, is_filled),
            offer=self.offers.get(name),
            is_focus=self.focus == name,
            is_asked_for=SHOW + name in self.filled,
        )

    def _picker(self, part: Field, name: str, is_filled: bool) -> Picker | None:
        """For what may be known already; a person who is named is not looked for any more."""
        if part.guided not in self.pickers or part.kind is Kind.ROWS or (is_filled and not part.is_leaf):
            return None
        is_asked = self.found is not None and self.found[0] == name
        found = self.found[1] if self.found is not None and is_asked else ()
        offers_me = self.knows_me and part.guided in ("person", "agent")
        return Picker(self.pickers[part.guided], self.filled.get(name + PICK, ""), found, is_asked, offers_me)

    @cached_property
    def _filled(self) -> frozenset[str]:
        """The names of all that holds something, and of every group around it."""
        found: set[str] = set()
        for name, text in self.filled.items():
            if name.startswith("/") and (name.endswith(ROW) or (text.strip() and "#" not in name)):
                head = name.removesuffix(ROW).rpartition("/")[0] if name.endswith(ROW) else name
                while head and head not in found:
                    found.add(head)
                    head = head.rpartition("/")[0]
        return frozenset(found)

    def _drawn_rows(self, spot: Spot) -> tuple[Row, ...]:
        numbers = self._rows.of(spot.name)
        return tuple(self._row(each, number, numbers) for each, number in zip(self.inside(spot), numbers, strict=True))

    def _row(self, spot: Spot, number: int, numbers: list[int]) -> Row:
        own = spot.name
        token = self.filled.get(own + ROW, "")
        group = self.draw(spot)
        has_errors = group.has_errors_below or bool(group.errors)
        is_focus = self.focus == own
        is_open = has_errors or not token or len(numbers) <= _OPEN_ROWS or f"{self.focus}/".startswith(f"{own}/")
        return Row(
            own, anchor(own), number, token, self.filled.get(own + IDENTITY, ""), words.summary(group), group,
            is_open, number == numbers[0], number == numbers[-1], has_errors, is_focus,
        )  # fmt: skip

    def _chosen(self, part: Field, text: str) -> tuple[Option, ...]:
        """What was picked, by its names."""
        called = self.names.get(part.guided, _nameless)
        values = (line.strip() for line in text.splitlines() if line.strip())
        return tuple(Option(value, called(value), is_chosen=True) for value in values)

    def _options(self, part: Field, text: str) -> tuple[Option, ...]:
        if part.kind is Kind.YES_NO:
            offered = [("yes", "Yes", ""), ("no", "No", "")]
        elif part.kind is Kind.CHOICE:
            known = {each.value: each for each in guided.choices(part.guided)}
            offered = [_offered(part, texts.choice(each), known) for each in part.choices]
        else:
            return ()
        if text and text not in {value for value, _, _ in offered}:
            offered.append((text, f"{text} (not accepted)", ""))
        return tuple(Option(*each, each[0] == text) for each in offered)

    def _kept(self, part: Field, name: str, path: Path) -> str:
        """As JSON, what stands in the document and no input of this field can hold."""
        if part.kind is not Kind.OTHER and self.filled.get(name, "").strip():
            return ""
        origin = self._origin(path)
        value = ABSENT if origin is None else at(self.base, origin, ABSENT)
        if value is ABSENT or (part.kind is not Kind.OTHER and not reading.misfit(part, value)):
            return ""
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= 400 else f"{text[:399]}…"

    def _origin(self, path: Path) -> Path | None:
        """Where the document has what stands at a place of the form."""
        found: list[str | int] = []
        name = ""
        for step in path:
            name = fields.name(name, step)
            if isinstance(step, int):
                token = self.filled.get(name + ROW, "")
                if not (token.isascii() and token.isdigit()):
                    return None
                step = int(token)
            found.append(step)
        return tuple(found)


def _nameless(value: str) -> str:
    return ""


def _offered(part: Field, text: str, known: Mapping[str, guided.Choice]) -> tuple[str, str, str]:
    if text in known:
        return text, known[text].label, known[text].words
    return text, words.option(text), ""
