"""A Zarr store is described as one object, with a checksum anyone can compute again."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.ingest.watched import Watched


def make_store(watched: Watched, path: str, version: int = 2) -> Path:
    if version == 2:
        watched.put(f"{path}/.zarray", json.dumps({"zarr_format": 2, "shape": [20, 30], "chunks": [10, 10]}))
    else:
        header = {"zarr_format": 3, "node_type": "array", "shape": [20, 30], "dimension_names": ["y", None]}
        watched.put(f"{path}/zarr.json", json.dumps(header))
    for i in range(2):
        for j in range(3):
            watched.put(f"{path}/c/{i}/{j}" if version == 3 else f"{path}/{i}.{j}", os.urandom(300))
    return watched.root / path


def checksum_by_the_shell(store: Path) -> str:
    command = "find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum"
    return subprocess.run(["sh", "-c", command], cwd=store, capture_output=True, text=True, check=True).stdout[:64]


def test_a_store_of_either_version_is_one_entry(watched: Watched) -> None:
    two, three = make_store(watched, "p_A/d/two.zarr"), make_store(watched, "p_A/d/deep/three.zarr", 3)
    watched.put("p_A/d/plain.txt")
    watched.reconcile()
    entries = watched.entries("p_A/d")
    assert set(entries) == {"two.zarr", "deep/three.zarr", "plain.txt"}
    assert entries["two.zarr"]["checksum"]["value"] == checksum_by_the_shell(two)
    assert entries["deep/three.zarr"]["checksum"]["value"] == checksum_by_the_shell(three)
    assert entries["two.zarr"]["size_bytes"] == sum(p.stat().st_size for p in two.rglob("*") if p.is_file())
    assert entries["two.zarr"]["format"] == {"name": "Zarr", "version": "2"}
    assert entries["two.zarr"]["dimensions"] == [{"axis": "axis 0", "size": 20}, {"axis": "axis 1", "size": 30}]
    assert [d["axis"] for d in entries["deep/three.zarr"]["dimensions"]] == ["y", "axis 1"]
    assert watched.check() == []


def test_nothing_changed_reads_nothing_and_a_changed_chunk_is_noticed(watched: Watched) -> None:
    store = make_store(watched, "p_A/d/s.zarr")
    watched.reconcile()
    before = watched.entries("p_A/d")["s.zarr"]
    assert watched.reconcile().described == 0
    (store / "0.0").write_bytes(b"other")
    assert watched.reconcile().described == 1
    after = watched.entries("p_A/d")["s.zarr"]
    assert after["file_identifier"] == before["file_identifier"]
    assert after["checksum"]["value"] == checksum_by_the_shell(store) != before["checksum"]["value"]
    assert [old["value"] for old in after["previous_checksums"]] == [before["checksum"]["value"]]


def test_a_removed_chunk_is_noticed(watched: Watched) -> None:
    store = make_store(watched, "p_A/d/s.zarr")
    watched.reconcile()
    (store / "1.2").unlink()
    assert watched.reconcile().described == 1
    assert watched.entries("p_A/d")["s.zarr"]["checksum"]["value"] == checksum_by_the_shell(store)


def test_a_renamed_store_keeps_its_identity_unread(watched: Watched) -> None:
    make_store(watched, "p_A/d/s.zarr")
    watched.reconcile()
    before = watched.identifiers("p_A/d")["s.zarr"]
    watched.move("p_A/d/s.zarr", "p_A/d/t.zarr")
    assert watched.reconcile().described == 0
    assert watched.identifiers("p_A/d") == {"t.zarr": before}
    assert watched.check() == []


def test_a_folder_that_is_only_called_so_is_a_folder(watched: Watched) -> None:
    watched.put("p_A/d/not.zarr/a.txt")
    watched.reconcile()
    assert set(watched.entries("p_A/d")) == {"not.zarr/a.txt"}


def test_a_broken_header_leaves_plain_facts_and_a_warning(watched: Watched) -> None:
    store = make_store(watched, "p_A/d/s.zarr")
    (store / ".zarray").write_text("{")
    watched.reconcile()
    entry = watched.entries("p_A/d")["s.zarr"]
    assert "dimensions" not in entry
    assert entry["extraction"]["warnings"] == [".zarray is no readable JSON object: the shape is not recorded"]
    assert watched.check() == []


def test_a_link_in_a_store_is_not_followed(watched: Watched, tmp_path: Path) -> None:
    store = make_store(watched, "p_A/d/s.zarr")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (store / "9.9").symlink_to(secret)
    watched.reconcile()
    assert watched.entries("p_A/d")["s.zarr"]["checksum"]["value"] == checksum_by_the_shell(store)
