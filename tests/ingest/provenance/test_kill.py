"""FA-32: `kill -9` anywhere between begin, write and record: nothing lost, nothing half recorded, nothing twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ingest.provenance.kept import ADMINISTRATIVE, Kept

pytestmark = pytest.mark.timeout(3000)

CHECKOUT = Path(__file__).resolve().parents[3]
OTHER = "dataset_structural.json"
# Saves without end, from where the disk stands: two documents each, replaced one after the other as the store does.
_WRITER = """
import json, os, sys
from pathlib import Path
from ingest.provenance.actions import Action
from tests.ingest.provenance.kept import Kept
from tests.ingest.provenance.test_kill import ADMINISTRATIVE, OTHER, value
kept = Kept(Path(sys.argv[1]))
recorder = kept.another(foreign_seconds=0.3, stale_seconds=0.2)
paths = [kept.path(kept.document(name=name)) for name in (ADMINISTRATIVE, OTHER)]
paths[0].parent.mkdir(parents=True, exist_ok=True)
print("begun", flush=True)
while True:
    number = value(paths[0]) + 1
    action = Action(f"user{number}", f"Save {number}", "form", moment=f"2026-01-01T{number // 3600 % 24:02}:00:00Z")
    recorder.begin(paths, action)
    for path in paths:
        temporary = path.with_name(f".{path.name}.0123456789ab.tmp")
        temporary.write_text(json.dumps({"value": number}))
        os.replace(temporary, path)
    recorder.record(paths, action)
"""


def value(path: Path) -> int:
    """What a document says, -1 when there is none."""
    return int(json.loads(path.read_text())["value"]) if path.exists() else -1


def run_and_kill(kept: Kept, seconds: float, *, everyone: bool) -> None:
    """The writer for so long; ``everyone``: the git commands it runs are killed with it."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, kept.folder], cwd=CHECKOUT, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    time.sleep(seconds)
    if everyone:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()


def assert_whole(kept: Kept, when: object) -> None:
    recorder = kept.another(stale_seconds=0.2)
    recorder.catch_up()
    deadline = time.monotonic() + 180
    while recorder.state().pending and time.monotonic() < deadline:
        time.sleep(0.3)
        recorder.catch_up()
    first, other = (kept.path(kept.document(name=name)) for name in (ADMINISTRATIVE, OTHER))
    last = value(first)
    assert kept.subjects("--", kept.document()) == [f"Save {n}" for n in range(last + 1)], when
    assert len(kept.log("%H")) == last + 1, when
    for name, subject in (line.split("|") for line in kept.log("%an|%s")):
        assert name == subject.replace("Save ", "user"), when
    versions = [json.loads(kept.blob(kept.document(), c))["value"] for c in kept.log("%H", "-5")]
    assert versions == list(range(last, max(-1, last - 5), -1)), when
    if other.exists():
        assert json.loads(kept.blob(kept.document(name=OTHER)))["value"] == value(other), when
    assert kept.status() == [], when
    assert recorder.state().trouble == "", when
    kept.git("fsck")
    assert not kept.path(".git/index.lock").exists()


@pytest.mark.parametrize("everyone", [False, True], ids=["alone", "with its commands"])
def test_killed_at_random_moments(
    kept: Kept, rng: random.Random, count: Callable[[int, int], int], everyone: bool
) -> None:
    for number in range(count(5, 100)):
        seconds = rng.uniform(0.02, 0.9)
        run_and_kill(kept, seconds, everyone=everyone)
        if kept.path(kept.document()).exists() and rng.random() < 0.7:
            assert_whole(kept, (number, seconds))
    assert_whole(kept, "in the end")


WRITING = "rename,renameat,renameat2,link,linkat,unlink,unlinkat,pwrite64,fsync,ftruncate,execve,write"


def test_killed_before_every_kind_of_write(
    kept: Kept, rng: random.Random, count: Callable[[int, int], int], tmp_path: Path
) -> None:
    """Before the n-th writing call of the process itself: every step between begin and record is met."""
    if subprocess.run(["which", "strace"], capture_output=True).returncode:
        pytest.skip("strace is not installed")
    command = [sys.executable, "-c", _WRITER, kept.folder]
    for point in sorted(rng.sample(range(2, 120), count(6, 100))):
        inject = ["-e", f"inject={WRITING}:signal=SIGKILL:when={point}", "-e", f"trace={WRITING}"]
        strace = ["strace", "-qq", "-o", "/dev/null", *inject, *command]
        subprocess.run(strace, cwd=CHECKOUT, stdout=subprocess.DEVNULL, timeout=300)
        if kept.path(kept.document()).exists():
            assert_whole(kept, point)
