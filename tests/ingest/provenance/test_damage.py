"""A history that cannot be kept stops no action: it is told in words, and made up for when that is over.

FA-38: a corrupt object.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.provenance import comparing, recorder
from ingest.provenance.actions import Action
from ingest.provenance.intents import Intent, Intents
from tests.ingest.provenance.kept import Kept, stamped

pytestmark = pytest.mark.timeout(120)


def test_without_a_git_program_documents_are_written_all_the_same(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", str(kept.folder / "home"))
    assert kept.save(1) == ""
    assert kept.path(kept.document()).exists()
    assert kept.recorder.catch_up() == 0
    assert "install git" in kept.recorder.state().trouble
    monkeypatch.setenv("PATH", path)
    assert kept.recorder.catch_up() == 1
    assert kept.recorder.state().trouble == ""
    assert kept.log("%an") == ["alice"]


@pytest.mark.parametrize("what", ["tree", "commit"])
def test_a_damaged_history_is_told_and_nothing_is_made_worse(kept: Kept, what: str) -> None:
    kept.save(1)
    kept.save(2)
    name = kept.git("rev-parse", {"tree": "HEAD:p_x", "commit": "HEAD"}[what]).strip()
    file = kept.path(f".git/objects/{name[:2]}/{name[2:]}")
    whole = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(b"rubbish")
    before = kept.path(".git/refs/heads/main").read_bytes()
    assert kept.save(3) == ""
    assert kept.save(4, by="bob") == ""
    assert kept.recorder.catch_up() == 0
    state = kept.another().state()
    assert "damaged" in state.trouble
    assert f"git -C {kept.root} fsck" in state.trouble
    assert kept.path(".git/refs/heads/main").read_bytes() == before
    file.write_bytes(whole)
    kept.recorder.catch_up()
    assert kept.recorder.state().trouble == ""
    assert kept.blob(kept.document()) == stamped(4, "bob").encode()
    assert kept.status() == []
    kept.assert_sound()


@pytest.mark.parametrize("how", ["missing", "rubbish"])
def test_a_recorded_text_that_is_lost_stops_no_save(kept: Kept, how: str) -> None:
    kept.save(1)
    name = kept.git("rev-parse", f"HEAD:{kept.document()}").strip()
    file = kept.path(f".git/objects/{name[:2]}/{name[2:]}")
    file.chmod(0o644)
    if how == "missing":
        file.unlink()
    else:
        file.write_bytes(b"rubbish")
    kept.put(kept.document(), stamped(2, "bob"))  # what begin() finds is compared with what is lost
    commit = kept.save(3)
    assert kept.path(kept.document()).read_bytes() == stamped(3).encode()
    assert kept.another(lock_seconds=0.1).catch_up() == 0  # nobody is left holding our lock
    if how == "missing":
        assert kept.log("%an") == ["alice", "bob", "alice"]
    else:
        assert commit or "damaged" in kept.recorder.state().trouble
    assert kept.save(4, dataset="p_x/other")


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("not hexadecimal"), IndexError()])
def test_words_of_git_that_are_not_understood_stop_no_save(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    kept.save(1)

    def strange(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(comparing, "differences", strange)
        assert kept.save(2) == ""
        assert kept.recorder.catch_up() == 0
        assert "was not understood" in kept.another().state().trouble
        assert "Traceback" in caplog.text
        patch.setattr(recorder, "look", strange)
        assert kept.save(3) == ""
        assert "was not understood" in kept.another().state().trouble
    assert kept.another(lock_seconds=0.1).catch_up() == 2
    assert kept.blob(kept.document()) == stamped(3).encode()
    assert kept.another().state().trouble == ""


def test_a_path_elsewhere_stops_no_save(kept: Kept) -> None:
    elsewhere = kept.folder / "elsewhere.json"
    kept.recorder.begin([elsewhere], Action("alice", "Elsewhere"))
    assert kept.recorder.record([elsewhere], Action("alice", "Elsewhere")) == ""


def test_a_git_folder_that_is_none_is_told(kept: Kept) -> None:
    kept.put(".git/HEAD", "rubbish")
    assert kept.save(1) == ""
    assert str(kept.path(".git")) in kept.recorder.state().trouble


def test_a_repository_that_may_not_be_written_is_told(kept: Kept) -> None:
    kept.save(1)
    shutil.rmtree(kept.path(".git/fairfolder"))
    kept.put(".git/fairfolder", "in the way")
    assert kept.save(2) == ""
    assert kept.recorder.state().trouble
    kept.path(".git/fairfolder").unlink()
    assert kept.recorder.catch_up() == 1


def test_an_action_that_was_never_ended_is_ended_by_the_next(kept: Kept) -> None:
    kept.recorder.begin([kept.path(kept.document())], Action("alice", "Never ended"))
    kept.put(kept.document(), stamped(1))
    kept.save(2, subject="After it")
    assert kept.subjects() == ["Record changes made on disk", "After it"]
    assert kept.log("%an") == ["alice", "alice"]


def test_a_crash_between_writing_and_recording_keeps_who_and_why(kept: Kept) -> None:
    action = Action(
        "alice", "Change the title", "form", "p_x", "p_x/d", reason="a reason", moment="2026-03-01T10:00:00Z"
    )
    kept.save(0)
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom ingest.provenance.actions import Action\n"
        "from tests.ingest.provenance.kept import Kept\nkept = Kept(Path(sys.argv[1]))\n"
        f"kept.recorder.begin([kept.path(kept.document())], {action!r})\n"
        "kept.put(kept.document(), '{}')\nos.kill(os.getpid(), 9)\n"
    )
    checkout = Path(__file__).resolve().parents[3]
    subprocess.run([sys.executable, "-c", code, kept.folder], cwd=checkout)
    assert kept.recorder.catch_up() == 1
    assert kept.log("%an|%s|%aI|%(trailers:key=Reason,valueonly,separator=)")[0] == (
        "alice|Change the title|2026-03-01T10:00:00+00:00|a reason"
    )
    assert len(kept.log("%H")) == 2
    assert kept.status() == []


def test_a_crash_before_the_index_learned_of_a_commit_is_made_up_for(kept: Kept) -> None:
    kept.save(0)
    index = kept.path(".git/index").read_bytes()
    kept.save(1)
    kept.path(".git/index").write_bytes(index)
    assert kept.status() == [f"MM {kept.document()}"]
    intents = Intents(kept.state / "provenance" / "intents.json")
    intents.write([Intent(Action("alice", "Change the title"), (kept.document(),))])
    kept.save(2, dataset="p_x/other")
    assert kept.status() == []
    assert len(kept.log("%H")) == 3
    kept.path(".git/index").write_bytes(index)
    kept.recorder.catch_up()
    assert kept.status() == []


def test_an_intent_that_a_crash_cut_short_counts_for_nothing(kept: Kept) -> None:
    kept.save(0)
    (kept.state / "provenance" / "intents.json").write_text('[{"action": {"by": "al')
    assert kept.save(1)
    assert len(kept.log("%H")) == 2


def test_a_recorded_text_that_is_lost_among_many_stops_nothing(kept: Kept) -> None:
    paths = [kept.put(kept.document(name=f"{n}.json"), stamped(n)) for n in range(22)]
    kept.recorder.catch_up()
    name = kept.git("rev-parse", f"HEAD:{kept.document(name='0.json')}").strip()
    kept.path(f".git/objects/{name[:2]}/{name[2:]}").unlink()
    for path in paths:
        path.write_text(stamped("new", "bob"))
    assert kept.recorder.catch_up() == 1
    assert kept.recorder.state().trouble == ""
