"""What a pass says of itself: progress while it runs, a report at its end."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any

from ingest.errors import printable


@dataclass(frozen=True)
class Finding:
    """Something a person should look at: a path relative to the root, the rule, and a sentence."""

    path: str
    rule: str
    message: str


@dataclass
class Progress:
    """Counts of a running pass; ``seconds_left`` is an estimate from the share of datasets done."""

    datasets_total: int = 0
    datasets_done: int = 0
    files_found: int = 0
    files_done: int = 0
    bytes_done: int = 0
    started: float = field(default_factory=time.time)
    paused: bool = False

    @property
    def seconds_left(self) -> float | None:
        """None while nothing can be said."""
        elapsed = time.time() - self.started
        share = self.datasets_done / self.datasets_total if self.datasets_total else 0.0
        return elapsed * (1 - share) / share if share > 0 else None

    def as_json(self) -> dict[str, Any]:
        """For the status page and ``--json``."""
        return {**asdict(self), "seconds_left": self.seconds_left}


@dataclass
class Report:
    """What a pass did. Counts are of files unless they say otherwise; ``findings`` make the exit code 1."""

    root: str
    projects: int = 0
    datasets: int = 0
    new_projects: int = 0
    new_datasets: int = 0
    described: int = 0
    moved: int = 0
    missing: int = 0
    forgotten: int = 0
    unchanged: int = 0
    pending: int = 0
    failed: int = 0
    withheld: int = 0
    bytes_read: int = 0
    versions_kept: int = 0  # of files described before
    seconds: float = 0.0
    unfinished: bool = False  # ended early for something more urgent
    alarms: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)  # what a person is told once, without anything being wrong
    retry: set[str] = field(default_factory=set)  # parts with something that failed and may succeed later
    waiting: dict[str, float] = field(default_factory=dict)  # part with a file not at rest → seconds until it may be
    left_over: set[str] = field(default_factory=set)  # datasets that an unfinished pass did not come to

    def as_json(self) -> dict[str, Any]:
        """One JSON object."""
        value = {k: v for k, v in asdict(self).items() if k not in ("retry", "left_over")}
        return {**value, "waiting": {printable(part): seconds for part, seconds in self.waiting.items()}}
