"""What was last seen: every value of every file system goes in and comes out; another reader is never disturbed."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import StoreError
from ingest.rows import Condition, FileRow, Stamp, signed
from ingest.seen import Seen, root_id, state_folder

ID = "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10"
SHA = "ab" * 32


def row(place: int, path: str, **more: object) -> FileRow:
    values = {"stamp": Stamp(1, 2, 3, 4, 5), "sha256": SHA, "identifier": ID, "condition": Condition.DESCRIBED,
              "reason": "", "since": 1.5, **more}  # fmt: skip
    return FileRow(place, path, **values)  # type: ignore[arg-type]


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    return Seen(tmp_path / "state")


@given(st.integers(0, 2**64 - 1), st.integers(-(2**75), 2**75))
def test_numbers_of_64_bits_keep_their_difference(one: int, other: int) -> None:
    assert -(2**63) <= signed(one) < 2**63
    assert -(2**63) <= signed(other) < 2**63
    assert signed(signed(one)) == signed(one)
    if one < 2**63:
        assert signed(one) == one
    assert signed(one) % 2**64 == one % 2**64


def test_inodes_and_times_beyond_63_bits_can_be_kept(seen: Seen) -> None:
    """Network file systems number inodes beyond 2⁶³; tmpfs keeps times for a hundred thousand years."""
    info = os.stat_result((0o100644, 2**64 - 1, 2**63 + 5, 1, 0, 0, 7, 0, 0, 0), {"st_mtime_ns": 2**40 * 10**9,
                          "st_ctime_ns": -(2**40) * 10**9, "st_atime_ns": 0})  # fmt: skip
    stamp = Stamp.of(info)
    place = seen.put_place("dataset", "p_X/d", stamp.dev, stamp.ino, ID)
    seen.put_files([row(place.id, "a", stamp=stamp)])
    assert seen.files(place.id, [b"a"])[b"a"].stamp == stamp
    assert seen.by_inode([stamp.ino])[0].path == "a"


@given(st.binary(min_size=1, max_size=60).filter(lambda b: b"\0" not in b))
def test_every_name_comes_back(name: bytes) -> None:
    path = os.fsdecode(name)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        memory = Seen(Path(folder))
        comes_back(memory, name, path)
        memory.close()


def comes_back(memory: Seen, name: bytes, path: str) -> None:
    place = memory.put_place("dataset", path, 1, 2, ID)
    assert memory.place_at(path) == place
    kept = row(place.id, path, reason=f"about {path}")
    memory.put_files([kept])
    found = memory.files(place.id, [name])[name]
    assert found.path == path
    found.reason.encode()
    memory.set_trouble(path, Condition.FAILED, f"about {path}")
    (trouble,) = memory.troubles()
    assert trouble.path == path
    trouble.reason.encode()
    memory.put_document(path, kept.stamp, SHA, {"a": 1})
    assert memory.document(path) == (kept.stamp, SHA, {"a": 1})


def test_a_row_comes_back_as_it_went_in(seen: Seen) -> None:
    place = seen.put_place("dataset", "p_X/d", 1, 2, ID)
    rows = [row(place.id, f"f{c}", condition=c, identifier="" if c else ID, sha256="" if c else SHA) for c in Condition]
    seen.put_files(rows)
    assert list(seen.files(place.id, [os.fsencode(r.path) for r in rows]).values()) == rows
    assert seen.counts() == {c.word: 1 for c in Condition}


def test_a_place_keeps_its_files_when_it_moves(seen: Seen) -> None:
    place = seen.put_place("dataset", "p_X/d", 1, 2, ID)
    seen.put_files([row(place.id, "a")])
    moved = seen.put_place("dataset", "p_Y/e", 1, 2, ID)
    assert moved.id == place.id
    assert seen.place_at("p_X/d") is None
    assert seen.has_rows(moved.id)


def test_a_transaction_is_all_or_nothing(seen: Seen) -> None:
    place = seen.put_place("dataset", "p_X/d", 1, 2, ID)

    def fail() -> None:
        with seen.transaction():
            seen.put_files([row(place.id, "a")])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not seen.has_files()
    with seen.transaction():
        seen.put_files([row(place.id, "a")])
    assert seen.has_files()


def test_the_time_of_a_trouble_is_that_of_its_first_mention(seen: Seen) -> None:
    seen.set_trouble("p_X", Condition.FAILED, "one")
    (first,) = seen.troubles()
    seen.set_trouble("p_X", Condition.FAILED, "one")
    assert seen.troubles() == [first]
    seen.set_trouble("p_X", Condition.FAILED, "another")
    assert seen.troubles()[0].since > first.since
    seen.clear_trouble("p_X")
    assert seen.troubles() == []


def test_a_reader_needs_no_state_and_makes_none(tmp_path: Path) -> None:
    reader = Seen(tmp_path / "state", read_only=True)
    assert reader.counts()["described"] == 0
    assert reader.places() == []
    reader.close()
    assert not (tmp_path / "state").exists()


def test_a_reader_sees_what_was_committed_while_a_writer_writes(tmp_path: Path, seen: Seen) -> None:
    place = seen.put_place("dataset", "p_X/d", 1, 2, ID)
    reader = Seen(tmp_path / "state", read_only=True)
    with seen.transaction():
        seen.put_files([row(place.id, "a")])
        assert not reader.has_files()
    assert reader.has_files()
    with pytest.raises(StoreError, match="readonly"):
        reader.put("x", 1)
    reader.close()


def test_a_state_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match=r"cannot be used .*; make it writable"):
        Seen(tmp_path / "file" / "state")
    (tmp_path / "state" / "seen.sqlite").mkdir(parents=True)
    with pytest.raises(StoreError, match="FAIRFOLDER_STATE_DIR"):
        Seen(tmp_path / "state")


def test_every_root_has_a_folder_of_its_own_however_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to("data")
    (tmp_path / "other").mkdir()
    assert root_id(tmp_path / "data") == root_id(tmp_path / "link")
    assert root_id(tmp_path / "data") != root_id(tmp_path / "other")
    assert state_folder(tmp_path, tmp_path / "data") == tmp_path / "roots" / root_id(tmp_path / "data")


def test_a_reader_finds_nothing_yet_in_the_state_of_another_version(tmp_path: Path) -> None:
    """Whoever scans next makes it anew."""
    writer = Seen(tmp_path)
    writer.put_place("project", "p_X", 1, 2, "0b6a3f0e-6f4c-4b8e-9d53-2a1c7e5f9b10")
    writer.close()
    with sqlite3.connect(tmp_path / "seen.sqlite", isolation_level=None) as db:
        db.execute("ALTER TABLE place DROP COLUMN doubt")
        db.execute("PRAGMA user_version = 1")
    reader = Seen(tmp_path, read_only=True)
    assert reader.places() == []
    reader.close()
    writer = Seen(tmp_path)
    assert writer.places() == []
    writer.close()
