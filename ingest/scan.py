"""One dataset compared with what was last seen of it: what to read, what moved, what is gone, what waits.

The comparison asks the disk only for listings; reading is :mod:`ingest.reading`'s, deciding the events is here, and
:mod:`ingest.reconcile` carries them out.
"""

from __future__ import annotations

import os
import stat
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest import documents, manifest
from ingest.clock import Gate
from ingest.documents import STRUCTURAL
from ingest.errors import DocumentError, printable
from ingest.events import Arrived, Left, Moved
from ingest.layout import METADATA
from ingest.reading import dirmeta_facts
from ingest.seen import Condition, FileRow, PlaceRow, Seen, Stamp
from ingest.sources import file_system_of, without_events
from ingest.walk import Ignore, Listing, Row, list_dataset, lstat_below, lstat_in, open_folder

# Conditions under which a path has an entry in the manifest.
_WITH_ENTRY = frozenset({Condition.DESCRIBED, Condition.PENDING, Condition.UNREADABLE, Condition.FAILED})


@dataclass(frozen=True)
class Orphan:
    """A manifest entry whose file was not seen (yet), and which bytes alone can find again.

    ``missing``: its loss has been recorded before.
    """

    path: str
    identifier: str
    missing: bool = False


@dataclass
class Comparison:
    """What one dataset needs. Paths are bytes relative to it.

    ``read`` are the files at rest that are new or changed; ``pending`` those that are not at rest yet;
    ``moves`` events that need no reading, each with the row it leaves; ``left`` what other datasets lose;
    ``gone`` described files that are not there; ``vanished`` rows of other things that are not there any more;
    ``removed`` missing files whose entry a person took out of the manifest; ``stale`` rows of other datasets whose
    file is here now; ``learnt`` rows of entries that were missing already when the state was new;
    ``others`` links, special files and the like; ``orphans`` entries without a file, by (SHA-256, size).
    """

    place: PlaceRow
    trusted: Stamp | None
    unchanged: int = 0
    read: dict[bytes, Stamp] = field(default_factory=dict)
    pending: dict[bytes, Stamp] = field(default_factory=dict)
    moves: list[tuple[Moved | Arrived, FileRow]] = field(default_factory=list)
    left: list[tuple[PlaceRow, Left]] = field(default_factory=list)
    gone: list[bytes] = field(default_factory=list)
    vanished: list[bytes] = field(default_factory=list)
    removed: list[bytes] = field(default_factory=list)
    learnt: list[FileRow] = field(default_factory=list)
    stale: list[FileRow] = field(default_factory=list)
    others: dict[bytes, tuple[Condition, str, Stamp]] = field(default_factory=dict)
    orphans: dict[tuple[str, int], list[Orphan]] = field(default_factory=dict)
    trouble: str = ""
    identities: dict[bytes, str] = field(default_factory=dict)
    unread: set[bytes] = field(default_factory=set)


@dataclass(frozen=True)
class ManifestState:
    """A manifest before a scan: ``trusted`` is its stamp when it is the store's own text; ``entries`` else."""

    trusted: Stamp | None
    entries: Mapping[str, Mapping[str, Any]] | None = None
    sha256: str = ""
    broken: str = ""


def manifest_state(root: Path, place: PlaceRow, seen: Seen, own_sha256: Callable[[], str | None]) -> ManifestState:
    """Whether a dataset's manifest is as the store left it; if not, its entries by ``os`` path.

    Args:
        own_sha256: asks the registry for the SHA-256 the store last wrote.
    """
    path = documents.dataset_document(root, place.path, STRUCTURAL)
    try:
        info = Stamp.of(os.lstat(path))
        known = seen.document(f"{place.path}/{METADATA}/{STRUCTURAL}.json")
        own = known is not None and known[0] == info
        counted = known[2].get("file_count") if known is not None else None
        # Rows and entries are there together or not at all: a manifest made anew is filled from the rows again.
        if own and seen.has_described(place.id) == (counted != 0) and seen.has_rows(place.id):
            return ManifestState(info)
        document = documents.read_document(path, STRUCTURAL)
        entries = manifest.entries_by_name(path, document.value)
    except FileNotFoundError:
        return ManifestState(None, {})
    except OSError as error:
        return ManifestState(None, broken=printable(f"{path} cannot be read: {error.strerror}."))
    except DocumentError as error:
        return ManifestState(None, broken=str(error))
    mine = own or document.sha256 == own_sha256()
    return ManifestState(info if mine else None, entries, document.sha256)


def compare(root: Path, place: PlaceRow, seen: Seen, gate: Gate, ignore: Ignore, state: ManifestState) -> Comparison:
    """List a dataset and compare it with its rows.

    Raises:
        OSError: when the dataset folder cannot be opened.
    """
    result = Comparison(place, state.trusted)
    known = seen.stamps(place.id)
    if state.entries is not None:
        _check_entries(state, place, seen, known, result)
    top = open_folder(None, root / place.path)  # type: ignore[arg-type]
    try:
        listing = list_dataset(top, place.path, ignore, known)
        result.unchanged = listing.unchanged
        result.others = listing.others
        _sort_files(listing, result, seen.pending_since(place.id), gate)
        again = seen.files(place.id, [p for p in listing.files if p in listing.before])
        result.identities.update((p, row.identifier) for p, row in again.items() if row.identifier)
        _sort_leftovers(listing, result)
        if seen.has_files():
            _find_moves(root, top, listing, result, seen)
            _bytes_alone(result, seen, unstable=without_events(file_system_of(root)))
    finally:
        os.close(top)
    return result


def _check_entries(
    state: ManifestState, place: PlaceRow, seen: Seen, known: dict[bytes, Row], result: Comparison
) -> None:
    """A manifest whose text is not the one last seen: its entries against our rows.

    A row without an entry is read again under its old identifier; an entry without a row is an orphan until a file of
    its path, or of its checksum, turns up; where one says missing and the other not, the file is looked at again. An
    entry whose identity or checksum was edited is reported, unless the store itself wrote it.
    """
    paths = {os.fsencode(p): e for p, e in (state.entries or {}).items()}
    for path in [p for p, row in known.items() if p not in paths and Condition(row[5]) is Condition.DESCRIBED]:
        result.identities.update((p, r.identifier) for p, r in seen.files(place.id, [path]).items())
        known[path] = (0, 0, 0, 0, 0, int(Condition.PENDING))
    result.removed = [p for p, row in known.items() if p not in paths and Condition(row[5]) is Condition.MISSING]
    rows = seen.files(place.id, [p for p in paths if p in known])
    orphans: dict[tuple[str, int], list[Orphan]] = defaultdict(list)
    for path, entry in paths.items():
        row = rows.get(path)
        if row is None:
            result.identities[path] = entry["file_identifier"]
            if entry.get("state") != "missing":
                orphan = Orphan(os.fsdecode(path), entry["file_identifier"])
                orphans[(entry["checksum"]["value"], entry["size_bytes"])].append(orphan)
            else:
                result.learnt.append(_missing_row(place.id, path, entry))
            continue
        if row.condition is (Condition.DESCRIBED if entry.get("state") == "missing" else Condition.MISSING):
            known[path] = (0, 0, 0, 0, 0, int(Condition.DESCRIBED))
        if state.trusted is None and row.identifier and _edited(entry, row):
            what = "file_identifier" if entry["file_identifier"] != row.identifier else "checksum"
            result.trouble = (
                f"the {what} of {os.fsdecode(path)!r} was changed by hand; put {row.identifier} / {row.sha256} back, "
                "or accept the change as a curator. Nothing was overwritten."
            )
    result.orphans = dict(orphans)


def _missing_row(place: int, path: bytes, entry: Mapping[str, Any]) -> FileRow:
    stamp, sha256 = Stamp(0, 0, entry["size_bytes"], 0, 0), entry["checksum"]["value"]
    return FileRow(
        place, os.fsdecode(path), stamp, sha256, entry["file_identifier"], Condition.MISSING, "", time.time()
    )


def _edited(entry: Mapping[str, Any], row: FileRow) -> bool:
    return entry["file_identifier"] != row.identifier or (
        row.condition is Condition.DESCRIBED and entry["checksum"]["value"] != row.sha256
    )


def _bytes_alone(result: Comparison, seen: Seen, *, unstable: bool) -> None:
    """Files that only their bytes can find again: remembered without an inode, or where inodes are not stable."""
    if all(path in result.identities for path in result.read):
        return
    orphans = defaultdict(list, result.orphans)
    for row in seen.missing_rows(result.place.id, any_inode=unstable):
        orphans[(row.sha256, row.stamp.size)].append(Orphan(row.path, row.identifier, missing=True))
    for row in seen.files(result.place.id, result.gone).values():
        if unstable or row.stamp.ino == 0:
            orphans[(row.sha256, row.stamp.size)].append(Orphan(row.path, row.identifier))
    result.orphans = dict(orphans)


def _sort_files(listing: Listing, result: Comparison, since: Mapping[bytes, float], gate: Gate) -> None:
    for path, stamp in listing.files.items():
        before = listing.before.get(path)
        same = before is not None and Stamp(*before[:5]) == stamp
        if gate.at_rest(stamp, since.get(path), same):
            result.read[path] = stamp
        else:
            result.pending[path] = stamp


def _sort_leftovers(listing: Listing, result: Comparison) -> None:
    hidden = tuple(p + b"/" for p in listing.unlisted if p)
    everything_hidden = b"" in listing.unlisted
    for path, row in listing.known.items():
        if everything_hidden or path.startswith(hidden):
            continue
        condition = Condition(row[5])
        if condition is Condition.MISSING:
            continue
        if condition in _WITH_ENTRY and path not in result.others:
            result.gone.append(path)
        elif path not in result.others:
            result.vanished.append(path)
    for path in result.others:
        # What is a link now was a file before: the file is gone, the link has a row of its own.
        before = listing.known.get(path)
        if before is not None and Condition(before[5]) in _WITH_ENTRY:
            result.gone.append(path)


def _find_moves(root: Path, top: int, listing: Listing, result: Comparison, seen: Seen) -> None:
    """New paths with the inode, size and mtime of a file that is no longer where it was: identity moves, unread."""
    known, before = result.identities, listing.before
    fresh = {p: s for p, s in listing.files.items() if p not in known or (p in before and _back(before[p], s))}
    by_stamp: dict[tuple[int, int, int, int], list[FileRow]] = defaultdict(list)
    for row in seen.by_inode(sorted({s.ino for s in fresh.values()})):
        by_stamp[row.stamp[:4]].append(row)
    if not by_stamp:
        return
    for rows in by_stamp.values():  # what was there until now comes before what has long been missing
        rows.sort(key=lambda row: (row.condition is Condition.MISSING, row.place != result.place.id))
    others = _Others(root, seen, [row for rows in by_stamp.values() for row in rows])
    gone, removed = set(result.gone), {(result.place.id, os.fsdecode(p)) for p in result.removed}
    for path, stamp in fresh.items():
        for row in by_stamp.get(stamp[:4], ()):
            if (row.place, row.path) in removed:
                continue
            if _claim(others, top, path, stamp, row, gone, result):
                by_stamp[stamp[:4]].remove(row)
                if row.sha256:
                    result.read.pop(path, None)
                    result.pending.pop(path, None)
                else:  # it changed since it was read: its identity goes along, and its bytes are read again
                    result.identities[path] = row.identifier
                    result.unread.add(path)
                break
    result.gone = [p for p in result.gone if p in gone]


def _back(before: Row, stamp: Stamp) -> bool:
    return before[5] == int(Condition.MISSING) and before[:4] == stamp[:4]


class _Others:
    """What the other datasets say of the files that may have come from them; each is asked once, for all of them."""

    def __init__(self, root: Path, seen: Seen, rows: Iterable[FileRow]) -> None:
        self.root = root
        self._places = {p.id: p for p in seen.places(include_gone=False)}
        self._paths: dict[int, list[bytes]] = defaultdict(list)
        for row in rows:
            self._paths[row.place].append(os.fsencode(row.path))
        self._entries: dict[int, dict[bytes, Mapping[str, Any]]] = {}

    def place(self, row: FileRow) -> PlaceRow | None:
        """The dataset of a row, None while it is missing."""
        return self._places.get(row.place)

    def entry(self, place: PlaceRow, row: FileRow) -> Mapping[str, Any] | None:
        """The manifest entry of a row."""
        if place.id not in self._entries:
            self._entries[place.id] = recorded_entries(self.root, place, self._paths[place.id])
        return self._entries[place.id].get(os.fsencode(row.path))


def _claim(
    others: _Others, top: int, path: bytes, stamp: Stamp, row: FileRow, gone: set[bytes], result: Comparison
) -> bool:
    old = os.fsencode(row.path)
    technical = _technical(top, path)
    if technical is None:
        return False
    if row.sha256 == "":  # facts of bytes nobody has read do not go beside the old checksum
        technical = {k: v for k, v in technical.items() if k == "extension"}
    text = os.fsdecode(path)
    if row.place == result.place.id:
        absent = row.condition is Condition.MISSING and (old == path or lstat_below(top, old) is None)
        if old not in gone and not absent:
            return False
        gone.discard(old)
        event = Moved(row.path, text, stamp, technical)
        result.moves.append((event, row))
        return True
    return _claim_elsewhere(others, text, stamp, row, technical, result)


def _claim_elsewhere(
    others: _Others, path: str, stamp: Stamp, row: FileRow, technical: Mapping[str, Any], result: Comparison
) -> bool:
    """A file from another dataset: its identity comes along unless a V2 record there names it."""
    other = others.place(row)
    if other is None or _stands(others.root / other.path, row.path):
        return False
    entry = others.entry(other, row)
    if entry is None and os.path.lexists(documents.dataset_document(others.root, other.path, STRUCTURAL)):
        # A crash came between the two manifests, after the other let it go: it is read again under its old identifier.
        result.identities[os.fsencode(path)] = row.identifier
        result.stale.append(row)
    if entry is None or entry.get("data_object_version") != "V1" or entry.get("file_identifier") != row.identifier:
        return False
    result.moves.append((Arrived(path, stamp, entry, technical), row))
    result.left.append((other, Left(row.path, row.identifier)))
    return True


def _stands(folder: Path, path: str) -> bool:
    """Whether a file is there, the same or another: then the identity stays with the path."""
    info = lstat_in(folder, path)
    return info is not None and stat.S_ISREG(info.st_mode)


def _technical(top: int, path: bytes) -> Mapping[str, Any] | None:
    info = lstat_below(top, path)
    return None if info is None else dirmeta_facts(os.fsdecode(path), info)


def recorded_entries(root: Path, place: PlaceRow, paths: Iterable[bytes]) -> dict[bytes, Mapping[str, Any]]:
    """The manifest entries of some paths; none where there is no manifest, or none that can be read."""
    document = documents.dataset_document(root, place.path, STRUCTURAL)
    keys = {manifest.key_for(documents.encode_path(os.fsdecode(path))): path for path in paths}
    try:
        raw = documents.read_bytes(document)
        parts = manifest.split(raw)
        if parts is None:  # as an editor formatted it
            named = manifest.entries_by_name(document, documents.parse(document, raw))
            return {path: named[name] for path in keys.values() if (name := os.fsdecode(path)) in named}
        slots = manifest.find_all(parts, keys)
    except (FileNotFoundError, DocumentError, ValueError):
        return {}
    there = {keys[key]: raw[slot.start : slot.end] for key, slot in slots.items() if slot.end > slot.start}
    return {path: documents.parse(document, line, twice_checked=True) for path, line in there.items()}


def by_folder(paths: Iterable[bytes]) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """Paths grouped by their folder: ``(folder parts, names)``, folders in order."""
    groups: dict[bytes, list[bytes]] = defaultdict(list)
    for path in paths:
        folder, _, name = path.rpartition(b"/")
        groups[folder].append(name)
    for folder in sorted(groups):
        yield folder.split(b"/") if folder else [], groups[folder]


def waiting_row(place: int, path: bytes, stamp: Stamp, before: FileRow | None, identifier: str, wall: float) -> FileRow:
    """The row of a file that is not at rest: its identity is kept, its waiting begins anew when it changed."""
    if before is not None and before.condition is Condition.PENDING and before.stamp == stamp:
        return before
    known = before.identifier if before is not None and before.identifier else identifier
    # The checksum belonged to the bytes under the former stamp.
    return FileRow(place, os.fsdecode(path), stamp, "", known, Condition.PENDING, "still changing", wall)


def other_row(
    place: int, path: bytes, condition: Condition, reason: str, stamp: Stamp, before: FileRow | None, wall: float
) -> FileRow:
    """The row of a path that is not described now; an identity it had is kept, and the time its state began."""
    since = before.since if before is not None and before.condition is condition else wall
    identifier = before.identifier if before is not None else ""
    return FileRow(place, os.fsdecode(path), stamp, "", identifier, condition, reason, since)
