"""What happens when storage fails, played in a mount namespace of its own: ``python -m tests.faults.in_namespace``.

The caller mounts nothing itself: what is mounted here goes with this process, however it ends.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.faults.oracle import everything, violations
from tests.faults.processes import broken_documents, run_reconcile
from tests.ingest.watched import Watched

D = "p_Barley/leaves"


def mount(folder: Path, options: str) -> None:
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)


def fill(path: Path) -> None:
    """Takes the last block."""
    with open(path, "wb", buffering=0) as handle:
        for size in (65536, 4096, 1):
            try:
                while True:
                    handle.write(b"x" * size)
            except OSError:
                continue


def told(watched: Watched) -> str:
    """Everything a pass says when it is in trouble; it says it in words."""
    run = run_reconcile(watched)
    assert "Traceback" not in run.stderr, run.stderr
    assert run.returncode in (1, 2), (run.returncode, run.stdout)
    return run.stdout + run.stderr


def described(watched: Watched) -> None:
    watched.put(f"{D}/a.txt", "a\n")
    watched.put("p_Barley/roots/b.txt", "b\n")
    assert run_reconcile(watched).returncode == 0


def recovered(watched: Watched, before: object) -> None:
    assert everything(watched.root) == before
    run = run_reconcile(watched)
    assert run.returncode == 0, run.stdout + run.stderr
    assert violations(watched.root, watched.state) == []
    assert watched.problems() == {}
    assert everything(watched.root) == before


def full(watched: Watched) -> None:
    """FA-31: no byte is left for metadata."""
    mount(watched.root, "size=1m")
    described(watched)
    watched.put(f"{D}/a.txt", "changed\n")
    watched.put(f"{D}/new.txt", "new\n")
    watched.move("p_Barley/roots/b.txt", "p_Barley/roots/renamed.txt")
    watched.folder("p_Barley/empty")
    metadata, data = watched.metadata(), everything(watched.root)
    fill(watched.root / "ballast")
    for _ in range(2):
        words = told(watched)
        assert "the storage is full; free some space, it is tried again by itself" in words, words
        assert broken_documents(watched.root) == []
        assert {k: v for k, v in watched.metadata().items() if k in metadata} == metadata
        assert not [k for k in watched.metadata() if k.endswith(".tmp")], "no half file stays"
    assert watched.check() is not None, "reading works"
    (watched.root / "ballast").unlink()
    recovered(watched, data)
    assert set(watched.entries(D)) == {"a.txt", "new.txt"}


def no_inodes(watched: Watched) -> None:
    """FA-31: bytes are left, but no inode."""
    mount(watched.root, "size=4m,nr_inodes=80")
    described(watched)
    watched.put(f"{D}/new.txt", "new\n")
    metadata, data = watched.metadata(), everything(watched.root)
    ballast = []
    try:
        for number in range(200):
            path = watched.root / f"ballast{number}"
            path.touch()
            ballast.append(path)
    except OSError:
        pass
    assert "the storage is full" in told(watched)
    assert watched.metadata() == metadata
    for path in ballast:
        path.unlink()
    recovered(watched, data)


def read_only(watched: Watched) -> None:
    """FA-31: the file system is remounted read-only."""
    mount(watched.root, "size=4m")
    described(watched)
    watched.put(f"{D}/new.txt", "new\n")
    metadata, data = watched.metadata(), everything(watched.root)
    subprocess.run(["mount", "-o", "remount,ro", watched.root], check=True)
    words = told(watched)
    assert "the file system is read-only; remount it writable" in words, words
    assert watched.metadata() == metadata
    assert watched.check() == []
    subprocess.run(["mount", "-o", "remount,rw", watched.root], check=True)
    recovered(watched, data)


def state_full(watched: Watched) -> None:
    """The state folder's disk is full, the data's is not."""
    mount(watched.state, "size=384k")
    described(watched)
    for number in range(300):
        watched.put(f"{D}/{'long name ' * 10}{number}.txt", f"{number}\n")
    data = everything(watched.root)
    fill(watched.state / "ballast")
    words = told(watched)
    assert "The state folder" in words, words
    assert "cannot be used" in words
    assert broken_documents(watched.root) == []
    (watched.state / "ballast").unlink()
    recovered(watched, data)


SCENARIOS: dict[str, Callable[[Watched], None]] = {
    "full": full,
    "no_inodes": no_inodes,
    "read_only": read_only,
    "state_full": state_full,
}


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    (folder / "data").mkdir()
    SCENARIOS[sys.argv[1]](Watched(folder / "data", folder / "state"))
