"""The watcher process: every root watched in a thread of its own, the index following."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from catalog import engine, index
from catalog.following import Follower
from ingest.errors import FairfolderError
from ingest.watch import watch
from ingest.workspace import open_workspace


def watch_all(stop: threading.Event, announce: Callable[[str], None]) -> None:
    """Watches every root until `stop` is set; the first root that fails stops them all.

    Raises:
        FairfolderError: why a root cannot be watched.
    """
    failures: list[FairfolderError] = []
    with Follower() as follower:
        roots = engine.roots()
        threads = [
            threading.Thread(target=_watch_one, args=(root, follower, stop, announce, failures), name=f"watch {root}")
            for root in roots
        ]
        for thread in threads:
            thread.start()
        index.catch_up()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]


def _watch_one(
    root: Path,
    follower: Follower,
    stop: threading.Event,
    announce: Callable[[str], None],
    failures: list[FairfolderError],
) -> None:
    try:
        with open_workspace(root, settings.ENGINE) as workspace:
            watch(workspace, on_recorded=follower.recorded, stop=stop, announce=announce)
    except FairfolderError as error:
        failures.append(error)
    finally:
        stop.set()
