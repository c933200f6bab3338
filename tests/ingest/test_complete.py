"""Triggers 4 and 5: a run marked complete, its complete metadata file, what outdates it, and what a crash leaves."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import jsonschema
import pytest
from referencing import Registry, Resource

import schemas
from ingest import adoption, documents, rest, waiting
from ingest.complete import Finalised, differences, finalise
from ingest.documents import ADMINISTRATIVE, EXPERIMENT, PROJECT
from ingest.errors import DocumentError, NotAtRestError, StoreError
from ingest.instruments import new
from ingest.layout import METADATA
from ingest.losses import Unfinished
from ingest.reconcile import reconcile
from ingest.rows import Condition
from ingest.run_templates import templates
from ingest.runs import RunStart, Started, start
from ingest.store import Store
from ingest.texts import Prepared
from tests.ingest.watched import Value, Watched, standing_still

CHECKOUT = Path(__file__).resolve().parents[2]
D = "p_Barley/leaves"
ANNA = "anna"
PERSON = {"name": "Anna Ek", "orcid": "https://orcid.org/0000-0002-1825-0097"}
COMPLETE: dict[str, Any] = {
    "run_type": "wet_lab",
    "experiment_name": "Heat shock",
    "experiment_dates": {"start": "2026-01-12"},
    "experimenters": [PERSON],
    "no_protocol_reason": "Exploratory.",
}
PUBLISHED = Registry().with_resources(
    [(schemas.load(name)["$id"], Resource.from_contents(schemas.load(name))) for name in schemas.NAMES]
)
FIRST = "data_object_Heat-shock_v2_metadata.json"
SECOND = "data_object_Heat-shock_v2_metadata.r2.json"


@pytest.fixture
def described(watched: Watched) -> Watched:
    watched.put(f"{D}/a.txt", "a\n")
    watched.put(f"{D}/plate/b.txt", "b\n")
    watched.reconcile()
    return watched


def begin(watched: Watched, name: str = "Heat shock", fields: Value | None = None, **more: Any) -> Started:
    """A run of this name, with everything a complete one needs."""
    plain = templates(watched.root)[0]
    dataset = watched.administrative(D)["dataset_identifier"]
    filled = {**COMPLETE, "experiment_name": name, **(fields or {})}
    with watched.workspace() as ws:
        started = start(ws.store, ws.root, D, dataset, RunStart(name, plain, **more), ANNA)
        ws.store.change(started.path, EXPERIMENT, lambda old: {**(old or {}), **filled}, by=ANNA)
    return started


def finish(watched: Watched, label: str = "Heat-shock", by: str = ANNA, *, dataset: str = D) -> Finalised:
    with watched.workspace() as ws:
        return finalise(ws.store, ws.root, dataset, label, by, ws.seen)


def change(watched: Watched, path: Path, kind: str, **fields: Any) -> None:
    with watched.workspace() as ws:
        ws.store.change(path, kind, lambda old: {**(old or {}), **fields}, by=ANNA)


def v2(watched: Watched, done: Finalised) -> Value:
    return watched.json(str(done.path.relative_to(watched.root)))


def run_path(label: str = "Heat-shock", dataset: str = D) -> str:
    return f"{dataset}/.metadata/runs/{label}"


def revisions(watched: Watched, label: str = "Heat-shock", dataset: str = D) -> list[str]:
    return sorted(p.name for p in (watched.root / run_path(label, dataset)).glob("data_object_*"))


# --- the file ---------------------------------------------------------------------------------------------------


def test_a_run_that_is_complete_gets_a_file_that_holds_all_five_parts(described: Watched) -> None:
    with described.workspace() as ws:
        instrument = new(ws.store, ws.root, {"instrument_name": "LSM 880"}, ANNA)
    used = described.json(str(instrument.relative_to(described.root)))
    run = begin(described, fields={"instruments_used": [used["instrument_identifier"]]})
    done = finish(described)
    assert done == Finalised(run.path.parent / FIRST, 1, True)
    value = v2(described, done)
    parts = {k: value[k] for k in ("project", "dataset", "experiment")}
    on_disk = {
        "project": described.project("p_Barley"),
        "dataset": described.administrative(D),
        "experiment": described.json(f"{run_path()}/experiment_contextual.json"),
    }
    assert parts == {name: {k: v for k, v in each.items() if k != "@context"} for name, each in on_disk.items()}
    assert value["instruments"] == [{k: v for k, v in used.items() if k != "@context"}]
    assert value["structure"]["file_descriptions"] == described.manifest(D)["file_descriptions"]
    assert (value["metadata_version"], value["revision"], "revision_of" in value) == ("2", 1, False)
    assert (value["generated_by"], value["@type"]) == (ANNA, "DataObject")
    assert list(value)[-1] == "structure"
    assert described.check() == []


def test_the_file_is_valid_for_any_validator_that_knows_the_published_schemas(described: Watched) -> None:
    begin(described)
    value = v2(described, finish(described))
    judge = jsonschema.Draft202012Validator(schemas.load("complete_metadata"), registry=PUBLISHED)
    assert list(judge.iter_errors(value)) == []
    del value["experiment"]["experimenters"]
    assert [error.message for error in judge.iter_errors(value)] != []


def test_the_run_and_the_manifest_say_what_was_fixed(described: Watched) -> None:
    run = begin(described)
    done = finish(described)
    experiment = described.json(f"{run_path()}/experiment_contextual.json")
    identifiers = described.identifiers(D)
    assert experiment["status"] == "complete"
    assert experiment["data_files"] == ["a.txt", "plate/b.txt"]
    assert experiment["outputs"] == [identifiers["a.txt"], identifiers["plate/b.txt"]]
    name = f".metadata/runs/Heat-shock/{FIRST}"
    for entry in described.entries(D).values():
        assert (entry["data_object_version"], entry["run_id"], entry["complete_metadata"]) == ("V2", run.run_id, name)
    assert described.manifest(D)["runs"] == [
        {
            "run_id": run.run_id,
            "run_label": "Heat-shock",
            "complete_metadata": name,
            "revision": 1,
            "sha256": hashlib.sha256(done.path.read_bytes()).hexdigest(),
            "finalized_date": v2(described, done)["generated_date"],
        }
    ]
    assert described.reconcile().findings == []
    assert described.problems() == {}


def test_a_source_is_named_with_the_hash_of_what_counts_of_it(described: Watched) -> None:
    begin(described)
    value = v2(described, finish(described))
    stamps = {"$schema", "created_by", "created_date", "last_modified_by", "last_modified_date"}
    kept = {k: v for k, v in value["project"].items() if k not in stamps}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert value["sources"][0] == {
        "path": "p_Barley/.metadata/project_descriptive.json",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    assert [each["path"].rpartition("/")[2] for each in value["sources"]] == [
        "project_descriptive.json",
        "dataset_administrative.json",
        "dataset_structural.json",
        "experiment_contextual.json",
    ]


def test_a_draft_project_is_allowed_and_told(described: Watched) -> None:
    begin(described)
    told = v2(described, finish(described))["completeness"]
    assert told["drafts"] == ["project", "dataset"]
    assert "/project/principal_investigator" in told["required_missing"]
    assert "/dataset/license" in told["required_missing"]
    assert not [pointer for pointer in told["required_missing"] if pointer.startswith("/experiment")]
    assert "/experiment/sample_identifiers" in told["recommended_missing"]
    assert told["required"] == told["present"] + len(told["required_missing"])


def test_unknown_keys_of_every_part_are_kept(described: Watched) -> None:
    salt = {"x_lab": {"bay": [1, {"deep": None}]}}
    change(described, documents.project_document(described.root, "p_Barley"), PROJECT, **salt)
    change(described, documents.dataset_document(described.root, D, ADMINISTRATIVE), ADMINISTRATIVE, **salt)
    begin(described, fields=salt)
    value = v2(described, finish(described))
    assert [value[part]["x_lab"] for part in ("project", "dataset", "experiment")] == [salt["x_lab"]] * 3


# --- again -------------------------------------------------------------------------------------------------------


def test_doing_it_again_changes_nothing(described: Watched) -> None:
    begin(described)
    done = finish(described)
    before = described.metadata()
    for by in (ANNA, "ben", "system:trigger-5"):
        assert finish(described, by=by) == Finalised(done.path, 1, False)
    described.reconcile()
    assert described.metadata() == before


def test_what_is_none_of_its_business_makes_no_revision(described: Watched) -> None:
    begin(described, files=("a.txt",))
    done = finish(described)
    described.put(f"{D}/new.txt", "new\n")
    described.put(f"{D}/plate/b.txt", "more\n")
    (described.root / D / "a.txt").chmod(0o440)
    os.utime(described.root / D / "a.txt")
    described.reconcile()
    begin(described, "Another run")
    finish(described, "Another-run")
    assert finish(described) == Finalised(done.path, 1, False)


SOURCES: dict[str, Callable[[Watched], object]] = {
    "project": lambda w: change(w, documents.project_document(w.root, "p_Barley"), PROJECT, keywords=["barley"]),
    "dataset": lambda w: change(w, documents.dataset_document(w.root, D, ADMINISTRATIVE), ADMINISTRATIVE, x_lab=1),
    "structure": lambda w: change(w, documents.dataset_document(w.root, D, "dataset_structural"),
                                  "dataset_structural", scope="leaves"),
    "experiment": lambda w: change(w, documents.run_document(w.root, D, "Heat-shock"), EXPERIMENT, notes="Lane 3."),
    "files": lambda w: (w.put(f"{D}/a.txt", "other\n"), w.reconcile()),
    "moved files": lambda w: (w.move(f"{D}/a.txt", f"{D}/plate/a.txt"), w.reconcile()),
}  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_a_changed_source_makes_a_revision_of_its_own_file(described: Watched, source: str) -> None:
    begin(described)
    first = finish(described)
    before, text = v2(described, first), first.path.read_bytes()
    SOURCES[source](described)
    second = finish(described)
    assert second == Finalised(first.path.with_name(SECOND), 2, True)
    assert first.path.read_bytes() == text
    after = v2(described, second)
    assert after["revision_of"] == before["@id"] != after["@id"]
    assert after["data_object_identifier"] == before["data_object_identifier"]
    assert {each.part for each in differences(before, after)} == {source.removeprefix("moved ")} | (
        {"experiment"} if source == "moved files" else set()
    )
    assert described.manifest(D)["runs"][0]["revision"] == 2
    assert set(described.states(D).values()) == {"present"}
    assert finish(described) == Finalised(second.path, 2, False)
    assert described.check() == []


def test_a_number_that_became_a_truth_value_is_a_difference() -> None:
    one, other = ({"structure": {}, "experiment": {"x_lab": value}} for value in (1, True))
    assert [each.key for each in differences(one, other)] == ["x_lab"]


def test_a_file_that_is_taken_off_the_run_is_v1_again(described: Watched) -> None:
    run = begin(described)
    finish(described)
    change(described, run.path, EXPERIMENT, data_files=["a.txt"])
    assert finish(described).revision == 2
    entries = described.entries(D)
    assert entries["a.txt"]["data_object_version"] == "V2"
    assert entries["plate/b.txt"]["data_object_version"] == "V1"
    assert "run_id" not in entries["plate/b.txt"]
    assert "complete_metadata" not in entries["plate/b.txt"]


# --- what stands in the way -----------------------------------------------------------------------------------------


def test_a_run_that_lacks_something_is_refused_with_each_lack_and_its_place(described: Watched) -> None:
    run = begin(described)
    for key in ("experimenters", "no_protocol_reason"):
        described.edit(f"{run_path()}/experiment_contextual.json", lambda value, key=key: value.pop(key))
    before = described.metadata()
    with pytest.raises(DocumentError, match=r"is not complete") as caught:
        finish(described)
    assert set(caught.value.pointers) == {"/experimenters", "/protocol_references"}
    assert len(caught.value.problems) == 2
    assert str(run.path) in str(caught.value)
    assert described.metadata() == before


def test_files_that_are_not_as_last_seen_stand_in_the_way(described: Watched) -> None:
    for number in range(4):
        described.put(f"{D}/n{number}.txt", f"{number}\n")
    described.reconcile()
    begin(described)
    for number in range(4):
        described.put(f"{D}/n{number}.txt", "something else\n")
    before = described.metadata()
    with pytest.raises(NotAtRestError, match=r"^4 files \('n0.txt', 'n1.txt', 'n2.txt' and 1 more\) are not as last"):
        finish(described)
    assert described.metadata() == before
    described.reconcile()
    assert finish(described).changed


def test_a_file_that_went_stands_in_the_way(described: Watched) -> None:
    begin(described, files=("a.txt",))
    described.remove(f"{D}/a.txt")
    with pytest.raises(NotAtRestError, match=r"'a.txt' is not as last seen"):
        finish(described)
    described.reconcile()
    with pytest.raises(NotAtRestError, match=r"'a.txt' is missing"):
        finish(described)


def test_a_file_that_is_still_being_written_stands_in_the_way_of_a_run_that_takes_all(described: Watched) -> None:
    begin(described)
    described.put(f"{D}/growing.txt", "a")
    described.reconcile(settle_seconds=3600.0)
    with pytest.raises(NotAtRestError, match=r"'growing.txt' is not described") as caught:
        finish(described)
    assert caught.value.files == ("growing.txt",)


def test_a_listed_file_that_is_not_there_stands_in_the_way(described: Watched) -> None:
    begin(described, files=("a.txt", "coming.txt"))
    with pytest.raises(NotAtRestError, match=r"'coming.txt' is not described in the manifest"):
        finish(described)


def within_the_locks(monkeypatch: pytest.MonkeyPatch, first: Callable[[], object] = lambda: None) -> list[str]:
    """Which files are looked at while the store holds its locks; ``first`` happens when it takes them."""
    looked: list[str] = []
    apply, lstat = Store.apply, os.lstat

    def applying(self: Store, records: Any, **more: Any) -> Any:
        first()
        with monkeypatch.context() as patch:
            patch.setattr(rest.os, "lstat", lambda path: (looked.append(os.fspath(path)), lstat(path))[1])
            return apply(self, records, **more)

    monkeypatch.setattr(Store, "apply", applying)
    return looked


def test_the_files_of_a_run_are_looked_at_before_the_locks_are_taken(
    described: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        described.put(f"{D}/many/n{number}.txt", str(number))
    described.reconcile()
    begin(described)
    looked = within_the_locks(monkeypatch)
    assert finish(described).changed
    folder = described.root / D
    own = {Path(path) for path in looked if Path(path).is_relative_to(folder) and METADATA not in Path(path).parts}
    assert own == {folder, folder / "plate", folder / "many"}


@pytest.mark.parametrize("how", ["another takes its place", "a long wait"])
def test_what_happens_to_a_file_until_the_locks_are_taken_stands_in_the_way(
    described: Watched, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    begin(described)

    def meanwhile() -> None:
        other = described.put(f"{D}/{'.other' if how == 'another takes its place' else 'a.txt'}", "c\n")
        if how == "another takes its place":
            other.rename(described.root / D / "a.txt")
        else:
            monkeypatch.setattr(rest, "_JUST_NOW", -1.0)

    within_the_locks(monkeypatch, meanwhile)
    with pytest.raises(NotAtRestError, match=r"'a.txt' is not as last seen"):
        finish(described)
    assert revisions(described) == []


def test_a_pass_tries_a_run_again_when_something_has_changed_and_not_before(
    described: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(described, fields={"instruments_used": ["0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"]})
    described.edit(f"{run_path()}/experiment_contextual.json", lambda value: value.update(status="complete"))
    first = [f.message for f in described.reconcile().findings]
    assert "is not in the registry" in first[0]
    tried: list[str] = []
    real = adoption.finalise
    monkeypatch.setattr(adoption, "finalise", lambda *args, **more: (tried.append(args[3]), real(*args, **more))[1])
    assert [f.message for f in described.reconcile().findings] == first
    assert tried == []
    assert set(described.problems()) == {str(run.path.relative_to(described.root))}
    with described.workspace() as ws:
        new(ws.store, ws.root, {"instrument_name": "LSM 880"}, ANNA)
    described.reconcile()
    assert tried == [run.run_label]
    described.reconcile()
    assert tried == [run.run_label]
    monkeypatch.setattr(waiting, "_AGAIN_SECONDS", 0.0)
    described.reconcile()
    assert tried == [run.run_label] * 2


def test_a_run_without_files_is_refused(described: Watched) -> None:
    begin(described, files=())
    with pytest.raises(DocumentError, match=r"it has no data files") as caught:
        finish(described)
    assert caught.value.pointers == ("/data_files",)


def test_a_file_of_another_run_is_refused(described: Watched) -> None:
    begin(described, files=("a.txt",))
    other = begin(described, "Cold shock", files=("plate/b.txt",))
    change(described, other.path, EXPERIMENT, data_files=["a.txt", "plate/b.txt"])
    with pytest.raises(DocumentError, match=r"'a.txt' belongs to the run 'Heat-shock' too"):
        finish(described, "Cold-shock")


def test_an_instrument_that_is_not_in_the_registry_is_refused(described: Watched) -> None:
    begin(described, fields={"instruments_used": ["3c9d8e7f-1a2b-4c3d-8e4f-5a6b7c8d9e0f"]})
    with pytest.raises(DocumentError, match=r"is not in the registry") as caught:
        finish(described)
    assert caught.value.pointers == ("/instruments_used/0",)


def test_a_run_that_is_not_there_is_told(described: Watched) -> None:
    with pytest.raises(DocumentError, match=r"There is no run 'nothing'"):
        finish(described, "nothing")


# --- with an editor ------------------------------------------------------------------------------------------------


def test_a_run_made_complete_with_an_editor_gets_its_file(described: Watched) -> None:
    begin(described)
    described.reconcile()
    described.edit(f"{run_path()}/experiment_contextual.json", lambda value: value.update(status="complete"))
    described.reconcile()
    value = described.json(f"{run_path()}/{FIRST}")
    assert value["generated_by"] == "filesystem"
    assert described.problems() == {}
    before = described.metadata()
    described.reconcile()
    assert described.metadata() == before
    assert finish(described) == Finalised(described.root / run_path() / FIRST, 1, False)


def test_a_run_that_a_form_made_complete_gets_its_file_in_that_name(described: Watched) -> None:
    run = begin(described)
    change(described, run.path, EXPERIMENT, status="complete")
    described.reconcile()
    assert described.json(f"{run_path()}/{FIRST}")["generated_by"] == ANNA


def test_an_edit_of_a_complete_run_makes_no_revision_by_itself(described: Watched) -> None:
    begin(described)
    finish(described)
    described.edit(f"{run_path()}/experiment_contextual.json", lambda value: value.update(notes="Lane 3."))
    described.reconcile()
    assert revisions(described) == [FIRST]
    assert described.problems() == {}
    assert finish(described).revision == 2


def test_a_run_completed_with_an_editor_while_files_change_waits_for_them(described: Watched) -> None:
    run = begin(described)
    described.reconcile()
    described.put(f"{D}/growing.txt", "a")
    described.edit(f"{run_path()}/experiment_contextual.json", lambda value: value.update(status="complete"))
    described.reconcile(settle_seconds=3600.0)
    assert revisions(described) == []
    told = {p.path: p for p in described.status().problems}[str(run.path.relative_to(described.root))]
    assert told.condition == Condition.PENDING.word
    assert "'growing.txt' is not described" in told.reason
    described.reconcile()
    assert revisions(described) == [FIRST]
    assert described.json(f"{run_path()}/{FIRST}")["generated_by"] == "filesystem"
    assert described.problems() == {}


@pytest.mark.parametrize("key", ["run_id", "dataset_identifier", "outputs"])
def test_a_changed_system_field_of_a_run_is_told_and_not_obeyed(described: Watched, key: str) -> None:
    begin(described)
    described.reconcile()
    path = f"{run_path()}/experiment_contextual.json"
    forged = ["0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"] if key == "outputs" else "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"
    described.edit(path, lambda value: value.update({key: forged}))
    described.reconcile()
    assert f"only the system writes {key}" in described.problems()[path]


def test_a_broken_run_is_told_and_mended(described: Watched) -> None:
    begin(described)
    described.reconcile()
    path = described.root / run_path() / "experiment_contextual.json"
    text = path.read_text()
    path.write_text(text[:-3])
    described.reconcile()
    assert "is not valid JSON" in described.problems()[f"{run_path()}/experiment_contextual.json"]
    path.write_text(text)
    described.reconcile()
    assert described.problems() == {}


def test_a_refused_edit_of_the_manifest_is_fixed_in_no_file(described: Watched) -> None:
    begin(described)
    described.reconcile()
    manifest, run = f"{D}/.metadata/dataset_structural.json", f"{run_path()}/experiment_contextual.json"
    before = (described.root / manifest).read_bytes()
    described.edit(manifest, lambda value: value["file_descriptions"][0]["checksum"].update(value="0" * 64))
    with pytest.raises(StoreError, match=r"dataset_structural.json was edited on disk, and the edit is not accepted"):
        finish(described)
    described.edit(run, lambda value: value.update(status="complete"))
    for _ in range(2):
        described.reconcile()
        assert revisions(described) == []
        assert described.problems().keys() == {manifest}
    (described.root / manifest).write_bytes(before)
    described.reconcile()
    assert revisions(described) == [FIRST]
    assert described.problems() == {}


def test_a_former_manifest_that_was_put_back_is_fixed_in_no_file(described: Watched) -> None:
    begin(described)
    path = described.root / D / ".metadata/dataset_structural.json"
    before = path.read_bytes()
    described.put(f"{D}/a.txt", "other\n")
    described.reconcile()
    path.write_bytes(before)
    with pytest.raises(StoreError, match=r"dataset_structural.json was edited on disk"):
        finish(described)


def test_a_refused_edit_of_a_run_is_not_finished(described: Watched) -> None:
    begin(described)
    described.reconcile()
    path, forged = f"{run_path()}/experiment_contextual.json", "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"
    described.edit(path, lambda value: value.update(status="complete", run_id=forged))
    for _ in range(2):
        described.reconcile()
        assert "only the system writes run_id" in described.problems()[path]
        assert revisions(described) == []
        assert "runs" not in described.manifest(D)
    with pytest.raises(StoreError, match=r"experiment_contextual.json was edited on disk"):
        finish(described)


def test_an_instrument_edited_with_an_editor_is_judged_like_other_documents(described: Watched) -> None:
    with described.workspace() as ws:
        path = new(ws.store, ws.root, {"instrument_name": "LSM 880"}, ANNA)
    relative = str(path.relative_to(described.root))
    described.reconcile()
    change(described, path, documents.INSTRUMENT, serial_number="4711")
    described.edit(relative, lambda value: value.update(description="Confocal."))
    described.reconcile()
    assert described.problems() == {}
    described.edit(relative, lambda value: value.update(instrument_identifier="0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"))
    described.reconcile()
    assert "only the system writes instrument_identifier" in described.problems()[relative]


def test_a_complete_file_changed_with_an_editor_is_told_and_never_written_over(described: Watched) -> None:
    begin(described)
    done = finish(described)
    described.reconcile()
    text = done.path.read_text().replace("Exploratory.", "Forged.")
    done.path.write_text(text)
    described.reconcile()
    name = str(done.path.relative_to(described.root))
    assert "was changed after it was written" in described.problems()[name]
    assert any("was changed after it was written" in line for line in described.check())
    second = finish(described)
    assert (second.revision, done.path.read_text()) == (2, text)


def test_a_complete_file_that_lost_a_part_is_followed_by_a_whole_one(described: Watched) -> None:
    begin(described)
    done = finish(described)
    described.reconcile()
    described.edit(str(done.path.relative_to(described.root)), lambda value: value.pop("experiment"))
    described.reconcile()
    assert finish(described) == Finalised(done.path.with_name(SECOND), 2, True)


# --- crashes ---------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone at this very point."""


def killed_before(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The process ends just before the document of this name would take its place."""
    replace = Prepared.replace

    def dying(self: Prepared) -> Any:
        if self.path.name.startswith(name):
            raise Killed
        return replace(self)

    monkeypatch.setattr(Prepared, "replace", dying)


POINTS = {
    "the sequence": (".sequence", []),
    "the run": ("experiment_contextual.json", []),
    "the file": ("data_object", [FIRST]),
    "the manifest": ("dataset_structural.json", [FIRST]),
}


@pytest.mark.parametrize("point", POINTS)
def test_what_a_crash_leaves_is_finished_by_the_next_pass(
    described: Watched, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    name, expected = POINTS[point]
    begin(described)
    described.reconcile()
    with monkeypatch.context() as patch:
        killed_before(patch, name)
        with pytest.raises(Killed):
            finish(described)
    text = (described.root / run_path() / FIRST).read_bytes() if point == "the manifest" else b""
    described.reconcile()
    assert revisions(described) == expected
    if expected:
        assert described.manifest(D)["runs"][0]["revision"] == 1
        assert described.json(f"{run_path()}/{FIRST}")["generated_by"] == ANNA
        assert {e["data_object_version"] for e in described.entries(D).values()} == {"V2"}
    if text:
        assert (described.root / run_path() / FIRST).read_bytes() == text
    assert described.problems() == {}
    assert described.check() == []
    assert finish(described) == Finalised(described.root / run_path() / FIRST, 1, not expected)


def test_a_second_revision_that_no_manifest_names_is_adopted(
    described: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(described)
    finish(described)
    change(described, run.path, EXPERIMENT, notes="Lane 3.")
    with monkeypatch.context() as patch:
        killed_before(patch, "dataset_structural.json")
        with pytest.raises(Killed):
            finish(described)
    described.put(f"{D}/a.txt", "changed meanwhile\n")
    described.reconcile()
    assert described.manifest(D)["runs"][0]["revision"] == 2
    assert described.states(D) == {"a.txt": "changed", "plate/b.txt": "present"}
    assert revisions(described) == [FIRST, SECOND]


def test_a_crash_loses_nothing_when_the_state_is_lost_too(described: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(described)
    with monkeypatch.context() as patch:
        killed_before(patch, "dataset_structural.json")
        with pytest.raises(Killed):
            finish(described)
    described.lose_state()
    described.reconcile()
    assert described.manifest(D)["runs"][0]["revision"] == 1


def test_a_complete_file_edited_before_a_manifest_named_it_does_not_become_the_official_one(
    described: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(described)
    described.reconcile()
    with monkeypatch.context() as patch:
        killed_before(patch, "dataset_structural.json")
        with pytest.raises(Killed):
            finish(described)
    path = described.root / run_path() / FIRST
    path.write_bytes(path.read_bytes().replace(b"Heat shock", b"Heat sh0ck"))
    described.reconcile()
    assert "was changed after it was written" in described.problems()[f"{run_path()}/{FIRST}"]
    assert described.manifest(D)["runs"][0]["revision"] == 2
    assert b"Heat sh0ck" not in (described.root / run_path() / SECOND).read_bytes()


@pytest.mark.parametrize("point", ["experiment", "dataset_structural"])
def test_crashes_one_after_another_leave_what_stands_known_as_ours(
    described: Watched, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    begin(described, files=("a.txt",))
    begin(described, "Cold shock", files=("plate/b.txt",))
    described.reconcile()
    finish(described)  # its manifest is seen by no pass before what follows
    for _ in range(2):
        with monkeypatch.context() as patch:
            killed_before(patch, point)
            with pytest.raises(Killed):
                finish(described, "Cold-shock")
    path = documents.dataset_document(described.root, D, ADMINISTRATIVE)
    change(described, path, ADMINISTRATIVE, x_lab=1)
    described.put(f"{D}/new.txt", "new\n")
    described.reconcile()
    assert described.problems() == {}
    assert set(described.entries(D)) == {"a.txt", "new.txt", "plate/b.txt"}
    assert finish(described, "Cold-shock").changed
    assert described.check() == []


# --- copies and moves ------------------------------------------------------------------------------------------------


def test_the_complete_files_of_a_copy_count_for_nothing(described: Watched) -> None:
    run = begin(described)
    done = finish(described)
    described.reconcile()
    described.copy(D, "p_Barley/copy")
    described.reconcile()
    assert "runs" not in described.manifest("p_Barley/copy")
    assert {e["data_object_version"] for e in described.entries("p_Barley/copy").values()} == {"V1"}
    copied = described.json(f"{run_path(dataset='p_Barley/copy')}/experiment_contextual.json")
    assert copied["status"] == "draft"
    assert copied["run_id"] != run.run_id
    assert described.problems() == {}
    own = finish(described, dataset="p_Barley/copy")
    assert own.changed
    value = v2(described, own)
    assert "revision_of" not in value
    assert value["data_object_identifier"] != v2(described, done)["data_object_identifier"]
    assert (described.root / run_path(dataset="p_Barley/copy") / FIRST).read_bytes() == done.path.read_bytes()
    assert described.check() == []


def test_a_moved_dataset_keeps_its_runs(described: Watched) -> None:
    begin(described)
    finish(described)
    described.reconcile()
    described.move(D, "p_Barley/stems")
    described.reconcile()
    done = finish(described, dataset="p_Barley/stems")
    assert done == Finalised(described.root / run_path(dataset="p_Barley/stems") / FIRST, 1, False)
    assert described.problems() == {}


def test_a_moved_file_stays_with_its_run(described: Watched) -> None:
    run = begin(described)
    finish(described)
    described.move(f"{D}/a.txt", f"{D}/plate/a.txt")
    described.reconcile()
    assert described.entries(D)["plate/a.txt"]["run_id"] == run.run_id
    finish(described)
    experiment = described.json(f"{run_path()}/experiment_contextual.json")
    assert experiment["data_files"] == ["plate/a.txt", "plate/b.txt"]


def test_a_name_that_is_no_utf8_is_part_of_a_run(described: Watched) -> None:
    (described.root / os.fsdecode(os.fsencode(D) + b"/caf\xe9.txt")).write_text("x")
    described.reconcile()
    begin(described)
    done = finish(described)
    paths = [e["path"] for e in v2(described, done)["structure"]["file_descriptions"]]
    assert "caf%E9.txt" in paths
    assert finish(described) == Finalised(done.path, 1, False)


# --- whatever people write -------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12).filter(str.strip)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def test_a_copy_of_a_runs_folder_takes_nothing_over(described: Watched) -> None:
    run = begin(described, files=("a.txt",))
    finish(described)
    described.reconcile()
    described.copy(run_path(), run_path("Copy"))
    change(described, run.path.parents[1] / "Copy" / run.path.name, EXPERIMENT, data_files=["plate/b.txt"])
    before = described.metadata()
    told = {f.path for f in described.reconcile().findings if f.rule == "run"}
    assert told == {f"{run_path(name)}/experiment_contextual.json" for name in ("Heat-shock", "Copy")}
    for label in ("Heat-shock", "Copy"):
        with pytest.raises(DocumentError, match=r"holds the same run; remove the folder that is the copy"):
            finish(described, label)
    assert described.metadata() == before
    described.remove(run_path("Copy"))
    assert described.reconcile().findings == []
    assert not finish(described).changed


def test_a_runs_folder_copied_into_another_dataset_is_no_run_of_it(described: Watched) -> None:
    begin(described, files=("a.txt",))
    finish(described)
    described.put("p_Barley/stems/a.txt", "stem\n")
    described.reconcile()
    described.copy(run_path(), run_path(dataset="p_Barley/stems"))
    path = f"{run_path(dataset='p_Barley/stems')}/experiment_contextual.json"
    for _ in range(2):
        described.reconcile()
        assert described.problems().keys() == {path}
    assert "runs" not in described.manifest("p_Barley/stems")
    with pytest.raises(DocumentError, match=r"it is a run of another dataset"):
        finish(described, dataset="p_Barley/stems")


# --- the files of others ---------------------------------------------------------------------------------------------

LOSSES: dict[str, Callable[[Path], object]] = {
    "broken": lambda path: path.write_text(path.read_text()[:-3]),
    "deleted": lambda path: path.unlink(),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_run_whose_document_is_lost_keeps_its_files(described: Watched, loss: str) -> None:
    run = begin(described)
    finish(described)
    described.put(f"{D}/new.txt", "new\n")
    described.reconcile()
    LOSSES[loss](run.path)
    described.reconcile()
    begin(described, "Cold shock")
    if loss == "broken":
        with pytest.raises(DocumentError, match=r"cannot be read, so its files are not known"):
            finish(described, "Cold-shock")
    cold = documents.run_document(described.root, D, "Cold-shock")
    change(described, cold, EXPERIMENT, data_files=["a.txt", "new.txt"])
    with pytest.raises(DocumentError, match=r"'a.txt' belongs to the run 'Heat-shock' too"):
        finish(described, "Cold-shock")
    with described.workspace() as ws:
        ws.store.change(
            cold, EXPERIMENT, lambda old: {k: (old or {})[k] for k in old or {} if k != "data_files"}, by=ANNA
        )
    if loss == "deleted":
        finish(described, "Cold-shock")
        owners = {name: entry["run_id"] == run.run_id for name, entry in described.entries(D).items()}
        assert owners == {"a.txt": True, "plate/b.txt": True, "new.txt": False}


def test_a_file_that_waits_is_seen_however_many_wait_elsewhere(described: Watched) -> None:
    begin(described)
    for number in range(1_001):
        described.put(f"p_Barley/other/{number}.txt", "x")
    described.reconcile("p_Barley/other", settle_seconds=3600.0)
    described.put(f"{D}/growing.txt", "a")
    described.reconcile(D, settle_seconds=3600.0)
    with pytest.raises(NotAtRestError, match=r"'growing.txt' is not described"):
        finish(described)


def test_a_file_described_after_its_manifest_was_made_anew_is_marked_again(described: Watched) -> None:
    run = begin(described)
    finish(described)
    described.reconcile()
    described.remove(f"{D}/.metadata/dataset_structural.json")
    time.sleep(0.1)
    os.utime(described.root / D / "a.txt")
    with standing_still((described.root / D / "a.txt").stat().st_ctime_ns):
        described.reconcile(settle_seconds=0.05)
    versions = {name: entry["data_object_version"] for name, entry in described.entries(D).items()}
    assert versions.get("a.txt", "V1") == "V1"
    assert versions["plate/b.txt"] == "V2"
    described.reconcile()
    assert {name: entry["run_id"] for name, entry in described.entries(D).items()} == {
        "a.txt": run.run_id,
        "plate/b.txt": run.run_id,
    }
    before = described.metadata()
    described.reconcile()
    assert described.metadata() == before
    assert described.problems() == {}


def test_a_whole_pass_that_gave_way_looks_at_the_runs_of_every_dataset(described: Watched) -> None:
    begin(described)
    described.put("p_Zea/z/x.txt", "x")
    described.reconcile()
    described.edit(f"{run_path()}/experiment_contextual.json", lambda value: value.update(status="complete"))
    asked = iter([False, True])
    with described.workspace() as ws:
        unfinished = Unfinished()
        assert reconcile(ws, wait=False, enough=lambda: next(asked), unfinished=unfinished).unfinished
        reconcile(ws, wait=False, unfinished=unfinished)
    assert revisions(described) == [FIRST]


@hypothesis.settings(
    max_examples=15, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], deadline=None
)
@hypothesis.given(names=st.lists(TEXT, min_size=2, max_size=2), said=st.lists(VALUES, min_size=3, max_size=3))
def test_whatever_is_said_finalising_again_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], said: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "data").mkdir()
    watched = Watched(folder / "data", folder / "state")
    watched.put(f"{D}/a.txt", "a\n")
    watched.reconcile()
    change(watched, documents.project_document(watched.root, "p_Barley"), PROJECT, x_lab=said[0])
    change(watched, documents.dataset_document(watched.root, D, ADMINISTRATIVE), ADMINISTRATIVE, x_lab=said[1])
    run = begin(watched, names[0], {"x_lab": said[2], "notes": names[1]})
    done = finish(watched, run.run_label)
    assert done.changed
    value = v2(watched, done)
    assert [value[part].get("x_lab") for part in ("project", "dataset", "experiment")] == said
    before = watched.metadata()
    assert finish(watched, run.run_label) == Finalised(done.path, 1, False)
    watched.reconcile()
    assert watched.metadata() == before
    assert watched.check() == []
    assert watched.problems() == {}


@pytest.mark.parametrize("label", ["../../../etc", "..", "", "Heat-shock/../Heat-shock", "/etc"])
def test_a_label_that_is_a_path_leads_nowhere(described: Watched, label: str) -> None:
    begin(described)
    before = described.metadata()
    with pytest.raises(DocumentError, match=r"There is no run"):
        finish(described, label)
    assert described.metadata() == before


def test_a_run_whose_folder_was_renamed_is_found_by_its_label(described: Watched) -> None:
    begin(described)
    described.move(run_path(), run_path("Other"))
    assert finish(described).path.name == "data_object_Other_v2_metadata.json"
    described.reconcile()
    assert described.check() == []


def test_a_pass_names_the_file_of_a_run_whose_folder_was_renamed(described: Watched) -> None:
    run = begin(described)
    finish(described)
    described.reconcile()
    described.move(run_path(), run_path("Other"))
    described.reconcile()
    name = f".metadata/runs/Other/{FIRST}"
    (told,) = described.manifest(D)["runs"]
    assert (told["run_id"], told["complete_metadata"], told["revision"]) == (run.run_id, name, 1)
    assert {e["complete_metadata"] for e in described.entries(D).values()} == {name}
    assert (described.problems(), described.check()) == ({}, [])
    assert finish(described, "Other") == Finalised(described.root / run_path("Other") / FIRST, 1, False)
    before = described.metadata()
    described.reconcile()
    assert described.metadata() == before


def test_a_copy_of_a_run_that_was_changed_is_not_named_for_the_one_that_went(described: Watched) -> None:
    begin(described)
    done = finish(described)
    described.move(run_path(), run_path("Other"))
    described.edit(f"{run_path('Other')}/{FIRST}", lambda value: value.update(x_forged=True))
    described.reconcile()
    assert f"{done.path} is not there any more" in described.problems()[f"{run_path()}/{FIRST}"]


def test_a_complete_file_that_was_deleted_is_told_until_it_is_back(described: Watched) -> None:
    begin(described)
    done = finish(described)
    described.reconcile()
    text, path = done.path.read_bytes(), f"{run_path()}/{FIRST}"
    done.path.unlink()
    for scope in (None, "p_Barley", None):
        told = [f for f in described.reconcile(scope).findings if f.path == path]
        assert scope or "is not there any more; put it back, or complete the run 'Heat-shock' again." in told[0].message
        assert path in described.problems()
    before = described.status().problems
    described.reconcile()
    assert described.status().problems == before, "it is told since when it is known"
    done.path.write_bytes(text)
    described.reconcile()
    assert (described.problems(), described.check()) == ({}, [])
    done.path.unlink()
    described.reconcile()
    assert finish(described).revision == 2
    described.reconcile()
    assert described.problems() == {}


_KILLED = """
import os, signal, sys
from pathlib import Path
from ingest.complete import finalise
from ingest.settings import EngineSettings
from ingest.texts import Prepared
from ingest.workspace import open_workspace

root, state, name = sys.argv[1:]
replace = Prepared.replace

def dying(self):
    if self.path.name.startswith(name):
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self)

Prepared.replace = dying
with open_workspace(Path(root), EngineSettings(state_dir=Path(state), settle_seconds=0.0)) as ws:
    finalise(ws.store, ws.root, "p_Barley/leaves", "Heat-shock", "anna", ws.seen)
"""


@pytest.mark.parametrize("point", POINTS)
def test_a_process_killed_at_any_point_leaves_nothing_half(described: Watched, point: str) -> None:
    name, expected = POINTS[point]
    begin(described)
    command = [sys.executable, "-c", _KILLED, str(described.root), str(described.state), name]
    assert subprocess.run(command, cwd=CHECKOUT).returncode == -signal.SIGKILL
    described.reconcile()
    described.reconcile()
    assert revisions(described) == expected
    assert described.problems() == {}
    assert described.check() == []
    assert finish(described).revision == 1
    assert not list(described.root.rglob("*.tmp")), "what a crash leaves is swept by whoever writes next"
