"""What changes at the wrong moment, and what one dataset's trouble must not do to the others."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from dirmeta.scanner import get_file_metadata

from ingest import reading, sources
from ingest.documents import ADMINISTRATIVE, dataset_document
from ingest.errors import StoreError
from ingest.reconcile import reconcile
from tests.ingest.watched import Watched

RESTLESS = 3_600.0
MANIFEST = ".metadata/dataset_structural.json"


def test_a_file_that_changed_and_was_renamed_before_it_was_read_keeps_its_identity_not_its_checksum(
    watched: Watched,
) -> None:
    path = watched.put("p_A/d/run.part1", "first")
    watched.reconcile()
    before = watched.entries("p_A/d")["run.part1"]
    with path.open("a") as handle:
        handle.write(" and more")
    assert watched.reconcile(settle_seconds=RESTLESS).pending == 1
    watched.move("p_A/d/run.part1", "p_A/d/run.dat")
    watched.reconcile(settle_seconds=RESTLESS)
    watched.reconcile()
    entry = watched.entries("p_A/d")["run.dat"]
    assert set(watched.entries("p_A/d")) == {"run.dat"}
    assert entry["file_identifier"] == before["file_identifier"]
    assert entry["checksum"]["value"] == hashlib.sha256(b"first and more").hexdigest()
    assert entry["size_bytes"] == 14
    assert watched.check() == []


def test_entries_in_another_order_and_form_are_read_and_never_doubled(watched: Watched) -> None:
    for i in range(30):
        watched.put(f"p_A/d/f{i:02}.txt", str(i))
    watched.reconcile()
    before = watched.identifiers("p_A/d")
    path = watched.root / "p_A/d" / MANIFEST
    head, body = path.read_text().split('"file_descriptions": [\n')
    lines = [line.rstrip(",") for line in body.splitlines()[:-2]]
    lines.reverse()
    lines[3] = lines[3].replace('{"path":', '{ "path": ')
    value = json.loads(head.rstrip().rstrip(",") + "}") | {"scope": "edited by hand"}
    text = json.dumps(value, indent=2)[:-2]
    path.write_text(text + ',\n  "file_descriptions": [\n' + ",\n".join(lines) + "\n  ]\n}\n")
    watched.reconcile()
    watched.put("p_A/d/f05.txt", "changed")
    watched.put("p_A/d/zz.txt", "new")
    watched.reconcile()
    after = watched.identifiers("p_A/d")
    assert after == {**before, "zz.txt": after["zz.txt"]}
    assert watched.manifest("p_A/d")["scope"] == "edited by hand"
    assert watched.check() == []


@pytest.mark.parametrize("depth", [300, 900])
def test_a_document_nested_too_deeply_holds_nobody_else_up(watched: Watched, depth: int) -> None:
    watched.put("p_A/d/x.txt")
    watched.put("p_A/e/y.txt")
    watched.reconcile()
    watched.edit("p_A/d/.metadata/dataset_administrative.json", lambda value: None)
    deep = '{"a":' * depth + "1" + "}" * depth
    path = watched.root / "p_A/d/.metadata/dataset_administrative.json"
    path.write_text(path.read_text().rstrip().removesuffix("}") + ',"deep":' + deep + "}")
    watched.put("p_A/e/new.txt")
    report = watched.reconcile()
    assert report.findings
    assert "new.txt" in watched.entries("p_A/e")


def test_a_zarr_store_of_any_depth_is_walked(watched: Watched) -> None:
    store = watched.root / "p_A/d/deep.zarr"
    store.mkdir(parents=True)
    (store / ".zgroup").write_text('{"zarr_format": 2}')
    inner = os.open(store, os.O_RDONLY)
    depth = 1_100
    for _ in range(depth):
        os.mkdir("a", dir_fd=inner)
        following = os.open("a", os.O_RDONLY, dir_fd=inner)
        os.close(inner)
        inner = following
    os.close(inner)
    watched.put("p_B/e/y.txt")
    try:
        watched.reconcile()
        assert set(watched.entries("p_A/d")) == {"deep.zarr"}
        assert set(watched.entries("p_B/e")) == {"y.txt"}
    finally:
        _remove_deep(store)


def _remove_deep(folder: Path) -> None:
    """Turns the tree inside out from above: shutil.rmtree recurses and gives up at a thousand."""
    while (folder / "a").is_dir():
        inner, aside = folder / "a", folder.with_name("aside")
        inner.rename(aside)
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        aside.rename(folder)


def test_an_edit_made_while_a_document_is_being_updated_is_kept(watched: Watched) -> None:
    watched.put("p_A/d/x.txt")
    watched.reconcile()
    path = dataset_document(watched.root, "p_A/d", ADMINISTRATIVE)

    def while_an_editor_saves(old: dict[str, Any] | None) -> dict[str, Any]:
        watched.edit("p_A/d/.metadata/dataset_administrative.json", lambda v: v.update(dataset_title="by hand"))
        return {**(old or {}), "dataset_title": "by form"}

    with watched.workspace() as ws, pytest.raises(StoreError, match="was edited while it was being updated"):
        ws.store.change(path, ADMINISTRATIVE, while_an_editor_saves, by="anna")
    assert watched.administrative("p_A/d")["dataset_title"] == "by hand"
    assert not list(watched.root.rglob("*.tmp"))


def test_a_failed_action_leaves_neither_descriptors_nor_files(watched: Watched) -> None:
    watched.put("p_A/d/x.txt")
    watched.reconcile()
    counter = watched.root / ".metadata/registry/.sequence"
    counter.unlink()
    counter.mkdir()
    watched.put("p_A/d/y.txt")
    with watched.workspace() as ws:
        for _ in range(3):
            with pytest.raises(StoreError, match=r"\.sequence"):
                reconcile(ws, wait=False)
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(StoreError):
            reconcile(ws, wait=False)
        assert len(os.listdir("/proc/self/fd")) == before
    assert not list(watched.root.rglob("*.tmp"))
    counter.rmdir()
    watched.reconcile()
    assert set(watched.entries("p_A/d")) == {"x.txt", "y.txt"}


def test_a_record_that_was_deleted_comes_back_with_its_date_and_its_backup_is_accepted(watched: Watched) -> None:
    watched.put("p_A/d/x.txt")
    watched.reconcile()
    path = watched.root / "p_A/d/.metadata/dataset_administrative.json"
    watched.edit("p_A/d/.metadata/dataset_administrative.json", lambda v: v.update(dataset_title="Mine"))
    watched.reconcile()
    backup, created = path.read_bytes(), watched.administrative("p_A/d")["created_date"]
    path.unlink()
    watched.reconcile()
    assert watched.administrative("p_A/d")["created_date"] == created
    path.write_bytes(backup)
    assert watched.reconcile().findings == []
    assert watched.administrative("p_A/d")["dataset_title"] == "Mine"


def test_lock_files_take_the_rights_of_a_shared_folder(watched: Watched) -> None:
    folder = watched.folder("p_A/d")
    for path in (watched.root, folder.parent, folder):
        path.chmod(0o2775)
    old = os.umask(0o022)
    try:
        watched.put("p_A/d/x.txt")
        watched.reconcile()
    finally:
        os.umask(old)
    for lock in watched.root.rglob(".lock"):
        assert stat.S_IMODE(lock.stat().st_mode) & 0o060 == 0o060, lock


def test_mount_points_with_any_name_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mountinfo"
    table.write_bytes(
        b"1 1 8:1 / / rw - ext4 /dev/a rw\n"
        b"2 1 0:9 / /mnt/donn\xc3\xa9es\\040lab rw - nfs4 server:/x rw\n"
        b"3 1 0:9 / /mnt/\xff\xfe rw - tmpfs tmpfs rw\n"
    )
    monkeypatch.setattr(sources, "_MOUNTS", table)
    assert sources.file_system_of(Path("/mnt/données lab/data")) == "nfs4"
    assert sources.file_system_of(Path("/srv")) == "ext4"


def test_a_file_that_cannot_arrive_is_not_let_go(watched: Watched) -> None:
    watched.put("p_A/d/x.txt", "x")
    watched.put("p_A/e/y.txt", "y")
    watched.reconcile()
    watched.edit(
        f"p_A/d/{MANIFEST}", lambda v: v["file_descriptions"][0].update(description="what only a person knows")
    )
    watched.reconcile()
    before = watched.entries("p_A/d")["x.txt"]
    own = watched.root / "p_A/e/.metadata"
    if subprocess.run(["chattr", "+i", str(own)], capture_output=True).returncode:
        pytest.skip("not root, or no attributes on this file system")
    try:
        watched.move("p_A/d/x.txt", "p_A/e/x.txt")
        assert watched.reconcile().findings
        held = [watched.entries(path).get("x.txt") for path in ("p_A/d", "p_A/e")]
        assert [e["description"] for e in held if e] == ["what only a person knows"]
    finally:
        subprocess.run(["chattr", "-i", str(own)], check=True)
    watched.reconcile()
    entry = watched.entries("p_A/e")["x.txt"]
    assert entry["file_identifier"] == before["file_identifier"]
    assert entry["description"] == "what only a person knows"
    assert "x.txt" not in watched.entries("p_A/d")
    assert watched.check() == []


@pytest.mark.parametrize("size", [10, 5_000_000])
def test_a_file_on_which_its_reading_stumbles_is_told_of_and_costs_no_other_anything(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """As when a library fails in a way it never did before; large files are read beside the scan of other datasets."""

    def stumbling(path: Any, root: Path) -> dict[str, Any] | None:
        if path.as_posix() == "bad.bin":
            raise RuntimeError("never seen before")
        return get_file_metadata(path, root)

    monkeypatch.setattr(reading, "get_file_metadata", stumbling)
    watched.put("p_A/d/bad.bin", bytes(size))
    for dataset in ("d", "e", "f"):
        watched.put(f"p_A/{dataset}/fine.txt", dataset)
    report = watched.reconcile()
    assert [(f.path, f.rule) for f in report.findings] == [("p_A/d/bad.bin", "failed")]
    assert (report.described, report.failed, report.retry) == (3, 1, {"p_A/d"})
    assert "RuntimeError: never seen before" in watched.problems()["p_A/d/bad.bin"]
    assert [set(watched.entries(f"p_A/{dataset}")) for dataset in "def"] == [{"fine.txt"}] * 3
    monkeypatch.undo()
    watched.reconcile()
    assert set(watched.entries("p_A/d")) == {"bad.bin", "fine.txt"}
    assert watched.problems() == {}
