"""One pass over a root, or a part of it: survey the folders, scan the datasets, record what differs in durable cuts."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.accepting import accept_edit
from ingest.adoption import settle_instruments, settle_runs
from ingest.catching_up import record_the_rest
from ingest.cut import Cut
from ingest.documents import STRUCTURAL, readable
from ingest.errors import FairfolderError, LayoutError
from ingest.layout import METADATA, PlaceKind, relative_to_root
from ingest.losses import GoneFiles, Unfinished, forget_long_missing, record_losses
from ingest.moves import Surveyed
from ingest.passing import GivenWayError, OnProgress, Pass, give_way, tell
from ingest.places import Verdict, list_datasets
from ingest.processes import ReadingProcesses
from ingest.readers import Readers, SlowReads
from ingest.reading import StoppedError
from ingest.recording import orphans_gone, record_strays, record_unread, remember_orphans, take
from ingest.registering import registry_entry
from ingest.report import Finding, Report
from ingest.root_guard import guard_root
from ingest.rows import Condition, PlaceRow
from ingest.scan import ManifestState, compare, manifest_state
from ingest.survey import Survey, survey
from ingest.walk import ignore_above, opened_place
from ingest.workspace import Workspace

_log = logging.getLogger("fairfolder.reconcile")

_ROUNDS = 3

OnRecorded = Callable[[Sequence[Path]], None]


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
            md5 = ws.tracker is not None and ws.tracker.wants_md5
            readers = Readers(ws.root, ws.throttle, halt, lambda: ws.paused, processes=processes, slow=slow, md5=md5)
            cut = Cut(ws, report, on_recorded or _nothing)
            before = unfinished or Unfinished()
            run = Pass(ws, report, readers, ws.clock.gate(), cut, progress or _nothing, enough or _never, before)
            _to_its_end(run, wanted, accept_deletions, wait, halt)
            record_the_rest(ws, wanted, report, halt)
    report.seconds = time.monotonic() - started
    return report


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


def _to_its_end(run: Pass, wanted: Sequence[str] | None, accept: bool, wait: bool, halt: threading.Event) -> None:
    """The pass, whole or stopped; what was read until then is recorded, and nobody reads on."""
    try:
        _rounds(run, wanted, accept, wait, halt)
    except StoppedError:
        run.cut.close()
    finally:
        run.readers.close()


def _rounds(run: Pass, wanted: Sequence[str] | None, accept: bool, wait: bool, halt: threading.Event) -> None:
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


def _one_round(run: Pass, wanted: Sequence[str] | None, accept: bool) -> None:
    found = survey(run.ws, wanted, run.cut.on_recorded)
    run.surveyed = Surveyed({d.known.id for d in found.gone if d.known is not None}, frozenset(found.waiting))
    for place in run.surveyed.gone:
        run.readers.keep(place)
    _tell_survey(run, found)
    for project in found.projects:
        record_strays(run, project)
    datasets = _to_scan(run, found, wanted)
    run.progress.datasets_total += len(datasets)
    try:
        _scan_all(run, datasets)
    except GivenWayError:
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
    tell(run, force=True)


def _to_scan(run: Pass, found: Survey, wanted: Sequence[str] | None) -> list[PlaceRow]:
    if wanted is None:
        return [d for d in found.datasets if d.id not in run.before.done]
    # A project's own change says nothing of the datasets in it that stay where they are.
    named = set(wanted)
    return [d for d in found.datasets if d.path in named or not _stays(found, d)]


def _scan_all(run: Pass, datasets: Sequence[PlaceRow]) -> None:
    for place in datasets:
        give_way(run)
        _scan_apart(run, place)
        run.scanned.add(place.id)
        run.progress.datasets_done += 1
        tell(run)
    for read in run.readers.rest():
        take(run, read)


def _break_off(run: Pass, datasets: Sequence[PlaceRow], found: Survey, *, accept: bool, whole_root: bool) -> None:
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


def _all_gone(run: Pass) -> GoneFiles:
    for result in run.compared.values():
        orphans_gone(run, result)
    gone, run.gone = run.gone, defaultdict(dict)
    return gone


def _stays(found: Survey, dataset: PlaceRow) -> bool:
    return found.verdicts.get(dataset.path) is Verdict.SAME


def _tell_survey(run: Pass, found: Survey) -> None:
    report = run.report
    report.new_projects += sum(found.verdicts.get(p.path) is Verdict.NEW for p in found.projects)
    report.new_datasets += sum(found.verdicts.get(d.path) is Verdict.NEW for d in found.datasets)
    report.projects = max(report.projects, len(found.projects))
    report.datasets = max(report.datasets, len(found.datasets))
    report.findings += [Finding(readable(p), "folder", why) for p, why in sorted(found.waiting.items())]
    report.retry.update(found.waiting)
    report.findings += [Finding(readable(p), "document", why) for p, why in sorted(found.refused.items())]


# --- one dataset ------------------------------------------------------------------------------------------------


def _scan_apart(run: Pass, place: PlaceRow) -> None:
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


def _scan(run: Pass, place: PlaceRow) -> None:
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
    remember_orphans(run, result)
    record_unread(run, result)
    run.readers.keep(place.id, result.read, result.pending)
    for read in run.readers.read(place, result.read):
        take(run, read)
    result.read = {}


def _own_sha256(ws: Workspace, place: PlaceRow) -> str | None:
    """The manifest's SHA-256 as the store last wrote it."""
    value = registry_entry(ws.root, place.identifier).get("documents", {}).get(f"{STRUCTURAL}.json")
    return value if isinstance(value, str) else None


def _unaccepted(run: Pass, place: PlaceRow, state: ManifestState) -> str:
    """Why a manifest that is not as we left it cannot be worked on: only the system may write what was changed."""
    return "" if state.entries is None else accept_edit(run.ws, place, STRUCTURAL, run.cut.on_recorded)
