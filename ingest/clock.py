"""The file system's own clock, so that "has it been quiet for the settle time?" never compares two machines."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from ingest.folders import touched_ns
from ingest.rows import Stamp

_JUMP_SECONDS = 1.0
_HEARTBEAT = ".heartbeat"


@dataclass(frozen=True)
class Gate:
    """The at-rest rule at one moment; times in nanoseconds of the file system's clock.

    A file rests when its inode has not changed for the settle time. ``ctime`` is set by the kernel on every write and
    cannot be set by a program, so "unchanged since then" says what two observations one settle time apart say. Where
    the clock cannot be relied on (it jumped, or the ctime lies in the future) two observations are asked for.
    """

    now_ns: int
    settle_ns: int
    reliable: bool
    wall: float

    def at_rest(self, stamp: Stamp, pending_since: float | None, same_as_before: bool) -> bool:
        """Whether a file may be read now.

        Args:
            pending_since: when the file was first seen pending (seconds of wall time), None if it was not.
            same_as_before: whether it looked just the same then.
        """
        if self.settle_ns == 0:
            return True
        age = self.now_ns - stamp.ctime_ns
        if self.reliable and age >= 0:
            return age >= self.settle_ns
        waited = self.wall - pending_since if pending_since is not None else -1.0
        return same_as_before and not 0 <= waited < self.settle_ns / 1e9 and pending_since is not None

    def rests_in(self, stamp: Stamp) -> float:
        """Seconds until the file can be at rest at the earliest."""
        age = self.now_ns - stamp.ctime_ns
        left = self.settle_ns - age if self.reliable and age >= 0 else self.settle_ns
        return max(0.0, left / 1e9)


@dataclass
class Clock:
    """Reads a root's file-system clock and notices when it jumps against the machine's monotonic clock."""

    root: Path
    settle_seconds: float
    _offset: float | None = field(default=None, init=False)
    _jumped_at: float | None = field(default=None, init=False)

    def gate(self) -> Gate:
        """The at-rest rule as of now."""
        now_ns = self._probe()
        monotonic = time.monotonic()
        offset = now_ns / 1e9 - monotonic
        if self._offset is not None and abs(offset - self._offset) > _JUMP_SECONDS:
            self._jumped_at = monotonic
        self._offset = offset
        # Files written before the jump carry the old clock's ctime: for one settle time it cannot be compared.
        reliable = self._jumped_at is None or monotonic - self._jumped_at > self.settle_seconds + _JUMP_SECONDS
        return Gate(now_ns, int(self.settle_seconds * 1e9), reliable, time.time())

    def _probe(self) -> int:
        """The ctime the file system gives to a write just now; the machine's clock where it cannot be written."""
        touched = touched_ns(self.root, _HEARTBEAT)
        return time.time_ns() if touched is None else touched
