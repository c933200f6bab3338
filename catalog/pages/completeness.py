"""How much of what a complete record must say is said already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import engine
from ingest import documents
from ingest.schema import Problem


@dataclass(frozen=True)
class Completeness:
    """Fields that are right, of those that a complete record of this kind must have."""

    done: int
    total: int

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means all."""
        return 100 * self.done // self.total if self.total else 100


def of_record(root: Path, kind: str, value: Mapping[str, Any]) -> Completeness:
    """The completeness of one document's value by the schema in force."""
    schemas, own = engine.schemas(root), documents.SYSTEM_KEYS[kind]
    nothing_said = {key: each for key, each in value.items() if key in own}
    asked = _fields(schemas.missing_for_complete(kind, nothing_said)) - own
    lacking = _fields(schemas.missing_for_complete(kind, value)) - own
    everything = asked | lacking
    return Completeness(len(everything - lacking), len(everything))


def _fields(problems: Iterable[Problem]) -> set[str]:
    return {problem.pointer.split("/")[1] for problem in problems if "/" in problem.pointer}
