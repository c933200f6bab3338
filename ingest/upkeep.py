"""What goes on beside the watching of a root: copies pushed elsewhere, the history packed, data read again in time.

A thread of its own, so that none of it ever holds up a description. What it does is told in the state folder.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import orjson

from ingest.errors import FairfolderError
from ingest.fixity import SLICES, verify, verify_objects
from ingest.provenance.data.remotes import Pusher, PushState
from ingest.reading import StoppedError
from ingest.workspace import Workspace, open_workspace

_log = logging.getLogger("fairfolder.upkeep")

_TICK_SECONDS = 30.0
_DAY = 86_400.0
_FILE = "upkeep.json"


@dataclass
class Reading:
    """How far the reading again of all data has come: ``began`` in seconds of wall time, ``path`` the last dataset.

    ``done`` datasets ``of`` so many are read, then ``slices`` of the cache their versions are in.
    """

    began: float = 0.0
    path: str = ""
    done: int = 0
    of: int = 0
    slices: int = 0
    ended: float = 0.0  # when everything had been read the last time


@dataclass
class Upkeep:
    """The upkeep of one root; :meth:`start` begins it, :meth:`close` ends it soon."""

    ws: Workspace
    stop: threading.Event
    tick_seconds: float = _TICK_SECONDS
    reading: Reading = field(default_factory=Reading)
    _pusher: Pusher | None = None
    _pushed: str = ""
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self.reading = _reading(told(self.ws.state).get("reading"))
        settings = self.ws.settings
        if settings.data.wanted and settings.data.remote:
            self._pusher = Pusher(self.ws.root, settings.data.remote)
        self._thread = threading.Thread(target=self._work, name="upkeep", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait for its end; ``stop`` was set before."""
        if self._pusher is not None:
            self._pusher.close()
        if self._thread is not None:
            self._thread.join(timeout=10.0)

    def _work(self) -> None:
        with open_workspace(self.ws.root, self.ws.settings) as own:  # a database connection belongs to one thread
            while not self.stop.wait(self.tick_seconds):
                for work in (self._push, self._tidy, self._read_again):
                    self._apart(work, own)
                self._tell()

    def _apart(self, work: Callable[[Workspace], None], own: Workspace) -> None:
        try:
            work(own)
        except StoppedError:
            return
        except (FairfolderError, OSError) as error:
            _log.warning("%s: %s", self.ws.root, error)

    def _push(self, own: Workspace) -> None:
        recorder = own.store.recorder
        if recorder is None:
            return
        state = recorder.state()
        if recorder.is_behind() or (state.pending and not state.busy):
            recorder.catch_up([])  # git works again, or a merge is over: what waited follows without a change
        recorder.push()
        head = recorder.state().head
        if self._pusher is not None and head != self._pushed:
            self._pushed = head
            self._pusher.ask()

    def _tidy(self, own: Workspace) -> None:
        if own.store.recorder is not None:
            own.store.recorder.tidy()

    def _read_again(self, own: Workspace) -> None:
        """The next datasets, then the next parts of the cache: as many as the part of the period that has passed."""
        period = own.settings.verify_days * _DAY
        if not period or own.paused:
            return
        names = sorted(p.path for p in own.seen.places(include_gone=False) if p.kind == "dataset")
        if not self.reading.began:
            self.reading = Reading(began=time.time(), of=len(names), ended=self.reading.ended)
        # Datasets come and go while months pass between two steps.
        self.reading.done, self.reading.of = sum(name <= self.reading.path for name in names), len(names)
        elapsed = (time.time() - self.reading.began) / period
        while names and self._due(own, names) < elapsed:
            left = [name for name in names if name > self.reading.path]
            if left:
                verify(own, left[0], rate=own.settings.read_rate, on_bytes=self._go_on)
                self.reading.path = left[0]
                self.reading.done, self.reading.of = len(names) - len(left) + 1, len(names)
            elif self.reading.slices < _slices(own):
                part = SLICES[self.reading.slices]
                verify_objects(own, part, rate=own.settings.read_rate, on_bytes=self._go_on)
                self.reading.slices += 1
            else:
                self.reading = Reading(ended=time.time())
                return
            self._tell()

    def _due(self, own: Workspace, names: Sequence[str]) -> float:
        """From which part of the period on the next step is to be taken; the cache has half of it, where there is one.

        Below 0 for the first one.
        """
        if not self.reading.path:
            return -1.0
        slices = _slices(own)
        read = sum(name <= self.reading.path for name in names) / len(names)
        return (read + self.reading.slices / slices) / 2 if slices else read

    def _go_on(self, _: int) -> None:
        if self.stop.is_set():
            raise StoppedError

    def _tell(self) -> None:
        push = PushState("off") if self._pusher is None else self._pusher.state
        value = {"at": time.time(), "push": asdict(push), "reading": asdict(self.reading)}
        path = self.ws.state / _FILE
        fresh = path.with_suffix(".tmp")
        try:
            fresh.write_bytes(orjson.dumps(value))
            os.replace(fresh, path)
        except OSError as error:
            _log.warning("cannot write %s: %s", path, error.strerror)


def _slices(own: Workspace) -> int:
    return len(SLICES) if own.tracker is not None else 0


def _reading(value: object) -> Reading:
    """What was told of a reading, by this version or another one: what it does not know is left out."""
    known = {each.name: type(each.default) for each in fields(Reading)}
    items = value.items() if isinstance(value, dict) else ()
    return Reading(**{key: each for key, each in items if key in known and _fits(each, known[key])})


def _fits(value: object, kind: type) -> bool:
    return isinstance(value, int | float if kind is float else kind) and not isinstance(value, bool)


def told(state: Path) -> dict[str, Any]:
    """What the upkeep of a root last told in its state folder; nothing where there was none yet."""
    try:
        value = orjson.loads((state / _FILE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}
