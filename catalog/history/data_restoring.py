"""An earlier version of a data file brought to a place of a person's choice; the researcher's tree is never changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import engine
from catalog.history import data_files, past, whereabouts
from catalog.history.data_files import Kept, Places
from catalog.history.restoring import RestoreError
from catalog.history.subjects import Subject
from ingest.errors import StoreError
from ingest.layout import METADATA, RUN_TEMPLATES, TEMPLATE_SCHEMAS
from ingest.provenance.data import pointers, versions
from ingest.provenance.trails import Version
from ingest.rows import Stamp

_OURS = frozenset({METADATA, TEMPLATE_SCHEMAS, RUN_TEMPLATES, ".git", ".dvc"})


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
    opened = whereabouts.repository(of.root)
    if text is None or entry is None or opened is None:
        raise RestoreError(f"{of.shown!r} was not described in the version {revision}; `history` lists its versions.")
    path = str(entry.get("path", ""))
    places = Places.of(target, opened, [(text.version, entry)])
    found = _held(of.root, places, text.version, entry)
    if found is None or places.cache is None:
        why = places.fault or places.remark or "its bytes were not kept"
        raise RestoreError(f"The bytes {of.shown!r} had in {revision} cannot be brought back: {why.rstrip('.')}.")
    one = places.told(text.version, entry)
    goal = _goal(place, Path(path).name)
    over = _stamp(goal) if overwrite else None
    versions.restore(places.cache, found.version.md5, goal, lambda size: None, sha256=one.sha256, over=over)
    return Brought(goal, one.sha256, one.size, commit)


def _held(root: Path, places: Places, version: Version, entry: Mapping[str, Any]) -> Kept | None:
    """The bytes an entry describes, in the cache; what only a remote has is fetched, until one is found to be them.

    Raises:
        DataError: when a remote does not have them.
    """
    one, _ = places.of_entry(entry)
    if one is None:
        for each in places.of_remotes(version):
            if _fetched(root, places, each) == data_files.checksum(entry):
                return each
    elif not one.version.cached:
        _fetched(root, places, one)
    return one


def _fetched(root: Path, places: Places, one: Kept) -> str:
    """The SHA-256 of what a remote had."""
    if places.cache is None:
        return ""
    versions.fetch(root, places.cache, one.path, one.version, one.commit)
    return versions.sha256_of(places.cache, one.version.md5, lambda size: None)


def _goal(place: str, name: str) -> Path:
    """The file to write: the place itself, or the name in it where it is a folder."""
    if "\0" in place or not place:
        raise StoreError(Path(), f"{place!r} cannot be a path; name a file or a folder with --to.")
    goal = Path(os.path.abspath(os.path.expanduser(place)))
    goal = goal / name if goal.is_dir() else goal
    if not goal.parent.is_dir():
        raise StoreError(goal, f"{str(goal.parent)!r} is no folder; make it, or name another place with --to.")
    if _among_records(goal):
        raise StoreError(goal, f"{str(goal)!r} is among the records of a watched folder; name another place with --to.")
    return goal


def _among_records(goal: Path) -> bool:
    """Whether a place belongs to the metadata, the history or the versions of a watched folder, links followed."""
    real = goal.parent.resolve() / goal.name
    inside = [real.relative_to(root.resolve()).parts for root in engine.roots() if real.is_relative_to(root.resolve())]
    return any(_OURS & set(parts) or goal.suffix == pointers.SUFFIX for parts in inside)


def _stamp(goal: Path) -> Stamp | None:
    try:
        return Stamp.of(goal.lstat())
    except FileNotFoundError:
        return None
