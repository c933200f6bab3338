"""What `verify --history` says of branches that come and go, of keys that change, and where nothing is remembered."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from ingest.locking import lock_file
from ingest.provenance import notes as keeping
from ingest.provenance.git import GitError
from ingest.provenance.notes import Notes
from tests.ingest.provenance.kept import Kept

pytestmark = pytest.mark.timeout(120)


def problems(kept: Kept, key: Path | None = None) -> tuple[str, ...]:
    return kept.another(signing_key=key).prove().problems


def site_key(folder: Path, name: str) -> Path:
    file = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file], check=True)
    return file


# --- branches that come and go ------------------------------------------------------------------------------


def merged_and_deleted(kept: Kept) -> None:
    kept.git("switch", "-q", "-c", "side")
    kept.save(2)
    kept.git("switch", "-q", "main")
    kept.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    kept.git("branch", "-d", "side")


def renamed(kept: Kept) -> None:
    kept.git("branch", "-m", "main", "trunk")


def renamed_and_gone_on(kept: Kept) -> None:
    kept.git("branch", "-m", "main", "trunk")
    kept.save(2)
    kept.git("switch", "-q", "--detach")


@pytest.mark.parametrize("act", [merged_and_deleted, renamed, renamed_and_gone_on])
def test_a_branch_whose_commits_are_in_another_one_was_not_rewritten(kept: Kept, act: Callable[[Kept], None]) -> None:
    kept.save(1)
    act(kept)
    assert problems(kept) == ()


def test_a_branch_that_was_deleted_with_its_commits_is_told_until_it_is_accepted(kept: Kept) -> None:
    kept.save(1)
    kept.git("switch", "-q", "-c", "side")
    commit = kept.save(2)
    kept.git("switch", "-q", "main")
    kept.git("branch", "-q", "-D", "side")
    (problem,) = problems(kept)
    assert problem.startswith("side was deleted")
    assert commit in problem
    kept.recorder.accept_rewriting()
    assert problems(kept) == ()
    kept.save(3)
    assert problems(kept) == ()


def test_a_renamed_branch_that_is_rewritten_afterwards_is_told(kept: Kept) -> None:
    kept.save(1)
    kept.git("branch", "-m", "main", "trunk")
    kept.git("commit", "-q", "--amend", "-m", "Forged")
    (problem,) = problems(kept)
    assert problem.startswith("main was deleted")


def test_an_amended_commit_with_no_save_after_it_is_accepted_and_the_next_one_is_told(kept: Kept) -> None:
    kept.save(1)
    kept.git("commit", "-q", "--amend", "-m", "Meant to be")
    assert len(problems(kept)) == 1
    kept.recorder.accept_rewriting()
    assert problems(kept) == ()
    kept.save(2)
    assert problems(kept) == ()
    kept.git("commit", "-q", "--amend", "-m", "Forged")
    assert len(problems(kept)) == 1


def test_a_repository_that_was_taken_away_on_purpose_is_accepted(kept: Kept) -> None:
    kept.save(1)
    kept.path(".git").rename(kept.folder / "away")
    assert len(problems(kept)) == 1
    kept.recorder.accept_rewriting()
    with pytest.raises(GitError, match="no history yet"):
        problems(kept)
    kept.save(2)
    assert problems(kept) == ()


# --- signatures that began, or whose key changed ------------------------------------------------------------


def test_signing_switched_on_later_asks_for_no_signature_before_it(kept: Kept, tmp_path: Path) -> None:
    first, second = site_key(tmp_path, "first"), site_key(tmp_path, "second")
    kept.save(1)
    kept.git("branch", "old")
    kept.save(2)
    proof = kept.another(signing_key=first).prove()
    assert (proof.problems, proof.signed) == ((), 0)
    kept.save(3, recorder=kept.another(signing_key=first))
    proof = kept.another(signing_key=first).prove()
    assert (proof.problems, proof.signed) == ((), 1)
    kept.git("switch", "-q", "old")  # its commit of ours is of before the first signature too
    assert problems(kept, first) == ()
    kept.git("switch", "-q", "main")
    kept.save(4, recorder=kept.another(signing_key=second))
    kept.save(5, recorder=kept.another(signing_key=second))
    proof = kept.another(signing_key=second).prove()
    assert (proof.problems, proof.signed) == ((), 2)
    forged = kept.save(6)
    (problem,) = problems(kept, second)
    assert forged in problem
    kept.recorder.accept_rewriting()
    assert problems(kept, second) == ()


def test_without_a_memory_signatures_count_from_the_first_good_one(kept: Kept, tmp_path: Path) -> None:
    key = site_key(tmp_path, "key")
    kept.save(1)
    kept.save(2, recorder=kept.another(signing_key=key))
    Notes(kept.state / "provenance" / "notes.json").write(**{"signed with": "", "signed after": ""})
    proof = kept.another(signing_key=key).prove()
    assert (proof.problems, proof.signed) == ((), 1)
    forged = kept.save(3)
    (problem,) = problems(kept, key)
    assert forged in problem


def test_of_very_many_unsigned_commits_the_first_are_named(kept: Kept, tmp_path: Path) -> None:
    key = site_key(tmp_path, "key")
    kept.save(0, recorder=kept.another(signing_key=key))
    for number in range(13):
        kept.save(number + 1)
    told = problems(kept, key)
    assert len(told) == 11
    assert told[-1] == "3 more commits are not signed with key.pub."


# --- a memory that was lost ---------------------------------------------------------------------------------


def test_with_the_memory_lost_nothing_is_called_proven(kept: Kept) -> None:
    commit = kept.save(1)
    began = kept.another().prove().began
    assert began.endswith("Z")
    (kept.state / "provenance" / "notes.json").unlink()
    proof = kept.another().prove()
    (problem,) = proof.problems
    assert "remembers no commit" in problem
    assert "--since" in problem
    assert "--accept" in problem
    assert proof.began == ""
    kept.recorder.accept_rewriting()
    proof = kept.another().prove()
    assert (proof.problems, proof.head) == ((), commit)
    assert proof.began >= began


def test_a_commit_written_down_elsewhere_stands_in_for_the_memory(kept: Kept) -> None:
    commit = kept.save(1)
    (kept.state / "provenance" / "notes.json").unlink()
    assert kept.another().prove(since=commit).problems == ()
    kept.git("commit", "-q", "--amend", "-m", "Forged")
    (problem,) = kept.another().prove(since=commit).problems
    assert f"{commit} is no longer part of it" in problem


# --- how it is kept -----------------------------------------------------------------------------------------


def test_threads_that_note_at_once_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_WAIT_SECONDS", 600.0)
    file = tmp_path / "notes.json"

    def note(number: int) -> None:
        for each in range(20):
            Notes(file).write(**{f"{number} {each}": "x"})

    threads = [threading.Thread(target=note, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Notes(file).read()) == 80
    assert sorted(each.name for each in tmp_path.iterdir()) == ["notes.json", "notes.json.lock"]


def test_a_note_waits_for_another_process_that_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "notes.json"
    Notes(file).write(one="1")
    done = threading.Event()
    monkeypatch.setattr(keeping, "_WAIT_SECONDS", 600.0)
    with lock_file(file.with_name("notes.json.lock"), 1):
        thread = threading.Thread(target=lambda: (Notes(file).write(two="2"), done.set()))
        thread.start()
        file.write_bytes(orjson.dumps({"one": "1", "three": "3"}))  # what the other one has to say
        assert not done.is_set()
    thread.join()
    assert Notes(file).read() == {"one": "1", "two": "2", "three": "3"}


def test_a_note_that_cannot_be_kept_is_logged_and_fails_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_text("no folder")
    Notes(tmp_path / "state" / "notes.json").write(one="1")
    assert str(tmp_path / "state") in caplog.text


def test_notes_that_cannot_be_read_are_not_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "notes.json"
    file.mkdir()  # reading fails, and for another reason than that there is none
    Notes(file).write(one="1")
    assert file.is_dir()
    assert str(file) in caplog.text
