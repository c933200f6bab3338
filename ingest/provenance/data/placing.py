"""Our small text files put in their places, very many at once: ``.dvc`` files, and the ignore files that go with them.

Each is written and made durable in ``.dvc/tmp`` first, so that a crash leaves nothing in a researcher's folder. What
somebody else wrote is never replaced: a new one is linked into place, which fails when there is anything.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ingest.documents import readable
from ingest.provenance.data.durable import make_durable
from ingest.provenance.data.pointers import LARGEST
from ingest.provenance.data.scratch import made, scratch
from ingest.scan import by_folder
from ingest.walk import opened_below

_TOP = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
NOT_TEXT = b"\0"  # what stands for a link, a folder or something huge: nobody takes it for theirs

Ours = Callable[[str, bytes], bool]
"""Whether the text that stands at a path relative to the root is one of ours, to be replaced or removed."""


@dataclass
class Placed:
    """Paths relative to the root: what was written or removed, and what was not, with the reason."""

    changed: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Fresh:
    """A text that waits in the scratch folder under ``temporary``; ``new``: nothing stood in its place."""

    path: str
    temporary: str
    new: bool


def place(root: Path, wanted: Mapping[str, bytes], unwanted: Iterable[str], ours: Ours) -> Placed:
    """Write texts and remove others; durable when this is back. What stands there already is left untouched.

    Raises:
        OSError: when the storage does not take them; what had landed before is whole.
    """
    placed = Placed()
    top = os.open(root, _TOP)
    try:
        # A clone has no .dvc/tmp: it is made like any folder of ours.
        with scratch(made(root / ".dvc" / "tmp")) as bench:
            fresh = _prepared(top, bench, wanted, ours, placed)
            if fresh:
                make_durable(bench)
            _landed(top, bench, fresh, wanted, placed)
            _removed(top, unwanted, ours, placed)
            if placed.changed:
                make_durable(top)
    finally:
        os.close(top)
    return placed


def texts(root: Path, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """What stands at paths relative to the root; nothing is given for those where there is nothing to be read."""
    top = os.open(root, _TOP)
    try:
        for path, folder, name in _each(top, paths):
            if folder is not None and (text := _standing(folder, name)) is not None:
                yield path, text
    finally:
        os.close(top)


def names_in(folder: Path) -> list[str]:
    """The names in a folder; none where it cannot be listed, or is a link."""
    try:
        return [] if folder.is_symlink() else sorted(os.listdir(folder))
    except OSError:
        return []


def _each(top: int, paths: Iterable[str]) -> Iterator[tuple[str, int | None, str]]:
    """``(path, its open folder, name)`` of each path; None for a folder that cannot be opened."""
    for parts, names in by_folder(map(os.fsencode, paths)):
        prefix = os.fsdecode(b"/".join(parts) + b"/") if parts else ""
        with _opened(top, parts) as folder:
            for name in map(os.fsdecode, names):
                yield prefix + name, folder, name


@contextmanager
def _opened(top: int, parts: list[bytes]) -> Iterator[int | None]:
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(opened_below(top, parts))
        except OSError:
            folder = None
        yield folder


def _standing(folder: int, name: str) -> bytes | None:
    """The text that stands there; None for nothing, ``NOT_TEXT`` for what is no small regular file."""
    try:
        fd = os.open(name, _FILE, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError:
        return NOT_TEXT
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return NOT_TEXT
        text = os.read(fd, LARGEST)
        return text if len(text) < LARGEST else NOT_TEXT
    except OSError:
        return NOT_TEXT
    finally:
        os.close(fd)


def _prepared(top: int, bench: int, wanted: Mapping[str, bytes], ours: Ours, placed: Placed) -> list[_Fresh]:
    fresh: list[_Fresh] = []
    for path, folder, name in _each(top, wanted):
        if folder is None:
            placed.refused[path] = "its folder cannot be opened, or was moved meanwhile"
            continue
        standing = _standing(folder, name)
        if standing == wanted[path]:
            continue
        if standing is not None and not ours(path, standing):
            placed.refused[path] = left_alone(path)
            continue
        temporary = str(len(fresh))
        _write(bench, temporary, wanted[path], os.fstat(folder))
        fresh.append(_Fresh(path, temporary, standing is None))
    return fresh


def left_alone(path: str) -> str:
    """What is said of a text that somebody else wrote where one of ours belongs."""
    name = readable(path.rpartition("/")[2])
    return f"{name} was written or changed by somebody else and is left as it is; remove it to have it written anew"


def _write(folder: int, name: str, text: bytes, above: os.stat_result) -> None:
    """A text with the rights and the group of the folder it is for."""
    fd = os.open(name, _NEW, 0o600, dir_fd=folder)
    try:
        if os.fstat(fd).st_gid != above.st_gid:
            with suppress(PermissionError):  # a group we are not in cannot be given, and the file is right without
                os.fchown(fd, -1, above.st_gid)
        os.fchmod(fd, stat.S_IMODE(above.st_mode) & 0o666)
        rest = memoryview(text)
        while rest:
            rest = rest[os.write(fd, rest) :]
    finally:
        os.close(fd)


def _landed(top: int, bench: int, fresh: list[_Fresh], wanted: Mapping[str, bytes], placed: Placed) -> None:
    waiting = {one.path: one for one in fresh}
    for path, folder, name in _each(top, waiting):
        one = waiting[path]
        try:
            if folder is None:
                raise FileNotFoundError(errno.ENOENT, "its folder was moved meanwhile")
            _land(bench, folder, name, one)
            placed.changed.append(path)
        except FileExistsError:
            placed.refused[path] = left_alone(path)
        except OSError as error:
            if error.errno == errno.EXDEV and folder is not None:
                _land_on_another_file_system(folder, name, one, wanted[path], placed)
            else:
                placed.refused[path] = f"{readable(path)} cannot be written: {error.strerror}"


def _land(bench: int, folder: int, name: str, one: _Fresh) -> None:
    if one.new:
        try:
            os.link(one.temporary, name, src_dir_fd=bench, dst_dir_fd=folder)
            return
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
        if _standing(folder, name) is not None:
            raise FileExistsError
    os.replace(one.temporary, name, src_dir_fd=bench, dst_dir_fd=folder)


def _land_on_another_file_system(folder: int, name: str, one: _Fresh, text: bytes, placed: Placed) -> None:
    """A project on a file system of its own: a nameless file there, which a crash does not leave behind."""
    try:
        fd = os.open(".", os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            os.fchmod(fd, stat.S_IMODE(os.fstat(folder).st_mode) & 0o666)
            os.write(fd, text)
            os.fsync(fd)
            if not one.new:
                os.unlink(name, dir_fd=folder)
            os.link(f"/proc/self/fd/{fd}", name, dst_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(fd)
        os.fsync(folder)
        placed.changed.append(one.path)
    except FileExistsError:
        placed.refused[one.path] = left_alone(one.path)
    except OSError as error:
        placed.refused[one.path] = (
            f"{readable(one.path)} cannot be written from the file system that holds .dvc to its own: {error.strerror}"
        )


def _removed(top: int, unwanted: Iterable[str], ours: Ours, placed: Placed) -> None:
    for path, folder, name in _each(top, unwanted):
        if folder is None:
            continue
        standing = _standing(folder, name)
        if standing is None or not ours(path, standing):
            continue
        try:
            os.unlink(name, dir_fd=folder)
            placed.changed.append(path)
        except OSError as error:
            placed.refused[path] = f"{readable(path)} cannot be removed: {error.strerror}"
