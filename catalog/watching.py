"""The watcher process: every root watched in a thread of its own, the index following."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from django.conf import settings

from catalog import engine
from catalog.following import Follower
from ingest.watch import watch
from ingest.workspace import open_workspace


def watch_all(stop: threading.Event, announce: Callable[[str], None]) -> None:
    """Watches every root until `stop` is set; the first root that fails stops them all.

    Raises:
        FairfolderError: why a root cannot be watched.
    """
    roots = engine.roots()
    with Follower() as follower, ThreadPoolExecutor(len(roots), "watch") as pool:
        for done in as_completed([pool.submit(_watch_one, root, follower, stop, announce) for root in roots]):
            done.result()


def _watch_one(root: Path, follower: Follower, stop: threading.Event, announce: Callable[[str], None]) -> None:
    try:
        with open_workspace(root, settings.ENGINE) as workspace:
            watch(workspace, on_recorded=follower.recorded, stop=stop, announce=announce)
    finally:
        stop.set()
