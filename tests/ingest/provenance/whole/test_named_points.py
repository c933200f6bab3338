"""FA-32: killed at named points between a document and its commit; the next pass completes it, once, by who it was."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.faults.history_oracle import dvc_disagrees
from tests.faults.oracle import violations
from tests.faults.processes import run_reconcile
from tests.ingest.provenance.historic import Historic
from tests.ingest.provenance.whole.chain import command, saved, started

pytestmark = pytest.mark.timeout(600)
D = "p_Barley/leaves"
SURE = f"{D}/.metadata/dataset_administrative.json"

# Stands for git: kills whoever runs the n-th command with a certain word, before or after it did its work.
_SHIM = """#!/bin/sh
for word; do
    if [ "$word" = "$KILL_AT" ]; then
        echo >> "$KILL_COUNT"
        if [ "$(wc -l < "$KILL_COUNT")" -eq "$KILL_NTH" ]; then
            if [ "$KILL_WHEN" = after ]; then "{git}" "$@"; fi
            kill -9 "$PPID"
            exit 1
        fi
    fi
done
exec "{git}" "$@"
"""

# What a crash meets there → the command, and whether it had done its work.
POINTS = {
    "before anything is written": ("cat-file", "before", 1),
    "after the documents, before the commit": ("fast-import", "before", 1),
    "after the commit is built, before it is anyone's": ("fast-import", "after", 1),
    "before the index": ("update-index", "before", 1),
    "after the index is made": ("update-index", "after", 1),
    "before the branch moves": ("update-ref", "before", 1),
    "after the branch moved, before the index is in place": ("update-ref", "after", 1),
}


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    folder = tmp_path / "shim"
    folder.mkdir()
    program = folder / "git"
    program.write_text(_SHIM.replace("{git}", str(shutil.which("git"))))
    program.chmod(0o755)
    return folder


def killed(historic: Historic, shim: Path, point: str, saves: range, *, passing: bool) -> None:
    verb, when, nth = POINTS[point]
    env = {"PATH": f"{shim}:{os.environ['PATH']}", "KILL_AT": verb, "KILL_WHEN": when, "KILL_NTH": str(nth),
           "KILL_COUNT": str(shim / f"{verb}-{when}-{saves.start}-{passing}")}  # fmt: skip
    process = started(historic, command(historic, D, saves, passing=passing), env)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, point


def completed(historic: Historic, when: object) -> None:
    """A restart and one pass."""
    run = run_reconcile(historic)
    assert run.returncode == 0, (when, run.stdout + run.stderr)
    assert violations(historic.root, historic.state) == [], when
    assert historic.problems() == {}, when


def test_a_save_killed_at_each_point_is_one_commit_or_none(historic: Historic, shim: Path) -> None:
    historic.put(f"{D}/a.txt", "a\n")
    historic.reconcile()
    before = len(historic.commits())
    for number, point in enumerate(POINTS):
        killed(historic, shim, point, range(number, number + 1), passing=False)
        completed(historic, point)
        written = historic.administrative(D).get("title") == f"Save {number}"
        assert written == (point != "before anything is written"), point
        new = historic.commits()[before:]
        before += len(new)
        if written:
            assert [(c.author, c.trailers["Trigger"]) for c in new] == [
                (f"user{number} <user{number}@users.fairfolder.invalid>", "form")
            ], point
        else:
            assert new == [], point
    assert set(saved(historic, SURE)) == set(range(1, len(POINTS)))


def test_a_pass_killed_at_each_point_is_completed_by_the_next(historic: Historic, shim: Path) -> None:
    historic.put(f"{D}/a.txt", "a\n")
    historic.reconcile()
    before = len(historic.commits())
    for number, point in enumerate(POINTS):
        historic.put(f"{D}/n{number}.txt", f"{number}\n")
        killed(historic, shim, point, range(number, number), passing=True)
        completed(historic, point)
        new = historic.commits()[before:]
        before += len(new)
        holding = [c for c in new if f"{D}/n{number}.txt.dvc" in c.paths]
        assert len(holding) == 1, (point, [(c.subject, c.paths) for c in new])
        described = [c for c in new if f"{D}/.metadata/dataset_structural.json" in c.paths]
        assert [c.subject for c in described] == ["Describe 1 new file in leaves"], point
        assert {c.author for c in new} == {"Fairfolder <service@fairfolder.invalid>"}, point
    assert dvc_disagrees(historic.root) == ""


@pytest.mark.parametrize("point", ["after the documents, before the commit", "before the branch moves"])
def test_a_renamed_folder_killed_on_the_way_keeps_its_versions(historic: Historic, shim: Path, point: str) -> None:
    historic.put(f"{D}/a.txt", "a\n")
    historic.put("p_Barley/roots/b.txt", "b\n")
    historic.reconcile()
    historic.move("p_Barley/roots", "p_Barley/stems")
    killed(historic, shim, point, range(0), passing=True)
    completed(historic, point)
    assert "p_Barley/stems/b.txt.dvc" in historic.git("ls-files", "-z").split("\0")
    assert "p_Barley/roots/b.txt.dvc" not in historic.git("ls-files", "-z").split("\0")
    assert dvc_disagrees(historic.root) == ""


def test_locks_that_a_crash_of_git_and_dvc_left_hold_up_nothing(historic: Historic) -> None:
    historic.put(f"{D}/a.txt", "a\n")
    historic.reconcile()
    assert dvc_disagrees(historic.root) == ""
    (historic.root / ".git/index.lock").write_bytes(b"")
    (historic.root / ".dvc/tmp/lock").write_text("99999999\n")
    holder = {"pid": 99_999_999, "cmd": "dvc add"}
    (historic.root / ".dvc/tmp/rwlock").write_text(json.dumps({"write": {str(historic.root / D / "a.txt"): holder}}))
    os.utime(historic.root / ".git/index.lock", (1, 1))
    historic.put(f"{D}/b.txt", "b\n")
    process = started(historic, command(historic, D, range(1)))
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (0, b"0\npassed 0 0\n"), err
    assert f"{D}/b.txt.dvc" in historic.git("ls-files", "-z").split("\0")
    assert "was left by a git command" in historic.status().history["lock"]
    historic.reconcile()
    assert violations(historic.root, historic.state) == []
    assert dvc_disagrees(historic.root) == ""
    assert saved(historic, SURE) == {0: "user0"}
