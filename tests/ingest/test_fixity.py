"""Data held against its records: what is found is an alarm for as long as it stands, and mends nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest import fixity
from ingest.provenance.data.fixity import Trouble
from ingest.reconcile import reconcile
from ingest.settings import EngineSettings
from ingest.status import status
from ingest.workspace import Workspace, open_workspace

ODD = "odd \udcff\n.csv"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A dataset of three described files, one with a name that is not valid UTF-8."""
    root = tmp_path / "data"
    folder = root / "p_Alpha" / "plate"
    folder.mkdir(parents=True)
    for number, name in enumerate(("a.csv", "sub.csv", ODD)):
        (folder / name).write_text(f"x,y\n1,{number}\n")
    workspace = open_workspace(root, EngineSettings(state_dir=tmp_path / "state", settle_seconds=0.0))
    reconcile(workspace)
    return workspace


def flip(path: Path) -> None:
    """One bit, under the times it had."""
    raw, times = bytearray(path.read_bytes()), path.stat()
    raw[-2] ^= 1
    path.write_bytes(bytes(raw))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_every_kind_of_change_is_found_and_the_records_stay(ws: Workspace) -> None:
    folder = ws.root / "p_Alpha" / "plate"
    before = {path: path.read_bytes() for path in ws.root.rglob("*.json")}
    assert fixity.verify(ws).intact
    flip(folder / ODD)
    os.truncate(folder / "a.csv", 3)
    (folder / "sub.csv").unlink()
    found = {each.path.rpartition("/")[2]: each.trouble for each in fixity.verify(ws).mismatches}
    assert found["a.csv"] is Trouble.CHANGED
    assert found["sub.csv"] is Trouble.MISSING
    assert ODD in found
    assert len(status(ws).alarms) == 3
    assert not status(ws).healthy
    assert {path: path.read_bytes() for path in ws.root.rglob("*.json")} == before


def test_a_look_at_a_part_says_nothing_of_the_rest(ws: Workspace) -> None:
    folder = ws.root / "p_Alpha" / "plate"
    raw, times = (folder / ODD).read_bytes(), (folder / ODD).stat()
    flip(folder / ODD)
    assert not fixity.verify(ws, "p_Alpha").intact
    assert fixity.verify(ws, "p_Alpha/plate/a.csv").intact
    assert fixity.verify(ws, "p_Alpha/pla").files == 0
    assert len(status(ws).alarms) == 1
    (folder / ODD).write_bytes(raw)
    os.utime(folder / ODD, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fixity.verify(ws, f"p_Alpha/plate/{ODD}").intact
    assert status(ws).alarms == []


def test_what_was_changed_on_purpose_is_no_alarm_once_it_is_described(ws: Workspace) -> None:
    file = ws.root / "p_Alpha" / "plate" / "a.csv"
    file.write_text("x,y\n1,2\n3,4\n")
    assert not fixity.verify(ws).intact
    assert len(status(ws).alarms) == 1
    reconcile(ws)
    assert status(ws).alarms == []
    assert fixity.verify(ws).intact


def test_a_checksum_changed_in_the_record_is_found_too(ws: Workspace) -> None:
    manifest = ws.root / "p_Alpha" / "plate" / ".metadata" / "dataset_structural.json"
    raw = manifest.read_bytes()
    at = raw.index(b'"value":"') + 9
    manifest.write_bytes(raw[:at] + b"0" * 64 + raw[at + 64 :])
    (mismatch,) = fixity.verify(ws).mismatches
    assert mismatch.recorded == "0" * 64
    assert len(status(ws).alarms) == 1
