"""Snapshots of a quad store: folders that never change, a link to the newest one, and locks that say who reads one.

A reader holds a shared ``flock`` on the snapshot's lease, a file beside the folder; the writer removes a snapshot only
under the exclusive one. The lock dies with its reader, however that ends. Needs no RDF engine.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

_CURRENT, _DRAFT = "current", ".current"


class Snapshots:
    """The snapshots of one store, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self) -> str:
        """The name of the newest snapshot; "" before the first."""
        try:
            name = os.readlink(self.folder / _CURRENT)
        except OSError:
            return ""
        return name if (self.folder / name).is_dir() else ""

    def take(self, backup: Callable[[str], None]) -> str:
        """Has `backup` fill a new folder, makes it the current one, and removes what nobody reads any more.

        Until the link is flipped readers take the one before: a writer killed anywhere here leaves them that.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        name = str(max([0, *self._numbers()]) + 1)
        lease, place, draft = self._lease(name), self.folder / name, self.folder / f".{name}"
        shutil.rmtree(draft, ignore_errors=True)
        backup(str(draft))
        lease.touch()
        os.replace(draft, place)
        link = self.folder / _DRAFT
        link.unlink(missing_ok=True)
        os.symlink(name, link)
        os.replace(link, self.folder / _CURRENT)
        self.sweep()
        return name

    def sweep(self) -> None:
        """Removes every snapshot that is not the current one and that nobody reads, and what a crash left behind."""
        current = self.current()
        for name in {str(number) for number in self._numbers()} - {current}:
            self._remove(name)
        for path in self.folder.glob(".[0-9]*"):
            shutil.rmtree(path, ignore_errors=True)

    def _numbers(self) -> list[int]:
        names = {path.name.removesuffix(".lease") for path in self.folder.iterdir()} if self.folder.is_dir() else set()
        return [int(name) for name in names if name.isascii() and name.isdigit()]

    def _lease(self, name: str) -> Path:
        return self.folder / f"{name}.lease"

    def _remove(self, name: str) -> None:
        lease = self._lease(name)
        fd = os.open(lease, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return  # somebody reads it; the next sweep looks again
        else:
            shutil.rmtree(self.folder / name, ignore_errors=True)
            lease.unlink(missing_ok=True)
        finally:
            os.close(fd)


class Lease:
    """The newest snapshot, held against removal until :meth:`release`, or the end of the process.

    Raises:
        FileNotFoundError: when there is no snapshot yet.
    """

    def __init__(self, snapshots: Snapshots) -> None:
        while True:
            name = snapshots.current()
            if not name:
                raise FileNotFoundError(str(snapshots.folder))
            fd = _open(snapshots.folder / f"{name}.lease")
            if fd < 0:
                continue  # removed since: there is a newer one
            fcntl.flock(fd, fcntl.LOCK_SH)
            if (snapshots.folder / name).is_dir():
                break
            os.close(fd)
        self.name, self._fd = name, fd
        self.path = snapshots.folder / name

    def release(self) -> None:
        """Lets the snapshot be removed."""
        os.close(self._fd)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return -1
