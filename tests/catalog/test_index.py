"""The index equals the documents, whatever happened to them and in whatever order it was told."""

from __future__ import annotations

import os
import random
from pathlib import Path

import orjson
import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from catalog import index
from catalog.models import ChangeLog, Dataset, Document, File, FileDocument, Project, Rebuild
from ingest import documents
from ingest.errors import FrozenError
from tests.catalog.tree import Tree, entry, identifier

pytestmark = pytest.mark.django_db(transaction=True)


def grow(tree: Tree) -> None:
    tree.project("p_Alpha", 1, project_title="Alpha")
    tree.project("p_Beta", 2)
    tree.dataset(
        "p_Alpha/plate_1", [entry("a.csv"), entry("sub/a.csv")], 3, dataset_title="Plate one", status="complete"
    )
    tree.dataset("p_Alpha/plate_2", [entry(f"well_{i}.tif", i, "image/tiff") for i in range(30)], 4)
    tree.dataset("p_Beta/nothing", [], 5)


def assert_equal_to_rebuild() -> None:
    live = index.snapshot()
    index.rebuild()
    assert index.snapshot() == live


def test_rows_mirror_the_documents(tree: Tree) -> None:
    grow(tree)
    index.refresh(tree.documents())
    plate = Dataset.objects.get(path="p_Alpha/plate_1")
    assert (plate.title, plate.status, plate.state, plate.file_count, plate.size_bytes, plate.sequence) == (
        "Plate one", "complete", "present", 2, 8192, 3,
    )  # fmt: skip
    assert plate.project_identifier == Project.objects.get(title="Alpha").identifier
    assert [file.path for file in plate.files.order_by("path")] == ["a.csv", "sub/a.csv"]
    file = plate.files.select_related("document").get(path="a.csv")
    assert orjson.loads(file.document.text) == entry("a.csv")
    assert (file.mime_type, file.format, file.version, file.state) == ("text/csv", "CSV", "V1", "present")
    assert file.modified is not None
    assert file.modified.isoformat() == "2026-11-20T12:00:00.250000+00:00"
    assert ChangeLog.objects.get(identifier=plate.identifier).action == "present by system:trigger-2"


def test_the_same_refresh_twice_changes_nothing(tree: Tree) -> None:
    grow(tree)
    index.refresh(tree.documents())
    once, rows = index.snapshot(), list(File.objects.order_by("pk").values_list("pk", "digest"))
    index.refresh(tree.documents())
    assert index.snapshot() == once
    assert list(File.objects.order_by("pk").values_list("pk", "digest")) == rows


@pytest.mark.parametrize("seed", range(8))
def test_any_order_and_any_grouping_gives_the_rebuilt_index(tree: Tree, seed: int) -> None:
    rng = random.Random(seed)
    grow(tree)
    paths = tree.documents()
    rng.shuffle(paths)
    while paths:
        size = rng.randint(1, 5)
        index.refresh(paths[:size])
        paths = paths[size:]
    assert_equal_to_rebuild()


def test_only_changed_entries_are_written_again(tree: Tree) -> None:
    entries = [entry(f"f{i}.csv", i) for i in range(50)]
    tree.dataset(entries=entries)
    index.refresh(tree.documents())
    before = dict(File.objects.values_list("path", "pk"))
    entries[7]["size_bytes"] = 700
    del entries[9]
    index.refresh([tree.files("p_Alpha/plate_1", [*entries, entry("new.csv")])])
    after = dict(File.objects.values_list("path", "pk"))
    assert {path for path in after if before.get(path) != after[path]} == {"f7.csv", "new.csv"}
    assert set(before) - set(after) == {"f9.csv"}
    assert FileDocument.objects.count() == File.objects.count() == 50
    assert_equal_to_rebuild()


def test_a_random_life_ends_in_the_rebuilt_index(tree: Tree, rng: random.Random) -> None:
    folders = [f"p_Alpha/d{i}" for i in range(6)]
    for step in range(60):
        folder = rng.choice(folders)
        here = tree.document(folder, documents.STRUCTURAL)
        match rng.randrange(6):
            case 0 | 1:
                tree.dataset(folder, [entry(f"f{i}") for i in range(rng.randrange(9))], step + 1)
            case 2 if here.exists():
                rng.choice(list(here.parent.iterdir())).unlink()
            case 3 if here.exists():
                here.write_bytes(here.read_bytes()[: rng.randrange(400)])
            case 4:
                tree.register("dataset", identifier("dataset", folder), folder, step + 1, state="missing")
            case _:
                tree.project("p_Alpha", step + 1, project_title=str(step))
        known = [Path(root, path) for root, path in Document.objects.values_list("root", "path")]
        touched = [*known, *tree.documents()]
        if rng.random() < 0.7:
            index.refresh(rng.sample(touched, len(touched)))
        else:
            index.catch_up()
    index.catch_up()
    assert_equal_to_rebuild()


def test_a_removed_folder_leaves_what_the_registry_tells(tree: Tree) -> None:
    grow(tree)
    index.refresh(tree.documents())
    here = tree.document("p_Alpha/plate_2", documents.STRUCTURAL).parent
    gone = sorted(here.iterdir())
    for path in gone:
        path.unlink()
    tree.register("dataset", identifier("dataset", "p_Alpha/plate_2"), "p_Alpha/plate_2", 9, state="missing")
    index.refresh([*gone, documents.registry_document(tree.root, identifier("dataset", "p_Alpha/plate_2"))])
    row = Dataset.objects.get(path="p_Alpha/plate_2")
    assert (row.state, row.administrative, row.files.count(), row.sequence) == ("missing", None, 0, 9)
    assert_equal_to_rebuild()


def test_a_folder_given_means_everything_below_it(tree: Tree) -> None:
    grow(tree)
    index.refresh(tree.documents())
    moved = tree.root / "elsewhere"
    (tree.root / "p_Alpha" / "plate_2").rename(moved)
    index.refresh([tree.root / "p_Alpha" / "plate_2"])
    assert not Document.objects.filter(path__startswith="p_Alpha/plate_2/").exists()
    assert_equal_to_rebuild()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"dataset_identifier": ', "is not valid JSON"),
        (b"", "is not valid JSON"),
        (b"[1, 2]", "not a JSON object"),
        (b'{"dataset_identifier": "1", "dataset_identifier": "2"}', "stands twice"),
        (b'{"dataset_identifier": "not one"}', "which is not a UUID"),
        (b"{}", "dataset_identifier is missing"),
        (
            b'{"dataset_identifier": "5f2e0c5e-3b0a-4c55-9f0e-0f4ad1a7b001", "a": ' + b"[" * 500 + b"]" * 500 + b"}",
            "nested",
        ),
        (b'\xff\xfe{"a": 1}', "is not valid JSON"),
        (b'{"dataset_identifier": NaN}', "is not valid JSON"),
        (b'{"dataset_identifier": "' + b"x" * (17 << 20) + b'"}', "bytes"),
    ],
)
def test_a_broken_document_keeps_a_row_with_its_reason(tree: Tree, raw: bytes, reason: str) -> None:
    grow(tree)
    index.refresh(tree.documents())
    broken = tree.document("p_Alpha/plate_1", documents.ADMINISTRATIVE)
    broken.write_bytes(raw)
    index.refresh([broken])
    row = Document.objects.exclude(problem="").get()
    assert row.path == "p_Alpha/plate_1/.metadata/dataset_administrative.json"
    assert reason in row.problem
    assert "\n" not in row.problem
    assert_equal_to_rebuild()
    tree.dataset("p_Alpha/plate_1", [entry("a.csv"), entry("sub/a.csv")], 3, dataset_title="Mended")
    index.refresh([broken])
    assert Dataset.objects.get(path="p_Alpha/plate_1").title == "Mended"
    assert not Document.objects.exclude(problem="").exists()


def test_a_folder_a_link_and_a_pipe_in_a_documents_place_are_told(tree: Tree) -> None:
    grow(tree)
    one, two, three = (tree.document(f"p_Alpha/d{i}", documents.ADMINISTRATIVE) for i in range(3))
    for path in (one, two, three):
        path.parent.mkdir(parents=True)
    one.mkdir()
    two.symlink_to("/etc/passwd")
    os.mkfifo(three)
    index.refresh([*tree.documents(), one, two, three])
    reasons = {row.path: row.problem for row in Document.objects.exclude(problem="")}
    assert [("is a folder" in r, "symbolic link" in r, "not a regular" in r) for _, r in sorted(reasons.items())] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    assert_equal_to_rebuild()


def test_a_manifest_an_editor_laid_out_is_read_whole(tree: Tree) -> None:
    tree.dataset(entries=[entry("a.csv"), entry("b.csv")])
    index.refresh(tree.documents())
    rows = [(f["path"], f["size_bytes"], f["checksum"]) for f in index.snapshot()["File"]]
    here = tree.document("p_Alpha/plate_1", documents.STRUCTURAL)
    here.write_bytes(
        orjson.dumps(orjson.loads(here.read_bytes()), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )
    index.refresh([here])
    assert [(f["path"], f["size_bytes"], f["checksum"]) for f in index.snapshot()["File"]] == rows
    assert_equal_to_rebuild()


def test_an_entry_that_is_no_file_is_told_and_hides_no_other(tree: Tree) -> None:
    tree.dataset(entries=[entry("a.csv"), entry("b.csv")])
    here = tree.document("p_Alpha/plate_1", documents.STRUCTURAL)
    here.write_bytes(here.read_bytes().replace(b'"path":"a.csv"', b'"path":7'))
    index.refresh(tree.documents())
    row = Dataset.objects.get()
    assert [file.path for file in row.files.all()] == ["b.csv"]
    assert "an entry without a path" in row.manifest_problem
    index.refresh([tree.files("p_Alpha/plate_1", [entry("a.csv")])])
    assert Dataset.objects.get().manifest_problem == ""


@pytest.mark.parametrize("number", ["", "abc", "x" * 36, "0" * 32])
def test_a_file_identifier_that_is_no_uuid_is_told(tree: Tree, number: str) -> None:
    tree.dataset(entries=[entry("a.csv"), entry("b.csv", file_identifier=number)])
    index.refresh(tree.documents())
    assert "'b.csv' without a file_identifier that is a UUID" in Dataset.objects.get().manifest_problem
    assert [file.path for file in File.objects.all()] == ["a.csv"]


def test_entries_written_twice_stay_one_row(tree: Tree) -> None:
    tree.dataset(entries=[entry("a.csv"), entry("a.csv"), entry("b.csv")])
    for _ in range(2):
        index.refresh(tree.documents())
        assert File.objects.count() == 2
        (here,) = [path for path in tree.documents() if path.stem == documents.STRUCTURAL]
        here.write_bytes(here.read_bytes())
    assert_equal_to_rebuild()


def test_two_folders_with_one_identifier_give_one_record_and_a_warning(tree: Tree) -> None:
    number = tree.dataset("p_Alpha/original", [entry("a.csv")])
    tree.dataset("p_Alpha/a_copy", [entry("a.csv"), entry("b.csv")], dataset_identifier=number)
    tree.register("dataset", number, "p_Alpha/original", 7)
    index.refresh(tree.documents())
    row = Dataset.objects.get()
    assert row.path == "p_Alpha/original"
    assert "p_Alpha/a_copy" in row.problem
    assert [file.path for file in row.files.all()] == ["a.csv"]
    assert_equal_to_rebuild()
    tree.register("dataset", number, "p_Alpha/a_copy", 8)
    index.refresh([documents.registry_document(tree.root, number)])
    assert [file.path for file in Dataset.objects.get().files.order_by("path")] == ["a.csv", "b.csv"]
    assert_equal_to_rebuild()


def test_names_that_are_not_utf8_or_hostile_survive(tree: Tree) -> None:
    names = [
        "new\nline",
        "right\u202eleft",
        "🦠",
        os.fsdecode(b"caf\xe9.csv"),
        "100%",
        "x" * 255,
        "-rf",
        "nu\\ll",
        "\u00e9",
        "e\u0301",
    ]
    folder = os.fsdecode(b"p_Alpha/d\xff")
    tree.dataset(folder, [entry(name) for name in names])
    index.refresh(tree.documents())
    assert File.objects.count() == len(names)
    stored = File.objects.get(path_encoding="percent")
    assert documents.decode_path(stored.path, stored.path_encoding) == os.fsdecode(b"caf\xe9.csv")
    row = Dataset.objects.get()
    assert (row.path, row.path_encoding) == ("p_Alpha/d%FF", "percent")
    assert_equal_to_rebuild()


def test_wrong_types_in_any_field_do_not_stop_the_index(tree: Tree) -> None:
    odd: tuple[object, ...] = (7, None, True, [], {}, [{"a": [1]}], "x" * 10_000, -1.5)
    for number, value in enumerate(odd):
        folder = f"p_Alpha/d{number}"
        tree.dataset(
            folder, [entry("a.csv", mime_type="x/y", format=value, checksum=value, modified_utc=value, state=value)]
        )
        tree.edit(
            tree.document(folder, documents.ADMINISTRATIVE),
            dict.fromkeys(("dataset_title", "status", "license", "access_level", "last_modified_date"), value),
        )
        tree.edit(
            documents.registry_document(tree.root, identifier("dataset", folder)),
            dict.fromkeys(("state", "path", "sequence", "datestamp", "project_identifier"), value),
        )
    index.refresh(tree.documents())
    assert Dataset.objects.count() == File.objects.count() == len(odd)
    assert_equal_to_rebuild()


def test_what_is_no_document_of_ours_is_left_alone(tree: Tree, tmp_path: Path) -> None:
    grow(tree)
    deep = tree.root / "p_Alpha" / "plate_1" / "sub" / ".metadata" / "dataset_structural.json"
    deep.parent.mkdir(parents=True)
    deep.write_bytes(tree.document("p_Alpha/plate_1", documents.STRUCTURAL).read_bytes())
    outside = tmp_path / "project_descriptive.json"
    outside.write_text("{}")
    index.refresh([*tree.documents(), deep, outside, tree.root, Path("/")])
    assert not Document.objects.filter(path__contains="/sub/").exists()
    assert_equal_to_rebuild()


def test_metadata_reached_through_a_link_does_not_count(tree: Tree) -> None:
    grow(tree)
    (tree.root / "p_Alpha" / "linked").mkdir()
    (tree.root / "p_Alpha" / "linked" / ".metadata").symlink_to(tree.root / "p_Alpha" / "plate_1" / ".metadata")
    (tree.root / "p_Gamma").symlink_to(tree.root / "p_Alpha")
    index.refresh(
        [tree.document("p_Alpha/linked", documents.STRUCTURAL), tree.document("p_Gamma/plate_1", documents.STRUCTURAL)]
    )
    assert not Document.objects.exists()


def test_catching_up_finds_what_changed_meanwhile_and_reads_nothing_else(tree: Tree) -> None:
    grow(tree)
    index.refresh(tree.documents())
    assert index.catch_up() == 0
    tree.project("p_Beta", 2, project_title="Beta")
    tree.document("p_Alpha/plate_2", documents.STRUCTURAL).unlink()
    assert index.catch_up() == 3  # the project, its registry entry, the manifest that is gone
    assert_equal_to_rebuild()


def test_catching_up_keeps_rows_of_a_disk_that_is_not_mounted(tree: Tree) -> None:
    grow(tree)
    index.refresh(tree.documents())
    tree.root.rename(tree.root.with_name("unmounted"))
    assert index.catch_up() == 0
    assert Dataset.objects.count() == 3
    with pytest.raises(FrozenError, match="not there"):
        index.rebuild()
    assert Dataset.objects.count() == 3


def test_a_folder_no_longer_watched_leaves_the_index(tree: Tree, tmp_path: Path, settings: Settings) -> None:
    other = Tree(tmp_path / "other")
    settings.MONITOR_PATHS = (tree.root, other.root)
    grow(tree)
    other.project("p_Other")
    other.dataset("p_Other/d", [entry("x")])
    index.catch_up()
    assert {row.title or row.path for row in Project.objects.all()} == {"Alpha", "p_Beta", "p_Other"}
    settings.MONITOR_PATHS = (tree.root,)
    index.catch_up()
    assert {row.title or row.path for row in Project.objects.all()} == {"Alpha", "p_Beta"}
    assert_equal_to_rebuild()


def test_a_rebuild_mends_rows_that_nobody_should_have_touched(tree: Tree) -> None:
    grow(tree)
    index.refresh(tree.documents())
    live = index.snapshot()
    File.objects.update(size_bytes=1)
    Dataset.objects.filter(path="p_Beta/nothing").delete()
    Project.objects.create(identifier=identifier("nobody"), state="present")
    done: list[int] = []
    assert index.rebuild(done.append) == len(tree.documents()) == done[-1]
    assert index.snapshot() == live
    assert not Rebuild.objects.exists()


def test_an_interrupted_rebuild_is_finished_by_catching_up(tree: Tree) -> None:
    grow(tree)
    index.refresh(tree.documents())
    live = index.snapshot()

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.rebuild(stop)
    Document.objects.filter(path__contains="plate_2").delete()
    assert Rebuild.objects.exists()
    index.catch_up()
    assert not Rebuild.objects.exists()
    index.refresh(tree.documents())
    assert index.snapshot()["File"] == live["File"]


def test_a_failing_refresh_leaves_the_index_as_it_was(tree: Tree) -> None:
    grow(tree)
    index.refresh(tree.documents())
    live = index.snapshot()
    tree.project("p_Alpha", 8, project_title="Changed")
    tree.dataset("p_Alpha/plate_1", [entry("z")], 9)

    def full(execute: object, sql: str, params: object, many: bool, context: object) -> object:
        if "INSERT INTO catalog_file " in sql:
            raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)  # type: ignore[operator]

    with connection.execute_wrapper(full), pytest.raises(OperationalError):
        index.refresh(tree.documents())
    assert index.snapshot() == live
    index.refresh(tree.documents())
    assert_equal_to_rebuild()
