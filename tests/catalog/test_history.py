"""Pages of a record's history: every version, what it changed, nobody else's, and nothing that breaks out."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client
from pytest_django import Settings

from catalog import index
from ingest import blanks, documents, revisions
from ingest.provenance.settings import GitSettings
from tests.catalog.hostile import CORPUS, see
from tests.catalog.recorded import Past
from tests.catalog.tree import Tree, entry, identifier, put

pytestmark = pytest.mark.django_db(transaction=True)

DATASET = identifier("dataset", "p_Alpha/plate_1")
LIST = f"/history/dataset/{DATASET}/"


def administrative(tree: Tree, folder: str = "p_Alpha/plate_1") -> Path:
    return tree.document(folder, documents.ADMINISTRATIVE)


def save(tree: Tree, past: Past, subject: str = "Edit", by: str = "ada", why: str = "", **fields: Any) -> str:
    """A person's save, as it is recorded."""
    stamp = {"last_modified_by": by, "last_modified_date": f"2026-11-23T06:00:{past.made:02}Z"}
    tree.edit(administrative(tree), {**fields, **stamp})
    return past.commit(subject, by=by, Trigger="form", **({"Reason": why} if why else {}))


# --- the list -----------------------------------------------------------------------------------------------------


def test_versions_stand_newest_first_with_who_when_what_and_why(reader: Client, tree: Tree, past: Past) -> None:
    save(tree, past, "Edit dataset plate_1", why="The first was a working title", dataset_title="Two")
    page = see(reader, LIST).words
    assert page.index("Edit dataset plate_1") < page.index("Describe the new dataset plate_1")
    assert "ada" in page
    assert "Fairfolder" in page
    assert "Why: The first was a working title" in page
    assert "Dataset title: One → Two" in page
    assert "Versions 1–2 of 2" in page
    assert "21 Sep 2026" in page


def test_a_long_history_is_paged_by_key(reader: Client, tree: Tree, past: Past) -> None:
    for number in range(30):
        save(tree, past, f"Edit {number}", dataset_title=f"Title {number}")
    first = reader.get(LIST).content.decode()
    assert "Versions 1–25" in first
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = see(reader, LIST + older[1].replace("&amp;", "&")).words
    assert "Versions 26–31 of 31" in second
    assert "Edit 4" in second
    assert "Dataset title: One → Title 0" in second
    assert "Edit 5" not in second
    assert reader.get(f"{LIST}?at=forged").status_code == 400
    other = f"/history/files/{DATASET}/"
    assert reader.get(other + older[1].replace("&amp;", "&")).status_code == 400


def test_without_a_repository_the_page_says_so(reader: Client, tree: Tree, settings: Settings) -> None:
    tree.project()
    tree.dataset()
    index.refresh(tree.documents())
    for enabled, words in ((True, "has no git repository yet"), (False, "FAIRFOLDER_GIT is off")):
        settings.ENGINE = replace(settings.ENGINE, git=GitSettings(enabled=enabled))
        assert words in see(reader, LIST).words
    assert reader.get(f"{LIST}version/").status_code == 404


def test_every_kind_of_document_has_its_history(reader: Client, tree: Tree, past: Past) -> None:
    run, scope = identifier("run", "x"), identifier("instrument", "x")
    value = {**blanks.experiment_template(run, "run_1", DATASET, "en")}
    document = put(documents.run_document(tree.root, "p_Alpha/plate_1", "run_1"), value)
    put(document.with_name(revisions.revision_name("run_1", 1)),
        {"data_object_identifier": revisions.data_object(run), "revision": 1})  # fmt: skip
    put(documents.instrument_document(tree.root, "scope"), blanks.instrument_template(scope, "en"))
    index.refresh(tree.documents())
    past.commit("Begin the run run_1")
    project = identifier("project", "p_Alpha")
    for word, number in {
        "project": project, "dataset": DATASET, "files": DATASET, "run": run, "instrument": scope, "revision-1": run,
    }.items():  # fmt: skip
        assert "1 version" in see(reader, f"/history/{word}/{number}/").words, word
        assert "This is the first version" in see(reader, f"/history/{word}/{number}/version/").words, word
    for word in ("revision-2", "revision-0", "nothing"):
        assert reader.get(f"/history/{word}/{run}/version/").status_code == 404, word


# --- one version, and two -----------------------------------------------------------------------------------------


def test_a_version_is_read_as_it_was(reader: Client, tree: Tree, past: Past) -> None:
    first = past.git("rev-parse", "HEAD")
    save(tree, past, dataset_title="Two", keywords=["salt"])
    page = see(reader, f"{LIST}version/?at={first}").words
    assert "salt" in page
    assert "heat" in page
    assert "Restore this version" not in page  # a reader
    newest = see(reader, f"{LIST}version/").words
    assert "salt, heat" in newest  # what it was before
    response = reader.get(f"{LIST}version.json?at={first}")
    assert orjson.loads(response.content)["dataset_title"] == "One"
    assert response["Content-Disposition"].startswith("attachment")


def test_what_a_version_says_is_in_words_and_to_the_second(reader: Client, tree: Tree, past: Past) -> None:
    other, own = identifier("project", "p_Beta"), identifier("project", "p_Alpha")
    save(tree, past, associated_project_identifier=other)
    save(tree, past, associated_project_identifier=own)
    page = see(reader, f"{LIST}version/").words
    assert f"Project {other} Alpha" in page
    assert f"Project {own}" not in page
    assert "What led to it A form" in page
    assert "Version of 21 Sep 2026 14:15:20" in page
    first = past.git("rev-list", "--max-parents=0", "HEAD")
    assert "What led to it A new dataset" in see(reader, f"{LIST}version/?at={first}").words
    past.commit("Complete run x", by="", Trigger="4, 5")
    listed = see(reader, LIST).words
    for moment in ("14:13:20", "14:14:20", "14:15:20"):
        assert f"21 Sep 2026 {moment}" in listed


def test_any_two_versions_are_compared_the_older_first(reader: Client, tree: Tree, past: Past) -> None:
    first = past.git("rev-parse", "HEAD")
    save(tree, past, dataset_title="Two")
    last = save(tree, past, dataset_title="Three", creators=[{"@type": "Person", "name": "Ada", "orcid": "x"}])
    for one, other in ((first, last), (last, first)):
        page = see(reader, f"{LIST}differences/?from={one}&to={other}").words
        assert "Dataset title One Three" in page
        assert "Creators nothing Name: Ada" in page


def test_a_manifests_difference_is_told_file_by_file(reader: Client, tree: Tree, past: Past) -> None:
    changed = entry("b.csv", size=5000, checksum={"algorithm": "sha256", "value": "0" * 64})
    moved = {**entry("a.csv"), "path": "sub/a.csv"}
    tree.files("p_Alpha/plate_1", [changed, moved, entry("c.csv")])
    past.commit("Describe 1 new file in plate_1", by="")
    page = see(reader, f"/history/files/{DATASET}/version/").words
    assert "3 files described: 1 added, 2 changed" in page
    assert "b.csv has other content (4.10 kB before, 5.00 kB now)" in page
    assert "sub/a.csv was moved from a.csv" in page
    assert "c.csv was added" in page


# --- whose it is --------------------------------------------------------------------------------------------------


def test_history_goes_with_a_record_that_moved(reader: Client, tree: Tree, past: Past) -> None:
    save(tree, past, "Before the move", dataset_title="Two")
    (tree.root / "p_Alpha/plate_1").rename(tree.root / "p_Alpha/renamed")
    tree.register("dataset", DATASET, "p_Alpha/renamed", 3)
    past.commit("Follow the move")
    index.refresh([*tree.documents(), administrative(tree), tree.root / "p_Alpha/plate_1"])
    page = see(reader, LIST).words
    assert [each in page for each in ("Follow the move", "Before the move", "Describe the new dataset")] == [True] * 3
    before = past.git("rev-parse", "HEAD^")
    assert "p_Alpha/plate_1/.metadata" in see(reader, f"{LIST}version/?at={before}").words


def test_who_stood_in_the_place_before_is_not_told(reader: Client, tree: Tree, past: Past) -> None:
    other = past.git("rev-parse", "HEAD")
    stranger = identifier("dataset", "stranger")
    for kind in (documents.ADMINISTRATIVE, documents.STRUCTURAL):
        tree.document("p_Alpha/plate_1", kind).unlink()
    documents.registry_document(tree.root, DATASET).unlink()
    past.commit("Gone")
    tree.dataset(dataset_identifier=stranger, dataset_title="Another")
    past.commit("Describe another dataset")
    index.refresh([*tree.documents(), documents.registry_document(tree.root, DATASET)])
    page = see(reader, f"/history/dataset/{stranger}/").words
    assert "Describe another dataset" in page
    assert "Describe the new dataset plate_1" not in page
    assert reader.get(f"/history/dataset/{stranger}/version/?at={other}").status_code == 404
    assert reader.get(f"/history/dataset/{stranger}/version.json?at={other}").status_code == 404


def test_a_record_whose_folder_is_gone_keeps_its_history(curator: Client, tree: Tree, past: Past) -> None:
    shutil.rmtree(tree.root / "p_Alpha/plate_1")
    entry_ = tree.register("dataset", DATASET, "p_Alpha/plate_1", 3, state="missing")
    past.commit("Mark plate_1 as missing", by="")
    index.refresh([entry_, tree.root / "p_Alpha/plate_1"])
    for address in (LIST, LIST.replace("/dataset/", "/files/")):
        page = see(curator, address).words
        assert "Mark plate_1 as missing" in page
        assert "removed" in page
    before = past.git("rev-parse", "HEAD^")
    assert "salt" in see(curator, f"{LIST}version/?at={before}").words
    assert "is not there any more" in see(curator, f"{LIST}restore/?at={before}", 409).words
    assert curator.get(f"{LIST}prov.jsonld").status_code == 200


NO_VERSIONS = ("-x", "HEAD", "--all", "a" * 39, "g" * 40, "a" * 40, "HEAD^{/x}", "\n", "%00", "..", "é", "\x00")


@pytest.mark.parametrize("at", NO_VERSIONS)
def test_what_is_no_version_is_not_found(reader: Client, tree: Tree, past: Past, at: str) -> None:
    for page in ("version/", "version.json", "differences/"):
        asked = reader.get(f"{LIST}{page}", {"at": at, "from": at, "to": at})
        assert asked.status_code == 404, page
    assert reader.get(LIST, {"with": at}).status_code == 200


def test_a_commit_of_somebodys_own_branch_is_no_version(reader: Client, tree: Tree, past: Past) -> None:
    past.git("checkout", "-q", "-b", "own")
    tree.edit(administrative(tree), {"dataset_title": "Elsewhere"})
    elsewhere = past.commit("On my own branch")
    past.git("checkout", "-q", "main")
    assert reader.get(f"{LIST}version/?at={elsewhere}").status_code == 404


# --- what somebody wrote ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_hostile_text_stays_text(reader: Client, tree: Tree, past: Past, text: str) -> None:
    value = {
        **orjson.loads(administrative(tree).read_bytes()),
        "dataset_title": text,
        f"odd {text}": [text, {text: text}],
    }
    put(administrative(tree), value)
    clean = text.replace("\x00", "").replace("\n", " ").strip() or "x"
    past.commit(clean[:200], by=re.sub(r"[\x00<>\n\r\\]", "", text)[:50].strip() or "x", Reason=clean[:200])
    for page in ("", "version/", "differences/?from={0}&to={1}"):
        head, before = past.git("rev-parse", "HEAD"), past.git("rev-parse", "HEAD^")
        see(reader, LIST + page.format(before, head))


def broken(tree: Tree, past: Past, raw: bytes) -> str:
    path = administrative(tree)
    path.write_bytes(raw)
    return past.commit("Record changes made on disk", by="filesystem")


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    "raw", [b'{"dataset_title": <script>alert(1)</script>', b"\xff\xfe", b"", b"[1]", nested(300), nested(900)],
    ids=["broken", "bytes", "empty", "list", "deep", "deeper"],
)  # fmt: skip
def test_a_version_that_is_no_record_is_shown_as_text(reader: Client, tree: Tree, past: Past, raw: bytes) -> None:
    at = broken(tree, past, raw)
    page = see(reader, f"{LIST}version/?at={at}").words
    assert "cannot be compared field by field" in page
    assert "changed on disk" in see(reader, LIST).words
    assert reader.get(f"{LIST}version.json?at={at}").content == raw


def test_a_value_of_a_megabyte_is_told_where_it_differs(reader: Client, tree: Tree, past: Past) -> None:
    long = "lorem ipsum " * 90_000
    save(tree, past, dataset_abstract=f"{long}first end")
    save(tree, past, dataset_abstract=f"{long}other end")
    response = reader.get(f"{LIST}version/")
    words = see(reader, f"{LIST}version/").words
    assert "ipsum first end" in words.replace("  ", " ")
    assert "ipsum other end" in words
    assert len(response.content) < 3_000_000


def test_a_removed_field_and_another_schema_are_told(reader: Client, tree: Tree, past: Past) -> None:
    value = orjson.loads(administrative(tree).read_bytes())
    value |= {"$schema": "https://uni.example/schemas/x/2.0.0", "local_field": {"deep": [1, "1"]}}
    del value["keywords"]
    put(administrative(tree), value)
    past.commit("Another schema")
    page = see(reader, f"{LIST}version/").words
    assert "Keywords salt, heat nothing" in page
    assert "https://uni.example/schemas/x/2.0.0" in page
    assert "Local field nothing" in page


# --- the trail ----------------------------------------------------------------------------------------------------


def test_the_trail_is_prov(reader: Client, tree: Tree, past: Past) -> None:
    save(tree, past, "Edit", why="Because", dataset_title="Two")
    response = reader.get(f"{LIST}prov.jsonld")
    assert response["Content-Type"] == "application/ld+json"
    graph = {node["@id"]: node for node in response.json()["@graph"]}
    newest, first = (f"http://testserver{LIST}version/?at={past.git('rev-parse', at)}" for at in ("HEAD", "HEAD^"))
    assert graph[newest]["prov:wasRevisionOf"] == {"@id": first}
    assert graph[newest]["dct:description"] == ["Dataset title: One → Two"]
    assert graph[newest]["prov:specializationOf"] == {"@id": f"urn:uuid:{DATASET}"}
    action = graph[graph[newest]["prov:wasGeneratedBy"]["@id"]]
    assert action["dct:description"] == "Because"
    agent = graph[action["prov:wasAssociatedWith"]["@id"]]
    assert (agent["@type"], agent["foaf:name"]) == ("prov:Person", "ada")
    assert graph["acct:service@fairfolder.invalid"]["@type"] == "prov:SoftwareAgent"


def test_a_longer_trail_goes_on(reader: Client, tree: Tree, past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.pages.history.MOST_IN_A_TRAIL", 2)
    for number in range(3):
        save(tree, past, dataset_title=f"Title {number}")
    response = reader.get(f"{LIST}prov.jsonld")
    following = re.fullmatch(r'<http://testserver([^>]+)>; rel="next"', response["Link"])
    assert following is not None
    rest = reader.get(following[1])
    entities = [node for node in rest.json()["@graph"] if "prov:generatedAtTime" in node]
    assert (len(entities), rest.has_header("Link")) == (2, False)


# --- data files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("portion", [64 * 1024**2, 1], ids=["at once", "in portions"])
def test_a_file_is_told_by_its_checksums(
    reader: Client, tree: Tree, past: Past, monkeypatch: pytest.MonkeyPatch, portion: int
) -> None:
    monkeypatch.setattr("catalog.history.data_files._PORTION", portion)
    number = identifier("file", "a.csv")
    sums = {"now": "2" * 64, "before": entry("a.csv")["checksum"]["value"]}
    tree.files("p_Alpha/plate_1", [entry("a.csv"), entry("b.csv"), entry("c.csv")])
    past.commit("Describe 1 new file")
    other = {"algorithm": "sha256", "value": sums["now"]}
    tree.files("p_Alpha/plate_1", [entry("sub/a.csv", 99, file_identifier=number, checksum=other), entry("b.csv")])
    past.commit("Describe 1 changed file", by="")
    index.refresh(tree.documents())
    address, words = f"/files/{number}/history/", ""
    while address:
        page = reader.get(address).content.decode()
        words += see(reader, address).words
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = f"/files/{number}/history/{following[1]}" if following else ""
    assert words.index(sums["now"]) < words.index(sums["before"])
    assert (words.count(sums["now"]), words.count(sums["before"])) == (1, 1)
    assert "at a.csv" in words
    assert "not their bytes" in words
    assert reader.get(f"/files/{number}/history/?at=forged").status_code == 400
    assert "Versions of this file" in see(reader, f"/files/{number}/").words


def test_a_damaged_repository_is_told(reader: Client, tree: Tree, past: Past) -> None:
    head = past.git("rev-parse", "HEAD")
    kept = tree.root / ".git" / "objects" / head[:2] / head[2:]
    kept.chmod(0o644)
    kept.write_bytes(b"nothing of the kind")
    assert reader.get(LIST).status_code in (200, 503)
    for page in (LIST, f"{LIST}version/"):
        assert "history" in reader.get(page).content.decode().lower()
        assert reader.get(page).status_code < 504
