"""`make setup` on machines as they come: names with spaces, no Python, an old one, none of venv, a moved checkout."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
TOOLS = ("sh", "dirname", "cat", "cksum", "make", "sed", "rm", "pwd")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a folder with a space, whose lock files are empty so that nothing is downloaded."""
    folder = tmp_path / "my research" / "fair folder"
    (folder / "scripts").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "scripts/setup.sh", "scripts/test.sh"):
        shutil.copy(CHECKOUT / name, folder / name)
    (folder / "requirements.lock").write_text("# nothing\n")
    (folder / "requirements-dev.lock").write_text("# nothing\n")
    (folder / "ingest").mkdir()
    (folder / "ingest" / "__init__.py").write_text("")
    return folder


def machine(folder: Path, **programs: str) -> dict[str, str]:
    """An environment whose PATH holds the basic tools and the given shell scripts as programs."""
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (folder / tool).symlink_to(found)
    for name, script in programs.items():
        program = folder / name.replace("_", ".")
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    return {"PATH": str(folder), "HOME": str(folder)}


def make(checkout: Path, target: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", target]
    return subprocess.run(command, cwd=checkout, env=env, capture_output=True, text=True, timeout=300)


def told(result: subprocess.CompletedProcess[str]) -> str:
    """What a person reads besides make's own line."""
    assert "Traceback" not in result.stderr
    return "\n".join(line for line in result.stderr.splitlines() if not line.startswith("make: ***"))


REAL = f'exec "{sys.executable}" "$@"'
OLD = 'case "$1" in --version) echo "Python 3.9.2";; *) exit 1;; esac'
# Like Debian's python3 without python3-venv: new enough, but ensurepip is missing.
BARE = f'case "$*" in *ensurepip*) exit 1;; esac\n{REAL}'


def test_a_second_setup_takes_a_moment_and_a_moved_checkout_still_works(checkout: Path) -> None:
    first = make(checkout, "setup", {**os.environ, "PYTHON": sys.executable})
    assert first.returncode == 0, first.stderr
    before = sorted((str(path), path.lstat().st_ctime_ns) for path in (checkout / ".venv").rglob("*"))
    second = make(checkout, "setup", {**os.environ, "PYTHON": sys.executable})
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    after = sorted((str(path), path.lstat().st_ctime_ns) for path in (checkout / ".venv").rglob("*"))
    assert after == before  # nothing is made once more
    moved = checkout.with_name("moved away")
    checkout.rename(moved)
    where = [str(moved / ".venv" / "bin" / "python"), "-c", "import ingest; print(ingest.__file__)"]
    found = subprocess.run(where, cwd="/", capture_output=True, text=True, check=True).stdout
    assert Path(found.strip()).resolve() == moved / "ingest" / "__init__.py"


def test_a_changed_lock_is_installed_and_a_broken_environment_made_anew(checkout: Path) -> None:
    env = {**os.environ, "PYTHON": sys.executable}
    assert make(checkout, "setup", env).returncode == 0
    (checkout / "requirements.lock").write_text("# something else\n")
    assert "Installing" in make(checkout, "setup", env).stderr
    (checkout / ".venv" / "bin" / "python").unlink()
    assert make(checkout, "setup", env).returncode == 0
    assert (checkout / ".venv" / "bin" / "python").exists()


def test_who_asked_for_dvc_once_keeps_it(checkout: Path) -> None:
    env = {**os.environ, "PYTHON": sys.executable}
    (checkout / "requirements-dvc.lock").write_text("# nothing\n")
    asked = ["scripts/setup.sh", "dvc"]
    done = subprocess.run(asked, cwd=checkout, env=env, check=True, capture_output=True, text=True)
    assert "your data takes its size twice" in done.stderr  # before the first byte is kept
    assert "FAIRFOLDER_DVC" in done.stderr
    assert make(checkout, "setup", env).stderr == ""
    (checkout / "requirements-dvc.lock").write_text("# something else\n")
    assert "Installing" in make(checkout, "setup", env).stderr
    assert (checkout / ".venv" / ".installed").read_text().startswith("dvc ")


def test_a_newer_python_than_python3_is_found(checkout: Path, tmp_path: Path) -> None:
    result = make(checkout, "setup", machine(tmp_path / "bin", python3=OLD, python3_12=REAL))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("programs", "sentence"),
    [
        ({}, "Python 3.11 or newer is needed and this machine has no python3; install one, or name it: "),
        (
            {"python3": OLD},
            "Python 3.11 or newer is needed and this machine has Python 3.9.2; install one, or name it: ",
        ),
        (
            {"python3": BARE},
            "python3 has no working venv module; install it (Debian and Ubuntu: apt-get install python3-",
        ),
    ],
    ids=["none", "too old", "without venv"],
)
def test_what_is_missing_is_said_in_one_sentence(
    checkout: Path, tmp_path: Path, programs: dict[str, str], sentence: str
) -> None:
    result = make(checkout, "setup", machine(tmp_path / "bin", **programs))
    assert result.returncode == 2
    assert told(result).startswith(f"Fairfolder set-up: {sentence}")
    assert "\n" not in told(result)


@pytest.mark.parametrize(("value", "why"), [("no-such-python", "no command here"), ("old", "not Python 3.11 or newer")])
def test_a_wrong_python_by_name_is_refused_by_name(checkout: Path, tmp_path: Path, value: str, why: str) -> None:
    env = {**machine(tmp_path / "bin", old=OLD, python3=REAL), "PYTHON": value}
    result = make(checkout, "setup", env)
    assert result.returncode == 2
    assert told(result).startswith(f"Fairfolder set-up: PYTHON is '{value}', which is {why}")


def test_ctrl_c_ends_serve_without_noise(checkout: Path) -> None:
    assert make(checkout, "setup", {**os.environ, "PYTHON": sys.executable}).returncode == 0
    (checkout / "manage.py").write_text(
        "import signal, sys, time\n"
        "def stop(*_):\n    print('stopped cleanly', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGINT, stop)\n"
        "print('serving', flush=True)\n"
        "while True: time.sleep(1)\n"
    )
    process = subprocess.Popen(
        ["make", "--no-print-directory", "serve"],
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "serving\n"
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
    out, err = process.communicate(timeout=30)
    assert out == "stopped cleanly\n"
    assert err == ""
