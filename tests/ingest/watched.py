"""A watched folder on a real disk, worked on the way researchers do and reconciled without a watcher."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote_to_bytes

from ingest.check import check
from ingest.clock import Clock
from ingest.reconcile import reconcile
from ingest.report import Report
from ingest.settings import EngineSettings
from ingest.status import Explanation, Status, explain, status
from ingest.workspace import Workspace, open_workspace

Value = dict[str, Any]
NO_SETTLING = 0.0


@dataclass
class Watched:
    """``root`` is the watched folder, ``state`` the state folder; paths are relative to the root."""

    root: Path
    state: Path
    settle_seconds: float = NO_SETTLING

    # --- what researchers do ----------------------------------------------------------------------------------

    def put(self, path: str, content: bytes | str = b"content") -> Path:
        """Writes a data file (in place if it is there), its folders included."""
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(content.encode() if isinstance(content, str) else content)
        return full

    def folder(self, path: str) -> Path:
        full = self.root / path
        full.mkdir(parents=True, exist_ok=True)
        return full

    def move(self, old: str, new: str) -> None:
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        os.rename(self.root / old, self.root / new)

    def copy(self, old: str, new: str) -> None:
        """As ``cp -a``: times and rights come along, inodes do not."""
        shutil.copytree(self.root / old, self.root / new, symlinks=True)

    def remove(self, path: str) -> None:
        full = self.root / path
        shutil.rmtree(full) if full.is_dir() and not full.is_symlink() else full.unlink()

    def edit(self, path: str, change: Callable[[Value], Any]) -> Value:
        """A person's editor on a JSON document: read, change, save over it."""
        full = self.root / path
        value: Value = json.loads(full.read_bytes())
        change(value)
        full.write_text(json.dumps(value, indent=4, ensure_ascii=False) + "\n", encoding="utf-8")
        return value

    # --- the engine ---------------------------------------------------------------------------------------------

    def settings(self, **more: Any) -> EngineSettings:
        return EngineSettings(**{"state_dir": self.state, "settle_seconds": self.settle_seconds, **more})

    @contextmanager
    def workspace(self, *, read_only: bool = False, **more: Any) -> Iterator[Workspace]:
        with open_workspace(self.root, self.settings(**more), read_only=read_only) as ws:
            yield ws

    def reconcile(self, scope: str | None = None, *, accept_deletions: bool = False, **more: Any) -> Report:
        """One pass, in a workspace of its own: nothing is remembered but what is on disk."""
        with self.workspace(**more) as ws:
            part = None if scope is None else Path(scope)
            return reconcile(ws, scope=part, accept_deletions=accept_deletions, wait=False)

    def lose_state(self) -> None:
        shutil.rmtree(self.state, ignore_errors=True)

    def check(self) -> list[str]:
        with self.workspace(read_only=True) as ws:
            return [f"{f.path}: {f.rule}: {f.message}" for f in check(ws).findings]

    def status(self) -> Status:
        with self.workspace(read_only=True) as ws:
            return status(ws)

    def explain(self, path: str) -> Explanation:
        with self.workspace(read_only=True) as ws:
            return explain(ws, path)

    # --- what is on disk afterwards, read without the engine ------------------------------------------------------

    def json(self, path: str) -> Value:
        value: Value = json.loads((self.root / path).read_bytes())
        return value

    def project(self, path: str) -> Value:
        return self.json(f"{path}/.metadata/project_descriptive.json")

    def administrative(self, path: str) -> Value:
        return self.json(f"{path}/.metadata/dataset_administrative.json")

    def manifest(self, path: str) -> Value:
        return self.json(f"{path}/.metadata/dataset_structural.json")

    def entries(self, path: str) -> dict[str, Value]:
        """A dataset's manifest entries by the name on disk; fails when a name has two."""
        entries = self.manifest(path)["file_descriptions"]
        named = {os_path(entry): entry for entry in entries}
        assert len(named) == len(entries)
        return named

    def states(self, path: str) -> dict[str, str]:
        return {name: entry["state"] for name, entry in self.entries(path).items()}

    def identifiers(self, path: str) -> dict[str, str]:
        return {name: entry["file_identifier"] for name, entry in self.entries(path).items()}

    def registry(self) -> dict[str, Value]:
        folder = self.root / ".metadata" / "registry"
        return {p.stem: json.loads(p.read_bytes()) for p in folder.glob("*.json")}

    def registered(self, path: str) -> list[Value]:
        """The registry entries that name a path."""
        return [entry for entry in self.registry().values() if entry["path"] == path]

    def metadata(self) -> dict[str, bytes]:
        """Every metadata file's bytes, lock and clock files left out: to show that nothing was written."""
        found = {}
        for folder, _, names in os.walk(self.root):
            if ".metadata" in Path(folder).relative_to(self.root).parts:
                for name in names:
                    path = Path(folder, name)
                    if name not in (".lock", ".heartbeat", ".canary") and path.is_file() and not path.is_symlink():
                        found[str(path.relative_to(self.root))] = path.read_bytes()
        return found

    def problems(self) -> dict[str, str]:
        """Path → reason of everything the status page shows."""
        return {p.path: p.reason for p in self.status().problems}


@contextmanager
def standing_still(moment: int) -> Iterator[None]:
    """The file system's clock shows one moment (in nanoseconds) to the engine, however long the machine takes."""
    with patch.object(Clock, "_probe", lambda _: moment):
        yield


def os_path(entry: Value) -> str:
    """The name on disk of a manifest entry, decoded here and not by the engine."""
    if entry.get("path_encoding") == "percent":
        return os.fsdecode(unquote_to_bytes(entry["path"]))
    return str(entry["path"])
