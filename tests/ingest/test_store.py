"""The only writer of metadata: nothing lost between writers, nothing written that is not valid, nothing half."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import documents, manifest
from ingest.documents import ADMINISTRATIVE, PROJECT, STRUCTURAL
from ingest.errors import BusyError, ConflictError, DocumentError, FairfolderError, StoreError
from ingest.locking import lock_file
from ingest.records import Change, EntriesChange, Record
from ingest.schema import SchemaSet
from ingest.store import Store
from tests.ingest.watched import Value, Watched

D = "p_Barley/leaves"
ANNA = "anna"


@pytest.fixture
def described(watched: Watched) -> Watched:
    watched.put(f"{D}/a.txt", "a\n")
    watched.put(f"{D}/b.txt", "b\n")
    watched.reconcile()
    return watched


def store_of(watched: Watched, **more: Any) -> Store:
    return Store(watched.root, SchemaSet(watched.root / ".template_schemas"), **more)


def administrative(watched: Watched) -> Path:
    return documents.dataset_document(watched.root, D, ADMINISTRATIVE)


def setting(**fields: Any) -> Callable[[Value | None], Value]:
    return lambda old: {**(old or {}), **fields}


def test_a_persons_change_is_stamped_with_the_person(described: Watched) -> None:
    before = described.administrative(D)
    store = store_of(described)
    outcome = store.change(administrative(described), ADMINISTRATIVE, setting(dataset_title="Leaves"), by=ANNA)
    after = described.administrative(D)
    assert after["last_modified_by"] == ANNA
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", after["last_modified_date"])
    stamps = ("last_modified_by", "last_modified_date")
    assert {k: v for k, v in after.items() if k not in stamps} == {
        **{k: v for k, v in before.items() if k not in stamps},
        "dataset_title": "Leaves",
    }
    assert {w.path.name for w in outcome.written} == {
        "dataset_administrative.json",
        f"{before['dataset_identifier']}.json",
    }
    entry = described.registry()[before["dataset_identifier"]]
    assert entry["last_modified_by"] == ANNA
    described.reconcile()
    assert described.problems() == {}, "what the store wrote is not taken for an edit"
    assert described.administrative(D) == after
    assert described.check() == []


def test_a_person_cannot_change_what_only_the_system_writes(described: Watched) -> None:
    before = described.administrative(D)

    def forge(old: Value | None) -> Value:
        forged = dict.fromkeys(documents.SYSTEM_KEYS[ADMINISTRATIVE], "forged")
        return {**(old or {}), **forged, "dataset_title": "Leaves"}

    store_of(described).change(administrative(described), ADMINISTRATIVE, forge, by=ANNA)
    after = described.administrative(D)
    assert after.pop("dataset_title") == "Leaves"
    for value in (before, after):
        del value["last_modified_by"], value["last_modified_date"]
    assert after == before


def test_a_person_cannot_change_the_entries_of_a_manifest(described: Watched) -> None:
    before = described.manifest(D)
    path = documents.dataset_document(described.root, D, STRUCTURAL)
    forged = setting(file_descriptions=[], file_count=0, formats=[], structure_description="One per leaf")
    store_of(described).change(path, STRUCTURAL, forged, by=ANNA)
    after = described.manifest(D)
    assert after["structure_description"] == "One per leaf"
    for key in ("file_descriptions", "file_count", "formats", "total_size_bytes"):
        assert after[key] == before[key]
    assert manifest.split(path.read_bytes()) is not None


def test_a_persons_words_on_the_files_leave_their_entries_the_text_they_are(described: Watched) -> None:
    path = documents.dataset_document(described.root, D, STRUCTURAL)
    before = manifest.split(path.read_bytes())
    assert before is not None
    seen = []

    def scoped(old: Value | None) -> Value:
        seen.append(old)
        return {**(old or {}), "scope": "Leaves only"}

    store_of(described).change(path, STRUCTURAL, scoped, by=ANNA)
    assert [value["file_descriptions"] for value in seen] == [[]]
    after = manifest.split(path.read_bytes())
    assert after is not None
    assert after.raw[after.start : after.end] == before.raw[before.start : before.end]


def test_of_a_manifest_that_was_edited_on_disk_every_entry_is_judged(described: Watched) -> None:
    path = documents.dataset_document(described.root, D, STRUCTURAL)
    path.write_bytes(path.read_bytes().replace(b'"size_bytes":2', b'"size_bytes":"two"', 1))
    with pytest.raises(DocumentError, match="/file_descriptions/0/size_bytes"):
        store_of(described).change(path, STRUCTURAL, setting(scope="Leaves only"), by=ANNA)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"dataset_title": 5}, "/dataset_title"),
        ({"status": "finished"}, "/status"),
        ({"status": "complete"}, "is not valid"),
        ({"license": "not a licence!"}, "/license"),
    ],
)
def test_an_invalid_change_is_refused_with_nothing_written(
    described: Watched, fields: dict[str, Any], told: str
) -> None:
    before = described.metadata()
    with pytest.raises(DocumentError, match=re.escape(told)) as caught:
        store_of(described).change(administrative(described), ADMINISTRATIVE, setting(**fields), by=ANNA)
    assert caught.value.problems
    assert str(administrative(described)) in str(caught.value)
    assert described.metadata() == before


def test_a_change_that_saw_an_older_version_is_refused(described: Watched) -> None:
    store, path = store_of(described), administrative(described)
    seen = store.read(path, ADMINISTRATIVE).etag
    store.change(path, ADMINISTRATIVE, setting(dataset_title="First"), by=ANNA, if_match=seen)
    before = described.metadata()
    with pytest.raises(ConflictError, match="was changed by someone else since you opened it") as caught:
        store.change(path, ADMINISTRATIVE, setting(dataset_title="Second"), by="ben", if_match=seen)
    assert caught.value.expected == seen
    assert caught.value.found == store.read(path, ADMINISTRATIVE).etag
    assert described.metadata() == before


def test_a_burst_of_files_never_breaks_an_open_form(described: Watched) -> None:
    path = documents.dataset_document(described.root, D, STRUCTURAL)
    seen = store_of(described).read(path, STRUCTURAL).etag
    for i in range(5):
        described.put(f"{D}/burst{i}.txt", f"{i}\n")
    described.reconcile()
    store_of(described).change(path, STRUCTURAL, setting(scope="leaves"), by=ANNA, if_match=seen)
    assert described.manifest(D)["scope"] == "leaves"
    assert len(described.entries(D)) == 7


def test_an_etag_speaks_of_peoples_fields_in_any_order() -> None:
    value = {"a": 1, "dataset_title": "x", "created_by": "y", "@id": "z"}
    same = {"dataset_title": "x", "a": 1, "created_by": "other"}
    assert documents.etag(ADMINISTRATIVE, value) == documents.etag(ADMINISTRATIVE, same)
    assert documents.etag(ADMINISTRATIVE, value) != documents.etag(ADMINISTRATIVE, {**value, "a": 2})


def test_a_change_that_changes_nothing_writes_nothing(described: Watched) -> None:
    before = described.metadata()
    path = administrative(described)
    assert store_of(described).change(path, ADMINISTRATIVE, lambda old: old, by=ANNA).written == ()
    assert store_of(described).change(path, ADMINISTRATIVE, lambda old: None, by=ANNA).written == ()
    assert described.metadata() == before


def test_a_broken_document_is_not_overwritten(described: Watched) -> None:
    path = administrative(described)
    path.write_text("{ broken")
    with pytest.raises(DocumentError, match="is not valid JSON"):
        store_of(described).change(path, ADMINISTRATIVE, setting(dataset_title="x"), by=ANNA)
    assert path.read_text() == "{ broken"


def test_documents_of_one_record_are_written_together_or_not_at_all(described: Watched) -> None:
    before = described.metadata()
    identifier = described.administrative(D)["dataset_identifier"]
    path = documents.dataset_document(described.root, D, STRUCTURAL)

    def bad(entries: Any) -> dict[bytes, Value | None]:
        return {manifest.key_for({"path": "x"}): {"path": "x", "file_identifier": "no UUID", "size_bytes": 1}}

    good = Change(administrative(described), ADMINISTRATIVE, setting(dataset_title="Leaves"))
    entries = EntriesChange(path, frozenset([manifest.key_for({"path": "x"})]), bad)
    (outcome,) = store_of(described).apply([Record("dataset", identifier, D, (good, entries))], by="system:test")
    assert isinstance(outcome.error, DocumentError)
    assert outcome.written == ()
    assert described.metadata() == before


def test_nothing_is_written_where_another_folder_stands_by_now(described: Watched) -> None:
    """The record was decided on before somebody moved its folder away and put another one in its place."""
    folder = described.root / D
    known = (folder.stat().st_dev, folder.stat().st_ino)
    identifier = described.administrative(D)["dataset_identifier"]
    described.move(D, "p_Barley/moved")
    described.copy("p_Barley/moved", D)
    before = described.metadata()
    change = Change(administrative(described), ADMINISTRATIVE, setting(dataset_title="Leaves"))
    record = Record("dataset", identifier, D, (change,), folder=known)
    (outcome,) = store_of(described).apply([record], by="system:test")
    assert "it was moved or replaced in the meantime; it is looked at again" in str(outcome.error)
    assert described.metadata() == before


def test_one_records_trouble_holds_up_no_other(described: Watched) -> None:
    described.put("p_Rye/leaves/a.txt")
    described.reconcile()
    rye = documents.dataset_document(described.root, "p_Rye/leaves", ADMINISTRATIVE)
    rye.write_text("{ broken")
    records = [
        Record("dataset", described.manifest(p)["dataset_identifier"], p, (Change(d, ADMINISTRATIVE, setting(x=1)),))
        for p, d in (("p_Rye/leaves", rye), (D, administrative(described)))
    ]
    first, second = store_of(described).apply(records, by="system:test")
    assert isinstance(first.error, DocumentError)
    assert second.error is None
    assert described.administrative(D)["x"] == 1


def test_leftovers_of_a_crash_are_swept_and_nothing_else(described: Watched) -> None:
    folder = described.root / D / ".metadata"
    left = [folder / f".dataset_structural.json.{'0a' * 6}.tmp", described.root / ".metadata" / "registry" / (
        f".x.json.{'b1' * 6}.tmp")]  # fmt: skip
    kept = [folder / "notes.tmp", folder / ".dataset_structural.json.swp", folder / ".x.tmp"]
    for path in (*left, *kept):
        path.write_text("{")
    described.put(f"{D}/c.txt")
    described.reconcile()
    assert [p for p in left if p.exists()] == []
    assert all(p.exists() for p in kept)
    assert described.check() == []


def test_a_lock_held_by_another_is_waited_for_and_named(described: Watched) -> None:
    store = store_of(described, lock_seconds=0.1)
    lock = lock_file(described.root / D / ".metadata" / ".lock", 1.0)
    with lock, pytest.raises(BusyError, match=r"\.lock has been locked by another process"):
        store.change(administrative(described), ADMINISTRATIVE, setting(x=1), by=ANNA)
    store.change(administrative(described), ADMINISTRATIVE, setting(x=1), by=ANNA)
    assert described.administrative(D)["x"] == 1


@pytest.mark.parametrize("inside", [f"{D}/.metadata", f"{D}/.metadata/runs", f"{D}/.metadata/runs/run 1"])
def test_nothing_is_written_through_a_link(described: Watched, tmp_path: Path, inside: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = described.root / inside
    if target.exists():
        target.rename(tmp_path / "kept")
    target.parent.mkdir(exist_ok=True, parents=True)
    target.symlink_to(tmp_path / "elsewhere")
    path = described.root / D / ".metadata" / "runs" / "run 1" / "experiment_contextual.json"
    record = Record("", "", "", (Change(path, documents.EXPERIMENT, setting(x=1)),))
    (outcome,) = store_of(described).apply([record], by="system:test")
    assert isinstance(outcome.error, StoreError)
    assert "symbolic link" in str(outcome.error)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_local_schema_decides_and_names_itself(described: Watched) -> None:
    local = described.folder(".template_schemas") / "project_descriptive.json"
    iri = "https://example.org/schemas/barley_project/2.1.0"
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": iri,
        "$ref": "https://w3id.org/fairfolder/schemas/project_descriptive/1.0.0",
        "properties": {"grant_code": {"type": "string", "pattern": "^B[0-9]+$"}},
    }
    local.write_text(json.dumps(schema))
    path = documents.project_document(described.root, "p_Barley")
    store = store_of(described)
    with pytest.raises(DocumentError, match="grant_code"):
        store.change(path, PROJECT, setting(grant_code="x"), by=ANNA)
    store.change(path, PROJECT, setting(grant_code="B7"), by=ANNA)
    assert described.project("p_Barley")["$schema"] == iri
    described.folder("p_Rye")
    described.reconcile()
    assert described.project("p_Rye")["$schema"] == iri
    assert described.check() == []
    local.write_text("{ broken")
    described.folder("p_Oats")
    described.reconcile()
    assert described.project("p_Oats")["$schema"] == documents.schema_iri(PROJECT)
    (override,) = described.status().overrides
    assert override["path"] == str(local)
    assert not override["in_force"]
    assert override["reason"]
    assert not described.status().healthy


@pytest.mark.parametrize("reference", ["http://127.0.0.1:9/x.json", "file:///etc/passwd", "../../../etc/passwd"])
def test_a_local_schema_that_points_elsewhere_is_refused_and_the_packaged_one_stays(
    watched: Watched, reference: str
) -> None:
    """FA-54, the engine's side."""
    local = watched.folder(".template_schemas") / "project_descriptive.json"
    local.write_text(json.dumps({"$id": "https://example.org/x/1.0.0", "$ref": reference}))
    watched.put(f"{D}/a.txt")
    watched.reconcile()
    assert watched.project("p_Barley")["$schema"] == documents.schema_iri(PROJECT)
    (override,) = watched.status().overrides
    assert not override["in_force"]
    assert override["reason"]
    assert watched.check() == []


# --- many writers -----------------------------------------------------------------------------------------------


def _change_often(root: Path, number: int, times: int) -> None:
    store = Store(root, SchemaSet(None), lock_seconds=120)
    path = documents.dataset_document(root, D, ADMINISTRATIVE)
    for i in range(times):

        def append(old: Value | None, text: str = f"{number}-{i}") -> Value:
            value = dict(old or {})
            return {**value, "keywords": [*value.get("keywords", []), text]}

        store.change(path, ADMINISTRATIVE, append, by=f"user{number}")


def test_eight_processes_lose_no_change_to_one_document(described: Watched, count: Callable[[int, int], int]) -> None:
    times = count(10, 50)
    before = max(e["sequence"] for e in described.registry().values())
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_change_often, args=(described.root, n, times)) for n in range(8)]
    for worker in workers:
        worker.start()
    for i in range(3):
        described.put(f"{D}/meanwhile{i}.txt", f"{i}\n")
        described.reconcile()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    keywords = described.administrative(D)["keywords"]
    assert sorted(keywords) == sorted(f"{n}-{i}" for n in range(8) for i in range(times))
    for n in range(8):
        assert [k for k in keywords if k.startswith(f"{n}-")] == [f"{n}-{i}" for i in range(times)], "in order"
    described.reconcile()
    after = max(e["sequence"] for e in described.registry().values())
    assert after >= before + 8 * times
    assert described.check() == []
    assert described.problems() == {}
    assert set(described.states(D)) == {"a.txt", "b.txt", *(f"meanwhile{i}.txt" for i in range(3))}


def _save_form(root: Path, number: int, times: int, results: Any) -> None:
    store = Store(root, SchemaSet(None), lock_seconds=120)
    path = documents.dataset_document(root, D, ADMINISTRATIVE)
    saved = conflicts = 0
    while saved < times:
        seen = store.read(path, ADMINISTRATIVE)
        count = seen.value.get("x_count", 0)
        try:
            store.change(path, ADMINISTRATIVE, setting(x_count=count + 1), by=f"u{number}", if_match=seen.etag)
            saved += 1
        except ConflictError:
            conflicts += 1
    results.put((saved, conflicts))


def test_of_many_forms_saved_at_once_each_version_has_one_success(
    described: Watched, count: Callable[[int, int], int]
) -> None:
    times = count(6, 100)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=_save_form, args=(described.root, n, times, results)) for n in range(4)]
    for worker in workers:
        worker.start()
    told = [results.get(timeout=300) for _ in workers]
    for worker in workers:
        worker.join(120)
    assert [saved for saved, _ in told] == [times] * 4
    assert described.administrative(D)["x_count"] == 4 * times


def test_a_file_system_without_locks_gets_one_writer_and_says_so(
    described: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import fcntl

    real = fcntl.flock

    def unsupported(fd: int, operation: int) -> None:
        if os.readlink(f"/proc/self/fd/{fd}").startswith(str(described.root)):
            raise OSError(errno.ENOLCK, "No locks available")
        real(fd, operation)

    monkeypatch.setattr(fcntl, "flock", unsupported)
    store = store_of(described, state=described.state)
    store.change(administrative(described), ADMINISTRATIVE, setting(x=1), by=ANNA)
    assert described.administrative(D)["x"] == 1
    assert "has no working locks" in store.lock_notice
    with pytest.raises(StoreError, match="No locks available"):
        store_of(described).change(administrative(described), ADMINISTRATIVE, setting(x=2), by=ANNA)


def test_every_error_of_the_store_is_one_of_ours() -> None:
    assert {BusyError, ConflictError, DocumentError, StoreError} <= set(FairfolderError.__subclasses__())
