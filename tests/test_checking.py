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
        '"pytest "*) cat; echo "asked for: $*"\n'
        'case "$*" in *cacheprovider*) case "$*" in *"${BROKEN:-none}"*) exit 1;; esac; exit 0;; esac\n'
        '[ -z "${LIST:-}" ] || printf -- "$LIST" >"$TESTS_FAILED_LIST"\n'
        "exit ${PYTEST:-0};;\n"
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


# --- a few failed beside others ---------------------------------------------------------------------------------------

FEW = "-\\ttests/test_a.py::test_a[x y]\\n7\\ttests/test_b.py::test_b\\n"
MANY = "".join(f"-\\ttests/test_a.py::test_{number}\\n" for number in range(4))


def test_a_few_that_failed_are_asked_once_more_alone_with_their_seeds_and_named(checkout: Path, tmp_path: Path) -> None:
    result = run(checkout, machine(tmp_path / "bin", missing=set(), root=False), PYTEST="1", LIST=FEW)
    assert result.returncode == 0
    assert result.stdout.splitlines()[1:] == [
        "asked for: -m pytest -p no:xdist -p no:cacheprovider tests/test_a.py::test_a[x y]",
        "asked for: -m pytest -p no:xdist -p no:cacheprovider --seed 7 tests/test_b.py::test_b",
    ]
    names = "tests/test_a.py::test_a[x y], tests/test_b.py::test_b"
    assert (
        f"Unsteady, passed only alone: {names}. Each is a defect of the test or of the code: mend it." in result.stderr
    )


def test_what_fails_alone_as_well_has_failed_and_only_the_others_are_unsteady(checkout: Path, tmp_path: Path) -> None:
    path = machine(tmp_path / "bin", missing=set(), root=False)
    result = run(checkout, path, PYTEST="1", LIST=FEW, BROKEN="test_b")
    assert result.returncode == 2
    assert "passed only alone: tests/test_a.py::test_a[x y]. Each" in result.stderr


@pytest.mark.parametrize(
    ("env", "arguments"),
    [
        ({"LIST": MANY}, ""),
        ({"LIST": FEW}, "--campaign"),
        ({"LIST": FEW}, "-p no:xdist"),
        ({"LIST": FEW, "PYTEST": "2"}, ""),
        ({}, ""),
    ],
    ids=["too many", "a campaign", "alone already", "ended early", "nobody knows which"],
)
def test_nothing_else_is_asked_twice(checkout: Path, tmp_path: Path, env: dict[str, str], arguments: str) -> None:
    path = machine(tmp_path / "bin", missing=set(), root=False)
    result = run(checkout, path, f"ARGS={arguments}", **{"PYTEST": "1", **env})
    assert result.returncode == 2
    assert result.stdout.count("asked for") == 1


def test_other_failures_count_though_the_tests_passed_alone(checkout: Path, tmp_path: Path) -> None:
    path = machine(tmp_path / "bin", missing=set(), root=False)
    assert run(checkout, path, PYTEST="1", LIST=FEW, MYPY="1").returncode == 2
