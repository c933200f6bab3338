"""The history of what was renamed: followed through every place, however many commits a move took."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from catalog import index
from catalog.history import past as pages
from catalog.history.finding import target
from ingest import documents
from ingest.provenance.settings import GitSettings
from ingest.reconcile import reconcile
from ingest.workspace import open_workspace
from tests.catalog.described import Described
from tests.catalog.hostile import see
from tests.catalog.recorded import Past
from tests.catalog.test_history import DATASET, LIST, administrative, save
from tests.catalog.tree import Tree, identifier

pytestmark = pytest.mark.django_db(transaction=True)

A, B = "p_Alpha/plate_1", "p_Alpha/renamed"


def shown(capsys: pytest.CaptureFixture[str], path: Path | str) -> list[str]:
    """The subjects that `history` tells, the newest first."""
    capsys.readouterr()
    call_command("history", str(path), "--json", "--limit", "50")
    return [each["subject"] for each in json.loads(capsys.readouterr().out)["versions"]]


def move(tree: Tree, old: str, new: str, sequence: int) -> None:
    (tree.root / old).rename(tree.root / new)
    tree.register("dataset", DATASET, new, sequence)


def in_steps(tree: Tree, past: Past) -> None:
    """A folder renamed just after a hand edit of its record was put right, as the passes between found it."""
    save(tree, past, "Edit", dataset_title="Two")
    aside = tree.root / "aside"
    (tree.root / A).rename(aside)
    tree.register("dataset", DATASET, B, 3)
    past.commit("Follow it")
    aside.rename(tree.root / B)
    past.commit("Record changes made on disk", by="filesystem")
    tree.edit(administrative(tree, B), {"dataset_title": "Three", "last_modified_date": "2026-11-23T07:00:00Z"})
    past.commit("Edit again")
    index.refresh([*tree.documents(), administrative(tree)])


def test_a_move_that_took_several_commits_keeps_the_shown_history(reader: Client, tree: Tree, past: Past) -> None:
    in_steps(tree, past)
    page = see(reader, LIST).words
    told = ("Edit again", "Record changes made on disk", "Edit", "Describe the new dataset plate_1")
    assert [each in page for each in told] == [True] * 4
    assert "Dataset title: One → Two" in page
    moved = past.git("rev-parse", "HEAD^")
    before = see(reader, f"{LIST}version/?at={moved}").words
    assert "This is the first version" not in before
    old = past.git("rev-parse", "HEAD~3")
    assert f"{A}/.metadata" in see(reader, f"{LIST}version/?at={old}").words


def test_the_records_of_a_folder_are_followed_too(tree: Tree, past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    in_steps(tree, past)
    told = shown(capsys, tree.root / B)
    assert told == [
        "Edit again",
        "Record changes made on disk",
        "Follow it",
        "Edit",
        "Describe the new dataset plate_1",
    ]
    project = shown(capsys, tree.root / "p_Alpha")
    assert project == ["Describe the new dataset plate_1"]


def test_a_record_that_came_back_is_told_in_the_order_of_time(
    reader: Client, tree: Tree, past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tree, past, "At first", dataset_title="Two")
    move(tree, A, B, 3)
    past.commit("There")
    tree.edit(administrative(tree, B), {"dataset_title": "Three"})
    past.commit("While it was away")
    move(tree, B, A, 4)
    past.commit("And back")
    save(tree, past, "At last", dataset_title="Four")
    index.refresh([*tree.documents(), administrative(tree, B)])
    order = ["At last", "And back", "While it was away", "There", "At first", "Describe the new dataset plate_1"]
    page = see(reader, LIST).words
    places = [page.index(each) for each in order]
    assert places == sorted(places)
    assert page.count("At first") == 1
    back = past.git("rev-parse", "HEAD^")
    assert "Three" in see(reader, f"{LIST}version/?at={back}").words
    assert shown(capsys, administrative(tree)) == order
    assert shown(capsys, tree.root / A) == order


def test_a_page_goes_on_where_the_record_stood(reader: Client, tree: Tree, past: Past) -> None:
    in_steps(tree, past)
    found = target("dataset", DATASET)
    assert found is not None
    subjects, token = [], ""
    for _ in range(10):
        page = pages.page(found, token, 1)
        subjects += [each.subject for each in page.versions]
        token = page.older
        if not token:
            break
    whole = [each.subject for each in pages.page(found).versions]
    assert subjects == whole
    assert whole[0] == "Edit again"
    assert whole[-1] == "Describe the new dataset plate_1"


def test_a_folders_history_is_not_that_of_who_stood_there_before(
    tree: Tree, past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in (documents.ADMINISTRATIVE, documents.STRUCTURAL):
        tree.document(A, kind).unlink()
    documents.registry_document(tree.root, DATASET).unlink()
    past.commit("Gone")
    tree.dataset(dataset_identifier=identifier("dataset", "stranger"), dataset_title="Another")
    past.commit("Describe another dataset")
    assert shown(capsys, tree.root / A) == ["Describe another dataset"]
    # A document the index does not know is told as it is, whoever's it was.
    (tree.root / A / ".metadata" / "notes.json").write_text("{}")
    past.commit("Notes")
    assert shown(capsys, tree.root / A / ".metadata" / "notes.json") == ["Notes"]


def test_a_rename_just_after_an_edit_was_put_right_as_the_engine_records_it(
    described: Described, capsys: pytest.CaptureFixture[str]
) -> None:
    described.settings.ENGINE = replace(described.settings.ENGINE, git=GitSettings())
    described.put("p_Alpha/ds/a.csv")
    described.describe()
    path = described.root / "p_Alpha/ds/.metadata/dataset_administrative.json"
    text = path.read_bytes()
    path.write_bytes(text[:-4])
    describe_with_trouble(described)
    path.write_bytes(text.replace(b'"draft"', b'"draft",\n  "dataset_title": "Two"', 1))
    (described.root / "p_Alpha/ds").rename(described.root / "p_Alpha/renamed")
    describe_with_trouble(described)
    describe_with_trouble(described)
    number = described.dataset("p_Alpha/renamed").identifier
    found = target("dataset", number)
    assert found is not None
    versions = pages.page(found).versions
    told = [each.subject for each in versions]
    assert told[-1] == "Describe dataset ds", told
    assert [each.blob for each in versions if not each.blob] == []
    assert any(each.path.startswith("p_Alpha/ds/") for each in versions)
    by = {each.by for each in versions if each.subject == "Record changes made on disk"}
    assert by <= {"filesystem"}, by
    capsys.readouterr()
    folder = shown(capsys, described.root / "p_Alpha/renamed")
    assert folder[-1] in ("Describe 1 new file in ds", "Describe dataset ds"), folder


def describe_with_trouble(described: Described) -> None:
    """A pass that may find something wrong, and the index after it."""
    with open_workspace(described.root, described.settings.ENGINE) as workspace:
        reconcile(workspace)
    index.catch_up()
