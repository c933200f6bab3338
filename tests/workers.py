"""Tests in several processes at once: how many, who stays together, and who begins first.

pytest loads it early (``-p tests.workers`` in pyproject.toml); scripts/test.sh asks with ``-n auto --dist loadscope``.
Each worker has a database, a settings environment, a state folder and ports of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# What costs seconds to make is shared by a module (a service, a browser, thousands of files, all source parsed): its
# tests run in one worker.
TOGETHER = (
    "tests/journeys/*",
    "tests/catalog/sparql/*",
    "tests/faults/test_kill.py",
    "tests/test_architecture.py",
    "tests/test_lock.py",
)
# In this order, before all others. What is long begins early, so that nobody is waited for at the end; and what mostly
# waits runs beside what keeps a processor busy.
EARLY = (
    "tests/journeys/test_forms.py",
    "tests/journeys/test_looks.py",
    "tests/journeys/test_hostile.py",
    "tests/journeys/test_curating.py",
    "tests/ingest/test_model*",
    "tests/watching/*",
    "tests/journeys/test_[!r]*",
    "tests/bench/*",
    "tests/faults/*",
    "tests/journeys/*",
    "tests/catalog/test_serving.py",
    "tests/catalog/test_commands.py",
)


def is_worker() -> bool:
    """Whether this process is one of several."""
    return "PYTEST_XDIST_WORKER" in os.environ


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two more than processors: many tests wait for a process, a watcher or a browser."""
    asked = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    return int(asked) if asked else len(os.sched_getaffinity(0)) + 2


def unit(test: str) -> str:
    """The name of what is given to one worker as a whole: a module, or else one test."""
    file = test.partition("::")[0]
    return file if any(fnmatchcase(file, pattern) for pattern in TOGETHER) else test


def place(test: str) -> int:
    """The smaller, the earlier."""
    file = test.partition("::")[0]
    return next((number for number, pattern in enumerate(EARLY) if fnmatchcase(file, pattern)), len(EARLY))


@pytest.hookimpl(wrapper=True)  # after pytest-django, which has an order of its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    yield
    if is_worker():  # each of them must come to the same order
        items.sort(key=lambda item: place(item.nodeid))


class Units(LoadScopeScheduling):
    """Gives out one unit after the other, in the order of the tests, to whoever is free."""

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    if config.getoption("dist") != "loadscope":
        return None
    config.option.loadscopereorder = False
    return Units(config, log)
