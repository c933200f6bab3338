"""The at-rest rule: two observations one settle time apart, by the file system's own clock."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ingest.clock import Clock, Gate
from ingest.rows import Stamp

S = 1_000_000_000


def stamp(ctime: float) -> Stamp:
    return Stamp(1, 2, 3, 4, int(ctime * S))


def gate(now: float, settle: float = 2.0, *, reliable: bool = True, wall: float = 1000.0) -> Gate:
    return Gate(int(now * S), int(settle * S), reliable, wall)


@pytest.mark.parametrize(("age", "rests"), [(0.0, False), (1.999, False), (2.0, True), (100.0, True)])
def test_a_file_rests_when_its_inode_has_not_changed_for_the_settle_time(age: float, rests: bool) -> None:
    assert gate(500.0).at_rest(stamp(500.0 - age), None, same_as_before=False) is rests


def test_a_change_time_in_the_future_asks_for_two_observations() -> None:
    """FA-20: the clock was set back after the file was written."""
    future = stamp(900.0)
    assert not gate(500.0).at_rest(future, None, same_as_before=False)
    assert not gate(500.0, wall=1000.0).at_rest(future, 999.0, same_as_before=True)
    assert gate(500.0, wall=1000.0).at_rest(future, 997.0, same_as_before=True)
    assert not gate(500.0, wall=1000.0).at_rest(future, 997.0, same_as_before=False)
    assert gate(500.0, wall=1000.0).at_rest(future, 2000.0, same_as_before=True), "the wall clock was set back as well"


def test_a_clock_that_jumped_is_not_relied_on() -> None:
    old = stamp(100.0)
    assert not gate(500.0, reliable=False).at_rest(old, None, same_as_before=False)
    assert gate(500.0, reliable=False).at_rest(old, 900.0, same_as_before=True)


def test_without_a_settle_time_everything_rests() -> None:
    assert gate(500.0, settle=0.0).at_rest(stamp(900.0), None, same_as_before=False)


def test_how_long_until_a_file_rests() -> None:
    assert gate(500.0).rests_in(stamp(499.5)) == pytest.approx(1.5)
    assert gate(500.0).rests_in(stamp(400.0)) == 0.0
    assert gate(500.0).rests_in(stamp(900.0)) == pytest.approx(2.0)


def test_the_clock_is_the_file_systems(tmp_path: Path) -> None:
    (tmp_path / ".metadata").mkdir()
    clock = Clock(tmp_path, 2.0)
    first = clock.gate()
    (tmp_path / "a").write_text("x")
    ctime = os.stat(tmp_path / "a").st_ctime_ns
    time.sleep(0.02)
    second = clock.gate()
    assert first.now_ns <= ctime <= second.now_ns
    assert second.reliable


def test_where_nothing_can_be_written_the_machines_clock_serves(tmp_path: Path) -> None:
    before = time.time_ns()
    now = Clock(tmp_path, 2.0).gate().now_ns
    assert before <= now <= time.time_ns()
    assert list(tmp_path.iterdir()) == []
