"""What happens when the storage of the history, or of the versions, fails.

Played in a mount namespace of its own: ``python -m tests.faults.in_namespace_history SCENARIO FOLDER``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ingest.provenance.data.settings import Mode
from tests.faults.history_oracle import ask, dvc_disagrees, history_violations
from tests.faults.in_namespace import D, fill, mount
from tests.faults.oracle import everything, violations
from tests.faults.processes import run_reconcile
from tests.ingest.provenance.historic import Historic


def begun(folder: Path, place: str, size: str) -> Historic:
    """A described root; then ``place`` in it is moved to a small file system of its own."""
    historic = Historic(folder / "data", folder / "state", mode=Mode.FILE)
    historic.put(f"{D}/a.txt", "a\n")
    passed(historic)
    own, aside = historic.root / place, folder / "aside"
    subprocess.run(["cp", "-a", own, aside], check=True)
    mount(own, f"size={size}")
    subprocess.run(["cp", "-a", f"{aside}/.", own], check=True)
    return historic


def passed(historic: Historic) -> str:
    """A pass that describes everything, whatever becomes of the history; what it said."""
    run = run_reconcile(historic)
    assert "Traceback" not in run.stderr, run.stderr
    assert run.returncode == 0, (run.returncode, run.stdout, run.stderr)
    return run.stdout + run.stderr


def resumed(historic: Historic, data: object, commits: int) -> None:
    assert everything(historic.root) == data
    passed(historic)
    wrong = violations(historic.root, historic.state)
    assert wrong == [], wrong
    disagrees = dvc_disagrees(historic.root)
    assert disagrees == "", disagrees
    assert historic.status().history["trouble"] == ""
    assert not [alarm for alarm in historic.status().alarms if "history" in alarm]
    assert everything(historic.root) == data
    assert len(historic.commits()) > commits


def cache_full(folder: Path) -> None:
    """FA-26: no room for bytes in DVC's cache."""
    historic = begun(folder, ".dvc/cache", "2m")
    fill(historic.root / ".dvc/cache/ballast")
    historic.put(f"{D}/new.bin", bytes(range(256)) * 2_000)
    historic.put(f"{D}/a.txt", b"changed" * 3_000)
    data, commits = everything(historic.root), len(historic.commits())
    for _ in range(2):
        passed(historic)
        untracked = historic.status().versions["untracked"]
        assert set(untracked) == {f"{D}/new.bin", f"{D}/a.txt"}, untracked
        assert all("is full; free some space" in why for why in untracked.values()), untracked
        assert historic.states(D) == {"a.txt": "present", "new.bin": "present"}
        assert everything(historic.root) == data
        assert history_violations(historic.root) == []
    (historic.root / ".dvc/cache/ballast").unlink()
    resumed(historic, data, commits)
    assert historic.status().versions["untracked"] == {}


def git_full(folder: Path) -> None:
    """FA-26: no room for commits. Descriptions go on; what was not recorded is made up for."""
    historic = begun(folder, ".git", "2m")
    fill(historic.root / ".git/ballast")
    _behind(historic, "is full; free some space, it is tried again by itself")
    (historic.root / ".git/ballast").unlink()
    _made_up_for(historic)


def git_read_only(folder: Path) -> None:
    """The repository may be read and not written."""
    historic = begun(folder, ".git", "4m")
    subprocess.run(["mount", "-o", "remount,ro", historic.root / ".git"], check=True)
    _behind(historic, "is read-only; remount it writable")
    subprocess.run(["mount", "-o", "remount,rw", historic.root / ".git"], check=True)
    _made_up_for(historic)


def _behind(historic: Historic, words: str) -> None:
    """Two changes while no commit can be made: both are described, and it is said why they are not recorded."""
    head = ask(historic.root, "rev-parse", "HEAD")
    for number in range(2):
        historic.put(f"{D}/new{number}.txt", f"{number}\n")
        data = everything(historic.root)
        passed(historic)
        status = historic.status()
        assert words in status.history["trouble"], status.history
        assert any(alarm.startswith("The history is behind: ") for alarm in status.alarms), status.alarms
        assert f"new{number}.txt" in historic.entries(D)
        assert everything(historic.root) == data
        assert ask(historic.root, "rev-parse", "HEAD") == head


def _made_up_for(historic: Historic) -> None:
    commits = len(historic.commits())
    resumed(historic, everything(historic.root), commits)
    new = historic.commits()[commits:]
    pointers = [path for c in new for path in c.paths if path.endswith(".txt.dvc")]
    assert sorted(pointers) == [f"{D}/new0.txt.dvc", f"{D}/new1.txt.dvc"], new
    assert {c.author for c in new} == {"Fairfolder <service@fairfolder.invalid>"}, new


SCENARIOS: dict[str, Callable[[Path], None]] = {
    "cache_full": cache_full,
    "git_full": git_full,
    "git_read_only": git_read_only,
}


if __name__ == "__main__":
    base = Path(sys.argv[2])
    (base / "data").mkdir()
    (base / "state").mkdir()
    SCENARIOS[sys.argv[1]](base)
