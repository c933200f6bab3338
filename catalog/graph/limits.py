"""What one query may cost, and how many run at once."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of the whole service; each worker process answers one query at a time."""

    seconds: int = 20  # by the clock, from its start to its last row
    rows: int = 100_000  # rows, or triples
    megabytes: int = 50  # of the answer
    memory_megabytes: int = 1_024  # beyond what an idle worker has
    workers: int = 3
    waiting: int = 32  # queries that wait for a worker
    quick_seconds: float = 1.0  # after which a query is a long one

    @property
    def long_ones(self) -> int:
        """How many long queries run at once: one worker is always left to the quick ones."""
        return max(1, self.workers - 1)

    @property
    def bytes(self) -> int:
        return self.megabytes * 1_000_000

    @property
    def memory(self) -> int:
        return self.memory_megabytes << 20

    def as_text(self) -> str:
        """For the command line of another process; :meth:`from_text` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Limits:
        return cls(**json.loads(text))
