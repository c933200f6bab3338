"""What is remembered of paths, folders and documents: plain rows, the same in memory as in the state file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class Condition(IntEnum):
    """What became of a path."""

    DESCRIBED = 0
    PENDING = 1
    UNREADABLE = 2
    FAILED = 3
    LINK = 4
    SPECIAL = 5
    IGNORED = 6
    MISSING = 7
    STRAY = 8

    @property
    def word(self) -> str:
        """The word used in JSON and on pages."""
        return self.name.lower()


_HALF = 1 << 63

TROUBLES = (Condition.PENDING, Condition.UNREADABLE, Condition.FAILED)


class Stamp(NamedTuple):
    """What ``lstat`` says of a file as long as nobody touched it (times in nanoseconds)."""

    dev: int
    ino: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, info: os.stat_result) -> Stamp:
        """The stamp of a stat result."""
        return cls(
            signed(info.st_dev), signed(info.st_ino), info.st_size, signed(info.st_mtime_ns), signed(info.st_ctime_ns)
        )


NO_STAMP = Stamp(0, 0, 0, 0, 0)


def signed(number: int) -> int:
    """A number in the 64 bits SQLite has: some file systems give inodes beyond 2⁶³, and times beyond the year 2262."""
    return number if -_HALF <= number < _HALF else (number + _HALF) % (2 * _HALF) - _HALF


@dataclass(frozen=True)
class PlaceRow:
    """A project or dataset folder as last seen.

    ``path`` is relative to the root; ``gone`` while it is missing; ``doubt`` is not 0 while its manifest may not know
    of something its rows know, so that the two are to be compared entry by entry.
    """

    id: int
    kind: str
    path: str
    dev: int
    ino: int
    identifier: str
    gone: bool
    doubt: int = 0

    @property
    def folder(self) -> tuple[int, int]:
        """Device and inode of the folder."""
        return self.dev, self.ino


class FileRow(NamedTuple):
    """A path inside a place as last seen; ``sha256`` and ``identifier`` are empty while it was never described."""

    place: int
    path: str
    stamp: Stamp
    sha256: str
    identifier: str
    condition: Condition
    reason: str
    since: float


@dataclass(frozen=True)
class Trouble:
    """A document, folder or the whole root that needs a person; ``path`` is relative to the root."""

    path: str
    condition: Condition
    reason: str
    since: float
