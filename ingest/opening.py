"""Opening a described data file: step by step without following a link, and only while it still is that file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ingest.errors import OtherFileError
from ingest.layout import never_data
from ingest.rows import Stamp
from ingest.walk import opened_below

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def described_file(
    root: Path, dataset: str, path: str, size: int, modified: datetime | None, seen: Stamp | None = None
) -> Iterator[int]:
    """A descriptor of a data file that a manifest names.

    Args:
        dataset: the dataset's folder, an ``os`` path below ``root``.
        path: of the file, an ``os`` path below that.
        size: the size in bytes that was recorded; ``modified`` the time, if there is one.
        seen: how the file was when it was read, where that is known: also a change that keeps size and time shows.

    Raises:
        OtherFileError: when a step is a link, when it is no regular file, or not as it was recorded.
    """
    try:
        fd = _opened(root, os.fsencode(dataset), os.fsencode(path))
    except (OSError, ValueError) as error:
        raise OtherFileError(_why(error)) from error
    try:
        _must_be(os.fstat(fd), size, modified, seen)
        yield fd
        _must_be(os.fstat(fd), size, modified, seen)
    finally:
        os.close(fd)


def _opened(root: Path, dataset: bytes, path: bytes) -> int:
    folders = dataset.split(b"/")
    *between, name = path.split(b"/")
    for part in (*folders, *between, name):
        if not part or part == b".." or b"\0" in part or never_data(os.fsdecode(part)):
            raise ValueError("its recorded path is not that of a data file")
    top = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with opened_below(top, [*folders, *between]) as folder:
            return os.open(name, _FILE, dir_fd=folder)
    finally:
        os.close(top)


def _must_be(info: os.stat_result, size: int, modified: datetime | None, seen: Stamp | None) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise OtherFileError("it is not a regular file")
    same_time = modified is None or _second(info.st_mtime) == int(modified.timestamp())
    # The device may have got another number (a remount), which changes no file.
    as_seen = seen is None or Stamp.of(info)[1:] == seen[1:]
    if info.st_size != size or not same_time or not as_seen:
        raise OtherFileError("the file has changed since it was described; it is described again by itself")


def _second(moment: float) -> int | None:
    """The second that a manifest gives for a time; None where no calendar can write it."""
    try:
        return int(datetime.fromtimestamp(moment, UTC).timestamp())
    except (OSError, OverflowError, ValueError):
        return None


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is not at its place"
    if isinstance(error, PermissionError):
        return "the service may not read the file"
    if isinstance(error, OSError):
        return "a link stands where the file or one of its folders was; links are never followed"
    return str(error)
