"""DVC's cache: objects named by the MD5 of their bytes, written under another name, made durable, then named.

The form is DVC 3's: ``<cache>/files/md5/ab/cdef…``, read-only (0444), which is how DVC knows a whole object.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ingest.provenance.data.durable import make_durable
from ingest.provenance.data.pointers import DIRECTORY, Pointer
from ingest.provenance.data.scratch import made, scratch

MODE = 0o444
_FICLONE = 0x40049409
_CHUNK = 1 << 20
_LARGE = 64 << 20
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_CLONE = (errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM, errno.ETXTBSY)

Look = Callable[[int], None]
"""Called before each piece with its bytes; raises to end the work, waits to keep a rate."""


class Taken(NamedTuple):
    """Bytes that wait in the scratch folder: their MD5, and their SHA-256 where it was asked for."""

    name: str
    md5: str
    sha256: str
    size: int


@dataclass
class Cache:
    """The cache in ``folder``; ``clones`` is what was found out about reflinks: None while nobody tried."""

    folder: Path
    clones: bool | None = None

    def __post_init__(self) -> None:
        self.objects = os.path.join(self.folder, "files", "md5")  # text: it is put together for every file

    def path_of(self, md5: str) -> str:
        """Where an object is, or would be."""
        return f"{self.objects}/{md5[:2]}/{md5[2:]}"

    def holds(self, md5: str, size: int) -> bool:
        """Whether an object of this name and size is there; whether its bytes are right is asked by ``fixity``."""
        found = self.size_of(md5)
        return found is not None and found == size

    def keeps(self, pointer: Pointer) -> bool:
        """Whether the object a pointer names is there: a file's with its size, a folder's listing whatever it has."""
        found = self.size_of(pointer.md5)
        return found is not None and (pointer.md5.endswith(DIRECTORY) or found == pointer.size)

    def size_of(self, md5: str) -> int | None:
        """The bytes of an object, None when it is not there."""
        try:
            return os.stat(self.path_of(md5)).st_size
        except OSError:
            return None

    def free_bytes(self) -> int | None:
        """What still fits on its file system; None where that cannot be asked."""
        try:
            info = os.statvfs(self.folder)
        except OSError:
            return None
        return info.f_bavail * info.f_frsize

    def can_clone(self, root: Path) -> bool:
        """Whether files below a root come into the cache as reflinks, which take no room; tried if not known.

        Raises:
            OSError: when the cache cannot be written.
        """
        if self.clones is None:
            with self.filling() as filling:
                filling.try_clone(b"a reflink")
        return bool(self.clones) and os.stat(root).st_dev == os.stat(self.folder).st_dev

    @contextmanager
    def filling(self) -> Iterator[Filling]:
        """Objects to be added; what has not landed at the end is dropped.

        Raises:
            OSError: when the cache cannot be written.
        """
        made(Path(self.objects))
        with scratch(self.folder) as folder:
            yield Filling(self, folder)


@dataclass
class Filling:
    """Objects on their way into a cache, in the scratch folder ``folder``."""

    cache: Cache
    folder: int
    size: int = 0
    waiting: dict[str, Taken] = field(default_factory=dict)  # by MD5
    _count: int = 0
    _made: set[str] = field(default_factory=set)

    def take(self, fd: int, md5: str, look: Look) -> Taken:
        """The bytes of an open file, as a reflink where the file system can, else as a copy.

        Args:
            md5: what the bytes are said to have; "" if that is not known: then the SHA-256 of a copy is made too. What
                is given back is always of the very bytes that were cloned or written.

        Raises:
            OSError: when it cannot be read or written; nothing of it is left then.
        """
        self._count += 1
        name = str(self._count)
        new = os.open(name, _NEW, MODE, dir_fd=self.folder)
        try:
            os.fchmod(new, MODE)
            if self._cloned(fd, new):
                taken = _hashed(new, name, look)
            else:
                taken = self._copied(fd, new, name, look, both=not md5)
        except BaseException:
            with suppress(OSError):
                os.unlink(name, dir_fd=self.folder)
            raise
        finally:
            os.close(new)
        return taken

    def try_clone(self, data: bytes) -> None:
        """Find out whether the cache's file system makes reflinks.

        Raises:
            OSError: when it cannot be written.
        """
        source = os.open("source", _NEW, 0o600, dir_fd=self.folder)
        try:
            os.write(source, data)
            self.drop(self.take(source, "", lambda size: None))
        finally:
            os.close(source)

    def _cloned(self, fd: int, new: int) -> bool:
        if self.cache.clones is False:
            return False
        try:
            fcntl.ioctl(new, _FICLONE, fd)
        except OSError as error:
            if error.errno not in _NO_CLONE:
                raise
            self.cache.clones = False
            return False
        self.cache.clones = True
        return True

    def _copied(self, fd: int, new: int, name: str, look: Look, *, both: bool) -> Taken:
        expected = os.fstat(fd).st_size
        free = self.cache.free_bytes() if expected > _LARGE else None
        if free is not None and expected > free:  # said before a terabyte is written in vain
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sha256 = hashlib.sha256() if both else None
        found, size = _copy(fd, new, expected, look, sha256)
        return Taken(name, found, sha256.hexdigest() if sha256 else "", size)

    def put(self, data: bytes, md5: str) -> None:
        """An object of these bytes.

        Raises:
            OSError: when it cannot be written.
        """
        self._count += 1
        name = str(self._count)
        new = os.open(name, _NEW, MODE, dir_fd=self.folder)
        try:
            os.fchmod(new, MODE)
            _write(new, memoryview(data))
        finally:
            os.close(new)
        self.keep(Taken(name, md5, "", len(data)))

    def keep(self, taken: Taken) -> None:
        """It is to become an object, if there is none like it."""
        if taken.md5 in self.waiting or self.cache.holds(taken.md5, taken.size):
            self.drop(taken)
            return
        self.waiting[taken.md5] = taken
        self.size += taken.size

    def drop(self, taken: Taken) -> None:
        """It is not wanted."""
        with suppress(OSError):
            os.unlink(taken.name, dir_fd=self.folder)

    def land(self) -> None:
        """Every waiting object is in the cache under its name, and on the disk, when this is back.

        Raises:
            OSError: when the storage did not take them; none of them is then to be counted on.
        """
        if not self.waiting:
            return
        waiting, self.waiting, self.size = self.waiting, {}, 0
        make_durable(self.folder)
        for md5, taken in waiting.items():
            if md5[:2] not in self._made:
                made(Path(self.cache.objects, md5[:2]))
                self._made.add(md5[:2])
            os.replace(taken.name, self.cache.path_of(md5), src_dir_fd=self.folder)
        make_durable(self.folder)


def _pieces(fd: int, size: int, look: Look) -> Iterator[memoryview]:
    """At most ``size`` bytes of an open file: one that grows ends too."""
    view, done = memoryview(bytearray(min(_CHUNK, size))), 0
    while done < size:
        wanted = min(len(view), size - done)
        look(wanted)
        count = os.preadv(fd, [view[:wanted]], done)
        if count == 0:
            return
        done += count
        yield view[:count]


def copied(fd: int, new: int, look: Look) -> tuple[str, str]:
    """MD5 and SHA-256 of what was copied from one open file to another.

    Raises:
        OSError: when one cannot be read or the other not written.
    """
    sha256 = hashlib.sha256()
    md5, _ = _copy(fd, new, os.fstat(fd).st_size, look, sha256)
    return md5, sha256.hexdigest()


def _copy(fd: int, new: int, expected: int, look: Look, sha256: hashlib._Hash | None) -> tuple[str, int]:
    md5, size = hashlib.md5(usedforsecurity=False), 0
    for piece in _pieces(fd, expected, look):
        md5.update(piece)
        if sha256 is not None:
            sha256.update(piece)
        _write(new, piece)
        size += len(piece)
    return md5.hexdigest(), size


def _write(fd: int, piece: memoryview) -> None:
    while piece:
        piece = piece[os.write(fd, piece) :]


def checksums(fd: int, look: Look) -> tuple[str, str, int]:
    """MD5, SHA-256 and number of the bytes of an open file, as many as it has now.

    Raises:
        OSError: when it cannot be read.
    """
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    for piece in _pieces(fd, os.fstat(fd).st_size, look):
        md5.update(piece)
        sha256.update(piece)
        size += len(piece)
    return md5.hexdigest(), sha256.hexdigest(), size


def _hashed(fd: int, name: str, look: Look) -> Taken:
    return Taken(name, *checksums(fd, look))
