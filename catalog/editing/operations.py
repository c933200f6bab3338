"""What can be done to a field of many records at once: set it, add to a list, remove from a list, clear it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from catalog.editing.bulk import in_words
from ingest.records import Value

_MOST_SHOWN = 80


class Operation(StrEnum):
    SET = "set"
    ADD = "add"
    REMOVE = "remove"
    CLEAR = "clear"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS: Mapping[Operation, str] = {
    Operation.SET: "set to",
    Operation.ADD: "add to what is there",
    Operation.REMOVE: "remove from what is there",
    Operation.CLEAR: "clear: take everything away",
}


@dataclass(frozen=True)
class Step:
    """One field's operation; ``value`` is a list for lists, None for :attr:`Operation.CLEAR`."""

    key: str
    title: str
    operation: Operation
    value: Any = None

    @property
    def words(self) -> str:
        """What it does, for people."""
        shown = in_words(self.value)
        shown = shown if len(shown) <= _MOST_SHOWN else f"{shown[: _MOST_SHOWN - 1]}…"
        match self.operation:
            case Operation.SET:
                return f"{self.title} set to {shown}"
            case Operation.ADD:
                return f"{shown} added to {self.title}"
            case Operation.REMOVE:
                return f"{shown} removed from {self.title}"
            case Operation.CLEAR:
                return f"{self.title} cleared"


def carried_out(value: Value, steps: Sequence[Step]) -> Value:
    """A document's value after some steps; a list that becomes empty is left out, for an unknown field is absent."""
    new = dict(value)
    for step in steps:
        result = _one(new.get(step.key), step)
        if result is None:
            new.pop(step.key, None)
        else:
            new[step.key] = result
    return new


def _one(present: Any, step: Step) -> Any:
    if step.operation == Operation.SET:
        return step.value
    if step.operation == Operation.CLEAR:
        return None
    if present is not None and not isinstance(present, list):
        return present  # not what the schema says: the preview shows that nothing changes
    here = present or []
    if step.operation == Operation.ADD:
        return [*here, *(each for each in step.value if not _is_in(each, here))] or None
    return [each for each in here if not _is_in(each, step.value)] or None


def _is_in(one: Any, others: Sequence[Any]) -> bool:
    return any(is_same(one, other) for other in others)


def is_same(one: Any, other: Any) -> bool:
    """Whether two entries of a list are the same thing: by ``@id``, then ORCID or ROR, then name and e-mail."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return bool(one == other)
    if "@id" in one and "@id" in other and one["@id"] == other["@id"]:
        return True
    for key in ("orcid", "ror"):
        if key in one and key in other:
            return bool(one[key] == other[key])
    if "name" not in one or "name" not in other:
        return bool(one == other)
    mails = [each["email"] for each in (one, other) if "email" in each]
    return bool(one["name"] == other["name"]) and len(set(mails)) < 2 and not _told_apart(one, other)


def _told_apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two of one name are known to be two: each has an identifier of its own that others know."""
    public = [str(each.get("@id", "")) for each in (one, other)]
    return all(each.startswith("https:") for each in public) and public[0] != public[1]
