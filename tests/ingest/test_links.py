"""Links are recorded and never followed: not to a file, and not on the way to one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.ingest.watched import Watched

A, B = "p_A/a", "p_A/b"


@pytest.fixture
def nested(watched: Watched) -> Watched:
    watched.put(f"{A}/sub/f.txt", "one")
    watched.put(f"{A}/kept.txt", "kept")
    watched.put(f"{B}/x.txt", "x")
    watched.reconcile()
    return watched


@pytest.mark.parametrize("target", ["p_A/b", "p_A/0"])
def test_a_folder_moved_to_another_dataset_with_a_link_left_in_its_place_keeps_its_identities(
    nested: Watched, target: str
) -> None:
    nested.folder(target)
    nested.reconcile()
    before = nested.identifiers(A)
    nested.move(f"{A}/sub", f"{target}/sub")
    (nested.root / A / "sub").symlink_to(f"../../{target}/sub")
    nested.reconcile()
    nested.reconcile()
    assert nested.identifiers(target)["sub/f.txt"] == before["sub/f.txt"]
    assert nested.states(A) == {"kept.txt": "present"}
    assert nested.explain(f"{A}/sub").condition == "link"
    assert nested.check() == []


def test_a_folder_moved_within_its_dataset_with_a_link_left_in_its_place_keeps_its_identities(nested: Watched) -> None:
    before = nested.identifiers(A)
    nested.move(f"{A}/sub", f"{A}/moved")
    (nested.root / A / "sub").symlink_to("moved")
    nested.reconcile()
    assert nested.identifiers(A) == {"kept.txt": before["kept.txt"], "moved/f.txt": before["sub/f.txt"]}
    assert nested.check() == []


@pytest.mark.parametrize("state_lost", [False, True])
def test_files_behind_a_folder_that_is_a_link_by_now_are_missing(
    nested: Watched, tmp_path: Path, state_lost: bool
) -> None:
    if state_lost:
        nested.lose_state()
    nested.move(f"{A}/sub", "../out")
    (nested.root / A / "sub").symlink_to(tmp_path / "out")
    nested.reconcile()
    nested.reconcile()
    assert nested.states(A) == {"kept.txt": "present", "sub/f.txt": "missing"}
    assert nested.explain(f"{A}/sub/f.txt").condition == "missing"
    assert nested.check() == []


@pytest.mark.parametrize("state_lost", [False, True])
def test_a_file_that_is_a_link_by_now_is_missing(nested: Watched, state_lost: bool) -> None:
    if state_lost:
        nested.lose_state()
    nested.remove(f"{A}/kept.txt")
    (nested.root / A / "kept.txt").symlink_to("sub/f.txt")
    nested.reconcile()
    nested.reconcile()
    assert nested.states(A) == {"kept.txt": "missing", "sub/f.txt": "present"}
    assert nested.explain(f"{A}/kept.txt").condition == "link"


@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("scope", [None, "p_A"])
def test_a_project_that_is_a_link_by_now_is_missing_with_all_in_it(
    nested: Watched, tmp_path: Path, copied: bool, scope: str | None
) -> None:
    """Moved or copied out of the watched folder, with a link in its place: nothing behind it is read or written."""
    identifiers = {e["path"]: i for i, e in nested.registry().items()}
    nested.put("p_B/c/y.txt", "y")
    nested.reconcile()
    if copied:
        shutil.copytree(nested.root / "p_A", tmp_path / "p_A")
        nested.remove("p_A")
    else:
        nested.move("p_A", "../p_A")
    (nested.root / "p_A").symlink_to(tmp_path / "p_A")
    behind = tmp_path / "p_A" / "a" / "new.txt"
    behind.write_text("behind the link")
    os.utime(behind, ns=(0, 0))
    before = {p: p.read_bytes() for p in (tmp_path / "p_A").rglob("*.json")}
    for _ in range(2):
        report = nested.reconcile(scope)
        assert (report.bytes_read, report.findings) == (0, [])
    assert {p: p.read_bytes() for p in (tmp_path / "p_A").rglob("*.json")} == before
    states = {path: nested.registry()[identifier]["state"] for path, identifier in identifiers.items()}
    assert states == {"p_A": "missing", A: "missing", B: "missing"}
    assert nested.states("p_B/c") == {"y.txt": "present"}
    assert nested.problems() == {}
