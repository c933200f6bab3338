"""The quad store and its one writer: each record in a named graph of its own, and all of them in the default graph.

The default graph is kept, and not made of the others when a query runs: Oxigraph's union counts what several graphs say
once for each of them, and this one says it once.

The store can be dropped at any time: it is made anew from the published rows where it is missing, damaged, or of
another version. Nobody reads it but through :mod:`catalog.graph.snapshots`, so that a batch is seen whole or not.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sized
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import TracebackType

from pyoxigraph import DefaultGraph, NamedNode, Quad, Store

from catalog.graph.followed import Followed
from catalog.graph.snapshots import Snapshots
from ingest.locking import lock_file

log = logging.getLogger(__name__)

LAYOUT = "2"
MANY = 10_000  # quads from which loading in bulk is quicker than one transaction
# Quads loaded in one go, and which part of all they are, from which the store is put in order: looking up takes half
# the time then. It takes 1.5 s for a million, in which no other change is taken.
COMPACTED, _PART = 200_000, 0.25
_AT_ONCE, _IN_BATCH, _CHANGES = 100_000, 500_000, 2_000  # quads loaded, and quads and changes marked, in one go
_DEFAULT = DefaultGraph()
_WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Change:
    """One record as it shall be in the store: its quads, all of them in `graph`; none takes it away.

    Quads in a list are compared with those that are there. Others are made while they are loaded, because they may not
    fit into memory.
    """

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
        done = loaded = 0
        for batch in _batches(changes):
            loaded += self._apply(batch)
            done += len(batch)
        if done or self._followed.is_stale or not self.snapshots.current():
            self.show()
        if loaded >= COMPACTED and loaded >= _PART * len(self._store):  # what was loaded is seen meanwhile
            self._store.optimize()
            self.show()
        return done

    def show(self) -> str:
        """A new snapshot of what the store holds; answers its name."""
        name = self.snapshots.take(self._store.backup)
        self._followed.shown()
        return name

    def _apply(self, batch: list[Change]) -> int:
        """How many quads were loaded."""
        loaded = 0
        known, whole = self._followed.graphs(), self._followed.etags()
        self._followed.begin({change.identifier: change.graph for change in batch})
        changes = ((change, change.identifier in known, change.identifier in whole) for change in batch)
        for some in _portions(quad for each in changes for quad in self._fresh(*each)):
            load = self._store.bulk_extend if len(some) >= MANY else self._store.extend
            load(_in_both(some))
            loaded += len(some)
        self._store.flush()
        fresh = [change for change in batch if change.etag]
        self._followed.done(
            {change.identifier: (change.graph, change.etag) for change in fresh},
            [change.identifier for change in batch if not change.etag],
        )
        return loaded

    def _fresh(self, change: Change, is_known: bool, is_whole: bool) -> Iterable[Quad]:
        """The quads of a change that are not there yet, once those that it does not have are gone."""
        graph = NamedNode(change.graph)
        if not change.etag:
            self._remove(graph, {})
            self._store.remove_graph(graph)
            return ()
        if not is_known:
            return change.quads
        if not is_whole or not isinstance(change.quads, Sized):  # of one that was under way nothing is certain
            self._remove(graph, {})
            return change.quads
        wanted = dict.fromkeys(change.quads)
        self._remove(graph, wanted)
        return wanted

    def _remove(self, graph: NamedNode, wanted: dict[Quad, None]) -> None:
        """Takes away what a graph says and shall not, and from the default graph what no other says; what is `wanted`
        and there already is taken out of it.

        The default graph comes first: a crash in between leaves no triple there that stands in no other graph.
        """
        for quad in self._store.quads_for_pattern(None, None, None, graph):
            if quad in wanted:
                del wanted[quad]
                continue
            subject, predicate, value, _ = quad
            sayings = self._store.quads_for_pattern(subject, predicate, value, None)
            if all(each.graph_name in (graph, _DEFAULT) for each in sayings):
                self._store.remove(Quad(subject, predicate, value))
            self._store.remove(quad)


def _in_both(quads: list[Quad]) -> Iterator[Quad]:
    """Each quad in its graph, then in the default graph: nothing stands there alone."""
    for quad in quads:
        yield quad
        yield Quad(quad.subject, quad.predicate, quad.object)


def _portions(quads: Iterator[Quad]) -> Iterator[list[Quad]]:
    while some := list(islice(quads, _AT_ONCE)):
        yield some


def _batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Parts that fit into memory, each large enough to be loaded quickly."""
    batch: list[Change] = []
    held = 0
    for change in changes:
        batch.append(change)
        held += len(change.quads) if isinstance(change.quads, Sized) else 0
        if len(batch) >= _CHANGES or held >= _IN_BATCH:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
