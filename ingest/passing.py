"""The state of one running pass, and what all of its steps share: telling how far it is, and giving way."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ingest.clock import Gate
from ingest.comparison import Comparison
from ingest.cut import Cut
from ingest.documents import new_identifiers
from ingest.losses import GoneFiles, Unfinished
from ingest.moves import Surveyed
from ingest.readers import Readers
from ingest.reading import StoppedError
from ingest.report import Progress, Report
from ingest.rows import PlaceRow
from ingest.workspace import Workspace

_PROGRESS_SECONDS = 0.2

OnProgress = Callable[[Progress], None]


@dataclass
class Pass:
    """The state of one running pass."""

    ws: Workspace
    report: Report
    readers: Readers
    gate: Gate
    cut: Cut
    on_progress: OnProgress
    enough: Callable[[], bool]
    before: Unfinished
    progress: Progress = field(default_factory=Progress)
    scanned: set[int] = field(default_factory=set)
    gone: GoneFiles = field(default_factory=lambda: defaultdict(dict))
    compared: dict[int, Comparison] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)  # identity that moved in this pass → the dataset it is in now
    surveyed: Surveyed = field(default_factory=Surveyed)
    identifiers: Iterator[str] = field(default_factory=new_identifiers)
    told: float = 0.0


class GivenWayError(StoppedError):
    """Something else has waited long enough."""


def give_way(run: Pass, within: PlaceRow | None = None) -> None:
    """End the pass early, between two cuts, when something else has waited long enough."""
    if run.enough():
        run.scanned -= {within.id} if within is not None else set()
        raise GivenWayError


def tell(run: Pass, *, force: bool = False) -> None:
    """Say how far the pass is, several times a second at most unless ``force``."""
    moment = time.monotonic()
    if force or moment - run.told > _PROGRESS_SECONDS:
        run.told = moment
        run.progress.paused = run.ws.paused
        run.on_progress(run.progress)
        run.ws.seen.put("progress", run.progress.as_json())
