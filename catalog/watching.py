"""The watcher process: every root watched in a thread of its own, the index following."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from django.conf import settings

from catalog import engine, state
from catalog.following import Follower
from ingest.errors import FairfolderError
from ingest.watch import watch
from ingest.workspace import open_workspace

log = logging.getLogger(__name__)


def watch_all(stop: threading.Event, announce: Callable[[str], None]) -> None:
    """Watches every root until `stop` is set; a root that fails is told of, and the others go on.

    Raises:
        FairfolderError: why the last root cannot be watched, when none is left.
    """
    roots = engine.roots()
    failed: dict[str, str] = {}
    state.note_unwatched(failed)
    with Follower() as follower, ThreadPoolExecutor(len(roots), "watch") as pool:
        watched = {pool.submit(_watch_one, root, follower, stop, announce): root for root in roots}
        for done in as_completed(watched):
            error = done.exception()
            if error is None:
                continue
            failed[str(watched[done])] = _sentence(error)
            if len(failed) == len(roots):
                raise error
            state.note_unwatched(failed)
            announce(f"{_sentence(error)} The other folders are watched on; start again when that is mended.")


def _watch_one(root: Path, follower: Follower, stop: threading.Event, announce: Callable[[str], None]) -> None:
    with open_workspace(root, settings.ENGINE) as workspace:
        watch(workspace, on_recorded=follower.recorded, stop=stop, announce=announce)


def _sentence(error: BaseException) -> str:
    if isinstance(error, FairfolderError):
        return str(error)
    log.error("watching failed", exc_info=error)
    return f"Watching stopped by an unexpected {type(error).__name__}: {error}."
