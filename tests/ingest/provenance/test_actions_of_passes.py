"""Each trigger, each save, each thing found on disk: exactly one commit, of metadata alone, that tells what it was."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from ingest.complete import finalise
from ingest.documents import ADMINISTRATIVE, EXPERIMENT, PROJECT
from ingest.provenance.data.settings import Mode
from ingest.purposes import Purpose
from ingest.run_templates import templates
from ingest.runs import RunStart, start
from ingest.upkeep import Upkeep
from tests.ingest.provenance.historic import Commit, Historic
from tests.ingest.test_complete import COMPLETE

FAIRFOLDER = "Fairfolder <service@fairfolder.invalid>"
ANNA = "anna <anna@users.fairfolder.invalid>"
D = "p_Barley/leaves"
SURE = f"{D}/.metadata/{ADMINISTRATIVE}.json"


@pytest.fixture
def historic(tmp_path: Path) -> Historic:
    (tmp_path / "data").mkdir()
    (tmp_path / "state").mkdir()
    return Historic(tmp_path / "data", tmp_path / "state")


@pytest.fixture
def described(historic: Historic) -> Historic:
    historic.put(f"{D}/a.txt", "a\n")
    historic.put(f"{D}/plate/b.txt", "b\n")
    historic.reconcile()
    return historic


def added(historic: Historic, before: int) -> list[Commit]:
    historic.assert_sound()
    return historic.commits()[before:]


def the_one(historic: Historic, before: int) -> Commit:
    new = added(historic, before)
    assert len(new) == 1, [c.subject for c in new]
    return new[0]


def metadata_alone(commit: Commit) -> bool:
    return all("/.metadata/" in f"/{path}" or path.endswith((".dvc", ".gitignore")) for path in commit.paths)


# --- triggers -----------------------------------------------------------------------------------------------------


def test_a_project_a_dataset_and_files_are_one_commit_each(described: Historic) -> None:
    described.assert_sound()
    commits = described.commits()
    assert [(c.subject, c.trailers) for c in commits] == [
        ("Describe project p_Barley", {"Trigger": "0", "Project": "p_Barley"}),
        ("Describe dataset leaves", {"Trigger": "1", "Project": "p_Barley", "Dataset": D}),
        ("Describe 2 new files in leaves", {"Trigger": "2", "Project": "p_Barley", "Dataset": D}),
    ]
    assert all(metadata_alone(c) and c.author == FAIRFOLDER for c in commits)
    assert f"{D}/.metadata/dataset_structural.json" in commits[2].paths


def test_a_pass_that_finds_nothing_new_makes_no_commit(described: Historic) -> None:
    described.reconcile()
    assert added(described, 3) == []


def test_changed_and_missing_files_are_told_with_their_number(described: Historic) -> None:
    described.put(f"{D}/a.txt", "changed\n")
    described.remove(f"{D}/plate/b.txt")
    described.reconcile()
    subjects = [c.subject for c in added(described, 3)]
    assert subjects == ["Describe 1 changed file again in leaves", "Mark 1 file as missing in leaves"]


def test_beginning_and_completing_a_run_are_one_commit_each_by_who_did_it(described: Historic) -> None:
    dataset = described.administrative(D)["dataset_identifier"]
    with described.workspace() as ws:
        started = start(ws.store, ws.root, D, dataset, RunStart("Heat shock", templates(ws.root)[0]), "anna")
    begun = the_one(described, 3)
    assert (begun.subject, begun.author) == ("Begin run Heat-shock", ANNA)
    assert begun.trailers == {"Trigger": "3", "Project": "p_Barley", "Dataset": D, "Run": "Heat-shock"}
    with described.workspace() as ws:
        filled = {**COMPLETE, "experiment_name": "Heat shock"}
        ws.store.change(started.path, EXPERIMENT, lambda old: {**(old or {}), **filled}, by="anna")
    saved = the_one(described, 4)
    assert (saved.subject, saved.trailers["Trigger"], saved.trailers["Run"]) == (
        "Describe run Heat-shock",
        "form",
        "Heat-shock",
    )
    with described.workspace() as ws:
        finalise(ws.store, ws.root, D, "Heat-shock", "anna", ws.seen)
    done = the_one(described, 5)
    assert (done.subject, done.author) == ("Complete run Heat-shock", ANNA)
    assert done.trailers == {"Trigger": "4, 5", "Project": "p_Barley", "Dataset": D, "Run": "Heat-shock"}
    assert f"{D}/.metadata/runs/Heat-shock/data_object_Heat-shock_v2_metadata.json" in done.paths
    assert metadata_alone(done)


def test_a_save_is_one_commit_with_its_reason(described: Historic) -> None:
    with described.workspace() as ws:
        path = ws.root / SURE
        purpose = Purpose(trigger="form", reason="asked for\nby Ben")
        ws.store.change(
            path, ADMINISTRATIVE, lambda old: {**(old or {}), "title": "Leaves"}, by="anna", purpose=purpose
        )
        again = ws.store.change(path, ADMINISTRATIVE, lambda old: {**(old or {}), "title": "Leaves"}, by="anna")
    assert again.written == ()
    commit = the_one(described, 3)
    assert (commit.subject, commit.author) == ("Change the description of dataset leaves", ANNA)
    assert commit.trailers["Reason"] == "asked for\\nby Ben"
    assert SURE in commit.paths
    value = json.loads(described.git("show", f"HEAD:{SURE}"))
    assert (value["last_modified_by"], value["title"]) == ("anna", "Leaves")


# --- what happens on disk -----------------------------------------------------------------------------------------


def test_a_folder_that_was_renamed_keeps_its_documents_in_one_commit(described: Historic) -> None:
    described.move(D, "p_Barley/stems")
    described.reconcile()
    commit = the_one(described, 3)
    assert commit.subject == f"Follow {D} to p_Barley/stems"
    assert commit.paths[SURE] == "D"
    assert commit.paths["p_Barley/stems/.metadata/dataset_structural.json"] == "A"
    assert described.git("log", "--format=%s", "--follow", "--", "p_Barley/stems/.metadata/dataset_structural.json")


def test_a_folder_that_is_gone_leaves_its_documents_in_the_history(described: Historic) -> None:
    described.put("p_Barley/roots/c.txt")
    described.reconcile()
    before = len(described.commits())
    text = (described.root / SURE).read_text()
    described.remove(D)
    described.reconcile(accept_deletions=True)
    commit = the_one(described, before)
    assert commit.subject == "Mark leaves as missing"
    assert commit.paths[SURE] == "D"
    assert described.git("show", f"HEAD~1:{SURE}") == text


def test_what_somebody_wrote_is_recorded_before_a_form_replaces_it(described: Historic) -> None:
    described.edit(SURE, lambda value: value.update(title="By hand"))
    by_hand = (described.root / SURE).read_text()
    with described.workspace() as ws:
        ws.store.change(ws.root / SURE, ADMINISTRATIVE, lambda old: {**(old or {}), "title": "By form"}, by="anna")
    first, second = added(described, 3)
    assert (first.subject, first.author) == (
        "Record changes made on disk",
        "Changed on disk <filesystem@fairfolder.invalid>",
    )
    assert described.git("show", f"HEAD~1:{SURE}") == by_hand
    assert second.author == ANNA
    assert described.administrative(D)["title"] == "By form"


def test_an_edit_on_disk_is_recorded_by_the_next_pass_as_such(described: Historic) -> None:
    described.edit("p_Barley/.metadata/project_descriptive.json", lambda value: value.update(title="By hand"))
    described.reconcile()
    described.assert_sound()
    new = described.commits()[3:]
    assert new
    assert {c.author for c in new} == {"Changed on disk <filesystem@fairfolder.invalid>"}
    assert json.loads(described.git("show", f"HEAD:p_Barley/.metadata/{PROJECT}.json"))["title"] == "By hand"


def test_local_schemas_are_recorded(described: Historic) -> None:
    described.put(".template_schemas/note.txt", "kept with the data\n")
    described.reconcile()
    assert the_one(described, 3).paths == {".template_schemas/note.txt": "A"}


def test_a_root_that_is_emptied_at_once_loses_no_history(described: Historic) -> None:
    aside = described.root.with_name("aside")
    aside.mkdir()
    for each in ("p_Barley", ".metadata"):
        (described.root / each).rename(aside / each)
    assert described.reconcile().alarms
    assert described.commits()[3:] == []


def test_a_copy_is_told_as_one_and_leaves_the_original_alone(described: Historic) -> None:
    described.copy(D, "p_Barley/copy")
    described.reconcile()
    new = added(described, 3)
    assert f"Describe the copy p_Barley/copy of {D}" in [c.subject for c in new]
    assert not any(path.startswith(D) for c in new for path in c.paths)
    assert (described.root / SURE).exists()


# --- commits that several projects share --------------------------------------------------------------------------


def test_what_happens_to_several_projects_at_once_names_none_of_them(historic: Historic) -> None:
    for number, path in enumerate((f"{D}/a.txt", "p_Barley/roots/b.txt", "p_Salaries/names/c.txt")):
        historic.put(path, f"{number}\n")
    historic.reconcile()
    for path in (f"{D}/a.txt", "p_Salaries/names/c.txt"):
        historic.put(path, "changed\n")
    historic.reconcile()
    historic.move("p_Salaries/names/c.txt", f"{D}/c.txt")
    historic.reconcile()
    historic.copy("p_Salaries/names", "p_Barley/copy")
    historic.reconcile()
    historic.remove("p_Salaries/names")
    historic.remove("p_Barley/roots")
    historic.reconcile(accept_deletions=True)
    commits = historic.commits()
    subjects = [c.subject for c in commits]
    assert subjects[:4] == [
        "Describe 2 projects",
        "Describe 3 datasets of 2 projects",
        "Describe 3 new files in 3 datasets of 2 projects",
        "Describe 2 changed files again in 2 datasets of 2 projects",
    ]
    assert "Describe the copy p_Barley/copy of a folder of another project" in subjects
    assert "Mark 2 folders of 2 projects as missing" in subjects
    shared = [c.subject for c in commits if "p_Barley, p_Salaries" in c.trailers.get("Project", "")]
    assert len(shared) >= 5
    assert not any(name in subject for subject in shared for name in ("names", "leaves", "roots", "p_")), shared


def test_what_waited_for_a_merge_follows_when_it_is_over_without_another_change(described: Historic) -> None:
    described.git("checkout", "-q", "--detach")
    described.put(f"{D}/late.txt")
    described.reconcile()
    assert described.status().history["pending"] == 1
    described.git("checkout", "-q", "main")
    with described.workspace() as ws:
        Upkeep(ws, threading.Event())._push(ws)
    assert described.status().history["pending"] == 0
    assert the_one(described, 3).subject == "Describe 1 new file in leaves"


# --- data ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [Mode.FILE, Mode.FOLDER, Mode.RECORD])
def test_files_are_described_and_tracked_in_one_commit_that_dvc_agrees_with(historic: Historic, mode: Mode) -> None:
    historic.mode = mode
    historic.put(f"{D}/a.txt", "a\n")
    historic.put(f"{D}/plate/b.txt", "b\n")
    inodes = {p: (historic.root / p).stat().st_ino for p in (f"{D}/a.txt", f"{D}/plate/b.txt")}
    historic.reconcile()
    commits = historic.commits()
    assert [c.subject for c in commits][2:] == ["Describe 2 new files in leaves"]
    pointers = {f"{D}.dvc"} if mode is Mode.FOLDER else {f"{D}/a.txt.dvc", f"{D}/plate/b.txt.dvc"}
    assert pointers <= commits[2].paths.keys()
    historic.assert_sound()
    if mode is not Mode.RECORD:
        assert "up to date" in historic.dvc("status")
        historic.remove(f"{D}/a.txt")
        historic.dvc("checkout")
        assert (historic.root / f"{D}/a.txt").read_text() == "a\n"
    assert (historic.root / f"{D}/plate/b.txt").stat().st_ino == inodes[f"{D}/plate/b.txt"]


def test_pointers_follow_files_that_change_move_and_go(historic: Historic) -> None:
    historic.mode = Mode.FILE
    for name in ("a", "b", "c"):
        historic.put(f"{D}/{name}.txt", f"{name}\n")
    historic.put("p_Barley/roots/d.txt", "d\n")
    historic.reconcile()
    historic.put(f"{D}/a.txt", "changed\n")
    historic.move(f"{D}/b.txt", "p_Barley/roots/b.txt")
    historic.remove(f"{D}/c.txt")
    historic.reconcile()
    historic.reconcile()
    historic.assert_sound()
    assert "up to date" in historic.dvc("status")
    held = {p.relative_to(historic.root).as_posix() for p in historic.root.rglob("*.txt.dvc")}
    assert held == {f"{D}/a.txt.dvc", "p_Barley/roots/b.txt.dvc", "p_Barley/roots/d.txt.dvc"}
    historic.move("p_Barley/roots", "p_Barley/stems")
    historic.reconcile()
    historic.assert_sound()
    assert "up to date" in historic.dvc("status")


def test_what_was_described_before_tracking_was_wanted_is_kept_by_the_next_whole_pass(described: Historic) -> None:
    described.mode = Mode.FILE
    report = described.reconcile()
    assert report.versions_kept == 2
    commit = the_one(described, 3)
    assert commit.subject == "Keep 2 versions of files in leaves"
    assert {f"{D}/a.txt.dvc", f"{D}/plate/b.txt.dvc"} <= commit.paths.keys()
    assert "up to date" in described.dvc("status")
    assert described.reconcile().versions_kept == 0


def test_a_clone_and_its_pull_bring_the_tree_back(historic: Historic, tmp_path: Path) -> None:
    historic.mode = Mode.FILE
    historic.put(f"{D}/a.txt", "a\n")
    historic.put(f"{D}/plate/b.txt", "b\n")
    historic.reconcile()
    historic.dvc("remote", "add", "-d", "--local", "store", str(tmp_path / "store"))
    historic.dvc("push")
    historic.git("clone", "-q", str(historic.root), str(tmp_path / "clone"))
    clone = Historic(tmp_path / "clone", tmp_path / "state")
    clone.dvc("remote", "add", "-d", "--local", "store", str(tmp_path / "store"))
    clone.dvc("pull")
    assert (clone.root / f"{D}/plate/b.txt").read_text() == "b\n"
    assert clone.git("status", "--porcelain") == ""
