"""Setting a version back: a new action that changes people's fields only, seen before it is done, by who may edit."""

from __future__ import annotations

import subprocess
from typing import Any

import orjson
import pytest
from django.test import Client

from catalog import index
from catalog.editing import targets
from ingest import documents
from tests.catalog.everyone import World
from tests.catalog.hostile import see
from tests.catalog.recorded import Past
from tests.catalog.test_history import DATASET, LIST, administrative, broken, save
from tests.catalog.tree import Tree, entry, identifier, put

pytestmark = pytest.mark.django_db(transaction=True)


def preview(client: Client, at: str, address: str = LIST, status: int = 200) -> str:
    return see(client, f"{address}restore/?at={at}", status).words


def confirm(client: Client, at: str, etag: str, address: str = LIST, **more: str) -> Any:
    return client.post(f"{address}restore/", {"at": at, "etag": etag, **more})


def etag_of_page(client: Client, at: str, address: str = LIST) -> str:
    """The mark of what the page compared with, as its form sends it."""
    page = client.get(f"{address}restore/?at={at}").content.decode()
    return page.partition('name="etag" value="')[2].partition('"')[0]


def etag(tree: Tree) -> str:
    return documents.read_document(administrative(tree), documents.ADMINISTRATIVE).etag


def value(tree: Tree) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(administrative(tree).read_bytes())
    return found


def test_a_version_is_set_back_as_a_new_action(curator: Client, tree: Tree, past: Past) -> None:
    first = past.git("rev-parse", "HEAD")
    save(tree, past, dataset_title="Two", dataset_abstract="New")
    page = preview(curator, first)
    assert "Dataset title Two One" in page
    assert "Abstract New nothing" in page
    before = value(tree)
    assert confirm(curator, first, etag(tree), reason="It was right").status_code == 302
    after = value(tree)
    assert (after["dataset_title"], "dataset_abstract" in after, after["last_modified_by"]) == ("One", False, "curator")
    for key in ("dataset_identifier", "created_by", "created_date", "@id", "status"):
        assert after[key] == before[key], key
    assert "The version was restored" in see(curator, LIST).words
    told = past.git("log", "-1", "--format=%an%n%s%n%(trailers:key=Trigger)%(trailers:key=Reason)").splitlines()
    assert told[:2] == ["curator", "Restore dataset plate_1 as of 2026-09-21T14:13:20Z"]
    assert told[2:4] == ["Trigger: restore", "Reason: It was right"]
    assert past.git("rev-list", "--count", "HEAD") == "3"  # nothing was taken away, one thing added
    assert "Why: It was right" in see(curator, LIST).words


def test_the_systems_fields_stay_as_they_are_true_now(curator: Client, tree: Tree, past: Past) -> None:
    first = past.git("rev-parse", "HEAD")
    moved, origin = identifier("project", "p_Beta"), f"urn:uuid:{identifier('x')}"
    save(tree, past, dataset_title="Two", associated_project_identifier=moved, derived_from=origin)
    tree.project("p_Beta")
    index.refresh(tree.documents())
    assert confirm(curator, first, etag(tree)).status_code == 302
    after = value(tree)
    assert (after["dataset_title"], after["associated_project_identifier"]) == ("One", moved)
    assert after["derived_from"] == origin


def test_a_manifests_entries_are_not_set_back(curator: Client, tree: Tree, past: Past) -> None:
    first = past.git("rev-parse", "HEAD")
    path = tree.files("p_Alpha/plate_1", [entry("a.csv"), entry("c.csv")])
    head = orjson.loads(path.read_bytes())
    past.commit("Files")
    target = targets.find("files", DATASET)
    assert target is not None
    targets.save(target, lambda old: {**(old or {}), "scope": "All plates"}, by="ada")
    past.commit("Edit")
    address = f"/history/files/{DATASET}/"
    assert "Scope All plates nothing" in preview(curator, first, address)
    now = target.read_head().etag
    assert confirm(curator, first, now, address).status_code == 302
    after = orjson.loads(path.read_bytes())
    assert "scope" not in after
    assert after["file_descriptions"] == head["file_descriptions"]


def test_whoever_was_overtaken_sees_what_would_change_now(curator: Client, tree: Tree, past: Past) -> None:
    first = past.git("rev-parse", "HEAD")
    save(tree, past, dataset_title="Two")
    seen = etag(tree)
    save(tree, past, dataset_title="Three")
    answer = confirm(curator, first, seen)
    assert answer.status_code == 412
    assert "Three" in answer.content.decode()
    assert "Somebody changed the record meanwhile" in answer.content.decode()
    assert value(tree)["dataset_title"] == "Three"


def test_a_complete_record_becomes_a_draft_where_it_would_not_be_complete(
    curator: Client, tree: Tree, past: Past
) -> None:
    from tests.journeys.hostile_records import record

    first = past.git("rev-parse", "HEAD")
    complete = record(documents.ADMINISTRATIVE, value(tree), ("plain",))
    put(administrative(tree), complete)
    completed = past.commit("Complete it")
    page = preview(curator, first)
    assert "It would be a draft again" in page
    assert "It stays complete" not in page
    assert confirm(curator, first, etag(tree)).status_code == 302
    assert value(tree)["status"] == "draft"
    # And a draft is not made complete by setting back a version that was.
    assert confirm(curator, completed, etag(tree)).status_code == 302
    assert (value(tree)["status"], "creators" in value(tree)) == ("draft", True)


def test_what_is_not_valid_any_more_is_not_set_back(curator: Client, tree: Tree, past: Past) -> None:
    save(tree, past, dataset_title={"no": "text"})
    wrong = past.git("rev-parse", "HEAD")
    save(tree, past, dataset_title="Two")
    assert "It cannot be restored" in preview(curator, wrong)
    before = administrative(tree).read_bytes()
    assert confirm(curator, wrong, etag(tree)).status_code == 409
    assert administrative(tree).read_bytes() == before


def test_neither_a_broken_version_nor_the_same_one_is_set_back(curator: Client, tree: Tree, past: Past) -> None:
    text = administrative(tree).read_bytes()
    wrong = broken(tree, past, b"{ broken")
    administrative(tree).write_bytes(text)
    same = past.commit("Mend it")
    assert "cannot be set back" in preview(curator, wrong, status=409)
    assert "Nothing: the record says what this version says." in preview(curator, same)
    for at in (wrong, same):
        assert confirm(curator, at, etag(tree)).status_code == 409
    assert administrative(tree).read_bytes() == text


def test_a_record_that_cannot_be_read_is_restored_and_its_text_is_kept(curator: Client, tree: Tree, past: Past) -> None:
    first = past.git("rev-parse", "HEAD")
    save(tree, past, dataset_title="Two")
    before = value(tree)
    text = b'{ "dataset_title": "Three", '
    administrative(tree).write_bytes(text)
    refused = curator.get(f"/edit/dataset/{DATASET}/")
    assert (refused.status_code, f'href="{LIST}"' in refused.content.decode()) == (409, True)
    page = preview(curator, first)
    assert "The record as it stands cannot be read: p_Alpha/plate_1/.metadata" in page
    assert "is not valid JSON" in page
    assert str(tree.root) not in page
    assert "Dataset title Two One" in page
    seen = etag_of_page(curator, first)
    assert confirm(curator, first, seen, reason="An editor broke it").status_code == 302
    after = value(tree)
    assert (after["dataset_title"], after["last_modified_by"]) == ("One", "curator")
    for key in ("dataset_identifier", "created_by", "created_date", "@id", "status"):
        assert after[key] == before[key], key
    # The text that said nothing is a version of its own, by whoever wrote it, before that of the person.
    told = past.git("log", "-2", "--format=%an|%s").splitlines()
    assert told == [
        "curator|Restore dataset plate_1 as of 2026-09-21T14:13:20Z",
        "Changed on disk|Record changes made on disk",
    ]
    assert past.git("show", f"HEAD^:{administrative(tree).relative_to(tree.root)}").encode() + b" " == text
    assert "An editor broke it" in see(curator, LIST).words


def test_the_last_version_that_could_be_read_is_put_back_too(curator: Client, tree: Tree, past: Past) -> None:
    save(tree, past, dataset_title="Two")
    newest, title = past.git("rev-parse", "HEAD"), value(tree)["dataset_title"]
    broken(tree, past, b"{ broken")
    assert "It says what that version says." in preview(curator, newest)
    assert confirm(curator, newest, etag_of_page(curator, newest)).status_code == 302
    assert value(tree)["dataset_title"] == title


def test_a_text_that_was_broken_otherwise_meanwhile_is_not_replaced(curator: Client, tree: Tree, past: Past) -> None:
    first = past.git("rev-parse", "HEAD")
    administrative(tree).write_bytes(b"{ broken")
    seen = etag_of_page(curator, first)
    administrative(tree).write_bytes(b"{ broken otherwise")
    assert confirm(curator, first, seen).status_code == 412
    assert administrative(tree).read_bytes() == b"{ broken otherwise"


def test_a_manifest_that_cannot_be_read_keeps_its_entries(curator: Client, tree: Tree, past: Past) -> None:
    first, address = past.git("rev-parse", "HEAD"), f"/history/files/{DATASET}/"
    path = tree.document("p_Alpha/plate_1", documents.STRUCTURAL)
    entries = orjson.loads(path.read_bytes())["file_descriptions"]
    path.write_bytes(path.read_bytes()[:-40])
    assert confirm(curator, first, etag_of_page(curator, first, address), address).status_code == 302
    assert orjson.loads(path.read_bytes())["file_descriptions"] == entries


def test_only_who_may_edit_restores_what_cannot_be_read(world: World) -> None:
    past = Past(world.tree.root).begin()
    first = past.commit("First")
    path = world.tree.document("p_Alpha/plate", documents.ADMINISTRATIVE)
    path.write_bytes(b"{ broken")
    address = f"/history/dataset/{identifier('dataset', 'p_Alpha/plate')}/"
    seen = etag_of_page(world.people["researcher"], first, address)
    for who in ("viewer", "outsider"):
        assert confirm(world.people[who], first, seen, address).status_code == 404, who
    assert path.read_bytes() == b"{ broken"
    assert confirm(world.people["researcher"], first, seen, address).status_code == 302
    assert orjson.loads(path.read_bytes())["last_modified_by"] == "researcher"


def test_what_no_version_can_stand_for_is_mended_by_hand(curator: Client, tree: Tree, past: Past) -> None:
    first, text = past.git("rev-parse", "HEAD"), administrative(tree).read_bytes()
    for number in range(22):  # nothing that can be read is among the newest
        broken(tree, past, b"{ broken %d" % number)
    page = preview(curator, first, status=409)
    assert "is not valid JSON" in page
    command = page.partition("in its place with: ")[2].partition(" Times are UTC")[0]
    subprocess.run(["sh", "-c", command], check=True)
    assert administrative(tree).read_bytes() == text


def test_only_who_may_edit_restores(world: World) -> None:
    past = Past(world.tree.root).begin()
    past.commit("First")
    path = world.tree.document("p_Alpha/plate", documents.ADMINISTRATIVE)
    first = past.git("rev-parse", "HEAD")
    world.tree.edit(path, {"dataset_title": "Two"})
    past.commit("Second")
    number = identifier("dataset", "p_Alpha/plate")
    address = f"/history/dataset/{number}/"
    for who, status, offered in (("viewer", 404, False), ("researcher", 200, True), ("curator", 200, True)):
        page = world.people[who].get(f"{address}version/?at={first}").content.decode()
        assert ("Restore this version" in page) is offered, who
        assert world.people[who].get(f"{address}restore/?at={first}").status_code == status, who
    tag = documents.read_document(path, documents.ADMINISTRATIVE).etag
    assert confirm(world.people["viewer"], first, tag, address).status_code == 404
    assert confirm(world.people["outsider"], first, tag, address).status_code == 404
    assert orjson.loads(path.read_bytes())["dataset_title"] == "Two"
    assert confirm(world.people["researcher"], first, tag, address).status_code == 302
    assert "dataset_title" not in orjson.loads(path.read_bytes())
    assert world.people["researcher"].get(f"/history/run/{identifier('run', 'Alpha')}/").status_code == 200
    revision = f"/history/revision-1/{identifier('run', 'Alpha')}/"
    assert world.people["curator"].get(revision + "restore/").status_code == 404  # never written again
