"""A folder for half-written files, locked as long as its maker lives; what a crash left is swept by the next one."""

from __future__ import annotations

import os
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ingest.errors import BusyError
from ingest.locking import LockUnsupportedError, held

NAME = "fairfolder"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD_SECONDS = 86_400.0


def made(folder: Path) -> Path:
    """A folder with those above it, each with the rights and the group of the one it is in.

    Raises:
        OSError: when it cannot be made, or something else stands there.
    """
    try:
        os.mkdir(folder)
    except FileExistsError:
        if not folder.is_dir():
            raise
        return folder
    except FileNotFoundError:
        made(folder.parent)
        with suppress(FileExistsError):
            os.mkdir(folder)
    above = os.stat(folder.parent)
    with suppress(PermissionError):  # a group we are not in cannot be given, and the folder is still right without
        os.chown(folder, -1, above.st_gid)
    with suppress(PermissionError):
        os.chmod(folder, stat.S_IMODE(above.st_mode))
    return folder


@contextmanager
def scratch(place: Path) -> Iterator[int]:
    """A descriptor of a new empty folder in ``place/fairfolder``, gone with all that is left in it at the end.

    Raises:
        OSError: when it cannot be made.
    """
    home = made(place / NAME)
    _sweep(home)
    while True:
        name = uuid.uuid4().hex
        os.mkdir(home / name, 0o700)
        fd = os.open(home / name, _DIRECTORY)
        try:
            with _locked(fd, home / name):
                if not _stands(home / name, fd):  # swept in the moment between its making and its lock
                    continue
                try:
                    yield fd
                finally:
                    _remove(home, name, fd)
                return
        finally:
            os.close(fd)


@contextmanager
def _locked(fd: int, path: Path) -> Iterator[None]:
    with ExitStack() as stack:
        with suppress(LockUnsupportedError):  # the sweep then goes by age
            stack.enter_context(held(fd, path, 5.0))
        yield


def _stands(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.fstat(fd))
    except OSError:
        return False


def _sweep(home: Path) -> None:
    """Remove the folders whose makers are gone."""
    for name in os.listdir(home):
        try:
            fd = os.open(home / name, _DIRECTORY)
        except OSError:  # no folder of ours, or swept by another
            continue
        try:
            with held(fd, home / name, 0.0):
                _remove(home, name, fd)
        except BusyError:
            continue
        except LockUnsupportedError:
            if time.time() - os.fstat(fd).st_mtime > _OLD_SECONDS:
                _remove(home, name, fd)
        finally:
            os.close(fd)


def _remove(home: Path, name: str, fd: int) -> None:
    with suppress(OSError):  # a folder that cannot be emptied now is swept by the next one
        for left in os.listdir(fd):
            os.unlink(left, dir_fd=fd)
        os.rmdir(home / name)
