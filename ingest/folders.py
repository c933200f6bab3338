"""Metadata folders: opened step by step without following links, made with their parent's mode and group."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ingest.documents import shell_word
from ingest.errors import StoreError
from ingest.layout import METADATA
from ingest.rows import signed

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_STORAGE_FULL = (errno.ENOSPC, errno.EDQUOT)


def explain(path: Path, error: OSError, doing: str = "written") -> StoreError:
    """One sentence for a failed write, with the command that mends it where there is one."""
    if error.errno in _STORAGE_FULL:
        reason = "the storage is full; free some space, it is tried again by itself"
    elif isinstance(error, PermissionError):
        reason = f"permission denied; grant it with: chmod u+rwx {shell_word(str(path.parent))}"
    elif error.errno == errno.EROFS:
        reason = "the file system is read-only; remount it writable"
    elif error.errno in (errno.ELOOP, errno.ENOTDIR):
        reason = "a symbolic link or a file stands where a metadata folder belongs; move it away"
    elif isinstance(error, IsADirectoryError) or error.errno in (errno.EISDIR, errno.ENOTEMPTY):
        reason = "a folder stands where the document belongs; move the folder away"
    else:
        reason = error.strerror or type(error).__name__
    return StoreError(path, f"{path} cannot be {doing}: {reason}.")


@contextmanager
def metadata_folder(root: Path, folder: Path, *, owner: tuple[int, int] | None = None) -> Iterator[int]:
    """A descriptor of a metadata folder below ``root``; only ``.metadata`` and what is in it is ever made.

    What was made for it is taken away again when nothing is in it at the end.

    Args:
        owner: device and inode of the folder whose metadata it must be; another may have taken its place.

    Raises:
        StoreError: when a step is a link, no folder, another folder than ``owner``, or may not be made.
    """
    with ExitStack() as made:
        try:
            fd = _opened(root, folder, owner, made)
        except OSError as error:
            raise explain(folder, error, "used") from error
        try:
            yield fd
        finally:
            os.close(fd)


def _opened(root: Path, folder: Path, owner: tuple[int, int] | None, made: ExitStack) -> int:
    parts = folder.relative_to(root).parts
    inside = parts.index(METADATA)  # the first one: what is above it belongs to the researcher
    current = os.open(root, _DIRECTORY)
    try:
        for depth, part in enumerate(parts):
            if depth == inside and owner is not None and identity_of(os.fstat(current)) != owner:
                raise moved_away()
            following = _step(current, part, made if depth >= inside else None)
            os.close(current)
            current = following
    except OSError:
        os.close(current)
        raise
    return current


def _unmake(parent: int, name: str) -> None:
    try:
        with suppress(OSError):  # something is in it, as there should be
            os.rmdir(name, dir_fd=parent)
    finally:
        os.close(parent)


def identity_of(info: os.stat_result) -> tuple[int, int]:
    """Device and inode of a file or folder, as the state remembers them."""
    return signed(info.st_dev), signed(info.st_ino)


def is_folder(folder: Path, identity: tuple[int, int]) -> bool:
    """Whether the folder with this device and inode stands at a path."""
    try:
        return identity_of(os.lstat(folder)) == identity
    except OSError:
        return False


def moved_away() -> OSError:
    """What is raised when a folder is not the one that was decided on: nothing is read or written there."""
    return OSError(errno.ESTALE, "it was moved or replaced in the meantime; it is looked at again")


def lock_descriptor(folder: int) -> int:
    """A descriptor of the folder's lock file, made when it is not there, with the folder's rights and group.

    Raises:
        OSError: when it cannot be opened or made.
    """
    while True:
        try:
            return os.open(".lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        except FileNotFoundError:
            with suppress(FileExistsError):
                os.close(new_file(folder, ".lock"))


def _step(parent: int, name: str, made: ExitStack | None) -> int:
    """One folder further down; where ``made`` is given it is made if need be, and unmade at its end if it is empty."""
    try:
        return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    except FileNotFoundError:
        if made is None:
            raise
    above = os.fstat(parent)
    # Made by another process meanwhile is as good.
    with suppress(FileExistsError):
        os.mkdir(name, stat.S_IMODE(above.st_mode) & 0o777, dir_fd=parent)
        made.callback(_unmake, os.dup(parent), name)
    fd = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    _like_parent(fd, above, stat.S_IMODE(above.st_mode))
    os.fsync(parent)
    return fd


def _like_parent(fd: int, above: os.stat_result, mode: int) -> None:
    # Best effort: a group we are not in cannot be given, and the file is still right without it.
    info = os.fstat(fd)
    if info.st_gid != above.st_gid:
        with suppress(PermissionError):
            os.fchown(fd, -1, above.st_gid)
    if stat.S_IMODE(info.st_mode) != mode:
        with suppress(PermissionError):
            os.fchmod(fd, mode)


def new_file(folder: int, name: str) -> int:
    """A new file for writing in an open metadata folder, with the folder's read and write rights and group.

    Raises:
        OSError: as ``open(2)`` with ``O_CREAT | O_EXCL``.
    """
    above = os.fstat(folder)
    mode = stat.S_IMODE(above.st_mode) & 0o666
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder)
    _like_parent(fd, above, mode)
    return fd


def sweep(folder: int, is_ours: Callable[[str], bool]) -> None:
    """Remove temporaries a crash left; call it only while holding the folder's lock."""
    for name in os.listdir(folder):
        if is_ours(name):
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)


def touched_ns(root: Path, name: str) -> int | None:
    """Write one byte to a hidden file in the root's ``.metadata``; its new ctime, None where that cannot be done.

    Nothing is made but the file: a root without a ``.metadata`` folder (an empty mount point) is left alone.
    """
    try:
        own = os.open(root / METADATA, _DIRECTORY | os.O_NOFOLLOW)
        try:
            try:
                fd = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=own)
            except FileNotFoundError:
                fd = new_file(own, name)
        finally:
            os.close(own)
        try:
            os.pwrite(fd, b"0", 0)
            return os.fstat(fd).st_ctime_ns
        finally:
            os.close(fd)
    except OSError:
        return None
