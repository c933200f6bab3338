"""What is about to be written and by whom: one small durable file, so that a crash in between leaves its author.

An action that git cannot record at all is left for later in a file of its own, with the texts it wrote.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ingest.provenance.actions import Action

_log = logging.getLogger("fairfolder.provenance")

_MOST_BYTES = 256_000_000  # of all texts that wait


@dataclass(frozen=True)
class Intent:
    """An action that began, and the paths (``os`` strings relative to the root) it is about to change.

    ``action`` is None for what merely stood there before another one. ``moved`` are folders whose metadata belongs to
    it, old and new ("": it is gone). ``kept`` are the paths whose texts are kept with it.
    """

    action: Action | None
    paths: tuple[str, ...]
    moved: tuple[tuple[str, str], ...] = ()
    kept: frozenset[str] = frozenset()


def _read(file: Path) -> list[Intent]:
    """What the first line of a file holds; a text that a crash cut short counts for nothing."""
    try:
        with file.open("rb") as handle:
            text = handle.readline()
    except FileNotFoundError:
        return []
    try:
        return [_intent(each) for each in json.loads(text or b"[]")]
    except (ValueError, KeyError, TypeError):
        return []


def _intent(value: dict[str, Any]) -> Intent:
    moved = tuple((old, new) for old, new in value.get("moved", ()))
    action = None if value["action"] is None else Action(**value["action"])
    return Intent(action, tuple(value["paths"]), moved, frozenset(value.get("kept", ())))


def _line(intents: Sequence[Intent]) -> bytes:
    values = [
        {
            "action": None if each.action is None else asdict(each.action), "paths": each.paths, "moved": each.moved,
            **({"kept": sorted(each.kept)} if each.kept else {}),
        }
        for each in intents
    ]  # fmt: skip
    return json.dumps(values).encode("ascii")  # json, not orjson: a name of invalid UTF-8 is a lone surrogate


class Intents:
    """The actions of one root that began and are not yet recorded; used under our lock only, but for :meth:`leave`."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> list[Intent]:
        """Those that are there, oldest first; a text that a crash cut short counts for nothing."""
        return _read(self._file)

    # --- actions that could not be recorded at all ------------------------------------------------------------

    def leave(self, intent: Intent, texts: Mapping[str, bytes]) -> bool:
        """Keep an action for later, durably, in a file of its own: our lock may not be had now.

        Args:
            texts: what it wrote, by path.

        Returns whether the texts are kept too; there is room for so many of them only.

        Raises:
            OSError: when the state folder does not take it.
        """
        self._file.parent.mkdir(parents=True, exist_ok=True)
        others = self._left()
        number = max(time.time_ns(), int(others[-1].name.split("-")[1]) + 1 if others else 0)
        file = self._file.with_name(f"left-{number:020}-{os.getpid()}-{threading.get_ident()}.json")
        # A text need not be UTF-8: what is not comes back as it was.
        kept = json.dumps({path: text.decode("utf-8", "surrogateescape") for path, text in texts.items()})
        fits = len(kept) + sum(map(_size, others)) <= _MOST_BYTES
        text = _line([replace(intent, kept=frozenset(texts))]) + b"\n" + kept.encode("ascii")
        _make_durable(file, text if fits else _line([intent]))
        return fits

    def texts(self, file: Path | None) -> dict[str, bytes]:
        """The texts that are kept with the action in a file of its own; none where a disk spoilt them.

        Raises:
            OSError: when they cannot be read now.
        """
        if file is None:
            return {}
        with file.open("rb") as handle:
            handle.readline()
            text = handle.read() or b"{}"
        try:
            kept: dict[str, str] = json.loads(text)
        except ValueError:
            _log.error("the texts in %s are spoilt: what is on disk counts in their place", file)
            return {}
        return {path: text.encode("utf-8", "surrogateescape") for path, text in kept.items()}

    def _left(self) -> list[Path]:
        return sorted(self._file.parent.glob("left-[0-9]*.json"))

    def is_any_left(self) -> bool:
        """Whether an action waits for git to work again."""
        return bool(self._left())

    def all(self) -> list[tuple[Path | None, Intent]]:
        """Every action that is not recorded, oldest first; with the file it is in if it is in one of its own.

        What stands at a path is of the last who wrote it: only that one names it. Of those before, their texts count.
        """
        own = [(file, intent) for file in self._left() for intent in _read(file)]
        found: list[tuple[Path | None, Intent]] = []
        later: set[str] = set()
        for file, intent in reversed([*((None, intent) for intent in self.read()), *own]):
            found.append((file, replace(intent, paths=tuple(p for p in intent.paths if p not in later))))
            later |= {*intent.paths, *intent.kept}
        return found[::-1]

    def done(self, file: Path | None) -> None:
        """The action in a file of its own is recorded; durably, or its texts would come back over newer ones."""
        if file is not None:
            file.unlink(missing_ok=True)
            _make_names_durable(file.parent)

    # --- those that began -------------------------------------------------------------------------------------

    def write(self, intents: Sequence[Intent]) -> None:
        """Make these the ones that are there, durably. Without any it need not be durable: they change nothing."""
        if not intents and not self._file.exists():
            return
        text = _line(intents)
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
            _make_names_durable(self._file.parent)


def _make_durable(file: Path, text: bytes) -> None:
    """A new file, which is there whole or not at all."""
    draft = file.with_name(f".{file.name}.tmp")
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(fd)
        os.replace(draft, file)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
    _make_names_durable(file.parent)


def _make_names_durable(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # recorded a moment ago
        return 0
