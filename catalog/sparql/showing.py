"""What was found, made ready for a page: rows of cells, with short names for the IRIs in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.graph import asking
from catalog.graph.asking import Answer, NoAnswerError
from catalog.graph.prefixes import PREFIXES

ROWS = 500
_LARGEST = 4_000_000
_LONGEST_TEXT = 2_000


@dataclass(frozen=True)
class Cell:
    """One value: its text, the address it leads to ("" for none), and its language or type."""

    text: str = ""
    iri: str = ""
    mark: str = ""

    @property
    def is_link(self) -> bool:
        """Whether the IRI is one that a browser may follow: of the web, and no script."""
        return self.iri.startswith(("https://", "http://"))


@dataclass(frozen=True)
class Shown:
    """An answer on a page: a table, a truth value, or triples as text."""

    kind: str
    names: Sequence[str] = ()
    rows: Sequence[Sequence[Cell]] = ()
    truth: bool = False
    text: str = ""
    is_partial: bool = False


def shown(found: Answer) -> Shown:
    """The answer read; it is closed by whoever asked.

    Raises:
        NoAnswerError: when it is too large for a page.
    """
    if found.size > _LARGEST:
        raise NoAnswerError(
            asking.LARGE, "The answer is too large for a page; choose CSV or another format to save it."
        )
    body = found.stream.read()
    if found.kind == asking.GRAPH:
        return Shown(asking.GRAPH, text=body.decode(), is_partial=bool(found.partial))
    value = json.loads(body)
    if "boolean" in value:
        return Shown(asking.ASK, truth=bool(value["boolean"]))
    names = value["head"].get("vars", [])
    rows = [[_cell(row.get(name)) for name in names] for row in value["results"]["bindings"]]
    return Shown(asking.SELECT, names, rows, is_partial=bool(found.partial))


def _cell(term: Mapping[str, Any] | None) -> Cell:
    if term is None:
        return Cell()
    kind, value = term.get("type"), term.get("value")
    if kind == "uri":
        return Cell(short(str(value)), str(value))
    if kind == "bnode":
        return Cell(f"_:{value}")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]} …"
    return Cell(text, mark=term.get("xml:lang") or short(term.get("datatype", "")))


def short(iri: str) -> str:
    """An IRI with the usual prefix of its vocabulary, as far as it has one."""
    for prefix, base in PREFIXES.items():
        if iri.startswith(base) and iri != base:
            return f"{prefix}:{iri.removeprefix(base)}"
    return iri
