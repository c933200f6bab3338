"""A Zarr store is one object, although it is a folder of up to millions of chunks.

Its checksum is the SHA-256 of what ``find . -type f | LC_ALL=C sort | xargs sha256sum`` prints in it: anyone can
compute it again. Its size is that of all its files, its times the latest of them.
Source: Zarr v2 specification (``.zarray``, ``.zgroup``); Zarr v3 core specification (``zarr.json``).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from ingest.rows import Stamp, signed

_MARKS = ("zarr.json", ".zgroup", ".zarray")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAX_HEADER = 1 << 20
_MAX_AXES = 64


@dataclass(frozen=True)
class Content:
    """What reading a store gave: its checksum (hex) and the technical keys of its root array or group."""

    sha256: str
    technical: dict[str, Any]


def is_store(name: bytes, folder: int) -> bool:
    """Whether an open folder called ``name`` is a Zarr store: by its ending and by a header of either version."""
    return name.endswith(b".zarr") and any(_exists(folder, mark) for mark in _MARKS)


def _exists(folder: int, name: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


def stamp_of(folder: int) -> Stamp:
    """The stamp of a whole store: the folder's device and inode, the sum of sizes, the latest times.

    Raises:
        OSError: when a folder in it cannot be listed.
    """
    own = os.fstat(folder)
    size, mtime, ctime = 0, own.st_mtime_ns, own.st_ctime_ns
    for _, info in _walk(folder, ""):
        size += info.st_size if stat.S_ISREG(info.st_mode) else 0
        mtime, ctime = max(mtime, info.st_mtime_ns), max(ctime, info.st_ctime_ns)
    return Stamp(signed(own.st_dev), signed(own.st_ino), size, signed(mtime), signed(ctime))


def read(folder: int, read_bytes: Callable[[int, int], Iterator[memoryview]]) -> Content:
    """Every file of a store, once, in the order of their paths.

    Args:
        read_bytes: gives the bytes of an open file of a size in pieces (and keeps the read-rate limit).

    Raises:
        OSError: when a file in it cannot be read.
    """
    listing = hashlib.sha256()
    paths = [os.fsencode(path) for path in files_in(folder)]
    for path in paths:
        digest = hashlib.sha256()
        fd = open_below(folder, os.fsdecode(path))
        try:
            for piece in read_bytes(fd, os.fstat(fd).st_size):
                digest.update(piece)
        finally:
            os.close(fd)
        listing.update(f"{digest.hexdigest()}  ./".encode() + path + b"\n")
    return Content(listing.hexdigest(), _described(folder, len(paths)))


def files_in(folder: int) -> list[str]:
    """The paths of every file of an open store, in the order of their bytes.

    Raises:
        OSError: when a folder in it cannot be listed.
    """
    return sorted((path for path, info in _walk(folder, "") if stat.S_ISREG(info.st_mode)), key=os.fsencode)


def _walk(folder: int, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    """``(path, lstat)`` of everything in a store, folders included; links are given, not followed.

    Raises:
        OSError: when a folder in it cannot be listed, or vanishes meanwhile.
    """
    waiting = [prefix]
    while waiting:
        here = waiting.pop()
        inner = _descend(folder, here.split("/")[:-1])
        try:
            with os.scandir(inner) as entries:
                for entry in entries:
                    info = entry.stat(follow_symlinks=False)
                    yield here + entry.name, info
                    if stat.S_ISDIR(info.st_mode):
                        waiting.append(f"{here}{entry.name}/")
        finally:
            os.close(inner)


def _descend(folder: int, steps: Iterable[str]) -> int:
    """A descriptor of the folder ``steps`` below, no link followed on the way."""
    current = os.dup(folder)
    try:
        for step in steps:
            following = os.open(step, _FOLDER, dir_fd=current)
            os.close(current)
            current = following
    except OSError:
        os.close(current)
        raise
    return current


def open_below(folder: int, path: str) -> int:
    """A descriptor of a file in an open store, for reading, no link followed on the way.

    Raises:
        OSError: when it cannot be opened.
    """
    *steps, name = path.split("/")
    current = _descend(folder, steps)
    try:
        return os.open(name, _FILE, dir_fd=current)
    finally:
        os.close(current)


def _described(folder: int, files: int) -> dict[str, Any]:
    header, version, warnings = _header(folder)
    facts: dict[str, Any] = {"mime_type": "application/vnd.zarr", "format": {"name": "Zarr", "version": version}}
    shape = header.get("shape")
    if isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape):
        names = header.get("dimension_names")
        named = names if isinstance(names, list) and len(names) == len(shape) else [None] * len(shape)
        facts["dimensions"] = [
            {"axis": str(name)[:100] if name else f"axis {i}", "size": size}
            for i, (name, size) in enumerate(zip(named, shape[:_MAX_AXES], strict=False))
        ]
    facts["number_of_records"] = files
    facts["extraction"] = {"extractor": "zarr", "version": "1.0.0", "warnings": warnings}
    return facts


def _header(folder: int) -> tuple[dict[str, Any], str, list[str]]:
    for name in _MARKS:
        if not _exists(folder, name):
            continue
        version = "3" if name == "zarr.json" else "2"
        try:
            fd = os.open(name, _FILE, dir_fd=folder)
            with open(fd, "rb") as handle:
                value = orjson.loads(handle.read(_MAX_HEADER))
            if isinstance(value, dict):
                return value, version, []
        except (OSError, orjson.JSONDecodeError):
            value = None
        return {}, version, [f"{name} is no readable JSON object: the shape is not recorded"]
    return {}, "2", ["the store's header is gone: the shape is not recorded"]
