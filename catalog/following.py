"""The index follows what the engine recorded, in a thread of its own: a busy database never holds up the files."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from django.db import DatabaseError, connections

from catalog import index

log = logging.getLogger(__name__)

FIRST_WAIT = 0.25
LONGEST_WAIT = 30.0


class Follower:
    """Takes the paths of recorded documents and refreshes their rows, again and again until the database takes them.

    A context: leaving it waits until everything recorded so far is in the index, or gives up after `patience` seconds;
    what is missing then is caught up by the next process that starts.
    """

    def __init__(self, refresh: Callable[[Sequence[Path]], None] = index.refresh, patience: float = 30.0) -> None:
        self._refresh = refresh
        self._patience = patience
        self._waiting: dict[Path, None] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="index", daemon=True)
        self.behind = ""

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._wake.set()
        self._thread.join(self._patience)

    def recorded(self, paths: Sequence[Path]) -> None:
        """To be called after each cut with the absolute paths of its documents; returns at once."""
        with self._lock:
            self._waiting.update(dict.fromkeys(paths))
        self._wake.set()

    @property
    def backlog(self) -> int:
        """How many documents are not in the index yet."""
        return len(self._waiting)

    def _follow(self) -> None:
        wait = FIRST_WAIT
        try:
            while not (self._leaving.is_set() and not self._waiting):
                self._wake.wait()
                self._wake.clear()
                if self._refresh_waiting():
                    wait = FIRST_WAIT
                    continue
                self._leaving.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT) if not self._leaving.is_set() else FIRST_WAIT
                self._wake.set()
        finally:
            connections.close_all()

    def _refresh_waiting(self) -> bool:
        """Whether the index now has everything that waited."""
        with self._lock:
            paths, self._waiting = list(self._waiting), {}
        try:
            if paths:
                self._refresh(paths)
        except DatabaseError as error:
            with self._lock:
                self._waiting = dict.fromkeys(paths) | self._waiting
            self.behind = f"The index database does not take changes ({error}); they are kept and tried again."
            log.warning("index behind by %d documents: %s", len(paths), error)
            connections.close_all()
            return False
        self.behind = ""
        return True
