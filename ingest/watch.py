"""Watching a root: hints mark parts dirty, dirty parts are scanned when they have been quiet, everything now and then.

The order at start matters: watch first, then scan everything, so that nothing falls between the two.
"""

from __future__ import annotations

import errno
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from ingest.adoption import settle_changed
from ingest.dirty import Board
from ingest.errors import BusyError, FairfolderError
from ingest.hints import DOCUMENTS, Hints, documents_changed
from ingest.locking import lock_file
from ingest.losses import Unfinished
from ingest.readers import SlowReads
from ingest.reconcile import reconcile
from ingest.report import Report
from ingest.sources import Events, file_system_of, standing, why_no_events, without_events
from ingest.status import watched_already
from ingest.upkeep import Upkeep
from ingest.workspace import Workspace

_log = logging.getLogger("fairfolder.watch")

CANARY_SECONDS = 20.0
CANARY_PATIENCE = 10.0
RETRY_SECONDS = 5.0
LONGEST_RETRY_SECONDS = 300.0
TURN_SECONDS = 10.0  # how long one part may keep the others waiting
_STATE_SECONDS = 2.0
_STOP_SECONDS = 0.2
_MAX_RESTARTS = 3
_THE_REST = ".rest"  # of a scan of everything that gave way


@dataclass
class WatchState:
    """What the watcher says of itself in ``watch.json`` of the root's state folder; times are wall clock.

    ``supervisor`` is the process that would start it again if it were stopped, 0 where there is none.
    """

    pid: int
    supervisor: int
    mode: str
    mode_reason: str
    started: float
    at: float = 0.0
    backlog: int = 0
    restarts: int = 0
    alarms: list[str] = field(default_factory=list)
    error: str = ""


class _Ending(threading.Event):
    """The end of one root's watch: when it is set, or when everything is to stop."""

    def __init__(self, everything: threading.Event) -> None:
        super().__init__()
        self._everything = everything

    def is_set(self) -> bool:
        return super().is_set() or self._everything.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while not self.is_set() and (left := deadline - time.monotonic()) > 0:
            super().wait(min(left, _STOP_SECONDS))
        return self.is_set()


@dataclass
class _Watch:
    ws: Workspace
    on_recorded: Callable[[Sequence[Path]], None]
    stop: threading.Event
    announce: Callable[[str], None]
    board: Board
    hints: Hints
    state: WatchState
    events: Events | None = None
    standing: tuple[int, int] | None = None
    full_at: float = 0.0
    sing_at: float = 0.0
    told_at: float = 0.0
    slow: SlowReads | None = None
    backoff: dict[str, float] = field(default_factory=dict)
    unfinished: Unfinished | None = None  # the scan of everything that goes on, by turns with what is due meanwhile
    once_more: bool = False  # everything is to be scanned anew after that


def watch(
    ws: Workspace,
    *,
    on_recorded: Callable[[Sequence[Path]], None],
    stop: threading.Event,
    announce: Callable[[str], None],
    on_started: Callable[[], None] = lambda: None,
    supervisor: int = 0,
) -> None:
    """Keep the records of a root in step with its files until ``stop`` is set.

    Args:
        on_recorded: called after each cut with the documents that were written or found edited.
        announce: one sentence for the person at the terminal, rarely.
        on_started: called once, when nobody else watches this root and hints are listened to.
        supervisor: the process that would start this one again, for whoever wants to stop it.

    Raises:
        BusyError: when this root is being watched already.
    """
    try:
        with lock_file(ws.state / "watch.lock", 1.0):
            board, ending = Board(ws.settings.settle_seconds), _Ending(stop)
            state = WatchState(os.getpid(), supervisor, "starting", "", time.time())
            run = _Watch(ws, on_recorded, ending, announce, board, Hints(ws, board), state)
            run.slow = SlowReads(ending, lambda part: board.again(part, 0.0))
            upkeep = Upkeep(ws, ending)
            try:
                _tell(run, force=True)
                _start(run)
                upkeep.start()
                on_started()
                _loop(run)
            finally:
                ending.set()
                run.slow.close()
                upkeep.close()
                if run.events is not None:
                    run.events.stop()
                run.state.mode = "stopped"
                _tell(run, force=True)
    except BusyError:
        others = watched_already(ws.root, ws.settings.state_dir)
        raise BusyError(others or f"{ws.root} was being watched until just now; try again.") from None


def _start(run: _Watch) -> None:
    _choose(run, standing(run.ws.root))
    run.board.mark("", at=time.monotonic() - run.ws.settings.settle_seconds)
    run.full_at = time.monotonic() + _interval(run)


def _choose(run: _Watch, there: tuple[int, int] | None) -> None:
    """How to get hints: events where the file system has them and the kernel's limits allow, else a timer."""
    if run.events is not None:
        run.events.stop()
    run.events = run.standing = None
    settings, kind = run.ws.settings, file_system_of(run.ws.root)
    if settings.watch_mode == "polling":
        _poll(run, "asked for by FAIRFOLDER_WATCH_MODE")
    elif there is None:
        # No word to the terminal: the scan that follows says what is wrong.
        run.state.mode, run.state.mode_reason = "polling", "it cannot be read now; it is watched again once it can be"
    elif settings.watch_mode == "auto" and without_events(kind):
        _poll(run, f"the file system ({kind}) gives no reliable change events")
    else:
        _listen(run, kind)
    run.standing = there
    _tell(run, force=True)


def _interval(run: _Watch) -> float:
    """Seconds from one scan of everything to the next."""
    settings = run.ws.settings
    return settings.poll_seconds if run.events is None else settings.reconcile_seconds


def _listen(run: _Watch, kind: str) -> None:
    events = Events(run.ws.root, run.hints.heard)
    try:
        events.start()
    except OSError as error:
        events.stop()
        _poll(run, "degraded: " + why_no_events(error, run.ws.root))
        return
    run.events = events
    run.state.mode, run.state.mode_reason = "events", f"change events of the file system ({kind or 'unknown'})"
    run.sing_at = time.monotonic() + 1.0
    run.announce(f"Watching {run.ws.root} by {run.state.mode_reason}.")


def _poll(run: _Watch, reason: str) -> None:
    run.events = None
    run.state.mode, run.state.mode_reason = "polling", reason
    run.announce(f"Watching {run.ws.root} by looking every {run.ws.settings.poll_seconds:g} s: {reason}.")


# --- the loop -------------------------------------------------------------------------------------------------


def _loop(run: _Watch) -> None:
    while not run.stop.is_set():
        try:
            _turn(run)
            run.state.error = ""
        except FairfolderError as error:
            _failed(run, str(error))
        except Exception as error:  # noqa: BLE001 - the outermost loop: told, logged, tried again
            _log.exception("watch turn failed")
            _failed(run, f"unexpected {type(error).__name__}: {error}; it is tried again.")
        _tell(run)


def _failed(run: _Watch, sentence: str) -> None:
    if sentence != run.state.error:
        run.announce(sentence)
    run.state.error = sentence
    run.unfinished = None
    run.board.mark("", at=time.monotonic() - run.ws.settings.settle_seconds + RETRY_SECONDS)
    run.stop.wait(RETRY_SECONDS)


def _turn(run: _Watch) -> None:
    longest = min(_STATE_SECONDS, run.ws.settings.poll_seconds) if run.events is None else _STATE_SECONDS
    due = run.board.wait_due(longest, run.stop)
    if run.stop.is_set():
        return
    _look_after_root(run)
    _look_after_events(run)
    if time.monotonic() >= run.full_at and run.unfinished is None:
        due[""] = True
    if DOCUMENTS in due:
        due.pop(DOCUMENTS)
        changed = run.hints.documents()
        run.on_recorded(sorted(changed))
        settle_changed(run.ws, changed, run.on_recorded)
    if due:
        _scan(run, due)


def _scan(run: _Watch, due: dict[str, bool]) -> None:
    goes_on = due.pop(_THE_REST, False)
    if "" in due and run.unfinished is None:
        run.unfinished, run.once_more = Unfinished(), False
        _look(run, None, sorted(due))
        return
    if due.pop("", False):  # what it has been through already may have changed
        run.once_more = True
    parts = sorted(p for p, data in due.items() if data or documents_changed(run.ws, p))
    if parts:
        _look(run, parts, parts)
    if goes_on and run.unfinished is not None:
        _look(run, None, [])


class _Turn:
    """The time after which a scan gives way to other parts that are due; it begins with the first question."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._until = math.inf

    def is_over(self) -> bool:
        moment = time.monotonic()
        if self._until == math.inf:  # so that each turn comes a step further, whatever the survey took
            self._until = moment + TURN_SECONDS
            return False
        return moment > self._until and self._board.has_due()


def _look(run: _Watch, parts: Sequence[str] | None, due: Sequence[str]) -> None:
    """Scan some parts, or everything (its rest, if that was begun); ``due`` are those that were taken off the board."""
    started = time.monotonic()
    report = reconcile(
        run.ws,
        only=parts,
        wait=False,
        on_recorded=run.on_recorded,
        stop=run.stop,
        progress=lambda _: _tell(run),
        slow=run.slow,
        enough=_Turn(run.board).is_over,
        unfinished=run.unfinished,
    )
    cost = time.monotonic() - started
    _look_again(run, [part for part in due if not _has_any(part, report.left_over)], report, cost)
    _heed(run, report)
    if report.unfinished:
        for part in due:
            if part and _has_any(part, report.left_over):
                run.board.again(part, 0.1)
    if parts is None and report.unfinished:
        run.board.again(_THE_REST, 0.1)
    elif parts is None:
        _everything_scanned(run, report)


def _has_any(part: str, datasets: Collection[str]) -> bool:
    """Whether any of some datasets belongs to a part."""
    return any(not part or dataset == part or dataset.startswith(f"{part}/") for dataset in datasets)


def _everything_scanned(run: _Watch, report: Report) -> None:
    run.unfinished = None
    run.full_at = time.monotonic() + _interval(run)
    if not report.alarms:
        run.on_recorded([run.ws.root])  # whatever no event told of
    if run.once_more:
        run.board.mark("")


def _look_again(run: _Watch, scanned: Sequence[str], report: Report, cost: float) -> None:
    """Parts with something that is not at rest yet, or that failed: those with growing pauses."""
    for part in scanned:
        run.board.scanned(part, cost)
        if part not in report.retry:
            run.backoff.pop(part, None)
    for part, seconds in report.waiting.items():
        run.board.again(part, seconds)
    for part in report.retry:
        pause = run.backoff[part] = min(2 * run.backoff.get(part, RETRY_SECONDS / 2), LONGEST_RETRY_SECONDS)
        run.board.again(part, pause)


def _heed(run: _Watch, report: Report) -> None:
    for notice in report.notices:
        run.announce(notice)
    for alarm in report.alarms:
        if alarm not in run.state.alarms:
            run.announce(alarm)
    run.state.alarms = report.alarms
    if report.alarms:
        run.unfinished = None
        # Frozen: look again soon, it may be back; not so often where looking is much work.
        run.board.again("", max(RETRY_SECONDS, 10 * report.seconds))


def _look_after_root(run: _Watch) -> None:
    """A root that went is scanned at once, which tells of it; the one that comes back is listened to anew."""
    there = standing(run.ws.root)
    deleted = run.events is not None and run.events.gone.is_set()
    if there != run.standing or deleted:
        _choose(run, there)
        run.full_at, run.unfinished = 0.0, None


def _look_after_events(run: _Watch) -> None:
    """Overflows and deafness: each ends in a scan of everything."""
    events, moment = run.events, time.monotonic()
    if events is None:
        return
    if events.lost.is_set():
        events.lost.clear()
        run.board.mark("")
    if events.deaf(CANARY_PATIENCE):
        run.state.restarts += 1
        if run.state.restarts > _MAX_RESTARTS:
            events.stop()
            _poll(run, "degraded: change events stopped arriving, several times")
        else:
            _choose(run, run.standing)
        run.board.mark("")
    elif moment >= run.sing_at:
        if events.crowded():
            events.stop()
            _poll(run, "degraded: " + why_no_events(OSError(errno.ENOSPC, ""), run.ws.root))
            run.board.mark("")
            return
        events.sing()
        run.sing_at = moment + CANARY_SECONDS


def _tell(run: _Watch, *, force: bool = False) -> None:
    moment = time.monotonic()
    if not force and moment - run.told_at < _STATE_SECONDS:
        return
    run.told_at = moment
    run.state.at, run.state.backlog = time.time(), len(run.board)
    path = run.ws.state / "watch.json"
    fresh = path.with_suffix(".tmp")
    try:
        fresh.write_bytes(orjson.dumps(asdict(run.state)))
        fresh.replace(path)
    except OSError:
        _log.warning("cannot write %s", path, exc_info=True)
