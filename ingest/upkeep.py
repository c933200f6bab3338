"""What goes on beside the watching of a root: copies pushed elsewhere, the history packed, data read again in time.

A thread of its own, so that none of it ever holds up a description. What it does is told in the state folder.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ingest.errors import FairfolderError
from ingest.fixity import verify
from ingest.provenance.data.remotes import Pusher, PushState
from ingest.reading import StoppedError
from ingest.workspace import Workspace, open_workspace

_log = logging.getLogger("fairfolder.upkeep")

_TICK_SECONDS = 30.0
_DAY = 86_400.0
_FILE = "upkeep.json"


@dataclass
class Reading:
    """How far the reading again of all data has come: ``began`` in seconds of wall time, ``path`` the last dataset."""

    began: float = 0.0
    path: str = ""
    done: int = 0
    of: int = 0
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
        self.reading = Reading(**told(self.ws.state).get("reading", {}))
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
        recorder.push()
        head = recorder.state().head
        if self._pusher is not None and head != self._pushed:
            self._pushed = head
            self._pusher.ask()

    def _tidy(self, own: Workspace) -> None:
        if own.store.recorder is not None:
            own.store.recorder.tidy()

    def _read_again(self, own: Workspace) -> None:
        """The next datasets, as many as the share of the period that has passed asks for."""
        period = own.settings.verify_days * _DAY
        if not period or own.paused:
            return
        names = sorted(p.path for p in own.seen.places(include_gone=False) if p.kind == "dataset")
        if not self.reading.began:
            self.reading = Reading(began=time.time(), of=len(names), ended=self.reading.ended)
        elapsed = (time.time() - self.reading.began) / period
        while names and self.reading.done < elapsed * len(names):
            left = [name for name in names if name > self.reading.path]
            if not left:
                self.reading = Reading(ended=time.time())
                return
            verify(own, left[0], rate=own.settings.read_rate, on_bytes=self._go_on)
            self.reading.path = left[0]
            self.reading.done, self.reading.of = len(names) - len(left) + 1, len(names)
            self._tell()

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


def told(state: Path) -> dict[str, Any]:
    """What the upkeep of a root last told in its state folder; nothing where there was none yet."""
    try:
        value = orjson.loads((state / _FILE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}
