"""A form as it is shown: one value per field, ready for the templates, with what they ask of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from catalog.editing import guided, words
from catalog.editing.fields import Field, Kind
from catalog.editing.guided import inherited

_MOST_LINES = 14
_MODES: Mapping[Kind, str] = {Kind.NUMBER: "decimal", Kind.INTEGER: "numeric"}
_GUIDED_MODES: Mapping[str, str] = {"email": "email", "web_address": "url", "iri": "url"}


@dataclass(frozen=True)
class Option:
    """One answer of a choice."""

    value: str
    label: str
    words: str = ""
    is_chosen: bool = False


@dataclass(frozen=True)
class Picker:
    """A search among what is known, and what it found. ``address`` is the word of the address that suggests."""

    address: str
    query: str = ""
    found: tuple[guided.Choice, ...] = ()
    was_asked: bool = False
    offers_me: bool = False


@dataclass(frozen=True)
class Row:
    """One entry of a list."""

    name: str
    anchor: str
    number: int
    token: str
    identity: str
    summary: str
    group: Drawn
    is_open: bool
    is_first: bool
    is_last: bool
    has_errors: bool
    is_focus: bool

    @property
    def label(self) -> str:
        """What the buttons of the row name."""
        return self.summary or f"entry {self.number + 1}"


@dataclass(frozen=True)
class Drawn:
    """One field as it is shown. ``kept``: what the document holds and no input can show."""

    field: Field
    name: str
    anchor: str
    text: str = ""
    errors: tuple[str, ...] = ()
    is_needed: bool = False
    is_shown: bool = True
    is_conditional: bool = False
    is_deep: bool = False
    kept: str = ""
    parts: tuple[Drawn, ...] = ()
    rows: tuple[Row, ...] = ()
    options: tuple[Option, ...] = ()
    chosen: tuple[Option, ...] = ()
    suggestions: str = ""
    identity: str = ""
    picker: Picker | None = None
    offer: inherited.Offer | None = None
    is_focus: bool = False
    is_asked_for: bool = False

    @property
    def kind(self) -> str:
        return self.field.kind.value

    @property
    def is_chosen(self) -> bool:
        """Whether what it names is chosen by name."""
        return self.field.is_picked

    @cached_property
    def described_by(self) -> str:
        """The ids of what explains the input."""
        hint = f"{self.anchor}-hint" if self.hint else ""
        return f"{hint} {self.anchor}-error".strip()

    @cached_property
    def brief_errors(self) -> list[str]:
        """The errors as they stand beside the field itself, whose name and hint are in sight."""
        return [words.beside(each, self.field.title) for each in self.errors]

    @cached_property
    def hint(self) -> str:
        return words.hint(self.field)

    @cached_property
    def example(self) -> str:
        return words.example(self.field)

    @property
    def input_type(self) -> str:
        """A date picker only for what it can show: a browser empties it of anything else."""
        is_date = self.field.kind is Kind.DATE and (not self.text or re.fullmatch(r"\d{4}-\d\d-\d\d", self.text))
        return "date" if is_date else "text"

    @property
    def mode(self) -> str:
        """Which keyboard a phone shows."""
        return _MODES.get(self.field.kind) or _GUIDED_MODES.get(self.field.guided, "")

    @property
    def is_long(self) -> bool:
        return self.field.kind in (Kind.LONG, Kind.LINES) or "\n" in self.text or "\r" in self.text

    @property
    def lines(self) -> int:
        """Height of a text of several lines."""
        least = 4 if self.field.kind is Kind.LONG else 3
        wanted = sum(1 + len(line) // 90 for line in self.text.split("\n")) + 1
        return max(least, min(wanted, _MOST_LINES))

    @property
    def main(self) -> list[Drawn]:
        """The parts in front."""
        return [each for each in self.parts if not each.is_behind]

    @property
    def is_closed(self) -> bool:
        """Whether a group is folded: nobody needs it, and nothing is in it."""
        return not (self.is_needed or self.has_content or self.errors or self.is_focus) and len(self.parts) > 2

    @property
    def behind(self) -> list[Drawn]:
        """The parts behind "More"."""
        return [each for each in self.parts if each.is_behind and (each.is_shown or each.is_conditional)]

    @property
    def is_behind(self) -> bool:
        return self.field.is_minor and not self.has_content and not self.errors and not self.has_errors_below

    @cached_property
    def has_content(self) -> bool:
        """Whether anything is filled in here or below."""
        return bool(self.text.strip() or self.rows or self.kept) or any(each.has_content for each in self.parts)

    @cached_property
    def has_errors_below(self) -> bool:
        return any(each.errors or each.has_errors_below for each in self.below())

    def below(self) -> Iterator[Drawn]:
        """What stands directly inside."""
        yield from self.parts
        for row in self.rows:
            yield row.group

    def walk(self) -> Iterator[Drawn]:
        """This and everything inside."""
        yield self
        for each in self.below():
            yield from each.walk()


@dataclass(frozen=True)
class Section:
    title: str
    anchor: str
    parts: tuple[Drawn, ...]
    apart: tuple[Drawn, ...]  # fields that do not apply, and can be asked for

    @property
    def is_empty(self) -> bool:
        return not any(each.is_shown for each in self.parts)
