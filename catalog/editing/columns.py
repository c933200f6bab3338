r"""A document as columns, and changed cells back into the document.

A column is a dotted path, with the positions of lists counted from 1: ``creators.1.name``. In a key, ``.``, ``\``,
``[`` and a first digit are written with ``\`` before them. A text too long for one cell goes on in ``path[2]`` …
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any

from catalog.editing.cells import is_lines

Step = str | int
Path = tuple[Step, ...]

MOST_ENTRIES = 10_000
_MOST_STEPS = 40
_PART = re.compile(r"(?<!\\)(?:\\\\)*(\[([0-9]{1,4})\])\Z")
ABSENT = object()


class ColumnError(ValueError):
    """A header that is no path; one sentence."""


def header(path: Path, part: int = 1) -> str:
    """The name of a column; ``part`` counts the cells of a long text."""
    name = ".".join(str(step + 1) if isinstance(step, int) else _key(step) for step in path)
    return name if part == 1 else f"{name}[{part}]"


def _key(key: str) -> str:
    text = re.sub(r"[.\\\[]", r"\\\g<0>", key)
    return f"\\{text}" if text[:1].isdigit() else text


def parsed(name: str) -> tuple[Path, int]:
    """The path and the part a header names: the inverse of :func:`header`.

    Raises:
        ColumnError: when it is none.
    """
    found = _PART.search(name)
    part = int(found[2]) if found else 1
    pieces = _pieces(name[: found.start(1)] if found else name)
    if not pieces or len(pieces) > _MOST_STEPS or part < 1:
        raise ColumnError(f"The column {name[:80]!r} is no field's path; write it like creators.1.name.")
    return tuple(_step(piece, name) for piece in pieces), part


def _pieces(text: str) -> list[str]:
    pieces, here, is_escaped = [], "", False
    for character in text:
        if not is_escaped and character == ".":
            pieces.append(here)
            here = ""
            continue
        is_escaped = not is_escaped and character == "\\"
        here += character
    return [*pieces, here] if text else []


def _step(piece: str, name: str) -> Step:
    if piece.isascii() and piece.isdigit():
        at = int(piece) if len(piece) <= 6 else 0
        if not 1 <= at <= MOST_ENTRIES:
            raise ColumnError(
                f"The column {name[:80]!r} counts to {piece[:12]}; entries go from 1 to {MOST_ENTRIES:,}."
            )
        return at - 1
    return re.sub(r"\\(.)", r"\1", piece, flags=re.DOTALL)


# --- a value as leaves ----------------------------------------------------------------------------------------


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every leaf of a value: texts, numbers, lists of texts, and what is empty."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value and not is_lines(value):
        for at, inner in enumerate(value):
            yield from leaves(inner, (*path, at))
    else:
        yield path, value


def at(value: Any, path: Path) -> Any:
    """What stands at a place; :data:`ABSENT` where nothing does."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else ABSENT
        else:
            value = value.get(step, ABSENT) if isinstance(value, dict) else ABSENT
        if value is ABSENT:
            return ABSENT
    return value


def in_order(paths: Sequence[Path], keys: Sequence[str]) -> list[Path]:
    """Paths as columns: top-level keys in the given order, then others; entries of lists one after the other."""
    rank = {key: n for n, key in enumerate(keys)}
    inner: dict[tuple[Path, Step], int] = {}
    for path in paths:
        for depth in range(1, len(path)):
            inner.setdefault((path[:depth], path[depth]), len(inner))

    def place(path: Path) -> tuple[Any, ...]:
        top = path[0]
        first = (rank.get(str(top), len(rank)), str(top))
        rest = ((0, step) if isinstance(step, int) else (1, inner[path[:n], step]) for n, step in enumerate(path) if n)
        return (first, *rest)

    return sorted(dict.fromkeys(paths), key=place)


# --- changed cells into a value -------------------------------------------------------------------------------


def changed(value: Mapping[str, Any], cells: Mapping[Path, Any]) -> dict[str, Any]:
    """A value with some places set, or taken away where they are :data:`ABSENT`.

    An entry of a list of which nothing is left but what only the system reads (``@…``) is taken away as a whole; so is
    every group and list that becomes empty. What was empty before stays.

    Raises:
        ColumnError: when a place cannot be there, because something else is.
    """
    tops = {path[0] for path in cells}
    new: dict[str, Any] = {key: deepcopy(inner) if key in tops else inner for key, inner in value.items()}
    gone = [path for path, cell in cells.items() if cell is ABSENT]
    for path, cell in cells.items():
        if cell is not ABSENT:
            _put(new, path, cell)
    emptied = {path[:depth] for path in gone for depth in range(1, len(path))}
    for path in gone:
        _take(new, path)
    for path in sorted(emptied, key=len, reverse=True):
        _prune(new, path)
    return {key: _without_holes(inner) if key in tops else inner for key, inner in new.items()}


_HOLE = object()


def _put(value: Any, path: Path, cell: Any) -> None:
    for step, following in pairwise(path):
        value = _entered(value, step, path, [] if isinstance(following, int) else {})
    _entered(value, path[-1], path, cell, replace=True)


def _entered(value: Any, step: Step, path: Path, new: Any, *, replace: bool = False) -> Any:
    """What stands at one step; ``new`` is put there where nothing does."""
    if isinstance(step, int):
        if not isinstance(value, list):
            raise ColumnError(f"The column {header(path)!r} does not fit: there is no list at {header((step,))}.")
        value += [_HOLE] * (step + 1 - len(value))
        if replace or value[step] is _HOLE or not _holds(value[step], new):
            value[step] = new
    else:
        if not isinstance(value, dict):
            raise ColumnError(f"The column {header(path)!r} does not fit: {step!r} is no part of what stands there.")
        if replace or step not in value or not _holds(value[step], new):
            value[step] = new
    return value[step]


def _holds(present: Any, wanted: Any) -> bool:
    """Whether a list or group stands where one is needed; an empty one of the other kind gives way."""
    return type(present) is type(wanted) or present not in ([], {})


def _take(value: Any, path: Path) -> None:
    home = at(value, path[:-1])
    step = path[-1]
    if isinstance(home, dict) and isinstance(step, str):
        home.pop(step, None)
    elif isinstance(home, list) and isinstance(step, int) and step < len(home):
        home[step] = _HOLE


def _prune(value: Any, path: Path) -> None:
    """Takes a group or list away that holds nothing any more."""
    here = at(value, path)
    is_entry = isinstance(path[-1], int)
    if isinstance(here, list):
        is_empty = all(each is _HOLE for each in here)
    else:
        is_empty = isinstance(here, dict) and (not here or (is_entry and all(key[:1] == "@" for key in here)))
    if is_empty:
        _take(value, path)


def _without_holes(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_holes(each) for each in value if each is not _HOLE]
    if isinstance(value, dict):
        return {key: _without_holes(each) for key, each in value.items()}
    return value
