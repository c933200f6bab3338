"""One dataset compared with what was last seen of it: what to read, what moved, what is gone, what waits.

The comparison asks the disk only for listings; reading is :mod:`ingest.reading`'s, deciding the events is here, and
:mod:`ingest.reconcile` carries them out.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest import documents, manifest
from ingest.clock import Gate
from ingest.comparison import Comparison, Orphan
from ingest.documents import STRUCTURAL, new_identifier
from ingest.errors import DocumentError, printable
from ingest.hand_edits import edited_entry, told_entry
from ingest.layout import METADATA
from ingest.moves import Surveyed, find_moves
from ingest.rows import Condition, FileRow, PlaceRow, Stamp
from ingest.seen import Seen
from ingest.sources import file_system_of, without_events
from ingest.walk import Ignore, Listing, Row, list_dataset, opened_below

# Conditions under which a path has an entry in the manifest.
_WITH_ENTRY = frozenset({Condition.DESCRIBED, Condition.PENDING, Condition.UNREADABLE, Condition.FAILED})


@dataclass(frozen=True)
class ManifestState:
    """A manifest before a scan: ``trusted`` is its stamp when it is the store's own text; ``entries`` else."""

    trusted: Stamp | None
    entries: Mapping[str, Mapping[str, Any]] | None = None
    sha256: str = ""
    broken: str = ""


def manifest_state(
    root: Path, top: int, place: PlaceRow, seen: Seen, own_sha256: Callable[[], str | None]
) -> ManifestState:
    """Whether a dataset's manifest is as the store left it; if not, its entries by ``os`` path.

    Args:
        top: the open dataset folder.
        own_sha256: asks the registry for the SHA-256 the store last wrote.
    """
    path = documents.dataset_document(root, place.path, STRUCTURAL)
    try:
        info = Stamp.of(os.stat(f"{METADATA}/{path.name}", dir_fd=top, follow_symlinks=False))
        known = seen.document(f"{place.path}/{METADATA}/{STRUCTURAL}.json")
        own = known is not None and known[0] == info
        counted = known[2].get("file_count") if known is not None else None
        # Rows and entries are there together or not at all: a manifest made anew is filled from the rows again.
        if own and not place.doubt and seen.has_described(place.id) == (counted != 0) and seen.has_rows(place.id):
            return ManifestState(info)
        with opened_below(top, [os.fsencode(METADATA)]) as folder:
            document = documents.read_document(path, STRUCTURAL, folder)
        entries = manifest.entries_by_name(path, document.value)
    except FileNotFoundError:
        return ManifestState(None, {})
    except OSError as error:
        return ManifestState(None, broken=printable(f"{path} cannot be read: {error.strerror}."))
    except DocumentError as error:
        return ManifestState(None, broken=str(error))
    mine = own or document.sha256 == own_sha256()
    return ManifestState(info if mine else None, entries, document.sha256)


def compare(
    root: Path,
    top: int,
    place: PlaceRow,
    seen: Seen,
    gate: Gate,
    ignore: Ignore,
    state: ManifestState,
    surveyed: Surveyed,
) -> Comparison:
    """List a dataset, whose open folder is ``top``, and compare it with its rows."""
    result = Comparison(place)
    known = seen.stamps(place.id)
    if state.entries is not None:
        _check_entries(state, place, seen, known, result)
    listing = list_dataset(top, place.path, ignore, known)
    result.unchanged = listing.unchanged
    result.others = listing.others
    _sort_files(listing, result, seen.pending_since(place.id), gate)
    again = seen.files(place.id, [p for p in listing.files if p in listing.before])
    result.identities.update((p, row.identifier) for p, row in again.items() if row.identifier)
    _sort_leftovers(listing, result)
    result.renewed = {p: new_identifier() for p in result.doubled if p in listing.files}
    if seen.has_files():
        find_moves(root, top, listing, result, seen, surveyed)
        _bytes_alone(result, seen, unstable=without_events(file_system_of(root)))
    return result


def _check_entries(
    state: ManifestState, place: PlaceRow, seen: Seen, known: dict[bytes, Row], result: Comparison
) -> None:
    """A manifest whose text is not the one last seen: its entries against our rows.

    A row without an entry is read again under its old identifier; an entry without a row (or with one that does not
    know whose it is) is an orphan until a file of its path, or of its checksum, turns up, unless its identity is
    another dataset's by now; where one says missing and the other not, the file is looked at again. An entry whose
    identity or checksum was edited is reported, unless the store itself wrote it.
    """
    paths = {os.fsencode(p): e for p, e in (state.entries or {}).items()}
    for path in [p for p, row in known.items() if p not in paths and Condition(row[5]) is Condition.DESCRIBED]:
        result.identities.update((p, r.identifier) for p, r in seen.files(place.id, [path]).items())
        known[path] = (0, 0, 0, 0, 0, int(Condition.PENDING))
    result.removed = [p for p, row in known.items() if p not in paths and Condition(row[5]) is Condition.MISSING]
    rows = {p: r for p, r in seen.files(place.id, [p for p in paths if p in known]).items() if r.identifier}
    _identities_elsewhere({e["file_identifier"]: p for p, e in paths.items() if p not in rows}, seen, known, result)
    orphans: dict[tuple[str, int], list[Orphan]] = defaultdict(list)
    for path, entry in paths.items():
        row = rows.get(path)
        if path in result.doubled:
            continue
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
        if state.trusted is None and (what := edited_entry(entry, row)):
            result.trouble = told_entry(what, row)
    result.orphans = dict(orphans)


def _identities_elsewhere(
    unknown: Mapping[str, bytes], seen: Seen, known: dict[bytes, Row], result: Comparison
) -> None:
    """Entries without a row whose identity another dataset has: theirs if the file is there, else it is back here."""
    held = seen.held_elsewhere(result.place.id, unknown)
    places = {p.id: p for p in seen.places()} if held else {}
    for row in held:
        other = places[row.place]
        if row.condition is Condition.MISSING or other.gone:
            result.recalled.append((other, row))
        else:
            path = unknown[row.identifier]
            result.doubled[path] = row.identifier
            known[path] = (0, 0, 0, 0, 0, int(Condition.DESCRIBED))


def _missing_row(place: int, path: bytes, entry: Mapping[str, Any]) -> FileRow:
    stamp, sha256 = Stamp(0, 0, entry["size_bytes"], 0, 0), entry["checksum"]["value"]
    return FileRow(
        place, os.fsdecode(path), stamp, sha256, entry["file_identifier"], Condition.MISSING, "", time.time()
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
            orphans[(row.sha256, row.stamp.size)].append(Orphan(row.path, row.identifier, seen=True))
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


def by_folder(paths: Iterable[bytes]) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """Paths grouped by their folder: ``(folder parts, names)``, folders in order."""
    groups: dict[bytes, list[bytes]] = defaultdict(list)
    for path in paths:
        folder, _, name = path.rpartition(b"/")
        groups[folder].append(name)
    for folder in sorted(groups):
        yield folder.split(b"/") if folder else [], groups[folder]


def undescribed_row(
    place: int,
    path: bytes,
    condition: Condition,
    reason: str,
    stamp: Stamp,
    identifier: str,
    before: FileRow | None,
) -> FileRow:
    """The row of a path that is not described now; the time its state began is kept."""
    same = before is not None and before.condition is condition
    if before is not None and condition is Condition.PENDING:  # the waiting of a file begins anew when it changes
        same = same and before.stamp == stamp
    since = before.since if before is not None and same else time.time()
    # A checksum would be that of the bytes under the former stamp.
    return FileRow(place, os.fsdecode(path), stamp, "", identifier, condition, reason, since)
