"""A document's value as what a template draws: labelled facts, lists, tables and links; never markup from a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard

from catalog import words

DEEPEST = 8
MOST_COLUMNS = 6
MOST_ROWS = 500
FEW_AXES = 5
_WEB = re.compile(r"https?://[^\s<>\"'`\\]+", re.ASCII)
_ACRONYMS = {"orcid": "ORCID", "ror": "ROR", "iri": "IRI", "url": "Address", "doi": "DOI", "edam_iri": "EDAM"}


@dataclass(frozen=True)
class Text:
    text: str
    form: str = "text"


@dataclass(frozen=True)
class Link:
    address: str
    text: str
    form: str = "link"


@dataclass(frozen=True)
class Moment:
    time: datetime
    form: str = "moment"


@dataclass(frozen=True)
class Many:
    items: list[Node]
    left_out: int
    inline: bool
    form: str = "many"


@dataclass(frozen=True)
class Facts:
    facts: list[Fact]
    form: str = "facts"


@dataclass(frozen=True)
class Table:
    columns: list[str]
    rows: list[list[Node | None]]
    left_out: int
    form: str = "table"


Node = Text | Link | Moment | Many | Facts | Table


@dataclass(frozen=True)
class Fact:
    label: str
    node: Node


def facts(value: Mapping[str, Any], labels: Mapping[str, str], keys: Iterable[str] | None = None) -> list[Fact]:
    """The labelled facts of an object, those with a label of their own first and in that order."""
    chosen = list(keys) if keys is not None else [key for key in value if not key.startswith(("@", "$"))]
    place = {key: number for number, key in enumerate(labels)}
    chosen.sort(key=lambda key: place.get(key, len(place)))
    return [
        Fact(labels.get(key) or label(key), node)
        for key in chosen
        if key in value and (node := _node(value[key], key, DEEPEST)) is not None
    ]


def label(key: str) -> str:
    """A key in words, where no schema has a title for it."""
    known = _ACRONYMS.get(key)
    return known or key.replace("_", " ").strip()[:80].capitalize()


def _node(value: Any, key: str, depth: int) -> Node | None:
    if value is None or value in ("", [], {}):
        return None
    if depth == 0:
        return Text("…")
    if key in _SPOKEN and (spoken := _SPOKEN[key](value)) is not None:
        return spoken
    if isinstance(value, Mapping):
        return _object(value, depth)
    if isinstance(value, list):
        return _list(value, key, depth)
    return _scalar(value, key)


def _scalar(value: Any, key: str) -> Node:
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, int):
        return Text(words.exact_size(value) if key.endswith("_bytes") else f"{value:,}")
    if isinstance(value, float):
        return Text(f"{value:,g}")
    time = words.parsed(value)
    if time is not None:
        return Moment(time)
    return Link(value, value) if _WEB.fullmatch(value) else Text(value)


def _object(value: Mapping[str, Any], depth: int) -> Node | None:
    linked = _linked(value)
    if linked is not None:
        return linked
    inner = [
        Fact(label(key), node)
        for key, each in value.items()
        if not key.startswith(("@", "$")) and (node := _node(each, key, depth - 1)) is not None
    ]
    if len(inner) == 1 and isinstance(inner[0].node, Text | Link):
        return inner[0].node
    return Facts(inner) if inner else None


def _linked(value: Mapping[str, Any]) -> Link | None:
    """A thing with a name and an address is its name, linked."""
    shown = {key: each for key, each in value.items() if not key.startswith(("@", "$"))}
    name, address = shown.pop("name", shown.pop("label", None)), None
    for key in ("orcid", "ror", "url", "iri"):
        if key in shown:
            address = shown.pop(key)
            break
    if shown or not _is_web(address):
        return None
    return Link(address, name if isinstance(name, str) and name else address)


def _list(values: Sequence[Any], key: str, depth: int) -> Node | None:
    some, left_out = values[:MOST_ROWS], max(0, len(values) - MOST_ROWS)
    if all(isinstance(each, Mapping) for each in some):
        table = _table(some, left_out, depth)
        if table is not None:
            return table
    items = [node for each in some if (node := _node(each, key, depth - 1)) is not None]
    if len(items) == 1 and not left_out:
        return items[0]
    inline = all(isinstance(each, Text) and len(each.text) < 60 for each in items)
    return Many(items, left_out, inline) if items else None


def _table(rows: Sequence[Mapping[str, Any]], left_out: int, depth: int) -> Table | None:
    """Rows of a few flat keys are a table."""
    keys = list(dict.fromkeys(key for row in rows for key in row if not key.startswith(("@", "$"))))
    flat = all(not isinstance(each, Mapping | list) for row in rows for each in row.values())
    if not flat or not 2 <= len(keys) <= MOST_COLUMNS or len(rows) < 2:
        return None
    cells = [[_node(row.get(key), key, depth - 1) for key in keys] for row in rows]
    return Table([label(key) for key in keys], cells, left_out)


def _format(value: Any) -> Node | None:
    """A format's name and version, linked to the registry that defines it."""
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        return None
    name = " ".join(filter(None, (value["name"], _word(value.get("version")))))
    address = next((value[key] for key in ("iri", "edam_iri") if _is_web(value.get(key))), None)
    return Link(address, name) if address else Text(name)


def _dimensions(value: Any) -> Node | None:
    """The lengths of a few axes in one line."""
    if not isinstance(value, list) or not 1 <= len(value) <= FEW_AXES:
        return None
    if not all(isinstance(each, Mapping) and isinstance(each.get("size"), int) for each in value):
        return None
    parts = [f"{_word(each.get('axis'))} {each['size']:,} {_word(each.get('unit'))}".strip() for each in value]
    return Text(" × ".join(parts))


def _code(value: Any) -> Node | None:
    """A word of a schema's list as people write it."""
    return Text(value.replace("_", " ")) if isinstance(value, str) else None


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_web(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _WEB.fullmatch(value) is not None


# Values that read better in a line of their own kind.
_SPOKEN: Mapping[str, Callable[[Any], Node | None]] = {
    "format": _format,
    "dimensions": _dimensions,
    **dict.fromkeys(("run_type", "start_event", "project_status"), _code),
}
