"""What the status tells somebody who works with git in the watched folder: another branch, and a rebase that waits.

FA-38: another branch, a rebase.
"""

from __future__ import annotations

import subprocess

import pytest

from tests.ingest.provenance.kept import ADMINISTRATIVE, Kept, stamped
from tests.ingest.provenance.test_busy import resolve

pytestmark = pytest.mark.timeout(120)


def notice(kept: Kept) -> str:
    return kept.recorder.state().notice


def follow(kept: Kept, command: str) -> None:
    """Do what a sentence says."""
    told = notice(kept)
    at = told.index(f"git -C {kept.root} {command}")
    words = told[at:].partition(",")[0].partition(";")[0].rstrip(".")
    env = {"HOME": str(kept.folder / "home"), "PATH": "/usr/bin:/bin", "GIT_EDITOR": "true"}
    subprocess.run(["sh", "-c", words], env=env, check=True, capture_output=True)


def test_a_branch_that_was_switched_is_told_with_both_names(kept: Kept) -> None:
    kept.adopt()
    kept.git("branch", "side")
    kept.save(1)
    assert notice(kept) == ""
    kept.git("switch", "-q", "side")
    told = notice(kept)
    assert "HEAD is on the branch side, while changes were last recorded on trunk" in told
    # And it stays told when a record was made anew there.
    kept.save(2)
    assert "HEAD is on the branch side" in notice(kept)
    follow(kept, "switch")
    assert "HEAD is on the branch trunk, while changes were last recorded on side" in notice(kept)
    follow(kept, "branch -D")
    assert notice(kept) == ""


def test_a_branch_that_holds_everything_is_told_until_something_is_recorded_on_it(kept: Kept) -> None:
    kept.save(1)
    kept.git("switch", "-q", "-c", "feature")
    assert "HEAD is on the branch feature, while changes were last recorded on main" in notice(kept)
    kept.save(2)
    assert notice(kept) == ""


def test_a_branch_that_was_renamed_is_no_other_one(kept: Kept) -> None:
    kept.save(1)
    kept.git("branch", "-m", "main", "trunk")
    assert notice(kept) == ""


@pytest.mark.parametrize("many", [1, 4])
def test_documents_in_the_way_of_a_rebase_are_told_with_what_lets_it_go_on(kept: Kept, many: int) -> None:
    kept.adopt()
    names = [ADMINISTRATIVE, "one.json", "two.json", "three.json"][:many]
    kept.save(1, names=names)
    kept.git("checkout", "-q", "-b", "side")
    kept.put("notes.txt", "side\n")
    kept.git("commit", "-q", "-am", "Side")
    kept.git("checkout", "-q", "trunk")
    kept.put("notes.txt", "trunk\n")
    kept.git("commit", "-q", "-am", "Trunk")
    kept.git("rebase", "side", check=False)
    assert notice(kept) == ""
    kept.save(2, by="ben", names=names)
    resolve(kept)
    refused = kept.git("status", "--porcelain", check=False)
    assert f" M {kept.document()}" in refused
    told = notice(kept)
    assert told.startswith("1 document was changed" if many == 1 else "4 documents were changed")
    follow(kept, "add -u")
    assert notice(kept) == ""
    kept.git("rebase", "--continue")
    kept.recorder.catch_up()
    assert kept.blob(kept.document()).decode() == stamped(2, "ben")
    assert kept.status() == []
