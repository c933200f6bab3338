"""Pushing to a DVC remote: the real program, beside everything else, ended when it takes too long, tried again."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from ingest.provenance.data import program

_FIRST_PAUSE = 60.0
_LONGEST_PAUSE = 6 * 3600.0
PUSH_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class PushState:
    """For the status page: ``word`` is off, idle, pushing, done or failed; ``since`` is seconds of wall time."""

    word: str
    remote: str = ""
    since: float = 0.0
    reason: str = ""


@dataclass
class Pusher:
    """Pushes one root's versions to a configured remote when asked to, one push at a time, in a thread of its own.

    Args:
        remote: the name of a remote of DVC's configuration; "" to push nowhere.
        first_pause: seconds until a failed push is tried again; doubled each time.
    """

    root: Path
    remote: str
    first_pause: float = _FIRST_PAUSE
    seconds: float = PUSH_SECONDS
    _state: PushState = PushState("off")
    _asked: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        if self.remote:
            self._state = PushState("idle", self.remote)

    @property
    def state(self) -> PushState:
        """What became of the last push."""
        return self._state

    def ask(self) -> None:
        """There is something new to push. Returns at once."""
        if not self.remote or self._stop.is_set():
            return
        self._asked.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="dvc-push", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End it; a push under way is ended too, and is done again after the next start."""
        self._stop.set()
        self._asked.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        pause = self.first_pause
        while True:
            self._asked.wait()
            if self._stop.is_set():
                return
            self._asked.clear()  # what is asked for from here on may not be in this push
            self._state = PushState("pushing", self.remote, time.time())
            why = self._push()
            if self._stop.is_set():
                return
            if not why:
                pause = self.first_pause
                self._state = PushState("done", self.remote, time.time())
                continue
            self._state = PushState("failed", self.remote, time.time(), f"{why}; it is tried again in {pause:.0f} s")
            if self._stop.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE)
            self._asked.set()

    def _push(self) -> str:
        """Why the push failed; "" when it did not."""
        try:
            answer = program.run(self.root, ["push", f"--remote={self.remote}"], self.seconds, self._stop)
        except OSError as error:
            return str(error.strerror or error)
        return "" if answer.good else answer.why
