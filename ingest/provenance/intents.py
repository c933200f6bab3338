"""What is about to be written and by whom: one small durable file, so that a crash in between leaves its author."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ingest.provenance.actions import Action


@dataclass(frozen=True)
class Intent:
    """An action that began, and the paths (``os`` strings relative to the root) it is about to change."""

    action: Action
    paths: tuple[str, ...]


class Intents:
    """The actions of one root that began and are not yet recorded; used under our lock only."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> list[Intent]:
        """Those that are there, oldest first; a text that a crash cut short counts for nothing."""
        try:
            text = self._file.read_text("ascii")
        except FileNotFoundError:
            return []
        try:
            return [Intent(Action(**each["action"]), tuple(each["paths"])) for each in json.loads(text or "[]")]
        except (ValueError, KeyError, TypeError):
            return []

    def write(self, intents: Sequence[Intent]) -> None:
        """Make these the ones that are there, durably. Without any it need not be durable: they change nothing."""
        if not intents and not self._file.exists():
            return
        # json, not orjson: a name of invalid UTF-8 is a lone surrogate.
        text = json.dumps([{"action": asdict(i.action), "paths": i.paths} for i in intents]).encode("ascii")
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
