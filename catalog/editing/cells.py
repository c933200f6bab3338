r"""One value as the text of one spreadsheet cell, and back, without loss and without anything that would run.

Two rules, both undone exactly on the way back:

* What a sheet cannot hold or would change (control characters, CR, and sequences that look like these escapes) is
  written ``\u0000``.
* A text that a spreadsheet program would take for a formula, a number or a date begins with an apostrophe. Formulas
  are looked for at the start of the cell and after each line break, tab or semicolon, behind quotes and white space.

A text without apostrophe that reads as JSON (``true``, ``12.5``, ``[]``, ``null``) is that JSON value.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

MOST_CHARACTERS = 32_767
_PART = 10_000
_LONGEST_CONVERTED = 64
_FORMULA = frozenset("=+-@＝＋－＠")
_QUOTES = frozenset("\"'`´“”„‘’«»")
_SEPARATORS = re.compile("([\n\r\t;])")
_AT_START = ("\t", "\r", "\n", ";")

# What XML cannot hold, what it would change, what spreadsheet programs read as an escape, and our own escape.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)|\\\\(?=u[0-9a-f]{4})")
_ESCAPED = re.compile(r"\\u([0-9a-f]{4})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_CONVERTED = re.compile(
    r"[\s\d.,:/\-+eE%TZ$€£¥()]*\d[\s\d.,:/\-+eE%TZ$€£¥()]*|(?:true|false)"
    r"|(?:\d{1,4}[\s./-]*)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[\s./-]*\d{1,4}"
    r"|\d{1,4}[\s./-]*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*",
    re.IGNORECASE,
)
_LITERALS = frozenset(("true", "false", "null", "[]", "{}"))


# --- characters -----------------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    r"""Without characters a sheet cannot hold: ``\u0000``."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def unescaped(text: str) -> str:
    """The inverse of :func:`escaped`; an escape that stands for no character stays as it is."""
    return _ESCAPED.sub(lambda match: match[0] if "d800" <= match[1] <= "dfff" else chr(int(match[1], 16)), text)


# --- formulas -------------------------------------------------------------------------------------------------


def harmless(text: str, *, as_text: bool = False) -> str:
    """With an apostrophe wherever a program might see a formula; ``as_text``: at the start in any case."""
    pieces = _SEPARATORS.split(text)
    for at in range(0, len(pieces), 2):
        needed = _needs_apostrophe(pieces[at]) or (at == 0 and (as_text or text.startswith(_AT_START)))
        if needed:
            pieces[at] = f"'{pieces[at]}"
    return "".join(pieces)


def _needs_apostrophe(piece: str) -> bool:
    if piece[:1] == "'":
        return True
    first = next((c for c in piece if c.isprintable() and not c.isspace() and c not in _QUOTES), "")
    return first in _FORMULA and first != ""


def as_it_was(text: str) -> str:
    """The inverse of :func:`harmless`: one leading apostrophe less in each part."""
    pieces = _SEPARATORS.split(text)
    return "".join(piece[1:] if at % 2 == 0 and piece[:1] == "'" else piece for at, piece in enumerate(pieces))


# --- values ---------------------------------------------------------------------------------------------------


def is_lines(value: Any) -> bool:
    """Whether a value is a list that stands in one cell, a text on each line."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) and each.strip() for each in value)


def to_cell(value: Any, *, keep_from_converting: bool = False) -> list[str]:
    """A leaf as the text of one cell, or of several where it is too long for one.

    Args:
        value: a text, a number, true, false, None, an empty list or object, or a list of texts.
        keep_from_converting: also guard what a program turns into a date or a number when it opens a CSV file.
    """
    if is_lines(value):
        text = "\n".join(escaped(each).replace("\n", "\\u000a") for each in value)
        return _parts(text, as_text=False, guard=keep_from_converting)
    if not isinstance(value, str):
        return [orjson.dumps(value).decode()]
    text = escaped(value)
    return _parts(text, as_text=not text.strip() or _reads_as_json(text), guard=keep_from_converting)


def _parts(text: str, *, as_text: bool, guard: bool) -> list[str]:
    whole = harmless(text, as_text=as_text or (guard and _is_converted(text)))
    if _length(whole) <= MOST_CHARACTERS:
        return [whole]
    # Each part begins with an apostrophe, so that none is read as something else.
    return [harmless(text[at : at + _PART], as_text=True) for at in range(0, len(text), _PART)]


def _is_converted(text: str) -> bool:
    return len(text) <= _LONGEST_CONVERTED and _CONVERTED.fullmatch(text) is not None


def _length(text: str) -> int:
    """As spreadsheet programs count: in UTF-16."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def _reads_as_json(text: str) -> bool:
    return text in _LITERALS or _NUMBER.fullmatch(text) is not None


def text_of(parts: list[str]) -> str:
    """The text that the cells of one value hold."""
    return unescaped("".join(as_it_was(part) for part in parts))


def lines_of(parts: list[str]) -> list[str]:
    """The lines that the cells of one list hold; empty ones are none."""
    lines = "".join(as_it_was(part) for part in parts).replace("\r\n", "\n").split("\n")
    return [unescaped(line) for line in lines if line.strip()]


def literal_of(text: str) -> tuple[bool, Any]:
    """Whether a cell's text without apostrophe reads as JSON, and what."""
    if not _reads_as_json(text):
        return False, None
    try:
        return True, orjson.loads(text)
    except orjson.JSONDecodeError:
        return False, None
