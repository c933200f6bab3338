"""The rule about skips is itself checked: a skip nobody allowed fails, one for a true reason does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import again, conftest

CHECKOUT = Path(__file__).resolve().parent.parent
AT_ONCE = ("-p", "xdist", "-p", "tests.workers", "-n", "2", "--dist", "loadscope")


def run_pytest(folder: Path, body: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_planted.py").write_text(body)
    (folder / "conftest.py").write_text("from tests.conftest import *\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:django", "-p", "no:cacheprovider", "-c", "/dev/null"]
    return subprocess.run(
        [*command, f"--rootdir={folder}", *arguments, str(folder)],
        cwd=CHECKOUT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # to import them takes seconds
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("workers", [(), AT_ONCE], ids=["one", "workers"])
@pytest.mark.parametrize(
    "body",
    [
        "import pytest\n\n\ndef test_a():\n    pytest.skip('no time today')\n",
        "import pytest\n\n\n@pytest.mark.skip(reason='flaky')\ndef test_a():\n    pass\n",
        "import pytest\n\npytest.importorskip('a_package_nobody_has')\n\n\ndef test_a():\n    pass\n",
    ],
    ids=["in the test", "as a mark", "of a whole module"],
)
def test_a_skip_nobody_allowed_fails_the_run(tmp_path: Path, body: str, workers: tuple[str, ...]) -> None:
    result = run_pytest(tmp_path, body, *workers)
    assert result.returncode != 0, result.stdout
    assert "tests/skips.toml does not allow" in result.stdout


ALLOWED = """from tests import conftest

conftest.allowed_skips = lambda: (conftest.AllowedSkip("*", "*", "not-root", in_ci=True),)
conftest.CONDITIONS["not-root"] = lambda: True
"""


@pytest.mark.parametrize("workers", [(), AT_ONCE], ids=["one", "workers"])
def test_an_allowed_skip_is_told_at_the_end_whichever_process_ran_it(tmp_path: Path, workers: tuple[str, ...]) -> None:
    body = f"import pytest\n{ALLOWED}\n\ndef test_a():\n    pytest.skip('no room here')\n\n\ndef test_b():\n    pass\n"
    result = run_pytest(tmp_path, body, *workers)
    assert result.returncode == 0, result.stdout
    told = result.stdout.partition("skipped, and why")[2]
    assert "test_planted.py::test_a: no room here" in told


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    body = "import pytest\n\n\n@pytest.mark.xfail(strict=True)\ndef test_a():\n    assert False\n"
    assert run_pytest(tmp_path, body).returncode == 0


def test_a_listed_reason_counts_only_where_it_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = conftest.AllowedSkip("tests/journeys/*", "*chromium*", "no-chromium", in_ci=False)
    test, reason = "tests/journeys/test_pages.py::test_a", "chromium is not installed"
    monkeypatch.setattr(conftest, "IN_CI", False)
    monkeypatch.setattr(conftest, "holds", lambda condition: condition == "no-chromium")
    assert entry.covers(test, reason)
    assert not entry.covers("tests/ingest/test_scan.py::test_a", reason)
    assert not entry.covers(test, "no time today")
    monkeypatch.setattr(conftest, "holds", lambda condition: False)
    assert not entry.covers(test, reason)


def test_in_ci_what_apt_can_install_may_not_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = conftest.AllowedSkip("*", "*", "no-chromium", in_ci=False)
    monkeypatch.setattr(conftest, "holds", lambda condition: True)
    monkeypatch.setattr(conftest, "IN_CI", True)
    assert not entry.covers("tests/journeys/test_pages.py::test_a", "chromium is not installed")


def test_every_entry_of_the_list_names_a_known_condition() -> None:
    assert conftest.allowed_skips()
    with pytest.raises(ValueError, match="when = 'tuesday'"):
        conftest.AllowedSkip("*", "*", "tuesday", in_ci=False)


def test_counts_are_full_only_in_a_campaign(tmp_path: Path) -> None:
    body = "def test_a(count, rng):\n    assert count(3, 300) == 300, rng.random()\n"
    assert run_pytest(tmp_path, body, "--campaign").returncode == 0
    small = run_pytest(tmp_path, body)
    assert small.returncode == 1
    assert "seed of this run: --seed" in small.stdout


# --- the list of what failed ------------------------------------------------------------------------------------------

FAILING = """import pytest

def test_good():
    pass

def test_call(rng):
    assert rng.random() > 1

@pytest.fixture
def broken():
    raise OSError

def test_setup(broken):
    pass
"""


@pytest.mark.parametrize("workers", [(), AT_ONCE], ids=["one", "workers"])
def test_what_failed_is_listed_with_its_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    found = tmp_path / "failed"
    monkeypatch.setenv(again.NAME, str(found))
    result = run_pytest(tmp_path, FAILING, "-p", "tests.again", *workers)
    listed = dict(line.split("\t")[::-1] for line in found.read_text().splitlines())
    seed = listed.pop("test_planted.py::test_call")
    assert f"--seed {seed}" in result.stdout
    assert listed == {"test_planted.py::test_setup": "-"}


def test_nothing_is_listed_of_a_run_that_ended_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tmp_path / "failed"
    monkeypatch.setenv(again.NAME, str(found))
    run_pytest(tmp_path, FAILING, "-p", "tests.again", "-x")
    assert not found.exists()
