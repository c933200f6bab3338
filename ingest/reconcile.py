"""One pass over a root, or a part of it: survey the folders, scan the datasets, record what differs in durable cuts."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

from ingest.clock import Gate
from ingest.documents import STRUCTURAL, readable
from ingest.errors import FairfolderError, LayoutError
from ingest.events import Described, FileEvent, Forgotten, Gone, Moved
from ingest.layout import METADATA, PlaceKind, relative_to_root
from ingest.places import Decision, Verdict, list_datasets
from ingest.readers import Read, Readers
from ingest.reading import Facts, StoppedError
from ingest.report import Finding, Progress, Report
from ingest.root_guard import guard_root, is_mass_loss
from ingest.scan import Comparison, ManifestState, Orphan, compare, manifest_state, waiting_row
from ingest.seen import Condition, FileRow, PlaceRow, Stamp
from ingest.settings import EngineSettings
from ingest.survey import (
    RECORDS_AT_ONCE,
    Survey,
    accept_edit,
    missing_records,
    registry_entry,
    remember_documents,
    stray_files,
    survey,
)
from ingest.triggers import files_record
from ingest.walk import Ignore, open_folder
from ingest.workspace import Workspace

CUT_FILES = 5_000
CUT_BYTES = 10 * 1024**3
CUT_SECONDS = 30.0
_ROUNDS = 3
_PROGRESS_SECONDS = 0.2

OnRecorded = Callable[[Sequence[Path]], None]
OnProgress = Callable[[Progress], None]


@dataclass
class _Box:
    """What has happened to one dataset since the last cut."""

    place: PlaceRow
    trusted: Stamp | None
    events: list[FileEvent] = field(default_factory=list)
    rows: list[FileRow] = field(default_factory=list)
    moved_from: list[FileRow] = field(default_factory=list)


@dataclass
class _Pass:
    """The state of one running pass."""

    ws: Workspace
    report: Report
    readers: Readers
    gate: Gate
    on_recorded: OnRecorded
    on_progress: OnProgress
    progress: Progress = field(default_factory=Progress)
    boxes: dict[int, _Box] = field(default_factory=dict)
    window_files: int = 0
    window_bytes: int = 0
    window_since: float = field(default_factory=time.monotonic)
    gone: dict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    orphans: dict[int, dict[tuple[str, int], list[Orphan]]] = field(default_factory=dict)
    identities: dict[int, dict[bytes, str]] = field(default_factory=dict)
    told: float = 0.0


def reconcile(
    ws: Workspace,
    *,
    scope: Path | None = None,
    only: Sequence[str] | None = None,
    accept_deletions: bool = False,
    wait: bool = True,
    progress: OnProgress | None = None,
    on_recorded: OnRecorded | None = None,
    stop: threading.Event | None = None,
    lock_seconds: float = 60.0,
) -> Report:
    """Compare the root (or a part) with what was last seen, and record the difference.

    Args:
        scope: a project or dataset folder (or anything below one), absolute or relative to the root.
        only: the same as paths relative to the root (``project`` or ``project/dataset``), for the watcher.
        accept_deletions: the vanished files are really gone: lift a freeze.
        wait: wait, in bounded rounds, for files that were changed just now to come to rest.
        progress: called several times a second at most.
        on_recorded: called after each cut with the documents that were written.
        stop: set it to end the pass after the cut it is in; everything recorded so far stays.

    Raises:
        BusyError: another scan of this root is running.
        LayoutError: ``scope`` is no project or dataset of this root.
        StoreError: the root's own ``.metadata`` or the state folder cannot be written.
    """
    wanted = only if only is not None else _scope(ws, scope)
    started = time.monotonic()
    report = Report(str(ws.root))
    halt = stop or threading.Event()
    with ws.scan_lock(lock_seconds):
        alarm = guard_root(ws, accept=accept_deletions)
        if alarm:
            report.alarms.append(alarm)
        else:
            readers = Readers(ws.root, ws.throttle, halt, lambda: ws.paused)
            try:
                run = _Pass(ws, report, readers, ws.clock.gate(), on_recorded or _nothing, progress or _nothing)
                _rounds(run, wanted, accept_deletions, wait, halt)
            except StoppedError:
                _flush(run)
            finally:
                readers.close()
    report.seconds = time.monotonic() - started
    return report


def _nothing(_: object) -> None:
    """Nobody asked to be told."""


def _scope(ws: Workspace, scope: Path | None) -> list[str] | None:
    if scope is None:
        return None
    relative = relative_to_root(ws.root, scope)
    full = ws.root / relative
    place = ws.layout.place(relative, is_dir=full.is_dir() if os.path.lexists(full) else None)
    if place.kind is PlaceKind.ROOT:
        return None
    if not place.project or place.kind is PlaceKind.OUTSIDE:
        raise LayoutError(
            f"{readable(relative)!r} is in no project of {ws.root}; project folders begin with "
            f"{ws.layout.project_prefix!r}. Name a project or a dataset folder."
        )
    if place.dataset:
        return [place.dataset_path]
    return [place.project, *(path for _, path in list_datasets(ws.root, place.project, ws.layout))]


def _rounds(run: _Pass, wanted: Sequence[str] | None, accept: bool, wait: bool, halt: threading.Event) -> None:
    _one_round(run, wanted, accept)
    for _ in range(_ROUNDS - 1):
        waiting = run.report.waiting
        if not wait or not waiting or halt.wait(max(waiting.values()) + 0.05):
            break
        run.report.waiting, run.report.pending = {}, 0
        run.gate = run.ws.clock.gate()
        _one_round(run, sorted(waiting), accept)
    if wanted is None:
        run.ws.seen.put("last_reconcile", {"at": time.time(), **_counts(run.report)})


def _counts(report: Report) -> dict[str, float]:
    return {k: v for k, v in report.as_json().items() if isinstance(v, int | float)}


def _one_round(run: _Pass, wanted: Sequence[str] | None, accept: bool) -> None:
    ws, report = run.ws, run.report
    found = survey(ws, wanted, run.on_recorded)
    report.new_projects += sum(1 for p in found.projects if found.verdicts.get(p.path) == "new")
    report.new_datasets += sum(1 for d in found.datasets if found.verdicts.get(d.path) == "new")
    report.projects, report.datasets = (
        max(report.projects, len(found.projects)),
        max(report.datasets, len(found.datasets)),
    )
    report.findings += [Finding(readable(p), "folder", why) for p, why in sorted(found.waiting.items())]
    for project in found.projects:
        _stray(run, project)
    # A project's own change says nothing of the datasets in it that stay where they are.
    named = None if wanted is None else set(wanted)
    datasets = [d for d in found.datasets if named is None or d.path in named or not _stays(found, d)]
    run.progress.datasets_total += len(datasets)
    for place in datasets:
        _scan(run, place)
        run.progress.datasets_done += 1
        _tell(run)
    for read in run.readers.rest():
        _take(run, read)
    _flush(run)
    _losses(run, found, accept)
    if wanted is None:
        _forget(run)
    _tell(run, force=True)


def _stays(found: Survey, dataset: PlaceRow) -> bool:
    return found.verdicts.get(dataset.path) is Verdict.SAME


def _tell(run: _Pass, *, force: bool = False) -> None:
    moment = time.monotonic()
    if force or moment - run.told > _PROGRESS_SECONDS:
        run.told = moment
        run.progress.paused = run.ws.paused
        run.on_progress(run.progress)
        run.ws.seen.put("progress", run.progress.as_json())


# --- one dataset ------------------------------------------------------------------------------------------------


def _ignore_above(ws: Workspace, dataset_path: str) -> Ignore:
    rules = Ignore()
    project = dataset_path.partition("/")[0]
    for prefix in ("", project):
        try:
            folder = open_folder(None, os.fspath(ws.root / prefix))
        except OSError:
            continue
        try:
            rules = rules.below(folder, prefix)
        finally:
            os.close(folder)
    return rules


def _scan(run: _Pass, place: PlaceRow) -> None:
    ws = run.ws
    entry = registry_entry(ws.root, place.identifier) if _manifest_changed(ws, place) else {}
    own = entry.get("documents", {}).get(f"{STRUCTURAL}.json")
    state = manifest_state(ws.root, place, ws.seen, own)
    document = f"{place.path}/{METADATA}/{STRUCTURAL}.json"
    if state.broken:
        ws.seen.set_trouble(document, Condition.FAILED, state.broken)
        run.report.findings.append(Finding(readable(document), "document", state.broken))
        return
    try:
        result, _ = compare(ws.root, place, ws.seen, run.gate, _ignore_above(ws, place.path), state)
    except OSError as error:
        ws.seen.set_trouble(place.path, Condition.UNREADABLE, f"this folder cannot be read: {error.strerror}")
        return
    _settle_manifest(run, place, state, result, document)
    _compared(run, result)
    run.orphans[place.id] = {**run.orphans.get(place.id, {}), **result.orphans}
    run.identities[place.id] = result.identities
    for read in run.readers.read(place, result.read):
        _take(run, read)
    _orphaned(run, place, result)


def _manifest_changed(ws: Workspace, place: PlaceRow) -> bool:
    path = f"{place.path}/{METADATA}/{STRUCTURAL}.json"
    known = ws.seen.document(path)
    try:
        return known is None or known[0] != Stamp.of(os.lstat(ws.root / path))
    except OSError:
        return True


def _settle_manifest(run: _Pass, place: PlaceRow, state: ManifestState, result: Comparison, document: str) -> None:
    """A manifest that is not as we left it: accepted, or reported when only the system may write what changed."""
    if result.trouble:
        run.ws.seen.set_trouble(document, Condition.FAILED, result.trouble)
        run.report.findings.append(Finding(readable(document), "document", result.trouble))
    elif state.entries is not None:
        accept_edit(run.ws, place, STRUCTURAL, run.on_recorded)


def _compared(run: _Pass, result: Comparison) -> None:
    """Everything of a comparison that needs no reading."""
    place, seen, wall = result.place, run.ws.seen, time.time()
    box = _box(run, place, result.trusted)
    run.report.unchanged += result.unchanged
    run.progress.files_found += result.unchanged + len(result.read) + len(result.pending)
    run.progress.files_done += result.unchanged
    before = seen.files(place.id, [*result.pending, *result.others])
    for path, stamp in result.pending.items():
        identifier = result.identities.get(path, "")
        box.rows.append(waiting_row(place.id, path, stamp, before.get(path), identifier, wall))
        _wait_for(run, place, stamp)
    for path, (condition, reason, stamp) in result.others.items():
        box.rows.append(_other_row(place.id, path, condition, reason, stamp, before.get(path), wall))
    for event, row in result.moves:
        _move(run, box, event, row)
    for other, left in result.left:
        _box(run, other, None).events.append(left)
    if result.vanished:
        with seen.transaction():
            seen.drop_files(place.id, result.vanished)
    run.gone[place.id].extend(result.gone)
    _cut_if_full(run)


def _other_row(
    place: int, path: bytes, condition: Condition, reason: str, stamp: Stamp, before: FileRow | None, wall: float
) -> FileRow:
    since = before.since if before is not None and before.condition is condition else wall
    identity = (before.sha256, before.identifier) if before is not None else ("", "")
    return FileRow(place, os.fsdecode(path), stamp, *identity, condition, reason, since)


def _wait_for(run: _Pass, place: PlaceRow, stamp: Stamp) -> None:
    waiting = run.report.waiting
    run.report.pending += 1
    waiting[place.path] = max(waiting.get(place.path, 0.0), run.gate.rests_in(stamp))


def _move(run: _Pass, box: _Box, event: FileEvent, row: FileRow) -> None:
    if not isinstance(event, Moved) and not hasattr(event, "entry"):
        return
    box.events.append(event)
    stamp, path = event.stamp, event.path  # type: ignore[union-attr]
    box.rows.append(
        replace(
            row, place=box.place.id, path=path, stamp=stamp, condition=Condition.DESCRIBED, reason="", since=time.time()
        )
    )
    if (row.place, row.path) != (box.place.id, path):
        box.moved_from.append(row)
    run.report.moved += 1
    run.window_files += 1


def _take(run: _Pass, read: Read) -> None:
    """One file that was read, or could not be."""
    ws, report, path = run.ws, run.report, os.fsdecode(read.path)
    box = _box(run, read.place, None)
    run.progress.files_done += 1
    if isinstance(read.result, Facts):
        facts = read.result
        orphan = _claim_orphan(run, read.place, path, facts)
        identifier = run.identities.get(read.place.id, {}).get(read.path) or str(uuid4())
        if orphan is not None:
            identifier = orphan.identifier
            box.events.append(Moved(orphan.path, path, read.stamp, facts.technical))
        box.events.append(Described(path, facts, identifier))
        row = FileRow(read.place.id, path, read.stamp, facts.sha256, identifier, Condition.DESCRIBED, "", time.time())
        report.described += 1
        report.bytes_read += read.stamp.size
        run.progress.bytes_done += read.stamp.size
        run.window_bytes += read.stamp.size
    else:
        before = ws.seen.files(read.place.id, [read.path]).get(read.path)
        row = _other_row(
            read.place.id, read.path, read.result.condition, read.result.reason, read.stamp, before, time.time()
        )
        _not_read(run, read, row)
    box.rows.append(row)
    run.window_files += 1
    _cut_if_full(run)
    _tell(run)


def _not_read(run: _Pass, read: Read, row: FileRow) -> None:
    if row.condition is Condition.PENDING:
        run.report.pending += 1
        run.report.waiting[read.place.path] = run.ws.settings.settle_seconds
        return
    run.report.failed += 1
    where = readable(f"{read.place.path}/{os.fsdecode(read.path)}")
    run.report.findings.append(Finding(where, row.condition.word, row.reason))


def _claim_orphan(run: _Pass, place: PlaceRow, path: str, facts: Facts) -> Orphan | None:
    """The entry without a file that has these bytes: the same file under another name (seen was lost)."""
    waiting = run.orphans.get(place.id, {}).get((facts.sha256, facts.stamp.size), [])
    if any(o.path == path for o in waiting) or os.fsencode(path) in run.identities.get(place.id, {}):
        return None
    gone = next((o for o in waiting if not os.path.lexists(run.ws.root / place.path / o.path)), None)
    if gone is not None:
        waiting.remove(gone)
    return gone


def _orphaned(run: _Pass, place: PlaceRow, result: Comparison) -> None:
    """Entries that found no file: remembered as described, so that their loss is told like any other."""
    wall = time.time()
    rows = [
        FileRow(place.id, o.path, Stamp(0, 0, size, 0, 0), sha256, o.identifier, Condition.DESCRIBED, "", wall)
        for (sha256, size), some in result.orphans.items()
        for o in some
        if not os.path.lexists(run.ws.root / place.path / o.path)
    ]
    if rows:
        with run.ws.seen.transaction():
            run.ws.seen.put_files(rows)
        run.gone[place.id].extend(os.fsencode(row.path) for row in rows)


def _stray(run: _Pass, project: PlaceRow) -> None:
    seen, wall = run.ws.seen, time.time()
    known = seen.stamps(project.id)
    now = stray_files(run.ws, project)
    reason = "it lies directly in a project folder and belongs to no dataset; move it into a dataset folder"
    rows = [
        FileRow(project.id, os.fsdecode(path), stamp, "", "", Condition.STRAY, reason, wall)
        for path, stamp in now.items()
        if path not in known
    ]
    if rows or set(known) - set(now):
        with seen.transaction():
            seen.put_files(rows)
            seen.drop_files(project.id, set(known) - set(now))


# --- cuts ---------------------------------------------------------------------------------------------------------


def _box(run: _Pass, place: PlaceRow, trusted: Stamp | None) -> _Box:
    box = run.boxes.get(place.id)
    if box is None:
        if not run.boxes:
            run.window_since = time.monotonic()
        known = run.ws.seen.document(f"{place.path}/{METADATA}/{STRUCTURAL}.json")
        box = run.boxes[place.id] = _Box(place, trusted or (known[0] if known else None))
    return box


def _cut_if_full(run: _Pass) -> None:
    full = run.window_files >= CUT_FILES or run.window_bytes >= CUT_BYTES
    if full or time.monotonic() - run.window_since > CUT_SECONDS or len(run.boxes) >= RECORDS_AT_ONCE:
        _flush(run)


def _flush(run: _Pass) -> None:
    """Make everything since the last cut durable: manifests, then what was seen, then the index."""
    boxes = list(run.boxes.values())
    run.boxes, run.window_files, run.window_bytes, run.window_since = {}, 0, 0, time.monotonic()
    for start in range(0, len(boxes), RECORDS_AT_ONCE):
        _record(run, boxes[start : start + RECORDS_AT_ONCE])


def _record(run: _Pass, boxes: Iterable[_Box]) -> None:
    ws = run.ws
    filled = [b for b in boxes if b.events]
    quiet = [b for b in boxes if not b.events and b.rows]
    records = [files_record(ws.root, b.place.identifier, b.place.path, b.events, b.trusted) for b in filled]
    outcomes = ws.store.apply(records, by="system:trigger-2") if records else []
    with ws.seen.transaction():
        for box, outcome in zip(filled, outcomes, strict=True):
            if outcome.error is None:
                _seen(run, box)
                remember_documents(ws, outcome.written)
            else:
                _not_recorded(run, box, outcome.error)
        for box in quiet:
            _seen(run, box)
    written = [w.path for outcome in outcomes for w in outcome.written]
    if written:
        run.on_recorded(written)


def _seen(run: _Pass, box: _Box) -> None:
    for row in box.moved_from:
        run.ws.seen.drop_files(row.place, [os.fsencode(row.path)])
    run.ws.seen.put_files(box.rows)


def _not_recorded(run: _Pass, box: _Box, error: FairfolderError) -> None:
    """The manifest could not be written: its files are told as failed and are tried again at the next pass."""
    reason = f"not recorded: {error}"
    seen, wall = run.ws.seen, time.time()
    described = [r for r in box.rows if r.condition is Condition.DESCRIBED]
    before = seen.files(box.place.id, [os.fsencode(r.path) for r in described])
    rows = [
        replace(before.get(os.fsencode(r.path), replace(r, sha256="", identifier="")),
                stamp=r.stamp, condition=Condition.FAILED, reason=reason, since=wall)
        for r in described
    ]  # fmt: skip
    seen.put_files([*rows, *(r for r in box.rows if r.condition is not Condition.DESCRIBED)])
    document = f"{box.place.path}/{METADATA}/{STRUCTURAL}.json"
    seen.set_trouble(document, Condition.FAILED, str(error))
    run.report.failed += len(rows)
    run.report.described -= len(rows)
    run.report.findings.append(Finding(readable(document), "document", str(error)))


# --- what is gone -------------------------------------------------------------------------------------------------


def _losses(run: _Pass, found: Survey, accept: bool) -> None:
    """Deletions come last, all together: too many at once are an unmounted disk rather than a person's wish."""
    ws, gone = run.ws, run.gone
    run.gone = defaultdict(list)
    lost = {place: _still_gone(run, place, paths) for place, paths in gone.items() if paths}
    places = {d.known.id for d in found.gone if d.known is not None}
    vanished = sum(len(p) for p in lost.values()) + sum(_described_in(run, p) for p in places)
    alarm = "" if accept else is_mass_loss(ws, vanished)
    if alarm:
        run.report.alarms.append(alarm)
        run.report.withheld = vanished
        return
    if not found.gone and not lost:
        return
    rows = {p.id: p for p in ws.seen.places()}
    for place, paths in lost.items():
        box = _box(run, rows[place], None)
        for path, row in ws.seen.files(place, paths).items():
            box.events.append(Gone(os.fsdecode(path)))
            box.rows.append(replace(row, condition=Condition.MISSING, reason="", since=time.time()))
            run.report.missing += 1
    _flush(run)
    _places_gone(run, found.gone)


def _still_gone(run: _Pass, place: int, paths: list[bytes]) -> list[bytes]:
    """Without those another dataset claimed in this round, and without links that took the file's place."""
    rows = run.ws.seen.files(place, dict.fromkeys(paths))
    return [p for p in dict.fromkeys(paths) if p in rows and rows[p].identifier]


def _described_in(run: _Pass, place: int) -> int:
    return sum(1 for row in run.ws.seen.stamps(place).values() if row[5] == int(Condition.DESCRIBED))


def _places_gone(run: _Pass, gone: Sequence[Decision]) -> None:
    ws = run.ws
    todo = missing_records(ws, gone)
    for start in range(0, len(todo), RECORDS_AT_ONCE):
        some = todo[start : start + RECORDS_AT_ONCE]
        outcomes = ws.store.apply([record for _, record in some], by="system:missing")
        with ws.seen.transaction():
            for (decision, _), outcome in zip(some, outcomes, strict=True):
                if outcome.error is None and decision.known is not None:
                    known = decision.known
                    ws.seen.put_place(known.kind, known.path, known.dev, known.ino, known.identifier, gone=True)
        run.on_recorded([w.path for outcome in outcomes for w in outcome.written])


def _forget(run: _Pass) -> None:
    """Entries missing for longer than the set time go, unless a V2 record names them."""
    settings: EngineSettings = run.ws.settings
    before = time.time() - settings.forget_missing_days * 86_400
    rows = [(place, path) for place, path in run.ws.seen.missing_since(before) if not place.gone]
    for place, path in rows:
        _box(run, place, None).events.append(Forgotten(os.fsdecode(path)))
        run.report.forgotten += 1
        _cut_if_full(run)
    _flush(run)
    with run.ws.seen.transaction():
        for place, path in rows:
            run.ws.seen.drop_files(place.id, [path])
