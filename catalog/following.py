"""The index follows what the engine recorded, in a thread of its own: a busy database never holds up the files."""

from __future__ import annotations

import logging
import threading
import time
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

    It first catches up with what changed while nobody followed. A context: leaving it waits until everything recorded
    so far is in the index, or gives up after `patience` seconds; what is missing then, the next process catches up.
    """

    def __init__(
        self,
        refresh: Callable[[Sequence[Path]], None] = index.refresh,
        catch_up: Callable[[], int] = index.catch_up,
        patience: float = 30.0,
    ) -> None:
        self._refresh = refresh
        self._catch_up = catch_up
        self._caught_up = False
        self._patience = patience
        self._waiting: dict[Path, None] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="index", daemon=True)
        self.behind = ""

    def __enter__(self) -> Follower:
        self._wake.set()
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
            while not (self._leaving.is_set() and self._caught_up and not self._waiting):
                self._wake.wait()
                self._wake.clear()
                if self._bring_up_to_date():
                    wait = FIRST_WAIT
                    continue
                self._pause(wait)
                wait = min(2 * wait, LONGEST_WAIT)
                self._wake.set()
        finally:
            connections.close_all()

    def _pause(self, seconds: float) -> None:
        """Waits before the next try; not long once we are asked to leave."""
        if not self._leaving.wait(seconds):
            return
        time.sleep(FIRST_WAIT)

    def _bring_up_to_date(self) -> bool:
        """Whether the index now has everything that waited, but for what it can never take."""
        with self._lock:
            paths, self._waiting = list(self._waiting), {}
        try:
            if not self._caught_up:
                self._catch_up()
                self._caught_up = True
            if paths:
                self._refresh(paths)
        except DatabaseError as error:
            with self._lock:
                self._waiting = dict.fromkeys(paths) | self._waiting
            self.behind = f"The index database does not take changes ({error}); they are kept and tried again."
            log.warning("index behind by %d documents: %s", len(paths), error)
            connections.close_all()
            return False
        except Exception:  # the files go on being described whatever is wrong with the index
            log.exception("index cannot take a document")
            self._caught_up = True
            self._one_by_one(paths)
        self.behind = ""
        return True

    def _one_by_one(self, paths: Sequence[Path]) -> None:
        """Sets aside just the documents that the index cannot take."""
        for path in paths if len(paths) > 1 else ():
            try:
                self._refresh([path])
            except Exception:
                log.exception("index cannot take %s", path)
