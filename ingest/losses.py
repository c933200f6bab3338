"""What is not there any more: told last, all together, because too much at once is an unmounted disk."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ingest.cut import Cut
from ingest.documents import readable
from ingest.events import Forgotten, Gone, Left
from ingest.file_versions import follow
from ingest.moves import recorded_entries
from ingest.places import Decision
from ingest.purposes import of_missing
from ingest.report import Finding
from ingest.root_guard import is_mass_loss
from ingest.rows import Condition, FileRow, PlaceRow
from ingest.survey import RECORDS_AT_ONCE, missing_records
from ingest.workspace import Workspace

GoneFiles = dict[int, dict[bytes, FileRow | None]]
"""Place → path of a file that is not there any more → the row of what stands there instead, if anything."""


@dataclass
class Unfinished:
    """How far a pass over everything came before it gave way to something more urgent; the next one goes on from there.

    ``done`` are the ids of the datasets it has compared, ``gone`` what it missed in them: told when all are done.
    """

    done: set[int] = field(default_factory=set)
    gone: GoneFiles = field(default_factory=dict)


def record_losses(
    cut: Cut,
    gone_files: GoneFiles,
    gone_places: Sequence[Decision],
    *,
    accept: bool,
    whole_root: bool,
) -> None:
    """Mark files and folders missing, unless so many vanished at once that a disk must be unmounted.

    Args:
        gone_files: what was described and was not found by this pass.
        accept: an administrator says that they are really gone.
        whole_root: the pass looked at everything.
    """
    ws = cut.ws
    lost = {place: _described_before(ws, place, paths) for place, paths in gone_files.items() if paths}
    vanished = sum(map(len, lost.values()))
    vanished += sum(ws.seen.described_count(d.known.id) for d in gone_places if d.known is not None)
    alarm = is_mass_loss(ws, 0 if accept else vanished, whole_root=whole_root or accept)
    if alarm:
        cut.report.alarms.append(alarm)
        cut.report.withheld = vanished
        return
    _files_missing(cut, lost, gone_files, {d.known.id for d in gone_places if d.known is not None})
    cut.close()
    _places_missing(cut, gone_places)


def _described_before(ws: Workspace, place: int, paths: Mapping[bytes, FileRow | None]) -> list[bytes]:
    """Without those that another dataset claimed in this pass; what never was described is simply forgotten."""
    rows = ws.seen.files(place, paths)
    never = [path for path, row in rows.items() if not row.identifier]
    if never:
        with ws.seen.transaction():
            ws.seen.drop_files(place, never)
            ws.seen.put_files(row for path in never if (row := paths[path]) is not None)
    return [path for path, row in rows.items() if row.identifier]


def _files_missing(
    cut: Cut, lost: Mapping[int, Sequence[bytes]], instead: GoneFiles, gone_places: Collection[int]
) -> None:
    places: dict[int, PlaceRow] = {p.id: p for p in cut.ws.seen.places()} if lost else {}
    left: set[str] = set()
    for place, paths in lost.items():
        rows = cut.ws.seen.files(place, paths)
        held = cut.ws.seen.held_elsewhere(place, [r.identifier for r in rows.values()])
        there = [r for r in held if r.condition is not Condition.MISSING]
        elsewhere = {r.identifier for r in there if not (places[r.place].gone or r.place in gone_places)} - left
        for path, row in rows.items():
            box, name = cut.box(places[place]), os.fsdecode(path)
            if row.identifier in elsewhere:  # its arrival was recorded before its leaving could be
                left.add(row.identifier)
                box.events.append(Left(name, row.identifier))
                continue
            box.events.append(Gone(name))
            missing = row._replace(condition=Condition.MISSING, reason="", since=time.time())
            box.rows.append(instead[place][path] or missing)
            cut.report.missing += 1
            cut.count(1, 0)


def _places_missing(cut: Cut, gone: Sequence[Decision]) -> None:
    ws = cut.ws
    todo = missing_records(ws, gone) if gone else []
    for start in range(0, len(todo), RECORDS_AT_ONCE):
        some = todo[start : start + RECORDS_AT_ONCE]
        gone_datasets = [(decision.path, "") for decision, _ in some if decision.kind == "dataset"]
        purpose = replace(of_missing([decision.path for decision, _ in some]), beside=follow(ws.tracker, gone_datasets))
        outcomes = ws.store.apply([record for _, record in some], by="system:missing", purpose=purpose)
        with ws.seen.transaction():
            for (decision, _), outcome in zip(some, outcomes, strict=True):
                if outcome.error is not None:
                    cut.report.findings.append(Finding(readable(decision.path), "folder", str(outcome.error)))
                elif (known := decision.known) is not None:
                    ws.seen.put_place(known.kind, known.path, known.dev, known.ino, known.identifier, gone=True)
        folders = [ws.root / decision.path for decision, _ in some]
        cut.on_recorded([*(w.path for outcome in outcomes for w in outcome.written), *folders])


def forget_long_missing(cut: Cut) -> None:
    """Entries missing for longer than the set time go, unless a V2 record names them."""
    seen = cut.ws.seen
    before = time.time() - cut.ws.settings.forget_missing_days * 86_400
    long_missing: dict[PlaceRow, list[bytes]] = defaultdict(list)
    for place, path in seen.missing_since(before):
        if not place.gone:
            long_missing[place].append(path)
    rows = [(place, path) for place, paths in long_missing.items() for path in _unnamed(cut.ws, place, paths)]
    for place, path in rows:
        box = cut.box(place)
        box.events.append(Forgotten(os.fsdecode(path)))
        box.moved_from.extend(seen.files(place.id, [path]).values())
        cut.report.forgotten += 1
        cut.count(1, 0)
    cut.close()


def _unnamed(ws: Workspace, place: PlaceRow, paths: Sequence[bytes]) -> list[bytes]:
    """Without the files that a V2 record names: their entries stay for ever."""
    try:
        entries = recorded_entries(ws.root, place, paths)
    except OSError:
        return []  # the dataset has just moved: they are asked for again
    return [path for path in paths if entries.get(path, {}).get("data_object_version") != "V2"]
