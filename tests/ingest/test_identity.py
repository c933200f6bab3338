"""Identity across renames, moves, copies, loss and return: never lost, never doubled, never guessed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from ingest import sources
from tests.ingest.watched import Value, Watched

D = "p_Barley/leaves"
OTHER = "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"


def identity(watched: Watched, dataset: str = D) -> str:
    administrative = watched.administrative(dataset)["dataset_identifier"]
    assert watched.manifest(dataset)["dataset_identifier"] == administrative
    return str(administrative)


def registry_paths(watched: Watched) -> dict[str, tuple[str, str]]:
    """identifier → (path, state)."""
    return {i: (e["path"], e["state"]) for i, e in watched.registry().items()}


def filled(watched: Watched) -> None:
    """A project with two datasets; a person has given them titles."""
    watched.put(f"{D}/a.txt", b"a\n")
    watched.put(f"{D}/sub/b.txt", b"bb\n")
    watched.put("p_Barley/roots/c.txt", b"ccc\n")
    watched.reconcile()
    watched.edit("p_Barley/.metadata/project_descriptive.json", lambda v: v.update(project_title="Barley"))
    watched.edit(f"{D}/.metadata/dataset_administrative.json", lambda v: v.update(dataset_title="Leaves"))
    watched.reconcile()
    assert watched.problems() == {}


lost = pytest.mark.parametrize("state_lost", [False, True], ids=["state kept", "state lost"])


@lost
def test_a_renamed_dataset_keeps_its_identity_and_its_files(watched: Watched, state_lost: bool) -> None:
    filled(watched)
    dataset, files = identity(watched), watched.entries(D)
    before = watched.registry()
    if state_lost:
        watched.lose_state()
    watched.move(D, "p_Barley/leaves 2026")
    watched.reconcile()
    assert identity(watched, "p_Barley/leaves 2026") == dataset
    assert watched.entries("p_Barley/leaves 2026") == files
    assert watched.administrative("p_Barley/leaves 2026")["dataset_title"] == "Leaves"
    assert registry_paths(watched)[dataset] == ("p_Barley/leaves 2026", "present")
    assert set(watched.registry()) == set(before)
    assert watched.check() == []


@lost
def test_a_dataset_moved_to_another_project_follows_it(watched: Watched, state_lost: bool) -> None:
    filled(watched)
    dataset, files = identity(watched), watched.entries(D)
    if state_lost:
        watched.lose_state()
    watched.move(D, "p_Rye/leaves")
    watched.reconcile()
    rye = watched.project("p_Rye")["project_identifier"]
    assert identity(watched, "p_Rye/leaves") == dataset
    assert watched.administrative("p_Rye/leaves")["associated_project_identifier"] == rye
    assert watched.manifest("p_Rye/leaves")["associated_project_identifier"] == rye
    assert watched.registry()[dataset]["project_identifier"] == rye
    assert watched.entries("p_Rye/leaves") == files
    assert watched.check() == []


@lost
def test_a_renamed_project_keeps_all_identities(watched: Watched, state_lost: bool) -> None:
    filled(watched)
    before = registry_paths(watched)
    files = watched.entries(D)
    if state_lost:
        watched.lose_state()
    watched.move("p_Barley", "p_Barley 2")
    watched.reconcile()
    expected = {i: (p.replace("p_Barley", "p_Barley 2", 1), "present") for i, (p, _) in before.items()}
    assert registry_paths(watched) == expected
    assert watched.entries("p_Barley 2/leaves") == files
    assert watched.project("p_Barley 2")["project_title"] == "Barley"
    assert watched.check() == []
    watched.put("p_Barley 2/leaves/new.txt")
    watched.reconcile()
    assert "new.txt" in watched.entries("p_Barley 2/leaves")


def test_swapped_datasets_keep_their_own_identities(watched: Watched) -> None:
    filled(watched)
    leaves, roots = identity(watched), identity(watched, "p_Barley/roots")
    watched.move(D, "p_Barley/tmp")
    watched.move("p_Barley/roots", D)
    watched.move("p_Barley/tmp", "p_Barley/roots")
    watched.reconcile()
    assert (identity(watched), identity(watched, "p_Barley/roots")) == (roots, leaves)
    assert set(watched.entries(D)) == {"c.txt"}
    assert watched.check() == []


@lost
def test_a_copied_dataset_gets_identifiers_of_its_own_and_says_where_it_is_from(
    watched: Watched, state_lost: bool
) -> None:
    filled(watched)
    original, before = identity(watched), watched.metadata()
    files = watched.entries(D)
    if state_lost:
        watched.lose_state()
    watched.copy(D, "p_Barley/leaves copy")
    watched.reconcile()
    copied = identity(watched, "p_Barley/leaves copy")
    assert copied != original
    for document in (watched.administrative("p_Barley/leaves copy"), watched.registry()[copied]):
        assert document["derived_from"] == f"urn:uuid:{original}"
    assert watched.administrative("p_Barley/leaves copy")["@id"] == f"urn:uuid:{copied}"
    assert watched.administrative("p_Barley/leaves copy")["dataset_title"] == "Leaves"
    new = watched.entries("p_Barley/leaves copy")
    assert {n: e["checksum"] for n, e in new.items()} == {n: e["checksum"] for n, e in files.items()}
    ours, theirs = set(watched.identifiers(D).values()), {e["file_identifier"] for e in new.values()}
    assert len(theirs) == 2
    assert not ours & theirs
    assert {k: v for k, v in watched.metadata().items() if k.startswith(f"{D}/")} == {
        k: v for k, v in before.items() if k.startswith(f"{D}/")
    }
    assert watched.registry()[copied]["publication"] == {"state": "unpublished"}
    assert watched.check() == []
    settled = watched.metadata()
    watched.reconcile()
    assert watched.metadata() == settled


@lost
def test_a_copied_project_and_all_in_it_get_identifiers_of_their_own(watched: Watched, state_lost: bool) -> None:
    filled(watched)
    before = registry_paths(watched)
    if state_lost:
        watched.lose_state()
    watched.copy("p_Barley", "p_Copy")
    watched.reconcile()
    after = registry_paths(watched)
    assert {i: after[i] for i in before} == before
    assert sorted(p for i, (p, _) in after.items() if i not in before) == ["p_Copy", "p_Copy/leaves", "p_Copy/roots"]
    project = watched.project("p_Copy")
    assert project["derived_from"] == f"urn:uuid:{watched.project('p_Barley')['project_identifier']}"
    for name in ("leaves", "roots"):
        value = watched.administrative(f"p_Copy/{name}")
        assert value["associated_project_identifier"] == project["project_identifier"]
        assert value["derived_from"] == f"urn:uuid:{identity(watched, f'p_Barley/{name}')}"
    assert watched.check() == []


def test_the_original_may_be_renamed_while_its_copy_takes_its_place(watched: Watched) -> None:
    """The inode last seen decides before the path does."""
    filled(watched)
    original = identity(watched)
    watched.copy(D, "p_Barley/copy")
    watched.move(D, "p_Barley/leaves old")
    watched.move("p_Barley/copy", D)
    watched.reconcile()
    assert identity(watched, "p_Barley/leaves old") == original
    assert watched.administrative(D)["derived_from"] == f"urn:uuid:{original}"
    assert watched.check() == []


def test_a_copy_whose_original_is_deleted_at_once_asks_nobody(watched: Watched) -> None:
    filled(watched)
    original = identity(watched)
    watched.copy(D, "p_Barley/leaves copy")
    watched.remove(D)
    watched.reconcile()
    assert identity(watched, "p_Barley/leaves copy") == original
    assert registry_paths(watched)[original] == ("p_Barley/leaves copy", "present")


def undecidable(watched: Watched) -> None:
    """Two copies made at one moment, and the original gone."""
    filled(watched)
    watched.copy(D, "p_Barley/one")
    watched.copy(D, "p_Barley/two")
    watched.remove(D)
    for name in ("one", "two"):
        document = watched.root / "p_Barley" / name / ".metadata" / "dataset_administrative.json"
        document.write_bytes(document.read_bytes())


@lost
def test_when_nothing_tells_the_original_nothing_is_written_and_a_person_is_asked(
    watched: Watched, state_lost: bool
) -> None:
    undecidable(watched)
    if state_lost:
        watched.lose_state()
    before, original = watched.metadata(), identity(watched, "p_Barley/one")
    watched.put("p_Barley/one/new.txt")
    report = watched.reconcile()
    assert watched.metadata() == before
    assert sorted(f.path for f in report.findings) == ["p_Barley/one", "p_Barley/two"]
    reason = watched.problems()["p_Barley/one"]
    assert "'p_Barley/one' and 'p_Barley/two' hold the same identifier" in reason
    assert "delete the .metadata folder of the copy" in reason
    assert watched.explain("p_Barley/one/new.txt").sentence == reason
    watched.remove("p_Barley/two/.metadata")
    watched.reconcile()
    assert identity(watched, "p_Barley/one") == original
    assert identity(watched, "p_Barley/two") != original
    assert "new.txt" in watched.entries("p_Barley/one")
    assert watched.problems() == {}
    assert watched.check() == []


def test_a_deleted_dataset_is_missing_and_a_restored_one_is_itself(watched: Watched, tmp_path: Path) -> None:
    """FA-12, by a move out of the folder and by a restored backup with other inodes."""
    filled(watched)
    dataset, files = identity(watched), watched.entries(D)
    watched.copy(D, "../backup")
    watched.remove(D)
    watched.reconcile()
    entry = watched.registry()[dataset]
    assert (entry["state"], entry["path"]) == ("missing", D)
    assert entry["state_reason"] == "the folder is not there any more"
    assert "missing_since" in entry
    assert watched.explain(D).condition == "missing"
    assert watched.check() == []
    watched.move("../backup", D)
    watched.reconcile()
    entry = watched.registry()[dataset]
    assert entry["state"] == "present"
    assert not {"state_reason", "missing_since"} & set(entry)
    assert watched.identifiers(D) == {n: e["file_identifier"] for n, e in files.items()}
    assert watched.states(D) == {"a.txt": "present", "sub/b.txt": "present"}
    assert watched.check() == []


def test_a_project_renamed_out_of_the_scheme_is_marked_and_restored(watched: Watched) -> None:
    """FA-11."""
    filled(watched)
    before, paths = watched.metadata(), registry_paths(watched)
    watched.move("p_Barley", "Barley")
    watched.reconcile()
    project = watched.json("Barley/.metadata/project_descriptive.json")["project_identifier"]
    entry = watched.registry()[project]
    assert entry["state"] == "missing"
    assert "'Barley', outside the naming scheme" in entry["state_reason"]
    renamed = {"Barley" + k.removeprefix("p_Barley"): v for k, v in before.items() if k.startswith("p_Barley/")}
    assert {k: v for k, v in watched.metadata().items() if k.startswith("Barley/")} == renamed
    assert watched.explain("Barley/leaves/a.txt").condition == "outside"
    watched.move("Barley", "p_Barley")
    watched.reconcile()
    assert registry_paths(watched) == paths
    assert "state_reason" not in watched.registry()[project]
    assert {k: v for k, v in watched.metadata().items() if k.startswith("p_Barley/")} == {
        k: v for k, v in before.items() if k.startswith("p_Barley/")
    }
    assert watched.check() == []


def test_a_dataset_made_anew_under_an_old_name_is_another_one(watched: Watched) -> None:
    filled(watched)
    first = identity(watched)
    watched.move(D, "elsewhere/kept so that its inode is")
    watched.put(f"{D}/other.txt", b"other\n")
    watched.reconcile()
    second = identity(watched)
    assert second != first
    assert registry_paths(watched)[first] == (D, "missing")
    assert registry_paths(watched)[second] == (D, "present")
    assert watched.check() == []


@pytest.mark.parametrize("deleted", ["dataset_administrative.json", "dataset_structural.json", ""])
@lost
def test_deleted_documents_are_made_anew_with_the_same_identity(
    watched: Watched, deleted: str, state_lost: bool
) -> None:
    filled(watched)
    dataset, files = identity(watched), watched.identifiers(D)
    if state_lost:
        watched.lose_state()
    watched.remove(f"{D}/.metadata/{deleted}".rstrip("/"))
    watched.reconcile()
    watched.reconcile()
    assert set(watched.entries(D)) == set(files)
    assert watched.manifest(D)["file_count"] == 2
    if deleted or not state_lost:
        assert identity(watched) == dataset
    if deleted == "dataset_administrative.json" or not state_lost:
        assert watched.identifiers(D) == files
    assert watched.check() == []
    assert watched.problems() == {}


def test_losing_the_state_costs_reading_and_nothing_else(watched: Watched) -> None:
    filled(watched)
    watched.remove(f"{D}/a.txt")
    watched.reconcile()
    before = watched.metadata()
    watched.lose_state()
    report = watched.reconcile()
    assert (report.described, report.bytes_read) == (2, 7)
    assert watched.metadata() == before
    assert watched.check() == []
    assert watched.problems() == {}


@lost
def test_a_file_renamed_while_the_service_was_down_keeps_its_identity(watched: Watched, state_lost: bool) -> None:
    filled(watched)
    files = watched.identifiers(D)
    if state_lost:
        watched.lose_state()
    watched.move(f"{D}/a.txt", f"{D}/z.txt")
    watched.reconcile()
    assert watched.identifiers(D) == {"sub/b.txt": files["sub/b.txt"], "z.txt": files["a.txt"]}
    assert watched.check() == []


@lost
def test_files_deleted_while_the_service_was_down_are_missing(watched: Watched, state_lost: bool) -> None:
    filled(watched)
    files = watched.identifiers(D)
    if state_lost:
        watched.lose_state()
    watched.remove(f"{D}/a.txt")
    watched.put(f"{D}/new.txt", b"new\n")
    watched.reconcile()
    assert watched.states(D) == {"a.txt": "missing", "new.txt": "present", "sub/b.txt": "present"}
    assert {**watched.identifiers(D), **files} == watched.identifiers(D)


def test_a_file_modified_while_the_state_was_lost_keeps_its_identity(watched: Watched) -> None:
    filled(watched)
    files = watched.identifiers(D)
    watched.lose_state()
    watched.put(f"{D}/a.txt", b"changed\n")
    watched.reconcile()
    assert watched.identifiers(D) == files
    assert len(watched.entries(D)["a.txt"]["previous_checksums"]) == 1


@pytest.mark.parametrize("target", ["p_Barley/aaa", "p_Barley/zzz"])
def test_a_file_moved_to_another_dataset_takes_its_identity_along(watched: Watched, target: str) -> None:
    filled(watched)
    watched.folder(target)
    watched.reconcile()
    before = watched.entries(D)["a.txt"]
    watched.move(f"{D}/a.txt", f"{target}/sub/a2.txt")
    report = watched.reconcile()
    assert (report.moved, report.missing, report.bytes_read) == (1, 0, 0)
    assert set(watched.entries(D)) == {"sub/b.txt"}
    after = watched.entries(target)["sub/a2.txt"]
    assert after["file_identifier"] == before["file_identifier"]
    assert after["first_seen"] == before["first_seen"]
    assert (watched.manifest(D)["file_count"], watched.manifest(target)["file_count"]) == (1, 1)
    assert watched.check() == []


@pytest.mark.parametrize("target", ["p_Barley/aaa", "p_Barley/zzz"])
def test_a_file_moved_between_datasets_with_the_state_lost_doubles_nothing(watched: Watched, target: str) -> None:
    filled(watched)
    watched.folder(target)
    watched.reconcile()
    watched.lose_state()
    watched.move(f"{D}/a.txt", f"{target}/a.txt")
    watched.reconcile()
    assert watched.states(target) == {"a.txt": "present"}
    assert watched.states(D).get("a.txt", "missing") == "missing"
    assert watched.check() == []


def test_files_exchanged_between_two_datasets_keep_their_identities(watched: Watched) -> None:
    filled(watched)
    a, c = watched.identifiers(D)["a.txt"], watched.identifiers("p_Barley/roots")["c.txt"]
    watched.move(f"{D}/a.txt", "p_Barley/roots/from leaves.txt")
    watched.move("p_Barley/roots/c.txt", f"{D}/from roots.txt")
    watched.reconcile()
    assert watched.identifiers(D)["from roots.txt"] == c
    assert watched.identifiers("p_Barley/roots") == {"from leaves.txt": a}
    assert watched.check() == []


def test_a_file_a_complete_record_names_stays_behind_as_missing(watched: Watched) -> None:
    filled(watched)

    def finalise(value: Value) -> None:
        value["file_descriptions"][0]["data_object_version"] = "V2"

    watched.edit(f"{D}/.metadata/dataset_structural.json", finalise)
    watched.reconcile()
    first = watched.identifiers(D)["a.txt"]
    watched.move(f"{D}/a.txt", "p_Barley/roots/a.txt")
    watched.reconcile()
    assert watched.states(D)["a.txt"] == "missing"
    assert watched.identifiers("p_Barley/roots")["a.txt"] != first
    assert watched.check() == []


def test_an_entry_removed_by_hand_does_not_keep_its_file_from_being_described_again(watched: Watched) -> None:
    filled(watched)
    watched.move(f"{D}/a.txt", "elsewhere/a.txt")
    watched.reconcile()
    assert watched.states(D)["a.txt"] == "missing"

    def forget(value: Value) -> None:
        value["file_descriptions"] = [e for e in value["file_descriptions"] if e["state"] != "missing"]

    watched.edit(f"{D}/.metadata/dataset_structural.json", forget)
    watched.reconcile()
    watched.move("elsewhere/a.txt", f"{D}/a.txt")
    watched.reconcile()
    assert watched.states(D) == {"a.txt": "present", "sub/b.txt": "present"}
    assert watched.check() == []


def test_a_dataset_adopted_from_elsewhere_keeps_the_identity_it_brings(watched: Watched, tmp_path: Path) -> None:
    other = Watched(tmp_path / "other", tmp_path / "other state")
    other.put("p_Oats/husks/a.txt", b"a\n")
    other.reconcile()
    brought, files = identity(other, "p_Oats/husks"), other.identifiers("p_Oats/husks")
    watched.folder("p_Barley")
    os.rename(other.root / "p_Oats" / "husks", watched.root / "p_Barley" / "husks")
    watched.reconcile()
    assert identity(watched, "p_Barley/husks") == brought
    assert watched.identifiers("p_Barley/husks") == files
    project = watched.project("p_Barley")["project_identifier"]
    assert watched.manifest("p_Barley/husks")["associated_project_identifier"] == project
    assert watched.check() == []


@pytest.mark.parametrize("damage", [b"not a database", b"", b"SQLite format 3\0" + bytes(4080)])
def test_a_damaged_state_file_is_made_anew(watched: Watched, damage: bytes) -> None:
    filled(watched)
    before = watched.entries(D)
    (path,) = watched.state.glob("roots/*/seen.sqlite")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(damage)
    watched.reconcile()
    assert watched.entries(D) == before
    assert watched.check() == []


def test_sequence_numbers_only_rise_even_when_the_counter_is_lost(watched: Watched) -> None:
    numbers: list[int] = []

    def step() -> None:
        watched.reconcile()
        now = {i: e["sequence"] for i, e in watched.registry().items()}
        new = sorted(n for i, n in now.items() if n not in numbers)
        assert all(n > max(numbers, default=0) for n in new)
        assert new
        numbers.extend(new)

    filled_steps = ("a.txt", "b.txt", "c.txt")
    for name in filled_steps:
        watched.put(f"{D}/{name}")
        step()
    counter = watched.root / ".metadata" / "registry" / ".sequence"
    for damage in (counter.unlink, lambda: counter.write_text("garbage"), lambda: counter.write_bytes(b"\xff")):
        damage()
        watched.put(f"{D}/a.txt", repr(damage))
        step()
    assert len(set(numbers)) == len(numbers)


def test_a_lost_registry_is_made_anew_from_the_documents(watched: Watched) -> None:
    filled(watched)
    paths = registry_paths(watched)
    watched.remove(".metadata")
    watched.reconcile()
    assert registry_paths(watched) == paths
    project = watched.project("p_Barley")["project_identifier"]
    assert watched.registry()[identity(watched)]["project_identifier"] == project
    assert watched.check() == []
    assert watched.problems() == {}
    watched.remove(".metadata")
    watched.remove(D)
    watched.reconcile()
    assert registry_paths(watched) == {i: (p, "missing" if p == D else "present") for i, (p, _) in paths.items()}


@pytest.mark.parametrize("text", ["{ broken", "[]", '{"identifier": 5}', ""])
def test_a_broken_registry_entry_is_told_and_left_as_it_is(watched: Watched, text: str) -> None:
    filled(watched)
    path = watched.root / ".metadata" / "registry" / f"{identity(watched)}.json"
    good = path.read_bytes()
    path.write_text(text)
    watched.put(f"{D}/new.txt")
    report = watched.reconcile()
    assert path.read_text() == text
    assert any(str(path) in f.message for f in report.findings)
    assert any(str(path) in reason for reason in watched.problems().values())
    assert any(path.name in line for line in watched.check())
    path.write_bytes(good)
    watched.reconcile()
    assert "new.txt" in watched.entries(D)
    assert watched.problems() == {}
    assert watched.check() == []


@pytest.mark.parametrize("target", ["p_Barley/aaa", "p_Barley/zzz"])
def test_a_file_moved_away_and_made_anew_at_its_old_path_doubles_nothing(watched: Watched, target: str) -> None:
    filled(watched)
    watched.folder(target)
    watched.reconcile()
    first = watched.identifiers(D)["a.txt"]
    watched.move(f"{D}/a.txt", f"{target}/a.txt")
    watched.put(f"{D}/a.txt", "made anew\n")
    watched.reconcile()
    assert watched.identifiers(D)["a.txt"] == first
    assert watched.states(D) == {"a.txt": "present", "sub/b.txt": "present"}
    assert watched.identifiers(target)["a.txt"] != first
    assert watched.check() == []


@lost
@pytest.mark.parametrize("renewed", ["dataset_administrative", "dataset_structural"])
def test_a_copy_whose_making_was_interrupted_is_still_a_copy(watched: Watched, renewed: str, state_lost: bool) -> None:
    """One of its two documents has the new identity already, the other still has the original's."""
    filled(watched)
    original, files = identity(watched), watched.identifiers(D)
    watched.copy(D, "p_Barley/copy")
    watched.edit(
        f"p_Barley/copy/.metadata/{renewed}.json",
        lambda v: v.update({"dataset_identifier": OTHER, "@id": f"urn:uuid:{OTHER}"}),
    )
    if state_lost:
        watched.lose_state()
    watched.reconcile()
    assert identity(watched) == original
    assert watched.identifiers(D) == files
    assert identity(watched, "p_Barley/copy") != original
    assert watched.administrative("p_Barley/copy")["derived_from"] == f"urn:uuid:{original}"
    assert not set(watched.identifiers("p_Barley/copy").values()) & set(files.values())
    assert watched.check() == []
    assert watched.problems() == {}
    assert len(watched.registry()) == 4


def test_a_clock_set_back_moves_no_datestamp_back(watched: Watched) -> None:
    """FA-20: an entry stamped by a clock that was ahead keeps its place in the order of changes."""
    filled(watched)
    ahead = "2999-01-01T00:00:00Z"
    path = f".metadata/registry/{identity(watched)}.json"
    watched.edit(path, lambda v: v.update(datestamp=ahead))
    before = watched.registry()[identity(watched)]["sequence"]
    watched.put(f"{D}/new.txt")
    watched.reconcile()
    after = watched.registry()[identity(watched)]
    assert after["datestamp"] >= ahead
    assert after["sequence"] > before
    assert after["last_modified_date"] < ahead, "the audit stamp says what the clock says now"
    assert watched.check() == []


@pytest.mark.parametrize("path", ["../../elsewhere", "/etc", "p_Barley/../../elsewhere", "p_Gone/d"])
def test_a_planted_registry_entry_leads_nowhere(watched: Watched, tmp_path: Path, path: str) -> None:
    """FA-72: its path is compared, never followed out of the root."""
    filled(watched)
    (tmp_path.parent / "elsewhere").mkdir(exist_ok=True)
    entry = {**watched.registry()[identity(watched)], "identifier": OTHER, "path": path, "sequence": 99}
    (watched.root / ".metadata" / "registry" / f"{OTHER}.json").write_text(json.dumps(entry))
    watched.lose_state()
    watched.reconcile()
    watched.reconcile()
    assert not (tmp_path.parent / "elsewhere" / ".metadata").exists()
    assert identity(watched) != OTHER


@pytest.mark.parametrize("target", ["p_Barley/aaa", "p_Barley/zzz"])
@pytest.mark.parametrize("step_by_step", [False, True])
def test_files_keep_their_identity_when_the_dataset_they_leave_is_deleted_at_once(
    watched: Watched, target: str, step_by_step: bool
) -> None:
    """`mv leaves/* other/; rm -r leaves` between two looks, also when only the target is looked at first."""
    filled(watched)
    watched.folder(target)
    watched.reconcile()
    before = watched.identifiers(D)
    watched.move(f"{D}/a.txt", f"{target}/a.txt")
    watched.move(f"{D}/sub", f"{target}/sub")
    watched.remove(D)
    if step_by_step:
        watched.reconcile(target)
    watched.reconcile()
    watched.reconcile()
    assert watched.identifiers(target) == before
    assert watched.states(target) == {"a.txt": "present", "sub/b.txt": "present"}
    assert watched.problems() == {}
    assert watched.check() == []


def test_a_dataset_moved_into_another_and_out_again_is_itself_and_doubles_nothing(watched: Watched) -> None:
    filled(watched)
    before, dataset = watched.identifiers(D), identity(watched)
    watched.move(D, "p_Barley/roots/within")
    watched.reconcile()
    inside = watched.identifiers("p_Barley/roots")
    assert (inside["within/a.txt"], inside["within/sub/b.txt"]) == (before["a.txt"], before["sub/b.txt"])
    watched.put("p_Barley/roots/within/new.txt", "new\n")
    watched.reconcile()
    watched.move("p_Barley/roots/within", D)
    watched.reconcile()
    watched.reconcile()
    assert identity(watched) == dataset
    after = watched.identifiers(D)
    assert {name: after[name] for name in before} == before
    assert set(watched.states(D).values()) == {"present"}
    assert set(watched.identifiers("p_Barley/roots").values()).isdisjoint(after.values())
    assert watched.check() == []


@pytest.mark.parametrize("target", ["p_Barley/aaa", "p_Barley/zzz"])
def test_a_file_changed_and_moved_to_another_dataset_has_one_identity(watched: Watched, target: str) -> None:
    """It was seen changing, so its bytes are not known under its last stamp when it moves."""
    filled(watched)
    watched.folder(target)
    watched.reconcile()
    before = watched.identifiers(D)["a.txt"]
    watched.put(f"{D}/a.txt", "still changing\n")
    watched.reconcile(settle_seconds=3600.0)
    watched.move(f"{D}/a.txt", f"{target}/a.txt")
    watched.reconcile()
    watched.reconcile()
    assert watched.identifiers(target) == {"a.txt": before}
    assert "a.txt" not in watched.states(D)
    assert watched.check() == []
    watched.lose_state()
    watched.reconcile()
    assert watched.identifiers(target) == {"a.txt": before}


def test_an_entry_from_a_backup_whose_file_lives_elsewhere_by_now_gets_an_identity_of_its_own(
    watched: Watched, tmp_path: Path
) -> None:
    filled(watched)
    before = watched.identifiers(D)
    watched.copy(D, "../backup")
    watched.move(f"{D}/a.txt", "p_Barley/roots/a.txt")
    watched.move(f"{D}/sub/b.txt", "p_Barley/roots/b.txt")
    watched.reconcile()
    watched.remove(D)
    watched.reconcile()
    watched.move("../backup", D)
    watched.remove(f"{D}/sub")
    watched.reconcile()
    watched.reconcile()
    assert watched.identifiers("p_Barley/roots")["a.txt"] == before["a.txt"]
    assert watched.identifiers("p_Barley/roots")["b.txt"] == before["sub/b.txt"]
    assert watched.states(D) == {"a.txt": "present"}
    assert watched.identifiers(D)["a.txt"] not in before.values()
    assert watched.check() == []


def test_a_file_replaced_by_a_link_while_nothing_can_be_recorded_is_missing_in_the_end(watched: Watched) -> None:
    filled(watched)
    folder = watched.root / D
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to("/etc/hostname")
    manifest = folder / ".metadata" / "dataset_structural.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"file_count"', '"file_count" x'))
    watched.reconcile()
    manifest.write_text(text)
    (folder / "a.txt").unlink()
    watched.reconcile()
    assert watched.states(D)["a.txt"] == "missing"


@pytest.mark.parametrize(("origin", "target"), [("p_A/a", "p_A/b"), ("p_A/b", "p_A/a")])
def test_where_inodes_are_not_stable_an_identity_goes_to_one_file_of_two_alike(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: str, target: str
) -> None:
    """`cp -p f g; mv f elsewhere` between two looks: one is found by its inode, the other by its bytes."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 1 0:9 / {watched.root} rw - nfs4 server:/x rw\n")
    monkeypatch.setattr(sources, "_MOUNTS", mounts)
    watched.put(f"{origin}/f.txt", "one")
    watched.put(f"{target}/x.txt", "x")
    watched.reconcile()
    before = watched.identifiers(origin)["f.txt"]
    shutil.copy2(watched.root / origin / "f.txt", watched.root / origin / "g.txt")
    watched.move(f"{origin}/f.txt", f"{target}/f.txt")
    for _ in range(3):
        watched.reconcile()
    files = {**watched.identifiers(origin), **watched.identifiers(target)}
    assert set(files) == {"f.txt", "g.txt", "x.txt"}
    assert [files["f.txt"], files["g.txt"]].count(before) == 1
    assert watched.check() == []


def test_a_file_a_complete_record_names_is_itself_again_when_it_is_back_where_that_names_it(watched: Watched) -> None:
    filled(watched)

    def finalise(value: Value) -> None:
        value["file_descriptions"][0]["data_object_version"] = "V2"

    watched.edit(f"{D}/.metadata/dataset_structural.json", finalise)
    watched.reconcile()
    first = watched.identifiers(D)["a.txt"]
    watched.move(f"{D}/a.txt", "p_Barley/roots/a.txt")
    watched.reconcile()
    watched.move("p_Barley/roots/a.txt", f"{D}/a.txt")
    watched.reconcile()
    entry = watched.entries(D)["a.txt"]
    assert (entry["file_identifier"], entry["data_object_version"], entry["state"]) == (first, "V2", "present")
    assert watched.states("p_Barley/roots") == {"a.txt": "missing", "c.txt": "present"}
    assert watched.check() == []


def test_a_row_that_does_not_know_whose_file_it_is_learns_it_from_the_entry(watched: Watched) -> None:
    """As the state of an earlier version may have them, of files that were not at rest when the state was new."""
    filled(watched)
    files = watched.identifiers(D)
    watched.lose_state()
    watched.reconcile(settle_seconds=3_600.0)
    with watched.workspace() as ws:
        place = ws.seen.place_at(D)
        assert place is not None
        rows = ws.seen.files(place.id, [b"a.txt"])
        ws.seen.put_files(row._replace(identifier="") for row in rows.values())
        ws.seen.put_in_doubt([place.id])
    watched.reconcile()
    watched.move(f"{D}/a.txt", "p_Barley/roots/a.txt")
    watched.reconcile()
    assert watched.identifiers("p_Barley/roots")["a.txt"] == files["a.txt"]
    assert watched.check() == []
