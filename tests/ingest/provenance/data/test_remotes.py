"""Versions travel: pushed to a folder and to S3, and back into a clone."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.provenance.data import program, telling
from ingest.provenance.data.cache import Cache
from ingest.provenance.data.remotes import Pusher
from ingest.provenance.data.settings import DataSettings, Mode
from tests.catalog.service import eventually, free_port
from tests.ingest.provenance.data.conftest import DATASET, DVC, Lab

FILES = {"a.csv": b"1,2\n", "sub/b.bin": bytes(range(256)) * 5000, "-c": b"3"}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server on this machine."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        eventually(lambda: _answers(port))
        yield f"http://127.0.0.1:{port}"
        server.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def a_clone_has_it_all(lab: Lab, clone: Path) -> None:
    before = lab.contents()
    lab.git("clone", "-q", str(lab.root), str(clone))
    assert lab.contents(clone) == {}
    lab.dvc("pull", "-q", cwd=clone)
    assert lab.contents(clone) == before
    assert lab.dvc("status", cwd=clone).strip() == "Data and pipelines are up to date."


def test_a_clone_and_a_pull_from_a_folder_give_the_tree(lab: Lab, tmp_path: Path) -> None:
    lab.fill(FILES)
    lab.catch_up()
    lab.dvc("remote", "add", "-q", "-d", "shelf", str(tmp_path / "shelf"))
    lab.commit()
    pusher = Pusher(lab.root, "shelf")
    pusher.ask()
    wait_for(pusher, "done")
    pusher.close()
    a_clone_has_it_all(lab, tmp_path / "clone")


def test_a_clone_and_a_pull_from_s3_give_the_tree(
    by_file: Lab, tmp_path: Path, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with urllib.request.urlopen(urllib.request.Request(f"{s3}/versions", method="PUT"), timeout=120) as made:
        assert made.status == 200
    by_file.fill(FILES)
    by_file.catch_up()
    by_file.dvc("remote", "add", "-q", "-d", "cloud", "s3://versions/site")
    by_file.dvc("remote", "modify", "-q", "cloud", "endpointurl", s3)
    by_file.commit()
    pusher = Pusher(by_file.root, "cloud")
    pusher.ask()
    wait_for(pusher, "done")
    pusher.close()
    shutil.rmtree(by_file.root / ".dvc/cache")
    a_clone_has_it_all(by_file, tmp_path / "clone")


def test_a_push_that_fails_is_told_and_tried_again(by_file: Lab, tmp_path: Path) -> None:
    by_file.fill(FILES)
    by_file.catch_up()
    pusher = Pusher(by_file.root, "--nowhere", first_pause=0.2)
    pusher.ask()
    wait_for(pusher, "failed")
    assert "nowhere" in pusher.state.reason
    assert "tried again" in pusher.state.reason
    by_file.dvc("remote", "add", "-q", "-d", "--", "--nowhere", str(tmp_path / "shelf"))
    wait_for(pusher, "done")
    pusher.close()
    assert len(list((tmp_path / "shelf").rglob("*/*"))) >= len(FILES)


def test_a_push_that_hangs_is_ended(by_file: Lab, tmp_path: Path) -> None:
    by_file.fill(FILES)
    by_file.catch_up()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        by_file.dvc("remote", "add", "-q", "hole", f"http://127.0.0.1:{silent.getsockname()[1]}/x")
        slow = Pusher(by_file.root, "hole", seconds=2.0)
        slow.ask()
        wait_for(slow, "failed")
        assert "ended after 2 s" in slow.state.reason
        slow.close()
        endless = Pusher(by_file.root, "hole")
        endless.ask()
        wait_for(endless, "pushing")
        endless.close()  # ends it, for this test comes to its end


def test_no_remote_no_push(root: Path) -> None:
    pusher = Pusher(root, "")
    pusher.ask()
    assert pusher.state.word == "off"
    pusher.close()


def test_without_dvc_the_state_says_so(by_file: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program.find() is None
    by_file.fill(FILES)
    kept = by_file.tracker.keep(by_file.described())
    assert {one.reason for one in kept} == {program.absent()}
    assert by_file.tracker.state().words == f"No versions of data files are kept: {program.absent()}."
    assert not (by_file.root / ".dvc").exists()
    monkeypatch.setenv("PATH", str(DVC.parent))
    assert by_file.tracker.state().installed


def wait_for(pusher: Pusher, word: str) -> None:
    deadline = time.monotonic() + 300
    while pusher.state.word != word:
        assert time.monotonic() < deadline, pusher.state
        time.sleep(0.05)


@pytest.mark.parametrize("clones", [True, False])
def test_what_is_told(root: Path, monkeypatch: pytest.MonkeyPatch, clones: bool) -> None:
    monkeypatch.setattr(Cache, "can_clone", lambda cache, root: clones)
    lab = Lab(root, Mode.FILE)
    lab.fill({"a": b"1", "dvc.lock": b"2"}, DATASET)
    lab.catch_up()
    state = lab.tracker.state()
    assert (state.enabled, state.mode, state.installed) == (True, "file", True)
    assert state.clones is clones
    assert state.free_bytes
    assert ("take no room" in state.words) is clones
    assert ("takes its size twice" in state.words) is not clones
    assert ("mode record" in state.words) is not clones
    assert list(state.untracked) == [f"{DATASET}/dvc.lock"]
    assert state.untracked_count == 1
    assert state.as_json()["push"]["word"] == "off"


@pytest.mark.parametrize(
    ("settings", "all_clone", "doubles"),
    [
        (DataSettings(Mode.FILE), False, True),
        (DataSettings(Mode.FOLDER), False, True),
        (DataSettings(Mode.OFF, (("p_x/*", Mode.FILE),)), False, True),
        (DataSettings(Mode.FILE), True, False),
        (DataSettings(Mode.RECORD), False, False),
        (DataSettings(Mode.OFF), False, False),
    ],
)
def test_that_data_takes_its_size_twice_is_said_at_set_up(
    settings: DataSettings, all_clone: bool, doubles: bool
) -> None:
    said = telling.at_set_up(settings, all_clone)
    assert ("takes its size twice" in said) is doubles
    assert ("FAIRFOLDER_DVC" in said) is doubles
