"""Lays the demonstration's files down, lets the engine describe them, and adds what their sources say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.demo.collections import COLLECTIONS, PROJECT_RECORD, Collection
from catalog.demo.copying import DemoError, copies, lay_down, package_version
from ingest import documents
from ingest.reconcile import reconcile
from ingest.report import Progress
from ingest.workspace import Workspace

PROJECT_NAME = "demo"
AUTHOR = "system:demo"


@dataclass(frozen=True)
class Made:
    """What was made; ``size_bytes`` counts the data, not the records."""

    project: Path
    datasets: int
    files: int
    size_bytes: int


def make(
    workspace: Workspace,
    *,
    on_recorded: Callable[[Sequence[Path]], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Made:
    """Make the project ``demo`` in a watched folder, described and with its sources and licences recorded.

    Args:
        on_recorded: is given the documents written, as by :func:`ingest.reconcile.reconcile`.

    Raises:
        DemoError: if the project is there already, a package is missing, the disk refuses, or the root is frozen.
        BusyError, StoreError: as by the engine.
    """
    project = workspace.root / f"{workspace.layout.project_prefix}{PROJECT_NAME}"
    names = {c.folder: f"{workspace.layout.dataset_prefix}{c.folder}" for c in COLLECTIONS}
    files = [copy for c in COLLECTIONS for copy in copies(c, names[c.folder])]
    lay_down(files, project)
    report = reconcile(workspace, scope=project, on_recorded=on_recorded, progress=progress)
    reasons = [*report.alarms, *(finding.message for finding in report.findings)]
    if reasons:
        raise DemoError(f"The files of the demonstration are in {project} but could not all be described: {reasons[0]}")
    written = _record_project(workspace, project)
    for collection in COLLECTIONS:
        written += _record_dataset(workspace, project / names[collection.folder], collection)
    if on_recorded is not None:
        on_recorded(written)
    return Made(project, len(COLLECTIONS), len(files), sum(f.source.stat().st_size for f in files))


def _record_project(workspace: Workspace, project: Path) -> list[Path]:
    path = documents.project_document(workspace.root, project.name)
    return _add(workspace, path, documents.PROJECT, PROJECT_RECORD)


def _record_dataset(workspace: Workspace, dataset: Path, collection: Collection) -> list[Path]:
    relative = dataset.relative_to(workspace.root).as_posix()
    path = documents.dataset_document(workspace.root, relative, documents.ADMINISTRATIVE)
    return _add(
        workspace, path, documents.ADMINISTRATIVE, {**collection.record, "provenance_statement": origin(collection)}
    )


def origin(collection: Collection) -> str:
    """Where the files of a dataset come from and what their licence rests on, for its provenance statement."""
    return (
        f"Copied unchanged from the Python package {collection.distribution} {package_version(collection)}. "
        f"{collection.licence_statement}"
    )


def _add(workspace: Workspace, path: Path, kind: str, values: Mapping[str, Any]) -> list[Path]:
    """Set the fields; the document stays what the engine made of it otherwise, and a draft."""
    outcome = workspace.store.change(path, kind, lambda document: {**(document or {}), **values}, by=AUTHOR)
    return [written.path for written in outcome.written]
