"""How far a record is from being complete: what it must have, and what of that is missing, each with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.editing import order
from catalog.editing.drawing import anchor
from catalog.editing.drawn import Section
from catalog.editing.fields import Tree
from catalog.editing.reading import Reading
from ingest.completeness import Count, counted, fields_of
from ingest.schema import Problem


@dataclass(frozen=True)
class Place:
    """One thing that keeps a record from being complete, and the place in the form where it is mended."""

    anchor: str
    title: str


@dataclass(frozen=True)
class Meter(Count):
    """How many of the required fields are filled in, what they lack, and apart from that what is to be corrected."""

    missing: tuple[Place, ...] = ()
    corrections: tuple[Place, ...] = ()


def meter(
    tree: Tree,
    shown: Mapping[str, str],
    reading: Reading,
    problems: Sequence[Problem],
    asked: frozenset[str],
) -> Meter:
    """The meter of a form, of the problems its document has as a complete one and the fields that asks for.

    Args:
        shown: name of each field in the form → the id of its place.
    """
    count = counted(asked, problems)
    missing: list[Place] = []
    corrections: list[Place] = []
    for name, problem in sorted(
        ((reading.name_of(problem.pointer), problem) for problem in problems),
        key=lambda pair: order.of_name(tree, pair[0]),
    ):
        is_required = problem.is_missing and (name.count("/") == 1 or fields_of([problem.pointer]) <= asked)
        (missing if is_required else corrections).append(Place(_nearest(shown, name), problem.label))
    return Meter(count.done, count.total, count.wrong, tuple(missing), tuple(corrections))


def _nearest(shown: Mapping[str, str], name: str) -> str:
    while name and name not in shown:
        name = name.rpartition("/")[0]
    return shown.get(name, "content")


def places(drawn: Sequence[Section]) -> dict[str, str]:
    """Name of each field that a drawn form has → the id of its place."""
    return {each.name: anchor(each.name) for section in drawn for part in section.parts for each in part.walk()}
