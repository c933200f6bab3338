"""Several roots watched at once: what fails in one stays there, and is mended by itself."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

import ingest.watch
from catalog import engine, state
from catalog.state import WatcherNote
from catalog.watching import watch_all
from ingest.errors import FairfolderError
from ingest.locking import lock_file
from ingest.seen import state_folder
from ingest.status import status
from tests.catalog.service import eventually
from tests.catalog.tree import Tree

pytestmark = pytest.mark.django_db(transaction=True)


def taken(settings: Settings, root: Path) -> Any:
    """A root as if another process watched it."""
    folder = state_folder(settings.ENGINE.state_dir, root)
    folder.mkdir(parents=True, exist_ok=True)
    return lock_file(folder / "watch.lock", 0.0)


@contextmanager
def watching(announce: Callable[[str], None]) -> Iterator[None]:
    """Every root watched, to the end of the block."""
    stop = threading.Event()
    thread = threading.Thread(target=watch_all, args=(stop, announce))
    thread.start()
    try:
        yield
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join(120)
    assert not thread.is_alive()


@pytest.fixture
def other(tree: Tree, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A second root beside the tree's; both are looked at often."""
    other = tmp_path / "other"
    other.mkdir()
    settings.MONITOR_PATHS = (tree.root, other)
    settings.ENGINE = replace(settings.ENGINE, settle_seconds=0.2)
    monkeypatch.setattr(ingest.watch, "_STATE_SECONDS", 0.3)
    return other


def described(root: Path, name: str) -> None:
    """Makes a project, which has its record soon."""
    (root / name).mkdir()
    eventually((root / name / ".metadata/project_descriptive.json").exists)


def mode(root: Path) -> str:
    with engine.looking(root) as workspace:
        return status(workspace).mode


def test_a_root_that_fails_is_told_and_shown_and_watched_once_it_can_be(
    tree: Tree, other: Path, settings: Settings, reader: Any
) -> None:
    said: list[str] = []
    with watching(said.append):
        with taken(settings, tree.root):
            eventually(lambda: [line for line in said if f"{tree.root} is being watched already" in line])
            described(other, "p_Alpha")
            assert "is being watched already" in state.unwatched(tree.root)
            assert state.unwatched(other) == ""
            assert "is being watched already" in reader.get("/status/").content.decode()
        described(tree.root, "p_Beta")
        eventually(lambda: state.unwatched(tree.root) == "")
    assert len([line for line in said if "is being watched already" in line]) == 1


def test_one_root_that_breaks_ends_no_other(tree: Tree, other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    broken = threading.Event()
    loop = ingest.watch._loop

    def breaks_once(run: Any) -> None:
        if run.ws.root == tree.root and not broken.is_set():
            broken.set()
            raise RuntimeError("can't start new thread")
        loop(run)

    monkeypatch.setattr(ingest.watch, "_loop", breaks_once)
    with watching(said.append):
        eventually(lambda: [line for line in said if "unexpected RuntimeError: can't start new thread" in line])
        described(other, "p_Alpha")
        described(tree.root, "p_Beta")


def test_a_root_that_goes_and_comes_back_is_watched_again_and_the_others_go_on(tree: Tree, other: Path) -> None:
    """Moved away and back, replaced by another folder, and made anew, which may get the number of the old one."""
    said: list[str] = []
    aside = tree.root.with_name("aside")
    with watching(said.append):
        described(tree.root, "p_First")
        for number in range(5):
            tree.root.rename(aside)
            eventually(lambda: [line for line in said if f"{tree.root} cannot be read (No such file" in line])
            described(other, f"p_Beside{number}")
            if number == 0:
                aside.rename(tree.root)
            else:
                shutil.copytree(aside, tree.root)
                shutil.rmtree(aside)
            described(tree.root, f"p_Back{number}")
            said.clear()
        shutil.rmtree(tree.root)
        os.mkdir(tree.root)
        described(tree.root, "p_New")
        described(tree.root, "p_Newer")
        eventually(lambda: mode(tree.root) == "events")
        assert mode(other) == "events"


def test_a_root_that_is_not_there_at_start_is_watched_by_events_once_it_is(tree: Tree, other: Path) -> None:
    with watching(lambda sentence: None):
        described(tree.root, "p_First")
    aside = tree.root.with_name("aside")
    tree.root.rename(aside)
    with watching(lambda sentence: None):
        described(other, "p_Beside")
        eventually(lambda: mode(tree.root) == "polling")
        aside.rename(tree.root)
        described(tree.root, "p_Back")
        eventually(lambda: mode(tree.root) == "events")


def test_watching_ends_when_no_root_can_be_watched(tree: Tree, other: Path, settings: Settings) -> None:
    both = f"{tree.root} is being watched already.*\n{other} is being watched already"
    with taken(settings, tree.root), taken(settings, other), pytest.raises(FairfolderError, match=both):
        watch_all(threading.Event(), lambda sentence: None)


def test_a_note_that_cannot_be_written_ends_nothing(tree: Tree, settings: Settings) -> None:
    (settings.FAIRFOLDER_STATE_DIR / "watcher.json").mkdir()
    state.note_watcher(WatcherNote("running", 0.0))
    assert state.watcher_note() is None
    settings.FAIRFOLDER_STATE_DIR = Path("/dev/full")
    state.note_watcher(WatcherNote("running", 0.0))
    state.note_unwatched({"/data": "why"})
    assert state.unwatched(Path("/data")) == ""
