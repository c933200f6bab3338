"""A small watched root, the described files in it, and the real programs run from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.provenance.data.keeping import Tracked
from ingest.provenance.data.settings import DataSettings, Mode
from ingest.provenance.data.tracking import Tracker
from ingest.reading import Facts, Throttle, read_file
from ingest.rows import Stamp
from ingest.zarr import is_store, stamp_of

DVC = Path(sys.executable).with_name("dvc")
DATASET = "p_A/set"


def described(root: Path, path: str, *, md5: bool = True) -> Tracked:
    """A file as the scan describes it."""
    folder, _, name = os.fsencode(root / path).rpartition(b"/")
    fd = os.open(folder, os.O_RDONLY)
    try:
        info = os.stat(name, dir_fd=fd, follow_symlinks=False)
        stamp = Stamp.of(info)
        if not os.path.isfile(root / path):
            inner = os.open(name, os.O_RDONLY, dir_fd=fd)
            assert is_store(name, inner)
            stamp = stamp_of(inner)
            os.close(inner)
        facts = read_file(fd, name, stamp, Throttle(None), md5=md5)
        assert isinstance(facts, Facts), facts
    finally:
        os.close(fd)
    return Tracked(path, stamp, facts.sha256, facts.md5)


@dataclass
class Lab:
    """A root under Git with one dataset in it, and its tracker."""

    root: Path
    mode: Mode = Mode.FILE
    tracker: Tracker = field(init=False)

    def __post_init__(self) -> None:
        self.tracker = Tracker(self.root, DataSettings(self.mode))

    def fill(self, files: dict[str, bytes], dataset: str = DATASET) -> None:
        for name, data in files.items():
            path = self.root / dataset / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def paths(self, dataset: str = DATASET) -> list[str]:
        """Every file the scan would describe, Zarr stores as one."""
        found = []
        for folder, folders, names in os.walk(self.root / dataset):
            stores = [name for name in folders if name.endswith(".zarr")]
            folders[:] = [name for name in folders if name not in stores and not name.startswith(".")]
            data = (n for n in names if not n.startswith(".") and not n.endswith(".dvc") and n != "dvc.yaml")
            found += [os.path.relpath(os.path.join(folder, name), self.root) for name in (*stores, *data)]
        return sorted(found)

    def described(self, dataset: str = DATASET, *, md5: bool = True) -> list[Tracked]:
        return [described(self.root, path, md5=md5) for path in self.paths(dataset)]

    def catch_up(self, dataset: str = DATASET) -> list[Path]:
        """What a pass does: compare, keep, write."""
        behind = self.tracker.compare(dataset, self.described(dataset))
        changed = self.tracker.write(dataset, self.tracker.keep(behind.missing), behind.gone)
        self.tracker.written.clear()
        return changed

    def dvc(self, *arguments: str, cwd: Path | None = None) -> str:
        return run(DVC, *arguments, cwd=cwd or self.root)

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        return run("git", *arguments, cwd=cwd or self.root)

    def commit(self) -> None:
        """What a person would do by hand; the product does it without their index."""
        self.git("add", "-A")
        self.git("-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-q", "-m", "versions")

    def up_to_date(self) -> bool:
        return self.dvc("status").strip() == "Data and pipelines are up to date."

    def contents(self, root: Path | None = None) -> dict[str, bytes]:
        """Every byte of research data."""
        base = root or self.root
        found = {}
        for folder, folders, names in os.walk(base):
            folders[:] = [name for name in folders if name not in (".git", ".dvc", ".metadata")]
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), base)
                if not path.endswith(".dvc") and name not in (".gitignore", ".dvcignore"):
                    found[path] = Path(base, path).read_bytes()
        return found


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (command, done.returncode, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(autouse=True)
def own_configuration(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's DVC and Git settings, and nothing reported to anybody."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(home / "global"))
    monkeypatch.setenv("DVC_SYSTEM_CONFIG_DIR", str(home / "system"))
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(home / "site"))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("CI", os.environ.get("CI", "") or "0")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "watched"
    root.mkdir()
    run("git", "init", "-q", "-b", "main", cwd=root)
    return root


@pytest.fixture(params=[Mode.FILE, Mode.FOLDER], ids=["file by file", "whole folder"])
def lab(request: pytest.FixtureRequest, root: Path) -> Iterator[Lab]:
    return Lab(root, request.param)


@pytest.fixture
def by_file(root: Path) -> Lab:
    return Lab(root, Mode.FILE)
