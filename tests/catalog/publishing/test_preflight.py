"""What stands in the way of publishing, in words, each with the page where it is mended."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.urls import resolve
from django.utils import timezone

from catalog import index
from catalog.models import File, Published
from catalog.publishing import acting, checking
from catalog.publishing.acting import PublishingError
from catalog.publishing.checking import Preflight, preflight
from tests.catalog.publishing.ready import ADMINISTRATIVE, FOLDER, PROJECT, Ready

pytestmark = pytest.mark.django_db


def look(ready: Ready) -> Preflight:
    found = preflight(ready.dataset, timezone.now())
    for each in found.findings:
        if each.address:
            assert resolve(each.address.partition("#")[0])
    return found


def refused(ready: Ready) -> str:
    found = look(ready)
    assert not found.passes
    assert all(each.address for each in found.refusals), "each with where it is mended"
    with pytest.raises(PublishingError):
        acting.publish(ready.dataset, by="curie")
    assert not Published.objects.exists()
    return " ".join(each.sentence for each in found.refusals)


def advised(ready: Ready) -> str:
    found = look(ready)
    assert found.passes, found.refusals
    return " ".join(each.sentence for each in found.advice)


def test_a_complete_dataset_passes_with_advice_only(ready: Ready) -> None:
    assert "No ORCID is given for 'Rosa Luz'" in advised(ready)
    assert "One file belongs to no complete run and would not be public: 'later.csv'." in advised(ready)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"license": None, "status": "draft"}, "It has no licence"),
        ({"publisher": None, "status": "draft"}, "It has no publisher"),
        ({"keywords": None, "status": "draft"}, "It has no keyword"),
        ({"creators": None, "status": "draft"}, "It names nobody who made it"),
        ({"dataset_abstract": "Too short.", "status": "draft"}, "Its abstract has 10 characters"),
        ({"data_steward": None, "status": "draft"}, "It has no contact"),
        ({"access_level": None, "status": "draft"}, "Its access level is not chosen"),
        ({"access_level": "confidential"}, "confidential records are never published, not even their title"),
        ({"access_level": "embargoed", "status": "draft"}, "without a date on which the embargo ends"),
        ({"access_level": "restricted", "status": "draft"}, "under which conditions access is given"),
        ({"status": "draft"}, "The dataset is still a draft"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(ready: Ready, fields: dict[str, Any], words: str) -> None:
    ready.change(ADMINISTRATIVE, **fields)
    ready.finalise("first")
    assert words in refused(ready)


def test_an_incomplete_project_is_named_until_a_revision_says_otherwise(ready: Ready) -> None:
    ready.change(PROJECT, project_description=None, status="draft")
    ready.finalise("first")
    assert "The project is not complete" in refused(ready)
    ready.change(PROJECT, project_description="It is said now.", status="complete")
    assert "write a new revision of the run 'first'" in refused(ready)
    (finding,) = [each for each in look(ready).refusals if "project" in each.sentence]
    assert finding.address == f"/runs/{ready.run_id()}/"
    ready.finalise("first")
    assert look(ready).passes


def test_what_was_filled_in_since_is_not_told_as_missing(ready: Ready) -> None:
    ready.change(ADMINISTRATIVE, license=None, keywords=None, access_level=None, status="draft")
    ready.finalise("first")
    told = refused(ready)
    assert "It has no licence" in told
    assert "It has no keyword" in told
    ready.change(ADMINISTRATIVE, license="CC0-1.0", keywords=["rye"])
    told = refused(ready)
    assert "has no licence" not in told
    assert "The dataset is not complete: " in told, "it has no access level yet"
    revision = (
        "Only what the complete metadata says is public, and since it was written its record was given a licence and "
        "its record was given a keyword; write a new revision of the run 'first'."
    )
    assert revision in told
    ready.change(ADMINISTRATIVE, access_level="public", status="complete")
    assert [each.sentence for each in look(ready).refusals] == [
        "Only what the complete metadata says is public, and since it was written the dataset was completed; write a "
        "new revision of the run 'first'.",
        "Its access level is not chosen in the newest complete metadata; what is not said to be open is never "
        "published. Its record says 'public' by now: write a new revision of a run.",
    ]
    assert {each.address for each in look(ready).refusals} == {
        f"/runs/{ready.run_id()}/",
        f"/datasets/{ready.identifier}/runs/",
    }
    ready.finalise("first")
    assert look(ready).passes


def test_a_draft_that_lacks_nothing_any_more_is_told_as_a_draft(ready: Ready) -> None:
    ready.change(PROJECT, project_description=None, status="draft")
    ready.finalise("first")
    ready.change(PROJECT, project_description="It is said now.")
    told = refused(ready)
    assert "The project is still a draft: mark it complete; when that is done, write a new revision" in told


def test_what_became_confidential_after_the_metadata_was_completed_is_refused(ready: Ready) -> None:
    ready.access("confidential")
    assert "It is confidential in the dataset's record" in refused(ready)


def test_an_outdated_record_is_no_refusal(ready: Ready) -> None:
    ready.change(ADMINISTRATIVE, dataset_abstract="Another abstract, which is long enough for every search engine.")
    assert "is outdated: The dataset has changed: dataset abstract. Write a new revision first" in advised(ready)


def test_a_file_that_is_gone_or_changed_is_named(ready: Ready) -> None:
    (ready.root / FOLDER / "plate1/b.csv").unlink()
    ready.described.put(f"{FOLDER}/a.csv", "other\n9\n")
    ready.described.describe()
    told = refused(ready)
    assert "One file is missing since the metadata was completed" in told
    assert "One file has other bytes than the complete metadata says" in told
    assert "'a.csv'" in told


def test_files_are_looked_up_however_many_there_are(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_AT_ONCE", 1)
    assert look(ready).passes
    (ready.root / FOLDER / "plate1/b.csv").unlink()
    ready.described.describe()
    assert "One file is missing since the metadata was completed" in refused(ready)


def test_a_dataset_of_more_than_a_hundred_thousand_files_passes(ready: Ready) -> None:
    own, past = ready.dataset.pk, File.objects.order_by("pk").last()
    assert past is not None
    others = [
        File(
            id=past.pk + n, dataset_id=own, digest=n, identifier=f"{n:036}", path=f"{n:06}", size_bytes=0, version="V2"
        )
        for n in range(1, 100_001)
    ]
    File.objects.bulk_create(others, 5_000)
    assert look(ready).passes


def test_conditions_that_only_the_live_record_tells_are_asked_for_in_the_complete_metadata(ready: Ready) -> None:
    office = {"@type": "Organization", "name": "Access Office"}
    ready.access("restricted", access_conditions="Only with an agreement.", access_contact=office)
    told = refused(ready)
    assert "does not say under which conditions access is given. Its record does" in told
    assert "write a new revision of a run" in told
    assert "Whom to ask for access is not public" in " ".join(each.sentence for each in look(ready).advice)
    ready.finalise("first")
    assert "Whom to ask" not in advised(ready)
    value = ready.publish().value
    assert (value["access_conditions"], value["access_contact"]["name"]) == ("Only with an agreement.", "Access Office")


def test_without_a_complete_run_there_is_nothing_to_publish(described: Any) -> None:
    from catalog.models import Dataset

    described.put("p_Alpha/ds/a.csv")
    described.describe()
    found = preflight(Dataset.objects.select_related("registry", "administrative", "structural").get(), timezone.now())
    assert [each.sentence for each in found.refusals] == [
        "No run of it is complete, so it has no complete metadata file to publish."
    ]


def test_an_edited_complete_metadata_file_is_named(ready: Ready) -> None:
    (path,) = ready.root.glob(f"{FOLDER}/.metadata/runs/first/data_object_*.json")
    ready.described.write(str(path.relative_to(ready.root)), {**ready.described.read(str(path)), "revision": 1, "x": 1})
    assert "was changed after it was written" in refused(ready)


def test_a_run_that_is_not_complete_is_no_refusal(ready: Ready) -> None:
    ready.run("second", ("later.csv",))
    ready.change(f"{FOLDER}/.metadata/runs/second/experiment_contextual.json", status="draft")
    assert look(ready).passes


def test_a_version_with_the_name_of_the_one_before_is_told(ready: Ready) -> None:
    ready.change(ADMINISTRATIVE, dataset_version="1.0")
    ready.finalise("first")
    ready.publish()
    ready.run("second", ("later.csv",))
    assert "Version 2 would be called '1.0' like the one before" in advised(ready)


def test_further_checks_refuse_with_their_own_words(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "CHECKS", [lambda value: [f"{value['dataset_title']}: a shape is not met."]])
    assert "Counts of living cells: a shape is not met." in " ".join(each.sentence for each in look(ready).refusals)
    monkeypatch.setattr(checking, "CHECKS", [])
    assert look(ready).passes


# --- access, as it is on disk and in the index ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "fields", "shown"),
    [
        ("public", {}, ("published", "public", None)),
        ("embargoed", {"embargo_end_date": "2999-01-01"}, ("published", "embargoed", date(2999, 1, 1))),
        ("embargoed", {"embargo_end_date": "2020-01-01"}, ("published", "public", None)),
        ("restricted", {"access_conditions": "On request."}, ("published", "restricted", None)),
        ("confidential", {}, ("withdrawn", "confidential", None)),
    ],
)
@pytest.mark.parametrize("then", ["before", "after"])
def test_the_stricter_wins_whether_it_was_said_before_or_after_publishing(
    ready: Ready, level: str, fields: dict[str, str], shown: tuple[str, str, Any], then: str
) -> None:
    if then == "after" or level == "confidential":
        ready.publish()
    ready.access(level, **fields)
    if then == "before" and level != "confidential":
        if level == "restricted":  # its conditions become public with the complete metadata only
            ready.finalise("first")
        ready.publish()
    row = ready.row
    assert (row.state, row.access_level, row.embargo_end) == shown
    live = index.snapshot()
    index.rebuild()
    assert index.snapshot() == live


def test_a_stricter_record_after_publishing_is_opened_again_by_itself(ready: Ready) -> None:
    before = ready.publish()
    ready.access("restricted", access_conditions="On request.")
    closed = ready.row
    assert closed.access_level == "restricted"
    ready.access("public", access_conditions=None)
    public = {key: each for key, each in ready.row.value.items() if key != "last_modified_date"}
    assert public == {key: each for key, each in before.value.items() if key != "last_modified_date"}
    assert (ready.row.access_level, ready.row.etag == before.etag) == ("public", False)
    assert before.modified < closed.modified < ready.row.modified


def test_an_embargo_lifts_by_itself_at_its_date(ready: Ready) -> None:
    from catalog.index.published import lift_embargoes

    ready.change(ADMINISTRATIVE, access_level="embargoed", embargo_end_date="2998-06-01")
    ready.finalise("first")
    ready.publish()
    assert lift_embargoes() == 0
    assert lift_embargoes(datetime(2998, 5, 31, 23, 59, tzinfo=UTC)) == 0
    assert ready.row.access_level == "embargoed"
    assert lift_embargoes(datetime(2998, 6, 1, tzinfo=UTC)) == 1
    row = ready.row
    assert (row.access_level, row.embargo_end, row.value["access_level"]) == ("public", None, "public")
    assert row.modified == datetime(2998, 6, 1, tzinfo=UTC)
    assert lift_embargoes(datetime(2998, 6, 1, tzinfo=UTC)) == 0
