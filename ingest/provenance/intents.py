"""What is about to be written and by whom: one small durable file, so that a crash in between leaves its author."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ingest.provenance.actions import Action


@dataclass(frozen=True)
class Intent:
    """An action that began, and the paths (``os`` strings relative to the root) it is about to change.

    ``moved`` are folders whose metadata belongs to it, old and new ("": it is gone).
    """

    action: Action
    paths: tuple[str, ...]
    moved: tuple[tuple[str, str], ...] = ()


def _read(file: Path) -> list[Intent]:
    """What a file holds; a text that a crash cut short counts for nothing."""
    try:
        text = file.read_text("ascii")
    except FileNotFoundError:
        return []
    try:
        return [_intent(each) for each in json.loads(text or "[]")]
    except (ValueError, KeyError, TypeError):
        return []


def _intent(value: dict[str, Any]) -> Intent:
    moved = tuple((old, new) for old, new in value.get("moved", ()))
    return Intent(Action(**value["action"]), tuple(value["paths"]), moved)


class Intents:
    """The actions of one root that began and are not yet recorded; used under our lock only."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> list[Intent]:
        """Those that are there, oldest first; a text that a crash cut short counts for nothing."""
        return _read(self._file)

    # --- actions that could not be recorded at all ------------------------------------------------------------

    def leave(self, intent: Intent) -> None:
        """Keep an action for later, durably, in a file of its own: our lock may not be had now.

        Raises:
            OSError: when the state folder does not take it.
        """
        name = f"left-{time.time_ns():020}-{os.getpid()}-{threading.get_ident()}.json"
        Intents(self._file.with_name(name)).write([intent])

    def all(self) -> list[tuple[Path | None, Intent]]:
        """Every action that is not recorded, oldest first; with the file it is in if it is in one of its own.

        What stands at a path is of the last who wrote it: only that one names it.
        """
        own = [(file, intent) for file in sorted(self._file.parent.glob("left-*.json")) for intent in _read(file)]
        found: list[tuple[Path | None, Intent]] = []
        later: set[str] = set()
        for file, intent in reversed([*((None, intent) for intent in self.read()), *own]):
            found.append((file, replace(intent, paths=tuple(p for p in intent.paths if p not in later))))
            later |= set(intent.paths)
        return found[::-1]

    def done(self, file: Path | None) -> None:
        """The action in a file of its own is recorded."""
        if file is not None:
            file.unlink(missing_ok=True)

    def recorded(self, file: Path) -> None:
        """The action in this file of its own is in the history."""
        file.unlink(missing_ok=True)

    # --- those that began -------------------------------------------------------------------------------------

    def write(self, intents: Sequence[Intent]) -> None:
        """Make these the ones that are there, durably. Without any it need not be durable: they change nothing."""
        if not intents and not self._file.exists():
            return
        # json, not orjson: a name of invalid UTF-8 is a lone surrogate.
        values = [{"action": asdict(i.action), "paths": i.paths, "moved": i.moved} for i in intents]
        text = json.dumps(values).encode("ascii")
        new = not self._file.exists()
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(fd, 0)
            os.pwrite(fd, text, 0)
            if intents:
                os.fsync(fd)
        finally:
            os.close(fd)
        if new:
            folder = os.open(self._file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
