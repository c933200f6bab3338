"""Whether the files of a run are as they were last seen: only then can be vouched for what is known of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest import documents
from ingest.errors import NotAtRestError
from ingest.parts import some
from ingest.rows import TROUBLES, Condition, PlaceRow, Stamp
from ingest.seen import Seen

Entries = Sequence[Mapping[str, Any]]


def refuse_restless(folder: Path, identifier: str, entries: Entries, seen: Seen | None) -> None:
    """That every file of a run is there, and as it was when it was described.

    Args:
        identifier: of the dataset in ``folder``.
        seen: without it the files are compared with what their entries say.

    Raises:
        NotAtRestError: naming the files that are not.
    """
    missing = [str(e["path"]) for e in entries if e.get("state") == "missing"]
    if missing:
        words = "missing: put back what is gone, or take it off the run's data files."
        raise NotAtRestError(several(missing, words), tuple(missing))
    as_seen = _by_entry if seen is None else _by_row(seen, seen.place_of(identifier))
    restless = [str(e["path"]) for e in entries if not _is_as(as_seen, os.fspath(folder), e)]
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
    troubled = sorted(path for path, row in seen.stamps(place.id).items() if row[5] in TROUBLES)
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


def _is_as(as_seen: AsSeen, folder: str, entry: Mapping[str, Any]) -> bool:
    path = documents.decode_path(entry["path"], entry.get("path_encoding"))
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
