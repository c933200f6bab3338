"""How much of what a complete record must say is said already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import engine
from ingest.completeness import asked, fields_of


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
    schemas = engine.schemas(root)
    lacking = fields_of(problem.pointer for problem in schemas.missing_for_complete(kind, value))
    everything = asked(schemas, kind, value) | lacking
    return Completeness(len(everything - lacking), len(everything))
