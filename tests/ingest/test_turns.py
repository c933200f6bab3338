"""A pass that gives way to something more urgent, and the next one that goes on from there."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from ingest import dirty
from ingest import watch as watching
from ingest.losses import Unfinished
from ingest.reconcile import reconcile
from ingest.report import Report
from tests.ingest.watched import Watched
from tests.watching.conftest import wait_for

DATASETS = [f"p_A/d{number}" for number in range(4)]


@pytest.fixture
def four(watched: Watched) -> Watched:
    """Four datasets with two files each; after the first look one file of each is deleted."""
    for dataset in DATASETS:
        watched.put(f"{dataset}/stays.txt", dataset)
        watched.put(f"{dataset}/goes.txt", f"{dataset} goes")
    watched.reconcile()
    for dataset in DATASETS:
        watched.move(f"{dataset}/goes.txt", f"../aside/{dataset}.txt")
    return watched


def after(datasets: int) -> Callable[[], bool]:
    """Enough after so many datasets."""
    asked = itertools.count()
    return lambda: next(asked) >= datasets


def look(
    watched: Watched, datasets: int, unfinished: Unfinished | None = None, only: list[str] | None = None
) -> Report:
    with watched.workspace() as ws:
        return reconcile(ws, only=only, wait=False, enough=after(datasets), unfinished=unfinished)


def states(watched: Watched) -> list[str]:
    return [watched.states(dataset).get("goes.txt", "") for dataset in DATASETS]


def test_everything_is_scanned_by_turns_and_what_is_missing_is_told_at_the_end(four: Watched) -> None:
    so_far = Unfinished()
    first = look(four, 3, so_far)
    assert (first.unfinished, first.left_over, first.missing) == (True, {"p_A/d3"}, 0)
    assert states(four) == ["present"] * 4
    second = look(four, 3, so_far)
    assert (second.unfinished, second.left_over, second.missing, second.unchanged) == (False, set(), 4, 1)
    assert states(four) == ["missing"] * 4
    assert so_far == Unfinished()


def test_a_file_that_is_back_before_everything_was_scanned_is_not_missing(four: Watched) -> None:
    so_far = Unfinished()
    look(four, 3, so_far)
    four.move("../aside/p_A/d1.txt", "p_A/d1/goes.txt")
    assert look(four, 3, so_far, only=["p_A/d1"]).unfinished is False
    assert look(four, 3, so_far).missing == 3
    assert states(four) == ["missing", "present", "missing", "missing"]


def test_so_much_missing_by_turns_that_a_disk_must_be_unmounted_is_not_recorded(watched: Watched) -> None:
    for dataset, number in itertools.product(DATASETS, range(30)):
        watched.put(f"{dataset}/sub/{number}.txt", f"{dataset} {number}")
    watched.reconcile()
    for dataset in DATASETS:
        watched.remove(f"{dataset}/sub")
    so_far = Unfinished()
    assert look(watched, 2, so_far).alarms == []
    assert look(watched, 4, so_far).withheld == 120
    assert {state for dataset in DATASETS for state in watched.states(dataset).values()} == {"present"}


def test_some_parts_scanned_by_turns_leave_the_others_for_later(four: Watched) -> None:
    report = look(four, 1, only=["p_A/d0", "p_A/d2"])
    assert (report.unfinished, report.left_over, report.missing) == (True, {"p_A/d2"}, 1)
    assert states(four) == ["missing", "present", "present", "present"]


def test_steady_writing_keeps_the_scan_of_everything_from_nothing(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With turns as short as can be, and a dataset that is due whenever somebody asks."""
    monkeypatch.setattr(watching, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(dirty, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(dirty, "PATIENCE_FACTOR", 0.0)
    for number in range(100):
        watched.put(f"p_A/d{number:02}/f.txt", f"{number}")
    watched.reconcile()
    watched.put("p_A/d99/late.txt", "written while nobody watched")
    watched.remove("p_A/d10/f.txt")
    stop = threading.Event()

    def write() -> None:
        for number in itertools.count():
            watched.put("p_A/d00/grows.txt", f"{number}")
            if stop.wait(0.001):
                return

    def watch() -> None:
        with watched.workspace(settle_seconds=0.01) as ws:
            watching.watch(ws, on_recorded=lambda _: None, stop=stop, announce=lambda _: None)

    def described() -> bool:
        with suppress(FileNotFoundError):
            return "late.txt" in watched.entries("p_A/d99") and watched.states("p_A/d10") == {"f.txt": "missing"}
        return False

    threads = [threading.Thread(target=write), threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    try:
        wait_for(described, "the last dataset", 60)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
