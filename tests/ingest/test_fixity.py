"""FA-27: data held against its records: what is found is an alarm for as long as it stands, and mends nothing."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest import fixity
from ingest.provenance.data.fixity import Trouble
from ingest.provenance.data.settings import DataSettings, Mode
from ingest.reading import StoppedError
from ingest.reconcile import reconcile
from ingest.rows import Condition, Stamp
from ingest.settings import EngineSettings
from ingest.status import status
from ingest.upkeep import Reading, Upkeep
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


def test_many_alarms_of_one_dataset_take_no_place_from_those_of_another(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = ws.root / "p_Alpha" / "zz" / "z.csv"
    other.parent.mkdir()
    other.write_text("z\n1\n")
    reconcile(ws)
    monkeypatch.setattr(fixity, "_MOST", 2)
    for path in (*(ws.root / "p_Alpha" / "plate").glob("*.csv"), other):
        flip(path)
    assert len(fixity.verify(ws).mismatches) == 4
    told = fixity.alarms(ws)
    assert sum("plate" in words for words in told) == 3
    assert sum("zz/z.csv" in words for words in told) == 1
    assert "1 more in p_Alpha/plate is not as recorded; `verify` names them all." in told
    fixity.verify(ws, "p_Alpha/zz")
    assert sorted(fixity.alarms(ws)) == sorted(told)
    for path in (ws.root / "p_Alpha" / "plate").glob("*.csv"):
        flip(path)
    assert fixity.verify(ws, "p_Alpha/plate").intact
    assert len(fixity.alarms(ws)) == 1


# --- the cache, and what is read by and by ------------------------------------------------------------------------


@pytest.fixture
def kept(ws: Workspace) -> Workspace:
    """The same, its versions kept."""
    return open_workspace(ws.root, replace(ws.settings, data=DataSettings(Mode.FILE)))


def objects(ws: Workspace) -> list[Path]:
    return sorted(path for path in (ws.root / ".dvc" / "cache" / "files").rglob("*") if path.is_file())


def damage(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[::-1])


def test_an_object_that_a_pointer_names_and_the_cache_has_lost_is_an_alarm_until_it_is_back(kept: Workspace) -> None:
    reconcile(kept)
    lost = objects(kept)[0]
    lost.unlink()
    (mismatch,) = fixity.verify(kept).mismatches
    assert (mismatch.trouble, mismatch.path) == (Trouble.CACHE_MISSING, str(lost))
    assert len(fixity.alarms(kept)) == 1
    reconcile(kept)
    assert lost.exists()
    assert fixity.alarms(kept) == []


def test_reading_everything_by_and_by_reads_the_cache_too_and_ends(kept: Workspace) -> None:
    reconcile(kept)
    spoilt, lost = objects(kept)
    damage(spoilt)
    lost.unlink()
    upkeep = Upkeep(kept, threading.Event())
    began = time.time() - 0.4 * kept.settings.verify_days * 86_400
    upkeep.reading = Reading(began=began)
    upkeep._read_again(kept)
    assert (upkeep.reading.done, upkeep.reading.slices) == (1, 0)
    assert fixity.alarms(kept) == []
    upkeep.reading.began -= 0.5 * kept.settings.verify_days * 86_400
    upkeep._read_again(kept)
    assert 0 < upkeep.reading.slices < len(fixity.SLICES)
    upkeep.reading.began -= 0.2 * kept.settings.verify_days * 86_400
    upkeep._read_again(kept)
    assert (upkeep.reading.began, upkeep.reading.ended > began) == (0.0, True)
    assert sorted("damaged" in words for words in fixity.alarms(kept)) == [False, True]


def test_how_far_reading_again_has_come_is_told_of_the_datasets_there_are(ws: Workspace) -> None:
    upkeep = Upkeep(ws, threading.Event())
    upkeep.reading = Reading(began=time.time(), path="p_Alpha/plate", done=1, of=1)
    for name in ("aa", "zz"):
        folder = ws.root / "p_Alpha" / name
        folder.mkdir()
        (folder / "z.csv").write_text("z\n1\n")
    reconcile(ws)
    upkeep._read_again(ws)
    assert (upkeep.reading.done, upkeep.reading.of) == (2, 3)


def test_reading_the_cache_stops_when_it_is_told_to_and_goes_on_where_it_was(kept: Workspace) -> None:
    reconcile(kept)
    upkeep = Upkeep(kept, threading.Event())
    upkeep.reading = Reading(began=1.0, path="p_Alpha/plate", done=1, of=1)
    upkeep.stop.set()
    with pytest.raises(StoppedError):
        upkeep._read_again(kept)
    stopped = upkeep.reading.slices
    assert stopped < len(fixity.SLICES)
    upkeep.stop.clear()
    upkeep._read_again(kept)
    assert upkeep.reading.ended


def test_what_another_version_told_of_its_reading_is_taken_as_far_as_it_is_known(ws: Workspace) -> None:
    told = {"reading": {"began": 5, "path": "p_Alpha/a", "done": "many", "farther": 3}}
    (ws.state / "upkeep.json").write_text(json.dumps(told))
    upkeep = Upkeep(ws, threading.Event())
    upkeep.stop.set()
    upkeep.start()
    upkeep.close()
    assert upkeep.reading == Reading(began=5, path="p_Alpha/a")


# --- what describing anew would hide ------------------------------------------------------------------------------


def told(ws: Workspace) -> list[str]:
    return status(ws).alarms


def checksums_of(ws: Workspace, name: str) -> tuple[str, list[str]]:
    """The checksum a file's entry has, and those it had."""
    manifest = json.loads((ws.root / "p_Alpha" / "plate" / ".metadata" / "dataset_structural.json").read_bytes())
    entry = next(each for each in manifest["file_descriptions"] if each["path"] == name)
    return entry["checksum"]["value"], [each["value"] for each in entry.get("previous_checksums", ())]


def row(ws: Workspace, name: str, **fields: Any) -> None:
    """What was last seen of a file, with some of it as it might have been."""
    place = ws.seen.place_at("p_Alpha/plate")
    assert place is not None
    known = ws.seen.files(place.id, [name.encode()])[name.encode()]
    ws.seen.put_files([known._replace(**fields)])


@pytest.mark.parametrize("waits", [False, True], ids=["at rest", "after waiting"])
def test_bytes_that_changed_under_the_same_size_and_time_are_told_until_somebody_accepts_them(
    ws: Workspace, waits: bool
) -> None:
    file = ws.root / "p_Alpha" / "plate" / "a.csv"
    before, _ = checksums_of(ws, "a.csv")
    flip(file)
    if waits:  # the pass that found it not at rest left a row without the former checksum
        row(ws, "a.csv", stamp=Stamp.of(file.stat()), sha256="", condition=Condition.PENDING)
    assert reconcile(ws).described == 1
    now, previous = checksums_of(ws, "a.csv")
    assert previous == [before]
    (words,) = told(ws)
    assert "The bytes of p_Alpha/plate/a.csv changed while its size and modification time stayed the same" in words
    assert before[:12] in words
    assert now[:12] in words
    assert not status(ws).healthy
    # Neither reading everything again nor another pass ends it.
    assert fixity.verify(ws).intact
    reconcile(ws)
    file.write_text("x,y\n1,2\n3,4\n")
    reconcile(ws)
    assert told(ws) == [words]
    assert fixity.accept(ws, "p_Alpha/plate/sub.csv") == 0
    assert fixity.accept(ws, "p_Alpha") == 1
    assert told(ws) == []


def test_a_crash_after_describing_anew_loses_no_alarm(ws: Workspace) -> None:
    place = ws.seen.place_at("p_Alpha/plate")
    assert place is not None
    before = ws.seen.files(place.id, [b"a.csv"])[b"a.csv"]
    flip(ws.root / "p_Alpha" / "plate" / "a.csv")
    reconcile(ws)
    # As it is when the record was written, and what was seen was not.
    ws.seen.put_files([before])
    fixity.accept(ws)
    reconcile(ws)
    assert len(told(ws)) == 1


def test_bytes_that_are_again_what_they_were_are_no_alarm(ws: Workspace) -> None:
    file = ws.root / "p_Alpha" / "plate" / "a.csv"
    flip(file)
    reconcile(ws)
    assert len(told(ws)) == 1
    flip(file)
    reconcile(ws)
    assert told(ws) == []


def test_a_file_that_was_rewritten_is_no_alarm(ws: Workspace) -> None:
    file = ws.root / "p_Alpha" / "plate" / "a.csv"
    time.sleep(0.02)
    file.write_text("x,y\n9,0\n")  # of the same size
    assert reconcile(ws).described == 1
    assert told(ws) == []


def test_describing_a_damaged_file_anew_does_not_end_its_alarm(ws: Workspace) -> None:
    file = ws.root / "p_Alpha" / "plate" / "a.csv"
    flip(file)
    # The disk did it, and no time tells: as if the file had been seen under the stamp it has now.
    row(ws, "a.csv", stamp=Stamp.of(file.stat()))
    assert [each.trouble for each in fixity.verify(ws).mismatches] == [Trouble.DAMAGED]
    os.utime(file)
    assert reconcile(ws).described == 1
    (words,) = told(ws)
    assert "it is damaged" in words
    assert "It was described anew since" in words
    assert fixity.verify(ws).intact
    assert told(ws) == [words]
    assert fixity.accept(ws) == 1
    assert told(ws) == []


def test_of_very_many_their_number_is_told(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.lasting._MOST", 1)
    for path in (ws.root / "p_Alpha" / "plate").glob("*.csv"):
        flip(path)
    reconcile(ws)
    assert len(told(ws)) == 2
    assert told(ws)[1].startswith("2 more in p_Alpha/plate changed under the same size and time")
    assert fixity.accept(ws, "p_Alpha/plate") == 3
    assert told(ws) == []
