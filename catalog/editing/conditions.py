"""Which fields apply to what is filled in: the schema's ``if``/``then``, asked as if the record were complete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from catalog.editing.fields import Field
from catalog.editing.nodes import Guard, Guards

Path = tuple[str | int, ...]
_NOTHING: dict[str, Any] = {}


class Answers:
    """What the conditions of a schema say of one value; each question is asked once for each place."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = {**value, "status": "complete"}
        self._known: dict[tuple[int, Path], bool] = {}

    def is_asked(self, field: Field, path: Path) -> bool:
        """Whether a field belongs into the form; ``path`` leads to it."""
        return not field.conditions or self._any(field.conditions, path)

    def is_needed(self, field: Field, path: Path) -> bool:
        """Whether a complete record needs the field, given that the group it stands in is there."""
        return self._any(field.demands, path)

    def _any(self, alternatives: Iterable[Guards], path: Path) -> bool:
        return any(all(self._holds(guard, path) for guard in guards) for guards in alternatives)

    def _holds(self, guard: Guard, path: Path) -> bool:
        key = id(guard), path[: guard.depth]
        if key not in self._known:
            self._known[key] = guard.holds(at(self._value, path[: guard.depth]))
        return self._known[key]


def at(value: Any, path: Path, nothing: Any = _NOTHING) -> Any:
    """What stands at a place; ``nothing``, by default an empty group, where nothing stands."""
    for step in path:
        if isinstance(step, int):
            found = isinstance(value, list) and step < len(value)
        else:
            found = isinstance(value, Mapping) and step in value
        if not found:
            return nothing
        value = value[step]
    return value
