"""What every document bears that is written: who and when, the schema in force, and system fields nobody else writes.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.documents import AUDIT, COMPLETE, STRUCTURAL, SYSTEM_KEYS, Document
from ingest.errors import DocumentError, StoreError
from ingest.records import Value
from ingest.schema import SchemaSet


@dataclass(frozen=True)
class Stamping:
    """One action's: a user name (or ``system:<trigger>``), one moment, and the schemas in force."""

    schemas: SchemaSet
    by: str
    moment: str

    @property
    def is_the_systems(self) -> bool:
        """Whether no person asked for it."""
        return self.by.startswith("system:")

    def stamped(self, kind: str, value: Value, old: Mapping[str, Any] | None, *, ours: bool = False) -> Value:
        """``value`` with the audit fields set, ``$schema`` as in force, and system fields kept from people's hands."""
        if old is not None and not ours and not self.is_the_systems:
            hidden = SYSTEM_KEYS.get(kind, frozenset())
            lost = {k: old[k] for k in old if k in hidden and k not in value}
            kept = {k: old.get(k, v) if k in hidden else v for k, v in value.items() if k not in hidden or k in old}
            value = {**lost, **kept}
        # A document made anew brings its time of making along (from the registry); nobody else may.
        origin = old if old is not None else value if self.is_the_systems else {}
        created = {k: origin[k] for k in AUDIT[:2] if k in origin}
        audit = {
            "created_by": self.by,
            "created_date": self.moment,
            **created,
            "last_modified_by": self.by,
            "last_modified_date": self.moment,
        }
        stamped = {**value, "$schema": self.schemas.schema_id(kind), **audit}
        if kind == STRUCTURAL:
            stamped["file_descriptions"] = stamped.pop("file_descriptions", [])
        return stamped

    def generated(self, path: Path, value: Value, old: Document | None) -> Value:
        """A complete metadata file with its stamps: it is written once, and never again.

        Raises:
            StoreError: when it is there.
        """
        if old is not None:
            raise StoreError(path, f"{path} is there already; a complete metadata file is never overwritten.")
        schema = self.schemas.schema_id(COMPLETE)
        return {**value, "$schema": schema, "generated_by": self.by, "generated_date": self.moment}

    def validate(self, path: Path, kind: str, value: Mapping[str, Any]) -> None:
        """Refuse what its schema does not allow.

        Raises:
            DocumentError: with a sentence per problem.
        """
        problems = self.schemas.problems(kind, value)
        if problems:
            words = tuple(f"{p.pointer or 'the document'}: {p.message}" for p in problems)
            more = f" (and {len(words) - 1} more)" if len(words) > 1 else ""
            raise DocumentError(path, f"{path} is not valid: {words[0]}{more}. Nothing was overwritten.", words)
