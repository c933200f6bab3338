"""While git cannot record, every version of every document is kept, and becomes a commit of its own when git can."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ingest.locking import lock_file
from ingest.provenance import git, holding, intents
from ingest.provenance.actions import Action
from ingest.provenance.intents import Intent, Intents
from ingest.provenance.recorder import Recorder
from tests.ingest.provenance.kept import ADMINISTRATIVE, Kept, stamped

pytestmark = pytest.mark.timeout(120)


@contextmanager
def no_git(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """No git command works at all."""

    def refuses(*_: Any, **more: Any) -> git.Answer:
        raise git.GitError("git is out of order")

    with monkeypatch.context() as broken:
        broken.setattr(git, "run", refuses)
        yield kept.another()


@contextmanager
def no_commits(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Git answers and makes no commit, as on a full disk."""
    run = git.run

    def refuses(arguments: Any, **more: Any) -> git.Answer:
        if "fast-import" in arguments:
            raise git.GitError("No space left on device")
        return run(arguments, **more)

    with monkeypatch.context() as broken:
        broken.setattr(git, "run", refuses)
        yield kept.another()


@contextmanager
def locked(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Another process of ours holds our lock."""
    with lock_file(kept.path(".git/fairfolder/lock"), 1):
        yield kept.another(lock_seconds=0.05)


WAYS = pytest.mark.parametrize("out_of_order", [no_git, no_commits, locked])


def left(kept: Kept) -> list[Path]:
    return sorted((kept.state / "provenance").glob("left-*"))


@WAYS
def test_what_git_could_not_record_is_recorded_one_by_one_by_its_authors(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, out_of_order: Any
) -> None:
    kept.save(0, subject="Save 0")
    with out_of_order(kept, monkeypatch) as recorder:
        for number, by in ((1, "alice"), (2, "bob"), (3, "carol")):
            moment = f"2026-03-0{number}T10:00:00Z"
            assert kept.save(number, by=by, subject=f"Save {number}", moment=moment, recorder=recorder) == ""
        assert recorder.state().trouble
    assert len(left(kept)) <= 4  # no text is kept twice, as what came of one save and as what the next one replaced
    assert kept.another().catch_up() == 3
    assert kept.log("%an|%s|%ad", "--date=format:%d")[:3] == ["carol|Save 3|03", "bob|Save 2|02", "alice|Save 1|01"]
    assert [kept.blob(kept.document(), f"HEAD~{n}") for n in (2, 1, 0)] == [
        stamped(n, by).encode() for n, by in ((1, "alice"), (2, "bob"), (3, "carol"))
    ]
    assert kept.another().state().trouble == ""
    assert left(kept) == []
    assert kept.status() == []
    assert kept.another().catch_up() == 0
    kept.assert_sound()


@WAYS
def test_what_stood_there_before_is_recorded_before_what_replaced_it(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, out_of_order: Any
) -> None:
    kept.save(1)
    with out_of_order(kept, monkeypatch) as recorder:
        kept.put(kept.document(), stamped("by hand"))
        kept.save(2, by="bob", recorder=recorder)
        kept.put(kept.document(), stamped("by hand again", "bob"))
        kept.save(3, by="carol", recorder=recorder)
    kept.put(kept.document(), stamped("and at last", "carol"))
    assert kept.save(4, by="dan")
    assert kept.log("%an")[::-1] == ["alice", "Changed on disk", "bob", "Changed on disk", "carol", "Changed on disk",
                                     "dan"]  # fmt: skip
    kept.assert_sound()


def test_several_documents_folders_and_removals_of_one_action(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    names = (ADMINISTRATIVE, "gone.json", "odd \udcff.json")
    kept.save(1, names=names)
    with no_git(kept, monkeypatch) as recorder:
        kept.save(2, names=names, subject="Save 2", recorder=recorder)
        action = Action("bob", "Remove one")
        path = kept.path(kept.document(name="gone.json"))
        recorder.begin([path], action)
        path.unlink()
        recorder.record([path], action)
        os.rename(kept.path("p_x/d"), kept.path("p_x/e"))
        recorder.record([], Action("carol", "Rename d to e"), [("p_x/d/.metadata", "p_x/e/.metadata")])
        kept.save(3, dataset="p_x/e", names=names[:1], subject="Save 3", recorder=recorder)
    kept.another().catch_up()
    assert kept.subjects()[:3] == ["Change the title", "Save 2", "Remove one"]
    assert "Rename d to e" in kept.subjects()
    assert kept.subjects()[-1] == "Save 3"
    assert kept.blob(kept.document("p_x/e")) == stamped(3).encode()
    assert kept.git("ls-files", "p_x/d") == ""
    assert kept.status() == []
    assert left(kept) == []


def test_a_text_that_is_no_utf_8_comes_back_as_it_was(kept: Kept) -> None:
    store = Intents(kept.state / "provenance" / "intents.json")
    texts = {"a.json": b'{"x": "\xff\xfe\xed\xa0\x80 \xf0\x9f\xa6\xa0"}\r\n\0', "odd \udcff.json": b""}
    assert store.leave(Intent(Action("bob", "Odd"), ("a.json", "b.json")), texts)
    ((file, intent),) = store.all()
    assert (intent.paths, intent.kept) == (("a.json", "b.json"), frozenset(texts))
    assert store.texts(file) == texts
    assert file is not None
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_left_is_recorded_in_the_order_it_was_left_whatever_the_clock_says(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, clock = Intents(kept.state / "provenance" / "intents.json"), iter([500, 100, 300])
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    for number in range(3):
        store.leave(Intent(Action("bob", f"Save {number}"), ()), {"a.json": b"%d" % number})
    assert [store.texts(file)["a.json"] for file, _ in store.all()] == [b"0", b"1", b"2"]


def test_others_are_recorded_while_one_document_waits(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git refuses one document only: a newer version of it is not recorded before the older one, and others are."""
    kept.save(0)
    again = holding.Hold.record

    def refuses(hold: holding.Hold, names: Any, *more: Any, **named: Any) -> str:
        if kept.document() in names:
            raise git.GitError("git does not like it")
        return again(hold, names, *more, **named)

    with monkeypatch.context() as broken:
        broken.setattr(holding.Hold, "record", refuses)
        recorder = kept.another()
        assert kept.save(1, subject="Save 1", recorder=recorder) == ""
        assert kept.save(2, subject="Elsewhere", dataset="p_x/other", recorder=recorder)
        assert "does not like" in recorder.state().trouble  # that the other one went well does not end it
        assert recorder.catch_up() == 0
        assert kept.save(3, subject="Save 3", recorder=recorder) == ""
    assert kept.subjects() == ["Change the title", "Elsewhere"]
    assert kept.save(4, subject="Save 4")
    assert kept.subjects() == ["Change the title", "Elsewhere", "Save 1", "Save 3", "Save 4"]
    assert kept.recorder.state().trouble == ""


def test_a_folder_is_not_moved_in_the_history_before_what_waits_in_it(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.save(0, subject="Save 0")
    again = holding.Hold.record

    def refuses(hold: holding.Hold, names: Any, *more: Any, **named: Any) -> str:
        if kept.document() in names:
            raise git.GitError("git does not like it")
        return again(hold, names, *more, **named)

    with monkeypatch.context() as broken:
        broken.setattr(holding.Hold, "record", refuses)
        recorder = kept.another()
        kept.save(1, subject="Save 1", recorder=recorder)
        moved = [("p_x/d/.metadata", "p_x/e/.metadata")]
        recorder.begin([], Action("carol", "Rename"), moved=moved)
        os.rename(kept.path("p_x/d"), kept.path("p_x/e"))
        assert recorder.record([], Action("carol", "Rename"), moved) == ""
    kept.another().catch_up()
    assert kept.subjects() == ["Save 0", "Save 1", "Rename"]
    assert kept.git("ls-files", "p_x").split() == [kept.document("p_x/e")]
    assert kept.status() == []


def test_a_version_that_comes_back_after_git_worked_again_is_one_more(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.save(0)
    recorder = kept.another()
    with no_git(kept, monkeypatch):
        kept.save(1, recorder=recorder)
    assert kept.save(2, recorder=recorder)
    kept.put(kept.document(), stamped(1))
    with no_git(kept, monkeypatch):
        kept.save(3, recorder=recorder)
    kept.another().catch_up()
    assert [kept.blob(kept.document(), f"HEAD~{n}") for n in range(5)] == [stamped(n).encode() for n in (3, 1, 2, 1, 0)]


def test_there_is_room_for_so_many_texts_and_then_it_is_told(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.save(0, subject="Save 0")
    monkeypatch.setattr(intents, "_MOST_BYTES", 1_000)
    with no_commits(kept, monkeypatch) as recorder:
        for number in range(1, 8):
            kept.save(number, subject=f"Save {number}", recorder=recorder)
        assert "only the last version will be recorded" in recorder.state().trouble
        assert sum(file.stat().st_size for file in left(kept)) < 5_000
    kept.another().catch_up()
    subjects = kept.subjects()
    assert subjects[:3] == ["Save 0", "Save 1", "Save 2"]
    assert subjects[-1] == "Save 7"
    assert 4 <= len(subjects) < 8
    assert kept.blob(kept.document()) == stamped(7).encode()
    assert left(kept) == []


def test_a_state_folder_that_takes_nothing_refuses_no_save_and_is_told(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.save(0, subject="Save 0")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with no_commits(kept, monkeypatch) as recorder, monkeypatch.context() as disk:
        disk.setattr(intents, "_make_durable", full)
        assert kept.save(1, recorder=recorder) == ""
        assert "the state folder takes nothing (No space left on device)" in recorder.state().trouble
    assert kept.path(kept.document()).read_text() == stamped(1)
    assert kept.another().catch_up() == 1
    assert kept.blob(kept.document()) == stamped(1).encode()


def test_a_crash_while_an_action_is_left_records_it_once(kept: Kept) -> None:
    kept.save(0, subject="Save 0")
    path = kept.put(kept.document(), stamped(1, "bob"))
    action = Action("bob", "Save 1", project="p_x", dataset="p_x/d")
    store = Intents(kept.state / "provenance" / "intents.json")
    store.write([Intent(action, (kept.document(),))])  # as it began
    store.leave(Intent(action, (kept.document(),)), {kept.document(): path.read_bytes()})
    assert kept.another().catch_up() == 1
    assert kept.subjects() == ["Save 0", "Save 1"]
    assert store.all() == []


def test_texts_that_a_disk_spoilt_hold_up_nothing(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept.save(0, subject="Save 0")
    with no_git(kept, monkeypatch) as recorder:
        kept.save(1, subject="Save 1", recorder=recorder)
        kept.save(2, by="bob", subject="Save 2", recorder=recorder)
    first = left(kept)[0]
    first.write_bytes(first.read_bytes()[:-9])
    kept.another().catch_up()
    assert kept.subjects()[-1] in ("Save 1", "Save 2")
    assert kept.blob(kept.document()) == stamped(2, "bob").encode()
    assert left(kept) == []
    assert "spoilt" in caplog.text
