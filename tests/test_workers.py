"""Tests in several processes: what stays together, what begins first, and ports that nobody else hands out."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests import workers
from tests.catalog.service import free_port

CHECKOUT = Path(__file__).resolve().parent.parent


def test_a_module_with_costly_fixtures_is_one_unit_and_other_tests_are_units_of_their_own() -> None:
    assert workers.unit("tests/journeys/test_forms.py::test_a[x::y]") == "tests/journeys/test_forms.py"
    assert workers.unit("tests/ingest/test_names.py::test_a[1]") == "tests/ingest/test_names.py::test_a[1]"


def test_what_takes_long_begins_first() -> None:
    tests = ["tests/ingest/test_a.py::t", "tests/faults/test_kill.py::t", "tests/watching/test_watching.py::t"]
    assert sorted(tests, key=workers.place) == tests[::-1]


@pytest.mark.parametrize("pattern", [*workers.TOGETHER, *workers.EARLY])
def test_every_pattern_still_names_a_module(pattern: str) -> None:
    assert [path for path in CHECKOUT.glob(pattern) if path.name.startswith("test_")]


def test_each_worker_has_ports_of_its_own_below_those_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = {}
    for worker in ("gw0", "gw1", "gw7"):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        found[worker] = {free_port() for _ in range(20)}
    assert max(set.union(*found.values())) < max(first, 32_000)
    assert not found["gw0"] & found["gw1"] | found["gw1"] & found["gw7"]


def test_a_port_in_use_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw49")
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        assert taken.getsockname()[1] not in {free_port() for _ in range(1_000)}


def test_there_are_more_workers_than_processors_unless_somebody_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_AUTO_NUM_WORKERS", raising=False)
    monkeypatch.setattr(workers.os, "sched_getaffinity", lambda _: {0, 1})
    assert workers.pytest_xdist_auto_num_workers() == 4
    monkeypatch.setenv("PYTEST_XDIST_AUTO_NUM_WORKERS", "1")
    assert workers.pytest_xdist_auto_num_workers() == 1
