"""Whether the files of a run are as they were last seen: only then can be vouched for what is known of them."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest import documents
from ingest.errors import NotAtRestError
from ingest.parts import some
from ingest.rows import Condition, PlaceRow, Stamp
from ingest.seen import Seen

Entries = Sequence[Mapping[str, Any]]
Row = tuple[int, int, int, int, int, int]

_JUST_NOW = 1.0  # seconds


@dataclass(frozen=True)
class Look:
    """The files of a run, looked at before the locks are taken: the slow part, which should hold up nobody.

    ``at_rest`` are the paths that were as last seen; ``folders`` the stamps of their folders, which change when a file
    is removed, renamed or put in another's place; ``moment`` is by the monotonic clock.
    """

    at_rest: frozenset[str] = frozenset()
    folders: Mapping[str, Stamp] = field(default_factory=dict)
    moment: float = -math.inf

    def holds(self, folder: str) -> bool:
        """Whether it was just now, and no folder has changed since; what is written into a file meanwhile is next."""
        if time.monotonic() - self.moment > _JUST_NOW:
            return False
        return all(_stamp(folder, path) == stamp for path, stamp in self.folders.items())


def look(folder: Path, identifier: str, paths: Iterable[str] | None, seen: Seen) -> Look:
    """Look at some files of a dataset: those of these names, all that are described when ``paths`` is None."""
    place = seen.place_of(identifier)
    rows = {} if place is None or place.gone else seen.stamps(place.id)
    wanted = rows.keys() if paths is None else rows.keys() & {os.fsencode(path) for path in paths}
    described = {os.fsdecode(path): rows[path] for path in wanted if rows[path][5] == Condition.DESCRIBED}
    top = os.fspath(folder)
    names = {path.rpartition("/")[0] for path in described}
    folders = {name: stamp for name in names if (stamp := _stamp(top, name))}
    at_rest = frozenset(path for path, row in described.items() if _is_still(f"{top}/{path}", row))
    return Look(at_rest, folders, time.monotonic())


def _is_still(path: str, row: Row) -> bool:
    try:
        info = os.lstat(path)
    except OSError:
        return False
    now = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
    return now == row[:5] or Stamp.of(info) == row[:5]


def _stamp(folder: str, name: str) -> Stamp | None:
    try:
        return Stamp.of(os.lstat(f"{folder}/{name}"))
    except OSError:
        return None


def refuse_restless(
    folder: Path, identifier: str, entries: Entries, seen: Seen | None, looked: Look | None = None
) -> None:
    """That every file of a run is there, and as it was when it was described.

    Args:
        identifier: of the dataset in ``folder``.
        seen: without it the files are compared with what their entries say.
        looked: what was looked at just before, and need not be again.

    Raises:
        NotAtRestError: naming the files that are not.
    """
    missing = [str(e["path"]) for e in entries if e.get("state") == "missing"]
    if missing:
        words = "missing: put back what is gone, or take it off the run's data files."
        raise NotAtRestError(several(missing, words), tuple(missing))
    top = os.fspath(folder)
    left = entries
    if looked is not None and looked.holds(top):
        left = [entry for entry in entries if _path(entry) not in looked.at_rest]
    as_seen = _by_entry if seen is None else _by_row(seen, seen.place_of(identifier) if left else None)
    restless = [str(e["path"]) for e in left if not _is_as(as_seen, top, e)]
    if restless:
        words = "not as last seen: wait until that is described, and try again."
        raise NotAtRestError(several(restless, words), tuple(restless))


def refuse_undescribed(identifier: str, listed_elsewhere: set[str], seen: Seen | None) -> None:
    """That nothing in a dataset waits to be described, for a run that takes every file no other has claimed.

    Raises:
        NotAtRestError: naming the files that wait, or cannot be described.
    """
    place = None if seen is None else seen.place_of(identifier)
    if seen is None or place is None:
        return
    troubled = seen.troubled(place.id)
    waiting = [path for path in map(_shown, troubled) if path not in listed_elsewhere]
    if waiting:
        words = "not described: wait, see the status page for the reason, or choose the run's data files one by one."
        raise NotAtRestError(several(waiting, words), tuple(waiting))


def _shown(path: bytes) -> str:
    return documents.readable(os.fsdecode(path))


def several(paths: Sequence[str], words: str) -> str:
    """A sentence on some files, the first three of them by name."""
    if len(paths) == 1:
        return f"{some(paths)} is {words}"
    return f"{len(paths):,} files ({some(paths)}) are {words}"


AsSeen = Callable[[str, Mapping[str, Any], os.stat_result], bool]


def _path(entry: Mapping[str, Any]) -> str:
    return documents.decode_path(entry["path"], entry.get("path_encoding"))


def _is_as(as_seen: AsSeen, folder: str, entry: Mapping[str, Any]) -> bool:
    path = _path(entry)
    try:
        return as_seen(path, entry, os.lstat(f"{folder}/{path}"))
    except OSError:
        return False


def _by_row(seen: Seen, place: PlaceRow | None) -> AsSeen:
    rows = {} if place is None or place.gone else seen.stamps(place.id)

    def as_seen(path: str, entry: Mapping[str, Any], info: os.stat_result) -> bool:
        row = rows.get(os.fsencode(path))
        return row is not None and row[5] == Condition.DESCRIBED and Stamp(*row[:5]) == Stamp.of(info)

    return as_seen


def _by_entry(path: str, entry: Mapping[str, Any], info: os.stat_result) -> bool:
    modified = entry.get("modified_utc")
    same_time = not isinstance(modified, str) or _nanoseconds(modified) in (None, info.st_mtime_ns)
    return info.st_size == entry["size_bytes"] and same_time


def _nanoseconds(text: str) -> int | None:
    whole, _, fraction = text.removesuffix("Z").partition(".")
    try:
        seconds = int(datetime.fromisoformat(f"{whole}+00:00").timestamp())
        return seconds * 10**9 + int(f"{fraction:0<9}"[:9])
    except ValueError:
        return None
