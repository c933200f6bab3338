"""What needs a person is told where people look: on the record's own page, on the status page, for any path."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client
from pytest_django import Settings

from catalog import index
from catalog.models import Dataset, File
from ingest import fixity
from ingest.reconcile import reconcile
from ingest.seen import state_folder
from ingest.workspace import open_workspace
from tests.catalog.hostile import see
from tests.catalog.tree import Tree, entry, identifier

pytestmark = pytest.mark.django_db(transaction=True)


def describe(tree: Tree, settings: Settings) -> None:
    with open_workspace(tree.root, settings.ENGINE) as workspace:
        reconcile(workspace, wait=False, on_recorded=index.refresh)


@pytest.fixture
def plate(tree: Tree, settings: Settings) -> Path:
    """A dataset that the engine described."""
    folder = tree.root / "p_Alpha" / "plate"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("x,y\n1,2\n")
    describe(tree, settings)
    return folder


def pages_of(folder: Path) -> tuple[str, str]:
    row = Dataset.objects.get(path=f"{folder.parent.name}/{folder.name}")
    return f"/datasets/{row.identifier}/", f"/projects/{row.project_identifier}/"


def test_a_damaged_memory_of_the_engine_is_a_notice_on_every_page(reader: Client, tree: Tree, plate: Path) -> None:
    dataset, project = pages_of(plate)
    (state_folder(tree.root.parent / "state", tree.root) / "seen.sqlite").write_bytes(b"not a database" * 1_000)
    for address in ("/status/", "/why/?path=p_Alpha/plate/a.csv", dataset, project):
        assert "cannot be used" in see(reader, address).words, address


def test_a_refused_hand_edit_is_told_on_the_pages_of_its_dataset(
    reader: Client, tree: Tree, plate: Path, settings: Settings
) -> None:
    record = plate / ".metadata" / "dataset_administrative.json"
    record.write_bytes(orjson.dumps({**orjson.loads(record.read_bytes()), "status": "no such status"}))
    with open_workspace(tree.root, settings.ENGINE) as workspace:
        workspace.seen.set_trouble(f"p_Alpha/plate/.metadata/{record.name}", 3, "The hand edit was refused.")
        workspace.seen.set_trouble("p_Beta/other/.metadata/x.json", 3, "Not of this dataset.")
    words = see(reader, pages_of(plate)[0]).words
    assert "Documents that need a person The hand edit was refused." in words
    assert "status page" in words
    assert "Not of this dataset" not in words


def test_a_broken_document_is_told_once(reader: Client, tree: Tree, plate: Path, settings: Settings) -> None:
    (plate / ".metadata" / "dataset_administrative.json").write_text("{ broken")
    dataset, _ = pages_of(plate)
    describe(tree, settings)
    index.refresh(tree.documents())
    assert see(reader, dataset).words.count("is not valid JSON") == 1


def test_links_are_told_apart_from_what_will_be_described(
    reader: Client, tree: Tree, plate: Path, settings: Settings
) -> None:
    (plate / "latest").symlink_to("a.csv")
    (plate / "fresh.csv").write_text("x\n1\n")
    describe(tree, settings)
    words = see(reader, pages_of(plate)[0]).words
    assert "links and special files never are link latest" in words
    assert "latest" not in words.partition("Not described yet")[2].partition("Not described: links")[0]


def test_files_that_were_not_read_whole_are_marked_in_the_list(reader: Client, tree: Tree) -> None:
    damaged = {"extractor": "tiff", "version": "1", "warnings": ["The header is cut short."]}
    number = tree.dataset(entries=[entry("a.csv"), entry("b.tif", extraction=damaged)])
    index.refresh(tree.documents())
    for address in (f"/datasets/{number}/", f"/datasets/{number}/files/"):
        words = see(reader, address).words
        assert words.count("present warnings") == 1
        assert "b.tif" in words.partition("present warnings")[0]


def test_the_status_page_leads_to_the_dataset_and_lists_what_is_left_out(
    reader: Client, tree: Tree, plate: Path, settings: Settings
) -> None:
    (plate.parent / "stray.txt").write_text("x")
    (plate / "latest").symlink_to("a.csv")
    describe(tree, settings)
    (plate / ".metadata" / "dataset_administrative.json").write_text("{ broken")
    describe(tree, settings)
    page = see(reader, "/status/")
    assert "Left out: 2 stray, linked or special paths" in page.words
    assert "p_Alpha/ stray.txt" in page.words
    assert pages_of(plate)[0] in reader.get("/status/").content.decode()


def test_the_headline_counts_what_is_there(reader: Client, tree: Tree) -> None:
    tree.dataset("p_Alpha/one", [entry("a.csv"), entry("b.csv")])
    gone = tree.dataset("p_Alpha/two", [entry("c.csv")])
    tree.register("dataset", gone, "p_Alpha/two", 9, state="missing")
    index.refresh(tree.documents())
    words = see(reader, "/status/").words
    assert "Datasets 1 Files 2 Missing datasets 1" in words


def test_a_missing_dataset_is_told_of_in_one_sentence(reader: Client, tree: Tree) -> None:
    number = identifier("gone")
    reason = "the folder is not there any more"
    tree.register("dataset", number, "p_Alpha/gone", 4, state="missing", state_reason=reason)
    index.refresh(tree.documents())
    words = see(reader, f"/datasets/{number}/").words
    assert "it keeps its identity." in words
    assert reason not in words


def test_an_answer_stands_under_a_neutral_heading(reader: Client, plate: Path) -> None:
    assert "What became of this path?" in see(reader, "/why/?path=p_Alpha/plate/a.csv").words
    assert "Why is a path not described?" in see(reader, "/why/").words


def test_the_sign_in_page_waits_for_the_user_name(client: Any) -> None:
    page = client.get("/login/").content.decode()
    assert "autofocus" in page.partition('id="id_username"')[2].partition(">")[0]
    assert ".venv/bin/python manage.py user password admin" in page


def test_a_file_that_is_not_as_recorded_is_marked_where_researchers_look(
    reader: Client, tree: Tree, plate: Path, settings: Settings
) -> None:
    """FA-27: the record is marked; the status page is not open to everybody."""
    (plate / "well.csv").write_text("x\n1\n")
    odd = plate / "odd \udcff.csv"
    odd.write_text("x\n2\n")
    describe(tree, settings)
    dataset, _ = pages_of(plate)
    files = {row.path: f"/files/{row.identifier}/" for row in File.objects.all()}
    addresses = [dataset, f"{dataset}files/", files["a.csv"], files["odd %FF.csv"]]
    for address in (*addresses, files["well.csv"]):
        assert "ot as recorded" not in see(reader, address).words, address
    recorded = (plate / ".metadata" / "dataset_structural.json").read_bytes()
    for damaged in (plate / "a.csv", odd):
        raw, times = bytearray(damaged.read_bytes()), damaged.stat()
        raw[-2] ^= 1
        damaged.write_bytes(bytes(raw))
        os.utime(damaged, ns=(times.st_atime_ns, times.st_mtime_ns))
    with open_workspace(tree.root, settings.ENGINE) as workspace:
        fixity.verify(workspace)
    for address in addresses:
        assert "ot as recorded" in see(reader, address).words, address
    assert "ot as recorded" not in see(reader, files["well.csv"]).words
    words = see(reader, dataset).words
    assert "Not as recorded p_Alpha/plate/a.csv has other bytes than were described" in words
    assert words.count(" not as recorded") == 2  # those two rows of the table, and not the third
    assert (plate / ".metadata" / "dataset_structural.json").read_bytes() == recorded
    shutil.copy(plate / "well.csv", plate / "a.csv")  # other bytes at another time are described as such
    describe(tree, settings)
    with open_workspace(tree.root, settings.ENGINE) as workspace:
        fixity.accept(workspace)
    assert "ot as recorded" not in see(reader, files["a.csv"]).words


def test_of_very_many_files_that_are_not_as_recorded_the_first_are_named(
    reader: Client, tree: Tree, plate: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.fixity._MOST", 12)
    for number in range(20):
        (plate / f"f{number:02}.csv").write_text("x\n1\n")
    describe(tree, settings)
    for number in range(20):
        (plate / f"f{number:02}.csv").unlink()
    with open_workspace(tree.root, settings.ENGINE) as workspace:
        fixity.verify(workspace)
    words = see(reader, pages_of(plate)[0]).words
    assert "20 files are not as recorded; verify names them all." in words
    assert words.count(" is not there") <= 10
