"""What of a filled form can be kept: drafts always save, and what breaks a rule of the schema stays in the form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from catalog.editing import fields, guided, order, reading
from catalog.editing.fields import Field, Tree
from catalog.editing.opened import with_people
from catalog.editing.reading import Filled, Reading
from ingest import completeness
from ingest.records import Value
from ingest.schema import Problem, SchemaSet

_ROUNDS = 12
_LIMIT = 200
_EMBARGO = "embargo_end_date"


@dataclass(frozen=True)
class Settled:
    """A filled form, settled.

    Attributes:
        reading: what is kept; its ``value`` breaks no rule for a draft unless ``refused`` says so.
        left: name of an input → why what is typed there stays in the form.
        refused: what is wrong although nothing typed is at fault: then nothing can be saved.
    """

    reading: Reading
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: tuple[Problem, ...] = ()


def settle(
    tree: Tree, schemas: SchemaSet, filled: Mapping[str, str], base: Mapping[str, Any], system: Mapping[str, Any]
) -> Settled:
    """Take from a filled form what a draft may hold.

    Args:
        base: people's part of the document the form was made from.
        system: the system's part, for validation only.
    """
    working: Filled = dict(filled)
    left: dict[str, tuple[str, ...]] = {}
    for _ in range(_ROUNDS):
        now = reading.read(tree, working, base)
        left = {**{name: (why,) for name, why in now.wrong.items()}, **left}
        problems = draft_problems(schemas, tree.kind, now.value, system)
        if not problems:
            return Settled(now, order.of_errors(tree, left))
        culprits = {problem: _culprit(now.name_of(problem.pointer), working) for problem in problems}
        if not all(culprits.values()):
            at_fault = tuple(problem for problem, name in culprits.items() if not name)
            return Settled(now, order.of_errors(tree, left), at_fault)
        for problem, name in culprits.items():
            if name not in left or problem.message not in left[name]:
                left[name] = (*left.get(name, ()), told(tree, now, problem, filled))
        working = _without(working, set(culprits.values()))
    return Settled(reading.read(tree, {}, base), order.of_errors(tree, left), tuple(problems))


def draft_problems(schemas: SchemaSet, kind: str, value: Mapping[str, Any], system: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with people's part of a document as a draft."""
    return schemas.problems(kind, _whole(kind, value, system, "draft"), _LIMIT)


def complete_problems(
    schemas: SchemaSet, kind: str, value: Mapping[str, Any], system: Mapping[str, Any]
) -> list[Problem]:
    """What keeps people's part of a document from being complete."""
    return schemas.missing_for_complete(kind, _whole(kind, value, system, "complete"))


def noted(schemas: SchemaSet, kind: str, reading: Reading, base: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Name of an input → what looks wrong there, though a draft may keep it.

    Dates the wrong way round; and the end of an embargo that was over when it was typed: one that ran out since then
    (``base`` has it already) is as it should be.
    """
    found: dict[str, tuple[str, ...]] = {
        reading.name_of(problem.pointer): (problem.message,) for problem in schemas.reversed_dates(kind, reading.value)
    }
    end = reading.value.get(_EMBARGO)
    if reading.value.get("access_level") == "embargoed" and end != base.get(_EMBARGO) and _is_over(end):
        words = f"{end} is over already: data under embargo until then may be had by now. Is another day meant?"
        found[f"/{_EMBARGO}"] = (f"{schemas.words(kind).label([_EMBARGO])}: {words}",)
    return found


def _is_over(day: Any) -> bool:
    try:
        return isinstance(day, str) and date.fromisoformat(day) < datetime.now(UTC).date()
    except ValueError:
        return False


def asked(schemas: SchemaSet, kind: str, value: Mapping[str, Any], system: Mapping[str, Any]) -> frozenset[str]:
    """The fields a complete document like this must have."""
    return completeness.asked(schemas, kind, _whole(kind, value, system, "complete"))


def _whole(kind: str, value: Mapping[str, Any], system: Mapping[str, Any], status: str) -> Value:
    own = {**value, "status": status} if "status" in value else dict(value)
    return with_people(kind, system, own)


def _culprit(name: str, working: Mapping[str, str]) -> str:
    """The nearest input, row or list at or around a name that the form still has a say in; "" when there is none."""
    while name:
        below = f"{name}/"
        if name in working or name + reading.LIST in working or any(each.startswith(below) for each in working):
            return name
        name = name.rpartition("/")[0]
    return ""


def _without(working: Filled, names: Iterable[str]) -> Filled:
    """The form without a say in some places: there the document keeps what it has. Rows stay where they are."""
    gone = set(names)
    starts = tuple(f"{name}/" for name in gone)
    return {
        name: text
        for name, text in working.items()
        if name.removesuffix(reading.LIST).removesuffix(reading.IDENTITY) not in gone and not name.startswith(starts)
    }


def told(tree: Tree, now: Reading, problem: Problem, filled: Mapping[str, str]) -> str:
    """A problem in words, in those of its guided kind where there is one."""
    name = now.name_of(problem.pointer)
    found = field_at(tree.root, name)
    advice = guided.advice(found.guided, filled.get(name, "")) if found is not None and found.guided else ""
    if problem.is_missing:  # the form shows the answers that are accepted
        return problem.message.partition(" Accepted are ")[0]
    return advice or problem.message


def field_at(root: Field, name: str) -> Field | None:
    """The field an input of this name belongs to."""
    here: Field | None = root
    for step in name.split("/")[1:]:
        if here is None:
            return None
        if here.item is not None:
            here = here.item
            continue
        here = next((each for each in here.fields if fields.name("", each.key) == f"/{step}"), None)
    return here
