"""Reading a file once: checksum, dirmeta's facts and what its content tells, all of the same bytes."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from dirmeta.scanner import get_file_metadata

from ingest import formats, zarr
from ingest.rows import Condition, Stamp

SMALL = formats.HEAD_BYTES
_CHUNK = 1 << 20
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FROM_DIRMETA = ("extension", "size_bytes", "permissions", "modified_utc", "metadata_changed_utc", "created_utc")


class Facts(NamedTuple):
    """What one read of a file gave: the stamp it was read under, its SHA-256 (hex) and its technical keys.

    ``md5`` (hex) is DVC's name for the same bytes, where it was asked for; "" of a Zarr store, which is many files.
    """

    stamp: Stamp
    sha256: str
    technical: dict[str, Any]
    md5: str = ""


class _Sums:
    """The checksums of one read: SHA-256, and MD5 only where data is tracked by it."""

    def __init__(self, first: bytes, md5: bool) -> None:
        self._sha256 = hashlib.sha256(first)
        self._md5 = hashlib.md5(first, usedforsecurity=False) if md5 else None

    def update(self, chunk: memoryview) -> None:
        self._sha256.update(chunk)
        if self._md5 is not None:
            self._md5.update(chunk)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def md5(self) -> str:
        return "" if self._md5 is None else self._md5.hexdigest()


@dataclass(frozen=True)
class NotRead:
    """Why a file could not be described now; ``again``: whether somebody must look at it again by the clock."""

    condition: Condition
    reason: str
    again: bool = True


class StoppedError(Exception):
    """The reader was asked to stop in the middle of a file."""


class Throttle:
    """A bound on bytes read per second, shared by all readers; without a rate it never waits."""

    def __init__(self, rate: int | None) -> None:
        self.rate = rate
        self._free_at = 0.0
        self._lock = threading.Lock()

    def spend(self, size: int, stop: threading.Event | None = None) -> None:
        """Wait until ``size`` more bytes fit the rate."""
        if self.rate is None:
            return
        with self._lock:
            start = max(time.monotonic(), self._free_at)
            self._free_at = start + size / self.rate
        wait = start - time.monotonic()
        if wait > 0:
            if stop is None:
                time.sleep(wait)
            elif stop.wait(wait):
                raise StoppedError


class _Observed:
    """What dirmeta asks of a path, answered from the stat already taken: a second look could see another file."""

    def __init__(self, path: str, info: os.stat_result) -> None:
        self._path = path
        self._info = info

    def lstat(self) -> os.stat_result:
        return self._info

    def relative_to(self, _root: object) -> _Observed:
        return self

    def as_posix(self) -> str:
        return self._path

    @property
    def suffix(self) -> str:
        name = self._path.rpartition("/")[2]
        dot = name.rfind(".")
        return name[dot:] if 0 < dot < len(name) - 1 else ""


_NOWHERE = Path()
_MAPPED_SIZE = 4 << 20
_MAPPED_NS = 60 * 10**9
_FIRST, _LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"


def dirmeta_facts(path: str, info: os.stat_result) -> dict[str, Any]:
    """dirmeta's facts of a regular file (its per-file function), without keys that hold nothing.

    A time that no calendar can write (a file system can hold the year 30,000) is given as the nearest one that it can.
    """
    observed = cast(Path, _Observed(path, info))
    facts = get_file_metadata(observed, _NOWHERE) or {}
    if facts.get("modified_utc") is None or facts.get("metadata_changed_utc") is None:
        nearest = {"modified_utc": info.st_mtime, "metadata_changed_utc": info.st_ctime}
        facts |= {k: _FIRST if t < 0 else _LAST for k, t in nearest.items() if facts.get(k) is None}
    return {key: facts[key] for key in _FROM_DIRMETA if facts.get(key) is not None}


def read_file(
    folder: int,
    name: bytes,
    expected: Stamp,
    throttle: Throttle,
    stop: threading.Event | None = None,
    *,
    md5: bool = False,
) -> Facts | NotRead:
    """Read ``name`` in an open folder if it still is what ``lstat`` said; a file that changes meanwhile is pending.

    Args:
        md5: whether the MD5 is wanted too, of the same bytes.

    Raises:
        StoppedError: when ``stop`` is set during a long read; nothing is recorded then.
    """
    try:
        fd = os.open(name, _FILE, dir_fd=folder)
    except OSError as error:
        return _not_opened(error)
    try:
        return _read_open(fd, name, expected, throttle, stop, md5)
    except OSError as error:
        return NotRead(Condition.UNREADABLE, f"reading failed: {error.strerror}")
    finally:
        os.close(fd)


def _not_opened(error: OSError) -> NotRead:
    if error.errno == errno.ELOOP:
        return NotRead(Condition.PENDING, "it has just become a symbolic link")
    if isinstance(error, FileNotFoundError):
        return NotRead(Condition.PENDING, "it vanished while it was being looked at")
    if isinstance(error, PermissionError):
        return NotRead(
            Condition.UNREADABLE, "permission denied; grant it with: chmod u+r, or a group the service is in"
        )
    return NotRead(Condition.UNREADABLE, f"it cannot be opened: {error.strerror}")


def _read_open(
    fd: int, name: bytes, expected: Stamp, throttle: Throttle, stop: threading.Event | None, md5: bool
) -> Facts | NotRead:
    settle_mapped_writes(fd, expected)
    before = os.fstat(fd)
    if stat.S_ISDIR(before.st_mode):
        return _read_store(fd, name, before, expected, throttle, stop)
    if not stat.S_ISREG(before.st_mode) or Stamp.of(before) != expected:
        return NotRead(Condition.PENDING, "it is still changing")
    text_name = os.fsdecode(name)
    size = before.st_size
    throttle.spend(size if size <= SMALL else 0, stop)
    head = _read_fully(fd, min(size, SMALL))
    extraction = formats.begin(text_name, size, head)
    if size <= SMALL:
        if extraction.wants_chunks:
            extraction.feed(head)
        sums = _Sums(head, md5)
    else:
        sums = _hash_rest(fd, size, head, extraction, throttle, stop, md5)
    content = extraction.finish(fd)
    if Stamp.of(os.fstat(fd)) != expected:
        return NotRead(Condition.PENDING, "it changed while it was being read")
    checksum = {"algorithm": "sha256", "value": sums.sha256}
    technical = {**dirmeta_facts(text_name, before), "checksum": checksum, **content}
    return Facts(expected, sums.sha256, technical, sums.md5)


def settle_mapped_writes(fd: int, expected: Stamp) -> None:
    """Writes through a memory map move the times only when the kernel writes the pages back: have that done first.

    Only for files of a size that is mapped, and changed in the last minute: a flush costs as much as a small file.
    """
    if expected.size > _MAPPED_SIZE and time.time_ns() - expected.ctime_ns < _MAPPED_NS:
        with suppress(OSError):
            os.fsync(fd)


def _read_store(
    fd: int, name: bytes, info: os.stat_result, expected: Stamp, throttle: Throttle, stop: threading.Event | None
) -> Facts | NotRead:
    """A Zarr store: a folder that is one object."""
    if not zarr.is_store(name, fd) or zarr.stamp_of(fd) != expected:
        return NotRead(Condition.PENDING, "it is still changing")
    content = zarr.read(fd, lambda inner, size: _chunks(inner, size, throttle, stop))
    if zarr.stamp_of(fd) != expected:
        return NotRead(Condition.PENDING, "it changed while it was being read")
    own = {**dirmeta_facts(os.fsdecode(name), info), "extension": "zarr", "size_bytes": expected.size}
    checksum = {"algorithm": "sha256", "value": content.sha256}
    return Facts(expected, content.sha256, {**own, "checksum": checksum, **content.technical})


def _read_fully(fd: int, size: int) -> bytes:
    data = os.read(fd, size)
    while len(data) < size:
        more = os.read(fd, size - len(data))
        if not more:
            break
        data += more
    return data


def _hash_rest(
    fd: int,
    size: int,
    head: bytes,
    extraction: formats.Extraction,
    throttle: Throttle,
    stop: threading.Event | None,
    md5: bool,
) -> _Sums:
    sums = _Sums(head, md5)
    feed = extraction.feed if extraction.wants_chunks else None
    if feed is not None:
        feed(head)
    for chunk in _chunks(fd, size - len(head), throttle, stop):
        sums.update(chunk)
        if feed is not None:
            feed(chunk)
    return sums


def _chunks(fd: int, remaining: int, throttle: Throttle, stop: threading.Event | None) -> Iterator[memoryview]:
    # One buffer for the whole file; at most the size seen at the start is read, so a growing file ends too.
    view = memoryview(bytearray(min(_CHUNK, remaining)))
    while remaining > 0:
        if stop is not None and stop.is_set():
            raise StoppedError
        throttle.spend(min(len(view), remaining), stop)
        count = os.readv(fd, [view[: min(len(view), remaining)]])
        if count == 0:
            return
        remaining -= count
        yield view[:count]
