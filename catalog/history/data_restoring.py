"""An earlier version of a data file brought to a place of a person's choice; the researcher's tree is never changed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from catalog.history import data_files, past
from catalog.history.data_files import Places
from catalog.history.restoring import RestoreError
from catalog.history.subjects import Subject
from ingest.errors import StoreError
from ingest.provenance.data import versions
from ingest.provenance.data.project import Project
from ingest.rows import Stamp


@dataclass(frozen=True)
class Brought:
    """What was brought where."""

    place: Path
    sha256: str
    size: int
    commit: str


def bring(of: Subject, revision: str, place: str, *, overwrite: bool = False) -> Brought:
    """Write the bytes a data file had in a version to a place; a folder takes it under its own name.

    Raises:
        RevisionError: when there is no such version.
        RestoreError: when the file was not described then, or its bytes were not kept.
        DataError: when they are neither in the cache nor to be had from a remote.
        OccupiedError: when something stands there and ``overwrite`` is not set.
        StoreError: when it cannot be written there.
    """
    commit = past.resolved(of.root, revision)
    target, wanted = data_files.entry_of(of)
    text = past.text(target, commit)
    entry = wanted.entry(text.raw) if text is not None else None
    opened = past.repository(of.root)
    if text is None or entry is None or opened is None:
        raise RestoreError(f"{of.shown!r} was not described in the version {revision}; `history` lists its versions.")
    path = str(entry.get("path", ""))
    found = Places.of(target, opened, path)
    one = found.told(text.version, entry)
    if not one.md5:
        raise RestoreError(
            f"The bytes {of.shown!r} had in {revision} cannot be brought back: {found.remark or one.kept}."
        )
    cache = Project(of.root).cache()
    kept = found.of_version(text.version, one.sha256)
    if kept is not None and not one.is_cached:
        versions.fetch(of.root, cache, data_files.whole_path(target, path), kept.version, kept.commit)
    goal = _goal(place, Path(path).name)
    versions.restore(cache, one.md5, goal, lambda size: None, over=_stamp(goal) if overwrite else None)
    return Brought(goal, one.sha256, one.size, commit)


def _goal(place: str, name: str) -> Path:
    """The file to write: the place itself, or the name in it where it is a folder."""
    if "\0" in place or not place:
        raise StoreError(Path(), f"{place!r} cannot be a path; name a file or a folder with --to.")
    goal = Path(os.path.abspath(os.path.expanduser(place)))
    goal = goal / name if goal.is_dir() else goal
    if not goal.parent.is_dir():
        raise StoreError(goal, f"{str(goal.parent)!r} is no folder; make it, or name another place with --to.")
    return goal


def _stamp(goal: Path) -> Stamp | None:
    try:
        return Stamp.of(goal.lstat())
    except FileNotFoundError:
        return None
