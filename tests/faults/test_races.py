"""Things that happen at once: folders made and moved under a running pass, files that change while they are read."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import holds
from tests.faults.oracle import violations
from tests.faults.processes import run_reconcile, start_reconcile
from tests.ingest.watched import Watched

D = "p_Barley/leaves"


def test_folders_five_levels_deep_with_a_file_at_each(watched: Watched, count: Callable[[int, int], int]) -> None:
    """FA-01, as the scan sees it."""
    number = count(60, 300)
    for i in range(number):
        path = watched.root / D / f"a{i}"
        for level in "bcde":
            path.mkdir(parents=True, exist_ok=True)
            (path / "file.txt").write_text(f"{i}{level}\n")
            path = path / level
    watched.reconcile()
    assert len(watched.entries(D)) == number * 4
    assert violations(watched.root, watched.state) == []


WAYS = [
    "cp -r",
    "cp -a",
    pytest.param("rsync", marks=pytest.mark.skipif(holds("no-rsync"), reason="rsync is not installed")),
    "tar",
    "unzip",
    "mv",
]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_bring_files_gives_the_same(
    watched: Watched, tmp_path: Path, way: str, count: Callable[[int, int], int]
) -> None:
    """FA-02: one end state, whatever the tool."""
    source = tmp_path / "source"
    for i in range(count(200, 5_000)):
        (source / f"s{i % 7}").mkdir(parents=True, exist_ok=True)
        (source / f"s{i % 7}" / f"f{i}.csv").write_text(f"a,b\n{i},{i}\n")
    expected = {
        str(p.relative_to(source)): hashlib.sha256(p.read_bytes()).hexdigest() for p in source.rglob("*") if p.is_file()
    }
    target = watched.folder("p_Barley") / "leaves"
    if way.startswith("cp"):
        subprocess.run([*way.split(), source, target], check=True)
    elif way == "rsync":
        subprocess.run(["rsync", "-a", f"{source}/", f"{target}/"], check=True)
    elif way == "tar":
        with tarfile.open(tmp_path / "x.tar", "w") as tar:
            tar.add(source, "leaves")
        subprocess.run(["tar", "-xf", tmp_path / "x.tar", "-C", target.parent], check=True)
    elif way == "unzip":
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            for name in expected:
                archive.write(source / name, name)
        with zipfile.ZipFile(tmp_path / "x.zip") as archive:
            archive.extractall(target)
    else:
        subprocess.run(["mv", source, target], check=True)
    watched.reconcile()
    assert {n: e["checksum"]["value"] for n, e in watched.entries(D).items()} == expected
    assert violations(watched.root, watched.state) == []


def test_a_file_written_during_the_pass_is_never_recorded_half(watched: Watched, rng: random.Random) -> None:
    """A writer appends all the time; whatever is recorded is what the file once was, and in the end what it is."""
    path = watched.put(f"{D}/growing.bin", b"")
    watched.put(f"{D}/quiet.txt", "quiet\n")
    done = threading.Event()

    def write() -> None:
        written = 0
        while not done.is_set():
            chunk = rng.randbytes(rng.choice([10, 1000, 300_000]))
            written += len(chunk)
            with open(path, "ab", buffering=0) as handle:
                handle.write(chunk)
            time.sleep(rng.choice([0, 0.002, 0.01]))
            if written > 20_000_000:
                return

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    for _ in range(15):
        watched.reconcile()
        entry = watched.entries(D).get("growing.bin")
        if entry is not None:
            seen.add((entry["size_bytes"], entry["checksum"]["value"], entry["file_identifier"]))
    done.set()
    writer.join()
    # The kernel shows a long write page by page, so the file once had every length up to its last one.
    content = path.read_bytes()
    assert {(size, checksum) for size, checksum, _ in seen} == {
        (size, hashlib.sha256(content[:size]).hexdigest()) for size, _, _ in seen
    }
    assert len({identifier for _, _, identifier in seen}) <= 1
    watched.reconcile()
    assert violations(watched.root, watched.state) == []


def test_a_file_replaced_while_it_is_read_waits(watched: Watched) -> None:
    """A slow read (by the rate limit) of a file that is replaced meanwhile gives nothing, not a mixture."""
    path = watched.put(f"{D}/big.bin", b"A" * 3_000_000)

    def replace() -> None:
        time.sleep(0.3)
        new = path.with_name(".big.new")
        new.write_bytes(b"B" * 3_000_000)
        new.replace(path)

    thread = threading.Thread(target=replace)
    thread.start()
    watched.reconcile(read_rate=4_000_000)
    thread.join()
    allowed = {hashlib.sha256(c * 3_000_000).hexdigest() for c in (b"A", b"B")}
    assert {e["checksum"]["value"] for e in watched.entries(D).values()} <= allowed
    watched.reconcile()
    assert watched.entries(D)["big.bin"]["checksum"]["value"] == hashlib.sha256(b"B" * 3_000_000).hexdigest()


def test_two_passes_at_once_take_turns(watched: Watched, count: Callable[[int, int], int]) -> None:
    for i in range(count(300, 2_000)):
        watched.put(f"p_{i % 2}/d{i % 5}/f{i}.txt", f"{i}\n")
    processes = [start_reconcile(watched) for _ in range(4)]
    for process in processes:
        _, stderr = process.communicate(timeout=300)
        assert process.returncode == 0, stderr
    assert violations(watched.root, watched.state) == []
    assert watched.problems() == {}


def test_two_state_folders_on_one_root_write_no_nonsense(watched: Watched, tmp_path: Path) -> None:
    """Two machines that do not know of each other: the locks in the root keep the documents whole."""
    other = Watched(watched.root, tmp_path / "other state")
    for i in range(100):
        watched.put(f"p_{i % 2}/d{i % 3}/f{i}.txt", f"{i}\n")
    processes = [start_reconcile(w) for w in (watched, other)]
    for process in processes:
        _, stderr = process.communicate(timeout=300)
        assert b"Traceback" not in stderr, stderr
    for w in (watched, other, watched):
        w.reconcile()
    assert violations(watched.root) == []
    assert watched.check() == []


def test_a_tree_that_changes_all_the_time_never_breaks_a_pass(
    tmp_path: Path, rng: random.Random, count: Callable[[int, int], int]
) -> None:
    """Folders and files come, go, move and turn into links while passes run; when it is quiet, all is right."""
    for number in range(count(3, 400)):
        folder = tmp_path / str(number)
        (folder / "data").mkdir(parents=True)
        _churned(Watched(folder / "data", folder / "state"), rng)
        shutil.rmtree(folder)


def _churned(watched: Watched, rng: random.Random) -> None:
    done = threading.Event()
    names = [f"p_{p}/d{d}/{f}" for p in "ab" for d in "123" for f in ("x", "y/z", "y/w", "q")]

    def churn() -> None:
        while not done.is_set():
            path, other = watched.root / rng.choice(names), watched.root / rng.choice(names)
            try:
                what = rng.randrange(8)
                if what < 3:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(f"{rng.random()}\n")
                elif what == 3:
                    path.unlink()
                elif what == 4:
                    os.rename(path, other)
                elif what == 5:
                    os.rename(path.parent, other.parent)
                elif what == 6:
                    os.symlink("/etc/passwd", path)
                else:
                    os.rename(path.parents[1], other.parents[1])
            except OSError:
                continue

    writer = threading.Thread(target=churn)
    writer.start()
    try:
        for _ in range(25):
            watched.reconcile()
    finally:
        done.set()
        writer.join()
    for _ in range(3):
        watched.reconcile(accept_deletions=True)
    problems = watched.problems()
    waiting = {path: reason for path, reason in problems.items() if "hold the same identifier" in reason}
    assert problems == waiting
    if not waiting:
        assert violations(watched.root, watched.state) == []
    assert not any("passwd" in name for d in watched.root.glob("p_*/*") for name in _entry_names(watched, d))


def _entry_names(watched: Watched, dataset: Path) -> list[str]:
    relative = str(dataset.relative_to(watched.root))
    return list(watched.entries(relative)) if (dataset / ".metadata").is_dir() else []


def test_a_bind_mount_in_a_dataset_is_only_read(tmp_path: Path) -> None:
    """FA-15: even `/proc`, whose files claim no size and change all the time, hangs nothing."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    watched = Watched(tmp_path / "data", tmp_path / "state")
    watched.put(f"{D}/a.txt")
    watched.folder(f"{D}/net")
    script = f'mount --bind /proc/sys/net {watched.root / D / "net"} && exec "$@"'
    run = run_reconcile(watched, "unshare", "-m", "sh", "-c", script, "sh")
    assert run.returncode in (0, 1), run.stderr
    assert "Traceback" not in run.stderr
    assert watched.entries(D)["a.txt"]["state"] == "present"
