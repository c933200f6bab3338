"""The engine as pages and commands use it: which roots there are, and what the engine knows of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from ingest import documents
from ingest.catching_up import VERSIONS
from ingest.errors import FairfolderError
from ingest.layout import TEMPLATE_SCHEMAS, Layout
from ingest.provenance.recorder import Recorder
from ingest.rows import Condition
from ingest.schema import Problem, SchemaSet
from ingest.seen import state_folder
from ingest.workspace import Workspace, open_workspace

NOT_DESCRIBED = (
    Condition.PENDING,
    Condition.UNREADABLE,
    Condition.FAILED,
    Condition.LINK,
    Condition.SPECIAL,
)
_MOST_LOOKED_AT = 1_000


@dataclass(frozen=True)
class Undescribed:
    """A path the engine saw and did not describe; `since` in seconds since 1970."""

    path: str
    condition: str
    reason: str
    since: float


def roots() -> tuple[Path, ...]:
    """The watched folders, absolute."""
    return tuple(settings.MONITOR_PATHS)


def example_dataset() -> str:
    """A dataset folder as the present prefixes want it, below a root."""
    return f"{settings.ENGINE.project_prefix}MyProject/{settings.ENGINE.dataset_prefix}dataset_1"


def root_named(text: str) -> Path | None:
    """The watched folder that the index knows under this text."""
    return next((root for root in roots() if documents.readable(str(root)) == text), None)


@contextmanager
def looking(root: Path) -> Iterator[Workspace]:
    """A workspace for reading what the engine knows, without any lock."""
    with open_workspace(root, settings.ENGINE, read_only=True) as workspace:
        workspace.schemas = schemas(root)  # judging local schemas takes longer than a page should
        yield workspace


@lru_cache(maxsize=32)
def schemas(root: Path) -> SchemaSet:
    """The schemas in force for a root; it looks after changed local files by itself, so one is kept for each root."""
    return SchemaSet(root / TEMPLATE_SCHEMAS)


@lru_cache(maxsize=32)
def recorder(root: Path) -> Recorder:
    """The history of a root, as this process uses it."""
    own = settings.ENGINE
    return Recorder(root, state_folder(own.state_dir, root), own.git, Layout(own.project_prefix, own.dataset_prefix))


def are_reflinks(root: Path) -> bool:
    """Whether the last pass found that versions of data files take no room of their own in a root."""
    try:
        with looking(root) as workspace:
            last = workspace.seen.get(VERSIONS)
    except FairfolderError:
        return False
    return isinstance(last, dict) and last.get("clones") is True


def labels(root: Path, kind: str) -> dict[str, str]:
    """Key → title of a category's fields, in the order of its schema."""
    properties: Mapping[str, Any] = schemas(root).in_force(kind).get("properties", {})
    return {
        key: rule["title"]
        for key, rule in properties.items()
        if isinstance(rule, dict) and isinstance(rule.get("title"), str)
    }


def lacking(root: Path, kind: str, value: Mapping[str, Any]) -> list[Problem]:
    """What a draft still lacks to be complete."""
    return schemas(root).missing_for_complete(kind, value)


def strays(root: Path, project: str) -> list[str]:
    """Files that lie directly in a project folder (``os`` path below the root) and so belong to no dataset."""
    with looking(root) as workspace:
        place = workspace.seen.place_at(project)
        if place is None:
            return []
        rows = workspace.seen.stamps(place.id)
        return sorted(os.fsdecode(path) for path, row in rows.items() if row[-1] == Condition.STRAY)


def undescribed(root: Path, dataset: str) -> list[Undescribed]:
    """What the engine did not describe (yet) in a dataset folder, oldest first; only the oldest of the root count."""
    with looking(root) as workspace:
        rows = workspace.seen.in_condition(NOT_DESCRIBED, _MOST_LOOKED_AT)
    return [Undescribed(row.path, row.condition.word, row.reason, row.since) for place, row in rows if place == dataset]
