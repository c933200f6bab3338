"""Several roots watched at once: what fails in one stays there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from catalog import state
from catalog.state import WatcherNote
from catalog.watching import watch_all
from ingest.errors import BusyError
from ingest.locking import lock_file
from ingest.seen import state_folder
from tests.catalog.service import eventually
from tests.catalog.tree import Tree

pytestmark = pytest.mark.django_db(transaction=True)


def taken(settings: Settings, root: Path) -> Any:
    """A root as if another process watched it."""
    folder = state_folder(settings.ENGINE.state_dir, root)
    folder.mkdir(parents=True)
    return lock_file(folder / "watch.lock", 0.0)


def watching(stop: threading.Event, announce: Callable[[str], None]) -> threading.Thread:
    thread = threading.Thread(target=watch_all, args=(stop, announce))
    thread.start()
    return thread


def test_a_root_that_fails_is_told_and_shown_and_the_others_go_on(
    tree: Tree, tmp_path: Path, settings: Settings, reader: Any
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    settings.MONITOR_PATHS = (tree.root, other)
    stop, said = threading.Event(), list[str]()
    with taken(settings, tree.root):
        thread = watching(stop, said.append)
        try:
            eventually(lambda: [line for line in said if f"{tree.root} is being watched already" in line])
            (other / "p_Alpha").mkdir()
            eventually((other / "p_Alpha/.metadata/project_descriptive.json").exists, 30)
            assert "is being watched already" in state.unwatched(tree.root)
            assert state.unwatched(other) == ""
            assert "is being watched already" in reader.get("/status/").content.decode()
        finally:
            stop.set()
            thread.join(30)
    assert not thread.is_alive()


def test_watching_ends_when_every_root_failed(tree: Tree, settings: Settings) -> None:
    with taken(settings, tree.root), pytest.raises(BusyError, match="is being watched already"):
        watch_all(threading.Event(), lambda sentence: None)


def test_a_note_that_cannot_be_written_ends_nothing(tree: Tree, settings: Settings) -> None:
    (settings.FAIRFOLDER_STATE_DIR / "watcher.json").mkdir()
    state.note_watcher(WatcherNote("running", 0.0))
    assert state.watcher_note() is None
    settings.FAIRFOLDER_STATE_DIR = Path("/dev/full")
    state.note_watcher(WatcherNote("running", 0.0))
    state.note_unwatched({"/data": "why"})
    assert state.unwatched(Path("/data")) == ""
