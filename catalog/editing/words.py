"""The words around a field: its hint, its example, how an answer and an entry of a list are called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from catalog.editing.fields import Field, Kind

if TYPE_CHECKING:
    from catalog.editing.drawn import Drawn

_LONGEST_EXAMPLE = 90
_SUMMARY = 110
_PARTS = 3
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")

_HOW: dict[Kind, str] = {
    Kind.LINES: "One on each line.",
    Kind.SCALAR: "A number is kept as a number; in double quotes it is kept as text.",
    Kind.DATETIME: "With the time zone (+01:00).",
}


def hint(field: Field) -> str:
    """What the schema says of a field, and how it is filled in."""
    how = "" if field.is_picked else _HOW.get(field.kind, "")
    return "" if field.key == "@type" else f"{field.help} {how}".strip()


def example(field: Field) -> str:
    """An example as it would be typed, empty where none fits on a line."""
    if not field.examples or field.kind in (Kind.CHOICE, Kind.YES_NO):
        return ""
    text = _typed(field.examples[0])
    return f"e.g. {text}" if text and len(text) <= _LONGEST_EXAMPLE else ""


def beside(sentence: str, title: str) -> str:
    """An error without what stands beside it anyway: the field's name."""
    _, quoted, missing = sentence.rpartition(f"“{title}” is missing")
    if quoted:
        return f"This is missing{missing}"
    head, colon, rest = sentence.partition(": ")
    if not colon or (head != title and not head.endswith(f", {title}")):
        return sentence
    return f"{rest[:1].upper()}{rest[1:]}"


def _typed(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "\n".join(_typed(each) for each in value if not isinstance(each, list | dict))
    return "" if isinstance(value, dict) or value is None else str(value)


def option(text: str) -> str:
    """An answer of a closed list as words: ``IsSupplementTo`` → "Is supplement to", ``on_hold`` → "On hold"."""
    if re.fullmatch(r"[A-Z][a-z]+(?:[A-Z][a-z]+)+", text):
        first, *rest = _CAPITAL.split(text)
        return " ".join([first, *(word.lower() for word in rest)])
    if re.fullmatch(r"[a-z]+(?:_[a-z]+)+|[a-z]{3,}", text):
        return text.replace("_", " ").capitalize()
    return text


def summary(group: Drawn) -> str:
    """An entry of a list in one line: what it is told apart by."""
    found = [text for text in _texts(group) if text][:_PARTS]
    line = " · ".join(found)
    return line if len(line) <= _SUMMARY else f"{line[: _SUMMARY - 1]}…"


def _texts(drawn: Drawn) -> list[str]:
    texts: list[str] = []
    for part in drawn.parts:
        if part.field.key == "@type":
            continue
        if part.options:
            texts += [each.label for each in part.options if each.is_chosen]
        elif part.parts:
            texts += _texts(part)[:1]
        else:
            texts.append(" ".join(part.text.split()))
    return texts
