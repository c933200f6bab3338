"""Lays the demonstration's files down, lets the engine describe them, and adds what is known of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.demo import collections, examples
from catalog.demo.collections import Collection
from catalog.demo.copying import Copy, DemoError, copies, lay_down, package_version, refuse_used
from catalog.demo.examples import Example
from ingest import documents
from ingest.reconcile import reconcile
from ingest.report import Progress
from ingest.workspace import Workspace

PROJECT_NAME = "demo"
PUBLISHED_NAME = "demo_published"
AUTHOR = "system:demo"


@dataclass(frozen=True)
class Part:
    """One project of the demonstration: the last part of its folder's name, its record, its datasets."""

    name: str
    record: Mapping[str, Any]
    collections: Sequence[Collection]


@dataclass(frozen=True)
class Made:
    """What was made; ``size_bytes`` counts the data, not the records."""

    project: Path
    datasets: int
    files: int
    size_bytes: int


def drafts() -> Part:
    """What sources say and nobody completed: the project ``demo``."""
    return Part(PROJECT_NAME, collections.PROJECT_RECORD, collections.COLLECTIONS)


def complete(shown: Sequence[Example]) -> Part:
    """What may be published: the project ``demo_published``."""
    return Part(PUBLISHED_NAME, examples.PROJECT_RECORD, [each.collection for each in shown])


def make(
    workspace: Workspace,
    parts: Sequence[Part],
    *,
    on_recorded: Callable[[Sequence[Path]], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> list[Made]:
    """Make projects in a watched folder, described and with their sources and licences recorded.

    Args:
        on_recorded: is given the documents written, as by :func:`ingest.reconcile.reconcile`.

    Raises:
        DemoError: if a project is there already, a package is missing, the disk refuses, or the root is frozen.
        BusyError, StoreError: as by the engine.
    """
    found = [(folder_of(workspace, each), each, _copies(workspace, each)) for each in parts]
    for project, _, _ in found:
        refuse_used(project)
    for project, _, files in found:
        lay_down(files, project)
    for project, part, _ in found:
        report = reconcile(workspace, scope=project, on_recorded=on_recorded, progress=progress)
        reasons = [*report.alarms, *(finding.message for finding in report.findings)]
        if reasons:
            raise DemoError(
                f"The files of the demonstration are in {project} but could not all be described: {reasons[0]}"
            )
        written = _record_project(workspace, project, part)
        for collection in part.collections:
            written += _record_dataset(workspace, project / dataset_name(workspace, collection), collection)
        if on_recorded is not None:
            on_recorded(written)
    return [Made(p, len(part.collections), len(files), _size(files)) for p, part, files in found]


def others(workspace: Workspace) -> list[str]:
    """The projects of a watched folder that are none of the demonstration."""
    own = {folder_of(workspace, each).name for each in (drafts(), complete(()))}
    with os.scandir(workspace.root) as entries:
        names = [each.name for each in entries if each.is_dir() and workspace.layout.is_project_name(each.name)]
    return sorted(set(names) - own)


def folder_of(workspace: Workspace, part: Part) -> Path:
    """The project's folder."""
    return workspace.root / f"{workspace.layout.project_prefix}{part.name}"


def dataset_name(workspace: Workspace, collection: Collection) -> str:
    """The name of a dataset's folder."""
    return f"{workspace.layout.dataset_prefix}{collection.folder}"


def _copies(workspace: Workspace, part: Part) -> list[Copy]:
    return [copy for each in part.collections for copy in copies(each, dataset_name(workspace, each))]


def _size(files: Sequence[Copy]) -> int:
    return sum(each.source.stat().st_size for each in files)


def _record_project(workspace: Workspace, project: Path, part: Part) -> list[Path]:
    path = documents.project_document(workspace.root, project.name)
    return _add(workspace, path, documents.PROJECT, part.record)


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
    """Set the fields; the document stays what the engine made of it otherwise."""
    outcome = workspace.store.change(path, kind, lambda document: {**(document or {}), **values}, by=AUTHOR)
    return [written.path for written in outcome.written]
