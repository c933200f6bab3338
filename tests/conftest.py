"""What every test shares: which skips are allowed, how many times a random test runs, and its seed."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import hypothesis
import pytest

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
REPORTS: dict[str, str] = {}

hypothesis.settings.register_profile("fairfolder", deadline=None, print_blob=True)
hypothesis.settings.load_profile("fairfolder")


def _runs(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _tmpfs_mounts() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        return _runs("unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder)


CONDITIONS: dict[str, Callable[[], bool]] = {
    "no-chromium": lambda: not any(shutil.which(n) for n in ("chromium", "chromium-browser", "google-chrome")),
    "no-strace": lambda: shutil.which("strace") is None,
    "no-rsync": lambda: shutil.which("rsync") is None,
    "no-faketime": lambda: shutil.which("faketime") is None,
    "not-root": lambda: os.geteuid() != 0,
    "no-namespaces": lambda: not _runs("unshare", "-rn", "true"),
    "no-tmpfs": lambda: not _tmpfs_mounts(),
    "no-inotify-settings": lambda: not os.access("/proc/sys/fs/inotify/max_queued_events", os.W_OK),
    "no-sparql-server": lambda: find_spec("rdflib_endpoint") is None,
    "no-conformance-material": lambda: not (CHECKOUT.parent / "shared" / "conformance").is_dir(),
}


@cache
def holds(condition: str) -> bool:
    """Whether a condition named in skips.toml is true of this machine; asked once a run."""
    return CONDITIONS[condition]()


@dataclass(frozen=True)
class AllowedSkip:
    """One entry of skips.toml."""

    tests: str
    reason: str
    when: str
    in_ci: bool

    def __post_init__(self) -> None:
        if self.when not in CONDITIONS:
            raise ValueError(f"tests/skips.toml: when = {self.when!r} is none of {', '.join(CONDITIONS)}.")

    def covers(self, test: str, reason: str) -> bool:
        return (
            fnmatchcase(test, self.tests) and fnmatchcase(reason, self.reason) and (self.in_ci or not IN_CI)
        ) and holds(self.when)


def allowed_skips() -> tuple[AllowedSkip, ...]:
    """The entries of tests/skips.toml."""
    return tuple(AllowedSkip(**entry) for entry in tomllib.loads((HERE / "skips.toml").read_text())["skip"])


def refused(test: str, reason: str) -> str:
    """Why this skip fails the run, or an empty string when skips.toml allows it."""
    if any(entry.covers(test, reason) for entry in allowed_skips()):
        return ""
    where = " in CI" if IN_CI else ""
    return f"{test} was skipped ({reason}), which tests/skips.toml does not allow{where} on this machine."


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    # A report that came from a worker process holds a list where others hold a tuple.
    text = report.longrepr[2] if isinstance(report.longrepr, tuple | list) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def _is_skip(report: pytest.TestReport | pytest.CollectReport) -> bool:
    return report.skipped and not hasattr(report, "wasxfail")


def _settle(report: Any) -> None:
    """Fails a report that is a skip nobody allowed; in the process that ran the test."""
    if _is_skip(report) and (why := refused(report.nodeid, _reason(report))):
        report.outcome = "failed"
        report.longrepr = why


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    _settle(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    report = yield
    _settle(report)
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Notes an allowed skip for the summary; in the process that prints it, whichever ran the test."""
    if _is_skip(report):
        REPORTS[report.nodeid] = _reason(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """The same for a module that skips as a whole."""
    if _is_skip(report):
        REPORTS[report.nodeid] = _reason(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not REPORTS:
        return
    terminalreporter.section("skipped, and why")
    for test, reason in sorted(REPORTS.items()):
        terminalreporter.line(f"{test}: {reason}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--campaign", action="store_true", help="run random and load tests with their full counts")
    parser.addoption("--seed", type=int, help="the seed of the random tests, to repeat a failure")


@pytest.fixture(scope="session")
def campaign(request: pytest.FixtureRequest) -> bool:
    """Whether the full counts are asked for (``make campaign``)."""
    return bool(request.config.getoption("--campaign"))


@pytest.fixture(scope="session")
def count(campaign: bool) -> Callable[[int, int], int]:
    """``count(small, full)``: how often to repeat, in ``make test`` and in ``make campaign``."""
    return lambda small, full: full if campaign else small


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """A random generator whose seed is shown when the test fails; repeat with ``--seed``."""
    given = request.config.getoption("--seed")
    seed = given if given is not None else random.SystemRandom().randrange(2**32)
    sys.stdout.write(f"seed of this run: --seed {seed}\n")
    request.node.user_properties.append(("seed", seed))
    return random.Random(seed)
