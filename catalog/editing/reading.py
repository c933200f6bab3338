"""What was posted, as a document: only what the form asks is replaced, whatever else a document holds is kept.

A form is a flat mapping, name of an input → its text (*filled*). A name is the JSON pointer of a field; beside them
stand ``<list>#list`` (the list is in the form), ``<row>#row`` (which entry of the document the row was made from, ""
for a new one), ``<row>#id`` (identity taken over with a known person), ``<field>#pick`` (what is looked for among the
known) and ``#show:<field>`` (asked for although its condition does not hold).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.editing import fields, texts
from catalog.editing.fields import Field, Kind, Tree
from ingest.merging import ABSENT

Filled = dict[str, str]
Value = dict[str, Any]

LIST, ROW, IDENTITY, PICK, SHOW = "#list", "#row", "#id", "#pick", "#show:"
NEW = "-"  # as an identity: a thing taken over that has none yet
MOST_ROWS = 2_000
REASON = "reason"  # name of the input that says why something was changed: no field, and kept in the history
_MOST_INPUTS = 30_000


def posted(pairs: Mapping[str, Any]) -> Filled:
    """The fields among all that was posted, and why; of a name that stands twice the last."""
    names = [name for name in pairs if name[:1] == "/" or name.startswith(SHOW) or name == REASON]
    return _dense({name: str(pairs[name]) for name in names[:_MOST_INPUTS]})


def _dense(filled: Filled) -> Filled:
    """The rows of each list numbered from 0 on, as every page numbers them: none costs more than it sends."""
    rows: dict[str, list[str]] = {}
    for name in filled:
        if name.endswith(ROW):
            parent, _, number = name.removesuffix(ROW).rpartition("/")
            if is_number(number):
                rows.setdefault(parent, []).append(number)
    places = {
        f"{parent}/{number}": str(place)
        for parent, numbers in rows.items()
        for place, number in enumerate(sorted(numbers, key=lambda each: (int(each), each)))
    }
    if all(row.rpartition("/")[2] == place for row, place in places.items()):
        return filled
    return {_renamed(name, places): text for name, text in filled.items()}


def _renamed(name: str, places: Mapping[str, str]) -> str:
    """A name with the number of each row it leads through replaced."""
    start, *steps = name.split("/")
    new, head = [start], ""
    for step in steps:
        number, mark, rest = step.partition("#")
        new.append(places.get(f"{head}/{number}", number) + mark + rest)
        head = f"{head}/{step}"
    return "/".join(new)


def is_number(text: str) -> bool:
    """Whether a step of a name may be the number of a row."""
    return text.isascii() and text.isdigit() and len(text) <= 6


# --- a document as a filled form ------------------------------------------------------------------------------


def fill(tree: Tree, value: Mapping[str, Any]) -> Filled:
    """The form a document fills."""
    return dict(_fill(tree.root, "", value))


def fill_part(part: Field, name: str, value: Any) -> Filled:
    """The inputs of one field, filled from a value."""
    return dict(_fill(part, name, value))


def _fill(part: Field, name: str, value: Any) -> Iterator[tuple[str, str]]:
    if part.kind in (Kind.GROUP, Kind.AGENT):
        inner = value if isinstance(value, Mapping) else {}
        for each in part.fields:
            yield from _fill(each, fields.name(name, each.key), inner.get(each.key, ABSENT))
    elif part.kind is Kind.ROWS and part.item is not None:
        yield name + LIST, ""
        for number, each in enumerate(value if is_rows(value) else ()):
            yield f"{name}/{number}{ROW}", str(number)
            yield from _fill(part.item, f"{name}/{number}", each)
    elif part.is_leaf:
        yield name, texts.drawn(part, value) or ""


def is_rows(value: Any) -> bool:
    """Whether a value is a list a form can show as rows."""
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def misfit(part: Field, value: Any) -> bool:
    """Whether a value is one the field's input cannot hold, and so is kept until something is typed."""
    if value is ABSENT:
        return False
    if part.kind in (Kind.GROUP, Kind.AGENT):
        return not isinstance(value, dict)
    if part.kind is Kind.ROWS:
        return not is_rows(value)
    return part.is_leaf and texts.drawn(part, value) is None


# --- rows -------------------------------------------------------------------------------------------------------


class Rows:
    """Which rows a filled form has, by the name of their list."""

    def __init__(self, filled: Mapping[str, str]) -> None:
        self._numbers: dict[str, list[int]] = {}
        for name in filled:
            if name.endswith(ROW):
                parent, _, number = name.removesuffix(ROW).rpartition("/")
                if is_number(number):
                    self._numbers.setdefault(parent, []).append(int(number))
        for numbers in self._numbers.values():
            numbers.sort()

    def of(self, name: str) -> list[int]:
        return self._numbers.get(name, [])


# --- a filled form as a document --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """What a filled form says.

    Attributes:
        value: the document with what the form asks replaced.
        shape: the same with an entry for each row of the form, empty ones included: entry 3 is row 3.
        wrong: name of an input → why what was typed cannot be kept; the document has the value it had.
        places: pointer of a list's entry in ``value`` → the name of its row.
    """

    value: Value
    shape: Value
    wrong: Mapping[str, str]
    places: Mapping[str, str]

    def name_of(self, pointer: str) -> str:
        """The name of the input at a pointer into ``value``."""
        head = pointer
        while head:
            if head in self.places:
                return self.places[head] + pointer[len(head) :]
            head = head.rpartition("/")[0]
        return pointer


def read(tree: Tree, filled: Mapping[str, str], base: Mapping[str, Any]) -> Reading:
    """The document that a filled form makes of the one it was made from."""
    reader = _Reader(filled, Rows(filled))
    value, shape = reader.group(tree.root, "", dict(base), "")
    return Reading(
        value if isinstance(value, dict) else {},
        shape if isinstance(shape, dict) else {},
        reader.wrong,
        reader.places,
    )


@dataclass
class _Reader:
    """Reads a form; ``at`` is the pointer in the new document."""

    filled: Mapping[str, str]
    rows: Rows
    wrong: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def any(self, part: Field, name: str, old: Any, at: str) -> tuple[Any, Any]:
        if part.kind in (Kind.GROUP, Kind.AGENT):
            return self.group(part, name, old, at)
        if part.kind is Kind.ROWS:
            return self.list(part, name, old, at)
        value = self.leaf(part, name, old) if part.is_leaf else old
        return value, value

    def leaf(self, part: Field, name: str, old: Any) -> Any:
        text = self.filled.get(name)
        if text is None:
            return old
        as_drawn = texts.drawn(part, old)
        if as_drawn is None and not text.strip():
            return old
        if as_drawn is not None and texts.is_same(text, as_drawn):
            return old
        try:
            return self._lines(part, text, old) if part.kind is Kind.LINES else _parsed(part, text)
        except ValueError as error:
            self.wrong[name] = str(error)
            return old

    def _lines(self, part: Field, text: str, old: Any) -> Any:
        """A line that shows an old entry is that entry, even where its text alone would not say so."""
        assert part.item is not None
        entries = old if isinstance(old, list) else []
        known = {texts.drawn(part, [each]) or "": each for each in entries}
        lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
        found = [known[line] if line in known else _parsed(part.item, line) for line in lines]
        return found or ABSENT

    def group(self, part: Field, name: str, old: Any, at: str) -> tuple[Any, Any]:
        base = old if isinstance(old, dict) else {}
        identity = self.filled.get(name + IDENTITY, "")
        is_another = bool(identity) and identity != base.get("@id")
        if is_another:  # what was taken over is another thing than stood here before
            old, base = ABSENT, {} if identity == NEW else {"@id": identity}
        new, shape, changed = dict(base), dict(base), False
        for each in part.fields:
            before = base.get(each.key, ABSENT)
            below = fields.name("", each.key)
            value, seen = self.any(each, name + below, before, at + below)
            changed = changed or value is not before
            for target, found in ((new, value), (shape, seen)):
                if found is ABSENT:
                    target.pop(each.key, None)
                else:
                    target[each.key] = found
        if not changed:
            return old, shape
        if part.kind is Kind.AGENT and (told := _told(part, new)):
            new["@type"] = shape["@type"] = told
        if at and all(key[:1] == "@" for key in new):
            return ABSENT, shape
        return new, shape

    def list(self, part: Field, name: str, old: Any, at: str) -> tuple[Any, Any]:
        numbers = self.rows.of(name)
        if name + LIST not in self.filled or part.item is None:
            return old, old
        if len(numbers) > MOST_ROWS:
            self.wrong[name] = f"There are {len(numbers):,} entries; at most {MOST_ROWS:,} are accepted in one list."
            return old, old
        base = old if is_rows(old) else []
        if not numbers and old is not ABSENT and old is not base:
            return old, old
        new: list[Any] = []
        shape: dict[int, Any] = {}
        left = set(range(len(base)))
        for number in numbers:
            row = f"{name}/{number}"
            origin = _origin(self.filled[row + ROW], left)
            before = ABSENT if origin is None else base[origin]
            here = f"{at}/{len(new)}"
            value, seen = self.group(part.item, row, before, here)
            shape[number] = seen
            if value is not ABSENT:
                self.places[here] = row
                new.append(value)
        seen_rows = [shape.get(number, {}) for number in range(max(shape, default=-1) + 1)]
        if len(new) == len(base) and all(a is b for a, b in zip(new, base, strict=True)):
            return old, seen_rows
        return new or ABSENT, seen_rows


def _told(part: Field, new: Mapping[str, Any]) -> str:
    """What an agent must be that nobody said to be a person or an organization: only one of them has an ORCID."""
    told = {each.only_for for each in part.fields if each.only_for and each.key in new}
    return told.pop() if len(told) == 1 and "@type" not in new else ""


def _origin(token: str, left: set[int]) -> int | None:
    """The entry a row was made from, each only once."""
    number = int(token) if is_number(token) else None
    if number not in left:
        return None
    left.discard(number)
    return number


def _parsed(part: Field, text: str) -> Any:
    return texts.parsed(part, text)


# --- changing the rows of a filled form ---------------------------------------------------------------------------


def with_row(filled: Filled, name: str) -> tuple[Filled, int]:
    """One more row at the end of a list."""
    numbers = Rows(filled).of(name)
    number = numbers[-1] + 1 if numbers else 0
    return {**filled, name + LIST: "", f"{name}/{number}{ROW}": ""}, number


def without_row(filled: Filled, name: str, number: int) -> Filled:
    """A row less; those after it move up."""
    numbers = [each for each in Rows(filled).of(name) if each != number]
    return _renumbered(filled, name, {each: place for place, each in enumerate(numbers)})


def moved_row(filled: Filled, name: str, number: int, by: int) -> tuple[Filled, int]:
    """A row moved by one place up (-1) or down (1)."""
    numbers = Rows(filled).of(name)
    if number not in numbers:
        return filled, number
    place = numbers.index(number)
    other = min(max(place + by, 0), len(numbers) - 1)
    numbers[place], numbers[other] = numbers[other], numbers[place]
    return _renumbered(filled, name, {each: place for place, each in enumerate(numbers)}), other


def _renumbered(filled: Filled, name: str, places: Mapping[int, int]) -> Filled:
    """The rows of a list under new numbers; those without one are gone."""
    start = f"{name}/"
    found: Filled = {}
    for each, text in filled.items():
        if not each.startswith(start):
            found[each] = text
            continue
        number, rest = _split(each[len(start) :])
        if number in places:
            found[f"{start}{places[number]}{rest}"] = text
    return found


def _split(text: str) -> tuple[int, str]:
    """The number a name goes on with, and what follows."""
    end = next((place for place, char in enumerate(text) if char in "/#"), len(text))
    digits = text[:end]
    return (int(digits) if is_number(digits) else -1), text[end:]


def rebased(filled: Filled, reading: Reading) -> Filled:
    """A filled form whose rows point at the entries of the document that was just read from it."""
    tokens = {row: pointer.rpartition("/")[2] for pointer, row in reading.places.items()}
    return {
        name: tokens.get(name.removesuffix(ROW), "") if name.endswith(ROW) else text for name, text in filled.items()
    }
