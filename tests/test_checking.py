"""`make test` itself: no failure gets lost, no question is asked, and what cannot be installed is said by name."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
PROGRAMS = ("chromium", "strace", "git", "openssl", "rsync", "faketime")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose tools are scripts that exit as the environment says."""
    folder = tmp_path / "a checkout"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(CHECKOUT / "scripts" / "test.sh", folder / "scripts" / "test.sh")
    shutil.copy(CHECKOUT / "Makefile", folder / "Makefile")
    program(folder / "scripts" / "setup.sh", "exit ${SETUP:-0}")
    program(
        folder / ".venv" / "bin" / "python",
        'case "$2 $3" in\n'
        '"ruff check") exit ${RUFF:-0};; "ruff format") exit ${FORMAT:-0};; "mypy ") exit ${MYPY:-0};;\n'
        '"pytest "*) cat; echo "asked for: $*"; exit ${PYTEST:-0};;\n'
        "esac\nexit 99",
    )
    return folder


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run(checkout: Path, path: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """``make test`` with nothing on standard input but what would answer a question."""
    command = ["make", "--no-print-directory", "test", *arguments]
    environment = {"PATH": str(path), **env}
    return subprocess.run(
        command, cwd=checkout, env=environment, input="yes\n", capture_output=True, text=True, timeout=60
    )


def machine(folder: Path, *, missing: set[str], root: bool) -> Path:
    """A PATH with the basic tools, all programs of the tests but those missing, and an apt-get that notes its calls."""
    folder.mkdir()
    for tool in ("sh", "dirname", "make", "cat", "mktemp", "rm", "tail"):
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    for name in set(PROGRAMS) - missing:
        program(folder / name, "exit 0")
    program(folder / "id", f"echo {0 if root else 1000}")
    program(folder / "apt-get", f'echo "$* ($DEBIAN_FRONTEND)" >>"{folder}/calls"; exit ${{APT:-0}}')
    return folder


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ({}, 0),
        ({"RUFF": "1"}, 1),
        ({"FORMAT": "1"}, 1),
        ({"MYPY": "2"}, 1),
        ({"PYTEST": "1"}, 1),
        ({"PYTEST": "5"}, 5),
        ({"RUFF": "1", "PYTEST": "2"}, 2),
        ({"SETUP": "2"}, 2),
    ],
    ids=lambda value: str(value),
)
def test_no_failure_gets_lost(checkout: Path, tmp_path: Path, codes: dict[str, str], expected: int) -> None:
    path = machine(tmp_path / "bin", missing=set(), root=False)
    script = subprocess.run(
        [str(checkout / "scripts" / "test.sh")],
        cwd="/",
        env={"PATH": str(path), **codes},
        capture_output=True,
        timeout=60,
    )
    assert script.returncode == expected
    # make passes any failure on as its own 2.
    assert run(checkout, path, **codes).returncode == (2 if expected else 0)


def test_the_tests_run_even_after_ruff_and_mypy_failed_and_read_no_input(checkout: Path, tmp_path: Path) -> None:
    path = machine(tmp_path / "bin", missing=set(), root=False)
    result = run(checkout, path, "ARGS=-k one tests", RUFF="1", MYPY="1")
    assert result.stdout == "asked for: -m pytest -n auto --dist loadscope -k one tests\n"
    assert "Failed besides the tests: ruff-check mypy" in result.stderr


@pytest.mark.parametrize("words", ["-p no:xdist -k one", "-x -pno:xdist"])
def test_who_wants_one_test_after_the_other_gets_it(checkout: Path, tmp_path: Path, words: str) -> None:
    result = run(checkout, machine(tmp_path / "bin", missing=set(), root=False), f"ARGS={words}")
    assert result.stdout == f"asked for: -m pytest {words}\n"


def test_root_installs_what_is_missing_without_a_question(checkout: Path, tmp_path: Path) -> None:
    path = machine(tmp_path / "bin", missing={"chromium", "strace"}, root=True)
    result = run(checkout, path)
    assert result.returncode == 0
    assert (path / "calls").read_text() == (
        "update ()\ninstall -y --no-install-recommends chromium strace (noninteractive)\n"
    )


def test_what_cannot_be_installed_is_named_and_the_tests_run(checkout: Path, tmp_path: Path) -> None:
    path = machine(tmp_path / "bin", missing={"strace"}, root=True)
    result = run(checkout, path, APT="100")
    assert (result.returncode, "These could not be installed: strace." in result.stderr) == (0, True)


def test_who_is_not_root_is_told_what_is_missing(checkout: Path, tmp_path: Path) -> None:
    path = machine(tmp_path / "bin", missing={"chromium"}, root=False)
    result = run(checkout, path)
    assert "Not installed here: chromium (only root can, with apt-get)." in result.stderr
    assert not (path / "calls").exists()
