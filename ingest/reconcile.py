"""One pass over a root, or a part of it: survey the folders, scan the datasets, record what differs in durable cuts."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.adoption import settle_instruments, settle_runs
from ingest.clock import Gate
from ingest.comparison import Comparison, Orphan
from ingest.cut import Box, Cut
from ingest.documents import STRUCTURAL, new_identifiers, readable
from ingest.errors import FairfolderError, LayoutError
from ingest.events import Arrived, Described, Left, Moved, Renewed
from ingest.layout import METADATA, PlaceKind, relative_to_root
from ingest.losses import GoneFiles, Unfinished, forget_long_missing, record_losses
from ingest.moves import Surveyed
from ingest.places import Verdict, list_datasets
from ingest.processes import ReadingProcesses
from ingest.readers import Read, Readers, SlowReads
from ingest.reading import Facts, NotRead, StoppedError
from ingest.registering import registry_entry
from ingest.report import Finding, Progress, Report
from ingest.root_guard import guard_root
from ingest.rows import NO_STAMP, Condition, FileRow, PlaceRow, Stamp
from ingest.scan import ManifestState, compare, manifest_state, undescribed_row
from ingest.survey import Survey, accept_edit, stray_files, survey
from ingest.walk import ignore_above, is_there, opened_place
from ingest.workspace import Workspace

_log = logging.getLogger("fairfolder.reconcile")

_ROUNDS = 3
_PROGRESS_SECONDS = 0.2
_NO_DATA = frozenset({Condition.LINK, Condition.SPECIAL, Condition.IGNORED})

OnRecorded = Callable[[Sequence[Path]], None]
OnProgress = Callable[[Progress], None]


@dataclass
class _Pass:
    """The state of one running pass."""

    ws: Workspace
    report: Report
    readers: Readers
    gate: Gate
    cut: Cut
    on_progress: OnProgress
    enough: Callable[[], bool]
    before: Unfinished
    progress: Progress = field(default_factory=Progress)
    scanned: set[int] = field(default_factory=set)
    gone: GoneFiles = field(default_factory=lambda: defaultdict(dict))
    compared: dict[int, Comparison] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)  # identity that moved in this pass → the dataset it is in now
    surveyed: Surveyed = field(default_factory=Surveyed)
    identifiers: Iterator[str] = field(default_factory=new_identifiers)
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
    processes: ReadingProcesses | None = None,
    slow: SlowReads | None = None,
    enough: Callable[[], bool] | None = None,
    unfinished: Unfinished | None = None,
) -> Report:
    """Compare the root (or a part) with what was last seen, and record the difference.

    Args:
        scope: a project or dataset folder (or anything below one), absolute or relative to the root.
        only: the same as paths relative to the root (``project`` or ``project/dataset``), for the watcher.
        accept_deletions: the vanished files are really gone: lift a freeze.
        wait: wait, in bounded rounds, for files that were changed just now to come to rest.
        progress: called several times a second at most.
        on_recorded: called after each cut with the documents that were written.
        processes: read many small files by these processes too.
        slow: where large files are read beside the passes; without it a pass waits for them.
        enough: asked before each dataset and after each cut; true ends the pass early, with ``report.unfinished``.
        unfinished: where a pass over everything that ends so keeps how far it came, and the next one goes on from.
        stop: set it to end the pass after the cut it is in; everything recorded so far stays.

    Raises:
        BusyError: another scan of this root is running.
        LayoutError: ``scope`` is no project or dataset of this root.
        StoreError: the root's own ``.metadata`` or the state folder cannot be written.
    """
    wanted = only if only is not None else _scope(ws, scope)
    started = time.monotonic()
    report = Report(ws.name)
    halt = stop or threading.Event()
    with ws.scan_lock(lock_seconds):
        alarm = guard_root(ws, accept=accept_deletions)
        if alarm:
            report.alarms.append(alarm)
        else:
            if processes is not None and not ws.seen.has_files():
                processes.start_for_new(ws.root, ws.layout)
            readers = Readers(ws.root, ws.throttle, halt, lambda: ws.paused, processes=processes, slow=slow)
            cut = Cut(ws, report, on_recorded or _nothing)
            before = unfinished or Unfinished()
            run = _Pass(ws, report, readers, ws.clock.gate(), cut, progress or _nothing, enough or _never, before)
            _to_its_end(run, wanted, accept_deletions, wait, halt)
            _record_the_rest(ws, wanted, report)
    report.seconds = time.monotonic() - started
    return report


def _record_the_rest(ws: Workspace, wanted: Sequence[str] | None, report: Report) -> None:
    """Bring into the history what no action of ours wrote: edits on disk, and whatever a crash left unrecorded."""
    if ws.store.recorder is not None and not report.alarms:
        ws.store.recorder.catch_up(None if wanted is None else [ws.root / path / METADATA for path in wanted])


def _never() -> bool:
    """Nobody else waits."""
    return False


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


def _to_its_end(run: _Pass, wanted: Sequence[str] | None, accept: bool, wait: bool, halt: threading.Event) -> None:
    """The pass, whole or stopped; what was read until then is recorded, and nobody reads on."""
    try:
        _rounds(run, wanted, accept, wait, halt)
    except StoppedError:
        run.cut.close()
    finally:
        run.readers.close()


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
        counts = {k: v for k, v in run.report.as_json().items() if isinstance(v, int | float)}
        run.ws.seen.put("last_reconcile", {"at": time.time(), **counts})


class _GivenWayError(StoppedError):
    """Something else has waited long enough."""


def _one_round(run: _Pass, wanted: Sequence[str] | None, accept: bool) -> None:
    found = survey(run.ws, wanted, run.cut.on_recorded)
    run.surveyed = Surveyed({d.known.id for d in found.gone if d.known is not None}, frozenset(found.waiting))
    for place in run.surveyed.gone:
        run.readers.keep(place)
    _tell_survey(run, found)
    for project in found.projects:
        _stray(run, project)
    datasets = _to_scan(run, found, wanted)
    run.progress.datasets_total += len(datasets)
    try:
        _scan_all(run, datasets)
    except _GivenWayError:
        _break_off(run, datasets, found, accept=accept, whole_root=wanted is None)
        raise
    run.cut.close()
    gone = _all_gone(run)
    if wanted is None:
        there = {d.id for d in found.datasets}
        gone = {place: paths for place, paths in run.before.gone.items() if place in there} | gone
        run.before.done, run.before.gone = set(), {}
    record_losses(run.cut, gone, found.gone, accept=accept, whole_root=wanted is None)
    for result in run.compared.values():
        if result.place.doubt and not run.report.alarms and result.place.path not in run.report.retry:
            run.ws.seen.settle_doubt(result.place)
    run.compared, run.scanned = {}, set()
    if not run.report.alarms:
        # Of a whole pass that gave way on its way, the datasets it had been through before too.
        run.report.findings += settle_runs(run.ws, found.datasets if wanted is None else datasets, run.cut.on_recorded)
        run.report.findings += settle_instruments(run.ws, run.cut.on_recorded) if wanted is None else []
    if wanted is None:
        forget_long_missing(run.cut)
    _tell(run, force=True)


def _to_scan(run: _Pass, found: Survey, wanted: Sequence[str] | None) -> list[PlaceRow]:
    if wanted is None:
        return [d for d in found.datasets if d.id not in run.before.done]
    # A project's own change says nothing of the datasets in it that stay where they are.
    named = set(wanted)
    return [d for d in found.datasets if d.path in named or not _stays(found, d)]


def _scan_all(run: _Pass, datasets: Sequence[PlaceRow]) -> None:
    for place in datasets:
        _give_way(run)
        _scan_apart(run, place)
        run.scanned.add(place.id)
        run.progress.datasets_done += 1
        _tell(run)
    for read in run.readers.rest():
        _take(run, read)


def _give_way(run: _Pass, within: PlaceRow | None = None) -> None:
    """End the pass early, between two cuts, when something else has waited long enough."""
    if run.enough():
        run.scanned -= {within.id} if within is not None else set()
        raise _GivenWayError


def _break_off(run: _Pass, datasets: Sequence[PlaceRow], found: Survey, *, accept: bool, whole_root: bool) -> None:
    """What is done is done; what vanished from everything is told all together, from a part of it at once."""
    done = run.scanned - run.readers.in_flight()
    run.report.unfinished, run.report.left_over = True, {d.path for d in datasets if d.id not in done}
    run.cut.close()
    gone = {place: paths for place, paths in _all_gone(run).items() if place in done}
    if whole_root:
        run.before.done |= done
        run.before.gone |= gone
    else:
        record_losses(run.cut, gone, found.gone, accept=accept, whole_root=False)


def _all_gone(run: _Pass) -> GoneFiles:
    for result in run.compared.values():
        _orphans_gone(run, result)
    gone, run.gone = run.gone, defaultdict(dict)
    return gone


def _stays(found: Survey, dataset: PlaceRow) -> bool:
    return found.verdicts.get(dataset.path) is Verdict.SAME


def _tell_survey(run: _Pass, found: Survey) -> None:
    report = run.report
    report.new_projects += sum(found.verdicts.get(p.path) is Verdict.NEW for p in found.projects)
    report.new_datasets += sum(found.verdicts.get(d.path) is Verdict.NEW for d in found.datasets)
    report.projects = max(report.projects, len(found.projects))
    report.datasets = max(report.datasets, len(found.datasets))
    report.findings += [Finding(readable(p), "folder", why) for p, why in sorted(found.waiting.items())]
    report.retry.update(found.waiting)
    report.findings += [Finding(readable(p), "document", why) for p, why in sorted(found.refused.items())]


def _tell(run: _Pass, *, force: bool = False) -> None:
    moment = time.monotonic()
    if force or moment - run.told > _PROGRESS_SECONDS:
        run.told = moment
        run.progress.paused = run.ws.paused
        run.on_progress(run.progress)
        run.ws.seen.put("progress", run.progress.as_json())


# --- one dataset ------------------------------------------------------------------------------------------------


def _scan_apart(run: _Pass, place: PlaceRow) -> None:
    """One dataset's trouble, whatever it is, is told and set aside: it must not hold up all others."""
    try:
        _scan(run, place)
    except (StoppedError, FairfolderError, sqlite3.Error):
        raise
    except Exception as error:  # noqa: BLE001 - told, logged and set aside
        _log.exception("cannot scan %s", place.path)
        reason = f"it cannot be looked at ({type(error).__name__}: {error}); it is tried again"
        run.ws.seen.set_trouble(place.path, Condition.FAILED, reason)
        run.report.findings.append(Finding(readable(place.path), "folder", reason))
        run.report.retry.add(place.path)


def _scan(run: _Pass, place: PlaceRow) -> None:
    ws = run.ws
    document = f"{place.path}/{METADATA}/{STRUCTURAL}.json"
    try:
        with opened_place(ws.root, place) as top:
            state = manifest_state(ws.root, top, place, ws.seen, lambda: _own_sha256(ws, place))
            rules = ignore_above(ws.root, place.path)
            broken = state.broken
            result = None if broken else compare(ws.root, top, place, ws.seen, run.gate, rules, state, run.surveyed)
    except OSError as error:
        ws.seen.set_trouble(place.path, Condition.UNREADABLE, f"this folder cannot be read: {error.strerror}")
        run.report.retry.add(place.path)
        return
    reason = broken if result is None else result.trouble or _unaccepted(run, place, state)
    if reason or result is None:
        ws.seen.set_trouble(document, Condition.FAILED, reason)
        run.report.findings.append(Finding(readable(document), "document", reason))
        return
    run.compared[place.id] = result
    run.before.gone.pop(place.id, None)
    _remember_orphans(run, result)
    _record_unread(run, result)
    run.readers.keep(place.id, result.read, result.pending)
    for read in run.readers.read(place, result.read):
        _take(run, read)
    result.read = {}


def _own_sha256(ws: Workspace, place: PlaceRow) -> str | None:
    """The manifest's SHA-256 as the store last wrote it."""
    value = registry_entry(ws.root, place.identifier).get("documents", {}).get(f"{STRUCTURAL}.json")
    return value if isinstance(value, str) else None


def _unaccepted(run: _Pass, place: PlaceRow, state: ManifestState) -> str:
    """Why a manifest that is not as we left it cannot be worked on: only the system may write what was changed."""
    return "" if state.entries is None else accept_edit(run.ws, place, STRUCTURAL, run.cut.on_recorded)


def _record_unread(run: _Pass, result: Comparison) -> None:
    """Everything of a comparison that needs no reading."""
    place = result.place
    _one_claim_each(run, result)
    run.report.unchanged += result.unchanged
    run.progress.files_found += result.unchanged + len(result.read) + len(result.pending)
    run.progress.files_done += result.unchanged
    _note_gone(run, result)
    for other, row in result.recalled:
        if other.gone:
            run.cut.box(place).moved_from.append(row)
        else:
            run.cut.box(other).events.append(Left(row.path, row.identifier))
    if not (result.pending or result.others or result.moves or result.renewed):
        return
    box = run.cut.box(place)
    for path, identifier in result.renewed.items():
        result.identities[path] = identifier
        box.events.append(Renewed(os.fsdecode(path), identifier))
    _record_pending(run, box, result)
    _record_others(run, box, result)
    for event, moved in result.moves:
        _move(run, box, event, moved, unread=os.fsencode(event.path) in result.unread)
    for other, left in result.left:
        run.cut.box(other).events.append(left)
    run.cut.count(len(result.moves), 0)


def _note_gone(run: _Pass, result: Comparison) -> None:
    """What is not there any more: told last, after everything that may have come from there."""
    place, seen = result.place.id, run.ws.seen
    gone = run.gone[place]
    gone.update(dict.fromkeys(result.gone))
    if result.vanished or result.removed:
        had = {p for p, row in seen.files(place, result.vanished).items() if row.identifier}
        gone.update(dict.fromkeys(had))
        with seen.transaction():
            seen.drop_files(place, [*result.removed, *(p for p in result.vanished if p not in had)])


def _record_pending(run: _Pass, box: Box, result: Comparison) -> None:
    """Files that are not at rest, or that wait for another dataset to come to rest."""
    settle = run.ws.settings.settle_seconds
    for unsettled in result.unsettled:
        run.report.waiting.setdefault(unsettled, settle)
    before = run.ws.seen.files(box.place.id, result.pending)
    for path, stamp in result.pending.items():
        box.rows.append(_undescribed(run, box, path, Condition.PENDING, "still changing", stamp, before.get(path)))
        _wait_for(run, box.place, settle if path in result.held else run.gate.rests_in(stamp))


def _record_others(run: _Pass, box: Box, result: Comparison) -> None:
    """Links, special files and what cannot be read."""
    gone, before = run.gone[box.place.id], run.ws.seen.files(box.place.id, result.others)
    for path, (condition, reason, stamp) in result.others.items():
        row = _undescribed(run, box, path, condition, reason, stamp, before.get(path))
        if path in gone:  # what stands here now is remembered when the loss of the file is recorded
            gone[path] = row
        elif row != before.get(path):
            box.rows.append(row)
        if condition is Condition.PENDING:
            _wait_for(run, box.place, run.ws.settings.settle_seconds)
        elif condition is Condition.UNREADABLE:
            run.report.retry.add(box.place.path)


def _undescribed(
    run: _Pass, box: Box, path: bytes, condition: Condition, reason: str, stamp: Stamp, before: FileRow | None
) -> FileRow:
    """The row of a path that cannot be described now: it is who the comparison, or else its former row, says."""
    place, result = box.place.id, run.compared[box.place.id]
    identifier = result.identities.get(path) or (before.identifier if before is not None else "")
    if run.taken.get(identifier, place) != place:  # it is elsewhere by now: what stands here is something new
        identifier = ""
    _leave_behind(box, result, path)
    return undescribed_row(place, path, condition, reason, stamp, identifier, before)


def _leave_behind(box: Box, result: Comparison, path: bytes) -> None:
    """The row of a file that came from a dataset which cannot let it go goes with the cut that says where it is."""
    stale = result.stale.pop(path, None)
    if stale is not None:
        box.moved_from.append(stale)


def _one_claim_each(run: _Pass, result: Comparison) -> None:
    """An identity moves once in a pass: a file that moved on meanwhile waits for the next one."""
    place = result.place.id
    late: set[str] = set()
    claims = [(os.fsencode(event.path), row) for event, row in result.moves] + list(result.stale.items())
    for path, row in claims:
        if run.taken.setdefault(row.identifier, place) != place:
            late.add(row.identifier)
            result.pending[path] = row.stamp
            result.held.add(path)
            result.read.pop(path, None)
            result.identities.pop(path, None)
            result.stale.pop(path, None)
    if late:
        result.moves = [(event, row) for event, row in result.moves if row.identifier not in late]
        result.left = [(other, left) for other, left in result.left if left.identifier not in late]


def _wait_for(run: _Pass, place: PlaceRow, seconds: float) -> None:
    waiting = run.report.waiting
    run.report.pending += 1
    waiting[place.path] = max(waiting.get(place.path, 0.0), seconds)


def _move(run: _Pass, box: Box, event: Moved | Arrived, row: FileRow, *, unread: bool) -> None:
    """An identity goes to another path; ``unread``: the file itself is still to be read, and gets its row then."""
    box.events.append(event)
    if not unread:
        there = row._replace(place=box.place.id, path=event.path, stamp=event.stamp)
        box.rows.append(there._replace(condition=Condition.DESCRIBED, reason="", since=time.time()))
    if row.place == box.place.id and row.path != event.path:
        box.moved_from.append(row)
    run.report.moved += 1


def _take(run: _Pass, read: Read) -> None:
    """One file that was read, or could not be."""
    run.progress.files_done += 1
    box = run.cut.box(read.place)
    if isinstance(read.result, Facts):
        _described(run, box, read, read.result)
    else:
        _not_read(run, box, read, read.result)
    run.cut.count(1, read.stamp.size)
    if run.cut.files == 0:  # a cut was made just now
        _give_way(run, within=read.place)
    _tell(run)


def _described(run: _Pass, box: Box, read: Read, facts: Facts) -> None:
    path, place = os.fsdecode(read.path), read.place
    result = run.compared[place.id]
    identifier = result.identities.get(read.path) or next(run.identifiers)
    if run.taken.get(identifier, place.id) != place.id:
        identifier = next(run.identifiers)
    orphan = _claim_orphan(run, place, read.path, facts, result) if result.orphans else None
    _leave_behind(box, result, read.path)
    if orphan is not None:
        identifier = orphan.identifier
        box.events.append(Moved(orphan.path, path, read.stamp, facts.technical))
        box.moved_from.extend(run.ws.seen.files(place.id, [os.fsencode(orphan.path)]).values())
    new = orphan is None and read.path not in result.identities
    box.events.append(Described(path, facts, identifier, new))
    box.rows.append(FileRow(place.id, path, read.stamp, facts.sha256, identifier, Condition.DESCRIBED, "", time.time()))
    run.report.described += 1
    run.report.bytes_read += read.stamp.size
    run.progress.bytes_done += read.stamp.size


def _not_read(run: _Pass, box: Box, read: Read, why: NotRead) -> None:
    before = run.ws.seen.files(read.place.id, [read.path]).get(read.path)
    box.rows.append(_undescribed(run, box, read.path, why.condition, why.reason, read.stamp, before))
    if why.condition is Condition.PENDING:
        if why.again:
            _wait_for(run, read.place, run.ws.settings.settle_seconds)
        else:
            run.report.pending += 1
        return
    run.report.failed += 1
    run.report.retry.add(read.place.path)
    where = readable(f"{read.place.path}/{os.fsdecode(read.path)}")
    run.report.findings.append(Finding(where, why.condition.word, why.reason))


def _claim_orphan(run: _Pass, place: PlaceRow, path: bytes, facts: Facts, result: Comparison) -> Orphan | None:
    """The entry without a file that has these bytes: the same file under another name (seen was lost)."""
    waiting = result.orphans.get((facts.sha256, facts.stamp.size), [])
    if path in result.identities:
        return None
    here = (o for o in waiting if run.taken.get(o.identifier, place.id) == place.id)
    gone = next((o for o in here if not is_there(run.ws.root, f"{place.path}/{o.path}")), None)
    if gone is not None:
        waiting.remove(gone)
        run.taken[gone.identifier] = place.id
    return gone


def _remember_orphans(run: _Pass, result: Comparison) -> None:
    """Entries without a file get rows before anything is cut: the next pass knows them even if this one is killed."""
    place, wall = result.place, time.time()
    rows = [
        FileRow(place.id, o.path, Stamp(0, 0, size, 0, 0), sha256, o.identifier, Condition.DESCRIBED, "", wall)
        for (sha256, size), some in result.orphans.items()
        for o in some
        if not o.missing and not _may_stand(run, result, o.path)
    ]
    rows += result.learnt
    rows += [
        FileRow(place.id, os.fsdecode(p), NO_STAMP, "", i, Condition.DESCRIBED, "", wall)
        for p, i in result.doubled.items()
        if p not in result.renewed
    ]
    if rows:
        with run.ws.seen.transaction():
            run.ws.seen.put_files(rows)


def _orphans_gone(run: _Pass, result: Comparison) -> None:
    """Entries that found no file: their loss is told like any other."""
    left = (o.path for some in result.orphans.values() for o in some if not o.missing)
    gone = (os.fsencode(path) for path in left if not _may_stand(run, result, path))
    run.gone[result.place.id].update(dict.fromkeys(gone))


def _may_stand(run: _Pass, result: Comparison, path: str) -> bool:
    """Whether the file of an entry may be at its path, only unseen."""
    steps = os.fsencode(path).split(b"/")
    on_the_way = (result.others.get(b"/".join(steps[:depth])) for depth in range(1, len(steps) + 1))
    other = next((other[0] for other in on_the_way if other is not None), None)
    if other is not None:  # a folder that cannot be listed hides it; a link, say, is none
        return other not in _NO_DATA
    return is_there(run.ws.root, f"{result.place.path}/{path}")


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
