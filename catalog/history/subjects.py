"""What a path on the command line names: everything, the records of a folder, one document, or a data file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from django.conf import settings

from catalog import engine, state
from catalog.commanding import chosen
from catalog.editing.targets import Target
from catalog.history import finding
from ingest.errors import LayoutError, printable
from ingest.layout import Layout, PlaceKind, relative_to_root


class Sort(StrEnum):
    """What stands at a path."""

    ROOT = "root"
    FOLDER = "folder"  # of a project or a dataset
    DOCUMENT = "document"
    DATA = "data file"


@dataclass(frozen=True)
class Subject:
    """A path with its meaning: ``relative`` is its ``os`` path below ``root``, ``target`` what the index knows."""

    root: Path
    relative: str
    sort: Sort
    target: Target | None = None

    @property
    def recorded(self) -> str:
        """The path the repository is asked for, where it is not the record of a folder that is followed."""
        return self.relative or "."

    @property
    def shown(self) -> str:
        """The path as any text channel can carry it."""
        return printable(str(self.root / self.relative))


def subject(path: str) -> Subject:
    """What a path names.

    Raises:
        LayoutError: when it lies in no watched folder, or where nothing is recorded.
    """
    if "\0" in path or not path:
        raise LayoutError(f"{path!r} cannot be a path; name a folder or a file in a watched folder.")
    root, relative = _place(path)
    if relative in ("", "."):
        return Subject(root, "", Sort.ROOT)
    place = Layout(settings.ENGINE.project_prefix, settings.ENGINE.dataset_prefix).place(relative)
    if place.kind is PlaceKind.METADATA and relative.endswith(".json"):
        target = finding.at(root, relative) if state.is_current() else None
        return Subject(root, relative, Sort.DOCUMENT, target)
    if place.kind in (PlaceKind.PROJECT, PlaceKind.DATASET) and not (root / relative).is_file():
        return Subject(root, relative, Sort.FOLDER)
    if place.kind is PlaceKind.DATA:
        return Subject(root, relative, Sort.DATA)
    raise LayoutError(
        f"{path!r} has no history: only records and the data files of datasets have one; name a project, a dataset, "
        "a document in .metadata or a data file."
    )


def _place(path: str) -> tuple[Path, str]:
    """The root a path lies in, and its ``os`` path below it; what is gone is sought where its project still is."""
    try:
        root, whole = chosen(path)[0]
        return root, relative_to_root(root, whole) if whole is not None else ""
    except LayoutError:
        if os.path.isabs(path):
            raise
        for root in engine.roots():
            relative = relative_to_root(root, root / path)
            if (root / relative.partition("/")[0]).is_dir():
                return root, relative
        raise
