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
from ingest.errors import FairfolderError

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
        self._catch_up_at = 0.0
        self._catch_up_wait = FIRST_WAIT
        self._missed = ""
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

    def catch_up_soon(self) -> None:
        """To be called when something may have changed that nobody recorded; returns at once."""
        with self._lock:
            self._caught_up, self._catch_up_at = False, 0.0
        self._wake.set()

    @property
    def backlog(self) -> int:
        """How many documents are not in the index yet."""
        return len(self._waiting)

    def _follow(self) -> None:
        wait = FIRST_WAIT
        try:
            while not (self._leaving.is_set() and self._caught_up and not self._waiting):
                self._wake.wait(None if self._caught_up else max(0.0, self._catch_up_at - time.monotonic()))
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
            if paths:
                self._refresh(paths)
        except DatabaseError as error:
            self._is_behind(paths, error)
            return False
        except Exception:  # the files go on being described whatever is wrong with the index
            log.exception("index cannot take a document")
            self._one_by_one(paths)
        self.behind = self._missed
        return self._has_caught_up()

    def _has_caught_up(self) -> bool:
        """Catches up when that is due. What is wrong with a folder holds up nothing else and is tried again later."""
        if self._caught_up or (time.monotonic() < self._catch_up_at and not self._leaving.is_set()):
            return True
        with self._lock:
            self._caught_up = True
        try:
            self._catch_up()
            self._catch_up_wait = FIRST_WAIT
            self.behind = self._missed = ""
        except DatabaseError as error:
            self._caught_up = False
            self._is_behind([], error)
            return False
        except Exception as error:
            log.error("index cannot catch up: %s", error, exc_info=not isinstance(error, FairfolderError))
            self._missed = f"The index cannot catch up with all that changed ({error}); it is tried again."
            self.behind = self._missed
            with self._lock:
                self._caught_up = self._leaving.is_set()  # the next process tries again
                self._catch_up_at = time.monotonic() + self._catch_up_wait
            self._catch_up_wait = min(2 * self._catch_up_wait, LONGEST_WAIT)
        return True

    def _is_behind(self, paths: Sequence[Path], error: DatabaseError) -> None:
        """Keeps what the database did not take."""
        with self._lock:
            self._waiting = dict.fromkeys(paths) | self._waiting
        self.behind = f"The index database does not take changes ({error}); they are kept and tried again."
        log.warning("index behind by %d documents: %s", len(paths), error)
        connections.close_all()

    def _one_by_one(self, paths: Sequence[Path]) -> None:
        """Sets aside just the documents that the index cannot take."""
        for path in paths if len(paths) > 1 else ():
            try:
                self._refresh([path])
            except Exception:
                log.exception("index cannot take %s", path)
