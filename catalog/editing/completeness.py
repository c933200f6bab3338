"""How far a record is from being complete: what it must have, and what of that is missing, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.editing.drawing import Drawn, Section
from catalog.editing.reading import Reading
from ingest.completeness import Count, counted
from ingest.schema import Problem


@dataclass(frozen=True)
class Missing:
    """One thing that is not right yet, and the place in the form where it is mended."""

    anchor: str
    title: str
    message: str


@dataclass(frozen=True)
class Meter(Count):
    """How much there is, and what is missing."""

    missing: tuple[Missing, ...]

    @property
    def step(self) -> int:
        """Twentieths, for a bar that is drawn without inline styles."""
        return self.percent // 5


def meter(drawn: Sequence[Section], reading: Reading, problems: Sequence[Problem], asked: frozenset[str]) -> Meter:
    """The meter of a form, of the problems its document has as a complete one and the fields that asks for."""
    anchors = {each.name: each.anchor for section in drawn for part in section.parts for each in part.walk()}
    missing = []
    for problem in problems:
        name = reading.name_of(problem.pointer)
        title = problem.message.partition(": ")[0]
        missing.append(Missing(_nearest(anchors, name), title, problem.message))
    count = counted(asked, problems)
    return Meter(count.done, count.total, tuple(missing))


def _nearest(anchors: dict[str, str], name: str) -> str:
    while name and name not in anchors:
        name = name.rpartition("/")[0]
    return anchors.get(name, "content")


def shown(drawn: Iterable[Section]) -> Iterable[Drawn]:
    """The top-level fields of a form that are shown."""
    return (part for section in drawn for part in section.parts if part.is_shown)
