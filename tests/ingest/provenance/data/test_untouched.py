"""FA-23 for data: whatever the mode, a researcher's file is opened for reading and nothing else."""

from __future__ import annotations

import hashlib
import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.provenance.data.keeping import Tracked
from ingest.provenance.data.settings import Mode
from ingest.reading import NotRead, Throttle, read_file
from ingest.rows import Stamp
from tests.faults.processes import CHECKOUT
from tests.faults.test_untouched import CALLS, forbidden
from tests.ingest.provenance.data.conftest import DATASET, Lab, described

CHILD = [sys.executable, "-m", "tests.ingest.provenance.data.child"]
WRITER = """
import sys, time
with open(sys.argv[1], "ab", buffering=0) as handle:
    for number in range(int(sys.argv[2])):
        handle.write(b"line %d\\n" % number)
        time.sleep(0.004)
        if number % 10 == 9:
            print(number, flush=True)
            sys.stdin.readline()
"""
ALL_MODES = pytest.mark.parametrize("mode", list(Mode))


@pytest.mark.skipif(
    subprocess.run(["which", "strace"], capture_output=True).returncode != 0, reason="strace is not installed"
)
@ALL_MODES
def test_no_call_touches_a_researchers_file(
    root: Path, mode: Mode, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lab = Lab(root, mode)
    lab.fill({"a": b"1", "b": b"22", "sub/c": b"3", "z.zarr/.zgroup": b"{}", "z.zarr/0": b"4"})
    lab.tracker.keep(lab.described())
    lab.catch_up()
    (root / DATASET / "b").unlink()
    lab.fill({"a": b"5", "new": b"6"})
    log = tmp_path / "trace"
    strace = ["strace", "-f", "-y", "-qq", "-s", "65000", "-o", str(log)]
    calls = "trace=" + ",".join(f"?{call}" for call in CALLS.split())
    before = lab.contents()
    command = [*strace, "-e", calls, *CHILD, str(root), mode.value]
    subprocess.run(command, cwd=CHECKOUT, check=True, timeout=100, stdout=subprocess.DEVNULL)
    assert lab.contents() == before
    text = log.read_text()
    assert mode is Mode.OFF or ".dvc" in text
    assert forbidden(text, root, tmp_path_factory.getbasetemp()) == []


def _at_rest(root: Path, path: str) -> Tracked | None:
    """The file described if it holds still while it is read, as the scan does it."""
    folder = os.open((root / path).parent, os.O_RDONLY)
    try:
        name = os.fsencode(Path(path).name)
        stamp = Stamp.of(os.stat(name, dir_fd=folder))
        facts = read_file(folder, name, stamp, Throttle(None), md5=True)
    finally:
        os.close(folder)
    return None if isinstance(facts, NotRead) else Tracked(path, facts.stamp, facts.sha256, facts.md5)


def _tracked(lab: Lab, path: str) -> bool:
    """Whether the file held still, and was tracked."""
    file = _at_rest(lab.root, path)
    if file is None:
        return False
    kept = lab.tracker.keep([file])
    lab.tracker.write(DATASET, kept)
    return not kept[0].reason


@ALL_MODES
def test_a_process_that_writes_on_loses_nothing(root: Path, mode: Mode) -> None:
    lab = Lab(root, mode)
    lab.fill({"other": b"1"})
    lab.catch_up()
    path = f"{DATASET}/growing.log"
    (root / path).write_bytes(b"head\n")
    inode = (root / path).stat().st_ino
    lines, tracked = 100, 0
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", WRITER, root / path, str(lines)], stdin=pipe, stdout=pipe) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        for _ in range(lines // 10):
            while not select.select([writer.stdout], [], [], 0.01)[0]:  # it writes
                tracked += _tracked(lab, path)
            writer.stdout.readline()
            tracked += _tracked(lab, path)
            writer.stdin.write(b"on\n")
            writer.stdin.flush()
    assert writer.returncode == 0
    assert mode is Mode.OFF or tracked > 2  # it was tracked while it was being written
    lab.catch_up()
    expected = b"head\n" + b"".join(b"line %d\n" % number for number in range(lines))
    assert (root / path).read_bytes() == expected
    assert ((root / path).stat().st_ino, (root / path).stat().st_nlink) == (inode, 1)
    if mode in (Mode.FILE, Mode.FOLDER):
        md5 = hashlib.md5(expected, usedforsecurity=False).hexdigest()
        assert Path(lab.tracker.project.cache().path_of(md5)).read_bytes() == expected
    if mode is not Mode.OFF:
        assert lab.up_to_date()


@pytest.mark.parametrize("mode", [Mode.FILE, Mode.FOLDER])
def test_killed_anywhere_nothing_is_lost_or_left_over(
    root: Path, mode: Mode, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    lab = Lab(root, mode)
    lab.fill({f"{i % 3}/f{i}": b"%d" % i * (1 + i * 37) for i in range(400)})
    before, written = lab.contents(), 0
    for number in range(count(8, 200)):
        (root / DATASET / f"0/f{3 * (number % 100)}").write_bytes(b"version %d" % number)
        before = lab.contents()
        command = [*CHILD, str(root), mode.value]
        with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, start_new_session=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(rng.uniform(0.0, 0.35))
            child.kill()
        written += sum(1 for _ in root.glob("p_A/**/*.dvc"))
        assert lab.contents() == before
        assert damaged(lab) == []
        assert [p for p in (root / "p_A").rglob("*") if p.name.endswith(".tmp") or ".dvc." in p.name] == []
    lab.catch_up()
    assert lab.contents() == before
    assert damaged(lab) == []
    assert list(root.rglob(".dvc/**/fairfolder/*")) == []
    assert lab.up_to_date()
    behind = lab.tracker.compare(DATASET, [described(root, path) for path in lab.paths()])
    assert (behind.missing, behind.gone) == ([], [])


def damaged(lab: Lab) -> list[Path]:
    """Objects under a final name whose bytes are not what the name says, or that are not read-only."""
    objects = [p for p in (lab.root / ".dvc/cache/files/md5").glob("??/*") if p.is_file()]
    wrong = []
    for path in objects:
        found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        if found != (path.parent.name + path.name).removesuffix(".dir") or path.stat().st_mode & 0o777 != 0o444:
            wrong.append(path)
    return wrong
