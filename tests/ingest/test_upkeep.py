"""What goes on beside the watching is really done, turn by turn: pushed, packed, read again and told."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from ingest import upkeep as keeping
from ingest.errors import FairfolderError
from ingest.provenance import git, pushing, tidying
from ingest.provenance.data.remotes import PushState
from ingest.provenance.data.settings import DataSettings, Mode
from ingest.provenance.settings import GitSettings
from ingest.reconcile import reconcile
from ingest.upkeep import Upkeep, told
from ingest.workspace import Workspace
from tests.ingest.provenance.historic import Historic

pytestmark = pytest.mark.timeout(120)


class Turns(threading.Event):
    """It is set after so many turns, which begin at once: nobody sleeps."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.left = number

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        if self.left < 0:
            self.set()
        return self.is_set()


class Asked:
    """What stands in for the pushing of data: how often it was asked."""

    def __init__(self) -> None:
        self.times = 0
        self.state = PushState("off")

    def ask(self) -> None:
        self.times += 1

    def close(self) -> None:
        pass


@pytest.fixture
def described(tmp_path: Path) -> Historic:
    """A dataset of one described file, whose history has a remote."""
    watched = Historic(tmp_path / "data", tmp_path / "state")
    watched.put("p_Alpha/plate/a.csv", "x,y\n1,2\n")
    watched.reconcile()
    bare = tmp_path / "copy.git"
    watched.git("init", "-q", "--bare", "-b", "main", str(bare))
    watched.git("remote", "add", "copy", str(bare))
    return watched


def work(watched: Historic, turns: int, pusher: Any = None, between: Any = None, **settings: Any) -> Upkeep:
    """So many turns of its loop, in this thread."""
    history = GitSettings(remote="copy")
    with watched.workspace(**{"git": history, "data": DataSettings(Mode.OFF), **settings}) as ws:
        upkeep = Upkeep(ws, Turns(turns), _pusher=pusher)
        if between is not None:
            tell = upkeep._tell
            upkeep._tell = lambda: (tell(), between(ws))[0]  # type: ignore[method-assign]
        upkeep._work()
    return upkeep


def test_the_history_is_pushed_at_each_turn(described: Historic, tmp_path: Path) -> None:
    copy = tmp_path / "copy.git"
    work(described, 1)
    assert described.git("--git-dir", str(copy), "rev-parse", "main") == described.git("rev-parse", "HEAD")
    described.put("p_Alpha/plate/b.csv", "x\n1\n")
    described.reconcile()
    work(described, 1)
    assert described.git("--git-dir", str(copy), "rev-parse", "main") == described.git("rev-parse", "HEAD")


def test_data_is_pushed_when_the_history_went_on_and_not_at_every_turn(described: Historic) -> None:
    pusher, number = Asked(), iter(range(100))

    def describe(ws: Workspace) -> None:
        if next(number) == 1:
            described.put("p_Alpha/plate/b.csv", "x\n1\n")
            reconcile(ws, wait=False)

    work(described, 2, pusher)
    assert pusher.times == 1
    pusher.times = 0
    work(described, 4, pusher, describe, verify_days=0)
    assert pusher.times == 2


def test_what_waited_for_a_free_head_follows_without_a_change(described: Historic) -> None:
    described.git("checkout", "-q", "--detach")
    described.put("p_Alpha/plate/b.csv", "x\n1\n")
    described.reconcile()
    described.git("checkout", "-q", "main")
    before = described.git("rev-list", "--count", "main")
    work(described, 1)
    assert int(described.git("rev-list", "--count", "main")) > int(before)


def test_what_git_could_not_record_follows_without_a_change(
    described: Historic, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = git.run

    def refuses(arguments: Any, **more: Any) -> git.Answer:
        if "fast-import" in arguments:
            raise git.GitError("No space left on device")
        return run(arguments, **more)

    described.put("p_Alpha/plate/b.csv", "x\n1\n")
    before = described.git("rev-list", "--count", "main")
    with monkeypatch.context() as broken:
        broken.setattr(git, "run", refuses)
        described.reconcile()
    assert described.git("rev-list", "--count", "main") == before
    assert "is full" in " ".join(described.status().alarms)
    work(described, 1)
    assert int(described.git("rev-list", "--count", "main")) > int(before)
    assert described.status().alarms == []
    described.assert_sound()


def test_the_history_is_packed(described: Historic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "_LOOSE", 0)
    assert not described.git("count-objects").startswith("0 objects")
    work(described, 1)
    assert described.git("count-objects").startswith("0 objects")


def test_data_is_read_again_and_what_differs_is_told(described: Historic) -> None:
    file = described.root / "p_Alpha" / "plate" / "a.csv"
    times = file.stat()
    file.write_text("x,y\n1,3\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    upkeep = work(described, 1)
    assert upkeep.reading.path == "p_Alpha/plate"
    assert "a.csv has other bytes than were described" in " ".join(described.status().alarms)
    with described.workspace() as ws:
        assert told(ws.state)["reading"]["done"] == 1


def test_trouble_with_one_thing_keeps_no_other_from_being_done(
    described: Historic, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def fails(own: Workspace, path: str, **more: Any) -> None:
        done.append(path)
        raise FairfolderError("The disk is not well.")

    def unplugged(*_: Any) -> bool:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(pushing, "push", unplugged)
    monkeypatch.setattr(keeping, "verify", fails)
    work(described, 2)
    assert done == ["p_Alpha/plate"] * 2
    assert "The disk is not well." in caplog.text
    assert "was not pushed" in caplog.text


def test_it_is_begun_with_the_watching_and_ends_with_it(described: Historic) -> None:
    turned = threading.Event()
    with described.workspace(verify_days=0) as ws:
        upkeep = Upkeep(ws, threading.Event(), tick_seconds=0.0)
        upkeep._tell = turned.set  # type: ignore[method-assign]
        upkeep.start()
        assert turned.wait(100)
        upkeep.stop.set()
        upkeep.close()
        assert upkeep._thread is not None
        assert not upkeep._thread.is_alive()
