"""What the recorder says to whoever asks for the status in another process, and what it remembers; all may be lost."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import orjson

FileStamp = tuple[int, ...]


class Notes:
    """A few lines of text by name, in one small file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, str]:
        """All of them."""
        try:
            value = orjson.loads(self._file.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return {}
        return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}

    def write(self, **notes: str) -> None:
        """Set some of them, "" to take one away; the rest stay."""
        old = self.read()
        new = {name: text for name, text in {**old, **notes}.items() if text}
        if new != old:
            _put(self._file, orjson.dumps(new))


def remembered(file: Path) -> dict[str, tuple[FileStamp, str]]:
    """Path → stamp and the blob its bytes were under it, as last given to :func:`remember`."""
    try:
        return {p: (tuple(stamp), blob) for p, (stamp, blob) in json.loads(file.read_text("ascii")).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def remember(file: Path, blobs: Mapping[str, tuple[FileStamp, str]]) -> None:
    """Keep them for the next time."""
    _put(file, json.dumps(blobs).encode("ascii"))  # json, not orjson: a name of invalid UTF-8 is a lone surrogate


def _put(file: Path, text: bytes) -> None:
    """Replace a file of ours; a full disk loses the new text, and nothing else."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(text)
        os.replace(temporary, file)
    except OSError:
        temporary.unlink(missing_ok=True)
