"""What people do to metadata on disk with an editor: kept where it is theirs, reported where it is not, never lost."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import instruments
from ingest.errors import DocumentError
from ingest.records import Change, Record
from ingest.schema import SchemaSet
from ingest.seen import state_folder
from ingest.store import Store
from tests.ingest.watched import Value, Watched

D = "p_Barley/leaves"
PROJECT = "p_Barley/.metadata/project_descriptive.json"
ADMINISTRATIVE = f"{D}/.metadata/dataset_administrative.json"
MANIFEST = f"{D}/.metadata/dataset_structural.json"
DOCUMENTS = (PROJECT, ADMINISTRATIVE, MANIFEST)


@pytest.fixture
def described(watched: Watched) -> Watched:
    watched.put(f"{D}/a.txt", "a\n")
    watched.put(f"{D}/b.txt", "b\n")
    watched.reconcile()
    return watched


def entry_of(watched: Watched, document: str) -> Value:
    (entry,) = watched.registered(document.partition("/.metadata")[0])
    return entry


@pytest.mark.parametrize(
    ("document", "kind", "field"),
    [
        (PROJECT, "project_descriptive", "project_description"),
        (ADMINISTRATIVE, "dataset_administrative", "methods"),
        (MANIFEST, "dataset_structural", "structure_description"),
    ],
)
def test_an_edit_of_what_a_form_has_just_saved_is_kept_although_no_pass_saw_the_save(
    described: Watched, document: str, kind: str, field: str
) -> None:
    store = Store(described.root, SchemaSet(described.root / ".template_schemas"))
    store.change(described.root / document, kind, lambda old: {**(old or {}), field: "By form"}, by="rosa")
    described.edit(document, lambda v: v.update({field: f"{v[field]}, then by editor"}))
    described.reconcile()
    assert described.problems() == {}
    assert described.json(document)[field] == "By form, then by editor"
    assert entry_of(described, document)["last_modified_by"] == "filesystem"


def test_an_identity_edited_after_a_form_was_saved_is_told(described: Watched) -> None:
    store = Store(described.root, SchemaSet(described.root / ".template_schemas"))
    path = described.root / ADMINISTRATIVE
    store.change(path, "dataset_administrative", lambda old: {**(old or {}), "methods": "By form"}, by="rosa")
    described.edit(ADMINISTRATIVE, lambda v: v.update({"created_by": "somebody"}))
    described.reconcile()
    assert "only the system writes created_by" in described.problems()[ADMINISTRATIVE]


@pytest.mark.parametrize(
    ("document", "field", "value"),
    [
        (PROJECT, "project_title", "Barley"),
        (ADMINISTRATIVE, "dataset_title", "Leaves of barley"),
        (MANIFEST, "structure_description", "One file per leaf"),
    ],
)
def test_a_persons_field_is_kept_and_moves_the_datestamp(
    described: Watched, document: str, field: str, value: str
) -> None:
    before = entry_of(described, document)
    edited = described.edit(document, lambda v: v.update({field: value}))
    described.reconcile()
    after = described.json(document)
    if document == MANIFEST:  # it gets the store's own form again, and says who changed it
        assert after.pop("last_modified_by") == "filesystem"
        edited.pop("last_modified_by")
        edited["last_modified_date"] = after["last_modified_date"]
    assert after == {k: v for k, v in edited.items() if k in after}
    after = entry_of(described, document)
    assert after["sequence"] > before["sequence"]
    assert after["datestamp"] >= before["datestamp"]
    assert after["last_modified_by"] == "filesystem"
    settled = described.metadata()
    described.reconcile()
    assert described.metadata() == settled
    described.put(f"{D}/c.txt", "c\n")
    described.reconcile()
    assert described.json(document)[field] == value
    assert described.problems() == {}
    assert described.check() == []


def test_an_edit_in_the_middle_of_a_burst_is_kept(described: Watched) -> None:
    described.edit(MANIFEST, lambda v: v["file_descriptions"][0].update(description="The first leaf"))
    described.edit(ADMINISTRATIVE, lambda v: v.update(dataset_title="Leaves"))
    described.put(f"{D}/a.txt", "changed at the same time\n")
    described.put(f"{D}/c.txt", "c\n")
    described.reconcile()
    entries = described.entries(D)
    assert entries["a.txt"]["description"] == "The first leaf"
    assert entries["a.txt"]["size_bytes"] == 25
    assert set(entries) == {"a.txt", "b.txt", "c.txt"}
    assert described.administrative(D)["dataset_title"] == "Leaves"
    assert described.check() == []


def test_unknown_keys_are_kept_at_every_level(described: Watched) -> None:
    def add(value: Value) -> None:
        value["x_lab_code"] = {"deep": [1, {"deeper": None}], "text": "é🧬"}
        value["additional_properties"] = [{"name": "n", "value": "v", "x_more": True}]
        for entry in value.get("file_descriptions", ()):
            entry["x_note"] = ["kept", 1.5]
            entry["checksum"]["x_checked_by"] = "hand"

    for document in DOCUMENTS:
        described.edit(document, add)
    described.reconcile()
    assert described.problems() == {}
    described.put(f"{D}/b.txt", "changed\n")
    described.put(f"{D}/c.txt", "new\n")
    described.move(f"{D}/a.txt", f"{D}/z.txt")
    described.reconcile()
    described.move(D, "p_Barley/moved")
    described.move("p_Barley", "p_Rye")
    described.reconcile()
    for document in DOCUMENTS:
        value = described.json(document.replace("p_Barley/leaves", "p_Rye/moved").replace("p_Barley", "p_Rye"))
        assert value["x_lab_code"] == {"deep": [1, {"deeper": None}], "text": "é🧬"}
        assert value["additional_properties"] == [{"name": "n", "value": "v", "x_more": True}]
    entries = described.entries("p_Rye/moved")
    assert entries["z.txt"]["x_note"] == entries["b.txt"]["x_note"] == ["kept", 1.5]
    assert entries["z.txt"]["checksum"]["x_checked_by"] == "hand"
    assert "x_note" not in entries["c.txt"]
    described.remove("p_Rye/moved/z.txt")
    described.reconcile()
    assert described.entries("p_Rye/moved")["z.txt"]["x_note"] == ["kept", 1.5]
    assert described.check() == []


OTHER = "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"


@pytest.mark.parametrize(
    ("document", "change"),
    [
        (PROJECT, {"project_identifier": OTHER}),
        (PROJECT, {"@id": f"urn:uuid:{OTHER}"}),
        (PROJECT, {"created_by": "me"}),
        (ADMINISTRATIVE, {"dataset_identifier": OTHER}),
        (ADMINISTRATIVE, {"associated_project_identifier": OTHER}),
        (ADMINISTRATIVE, {"derived_from": f"urn:uuid:{OTHER}"}),
        (ADMINISTRATIVE, {"last_modified_by": "me"}),
        (MANIFEST, {"dataset_identifier": OTHER}),
        (MANIFEST, {"created_date": "2020-01-01T00:00:00Z"}),
        (MANIFEST, {"file_count": 7}),
    ],
    ids=lambda v: v if isinstance(v, str) else next(iter(v)),
)
def test_a_changed_system_field_is_reported_and_not_obeyed(
    described: Watched, document: str, change: dict[str, Any]
) -> None:
    (key,) = change
    before, registry = described.json(document), described.registry()
    edited = described.edit(document, lambda v: v.update(change, x_mine="kept"))
    for _ in range(2):
        described.reconcile()
        assert described.json(document) == edited, "nothing is overwritten"
        assert described.registry() == registry
        told = " ".join(described.problems().values())
        assert key.removeprefix("project_").removeprefix("dataset_") in told
        assert str(before.get(key)) in told
    described.edit(document, lambda v: (v.pop(key), v.update({key: before[key]} if key in before else {})))
    described.reconcile()
    assert described.problems() == {}
    after = described.json(document)
    for each in (before, after):  # a manifest gets the store's own form again, and says who changed it
        each.pop("last_modified_by")
        each.pop("last_modified_date")
    assert after == {**before, "x_mine": "kept"}


@pytest.mark.parametrize("key", ["dataset_identifier", "@id", "created_date"])
def test_files_that_come_meanwhile_do_not_make_a_changed_system_field_true(described: Watched, key: str) -> None:
    before = described.manifest(D)
    forged = {"dataset_identifier": OTHER, "@id": f"urn:uuid:{OTHER}", "created_date": "2020-01-01T00:00:00Z"}[key]
    described.edit(MANIFEST, lambda v: v.update({key: forged}))
    described.reconcile()
    described.put(f"{D}/new.txt", "new\n")
    described.reconcile()
    described.reconcile()
    assert MANIFEST in described.problems() or described.manifest(D)[key] == before[key]
    described.edit(MANIFEST, lambda v: v.update({key: before[key]}))
    described.reconcile()
    described.reconcile()
    assert described.problems() == {}
    assert set(described.entries(D)) == {"a.txt", "b.txt", "new.txt"}
    assert described.check() == []


@pytest.mark.parametrize("what", ["file_identifier", "checksum", "size_bytes"])
def test_a_changed_entry_is_reported_and_not_obeyed(described: Watched, what: str) -> None:
    before = described.entries(D)["a.txt"]

    def forge(value: Value) -> None:
        entry = value["file_descriptions"][0]
        if what == "checksum":
            entry["checksum"]["value"] = "0" * 64
        elif what == "size_bytes":
            entry["size_bytes"] += 1
        else:
            entry.update({"file_identifier": OTHER, "@id": f"urn:uuid:{OTHER}"})

    edited = described.edit(MANIFEST, forge)
    for _ in range(2):
        described.reconcile()
        assert described.manifest(D) == edited
        told = described.problems()[MANIFEST]
        assert f"the {what} of 'a.txt' was changed by hand" in told
        assert before["file_identifier"] in told
    described.edit(MANIFEST, lambda v: v["file_descriptions"].__setitem__(0, before))
    described.reconcile()
    assert described.problems() == {}
    assert described.entries(D)["a.txt"] == before


BROKEN: dict[str, Callable[[Path], object]] = {
    "cut short": lambda p: p.write_bytes(p.read_bytes()[:-20]),
    "empty": lambda p: p.write_bytes(b""),
    "not JSON": lambda p: p.write_text("{ 'single': quotes }"),
    "not UTF-8": lambda p: p.write_bytes(b'{"x": "\xff"}'),
    "NaN": lambda p: p.write_bytes(p.read_bytes().replace(b'{\n  "$schema"', b'{\n  "x": NaN, "$schema"')),
    "a lone surrogate": lambda p: p.write_bytes(
        p.read_bytes().replace(b'{\n  "$schema"', b'{\n  "x": "\\ud800", "$schema"')
    ),
    "a key twice": lambda p: p.write_bytes(p.read_bytes().replace(b'{\n  "$', b'{\n  "x": 1, "x": 2, "$', 1)),
    "an array": lambda p: p.write_text("[1, 2]"),
    "deep": lambda p: p.write_text('{"x":' * 5000 + "1" + "}" * 5000),
    "merge marks": lambda p: p.write_bytes(b"<<<<<<< HEAD\n" + p.read_bytes() + b"=======\n>>>>>>> other\n"),
    "a folder": lambda p: (p.unlink(), p.mkdir()),
    "a pipe": lambda p: (p.unlink(), os.mkfifo(p)),
    "a link": lambda p: (p.rename(p.with_name("kept.json")), p.symlink_to("kept.json")),
    "a dangling link": lambda p: (p.unlink(), p.symlink_to("nowhere")),
    "another's": lambda p: p.write_text(json.dumps({"title": "something else altogether"})),
    "no identifier": lambda p: p.write_text(
        json.dumps({k: v for k, v in json.loads(p.read_bytes()).items() if not k.endswith("_identifier")})
    ),
}


@pytest.mark.parametrize("damage", BROKEN)
@pytest.mark.parametrize("document", DOCUMENTS, ids=["project", "administrative", "manifest"])
def test_a_broken_document_is_told_and_nothing_is_overwritten(described: Watched, document: str, damage: str) -> None:
    path = described.root / document
    good = path.read_bytes()
    other = described.put("p_Other/fine/x.txt")
    BROKEN[damage](path)
    before = {k: v for k, v in described.metadata().items() if k.startswith("p_Barley")}
    described.put(f"{D}/new.txt", "new\n")
    for _ in range(2):
        report = described.reconcile()
        now = {k: v for k, v in described.metadata().items() if k.startswith("p_Barley")}
        assert now[document] == before[document] if document in before else not path.is_file() or path.is_symlink()
        assert "kept.json" not in str(now) or now[document.replace(path.name, "kept.json")] == good
        told = " ".join(described.problems().values())
        assert str(path) in told, told
        assert "Traceback" not in told
    assert set(described.entries("p_Other/fine")) == {other.name}, "nobody else waits for it"
    assert report.alarms == []
    assert any(document in line or str(path) in line for line in described.check())
    if path.is_dir():
        path.rmdir()
    elif os.path.lexists(path):
        path.unlink()
    path.write_bytes(good)
    described.reconcile()
    described.reconcile()
    assert described.problems() == {}
    assert set(described.entries(D)) == {"a.txt", "b.txt", "new.txt"}
    assert described.check() == []


INVALID: dict[str, tuple[str, Callable[[Value], Any]]] = {
    "status": (ADMINISTRATIVE, lambda v: v.update(status="finished")),
    "license": (ADMINISTRATIVE, lambda v: v.update(license=["CC-BY-4.0"])),
    "project_title": (PROJECT, lambda v: v.update(project_title=5)),
    "complete": (PROJECT, lambda v: v.update(status="complete")),
    "software_to_read": (MANIFEST, lambda v: v.update(software_to_read="R")),
}


@pytest.mark.parametrize("word", INVALID)
def test_an_invalid_edit_is_told_in_words_and_left_as_it_is(described: Watched, word: str) -> None:
    document, change = INVALID[word]
    registry = described.registry()
    edited = described.edit(document, change)
    described.reconcile()
    assert described.json(document) == edited
    assert "is not valid" in described.problems()[document]
    assert described.registry() == registry
    assert any(document in line for line in described.check())


ENTRIES: dict[str, Callable[[Value], Any]] = {
    "no list": lambda v: v.update(file_descriptions={"a.txt": 1}),
    "no key": lambda v: v.pop("file_descriptions"),
    "no objects": lambda v: v.update(file_descriptions=["a.txt"]),
    "no path": lambda v: v["file_descriptions"][0].pop("path"),
    "a number as path": lambda v: v["file_descriptions"][0].update(path=5),
    "no identifier": lambda v: v["file_descriptions"][0].pop("file_identifier"),
    "no UUID": lambda v: v["file_descriptions"][0].update(file_identifier="mine"),
    "no checksum": lambda v: v["file_descriptions"][0].pop("checksum"),
    "a checksum of another kind": lambda v: v["file_descriptions"][0].update(checksum="abc"),
    "a size in words": lambda v: v["file_descriptions"][0].update(size_bytes="big"),
    "a path twice": lambda v: v["file_descriptions"].append({**v["file_descriptions"][0], "file_identifier": OTHER}),
    "an identifier twice": lambda v: v["file_descriptions"][1].update(
        file_identifier=v["file_descriptions"][0]["file_identifier"]
    ),
    "NUL": lambda v: v["file_descriptions"][0].update(path="a\0.txt"),
    "percent NUL": lambda v: v["file_descriptions"][0].update(path="a%00.txt", path_encoding="percent"),
}


@pytest.mark.parametrize("state_lost", [False, True], ids=["state kept", "state lost"])
@pytest.mark.parametrize("word", ENTRIES)
def test_a_manifest_with_impossible_entries_is_told_and_left_as_it_is(
    described: Watched, word: str, state_lost: bool
) -> None:
    edited = described.edit(MANIFEST, ENTRIES[word])
    raw = (described.root / MANIFEST).read_bytes()
    if state_lost:
        described.lose_state()
    described.put(f"{D}/new.txt", "new\n")
    described.put("p_Other/fine/x.txt")
    report = described.reconcile()
    assert report.findings
    assert (described.root / MANIFEST).read_bytes() == raw
    assert edited == described.manifest(D)
    assert any(path.startswith(D) for path in described.problems())
    assert set(described.entries("p_Other/fine")) == {"x.txt"}


OUTSIDE = ["../roots/c.txt", "../../outside.txt", "/etc/passwd", "sub/../../roots/c.txt", "..", "./a.txt", "a//b", ""]


@pytest.mark.parametrize("state_lost", [False, True], ids=["state kept", "state lost"])
@pytest.mark.parametrize("encoded", [False, True], ids=["plain", "percent"])
@pytest.mark.parametrize("path", OUTSIDE)
def test_a_recorded_path_never_leads_out_of_its_dataset(
    described: Watched, path: str, encoded: bool, state_lost: bool
) -> None:
    """FA-72: a planted entry is refused as a whole, not followed and not taken for a file."""
    described.put("p_Barley/roots/c.txt", "c\n")
    described.reconcile()
    planted = {"path": path}
    if encoded:
        planted = {"path": "".join(f"%{b:02X}" for b in path.encode()), "path_encoding": "percent"}

    def plant(value: Value) -> None:
        value["file_descriptions"][0].update(planted)

    edited = described.edit(MANIFEST, plant)
    if state_lost:
        described.lose_state()
    report = described.reconcile()
    assert report.findings
    assert described.manifest(D) == edited
    assert set(described.entries("p_Barley/roots")) == {"c.txt"}
    assert any("leads out of" in r or "is not valid" in r for r in described.problems().values())


def test_people_may_add_documents_of_their_own_beside_ours(described: Watched) -> None:
    (described.root / D / ".metadata" / "notes.json").write_text("{ not even JSON")
    (described.root / D / ".metadata" / "photos").mkdir()
    described.reconcile()
    assert described.problems() == {}
    assert described.check() == []
    assert (described.root / D / ".metadata" / "notes.json").read_text() == "{ not even JSON"


def test_a_run_written_by_hand_is_checked_like_any_other_document(described: Watched) -> None:
    folder = described.root / D / ".metadata" / "runs" / "run 1"
    folder.mkdir(parents=True)
    (folder / "experiment_contextual.json").write_text("{}")
    assert any("experiment_contextual.json" in line for line in described.check())


def test_a_manifest_reformatted_by_an_editor_is_still_the_manifest(described: Watched) -> None:
    before = described.manifest(D)
    path = described.root / MANIFEST
    path.write_text(json.dumps(before, indent=8, sort_keys=True))
    described.reconcile()
    assert described.problems() == {}
    described.put(f"{D}/c.txt", "c\n")
    described.remove(f"{D}/b.txt")
    described.reconcile()
    assert described.states(D) == {"a.txt": "present", "b.txt": "missing", "c.txt": "present"}
    assert described.entries(D)["a.txt"] == before["file_descriptions"][0]
    assert described.check() == []


def test_an_earlier_version_put_back_counts_as_a_persons_edit(described: Watched) -> None:
    older = (described.root / ADMINISTRATIVE).read_bytes()
    time.sleep(1.1)
    described.edit(ADMINISTRATIVE, lambda v: v.update(dataset_title="Leaves"))
    described.reconcile()
    described.move(D, "p_Rye/leaves")
    described.reconcile()
    described.move("p_Rye/leaves", D)
    described.reconcile()
    (described.root / ADMINISTRATIVE).write_bytes(older)
    described.reconcile()
    assert described.problems() == {}
    assert (described.root / ADMINISTRATIVE).read_bytes() == older


def test_a_restored_older_manifest_is_brought_up_to_date(described: Watched) -> None:
    older = (described.root / MANIFEST).read_bytes()
    time.sleep(1.1)
    described.put(f"{D}/c.txt", "c\n")
    described.remove(f"{D}/b.txt")
    described.reconcile()
    now = described.identifiers(D)
    (described.root / MANIFEST).write_bytes(older)
    described.reconcile()
    described.reconcile()
    assert described.identifiers(D) == now
    assert described.states(D) == {"a.txt": "present", "b.txt": "missing", "c.txt": "present"}
    assert described.check() == []


# --- saved over before a pass has looked ------------------------------------------------------------------------------


def by_form(watched: Watched, document: str, *, state: bool = True, **fields: Any) -> None:
    """Someone saves a form over what stands on disk now."""
    kind = Path(document).stem
    store = Store(
        watched.root,
        SchemaSet(watched.root / ".template_schemas"),
        state=state_folder(watched.state, watched.root) if state else None,
    )
    store.change(watched.root / document, kind, lambda old: {**(old or {}), **fields}, by="rosa")


AUDITED = {"last_modified_by", "last_modified_date"}


@pytest.mark.parametrize(
    ("document", "change"),
    [
        (PROJECT, {"@id": f"urn:uuid:{OTHER}"}),
        (PROJECT, {"created_by": "me"}),
        (ADMINISTRATIVE, {"associated_project_identifier": OTHER}),
        (ADMINISTRATIVE, {"derived_from": f"urn:uuid:{OTHER}"}),
        (ADMINISTRATIVE, {"created_date": "2020-01-01T00:00:00Z"}),
        (MANIFEST, {"dataset_identifier": OTHER}),
        (MANIFEST, {"created_date": "2020-01-01T00:00:00Z"}),
        (MANIFEST, {"file_count": 7}),
    ],
    ids=lambda v: v if isinstance(v, str) else next(iter(v)),
)
@pytest.mark.parametrize("saved_before", [False, True], ids=["as last seen", "saved since"])
def test_a_form_saved_over_a_forged_system_field_makes_it_nobodys_truth(
    described: Watched, document: str, change: dict[str, Any], saved_before: bool
) -> None:
    if saved_before:
        by_form(described, document, metadata_language="de")
    before = described.json(document)
    described.edit(document, lambda v: v.update(change, x_mine="kept"))
    by_form(described, document, metadata_language="fr")
    for _ in range(2):
        after = described.json(document)
        assert {k: v for k, v in after.items() if k not in AUDITED} == {
            **{k: v for k, v in before.items() if k not in AUDITED},
            "x_mine": "kept",
            "metadata_language": "fr",
        }
        described.reconcile()
        assert described.problems() == {}
    assert described.check() == []


@pytest.mark.parametrize("document", [PROJECT, ADMINISTRATIVE])
@pytest.mark.parametrize("state", [True, False], ids=["seen", "nothing seen"])
def test_a_form_saved_over_another_identity_does_not_take_it(described: Watched, document: str, state: bool) -> None:
    before, registry = described.json(document), set(described.registry())
    key = "project_identifier" if document == PROJECT else "dataset_identifier"
    described.edit(document, lambda v: v.update({key: OTHER}))
    place, kind = document.partition("/.metadata")[0], Path(document).stem
    change = Change(described.root / document, kind, lambda old: {**(old or {}), "metadata_language": "fr"})
    store = Store(
        described.root,
        SchemaSet(None),
        state=state_folder(described.state, described.root) if state else None,
    )
    record = Record("project" if document == PROJECT else "dataset", before[key], place, (change,))
    assert store.apply([record], by="rosa")[0].error is None
    assert (described.json(document)[key], described.json(document)["metadata_language"]) == (before[key], "fr")
    assert set(described.registry()) == registry
    described.reconcile()
    assert described.problems() == {}


def test_a_run_that_somebody_wrote_into_a_manifest_is_named_by_no_save(described: Watched) -> None:
    described.edit(MANIFEST, lambda v: v.update(runs=[]))
    by_form(described, MANIFEST, scope="All of them")
    assert "runs" not in described.manifest(D)


def test_a_save_on_a_record_that_says_it_is_another_is_refused(described: Watched) -> None:
    before = described.administrative(D)["dataset_identifier"]
    edited = described.edit(ADMINISTRATIVE, lambda v: v.update(dataset_identifier=OTHER))
    with pytest.raises(DocumentError, match=f"only the system writes dataset_identifier .was '{before}'"):
        by_form(described, ADMINISTRATIVE, methods="By form")
    assert described.administrative(D) == edited
    assert OTHER not in described.registry()


@pytest.mark.parametrize("what", ["file_identifier", "checksum", "size_bytes"])
def test_a_form_is_not_saved_over_a_forged_entry(described: Watched, what: str) -> None:
    def forge(value: Value) -> None:
        entry = value["file_descriptions"][0]
        forged = {"checksum": {**entry["checksum"], "value": "0" * 64}, "size_bytes": 3, "file_identifier": OTHER}
        entry[what] = forged[what]

    edited, registry = described.edit(MANIFEST, forge), described.registry()
    with pytest.raises(DocumentError, match=f"the {what} of 'a.txt' was changed by hand"):
        by_form(described, MANIFEST, scope="All of them")
    assert described.manifest(D) == edited
    assert described.registry() == registry


def test_a_form_is_saved_over_a_persons_edit_of_a_manifest_at_once(described: Watched) -> None:
    described.edit(MANIFEST, lambda v: v.update(structure_description="By editor"))
    described.edit(MANIFEST, lambda v: v["file_descriptions"][0].update(description="The first leaf"))
    by_form(described, MANIFEST, scope="All of them")
    assert described.manifest(D)["structure_description"] == "By editor"
    assert described.entries(D)["a.txt"]["description"] == "The first leaf"
    described.reconcile()
    assert described.problems() == {}
    assert described.check() == []


def test_an_instruments_identity_comes_back_with_the_next_save(described: Watched) -> None:
    with described.workspace() as ws:
        path = instruments.new(ws.store, ws.root, {"instrument_name": "Balance"}, "rosa")
    described.reconcile()
    document = path.relative_to(described.root).as_posix()
    before = described.json(document)
    described.edit(document, lambda v: v.update({"created_by": "me", "instrument_identifier": OTHER}))
    by_form(described, document, model={"model_name": "XS-205"})
    after = described.json(document)
    for key in ("created_by", "instrument_identifier", "@id"):
        assert after[key] == before[key]
    assert after["model"] == {"model_name": "XS-205"}
    described.reconcile()
    assert described.problems() == {}


def test_what_was_last_seen_at_a_path_says_nothing_of_another_folder_there(described: Watched) -> None:
    described.put("p_Barley/roots/r.txt", "r\n")
    described.reconcile()
    described.move(D, "p_Barley/away")
    described.move("p_Barley/roots", D)
    before = described.administrative(D)
    described.edit(ADMINISTRATIVE, lambda v: v.update(methods="By editor"))
    by_form(described, ADMINISTRATIVE, dataset_title="Roots")
    after = described.administrative(D)
    assert {k: v for k, v in after.items() if k not in AUDITED} == {
        **{k: v for k, v in before.items() if k not in AUDITED},
        "methods": "By editor",
        "dataset_title": "Roots",
    }
