"""Which metadata documents there are on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.documents import (
    ADMINISTRATIVE,
    COMPLETE,
    EXPERIMENT,
    INSTRUMENT,
    INSTRUMENTS,
    PROJECT,
    REGISTRY,
    RUNS,
    STRUCTURAL,
    folders_in,
    instrument_document,
    revision_of,
)
from ingest.layout import METADATA, Layout


@dataclass(frozen=True)
class Found:
    """A metadata document on disk: its absolute path and its kind."""

    path: Path
    kind: str


def find_documents(root: Path, layout: Layout) -> Iterator[Found]:
    """Every metadata document under a root, whether readable or not, in a stable order; links are not followed."""
    own = root / METADATA
    if not own.is_symlink():
        for name in _names(own / "registry"):
            if name.endswith(".json") and not name.startswith("."):
                yield Found(own / "registry" / name, REGISTRY)
        for slug in folders_in(own / INSTRUMENTS):
            yield from _present(instrument_document(root, slug), INSTRUMENT)
    for project in folders_in(root):
        if layout.is_project_name(project):
            yield from _project_documents(root / project, layout)


def _project_documents(folder: Path, layout: Layout) -> Iterator[Found]:
    if not (folder / METADATA).is_symlink():
        yield from _present(folder / METADATA / f"{PROJECT}.json", PROJECT)
    for dataset in folders_in(folder):
        if layout.is_dataset_name(dataset) and not (folder / dataset / METADATA).is_symlink():
            yield from dataset_documents(folder / dataset)


def dataset_documents(folder: Path) -> Iterator[Found]:
    """The documents of one dataset folder."""
    own = folder / METADATA
    yield from _present(own / f"{ADMINISTRATIVE}.json", ADMINISTRATIVE)
    yield from _present(own / f"{STRUCTURAL}.json", STRUCTURAL)
    yield from run_documents(folder)


def run_documents(folder: Path) -> Iterator[Found]:
    """The documents of the runs of one dataset folder, each run's own before its complete metadata files."""
    runs = folder / METADATA / RUNS
    for label in () if runs.is_symlink() else folders_in(runs):
        yield from _present(runs / label / f"{EXPERIMENT}.json", EXPERIMENT)
        for name in _names(runs / label):
            if revision_of(name):
                yield Found(runs / label / name, COMPLETE)


def _present(path: Path, kind: str) -> Iterator[Found]:
    if os.path.lexists(path):
        yield Found(path, kind)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []
