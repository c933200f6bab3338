"""A dataset is published, changed, withdrawn and published again: on disk, in the history, and in the index."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog import index
from catalog.models import ChangeLog, Dataset, Published, PublishedThing
from catalog.publishing import acting
from catalog.publishing.acting import PublishingError
from catalog.publishing.checking import preflight
from ingest import documents
from ingest.errors import DocumentError
from ingest.provenance.settings import GitSettings
from tests.catalog.described import Described
from tests.catalog.publishing.ready import ADMINISTRATIVE, FOLDER, PROJECT, Ready
from tests.catalog.publishing.ready import ready as make_ready

pytestmark = pytest.mark.django_db


@pytest.fixture
def recorded(described: Described, settings: Any) -> Ready:
    """One with a history."""
    settings.ENGINE = replace(settings.ENGINE, git=GitSettings())
    return make_ready(described)


def subjects(ready: Ready) -> list[str]:
    told = subprocess.run(
        ["git", "-C", str(ready.root), "log", "--format=%s"], capture_output=True, text=True, check=True
    )
    return told.stdout.splitlines()


def assert_rebuilt_alike() -> None:
    live = index.snapshot()
    index.rebuild()
    assert index.snapshot() == live


def test_nothing_is_public_before_somebody_publishes(ready: Ready) -> None:
    assert not Published.objects.exists()
    assert ready.entry()["publication"] == {"state": "unpublished"}


def test_publishing_is_one_action_of_the_curator(recorded: Ready) -> None:
    ready = recorded
    index.catch_up()
    before, log = subjects(ready), ChangeLog.objects.get(identifier=ready.identifier).sequence
    row = ready.publish()
    publication = ready.entry()["publication"]
    assert publication["state"] == "published"
    (version,) = publication["versions"]
    assert version["date_published"] == publication["date_published"]
    assert [each["run_id"] for each in version["data_objects"]] == [ready.run_id()]
    assert (row.state, row.access_level, row.title, row.file_count) == (
        "published", "public", "Counts of living cells", 2,
    )  # fmt: skip
    assert subjects(ready) == ["Publish ds", *before]
    assert ChangeLog.objects.get(identifier=ready.identifier).sequence == row.sequence == log + 1
    body = subprocess.run(
        ["git", "-C", str(ready.root), "log", "-1", "--format=%an%n%B"], capture_output=True, text=True, check=True
    ).stdout
    assert body.startswith("curie\n")
    assert "Trigger: publish" in body
    assert f"Dataset: {FOLDER}" in body
    assert_rebuilt_alike()


def test_publishing_what_is_public_changes_nothing(recorded: Ready) -> None:
    ready = recorded
    ready.publish()
    entry, told = ready.entry(), subjects(ready)
    ready.publish()
    assert (ready.entry(), subjects(ready)) == (entry, told)


def test_a_later_run_is_public_when_somebody_publishes_again(ready: Ready) -> None:
    first = ready.publish()
    ready.run("second", ("later.csv",))
    assert ready.row.etag == first.etag
    again = ready.publish()
    assert (again.version, again.file_count) == ("2", 3)
    assert again.previous_version == f"urn:uuid:{ready.identifier}#version-1"
    assert again.value["previous_version"] == again.previous_version
    assert again.value["date_published"] == first.value["date_published"]
    assert len(ready.entry()["publication"]["versions"]) == 2
    assert_rebuilt_alike()


def test_a_revision_is_public_when_somebody_publishes_again_under_the_same_iri(ready: Ready) -> None:
    first = ready.publish()
    ready.change(ADMINISTRATIVE, dataset_title="A better title")
    ready.finalise("first")
    row = Published.objects.get()
    assert (row.title, row.etag) == ("Counts of living cells", first.etag)
    dataset = Dataset.objects.select_related("registry", "administrative", "structural").get(
        identifier=first.identifier
    )
    acting.publish(dataset, by="curie")
    row = Published.objects.get()
    assert (row.title, row.version, row.value["@id"]) == ("A better title", "2", first.value["@id"])
    assert row.value["data_objects"][0]["revision"] == 2
    assert_rebuilt_alike()


def test_withdrawing_leaves_a_tombstone_and_publishing_again_takes_it_away(recorded: Ready) -> None:
    ready = recorded
    first = ready.publish()
    told = ready.withdraw()
    assert (told.state, told.file_count, told.title) == ("withdrawn", 0, first.title)
    assert told.value["withdrawal_reason"] == "Consent was taken back."
    assert {"project", "data_objects", "file_descriptions", "dataset_abstract"}.isdisjoint(told.value)
    assert set(PublishedThing.objects.filter(kind="file").values_list("value", flat=True)) == {None}
    assert subjects(ready)[0] == "Withdraw ds"
    assert_rebuilt_alike()
    again = ready.publish()
    assert (again.state, again.version, again.value["@id"]) == ("published", "1", first.value["@id"])
    assert "withdrawal_reason" not in ready.entry()["publication"]
    assert subjects(ready)[0] == "Publish again ds"


def test_only_what_is_published_is_withdrawn_and_only_with_a_reason(ready: Ready) -> None:
    with pytest.raises(DocumentError, match="only what is published can be withdrawn"):
        ready.withdraw()
    ready.publish()
    with pytest.raises(DocumentError, match="Say why"):
        ready.withdraw("  ")
    assert ready.row.state == "published"


def test_what_was_confirmed_and_changed_meanwhile_is_not_published(ready: Ready) -> None:
    seen = acting.token(preflight(ready.dataset, timezone.now()))
    ready.run("second", ("later.csv",))
    with pytest.raises(PublishingError, match="changed while you looked"):
        acting.publish(ready.dataset, by="curie", seen=seen)
    assert not Published.objects.exists()


def test_a_withdrawal_is_not_undone_by_who_has_not_seen_it(ready: Ready) -> None:
    ready.publish()
    seen = acting.token(preflight(ready.dataset, timezone.now()))
    ready.withdraw()
    with pytest.raises(PublishingError, match="changed while you looked"):
        acting.publish(ready.dataset, by="another", seen=seen)
    assert ready.row.state == "withdrawn"
    acting.publish(ready.dataset, by="another", seen=acting.token(preflight(ready.dataset, timezone.now())))
    assert ready.row.state == "published"


def test_another_withdrawal_is_another_thing_to_confirm(ready: Ready) -> None:
    ready.publish()
    ready.withdraw("A wrong plate.")
    seen = acting.token(preflight(ready.dataset, timezone.now()))
    ready.publish()
    ready.withdraw("Consent was taken back.")
    with pytest.raises(PublishingError, match="changed while you looked"):
        acting.publish(ready.dataset, by="another", seen=seen)


def test_a_withdrawal_between_the_look_and_the_act_holds(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.publish()
    found = preflight(ready.dataset, timezone.now())
    ready.withdraw()
    monkeypatch.setattr(acting, "preflight", lambda *_: found)  # it looked just before
    with pytest.raises(PublishingError, match="Somebody else published or withdrew it meanwhile: it is withdrawn now"):
        acting.publish(ready.dataset, by="another", seen=acting.token(found))
    assert (ready.row.state, ready.entry()["publication"]["state"]) == ("withdrawn", "withdrawn")


def test_an_editor_publishes_nothing(ready: Ready) -> None:
    path = f".metadata/registry/{ready.identifier}.json"
    pins = [
        {"run_id": each["run_id"], "data_object_identifier": each["data_object_identifier"],
         "revision": each["revision"], "sha256": each["sha256"]}
        for each in preflight(ready.dataset, timezone.now()).objects
    ]  # fmt: skip
    forged = {
        "state": "published", "date_published": "2026-11-23T05:24:05Z", "cited": {},
        "versions": [{"number": 1, "date_published": "2026-11-23T05:24:05Z", "data_objects": pins}],
    }  # fmt: skip
    ready.described.write(path, {**ready.entry(), "publication": forged})
    index.catch_up()
    assert not Published.objects.exists()
    ready.change(ADMINISTRATIVE, version_notes="anything")
    assert ready.entry()["publication"] == {"state": "unpublished"}


def test_an_editor_takes_nothing_back(ready: Ready) -> None:
    before = ready.publish()
    path = f".metadata/registry/{ready.identifier}.json"
    ready.described.write(path, {**ready.entry(), "publication": {"state": "unpublished"}})
    index.catch_up()
    assert ready.row.etag == before.etag
    ready.change(ADMINISTRATIVE, version_notes="anything")
    assert ready.entry()["publication"]["state"] == "published"


def test_with_the_state_lost_the_registry_is_taken_as_it_is(ready: Ready) -> None:
    etag = ready.publish().etag
    for folder in (ready.root.parent / "state" / "roots").iterdir():
        shutil.rmtree(folder / "publications")
    index.rebuild()
    assert ready.row.etag == etag


def test_a_complete_metadata_file_that_was_edited_is_not_public(ready: Ready) -> None:
    ready.publish()
    (path,) = ready.root.glob(f"{FOLDER}/.metadata/runs/first/data_object_*.json")
    value = ready.described.read(str(path.relative_to(ready.root)))
    value["dataset"]["dataset_title"] = "Forged"
    ready.described.write(str(path.relative_to(ready.root)), value)
    index.catch_up()
    assert ready.row.state == "withdrawn"
    assert "Forged" not in str(ready.row.value)


@pytest.mark.parametrize(
    "forged",
    [
        {"state": "published"},
        {"state": "published", "versions": "x"},
        {"state": "published", "versions": [{"data_objects": [1]}]},
        {"state": "published", "versions": [{"number": 1, "date_published": 7, "data_objects": [{"sha256": []}]}]},
        {"state": "withdrawn", "versions": [{}], "cited": [1], "withdrawn_date": "yesterday"},
        {"state": ["published"]},
        "published",
    ],
)
def test_a_nonsensical_entry_holds_up_nothing_else(ready: Ready, forged: Any) -> None:
    for folder in (ready.root.parent / "state" / "roots").iterdir():
        shutil.rmtree(folder / "publications")
    path = f".metadata/registry/{ready.identifier}.json"
    ready.described.write(path, {**ready.entry(), "publication": forged, "sequence": "x", "missing_since": 1})
    ready.described.put("p_Alpha/ds/more.csv")
    index.catch_up()
    assert all(row.state == "withdrawn" for row in Published.objects.all())
    assert index.rebuild() > 0


def test_a_live_record_as_an_editor_left_it_holds_up_nothing(ready: Ready) -> None:
    ready.publish()
    odd = {"access_level": ["public"], "embargo_end_date": 7, "last_modified_date": "yesterday"}
    ready.described.write(ADMINISTRATIVE, {**ready.described.read(ADMINISTRATIVE), **odd})
    index.catch_up()
    assert (ready.row.state, ready.row.access_level) == ("withdrawn", "confidential")


def test_a_state_that_cannot_be_read_makes_nothing_public(ready: Ready) -> None:
    ready.publish()
    (kept,) = (ready.root.parent / "state" / "roots").glob(f"*/publications/{ready.identifier}.json")
    kept.write_text("{")
    index.refresh([documents.registry_document(ready.root, ready.identifier)])
    ready.described.write(f".metadata/registry/{ready.identifier}.json", {**ready.entry(), "x": 1})
    index.catch_up()
    assert not Published.objects.exists()


def test_a_copied_folder_copies_no_publication(ready: Ready) -> None:
    row = ready.publish()
    shutil.copytree(ready.root / FOLDER, ready.root / "p_Alpha/copy")
    ready.described.describe()
    copy = Dataset.objects.select_related("registry").get(path="p_Alpha/copy")
    assert copy.registry is not None
    assert copy.registry.value["publication"] == {"state": "unpublished"}
    assert Published.objects.get().identifier == row.identifier != copy.identifier


def test_a_moved_folder_stays_public_under_its_iri(ready: Ready) -> None:
    row = ready.publish()
    (ready.root / FOLDER).rename(ready.root / "p_Alpha/elsewhere")
    ready.described.describe()
    assert (Published.objects.get().etag, Dataset.objects.get(identifier=row.identifier).path) == (
        row.etag, "p_Alpha/elsewhere",
    )  # fmt: skip
    assert_rebuilt_alike()


def test_a_deleted_folder_leaves_a_tombstone_and_its_return_brings_the_record_back(ready: Ready) -> None:
    row = ready.publish()
    away = ready.root.parent / "away"
    (ready.root / FOLDER).rename(away)
    ready.described.describe()
    entry = ready.described.read(f".metadata/registry/{row.identifier}.json")
    assert entry["state"] == "tombstone"
    told = Published.objects.get()
    assert (told.state, told.title) == ("withdrawn", row.title)
    assert told.value["withdrawal_reason"] == "Its data are no longer kept here."
    assert told.value["withdrawn_date"] == entry["missing_since"]
    assert_rebuilt_alike()
    away.rename(ready.root / FOLDER)
    ready.described.describe()
    back = Published.objects.get()
    assert (back.state, back.title, back.file_count) == ("published", row.title, row.file_count)
    assert row.modified < told.modified < back.modified


def test_what_was_never_public_leaves_no_tombstone(ready: Ready) -> None:
    identifier = ready.identifier
    shutil.rmtree(ready.root / FOLDER)
    ready.described.describe()
    assert ready.described.read(f".metadata/registry/{identifier}.json")["state"] == "missing"
    assert not Published.objects.exists()


def test_a_files_only_change_reads_no_complete_metadata_again(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.publish()

    def refused(*arguments: Any) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("catalog.index.published.read_revision", refused)
    ready.described.put("p_Alpha/ds/another.csv", "z\n2\n")
    ready.described.describe()
    assert ready.row.sequence == ready.entry()["sequence"]
    monkeypatch.undo()
    assert_rebuilt_alike()


def test_an_unpublished_dataset_reads_no_complete_metadata(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.index.published.read_revision", None)
    index.refresh([ready.root / FOLDER])
    ready.change(ADMINISTRATIVE, version_notes="more")
    assert not Published.objects.exists()


def test_a_project_is_public_with_its_published_datasets_only(ready: Ready) -> None:
    assert not PublishedThing.objects.exists()
    ready.publish()
    project = ready.described.read(PROJECT)["project_identifier"]
    assert PublishedThing.objects.get(kind="project").identifier == project
    name, page = f"/id/project/{project}", f"/datasets/{ready.identifier}"
    assert f"/datasets/?project={project}" in Client().get(name)["Location"]
    ready.withdraw()
    assert Client().get(name)["Location"].endswith(page), "the tombstone is all that speaks of it"
    listed = Client().get(f"/datasets/?project={project}")
    assert page not in listed.content.decode()


def test_every_thing_with_an_iri_of_ours_leads_to_the_record(ready: Ready) -> None:
    row = ready.publish()
    kinds = set(PublishedThing.objects.filter(record=row.identifier).values_list("kind", flat=True))
    assert kinds == {"file", "run", "dataobject", "project", "agent"}
    paths = [each.value["path"] for each in PublishedThing.objects.filter(kind="file").order_by("position")]
    assert paths == ["a.csv", "plate1/b.csv"]


def test_a_record_of_many_files_names_its_data_objects_only(ready: Ready, settings: Any) -> None:
    settings.FAIRFOLDER_FILES_IN_RECORD = 1
    row = ready.publish()
    assert "file_descriptions" not in row.value
    assert "file_identifiers" not in row.value["data_objects"][0]
    assert row.value["data_objects"][0]["file_count"] == row.file_count == 2
    assert PublishedThing.objects.filter(kind="file").count() == 2
    assert documents.registry_document(ready.root, row.identifier).exists()
