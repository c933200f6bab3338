"""One action, one commit: of these paths only, said by whom and why, and git itself agrees."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import pytest

from ingest.provenance import git, ours
from ingest.provenance.actions import Action
from tests.ingest.provenance.kept import ADMINISTRATIVE, Kept, stamped

pytestmark = pytest.mark.timeout(120)

_COMMANDS = {"cat-file", "ls-tree", "diff-index", "rev-parse", "rev-list", "update-ref", "fast-import"}


def test_one_commit_per_action_with_its_author_and_its_trailers(kept: Kept) -> None:
    commit = kept.save(1, subject="Describe 128 new files in d", trigger="2", run="run 1", reason="asked by mail",
                       moment="2026-03-01T10:00:00Z")  # fmt: skip
    assert kept.log("%H") == [commit]
    assert kept.changed() == [f"A {kept.document()}"]
    assert kept.blob(kept.document()) == kept.path(kept.document()).read_bytes()
    assert kept.log("%an <%ae>|%aI|%cn <%ce>|%cI") == [
        "alice <alice@users.fairfolder.invalid>|2026-03-01T10:00:00+00:00"
        "|Fairfolder <service@fairfolder.invalid>|2026-03-01T10:00:00+00:00"
    ]
    assert kept.log("%s|%(trailers:only,unfold)")[0].splitlines() == [
        "Describe 128 new files in d|Trigger: 2", "Project: p_x", "Dataset: p_x/d", "Run: run 1",
        "Reason: asked by mail",
    ]  # fmt: skip
    assert kept.status() == []
    kept.assert_sound()


def test_the_log_of_a_path_tells_the_story(kept: Kept) -> None:
    for number in range(3):
        kept.save(number, subject=f"Save {number}")
        kept.save(number, subject=f"Elsewhere {number}", dataset="p_x/other")
    assert kept.subjects("--", kept.document()) == ["Save 0", "Save 1", "Save 2"]
    assert [kept.blob(kept.document(), f"HEAD~{n}") for n in (1, 3, 5)] == [stamped(n).encode() for n in (2, 1, 0)]


def test_a_document_that_is_gone_is_a_deletion(kept: Kept) -> None:
    kept.save(1)
    action = Action("bob", "Remove the dataset's record")
    path = kept.path(kept.document())
    kept.recorder.begin([path], action)
    path.unlink()
    assert kept.recorder.record([path], action)
    assert kept.changed() == [f"D {kept.document()}"]
    assert kept.status() == []


def test_a_folder_stands_for_everything_of_ours_in_it(kept: Kept) -> None:
    kept.save(1, names=(ADMINISTRATIVE, "runs/r1/experiment_contextual.json"), dataset="p_x/old")
    os.rename(kept.path("p_x/old"), kept.path("p_x/new"))
    action = Action("system:move", "Move old to new")
    folders = [kept.path("p_x/old/.metadata"), kept.path("p_x/new/.metadata")]
    kept.recorder.begin([], action)
    kept.recorder.record(folders, action)
    assert kept.changed() == [
        f"A p_x/new/.metadata/{ADMINISTRATIVE}", "A p_x/new/.metadata/runs/r1/experiment_contextual.json",
        f"D p_x/old/.metadata/{ADMINISTRATIVE}", "D p_x/old/.metadata/runs/r1/experiment_contextual.json",
    ]  # fmt: skip
    assert kept.status() == []


def test_nothing_changed_is_no_commit(kept: Kept) -> None:
    first = kept.save(1)
    assert first
    assert kept.save(1) == ""
    assert kept.log("%H") == [first]


def test_an_action_that_wrote_nothing_is_no_commit(kept: Kept) -> None:
    kept.recorder.begin([kept.path(kept.document())], Action("alice", "Nothing came of it"))
    kept.recorder.abandon()
    kept.save(1)
    assert kept.subjects() == ["Change the title"]


def test_no_version_is_replaced_before_it_is_recorded(kept: Kept) -> None:
    kept.save(1)
    kept.put(kept.document(), stamped("by hand"))
    kept.save(2, by="bob")
    assert kept.subjects() == ["Change the title", "Record changes made on disk", "Change the title"]
    assert kept.log("%an|%(trailers:key=Trigger,valueonly)")[1].strip() == "Changed on disk|filesystem"
    assert kept.blob(kept.document(), "HEAD~1") == stamped("by hand").encode()


def test_a_document_of_before_the_history_is_recorded_as_its_last_writers(kept: Kept) -> None:
    kept.put(kept.document(), stamped("before", by="carol", date="2020-01-02T03:04:05Z"))
    kept.save(2)
    assert kept.log("%an %aI")[1] == "carol 2020-01-02T03:04:05+00:00"


def test_the_service_and_people_are_told_apart(kept: Kept) -> None:
    kept.save(1, by="system:2")
    kept.save(2, by="zoë@lab <x>")
    kept.save(3, by="filesystem")
    assert kept.log("%an <%ae>")[::-1] == [
        "Fairfolder <service@fairfolder.invalid>",
        "zoë@lab x <zo%C3%AB%40lab%20%3Cx%3E@users.fairfolder.invalid>",
        "Changed on disk <filesystem@fairfolder.invalid>",
    ]


def test_only_paths_of_ours_are_ever_recorded(kept: Kept) -> None:
    data = kept.put("p_x/d/table.csv", "a,b\n")
    lock = kept.put("p_x/d/.metadata/.lock", "")
    temporary = kept.put("p_x/d/.metadata/.x.json.0123456789ab.tmp", "")
    counter = kept.put(".metadata/registry/.sequence", "1")
    action = Action("alice", "Try")
    kept.recorder.begin([data, lock, temporary, counter], action)
    assert kept.recorder.record([data, lock, temporary, counter], action) == ""
    assert kept.git("rev-parse", "-q", "--verify", "HEAD", check=False) == ""
    assert kept.status() == []


def test_research_data_and_temporaries_stay_out_of_git_status_and_documents_do_not(kept: Kept) -> None:
    kept.save(1)
    kept.put("p_x/d/big/data.bin", "x")
    kept.put("p_x/stray.txt", "x")
    kept.put("p_x/d/.metadata/.lock", "")
    kept.put("p_x/d/.metadata/runs/.y.json.0123456789ab.tmp", "")
    kept.put(".metadata/registry/.sequence", "1")
    assert kept.status() == []
    kept.put("p_x/d/.metadata/new.json", "{}")
    kept.put("elsewhere.txt", "a person's own")
    assert kept.status() == ["?? elsewhere.txt", "?? p_x/d/.metadata/new.json"]
    exclude = kept.path(".git/info/exclude").read_text()
    kept.another().catch_up()
    assert kept.path(".git/info/exclude").read_text() == exclude


def test_catching_up_records_everything_once_by_record_and_author(kept: Kept) -> None:
    kept.put("p_x/.metadata/project_descriptive.json", stamped("p", by="alice"))
    kept.put(kept.document("p_x/d"), stamped("d", by="bob"))
    kept.put(kept.document("p_x/d", "dataset_structural.json"), stamped("d", by="bob"))
    entry = {"path": "p_x/d", "last_modified_by": "bob", "last_modified_date": "2026-01-01T00:00:00Z"}
    kept.put(".metadata/registry/0000.json", json.dumps(entry))
    kept.put(".template_schemas/local.json", "{}")
    assert kept.recorder.catch_up() == 3
    assert sorted(kept.log("%an|%(trailers:key=Dataset,valueonly,separator=)")) == [
        "Changed on disk|", "alice|", "bob|p_x/d",
    ]  # fmt: skip
    assert kept.status() == []
    assert kept.another().catch_up() == 0
    kept.path(kept.document("p_x/d")).unlink()
    assert kept.recorder.catch_up() == 1
    assert kept.changed() == [f"D {kept.document('p_x/d')}"]


def test_catching_up_with_many_records_takes_few_commands(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(100):
        kept.put(kept.document(f"p_x/d{number}"), stamped(number, by=f"user{number}"))
    commands: list[str] = []
    run = git.run

    def counted(arguments: Sequence[str], **more: Any) -> git.Answer:
        commands.append(arguments[0])
        return run(arguments, **more)

    monkeypatch.setattr(git, "run", counted)
    assert kept.recorder.catch_up() == 100
    assert len(commands) < 30
    assert len(kept.log("%H")) == 100
    assert kept.status() == []
    kept.assert_sound()


def test_a_root_with_very_many_records_is_adopted_in_few_commits(kept: Kept) -> None:
    for number in range(300):
        kept.put(kept.document(f"p_{number % 2}/d{number}"), stamped(number, by="alice"))
    assert kept.recorder.catch_up() == 2
    assert sorted(kept.log("%an|%(trailers:key=Project,valueonly,separator=)")) == ["alice|p_0", "alice|p_1"]
    for number in range(300):
        kept.put(kept.document(f"p_{number}/d"), stamped(number, by="alice"))
    assert kept.recorder.catch_up() == 1
    assert len(kept.git("ls-files").splitlines()) == 600
    assert kept.status() == []


def test_an_empty_mount_point_loses_nothing(kept: Kept) -> None:
    kept.save(1)
    os.rename(kept.path("p_x"), kept.folder / "away")
    os.rename(kept.path(".metadata"), kept.folder / "away metadata")
    assert kept.recorder.catch_up() == 0
    assert kept.subjects() == ["Change the title"]


def test_switched_off_it_does_nothing(kept: Kept) -> None:
    recorder = kept.another(enabled=False)
    assert kept.save(1, recorder=recorder) == ""
    assert recorder.catch_up() == 0
    assert not kept.path(".git").exists()
    assert not recorder.state().enabled


def test_the_status_tells_where_the_history_stands(kept: Kept) -> None:
    assert not kept.recorder.state().there
    commit = kept.save(1)
    state = kept.another().state()
    assert (state.there, state.branch, state.head, state.pending, state.busy, state.trouble) == (
        True, "main", commit, 0, "", "",
    )  # fmt: skip


def test_what_was_recorded_a_moment_ago_is_not_read_again(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.save(1)
    read: list[str] = []
    text = ours.Disk.text
    monkeypatch.setattr(ours.Disk, "text", lambda disk, path: read.append(path) or text(disk, path))
    assert kept.recorder.catch_up() == 0
    assert kept.document() not in read
    assert kept.recorder.catch_up() == 0
    assert kept.document() in read  # its stamp is too fresh to be relied on for longer
    kept.save(2)
    kept.path(kept.document()).write_text(stamped(3))
    assert kept.recorder.catch_up() == 1
    assert kept.blob(kept.document()) == stamped(3).encode()


def test_looking_whether_anything_changed_starts_git_three_times(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.save(1)
    kept.recorder.catch_up()
    started: list[Sequence[str]] = []
    run = git.run

    def counted(arguments: Sequence[str], **more: Any) -> git.Answer:
        started.append(arguments)
        return run(arguments, **more)

    monkeypatch.setattr(git, "run", counted)
    assert kept.recorder.catch_up() == 0
    # Where everything stands, what the tip holds, and what the user's index has of it.
    assert [next(w for w in words if w in _COMMANDS) for words in started] == ["cat-file", "ls-tree", "diff-index"]
