"""Which parts of a root may have changed, and when each is due for a scan. No disk, no threads of its own."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

# However long writing goes on, a part is scanned this often: steady writing starves nothing.
PATIENCE_SECONDS = 5.0
PATIENCE_FACTOR = 10.0


@dataclass
class _Part:
    first: float
    last: float
    data: bool


@dataclass
class Board:
    """Parts (``project`` or ``project/dataset``, ``""`` for the whole root) with the times of their last hints."""

    settle_seconds: float
    _parts: dict[str, _Part] = field(default_factory=dict)
    _costs: dict[str, float] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def mark(self, part: str, *, at: float | None = None, data: bool = True) -> None:
        """A hint that something below ``part`` changed (``at``: monotonic time of the change, now by default).

        Args:
            data: whether it was research data; False for metadata documents only.
        """
        moment = time.monotonic() if at is None else at
        with self._changed:
            known = self._parts.get(part)
            if known is None:
                self._parts[part] = _Part(time.monotonic(), moment, data)
                self._changed.notify()
            else:
                known.last = max(known.last, moment)
                known.data = known.data or data

    def scanned(self, part: str, cost_seconds: float) -> None:
        """How long the scan of a part took: a costly one is not repeated as often."""
        self._costs[part] = cost_seconds

    def again(self, part: str, in_seconds: float) -> None:
        """Scan a part once more after a time (a file in it is not at rest yet), unless it is due sooner or later."""
        with self._changed:
            if (known := self._parts.get(part)) is not None:
                known.data = True
            else:
                self.mark(part, at=time.monotonic() - self.settle_seconds + in_seconds)

    def has_due(self) -> bool:
        """Whether some part is due now."""
        moment = time.monotonic()
        with self._changed:
            return any(self._due_at(name, part) <= moment for name, part in self._parts.items())

    def __len__(self) -> int:
        return len(self._parts)

    def wait_due(self, longest: float, stop: threading.Event) -> dict[str, bool]:
        """The parts that are due now, with whether their data may have changed; they are taken off the board.

        Waits for the first to fall due, ``longest`` seconds at most.
        """
        deadline = time.monotonic() + longest
        with self._changed:
            while not stop.is_set():
                moment = time.monotonic()
                due = [name for name, part in self._parts.items() if self._due_at(name, part) <= moment]
                if due:
                    return {name: self._parts.pop(name).data for name in due}
                if moment >= deadline:
                    return {}
                nearest = min((self._due_at(n, p) for n, p in self._parts.items()), default=deadline)
                self._changed.wait(max(0.001, min(nearest, deadline, moment + 0.5) - moment))
        return {}

    def _due_at(self, name: str, part: _Part) -> float:
        patience = max(PATIENCE_SECONDS, PATIENCE_FACTOR * self._costs.get(name, 0.0))
        return min(part.last + self.settle_seconds, part.first + max(patience, self.settle_seconds))
