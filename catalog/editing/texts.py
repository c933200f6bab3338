"""One value as a person sees and types it: the text of an input, and the value of what was typed.

``drawn`` and ``parsed`` are each other's inverse for every value a field takes; what a field cannot draw (a list where
a text belongs, after an edit on disk) is answered with None, and kept.
"""

from __future__ import annotations

import math
import re
from typing import Any

import orjson

from catalog.editing import guided
from catalog.editing.fields import Field, Kind
from ingest.merging import ABSENT

LONGEST = 100_000
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_WORDS = {"yes": True, "no": False, "true": True, "false": False}
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAK = "\u23ce"  # stands for a line break inside one entry of a list


# --- value → text ---------------------------------------------------------------------------------------------


def drawn(field: Field, value: Any) -> str | None:
    """The text of a field's input; "" for what is absent, None for a value no such input can hold."""
    if value is ABSENT:
        return ""
    if field.kind is Kind.LINES:
        return _lines(field, value)
    if field.kind is Kind.CHOICE:
        return choice(value)
    if field.kind is Kind.YES_NO:
        return {True: "yes", False: "no"}[value] if isinstance(value, bool) else None
    if field.kind in (Kind.NUMBER, Kind.INTEGER):
        return _number_text(value)
    if field.kind is Kind.SCALAR:
        return _scalar_text(field, value)
    return value if isinstance(value, str) else None


def choice(value: Any) -> str:
    """The text of one accepted value, as an option carries it."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _lines(field: Field, value: Any) -> str | None:
    if not isinstance(value, list) or field.item is None:
        return None
    texts = [drawn(field.item, each) for each in value]
    return None if None in texts else "\n".join(_one_line(text or "") for text in texts)


def _one_line(text: str) -> str:
    return _BREAK.join(text.splitlines()) if text.strip() else _BREAK


def _number_text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return orjson.dumps(value).decode()


def _scalar_text(field: Field, value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        is_taken_otherwise = _scalar(field, value) != value or value[:1] == value[-1:] == '"'
        return f'"{value}"' if is_taken_otherwise else value
    return _number_text(value)


# --- text → value ---------------------------------------------------------------------------------------------


def parsed(field: Field, text: str) -> Any:
    """The value of what was typed, :data:`ABSENT` for nothing.

    Raises:
        ValueError: with a sentence for whoever typed it.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _refuse(text)
    if field.kind is Kind.LINES and field.item is not None:
        entries = [parsed(field.item, line) for line in text.split("\n") if line.strip()]
        return entries or ABSENT
    stripped = text.strip()
    if not stripped:
        return ABSENT
    match field.kind:
        case Kind.CHOICE:
            return next((each for each in field.choices if choice(each) == text), stripped)
        case Kind.YES_NO:
            return _yes_no(stripped)
        case Kind.NUMBER | Kind.INTEGER:
            return _number(stripped, whole=field.kind is Kind.INTEGER)
        case Kind.SCALAR:
            return _scalar(field, stripped)
    return guided.normalised(field.guided, stripped)


def is_same(text: str, as_drawn: str) -> bool:
    """Whether a browser that was shown a text sent it back untouched: it writes line ends and NUL its own way."""
    return _as_sent(text) == _as_sent(as_drawn)


def _as_sent(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")


def _refuse(text: str) -> None:
    if len(text) > LONGEST:
        raise ValueError(f"This text has {len(text):,} characters; at most {LONGEST:,} are accepted.")
    found = _CONTROLS.search(text)
    if found is not None:
        before = text[max(0, found.start() - 20) : found.start()].replace("\n", " ")
        where = f"after “{before}”" if before.strip() else "at its beginning"
        raise ValueError(
            f"This text holds a character that cannot be shown (U+{ord(found[0]):04X}) {where}; type it again there."
        )


def _yes_no(text: str) -> bool:
    if text.lower() not in _WORDS:
        raise ValueError(f"“{_short(text)}” is neither yes nor no; choose one of the two.")
    return _WORDS[text.lower()]


def _number(text: str, *, whole: bool = False) -> int | float:
    if _COMMA.fullmatch(text):
        point = text.replace(",", ".")
        raise ValueError(f"“{_short(text)}” has a comma; write a point before the decimals, as in {point}.")
    if not _NUMBER.fullmatch(text):
        wanted = "a whole number, as in 12" if whole else "a number, as in 12.5"
        raise ValueError(f"“{_short(text)}” is not {wanted}.")
    if re.fullmatch(r"[+-]?\d+", text):
        return _integer(text)
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"“{_short(text)}” is too large to be kept as a number.")
    if whole:
        raise ValueError(f"“{_short(text)}” is not a whole number, as in 12.")
    return number


def _integer(text: str) -> int:
    number = int(text) if len(text) <= 20 else 2**64
    if not -(2**63) <= number < 2**64:
        raise ValueError(f"“{_short(text)}” is too large to be kept as a number.")
    return number


def _scalar(field: Field, text: str) -> str | int | float | bool:
    """A number where it reads like one, yes/no where that is accepted, else the text; in double quotes: the text."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1]
    if text.lower() in _WORDS and "boolean" in field.accepts:
        return _WORDS[text.lower()]
    if _PLAIN_NUMBER.fullmatch(text) and {"number", "integer"} & field.accepts:
        try:
            return _number(text)
        except ValueError:
            return text
    return text


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
