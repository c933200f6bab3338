"""What the recorder says to whoever asks for the status in another process, and what it remembers; all may be lost."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import orjson

from ingest.errors import BusyError
from ingest.locking import LockUnsupportedError, lock_file

_log = logging.getLogger("fairfolder.provenance")

_WAIT_SECONDS = 10.0

FileStamp = tuple[int, ...]


class Notes:
    """A few lines of text by name, in one small file, which many processes and threads write."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, str]:
        """All of them; none where they cannot be read."""
        try:
            return self._read()
        except OSError:
            return {}

    def _read(self) -> dict[str, str]:
        try:
            value = orjson.loads(self._file.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return {}
        return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}

    def write(self, **notes: str) -> None:
        """Set some of them, "" to take one away; the rest stay.

        It fails nobody: what could not be kept, because the disk is full or the rest cannot be read, is logged.
        """
        try:
            with self._locked():
                old = self._read()
                new = {name: text for name, text in {**old, **notes}.items() if text}
                if new != old:
                    _replace(self._file, orjson.dumps(new))
        except (OSError, BusyError) as error:
            _log.error("%s", _not_kept(self._file, error))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The lock beside the file; where the file system has none, nobody else can be kept from writing."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            with suppress(LockUnsupportedError):
                stack.enter_context(lock_file(self._file.with_name(f"{self._file.name}.lock"), _WAIT_SECONDS))
            yield


def remembered(file: Path) -> dict[str, tuple[FileStamp, str]]:
    """Path → stamp and the blob its bytes were under it, as last given to :func:`remember`."""
    try:
        return {p: (tuple(stamp), blob) for p, (stamp, blob) in json.loads(file.read_text("ascii")).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def remember(file: Path, blobs: Mapping[str, tuple[FileStamp, str]]) -> None:
    """Keep them for the next time; without them everything is read then."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # json, not orjson: a name of invalid UTF-8 is a lone surrogate.
        _replace(file, json.dumps(blobs).encode("ascii"))
    except OSError as error:
        _log.warning("%s", _not_kept(file, error))


def _replace(file: Path, text: bytes) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        temporary.write_bytes(text)
        os.replace(temporary, file)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def _not_kept(file: Path, error: OSError | BusyError) -> str:
    why = error.strerror if isinstance(error, OSError) else str(error)
    return f"{file} could not be written, so what it says of the history is not the newest: {why}"
