"""Bytes of data files into the cache: opened for reading only, and counted on only if the file was at rest."""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ingest import zarr
from ingest.documents import readable
from ingest.provenance.data.cache import Cache, Filling, Look, Taken, checksums
from ingest.provenance.data.folders import Member, fingerprint, listing
from ingest.reading import settle_mapped_writes
from ingest.rows import Stamp
from ingest.scan import by_folder
from ingest.walk import opened_below, opened_in

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_AT_ONCE = 5_000
_BYTES_AT_ONCE = 4 << 30
NESTED = "it is in a folder with a DVC project of its own (.dvc), which the one of the whole root passes by"
CHANGED = "it changed since it was described; its version is kept when it is at rest"
_DAMAGED = (
    "its bytes are not the ones that were described, although its size and times are: it may be damaged; "
    "compare it with another copy"
)


class Tracked(NamedTuple):
    """A described file: its path relative to the root, the stamp and the SHA-256 it was described under.

    ``md5`` comes from the same read; "" where it was not asked for then: the bytes are read once more.
    """

    path: str
    stamp: Stamp
    sha256: str
    md5: str = ""


class Kept(NamedTuple):
    """What became of a file: ``reason`` says in words why its version is not kept; "" when it is.

    ``members`` are the files of an object that is a folder (a Zarr store), by their paths in it; None of a file.
    """

    file: Tracked
    md5: str = ""
    size: int = 0
    executable: bool = False
    members: Mapping[str, Member] | None = None
    reason: str = ""


def trouble(cache: Cache, error: OSError) -> str:
    """Why a file could not be kept, with the mend where there is one."""
    where = readable(str(cache.folder))
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the storage of the DVC cache {where} is full; free some space, it is tried again by itself"
    if error.errno == errno.EROFS:
        return f"the DVC cache {where} is on a read-only file system; remount it writable"
    if isinstance(error, PermissionError):
        return f"permission denied, for the file or for the DVC cache {where}; grant the service reading or writing"
    return f"its bytes could not be kept in the DVC cache {where}: {error.strerror or error}"


def keep(root: Path, cache: Cache, files: Iterable[Tracked], look: Look) -> list[Kept]:
    """The bytes of files are in the cache, durably, when this is back; whatever is not says why.

    Raises:
        StoppedError: from ``look``; nothing half-written is left.
    """
    done: list[Kept] = []
    for some in _portions(files):
        try:
            with cache.filling() as filling:
                kept = list(_each(root, filling, cache, some, look))
                filling.land()
            done += kept
        except OSError as error:
            done += [Kept(file, reason=trouble(cache, error)) for file in some]
    return done


def fill_in(root: Path, cache: Cache, files: Sequence[Tracked], look: Look) -> list[Kept]:
    """The checksums of files whose bytes are not kept; what has its MD5 already is not read.

    Raises:
        StoppedError: from ``look``.
    """
    return list(_each(root, None, cache, files, look))


def _portions(files: Iterable[Tracked]) -> Iterator[list[Tracked]]:
    """So many files, or so many bytes, that what a full disk or a crash costs is done again soon."""
    some: list[Tracked] = []
    size = 0
    for file in files:
        some.append(file)
        size += file.stamp.size
        if len(some) >= _AT_ONCE or size >= _BYTES_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _each(root: Path, filling: Filling | None, cache: Cache, files: Sequence[Tracked], look: Look) -> Iterator[Kept]:
    known = {os.fsencode(file.path): file for file in files}
    apart: dict[bytes, bool] = {}
    with opened_in(root, "") as top:
        for parts, names in by_folder(known):
            prefix = b"/".join(parts) + b"/" if parts else b""
            mine = deque((name, known[prefix + name]) for name in names)
            try:
                if _nested(top, parts, apart):
                    yield from (Kept(file, reason=NESTED) for _, file in mine)
                    continue
                with opened_below(top, parts) as folder:
                    while mine:
                        yield _One(folder, *mine[0], filling, cache, look).kept()
                        mine.popleft()
            except OSError:  # its folder cannot be opened, or is gone
                yield from (Kept(file, reason=CHANGED) for _, file in mine)


def _nested(top: int, parts: Sequence[bytes], apart: dict[bytes, bool]) -> bool:
    """Whether one of the folders on the way, below the root, is a DVC project; ``apart`` remembers the answers."""
    for depth in range(1, len(parts) + 1):
        path = b"/".join(parts[:depth])
        if path not in apart:
            try:
                apart[path] = stat.S_ISDIR(os.stat(path + b"/.dvc", dir_fd=top).st_mode)
            except OSError:
                apart[path] = False
        if apart[path]:
            return True
    return False


@dataclass
class _One:
    """One file on its way."""

    folder: int
    name: bytes
    file: Tracked
    filling: Filling | None
    cache: Cache
    look: Look
    taken: list[Taken] = field(default_factory=list)

    def kept(self) -> Kept:
        try:
            known = self._known()
            if known is not None:
                return known
            fd = os.open(self.name, _FILE, dir_fd=self.folder)
        except OSError as error:
            return Kept(self.file, reason=_not_opened(error))
        try:
            return self._opened(fd)
        except OSError as error:
            return self._dropped(trouble(self.cache, error))
        finally:
            os.close(fd)

    def _known(self) -> Kept | None:
        """Without reading: its bytes are in the cache already, or are not wanted there."""
        file = self.file
        if not file.md5 or (self.filling is not None and not self.cache.holds(file.md5, file.stamp.size)):
            return None
        info = os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)
        if not stat.S_ISREG(info.st_mode):
            return None
        if Stamp.of(info) != file.stamp:
            return Kept(file, reason=CHANGED)
        return Kept(file, file.md5, info.st_size, _executable(info))

    def _dropped(self, reason: str) -> Kept:
        if self.filling is not None:
            for taken in self.taken:
                self.filling.drop(taken)
        return Kept(self.file, reason=reason)

    def _opened(self, fd: int) -> Kept:
        file, info = self.file, os.fstat(fd)
        if stat.S_ISDIR(info.st_mode):
            return self._store(fd)
        settle_mapped_writes(fd, file.stamp)
        if not stat.S_ISREG(info.st_mode) or Stamp.of(os.fstat(fd)) != file.stamp:
            return Kept(file, reason=CHANGED)
        taken = self._take(fd, file.md5)
        if Stamp.of(os.fstat(fd)) != file.stamp or taken.size != file.stamp.size:
            return self._dropped(CHANGED)
        if (file.md5 and taken.md5 != file.md5) or (taken.sha256 and taken.sha256 != file.sha256):
            return self._dropped(_DAMAGED)
        self._settle()
        return Kept(file, taken.md5, taken.size, _executable(info))

    def _take(self, fd: int, md5: str) -> Taken:
        if self.filling is None:
            return Taken("", *checksums(fd, self.look))
        taken = self.filling.take(fd, md5, self.look)
        self.taken.append(taken)
        return taken

    def _settle(self) -> None:
        if self.filling is not None:
            for taken in self.taken:
                self.filling.keep(taken)

    def _store(self, fd: int) -> Kept:
        """A Zarr store: a folder that is one object; every file in it is one of DVC's."""
        file = self.file
        if not zarr.is_store(self.name, fd) or zarr.stamp_of(fd) != file.stamp:
            return Kept(file, reason=CHANGED)
        members: dict[str, Member] = {}
        for path in zarr.files_in(fd):
            try:
                path.encode()
            except UnicodeEncodeError:
                return self._dropped("it holds a name that is not valid UTF-8, which DVC cannot take")
            inner = zarr.open_below(fd, path)
            try:
                taken = self._take(inner, "")
            finally:
                os.close(inner)
            members[path] = Member(taken.md5, taken.sha256, taken.size)
        if zarr.stamp_of(fd) != file.stamp:
            return self._dropped(CHANGED)
        if fingerprint((path, member.sha256) for path, member in members.items()) != file.sha256:
            return self._dropped(_DAMAGED)
        self._settle()
        md5, data = listing(members)
        if self.filling is not None:
            self.filling.put(data, md5)
        return Kept(file, md5, file.stamp.size, False, members)


def _executable(info: os.stat_result) -> bool:
    return bool(info.st_mode & stat.S_IXUSR)


def _not_opened(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "permission denied; grant it with: chmod u+r, or a group the service is in"
    return CHANGED
