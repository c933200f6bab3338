"""A durable cut: everything that happened since the last one, written as one action, then remembered, then told.

Adopting an old archive is many small cuts, each complete in itself: a crash costs at most one of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingest import fixity
from ingest.accepting import remember_documents
from ingest.documents import STRUCTURAL, readable
from ingest.errors import FairfolderError
from ingest.events import Arrived, Described, FileEvent, Gone, Left, Moved, Renewed
from ingest.file_versions import Happened, keep
from ingest.lasting import Renewal
from ingest.layout import METADATA
from ingest.purposes import of_files
from ingest.report import Finding, Report
from ingest.rows import Condition, FileRow, PlaceRow, Stamp
from ingest.survey import RECORDS_AT_ONCE
from ingest.triggers import files_record
from ingest.workspace import Workspace

CUT_FILES = 5_000
CUT_BYTES = 10 * 1024**3
CUT_SECONDS = 30.0


@dataclass
class Box:
    """What has happened to one dataset since the last cut: its events, and the rows they leave in ``seen``."""

    place: PlaceRow
    trusted: Stamp | None
    events: list[FileEvent] = field(default_factory=list)
    rows: list[FileRow] = field(default_factory=list)
    moved_from: list[FileRow] = field(default_factory=list)
    again: bool = False  # the dataset is to be looked at once more


@dataclass
class Cut:
    """The open cut of a pass. :meth:`close` is called when it is full, and at the end of the pass."""

    ws: Workspace
    report: Report
    on_recorded: Callable[[Sequence[Path]], None]
    boxes: dict[int, Box] = field(default_factory=dict)
    files: int = 0
    size: int = 0
    since: float = field(default_factory=time.monotonic)
    went: dict[str, tuple[int, str]] = field(default_factory=dict)  # identity → where it is by now

    def box(self, place: PlaceRow) -> Box:
        """The box of a dataset, made at its first event."""
        box = self.boxes.get(place.id)
        if box is None:
            box = self.boxes[place.id] = Box(place, self._trusted(place))
        return box

    def _trusted(self, place: PlaceRow) -> Stamp | None:
        """The stamp under which the manifest is the store's own text, valid under the schema now in force."""
        known = self.ws.seen.document(f"{place.path}/{METADATA}/{STRUCTURAL}.json")
        in_force = known is not None and known[2].get("$schema") == self.ws.schemas.schema_id(STRUCTURAL)
        return known[0] if known is not None and in_force else None

    def count(self, files: int, size: int) -> None:
        """So many files and bytes more; closes the cut when it is full."""
        self.files += files
        self.size += size
        if (
            self.files >= CUT_FILES
            or self.size >= CUT_BYTES
            or len(self.boxes) >= RECORDS_AT_ONCE
            or time.monotonic() - self.since > CUT_SECONDS
        ):
            self.close()

    def close(self) -> None:
        """Make everything durable: manifests first, then what was seen, then the index."""
        boxes, self.went = list(self.boxes.values()), {}
        self.boxes, self.files, self.size = {}, 0, 0
        # A file is let go only where it has arrived: between the two it stands in both manifests, never in neither.
        postponed = [later for box in boxes if (later := _postponed(box)) is not None]
        homeless = self._record_all(boxes)
        for later in postponed:
            later.trusted = self._trusted(later.place)
            staying = {e.path for e in later.events if isinstance(e, Left) and e.identifier in homeless}
            _stay(later, staying)
            if later.again or staying:
                self.report.retry.add(later.place.path)
        self._record_all(postponed)
        self.since = time.monotonic()

    def _record_all(self, boxes: Sequence[Box]) -> set[str]:
        """Record boxes, so many at once; the identities whose arrival could not be recorded."""
        homeless: set[str] = set()
        for start in range(0, len(boxes), RECORDS_AT_ONCE):
            homeless |= self._record(boxes[start : start + RECORDS_AT_ONCE])
        return homeless

    def _record(self, boxes: Sequence[Box]) -> set[str]:
        ws = self.ws
        filled = [b for b in boxes if b.events]
        renewed: dict[int, dict[str, Renewal]] = {b.place.id: {} for b in filled}
        records = [files_record(ws.root, b.place, b.events, b.trusted, renewed[b.place.id]) for b in filled]
        purpose = replace(of_files({b.place.path: b.events for b in filled}), beside=self._versions_kept(filled))
        outcomes = ws.store.apply(records, by="system:trigger-2", purpose=purpose) if records else []
        failed = frozenset(b.place.id for b, outcome in zip(filled, outcomes, strict=True) if outcome.error is not None)
        self.went |= _where_identities_went(b for b in filled if b.place.id not in failed)
        with ws.seen.transaction():
            self._forget_where_from([b for b in boxes if b.place.id not in failed], failed)
            for box, outcome in zip(filled, outcomes, strict=True):
                if outcome.error is None:
                    ws.seen.put_files(_with_own_identity(box.rows, self.went))
                    remember_documents(ws, outcome.written)
                    fixity.described_anew(ws, box.place.path, list(renewed[box.place.id].values()))
                else:
                    self._not_recorded(box, outcome.error)
            for box in boxes:
                if not box.events:
                    ws.seen.put_files(_with_own_identity(box.rows, self.went))
        written = [w.path for outcome in outcomes for w in outcome.written]
        if written:
            self.on_recorded(written)
        lost = (e for b in filled if b.place.id in failed for e in b.events)
        return {str(e.entry["file_identifier"]) for e in lost if isinstance(e, Arrived)}

    def _versions_kept(self, boxes: Sequence[Box]) -> tuple[Path, ...]:
        tracker = self.ws.tracker
        if tracker is None or not boxes:
            return ()
        elsewhere = any(row.place != box.place.id for box in boxes for row in box.moved_from)
        places = {p.id: p.path for p in (self.ws.seen.places() if elsewhere else [b.place for b in boxes])}
        return keep(tracker, [Happened(b.place.path, b.events, b.moved_from) for b in boxes], places)

    def _forget_where_from(self, boxes: Sequence[Box], failed: frozenset[int]) -> None:
        """Rows of files that moved, all of them before any new row is put: something else may stand there by now."""
        untold: set[int] = set()
        for box in boxes:
            for row in box.moved_from:
                if row.place not in failed:  # else its manifest still has the entry, and lets it go at the next pass
                    self.ws.seen.drop_files(row.place, [os.fsencode(row.path)])
                    if row.place != box.place.id:
                        untold.add(row.place)
            for event in box.events:
                if isinstance(event, Left):
                    self.ws.seen.drop_identity(box.place.id, os.fsencode(event.path), event.identifier)
        self.ws.seen.put_in_doubt(untold)

    def _not_recorded(self, box: Box, error: FairfolderError) -> None:
        """The manifest could not be written: its files are told as failed and are tried again at the next pass.

        What moved or went missing stays as it was last seen, so that the next pass finds the same difference.
        """
        seen, wall, reason = self.ws.seen, time.time(), f"not recorded: {error}"
        moved = {e.path for e in box.events if isinstance(e, Moved | Arrived | Gone)}
        elsewhere = {r.identifier for r in box.moved_from}  # they are found there once more
        rows = [r for r in box.rows if r.condition is not Condition.MISSING and r.path not in moved]
        described = [r for r in rows if r.condition is Condition.DESCRIBED]
        before = seen.files(box.place.id, [os.fsencode(r.path) for r in described])
        failed = []
        for row in described:
            known = before.get(os.fsencode(row.path), row._replace(sha256="", identifier=""))
            there = known._replace(stamp=row.stamp, sha256="")
            failed.append(there._replace(condition=Condition.FAILED, reason=reason, since=wall))
        others = [r for r in rows if r.condition is not Condition.DESCRIBED]
        seen.put_files([*failed, *(r._replace(identifier="") if r.identifier in elsewhere else r for r in others)])
        document = f"{box.place.path}/{METADATA}/{STRUCTURAL}.json"
        seen.set_trouble(document, Condition.FAILED, str(error))
        self.report.failed += len(failed)
        self.report.retry.add(box.place.path)
        self.report.described -= len(failed)
        self.report.findings.append(Finding(readable(document), "document", str(error)))


def _postponed(box: Box) -> Box | None:
    """Taken out of a box: the files that leave, and whatever has taken their paths, which comes after that."""
    leaving = {e.path: e.identifier for e in box.events if isinstance(e, Left)}
    if not leaving:
        return None
    after = [e for e in box.events if e.path in leaving and not isinstance(e, Left)]
    # What was described there before the leaving was noticed would bring the identity back: it is read once more.
    again = [e for e in after if isinstance(e, Described | Renewed) and e.identifier == leaving[e.path]]
    events = [e for e in box.events if isinstance(e, Left)] + [e for e in after if e not in again]
    later = Box(box.place, None, events, [r for r in box.rows if r.path in leaving])
    goes = _left_behind_by(box.place.id, after, later.rows)
    later.moved_from = [r for r in box.moved_from if goes(r)]
    later.again = bool(again)
    box.events = [e for e in box.events if e.path not in leaving]
    box.rows = [r for r in box.rows if r.path not in leaving]
    box.moved_from = [r for r in box.moved_from if not goes(r)]
    return later


def _stay(box: Box, staying: Collection[str]) -> None:
    """Taken out of a box: files that cannot leave, and whatever has taken their paths."""
    some = [e for e in box.events if e.path in staying], [r for r in box.rows if r.path in staying]
    waits = _left_behind_by(box.place.id, *some)
    box.events = [e for e in box.events if e.path not in staying]
    box.rows = [r for r in box.rows if r.path not in staying]
    box.moved_from = [r for r in box.moved_from if not waits(r)]


def _left_behind_by(place: int, events: Iterable[FileEvent], rows: Iterable[FileRow]) -> Callable[[FileRow], bool]:
    """Whether a row is of where the files of some events, and of some rows of the same place, came from."""
    old, who = {e.old for e in events if isinstance(e, Moved)}, {r.identifier for r in rows}
    return lambda row: row.identifier in who or (row.place == place and row.path in old)


def _where_identities_went(boxes: Iterable[Box]) -> dict[str, tuple[int, str]]:
    """Identity → place and path of every file that moved."""
    moved = ((b, {e.path for e in b.events if isinstance(e, Moved | Arrived)}) for b in boxes if b.events)
    return {r.identifier: (r.place, r.path) for box, paths in moved if paths for r in box.rows if r.path in paths}


def _with_own_identity(rows: Iterable[FileRow], went: Mapping[str, tuple[int, str]]) -> Iterator[FileRow]:
    """Rows without the identities that went elsewhere: what stands at such a path now is something new."""
    for row in rows:
        if went.get(row.identifier, (row.place, row.path)) == (row.place, row.path):
            yield row
        elif row.condition is not Condition.DESCRIBED:
            yield row._replace(identifier="", sha256="")
