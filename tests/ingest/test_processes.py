"""Processes that help with reading: started where much is new, and never missed when they cannot be."""

from __future__ import annotations

import logging

import pytest

from ingest import processes
from ingest.layout import Layout
from ingest.processes import ReadingProcesses
from ingest.reconcile import reconcile
from tests.ingest.watched import Watched

pytestmark = pytest.mark.usefixtures("garbage_as_before")


@pytest.fixture
def garbage_as_before() -> object:
    import gc

    before = gc.get_threshold()
    yield None
    gc.set_threshold(*before)


@pytest.mark.parametrize(("datasets", "started"), [(3, False), (20, True)])
def test_they_start_at_once_only_where_many_datasets_are_new(watched: Watched, datasets: int, started: bool) -> None:
    for number in range(datasets):
        watched.put(f"p_Barley/d{number}/x.txt", f"{number}\n")
    with ReadingProcesses() as helping:
        helping.start_for_new(watched.root, Layout("p_", ""))
        assert (helping._starting is not None) == started


def test_where_no_process_can_be_started_this_one_reads_all(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(processes.ProcessPoolExecutor, "submit", refused)
    for number in range(20):
        watched.put(f"p_Barley/d{number}/x.txt", f"{number}\n")
    with caplog.at_level(logging.WARNING), ReadingProcesses() as helping, watched.workspace() as ws:
        report = reconcile(ws, processes=helping)
    assert report.described == 20
    assert "without the help of other processes" in caplog.text
    assert helping.pool is None
