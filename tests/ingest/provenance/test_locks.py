"""FA-37: locks a crash left are taken away when nobody can hold them; live ones are waited for, then worked around."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ingest.locking import lock_file
from ingest.provenance import locks, tidying
from ingest.provenance.actions import Action
from ingest.provenance.locks import in_use, our_lock
from ingest.provenance.repository import Repository, open_repository
from tests.catalog.service import eventually
from tests.ingest.provenance.kept import Kept

pytestmark = pytest.mark.timeout(180)

LOCKS = [
    ".git/index.lock", ".git/HEAD.lock", ".git/refs/heads/main.lock", ".git/packed-refs.lock",
    ".git/refs/fairfolder/next.lock",
]  # fmt: skip
OLD = time.time() - 3600


def plant(kept: Kept, lock: str, when: float | None = None) -> Path:
    path = kept.put(lock, "")
    if when is not None:
        os.utime(path, (when, when))
    return path


def asleep(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the locks were waited for from now on, by what was asked and not by the clock."""
    slept: list[float] = []
    true_sleep = time.sleep

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        true_sleep(seconds)

    monkeypatch.setattr(locks.time, "sleep", sleep)
    return slept


@pytest.mark.parametrize("lock", LOCKS)
def test_a_stale_lock_is_taken_away_and_told(kept: Kept, lock: str, caplog: pytest.LogCaptureFixture) -> None:
    kept.save(1)
    kept.git("checkout", "-q", "--detach")  # so that something waits, and the replay removes a reference
    kept.save(2)
    kept.git("checkout", "-q", "main")
    path = plant(kept, lock, OLD)
    with caplog.at_level(logging.WARNING):
        assert kept.save(3)
    assert not path.exists()
    assert str(path) in caplog.text
    # A lock of a reference of ours is nobody else's: the log tells of it, and no notice.
    assert (str(path) in kept.another().state().lock) == (lock != ".git/refs/fairfolder/next.lock")
    assert len(kept.log("%H")) == 3
    assert kept.recorder.state().pending == 0
    assert kept.status() == []
    kept.assert_sound()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_live_lock_delays_nothing_for_long_and_loses_nothing(
    kept: Kept, lock: str, caplog: pytest.LogCaptureFixture
) -> None:
    kept.save(0, subject="Save 0")
    recorder = kept.another(foreign_seconds=0.3)
    path = plant(kept, lock)
    holder = subprocess.Popen(["sleep", "600"], stdin=path.open("rb"))
    os.utime(path, (OLD, OLD))  # old it is, but held
    try:
        for number in range(1, 4):  # comes to its end while the lock is held
            kept.save(number, subject=f"Save {number}", recorder=recorder)
        assert path.exists()
        if lock not in (
            ".git/packed-refs.lock",
            ".git/refs/fairfolder/next.lock",
        ):  # those are in nobody's way, or ours
            assert recorder.state().pending == 3
            assert str(path) in recorder.state().lock
            assert str(path) in caplog.text
    finally:
        holder.terminate()
        holder.wait()
    path.unlink()
    recorder.catch_up()
    # Also where nothing could be made meanwhile (.git/refs/fairfolder/next.lock).
    assert kept.subjects() == [f"Save {n}" for n in range(4)]
    assert recorder.state().pending == 0
    assert kept.status() == []
    kept.assert_sound()


@pytest.mark.parametrize("name", ["next", "pending", "base", "apart"])
def test_a_young_lock_of_a_reference_of_ours_that_nobody_holds_is_in_nobodys_way(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """FA-37: a git of ours that was killed leaves it, and the next action comes before it is old."""
    kept.save(0)
    path = plant(kept, f".git/refs/fairfolder/{name}.lock")
    slept = asleep(monkeypatch)
    kept.save(1, subject="Save 1", recorder=kept.another())
    assert not path.exists()
    assert kept.subjects()[-1] == "Save 1"
    assert slept == []
    kept.assert_sound()


def test_a_lock_that_stays_is_waited_for_once(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.save(0)
    recorder = kept.another(foreign_seconds=1)
    path = plant(kept, ".git/index.lock")
    kept.save(1, recorder=recorder)
    slept = asleep(monkeypatch)
    kept.save(2, recorder=recorder)
    assert sum(slept) < 0.5
    assert recorder.state().pending == 2
    path.unlink()
    assert recorder.catch_up() == 2


def test_a_lock_that_is_let_go_while_we_wait_is_only_waited_for(kept: Kept) -> None:
    kept.save(1)
    recorder = kept.another(foreign_seconds=600)
    path = plant(kept, ".git/index.lock")
    timer = threading.Timer(0.5, path.unlink)
    timer.start()
    kept.save(2, recorder=recorder)
    timer.join()
    assert recorder.state().pending == 0
    assert len(kept.log("%H")) == 2


def test_a_git_that_works_in_the_repository_holds_its_locks(kept: Kept) -> None:
    kept.save(1)
    repository = open_repository(kept.root)
    assert repository is not None
    path = plant(kept, ".git/index.lock", OLD)
    assert not in_use(path, repository)
    person = subprocess.Popen(["git", "cat-file", "--batch"], cwd=kept.root, stdin=subprocess.PIPE)
    try:
        eventually(lambda: in_use(path, repository))  # it becomes git only some time after it was begun
    finally:
        person.communicate()
    assert not in_use(path, repository)


def test_an_index_lock_of_our_own_crash_goes_at_once(kept: Kept) -> None:
    kept.save(1)
    lock = kept.put(".git/index.lock", "fairfolder 12345\n")
    kept.save(2, recorder=kept.another(foreign_seconds=86_400, stale_seconds=86_400))  # which it does not wait for
    assert not lock.exists()
    assert len(kept.log("%H")) == 2


def test_our_own_lock_is_waited_for(kept: Kept) -> None:
    kept.save(1)
    saved: list[str] = []
    recorder = kept.another(lock_seconds=600)
    saving = threading.Thread(target=lambda: saved.append(kept.save(2, recorder=recorder)))
    with lock_file(kept.path(".git/fairfolder/lock"), 1):
        saving.start()
        saving.join(0.5)
        assert saving.is_alive()
    saving.join()
    assert saved != [""]
    assert len(kept.log("%H")) == 2


def test_our_own_lock_held_for_too_long_loses_nothing(kept: Kept) -> None:
    kept.save(1)
    recorder = kept.another(lock_seconds=0.2)
    with lock_file(kept.path(".git/fairfolder/lock"), 1):
        assert kept.save(2, recorder=recorder) == ""
        assert "locked by another process" in recorder.state().trouble
    assert recorder.catch_up() == 1
    assert recorder.state().trouble == ""
    assert kept.status() == []


def test_our_own_lock_is_waited_for_once_in_an_action(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.save(1)
    recorder = kept.another(lock_seconds=0.2)
    slept = asleep(monkeypatch)
    with lock_file(kept.path(".git/fairfolder/lock"), 1):
        assert kept.save(2, by="bob", subject="Late", recorder=recorder) == ""
    assert sum(slept) < 0.3
    assert kept.save(3, dataset="p_x/other", recorder=recorder)
    assert kept.log("%an %s")[::-1] == ["alice Change the title", "bob Late", "alice Change the title"]
    with lock_file(kept.path(".git/fairfolder/lock"), 1):  # given up before anything was written
        recorder.begin([kept.path(kept.document())], Action("bob", "Never"))
        recorder.abandon()
    assert recorder.record([kept.put(kept.document(), "{}")], Action("bob", "By itself"))


def test_our_lock_makes_no_repository_of_a_git_folder_that_was_moved_away(kept: Kept) -> None:
    kept.save(1)
    gone = kept.path("elsewhere/.git/fairfolder")
    with pytest.raises(FileNotFoundError), our_lock(gone, kept.state / "provenance", 1):
        pass
    assert not kept.path("elsewhere").exists()


def test_clearing_up_keeps_no_save_waiting(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.save(1)
    seen: list[str] = []
    other = kept.another(lock_seconds=0.5)

    def during(repository: Repository) -> bool:
        seen.append(kept.save(2, recorder=other))
        assert not kept.another().tidy()  # one at a time
        return tidy(repository)

    tidy = tidying.tidy
    monkeypatch.setattr(tidying, "_LOOSE", 0)
    monkeypatch.setattr(tidying, "tidy", during)
    assert kept.recorder.tidy()
    assert seen != [""]
    with lock_file(kept.path(".git/fairfolder/lock"), 1):
        monkeypatch.setattr(tidying, "tidy", tidy)
        assert kept.recorder.tidy()
    kept.assert_sound()


def test_saves_while_it_clears_up_lose_nothing(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "_LOOSE", 0)
    kept.save(-1, subject="Save -1")
    ended = threading.Event()

    def clear_up() -> None:
        while not ended.is_set():
            kept.recorder.tidy()

    thread = threading.Thread(target=clear_up)
    thread.start()
    try:
        for number in range(12):
            assert kept.save(number, subject=f"Save {number}", recorder=kept.another())
    finally:
        ended.set()
        thread.join()
    assert kept.subjects() == [f"Save {n}" for n in range(-1, 12)]
    assert kept.status() == []
    kept.assert_sound()


def test_a_command_of_ours_keeps_the_lock_when_we_die_before_it(kept: Kept) -> None:
    """What a killed process had started ends before anyone else begins."""
    kept.save(1)
    repository = open_repository(kept.root)
    assert repository is not None
    code = (
        "import os, subprocess, sys, threading, time\n"
        "from pathlib import Path\n"
        "from ingest.provenance.locks import our_lock\n"
        "from ingest.provenance.repository import open_repository\n"
        "repository = open_repository(Path(sys.argv[1]))\n"
        "with our_lock(repository.own, repository.own, 5) as fd:\n"
        "    run = repository.locked(fd).run\n"
        "    threading.Thread(target=run, args=('-c', 'alias.x=!' + sys.argv[2], 'x'), daemon=True).start()\n"
        "    while not Path(sys.argv[3]).exists():\n"
        "        time.sleep(0.01)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    begun, end = kept.folder / "begun", kept.folder / "end"
    work = f"touch '{begun}'; while ! test -e '{end}'; do sleep 0.05; done; true"
    subprocess.run([sys.executable, "-c", code, kept.root, work, begun])
    saved: list[str] = []
    recorder = kept.another(lock_seconds=600)
    saving = threading.Thread(target=lambda: saved.append(kept.save(2, recorder=recorder)))
    saving.start()
    saving.join(0.5)
    assert saving.is_alive()
    end.touch()
    saving.join()
    assert saved != [""]
