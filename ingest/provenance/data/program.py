"""The program ``dvc``: found beside our own Python or on the path, and run so that it can be ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LOOK_SECONDS = 0.5
_MISSING = "DVC is not installed; install it with ./scripts/setup.sh dvc or pip install .[dvc]"


@dataclass(frozen=True)
class Answer:
    """What a run gave: ``code`` is its exit code, negative for the signal that ended it."""

    code: int
    said: str
    complained: str

    @property
    def good(self) -> bool:
        """It did what it was asked for."""
        return self.code == 0

    @property
    def why(self) -> str:
        """The last thing it complained of, in its own words, on one line."""
        lines = [line.strip() for line in self.complained.splitlines() if line.strip()]
        errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR")]
        return (errors or lines or [f"it ended with code {self.code}"])[-1][:500]


def find() -> str | None:
    """The path of the program, None when there is none."""
    beside = Path(sys.executable).with_name("dvc")
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("dvc")


def absent() -> str:
    """What is said where it is needed and not there."""
    return _MISSING


def run(root: Path, arguments: Sequence[str], seconds: float, stop: threading.Event | None = None) -> Answer:
    """Run it at a root, without a shell and without a terminal; it is killed with its children after ``seconds``,
    or when ``stop`` is set.

    Raises:
        OSError: when there is no such program, or it cannot be started.
    """
    program = find()
    if program is None:
        raise FileNotFoundError(_MISSING)
    # Its own process group: what it starts (transfers, daemons) ends with it.
    with subprocess.Popen(  # noqa: S603 - a list of our own words, no shell
        [program, *arguments],
        cwd=root,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        start_new_session=True,
    ) as process:
        try:
            said, complained = _waited_for(process, seconds, stop)
        except subprocess.TimeoutExpired:
            _end(process)
            process.communicate()
            return Answer(-signal.SIGKILL, "", f"it was ended after {seconds:.0f} s")
        except BaseException:
            _end(process)
            raise
    return Answer(process.returncode, said, complained)


def _waited_for(process: subprocess.Popen[str], seconds: float, stop: threading.Event | None) -> tuple[str, str]:
    deadline = time.monotonic() + seconds
    while True:
        left = deadline - time.monotonic()
        try:
            return process.communicate(timeout=max(0.0, left if stop is None else min(left, _LOOK_SECONDS)))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline or (stop is not None and stop.is_set()):
                raise


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """Ours without what points Git elsewhere; nothing is reported home, and no news of newer versions is fetched."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "DVC_NO_ANALYTICS": "1", "CI": "true", "GIT_TERMINAL_PROMPT": "0", "PYTHONDONTWRITEBYTECODE": "1"}
