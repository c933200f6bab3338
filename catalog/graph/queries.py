"""What can be told from a query's text before it runs: that it would change or fetch something.

This refuses in words what the worker could not do anyway: it reads a snapshot that cannot be written, from a process
without a network (:mod:`catalog.graph.worker`).
"""

from __future__ import annotations

import re

LONGEST = 100_000
"""Bytes of a query's text."""

_BLANKED = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""'
    r"|'''(?:[^'\\]|\\.|'(?!''))*'''"
    r'|"(?:[^"\\\n\r]|\\.)*"'
    r"|'(?:[^'\\\n\r]|\\.)*'"
    r'|<[^<>"{}|^`\\\x00-\x20]*>'
    r"|\#[^\n\r]*"
    r"|[?$]\w+"
    r"|@[A-Za-z-]+"
    r"|:(?:[\w:%-]|\\.|\.(?=[\w:%\\-]))*",  # what follows a prefix, whose own letters are looked at
    re.DOTALL,
)
# Oxigraph's parser ends a number or a Boolean where a keyword begins, and a keyword where anything else does.
_SERVICE = re.compile(r"(?:(?<![^\W\d])|(?<=true)|(?<=false))SERVICE", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+")
_UPDATES = frozenset({"INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH"})
_PROLOGUE = re.compile(r"\s*(?:(?:PREFIX\s+[\w.-]*|BASE)\s*)*", re.IGNORECASE)  # its IRIs and colons are blanked
_ESCAPED = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")

CHANGES = "This endpoint only reads; it takes SELECT, ASK, CONSTRUCT and DESCRIBE, and no update."
FETCHES = (
    "SERVICE is refused: this endpoint asks no other server. Ask each by itself, or use a client that federates; "
    "a prefix cannot be called service here."
)


def refusal(query: str, *, strictly: bool = False) -> str:
    """Why a query may not run, in one sentence; "" when it may.

    ``strictly`` looks into text that reads as a string, an IRI or a comment too.
    """
    text = unescaped(query)
    bare = blanked(text)
    first = bare[match.end() :] if (match := _PROLOGUE.match(bare)) else bare
    word = _WORD.match(first)
    if word is not None and word[0].upper() in _UPDATES:
        return CHANGES
    return FETCHES if _SERVICE.search(text if strictly else bare) else ""


def beginning(query: str) -> int:
    """Where a query begins after its prologue and comments; in the text as it stands."""
    bare = blanked(query)
    return match.end() if (match := _PROLOGUE.match(bare)) else 0


def unescaped(query: str) -> str:
    r"""The text with ``\u`` escapes read, which SPARQL allows anywhere."""
    return _ESCAPED.sub(_character, query) if "\\" in query else query


def _character(match: re.Match[str]) -> str:
    number = int(match[1] or match[2], 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else match[0]


def blanked(text: str) -> str:
    """The text with blanks instead of what its strings, IRIs and comments hold; each sign stays in its place."""
    return _BLANKED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
