"""The index catches up whatever the database does; the engine never waits for it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from django.db import OperationalError

from catalog import following
from catalog.following import Follower
from tests.catalog.service import eventually


class Index:
    """Stands where the database would: takes paths, or fails as often as it is told."""

    def __init__(self, failures: int = 0, poison: str = "", unmounted: int = 0) -> None:
        self.failures = failures
        self.unmounted = unmounted
        self.poison = poison
        self.taken: list[str] = []
        self.caught_up = 0

    def refresh(self, paths: Sequence[Path]) -> None:
        self._fail()
        if any(path.name == self.poison for path in paths):
            raise RuntimeError("a fault of ours")
        self.taken += [path.name for path in paths]

    def catch_up(self) -> int:
        self._fail()
        if self.unmounted:
            self.unmounted -= 1
            raise ExceptionGroup("some folders", [OSError("input/output error")])
        self.caught_up += 1
        return 0

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise OperationalError("database is locked")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_WAIT", 0.01)


def paths(*names: str) -> list[Path]:
    return [Path("/data", name) for name in names]


def test_everything_recorded_is_taken_before_the_end() -> None:
    index = Index()
    with Follower(index.refresh, index.catch_up) as follower:
        follower.recorded(paths("a", "b"))
        follower.recorded(paths("b", "c"))
    assert (sorted(set(index.taken)), index.caught_up, follower.backlog) == (["a", "b", "c"], 1, 0)


def test_catching_up_happens_though_nothing_is_recorded() -> None:
    index = Index(failures=3)
    with Follower(index.refresh, index.catch_up):
        pass
    assert index.caught_up == 1


def test_a_locked_database_is_tried_again_until_it_takes_all() -> None:
    index = Index(failures=5)
    with Follower(index.refresh, index.catch_up) as follower:
        for number in range(20):
            follower.recorded(paths(f"f{number}"))
    assert sorted(set(index.taken)) == sorted(f"f{number}" for number in range(20))
    assert (follower.backlog, follower.behind) == (0, "")


def test_recording_never_waits_for_the_database() -> None:
    begun, going = threading.Event(), threading.Event()

    def stuck(given: Sequence[Path]) -> None:
        begun.set()
        going.wait()

    with Follower(stuck, lambda: 0) as follower:
        try:
            for number in range(100):  # comes to its end, though nothing is taken all the while
                follower.recorded(paths(f"f{number}"))
                begun.wait()
        finally:
            going.set()


def test_a_database_that_stays_locked_leaves_a_count_and_a_reason() -> None:
    index = Index(failures=10_000)
    with Follower(index.refresh, index.catch_up, patience=0.3) as follower:
        follower.recorded(paths("a", "b"))
    assert follower.backlog == 2
    assert "database is locked" in follower.behind
    index.failures = 0


def test_a_document_the_index_cannot_take_holds_up_no_other() -> None:
    index = Index(poison="bad")
    with Follower(index.refresh, index.catch_up) as follower:
        follower.recorded(paths("a", "bad", "b"))
    assert sorted(index.taken) == ["a", "b"]


def test_catching_up_that_fails_is_tried_again_and_holds_up_nothing() -> None:
    index = Index(unmounted=3)
    with Follower(index.refresh, index.catch_up) as follower:
        follower.recorded(paths("a"))
        eventually(lambda: index.caught_up)
        assert (index.taken, index.unmounted) == (["a"], 0)


def test_catching_up_that_never_works_does_not_hold_up_the_end() -> None:
    index = Index(unmounted=1_000_000)
    with Follower(index.refresh, index.catch_up, patience=86_400) as follower:  # this test ends, so it waited for none
        follower.recorded(paths("a"))
    assert index.taken == ["a"]
    assert "cannot catch up" in follower.behind


def test_catching_up_can_be_asked_for_again() -> None:
    index = Index()
    with Follower(index.refresh, index.catch_up) as follower:
        eventually(lambda: index.caught_up == 1)
        follower.catch_up_soon()
        eventually(lambda: index.caught_up == 2)
