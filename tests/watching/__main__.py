"""The engine's watcher as a process of its own: ``python -m tests.watching ROOT``. SIGTERM ends it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from ingest import watch as watching
from ingest.settings import EngineSettings
from ingest.workspace import open_workspace


def recorded(paths: Sequence[Path]) -> None:
    """Tells the test what the catalog would be told."""
    for path in paths:
        sys.stdout.write(f"recorded {path}\n")
    sys.stdout.flush()


def say(words: str) -> None:
    """Tells the test what the person at the terminal would be told."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if len(sys.argv) > 2:
        watching.CANARY_SECONDS = watching.CANARY_PATIENCE = float(sys.argv[2])
    with open_workspace(Path(sys.argv[1]), EngineSettings.from_env()) as ws:
        watching.watch(ws, on_recorded=recorded, stop=stop, announce=say)


if __name__ == "__main__":
    main()
