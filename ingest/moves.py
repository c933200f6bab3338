"""Files that came from elsewhere: their identity comes along, found by the inode their row remembers."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from ingest import documents, manifest
from ingest.comparison import Comparison
from ingest.documents import STRUCTURAL
from ingest.errors import DocumentError
from ingest.events import Arrived, Left, Moved
from ingest.folders import is_folder, moved_away
from ingest.layout import METADATA
from ingest.reading import dirmeta_facts
from ingest.rows import Condition, FileRow, PlaceRow, Stamp
from ingest.seen import Seen
from ingest.walk import Below, Listing, Row, lstat_below, opened_below, opened_place


class Whereabouts(Enum):
    """Where a dataset is that a file may have come from."""

    HERE = "here"
    GONE = "gone"
    MOVING = "moving"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Surveyed:
    """What the survey says of the other datasets: the ids of those that are gone, the paths of those that wait."""

    gone: Collection[int] = ()
    waiting: Collection[str] = ()


def find_moves(root: Path, top: int, listing: Listing, result: Comparison, seen: Seen, surveyed: Surveyed) -> None:
    """New paths with the inode, size and mtime of a file that is no longer where it was: identity moves, unread."""
    known, before = result.identities, listing.before
    fresh = {p: s for p, s in listing.files.items() if p not in known or (p in before and _back(before[p], s))}
    by_stamp: dict[tuple[int, int, int, int], list[FileRow]] = defaultdict(list)
    for row in seen.by_inode(sorted({s.ino for s in fresh.values()})):
        by_stamp[row.stamp[:4]].append(row)
    if not by_stamp:
        return
    others = _Others(root, seen, [row for rows in by_stamp.values() for row in rows], surveyed)
    for rows in by_stamp.values():  # what was there until now comes before what has long been missing
        rows.sort(key=lambda r: (r.condition is Condition.MISSING, others.place(r).gone, r.place != result.place.id))
    gone, removed = set(result.gone), {(result.place.id, os.fsdecode(p)) for p in result.removed}
    with closing(Below(top)) as below:
        for path, stamp in fresh.items():
            here = (result.place.id, os.fsdecode(path))
            for row in sorted(by_stamp.get(stamp[:4], ()), key=lambda r: (r.place, r.path) != here):
                if (row.place, row.path) in removed:
                    continue
                if _claim(others, below, path, stamp, row, gone, result):
                    by_stamp[stamp[:4]].remove(row)
                    break
    result.gone = [p for p in result.gone if p in gone]


def _back(before: Row, stamp: Stamp) -> bool:
    return before[5] == int(Condition.MISSING) and before[:4] == stamp[:4]


class _Others:
    """What the other datasets say of the files that may have come from them; each is asked once, for all of them."""

    def __init__(self, root: Path, seen: Seen, rows: Sequence[FileRow], surveyed: Surveyed) -> None:
        self.root = root
        self._surveyed = surveyed
        self._places = {p.id: p for p in seen.places()}
        self._paths: dict[int, list[bytes]] = defaultdict(list)
        self._holders: dict[str, list[FileRow]] = defaultdict(list)
        for row in rows:
            self._paths[row.place].append(os.fsencode(row.path))
        for row in seen.by_identifier({row.identifier for row in rows}):
            self._holders[row.identifier].append(row)
        self._entries: dict[int, dict[bytes, Mapping[str, Any]]] = {}

    def place(self, row: FileRow) -> PlaceRow:
        """The dataset of a row."""
        return self._places[row.place]

    def is_taken(self, row: FileRow, here: PlaceRow, gone: Collection[bytes]) -> bool:
        """Whether another file that is there has the identity of a row already (its leaving was not recorded).

        Raises:
            OSError: when that cannot be said because its dataset is just being moved.
        """
        for holder in self._holders[row.identifier]:
            if holder.place == here.id:
                if os.fsencode(holder.path) not in gone:
                    return True
            elif holder.place != row.place:
                place = self.place(holder)
                if not self._is_gone(place) and _stands(self.root, place, holder.path):
                    return True
        return False

    def _is_gone(self, place: PlaceRow) -> bool:
        return place.gone or place.id in self._surveyed.gone

    def whereabouts(self, place: PlaceRow) -> Whereabouts:
        """Whether a dataset's folder is where the survey left it."""
        if self._is_gone(place):
            return Whereabouts.GONE
        if is_folder(self.root / place.path, place.folder):
            return Whereabouts.HERE
        return Whereabouts.UNKNOWN if place.path in self._surveyed.waiting else Whereabouts.MOVING

    def entry(self, place: PlaceRow, row: FileRow) -> Mapping[str, Any] | None:
        """The manifest entry of a row.

        Raises:
            OSError: when another dataset's manifest stands there by now.
        """
        if place.id not in self._entries:
            self._entries[place.id] = recorded_entries(self.root, place, self._paths[place.id])
        return self._entries[place.id].get(os.fsencode(row.path))


def _claim(
    others: _Others, below: Below, path: bytes, stamp: Stamp, row: FileRow, gone: set[bytes], result: Comparison
) -> bool:
    info = below.sees(path)
    if info is None:
        return False
    technical = dirmeta_facts(os.fsdecode(path), info)
    if row.sha256 == "":  # facts of bytes nobody has read do not go beside the old checksum
        technical = {k: v for k, v in technical.items() if k == "extension"}
    if row.place != result.place.id:
        return _claim_elsewhere(others, path, stamp, row, technical, gone, result)
    old = os.fsencode(row.path)
    absent = row.condition is Condition.MISSING and (old == path or below.sees(old) is None)
    if old not in gone and not absent:
        return False
    gone.discard(old)
    _goes_along(Moved(row.path, os.fsdecode(path), stamp, technical), path, row, result)
    return True


def _goes_along(event: Moved | Arrived, path: bytes, row: FileRow, result: Comparison) -> None:
    """The file's whole entry moves; its bytes are read again only if it has changed since it was read."""
    result.moves.append((event, row))
    if row.sha256:
        result.read.pop(path, None)
        result.pending.pop(path, None)
    else:
        result.identities[path] = row.identifier
        result.unread.add(path)


def _claim_elsewhere(
    others: _Others,
    path: bytes,
    stamp: Stamp,
    row: FileRow,
    technical: Mapping[str, Any],
    gone: Collection[bytes],
    result: Comparison,
) -> bool:
    """A file from another dataset: its identity comes along unless a V2 record there names it."""
    other = others.place(row)
    where = others.whereabouts(other)
    if where is Whereabouts.UNKNOWN:
        return False
    entry = None
    try:
        if where is not Whereabouts.MOVING and others.is_taken(row, result.place, gone):
            return False
        if where is Whereabouts.HERE:
            if _stands(others.root, other, row.path):
                return False
            entry = others.entry(other, row)
    except OSError:
        where = Whereabouts.MOVING
    if where is Whereabouts.MOVING:
        # Whether its identity may leave can be said when the other dataset has come to rest.
        result.pending[path] = stamp
        result.held.add(path)
        result.read.pop(path, None)
        result.unsettled.add(other.path)
        return True
    if entry is None:
        # Its dataset is gone with all its documents, or a crash came between the two manifests, after the other had
        # let it go: it is read again under its old identifier.
        result.identities[path] = row.identifier
        result.stale[path] = row
        return True
    if entry.get("data_object_version") != "V1" or entry.get("file_identifier") != row.identifier:
        return False
    _goes_along(Arrived(os.fsdecode(path), stamp, entry, technical), path, row, result)
    result.left.append((other, Left(row.path, row.identifier)))
    return True


def _stands(root: Path, place: PlaceRow, path: str) -> bool:
    """Whether a file is there, the same or another: then the identity stays with the path."""
    with opened_place(root, place) as top:
        info = lstat_below(top, os.fsencode(path))
    return info is not None and stat.S_ISREG(info.st_mode)


def recorded_entries(root: Path, place: PlaceRow, paths: Iterable[bytes]) -> dict[bytes, Mapping[str, Any]]:
    """The manifest entries of some paths; none where there is no manifest, or none that can be read.

    Raises:
        OSError: when another folder, or another dataset's manifest, is there by now.
    """
    document = documents.dataset_document(root, place.path, STRUCTURAL)
    keys = {manifest.key_for(documents.encode_path(os.fsdecode(path))): path for path in paths}
    with opened_place(root, place) as top:
        try:
            with opened_below(top, [os.fsencode(METADATA)]) as folder:
                raw = documents.read_bytes(document, folder)
            parts = manifest.split(raw)
            header = documents.parse(document, raw) if parts is None else parts.header
            if header.get("dataset_identifier") != place.identifier:
                raise moved_away()
            if parts is None:  # as an editor formatted it
                named = manifest.entries_by_name(document, header)
                return {path: named[name] for path in keys.values() if (name := os.fsdecode(path)) in named}
            slots = manifest.find_all(parts, keys)
        except (FileNotFoundError, DocumentError, ValueError):
            return {}
    there = {keys[key]: raw[slot.start : slot.end] for key, slot in slots.items() if slot.end > slot.start}
    return {path: documents.parse(document, line, twice_checked=True) for path, line in there.items()}
