"""Files that cannot be read when they are first met (too large for the pass, or not at rest) are who they were."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest

from ingest import sources
from ingest.readers import SlowReads
from ingest.reading import NotRead
from ingest.reconcile import reconcile
from ingest.report import Report
from ingest.rows import NO_STAMP, Condition, PlaceRow
from tests.ingest.watched import Watched

A, B = "p_A/a", "p_A/b"
LARGE = b"large".ljust(5_000)
RESTLESS = 3_600.0


class Beside:
    """The readers of large files beside the passes; they begin when :meth:`go` is called."""

    def __init__(self) -> None:
        self.stop, self._begin = threading.Event(), threading.Event()
        self._ready: Queue[str] = Queue()
        self.slow = SlowReads(self.stop, self._ready.put, larger_than=1_000)
        nowhere = PlaceRow(-1, "dataset", "nowhere", 0, 0, "", gone=False)
        for number in (b"1", b"2"):  # as many as are read at once
            self.slow.take(nowhere, number, NO_STAMP, self._hold)

    def _hold(self, _: PlaceRow) -> list[NotRead]:
        self._begin.wait()
        return [NotRead(Condition.PENDING, "")]

    def go(self) -> str:
        """Let them read; the dataset whose file was read first."""
        self._begin.set()
        return self.ready()

    def ready(self, seconds: float = 60.0) -> str:
        """The next dataset of which a file was read, "" when there is none."""
        try:
            told = self._ready.get(timeout=seconds)
        except Empty:
            return ""
        return told if told != "nowhere" else self.ready(seconds)

    def look(self, watched: Watched) -> Report:
        with watched.workspace() as ws:
            return reconcile(ws, wait=False, slow=self.slow)

    def close(self) -> None:
        self.stop.set()
        self._begin.set()
        self.slow.close()


@pytest.fixture
def beside() -> Iterator[Beside]:
    beside = Beside()
    yield beside
    beside.close()


def test_a_large_file_has_the_identity_of_its_entry_when_the_state_is_lost(watched: Watched, beside: Beside) -> None:
    watched.put(f"{A}/large.bin", LARGE)
    watched.put(f"{A}/small.txt")
    watched.put(f"{B}/other.txt")
    watched.reconcile()
    before = watched.identifiers(A)
    watched.lose_state()
    assert beside.look(watched).pending == 1
    assert beside.go() == A
    beside.look(watched)
    assert watched.identifiers(A) == before
    watched.edit(f"{A}/.metadata/dataset_structural.json", lambda v: v.update(scope="a person's words"))
    assert watched.reconcile().findings == []
    watched.move(f"{A}/large.bin", f"{B}/large.bin")
    watched.reconcile()
    assert watched.identifiers(B)["large.bin"] == before["large.bin"]
    assert set(watched.identifiers(A)) == {"small.txt"}
    assert watched.check() == []


def test_a_large_file_from_a_deleted_dataset_keeps_its_identity(watched: Watched, beside: Beside) -> None:
    watched.put(f"{A}/large.bin", LARGE)
    watched.put(f"{B}/other.txt")
    watched.reconcile()
    before = watched.identifiers(A)
    watched.move(f"{A}/large.bin", f"{B}/large.bin")
    watched.remove(A)
    beside.look(watched)
    assert beside.go() == B
    beside.look(watched)
    assert watched.identifiers(B)["large.bin"] == before["large.bin"]
    assert watched.check() == []


def taken_from_a_deleted_dataset(watched: Watched) -> str:
    """A file moved out of a dataset that was deleted, met before it was at rest and once more; its identity."""
    watched.put(f"{A}/f.txt", "one")
    watched.put(f"{A}/other.txt", "two")
    watched.put(f"{B}/x.txt", "x")
    watched.reconcile()
    identifier = watched.identifiers(A)["f.txt"]
    watched.copy(A, "../backup")
    watched.move(f"{A}/f.txt", f"{B}/f.txt")
    watched.remove(A)
    assert watched.reconcile(settle_seconds=RESTLESS).pending == 1
    watched.reconcile()
    assert watched.identifiers(B)["f.txt"] == identifier
    return identifier


def test_a_file_that_waited_when_its_dataset_was_deleted_is_not_doubled_by_the_backup(watched: Watched) -> None:
    identifier = taken_from_a_deleted_dataset(watched)
    watched.move("../backup", A)
    watched.reconcile()
    watched.reconcile()
    assert set(watched.identifiers(A)) == {"f.txt", "other.txt"}
    assert identifier not in watched.identifiers(A).values()
    assert watched.identifiers(B)["f.txt"] == identifier
    assert watched.check() == []


def test_a_file_that_waited_when_its_dataset_was_deleted_is_missing_once_it_is_deleted(watched: Watched) -> None:
    identifier = taken_from_a_deleted_dataset(watched)
    watched.remove(f"{B}/f.txt")
    watched.reconcile()
    assert watched.states(B) == {"f.txt": "missing", "x.txt": "present"}
    assert watched.identifiers(B)["f.txt"] == identifier


def test_a_file_that_waits_for_a_dataset_keeps_its_identity_when_that_is_found_deleted(watched: Watched) -> None:
    """The target, the origin and the target again are looked at, each alone, as a watcher may."""
    watched.put(f"{A}/f.txt", "one")
    watched.put(f"{B}/x.txt", "x")
    watched.reconcile()
    identifier = watched.identifiers(A)["f.txt"]
    watched.move(f"{A}/f.txt", f"{B}/f.txt")
    watched.remove(A)
    for part in (B, A, B):
        with watched.workspace() as ws:
            reconcile(ws, only=[part], wait=False)
    assert watched.identifiers(B)["f.txt"] == identifier
    assert watched.check() == []


def test_a_file_that_waits_moves_on_and_is_still_itself(watched: Watched) -> None:
    watched.put(f"{A}/f.txt", "one")
    watched.folder("p_A/c")
    watched.put(f"{B}/x.txt", "x")
    watched.reconcile()
    identifier = watched.identifiers(A)["f.txt"]
    watched.move(f"{A}/f.txt", f"{B}/f.txt")
    watched.remove(A)
    watched.reconcile(settle_seconds=RESTLESS)
    watched.move(f"{B}/f.txt", "p_A/c/f.txt")
    watched.reconcile(settle_seconds=RESTLESS)
    watched.reconcile()
    assert watched.identifiers("p_A/c") == {"f.txt": identifier}
    assert set(watched.identifiers(B)) == {"x.txt"}
    assert watched.check() == []


def test_a_file_that_waits_for_another_dataset_is_not_looked_at_at_once(watched: Watched) -> None:
    """Whether its identity may leave cannot be said while the dataset it came from is just being moved."""
    watched.put(f"{A}/f.txt", "one")
    watched.put(f"{B}/x.txt", "x")
    watched.reconcile()
    watched.move(f"{A}/f.txt", f"{B}/f.txt")
    watched.move(A, "p_A/a2")
    time.sleep(0.3)
    assert watched.reconcile(B, settle_seconds=0.25).waiting == {A: 0.25, B: 0.25}


def test_a_large_file_whose_dataset_is_renamed_while_it_is_read_is_told_of_under_the_new_name(
    watched: Watched, beside: Beside
) -> None:
    watched.put(f"{A}/large.bin", LARGE)
    beside.look(watched)
    watched.move(A, "p_A/renamed")
    beside.look(watched)
    assert beside.go() == "p_A/renamed"
    beside.look(watched)
    assert set(watched.identifiers("p_A/renamed")) == {"large.bin"}


def test_nobody_reads_a_large_file_that_changed_or_is_gone_before_its_turn(watched: Watched, beside: Beside) -> None:
    for name in ("changes.bin", "goes.bin"):
        watched.put(f"{A}/{name}", LARGE)
    watched.put("p_A/deleted/large.bin", LARGE)
    watched.put(f"{B}/stays.bin", LARGE)
    beside.look(watched)
    watched.put(f"{A}/changes.bin", LARGE + b"more")
    watched.remove(f"{A}/goes.bin")
    watched.remove("p_A/deleted")
    beside.look(watched)
    assert sorted([beside.go(), beside.ready(), beside.ready(0.2)]) == ["", A, B]
    beside.look(watched)
    assert watched.entries(A)["changes.bin"]["size_bytes"] == len(LARGE) + 4
    assert set(watched.identifiers(A)) == {"changes.bin"}


def test_where_inodes_are_not_stable_a_file_moves_to_another_dataset_while_a_new_one_comes(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("1 1 0:9 / / rw - nfs4 server:/x rw\n")
    monkeypatch.setattr(sources, "_MOUNTS", mounts)
    watched.put("p_a/one/a.txt", "the first\n")
    watched.folder("p_a/two")
    watched.reconcile()
    identity = watched.identifiers("p_a/one")["a.txt"]
    watched.move("p_a/one/a.txt", "p_a/two/moved.txt")
    watched.put("p_a/one/b.txt", "another\n")
    watched.reconcile()
    assert watched.identifiers("p_a/two") == {"moved.txt": identity}
