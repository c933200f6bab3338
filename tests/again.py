"""Which tests failed, and with what seed: written for scripts/test.sh, which asks a few of them once more, alone.

pytest loads it early (``-p tests.again`` in pyproject.toml). It writes where ``TESTS_FAILED_LIST`` says, one line for a
test: its seed or "-", a tab, its name. Nothing is written of a run that ended early: what it did not run is not known.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

NAME = "TESTS_FAILED_LIST"


class Failed:
    """Every test, and every module that could not be read, that failed; in the process that prints."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seeds: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.seeds[report.nodeid] = str(dict(report.user_properties).get("seed", "-"))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.seeds[report.nodeid] = "-"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not (session.shouldstop or session.shouldfail):
            self.path.write_text("".join(f"{seed}\t{test}\n" for test, seed in self.seeds.items()))


def pytest_configure(config: pytest.Config) -> None:
    path = os.environ.pop(NAME, "")  # neither for the workers of this run nor for a pytest that a test starts
    if path:
        config.pluginmanager.register(Failed(Path(path)))
