"""Fixity: bytes read again and compared with the checksums that were recorded. What differs is told, never mended.

A recorded checksum is evidence: nothing here writes, neither the records nor the ``.dvc`` files nor the cache.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ingest import zarr
from ingest.errors import printable
from ingest.provenance.data import comparing
from ingest.provenance.data.cache import Cache, Look, checksums
from ingest.provenance.data.folders import fingerprint
from ingest.provenance.data.keeping import Tracked
from ingest.provenance.data.plans import read_all
from ingest.provenance.data.pointers import DIRECTORY
from ingest.provenance.data.whole import entries
from ingest.rows import Stamp
from ingest.scan import by_folder
from ingest.walk import opened_below, opened_in

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Trouble(StrEnum):
    """What can be wrong with bytes."""

    DAMAGED = "damaged"  # other bytes under the stamp they were described under: nobody meant to change them
    CHANGED = "changed"  # other bytes, and other times or another size
    MISSING = "missing"
    UNREADABLE = "unreadable"
    CACHE_DAMAGED = "cache damaged"
    CACHE_MISSING = "cache missing"


@dataclass(frozen=True)
class Mismatch:
    """One finding: ``path`` relative to the root (or in the cache), the checksum recorded and the one found."""

    path: str
    trouble: Trouble
    recorded: str
    found: str
    words: str


@dataclass
class FixityReport:
    """What was read again, in bytes and seconds, and everything that was not as recorded."""

    files: int = 0
    objects: int = 0
    bytes: int = 0
    seconds: float = 0.0
    mismatches: list[Mismatch] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Everything was as recorded."""
        return not self.mismatches


def verify(
    root: Path, files: Iterable[Tracked], look: Look, *, cache: Cache | None = None, objects: Iterable[str] = ()
) -> FixityReport:
    """Read files, and objects of the cache, and compare them with what is recorded of them.

    Args:
        files: described files, each with the SHA-256 that is recorded and the stamp it was described under.
        look: called before each piece with its size: it waits to keep a rate, and raises to stop.
        objects: the MD5 of the objects that are to be in the cache (as ``.dvc`` files name them).

    Raises:
        OSError: when the root cannot be opened.
        StoppedError: from ``look``.
    """
    report, began = FixityReport(), time.monotonic()

    def counted(size: int) -> None:
        look(size)
        report.bytes += size

    for mismatch in _files(root, files, counted, report):
        report.mismatches.append(mismatch)
    if cache is not None:
        for md5 in objects:
            report.objects += 1
            if (wrong := _object(cache, md5, counted)) is not None:
                report.mismatches.append(wrong)
    report.seconds = time.monotonic() - began
    return report


def all_objects(cache: Cache, beginning: str = "") -> Iterator[str]:
    """The MD5 of every object in a cache, whoever put it there; of those that begin so."""
    for shard in _names(cache.objects):
        if len(shard) == 2 and shard.startswith(beginning[:2]):
            for name in _names(f"{cache.objects}/{shard}"):
                if (shard + name).startswith(beginning):
                    yield shard + name


def lost_objects(root: Path, cache: Cache, datasets: Iterable[str]) -> Iterator[str]:
    """The MD5 of what the ``.dvc`` files of datasets name and the cache does not hold, each once."""
    told: set[str] = set()
    for dataset in datasets:
        with suppress(OSError):  # a dataset that has just moved names nothing
            standing = [*comparing.look(root, dataset).ours.values(), *read_all(root, [dataset]).values()]
            for md5 in (md5 for one in standing if one.cached for md5 in _named(cache, one.md5)):
                if md5 not in told and cache.size_of(md5) is None:
                    told.add(md5)
                    yield md5


def _named(cache: Cache, md5: str) -> list[str]:
    """An object, and the files of a folder's listing."""
    return [md5, *entries(cache, md5).values()] if md5.endswith(DIRECTORY) else [md5]


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _files(root: Path, files: Iterable[Tracked], look: Look, report: FixityReport) -> Iterator[Mismatch]:
    known = {os.fsencode(file.path): file for file in files}
    with opened_in(root, "") as top:
        for parts, names in by_folder(known):
            prefix = b"/".join(parts) + b"/" if parts else b""
            for name in names:
                file = known[prefix + name]
                report.files += 1
                try:
                    with opened_below(top, parts) as folder:
                        fd = os.open(name, _FILE, dir_fd=folder)
                    try:
                        wrong = _compared(fd, name, file, look)
                    finally:
                        os.close(fd)
                except FileNotFoundError:
                    wrong = _mismatch(file, Trouble.MISSING, "", "is not there any more")
                except OSError as error:
                    wrong = _mismatch(file, Trouble.UNREADABLE, "", f"cannot be read: {error.strerror}")
                if wrong is not None:
                    yield wrong


def _compared(fd: int, name: bytes, file: Tracked, look: Look) -> Mismatch | None:
    info = os.fstat(fd)
    if stat.S_ISDIR(info.st_mode) and zarr.is_store(name, fd):
        stamp, found = zarr.stamp_of(fd), _store(fd, look)
    elif stat.S_ISREG(info.st_mode):
        stamp, found = Stamp.of(info), checksums(fd, look)[1]
        if stamp != Stamp.of(os.fstat(fd)):
            return None  # it is being written: whoever describes it next reads it anyhow
    else:
        return _mismatch(file, Trouble.CHANGED, "", "is no regular file any more")
    if found == file.sha256:
        return None
    if stamp == file.stamp:
        words = "has other bytes than were described, although its size and times are the same: it is damaged"
        return _mismatch(file, Trouble.DAMAGED, found, words)
    sizes = "" if stamp.size == file.stamp.size else f" ({file.stamp.size:,} then, {stamp.size:,} now)"
    return _mismatch(file, Trouble.CHANGED, found, f"has other bytes than were described{sizes}")


def _store(fd: int, look: Look) -> str:
    sums = []
    for path in zarr.files_in(fd):
        inner = zarr.open_below(fd, path)
        try:
            sums.append((path, checksums(inner, look)[1]))
        finally:
            os.close(inner)
    return fingerprint(sums)


def _mismatch(file: Tracked, trouble: Trouble, found: str, words: str) -> Mismatch:
    mend = "; compare it with another copy, and put back the right one"
    return Mismatch(file.path, trouble, file.sha256, found, f"{printable(file.path)} {words}{mend}.")


def _object(cache: Cache, md5: str, look: Look) -> Mismatch | None:
    path, expected = cache.path_of(md5), md5.removesuffix(".dir")
    try:
        fd = os.open(path, _FILE)
        try:
            found = checksums(fd, look)[0]
        finally:
            os.close(fd)
    except FileNotFoundError:
        words = f"The DVC cache does not hold {md5} any more; fetch it from a remote, or have the file kept again."
        return Mismatch(path, Trouble.CACHE_MISSING, expected, "", words)
    except OSError as error:
        words = f"{printable(path)} in the DVC cache cannot be read: {error.strerror}."
        return Mismatch(path, Trouble.UNREADABLE, expected, "", words)
    if found == expected:
        return None
    words = f"{printable(path)} in the DVC cache is damaged; remove it, and fetch it or have the file kept again."
    return Mismatch(path, Trouble.CACHE_DAMAGED, expected, found, words)
