"""The order of a form: what is missing is listed as one comes by it, from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from catalog.editing.fields import Field, Kind, Tree
from ingest.schema import Problem
from ingest.schema_compile import unescape

_LAST = 1_000_000


def of_name(tree: Tree, name: str) -> tuple[int, ...]:
    """What to sort the name of an input (or the pointer of a value) by."""
    among: Sequence[Field] = [each for section in tree.sections for each in section.fields]
    found: list[int] = []
    here: Field | None = None
    for step in name.split("/")[1:]:
        key = unescape(step)
        if here is not None and here.kind in (Kind.ROWS, Kind.LINES):
            found.append(int(key) if key.isascii() and key.isdigit() else _LAST)
            among = here.item.fields if here.item is not None else ()
            here = None
            continue
        place = next((number for number, each in enumerate(among) if each.key == key), _LAST)
        found.append(place)
        if place == _LAST:
            break
        here = among[place]
        among = here.fields
    return tuple(found)


def of_problems(tree: Tree, problems: Iterable[Problem]) -> list[Problem]:
    """The problems of a document in the order of its form."""
    return sorted(problems, key=lambda problem: of_name(tree, problem.pointer))


def of_errors(tree: Tree, errors: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Sentences by the names of their inputs, in the order of the form."""
    return {name: errors[name] for name in sorted(errors, key=lambda name: of_name(tree, name))}
