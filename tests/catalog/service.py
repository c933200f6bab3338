"""Fairfolder as a person runs it: its commands as processes, with a watched folder and a state folder of their own."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, str(CHECKOUT / "manage.py")]


@dataclass
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> dict[str, Any]:
        """The one JSON object of standard output; anything else there fails."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


@dataclass
class Service:
    """A watched folder, a state folder, and the commands that work on them."""

    base: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.base / "data"

    @property
    def state(self) -> Path:
        return self.base / "state"

    def environment(self, **more: str) -> dict[str, str]:
        own = {k: v for k, v in os.environ.items() if not k.startswith(("FAIRFOLDER_", "MONITOR_", "DJANGO_"))}
        own |= {
            "MONITOR_PATH": str(self.root),
            "FAIRFOLDER_STATE_DIR": str(self.state),
            "FAIRFOLDER_SETTLE_SECONDS": "0.3",
        }
        return own | self.settings | more

    def run(self, *arguments: str, prefix: Sequence[str] = (), **settings: str) -> Answer:
        """A command that ends by itself. ``prefix``: a program that runs it."""
        done = subprocess.run(
            [*prefix, *MANAGE, *arguments],
            env=self.environment(**settings),
            cwd=self.base,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def serving(self, *arguments: str, prefix: Sequence[str] = (), **settings: str) -> Iterator[Serving]:
        """`serve --json` while the block runs; stopped by SIGTERM at its end. ``prefix``: a program that runs it."""
        port = free_port()
        with (self.base / "serve.err").open("a+") as said:
            process = subprocess.Popen(
                [*prefix, *MANAGE, "serve", "--json", "--port", str(port), "--workers", "1", *arguments],
                env=self.environment(**settings),
                cwd=self.base,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
            try:
                yield Serving(process, first_object(process, self.base / "serve.err"), self.base / "serve.err")
            finally:
                if process.poll() is None:
                    process.terminate()
                process.communicate(timeout=120)


@dataclass
class Serving:
    """A running service and what it said of itself."""

    process: subprocess.Popen[str]
    value: dict[str, Any]
    errors: Path

    @property
    def url(self) -> str:
        return str(self.value["url"])

    def get(self, path: str = "") -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=120) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def children(self) -> dict[str, int]:
        """The direct children by what they run, such as ``watch``, ``index_graph`` and ``granian``."""
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        found = {}
        for pid in pids:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            known = ("watch", "index_graph", "catalog.graph.broker", "answer_sparql")
            found[next((name for name in known if name in words), "granian")] = int(pid)
        return found


def is_running(pid: int) -> bool:
    """Whether a process still works: one that has ended may be listed until somebody asks how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def free_port() -> int:
    """A port nobody listens on: below those the kernel gives to whoever connects, and each worker has its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 12_000 + 400 * (worker % 50)
    for port in random.SystemRandom().sample(range(first, first + 400), 400):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError(f"no port from {first} to {first + 399} is free")


def first_object(process: subprocess.Popen[str], errors: Path) -> dict[str, Any]:
    """The JSON object `serve --json` writes when it is ready."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line.startswith("}"):
            value = json.loads(text)
            assert isinstance(value, dict)
            return value
    raise AssertionError(f"serve ended with {process.wait()}: {text} {errors.read_text()}")


def eventually(what: Any, seconds: float = 180.0) -> Any:
    """The first true answer of `what`, asked again until then. The bound is there to end a test that failed.

    Raises:
        AssertionError: when there is none in time.
    """
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > deadline:
            raise AssertionError(f"never came true in {seconds} s: {what}")
        time.sleep(0.05)
    return answer
