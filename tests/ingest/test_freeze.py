"""An unmounted disk is not ten thousand deletions: the root vanishes, is empty, is another device, or loses most."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.ingest.watched import Watched

D = "p_Barley/leaves"


def filled(watched: Watched, count: int = 5) -> dict[str, bytes]:
    for i in range(count):
        watched.put(f"{D}/f{i:03}.txt", f"{i}\n")
    watched.reconcile()
    return watched.metadata()


def test_a_vanished_root_freezes_and_its_return_lifts_it(watched: Watched) -> None:
    before = filled(watched)
    os.rename(watched.root, watched.root.with_name("unmounted"))
    report = watched.reconcile()
    (alarm,) = report.alarms
    assert str(watched.root) in alarm
    assert "may be unmounted" in alarm
    assert watched.status().alarms == [alarm]
    assert not watched.status().healthy
    assert not watched.root.exists(), "nothing is made where the disk should be"
    os.rename(watched.root.with_name("unmounted"), watched.root)
    assert watched.reconcile().alarms == []
    assert watched.status().alarms == []
    assert watched.metadata() == before


@pytest.mark.parametrize("accept", [False, True])
def test_an_empty_mount_point_freezes_and_is_not_written_to(watched: Watched, accept: bool) -> None:
    before = filled(watched)
    os.rename(watched.root, watched.root.with_name("unmounted"))
    watched.root.mkdir()
    for _ in range(2):
        report = watched.reconcile()
        assert len(report.alarms) == 1
        assert "is empty, although 5 files are described in it" in report.alarms[0]
        assert "reconcile --accept-deletions" in report.alarms[0]
        assert list(watched.root.iterdir()) == []
    if accept:
        assert watched.reconcile(accept_deletions=True).alarms == []
        for _ in range(2):
            assert watched.reconcile().alarms == []
        assert watched.status().alarms == []
        assert watched.status().counts["described"] == 0
        shutil.rmtree(watched.root)
    else:
        watched.root.rmdir()
    os.rename(watched.root.with_name("unmounted"), watched.root)
    assert watched.reconcile().alarms == []
    assert watched.states(D) == {f"f{i:03}.txt": "present" for i in range(5)}
    if not accept:
        assert watched.metadata() == before


def on_another_device(watched: Watched) -> None:
    """As if everything seen had been seen on a disk of another number."""
    with watched.workspace() as ws:
        device = os.stat(watched.root).st_dev
        ws.seen.renumber_device(device, device + 1)
        ws.seen.put("root_device", device + 1)


def test_another_disk_at_the_root_freezes(watched: Watched) -> None:
    before = filled(watched)
    on_another_device(watched)
    watched.copy("", "../other disk")
    os.rename(watched.root, watched.root.with_name("first disk"))
    os.rename(watched.root.with_name("other disk"), watched.root)
    watched.remove(f"{D}/f000.txt")
    report = watched.reconcile()
    assert "is on another device than before" in report.alarms[0]
    assert watched.metadata() == before
    report = watched.reconcile(accept_deletions=True)
    assert report.alarms == []
    assert watched.states(D)["f000.txt"] == "missing"
    assert watched.reconcile().alarms == []


def test_the_same_disk_under_another_number_is_the_same_disk(watched: Watched) -> None:
    before = filled(watched)
    on_another_device(watched)
    report = watched.reconcile()
    assert (report.alarms, report.unchanged, report.bytes_read) == ([], 5, 0)
    assert watched.metadata() == before


@pytest.mark.parametrize("how", ["files", "datasets", "project"])
def test_losing_most_of_many_files_at_once_is_held_back(watched: Watched, how: str) -> None:
    for i in range(120):
        watched.put(f"p_Barley/d{i % 2}/f{i:03}.txt", f"{i}\n")
    for i in range(60):
        watched.put(f"p_Rye/d/f{i:03}.txt", f"{i}\n")
    watched.reconcile()
    watched.copy("p_Barley", "../backup")
    before = {k: v for k, v in watched.metadata().items() if k.startswith(".metadata")}
    if how == "files":
        for i in range(120):
            watched.remove(f"p_Barley/d{i % 2}/f{i:03}.txt")
    elif how == "datasets":
        watched.remove("p_Barley/d0")
        watched.remove("p_Barley/d1")
    else:
        watched.remove("p_Barley")
    watched.put("p_Rye/d/new.txt")
    report = watched.reconcile()
    assert report.withheld == 120
    assert "120 of 18" in report.alarms[0]
    assert "reconcile --accept-deletions" in report.alarms[0]
    assert watched.status().alarms == report.alarms
    assert "new.txt" in watched.entries("p_Rye/d"), "what is new is described all the same"
    barley = [e for e in watched.registry().values() if e["path"].startswith("p_Barley")]
    assert {e["state"] for e in barley} == {"present"}
    assert len(before) == 6
    accepted = watched.reconcile(accept_deletions=True)
    assert accepted.alarms == watched.status().alarms == []
    if how == "files":
        assert set(watched.states("p_Barley/d0").values()) == {"missing"}
    else:
        gone = [e["path"] for e in watched.registry().values() if e["state"] == "missing"]
        expected = ["p_Barley/d0", "p_Barley/d1"] if how == "datasets" else ["p_Barley", "p_Barley/d0", "p_Barley/d1"]
        assert sorted(gone) == expected
    assert watched.reconcile().alarms == []
    shutil.rmtree(watched.root / "p_Barley", ignore_errors=True)
    watched.move("../backup", "p_Barley")
    assert watched.reconcile().alarms == []
    assert set(watched.states("p_Barley/d0").values()) == {"present"}
    assert watched.check() == []


def test_a_held_back_loss_is_forgotten_when_the_files_are_back(watched: Watched) -> None:
    before = filled(watched, 130)
    watched.move("p_Barley", "away")
    assert watched.reconcile().withheld == 130
    watched.move("away", "p_Barley")
    assert watched.reconcile().alarms == []
    assert watched.status().alarms == []
    assert watched.metadata() == before


def test_losing_less_is_simply_recorded(watched: Watched) -> None:
    filled(watched, 110)
    for i in range(100):
        watched.remove(f"{D}/f{i:03}.txt")
    report = watched.reconcile()
    assert (report.alarms, report.missing) == ([], 100)
    watched.put(f"{D}/f000.txt")
    for i in range(100, 110):
        watched.remove(f"{D}/f{i:03}.txt")
    assert watched.reconcile().alarms == []


def test_losing_most_of_many_files_with_the_state_is_held_back_too(watched: Watched) -> None:
    filled(watched, 130)
    before = watched.metadata()
    for i in range(129):
        watched.remove(f"{D}/f{i:03}.txt")
    watched.lose_state()
    report = watched.reconcile()
    assert report.withheld == 129
    assert watched.metadata() == before
    watched.reconcile(accept_deletions=True)
    assert list(watched.states(D).values()).count("missing") == 129


def test_a_root_that_was_always_empty_is_no_alarm(watched: Watched) -> None:
    assert watched.reconcile().alarms == []
    assert watched.reconcile().alarms == []
    assert watched.status().healthy
