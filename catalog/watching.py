"""The watcher process: every root watched in a thread of its own, the index following."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from catalog import engine, state
from catalog.following import Follower
from ingest.errors import FairfolderError
from ingest.watch import watch
from ingest.workspace import open_workspace

log = logging.getLogger(__name__)

FIRST_WAIT = 5.0
LONGEST_WAIT = 60.0
_LOOK_SECONDS = 0.5

Announce = Callable[[str], None]


@dataclass
class _Root:
    """A root and how watching it goes; `failure` says why it is not watched now, `due` when it is tried again."""

    path: Path
    run: Future[None] | None = None
    is_watched: bool = False
    was_watched: bool = False
    failure: str = ""
    wait: float = FIRST_WAIT
    due: float = 0.0

    def started(self) -> None:
        self.is_watched = self.was_watched = True
        self.wait = FIRST_WAIT

    def ended(self) -> BaseException | None:
        """Why watching it has ended by itself, once; None while it goes on."""
        error = self.run.exception() if self.run is not None and self.run.done() else None
        if error is not None:
            self.run, self.is_watched, self.due = None, False, time.monotonic() + self.wait
            self.wait = min(2 * self.wait, LONGEST_WAIT)
        return error


def watch_all(stop: threading.Event, announce: Announce) -> None:
    """Watches every root until `stop` is set; one that fails is told of and tried again, and the others go on.

    Raises:
        FairfolderError: why no root can be watched, when none ever was.
    """
    roots = [_Root(path) for path in engine.roots()]
    state.note_unwatched({})
    with Follower() as follower, ThreadPoolExecutor(len(roots), "watch") as pool:
        while True:
            for root in roots:
                if root.run is None and time.monotonic() >= root.due:
                    root.run = pool.submit(_watch_one, root, follower, stop, announce)
            if stop.wait(_LOOK_SECONDS):
                return
            news = [_look_after(root) for root in roots]
            if all(root.run is None for root in roots) and not any(root.was_watched for root in roots):
                raise FairfolderError("\n".join(root.failure for root in roots))
            for sentence in filter(None, news):
                with suppress(OSError):  # a terminal that is gone ends nothing
                    announce(f"{sentence} It is tried again by itself; any other folder is watched on.")
            if any(sentence is not None for sentence in news):
                state.note_unwatched({str(root.path): root.failure for root in roots if root.failure})


def _look_after(root: _Root) -> str | None:
    """Why watching a root ended, "" when it is watched again, None when there is nothing new to tell."""
    error = root.ended()
    before = root.failure
    if error is not None:
        root.failure = _sentence(error)
    elif root.is_watched:
        root.failure = ""
    return root.failure if root.failure != before else None


def _watch_one(root: _Root, follower: Follower, stop: threading.Event, announce: Announce) -> None:
    note = state.watcher_note()
    supervisor = note.supervisor if note is not None and note.supervisor == os.getppid() else 0
    with open_workspace(root.path, settings.ENGINE) as workspace:
        watch(
            workspace,
            on_recorded=follower.recorded,
            stop=stop,
            announce=announce,
            on_started=root.started,
            supervisor=supervisor,
        )


def _sentence(error: BaseException) -> str:
    if isinstance(error, FairfolderError):
        return str(error)
    log.error("watching failed", exc_info=error)
    return f"Watching stopped by an unexpected {type(error).__name__}: {error}."
