"""A watcher in a process of its own, and an oracle that shares no code with it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass
class Service:
    """``root`` is watched; ``log`` is what the watcher printed."""

    root: Path
    state: Path
    log: Path
    settle: float = 1.0
    env: dict[str, str] = field(default_factory=dict)
    wrapper: tuple[str, ...] = ()
    canary: float | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [*self.wrapper, sys.executable, "-m", "tests.watching", str(self.root)]
        command += [] if self.canary is None else [str(self.canary)]
        env = {**os.environ, "FAIRFOLDER_STATE_DIR": str(self.state), "FAIRFOLDER_SETTLE_SECONDS": str(self.settle)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=CHECKOUT, env={**env, **self.env}, stdout=log, stderr=log)

    def watching(self) -> None:
        """Wait until it watches and its start scan is over."""
        wait_for(lambda: "Watching" in self.said(), "the watcher to start", log=self.log)

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(120)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(120)


def wait_for(ready: Callable[[], object], what: str, limit: float = 180.0, log: Path | None = None) -> None:
    """Until ``ready``; fails with what was waited for, and with the watcher's own words."""
    deadline = time.monotonic() + limit
    while not ready():
        words = log.read_text()[-3000:] if log is not None and log.exists() else ""
        assert time.monotonic() < deadline, f"waited {limit:.0f} s in vain for {what}\n{words}"
        time.sleep(0.1)


def entries(root: Path) -> dict[str, dict[str, object]]:
    """``project/dataset/path → entry`` of every manifest below a root."""
    found: dict[str, dict[str, object]] = {}
    for manifest in root.glob("p_*/*/.metadata/dataset_structural.json"):
        folder = manifest.parent.parent.relative_to(root)
        for entry in json.loads(manifest.read_bytes())["file_descriptions"]:
            name = f"{folder}/{entry['path']}"
            assert name not in found, f"{name} is described twice"
            found[name] = entry
    return found


def described(root: Path) -> dict[str, str]:
    """``path → SHA-256`` of every present entry."""
    return {
        name: entry["checksum"]["value"]  # type: ignore[index]
        for name, entry in entries(root).items()
        if entry["state"] == "present"
    }


def on_disk(root: Path) -> dict[str, str]:
    """``path → SHA-256`` of every data file, by the operating system's own tools."""
    listing = subprocess.run(
        ["find", ".", "-mindepth", "3", "-type", "f", "-not", "-path", "*/.metadata/*", "-print0"],
        cwd=root, capture_output=True, check=True,
    ).stdout  # fmt: skip
    sums: dict[str, str] = {}
    for name in filter(None, listing.split(b"\0")):
        path = os.fsdecode(name)[2:]
        sums[path] = hashlib.sha256((root / path).read_bytes()).hexdigest()
    return sums


def settled(root: Path) -> bool:
    """Whether the manifests say just what is on disk."""
    try:
        return described(root) == on_disk(root)
    except (FileNotFoundError, json.JSONDecodeError):
        return False


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    root = tmp_path / "data"
    root.mkdir()
    service = Service(root, tmp_path / "state", tmp_path / "log")
    yield service
    service.kill()
