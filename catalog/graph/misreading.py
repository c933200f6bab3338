"""What is wrong with a query that cannot be read, in words for somebody who is new to SPARQL. Needs no RDF engine.

Oxigraph tells a place and which signs of its grammar it expected there; what people usually mean by the mistake is
looked up in the text itself.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from catalog.graph import queries
from catalog.graph.prefixes import PREFIXES

_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
_FIRST = (*_FORMS, "PREFIX", "BASE")
_PLACE = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
_PREFIXED = re.compile(r"([A-Za-z][\w.-]*)?:[\w%\\.-]*$")
_COMMA = re.compile(r"\bSELECT\b[^{]*?[?$]\w+\s*(,)", re.IGNORECASE)
_SHOWN_BEFORE, _SHOWN_AFTER = 30, 10


@dataclass(frozen=True)
class Misread:
    """The sentence, and the place it names; from 1."""

    sentence: str
    line: int
    column: int


def told(error: str, query: str) -> Misread:
    """What the engine's error about this query means."""
    found = _PLACE.match(error)
    offset = _offset(query, int(found[1]), int(found[2])) if found else len(query)
    why, at = _why(found[3] if found else error, query, offset)
    line, column = _place(query, at)
    return Misread(f"The query cannot be read at line {line}, column {column}: {why}{_shown(query, at)}", line, column)


def _why(expected: str, query: str, offset: int) -> tuple[str, int]:
    """What is wrong, and where in the text it begins."""
    bare = queries.blanked(query)
    if not bare.strip():
        return "it is empty; write SELECT * WHERE { ?s ?p ?o } LIMIT 10 to begin.", 0
    start = queries.beginning(query)
    word = re.compile(r"[^\s{(<]*").match(query, start)
    first = word[0] if word else ""
    if first.upper() not in _FIRST:
        meant = difflib.get_close_matches(first.upper(), _FIRST, 1)
        hint = f"did you mean {meant[0]}?" if meant else "it begins with SELECT, ASK, CONSTRUCT or DESCRIBE."
        return f"“{first[:30]}” begins no query; {hint}", start
    if "Prefix not found" in expected:
        return _prefix(query, offset)
    if "unbound" in expected:
        return "SELECT names a variable beside COUNT, SUM or the like; name it in GROUP BY too.", offset
    if "IRI parsing failed" in expected:
        return "what stands between < and > is no IRI; it has no blanks, and begins like http:.", offset
    if comma := _COMMA.search(query):
        return "variables of SELECT are set apart by blanks, not by commas.", comma.start(1)
    opened, closed = bare.count("{"), bare.count("}")
    if opened > closed:
        return f"{_number(opened - closed)} {{ is never closed; add }}.", len(query)
    if closed > opened:
        return f"there is a }} to which no {{ belongs; {_number(closed - opened)} too many.", bare.rindex("}")
    if offset >= len(query.rstrip()):
        return "it ends too early: something is missing, such as a closing quote or bracket.", len(query)
    return "what stands here does not go on from what stands before it.", offset


def _prefix(query: str, offset: int) -> tuple[str, int]:
    found = _PREFIXED.search(query[:offset])
    name = (found[1] or "") if found else ""
    known = PREFIXES.get(name, "http://…")
    return (
        f"the prefix {name}: is not declared; begin with PREFIX {name}: <{known}>",
        found.start() if found else offset,
    )


def _number(count: int) -> str:
    return "one" if count == 1 else str(count)


def _offset(query: str, line: int, column: int) -> int:
    lines = query.split("\n")
    return min(len(query), sum(len(each) + 1 for each in lines[: line - 1]) + column - 1)


def _place(query: str, offset: int) -> tuple[int, int]:
    before = query[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _shown(query: str, offset: int) -> str:
    """The text around the place, which is marked; "" where there is none."""
    before = query[max(0, offset - _SHOWN_BEFORE) : offset].rpartition("\n")[2]
    after = query[offset : offset + _SHOWN_AFTER].partition("\n")[0]
    return f" Here, after the mark: {before}▸{after}" if (before + after).strip() else ""
