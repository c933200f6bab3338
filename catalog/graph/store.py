"""The quad store and its one writer: each record in a named graph of its own, replaced as a whole.

The store can be dropped at any time: it is made anew from the published rows where it is missing, damaged, or of
another version. Nobody reads it but through :mod:`catalog.graph.snapshots`, so that a batch is seen whole or not.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from pyoxigraph import NamedNode, Quad, Store

from catalog.graph.followed import Followed
from catalog.graph.snapshots import Snapshots
from ingest.locking import lock_file

log = logging.getLogger(__name__)

LAYOUT = "1"
MANY = 500  # changes from which loading in bulk is quicker than one transaction for each
_WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Change:
    """One record as it shall be in the store: its quads, all of them in `graph`; none takes it away."""

    identifier: str
    graph: str
    etag: str = ""
    quads: Iterable[Quad] = field(default=())


class QuadStore:
    """The store in `folder`, held by one writer at a time; a context.

    `version` names everything that quads depend on besides the records: with another one, all are made anew.

    Raises:
        BusyError: when another process writes it.
        OSError: when the folder cannot be used.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self.folder = folder
        self.snapshots = Snapshots(folder / "snapshots")
        self._version = f"{LAYOUT} {version}"
        self._stack = ExitStack()

    def __enter__(self) -> QuadStore:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._stack.enter_context(lock_file(self.folder / "writer.lock", _WAIT_SECONDS))
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._followed.close()
        del self._store  # closes it; the lock goes last
        self._stack.close()

    def _open(self) -> None:
        self._followed = Followed(self.folder / "followed.sqlite", self._version)
        place = self.folder / "store"
        if self._followed.was_made_anew or not place.is_dir():
            self._begin(place)
            return
        try:
            self._store = Store(str(place))
        except (OSError, RuntimeError) as error:  # Oxigraph tells damage by either
            log.warning("the quad store in %s is damaged (%s); it is made anew from the records", place, error)
            self._begin(place)

    def _begin(self, place: Path) -> None:
        shutil.rmtree(place, ignore_errors=True)
        if not self._followed.was_made_anew:
            self._followed.close()
            (self.folder / "followed.sqlite").unlink(missing_ok=True)
            self._followed = Followed(self.folder / "followed.sqlite", self._version)
        self._store = Store(str(place))

    def etags(self) -> Mapping[str, str]:
        """Identifier → etag of what is in the store."""
        return self._followed.etags()

    def graphs(self) -> Mapping[str, str]:
        """Identifier → name of its graph, of all that the store may hold something of."""
        return self._followed.graphs()

    def __len__(self) -> int:
        return len(self._store)

    def apply(self, changes: Iterable[Change]) -> int:
        """Brings records up to date, and shows them all in one new snapshot; answers how many changed."""
        done = 0
        for batch in _batches(changes):
            self._apply(batch)
            done += len(batch)
        if done or self._followed.is_stale or not self.snapshots.current():
            self.show()
        return done

    def show(self) -> str:
        """A new snapshot of what the store holds; answers its name."""
        name = self.snapshots.take(self._store.backup)
        self._followed.shown()
        return name

    def _apply(self, batch: list[Change]) -> None:
        known = self._followed.graphs()
        self._followed.begin({change.identifier: change.graph for change in batch})
        for change in batch:
            if change.identifier in known:
                self._store.remove_graph(NamedNode(change.graph))
        fresh = [change for change in batch if change.etag]
        if len(batch) >= MANY:
            self._store.bulk_extend(quad for change in fresh for quad in change.quads)
        else:
            for change in fresh:
                self._store.extend(change.quads)
        self._store.flush()
        self._followed.done(
            {change.identifier: (change.graph, change.etag) for change in fresh},
            [change.identifier for change in batch if not change.etag],
        )


def _batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Parts that fit into memory, each large enough to be loaded quickly."""
    batch: list[Change] = []
    for change in changes:
        batch.append(change)
        if len(batch) >= 4 * MANY:
            yield batch
            batch = []
    if batch:
        yield batch
