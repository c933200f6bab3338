"""A repository whose objects are named by SHA-256 (``git init --object-format=sha256``) is one like any other."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ingest.provenance import trails
from ingest.provenance.repository import open_repository
from tests.ingest.provenance.kept import ADMINISTRATIVE, Kept, stamped

pytestmark = pytest.mark.timeout(120)

_MANY = 25  # more paths than are asked for one by one


@pytest.fixture
def long_names(kept: Kept) -> Kept:
    """A root that somebody made such a repository at."""
    kept.git("init", "-q", "-b", "trunk", "--object-format=sha256")
    kept.put("notes.txt", "notes\n")
    kept.git("add", "notes.txt")
    kept.git("commit", "-q", "-m", "Notes")
    return kept


def test_actions_are_recorded_and_told(long_names: Kept) -> None:
    commits = [long_names.save(number, subject=f"Save {number}") for number in range(3)]
    assert [len(commit) for commit in commits] == [64, 64, 64]
    assert long_names.log("%H")[:3] == commits[::-1]
    assert long_names.blob(long_names.document(), "HEAD~1") == stamped(1).encode()
    repository = open_repository(long_names.root)
    assert repository is not None
    assert [each.commit for each in trails.versions(repository, long_names.document(), limit=9)] == commits[::-1]
    assert long_names.recorder.prove().problems == ()
    assert long_names.status() == []
    long_names.assert_sound()


def test_many_documents_and_what_changed_on_disk(long_names: Kept) -> None:
    names = [ADMINISTRATIVE, *(f"runs/r{number}/experiment_contextual.json" for number in range(_MANY))]
    long_names.save(1, names=names)
    long_names.put(long_names.document(), stamped(2, "bob"))
    assert long_names.recorder.catch_up() == 1
    assert long_names.changed() == [f"M {long_names.document()}"]
    assert long_names.recorder.catch_up() == 0
    long_names.assert_sound()


def test_what_waits_while_head_is_detached_is_made_again_one_by_one(long_names: Kept) -> None:
    long_names.git("checkout", "-q", "--detach")
    for number in range(3):
        long_names.save(number, subject=f"Save {number}")
    assert long_names.subjects("trunk") == ["Notes"]
    long_names.git("checkout", "-q", "trunk")
    long_names.recorder.catch_up()
    assert long_names.subjects() == ["Notes", "Save 0", "Save 1", "Save 2"]
    assert long_names.recorder.state().trouble == ""
    long_names.assert_sound()


def test_it_is_pushed_to_another_one(long_names: Kept, tmp_path: Path) -> None:
    copy = tmp_path / "copy.git"
    subprocess.run(["git", "init", "-q", "--bare", "--object-format=sha256", copy], check=True)
    long_names.git("remote", "add", "copy", str(copy))
    recorder = long_names.another(remote="copy")
    commit = long_names.save(1, recorder=recorder)
    assert recorder.push()
    assert long_names.git("rev-parse", "trunk", cwd=copy).strip() == commit
