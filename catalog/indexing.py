"""The indexer process: brings the graphs that SPARQL asks up to date with the rows, and lifts embargoes that are over.

It compares: what the store holds (etags) with what the rows say. Nothing is queued, so nothing is lost when it is
killed, and a store that was thrown away is made anew by the same comparison. There are two stores, apart: what is not
public is not in the public one.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import orjson
from django.conf import settings
from django.db import DatabaseError, connection, connections

from catalog.formats.ahead import Ahead
from catalog.formats.dumping import Dumping
from catalog.graph.asking import INTERNAL, PUBLIC
from catalog.graph.catalog import SPARQL, Summary
from catalog.graph.outside import OutsideStore
from catalog.graph.portions import FILES, drawn
from catalog.graph.quads import catalog_quads, graph_name, record_quads
from catalog.graph.store import Change, QuadStore
from catalog.index.published import compare_all, lift_embargoes
from catalog.models import Published, PublishedThing, Rebuild
from catalog.publishing.iris import FILE, RECORD, catalog_iri, public_iri
from catalog.publishing.site import Site, site
from catalog.whole_records import WholeRows, too_many_files
from ingest.publication import WITHDRAWN

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.25
_EMBARGO_SECONDS = 60.0
_COMPARE_SECONDS = 60.0  # also when the database says that nothing changed
_SHARE = 10  # of the time that comparing all records may take: one part in so many
_IN_ONE_QUERY = 50
_FILES_AT_ONCE = 500
CATALOG = "catalog"  # beside the identifiers of the records: the graph of the catalog itself
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
_HERE = Path(__file__).resolve().parent


class Store(Protocol):
    """Where a graph is kept."""

    def etags(self) -> Mapping[str, str]: ...
    def graphs(self) -> Mapping[str, str]: ...
    def apply(self, changes: Iterator[Change]) -> int: ...


class Rows(Protocol):
    """What a graph is made from: the etag of each record, and the values of some, each with its etag or a newer one.

    ``files`` are those of a record that does not list them, in portions.
    """

    def etags(self) -> Mapping[str, str]: ...
    def values(self, wanted: Mapping[str, str]) -> Iterator[tuple[str, str, Mapping[str, Any]]]: ...
    def files(self, identifier: str) -> Iterator[list[Mapping[str, Any]]]: ...


class PublicRows:
    """What is public, as the rows have it."""

    def etags(self) -> Mapping[str, str]:
        return dict(Published.objects.values_list("identifier", "etag"))

    def values(self, wanted: Mapping[str, str]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        rows = Published.objects.filter(identifier__in=list(wanted))
        yield from rows.values_list("identifier", "etag", "value").iterator(_IN_ONE_QUERY)

    def files(self, identifier: str) -> Iterator[list[Mapping[str, Any]]]:
        """Each read by itself, so that no read transaction lasts for as long as drawing takes."""
        rows = PublishedThing.objects.filter(record=identifier, kind=FILE, value__isnull=False).order_by("position")
        if rows.count() > settings.FAIRFOLDER_SPARQL_FILES:
            log.warning(too_many_files(identifier))
            return
        after = -1
        while some := list(rows.filter(position__gt=after).values_list("position", "value")[:_FILES_AT_ONCE]):
            yield [value for _, value in some if value is not None]
            after = some[-1][0]


def summaries() -> list[Summary]:
    """What the catalog says of its records, withdrawn ones too."""
    rows = Published.objects.order_by("identifier").values_list("identifier", "modified", "state")
    return [Summary(each, f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", state == WITHDRAWN) for each, at, state in rows]


@dataclass
class Graph:
    """A graph, and when it is compared next; times of the monotonic clock."""

    name: str
    store: Store
    rows: Rows
    here: Site
    pause: float = 0.5  # the shortest between two comparisons
    catalog: Callable[[], Iterable[Summary]] | None = None  # the records it says the catalog has; None leaves it out
    waits_for_rebuild: bool = False  # its rows are dropped and come back one by one while the index is rebuilt
    due: float = 0.0
    wait: float = FIRST_WAIT
    is_behind: bool = True
    compared: float = 0.0
    cost: float = 0.0  # seconds that the last comparison took, without what was drawn after it
    set_aside: dict[str, str] = field(default_factory=dict)  # identifier → etag that could not be drawn

    def look(self, *, rows_changed: bool) -> None:
        """Brings it up to date when that is due; tried again later where its store does not take it."""
        now = time.monotonic()
        self.is_behind = self.is_behind or rows_changed or now >= self.compared + _COMPARE_SECONDS
        if not self.is_behind or now < self.due or (self.waits_for_rebuild and Rebuild.objects.exists()):
            return
        self.is_behind = False
        try:
            self.bring_up_to_date()
        except OSError as error:
            log.warning(
                "the %s graph is not brought up to date (%s); tried again in %.0f s", self.name, error, self.wait
            )
            self.is_behind, self.due = True, now + self.wait
            self.wait = min(2 * self.wait, LONGEST_WAIT)
            return
        self.wait, self.compared = FIRST_WAIT, time.monotonic()
        self.due = self.compared + min(LONGEST_WAIT, max(self.pause, _SHARE * self.cost))

    def bring_up_to_date(self) -> int:
        """Makes the store equal to the rows; answers how many records changed in it."""
        began = time.monotonic()
        wanted, have, known = dict(self.rows.etags()), self.store.etags(), self.store.graphs()
        if self.catalog is not None:
            wanted[CATALOG] = hashlib.sha256(orjson.dumps(sorted(wanted.items()))).hexdigest()
        changed = [each for each, etag in wanted.items() if have.get(each) != etag and self.set_aside.get(each) != etag]
        gone = [each for each in known if each not in wanted]
        self.cost = time.monotonic() - began
        return self.store.apply(self._changes({each: wanted[each] for each in changed}, gone))

    def _changes(self, changed: Mapping[str, str], gone: Sequence[str]) -> Iterator[Change]:
        for identifier in gone:
            yield Change(identifier, graph_name(self.here, identifier).value)
        left = iter((each, etag) for each, etag in changed.items() if each != CATALOG)
        while some := dict(islice(left, _IN_ONE_QUERY)):
            for identifier, etag, value in self.rows.values(some):
                yield self._change(identifier, etag, value)
        if self.catalog is not None and CATALOG in changed:
            there = [each for each in self.catalog() if each.identifier not in self.set_aside]
            whole = catalog_quads(self.here, there, (SPARQL,))
            yield Change(CATALOG, catalog_iri(self.here.base_url), changed[CATALOG], whole)

    def _change(self, identifier: str, etag: str, value: Mapping[str, Any]) -> Change:
        graph = graph_name(self.here, identifier).value
        try:
            quads = record_quads(value, self.here)
        except Exception:  # one record that cannot be drawn keeps no other from being found
            log.exception(
                "the record %s cannot be written as RDF; it is left out of the %s graph", identifier, self.name
            )
            self.set_aside[identifier] = etag
            return Change(identifier, graph)
        self.set_aside.pop(identifier, None)
        files = self.rows.files(identifier) if FILES not in value else iter(())
        if (first := next(files, None)) is None:
            return Change(identifier, graph, etag, quads)
        return Change(identifier, graph, etag, drawn(value, chain([first], files), self.here))


def follow(stop: threading.Event) -> None:
    """Keeps the graphs up to date until `stop` is set.

    Raises:
        BusyError: when another process does.
        OSError: when the state folder cannot be used.
    """
    with ExitStack() as stack:
        graphs = _graphs(stack, site()) if settings.FAIRFOLDER_SPARQL else []
        embargoes, seen, compared = 0.0, -1, False
        ahead, dump = Ahead(site()), Dumping(site())
        while True:
            try:
                if not compared and not Rebuild.objects.exists():  # a rebuild compares them itself
                    compare_all()  # this version may hold back what the one before showed
                    compared = True
                if time.monotonic() >= embargoes:
                    lift_embargoes()
                    embargoes = time.monotonic() + _EMBARGO_SECONDS
                version = _data_version()
                for graph in graphs:
                    graph.look(rows_changed=version != seen)
                ahead.look(rows_changed=version != seen)
                dump.look(rows_changed=version != seen)
                seen = version
            except DatabaseError as error:
                log.warning("the graphs do not follow the rows for now: %s", error)
                seen = -1
                connections.close_all()
            if stop.wait(_LOOK_SECONDS):
                connections.close_all()
                return


def _graphs(stack: ExitStack, here: Site) -> list[Graph]:
    folder = settings.FAIRFOLDER_STATE_DIR / "graph"
    version, query, update = (
        version_of(here),
        settings.FAIRFOLDER_SPARQL_QUERY_URL,
        settings.FAIRFOLDER_SPARQL_UPDATE_URL,
    )
    public: Store = (
        stack.enter_context(
            OutsideStore(folder / "outside", query, update, public_iri(here.base_url, RECORD, ""), version)
        )
        if update
        else stack.enter_context(QuadStore(folder / PUBLIC, version))
    )
    whole = stack.enter_context(QuadStore(folder / INTERNAL, version))
    return [
        Graph(PUBLIC, public, PublicRows(), here, catalog=summaries),
        Graph(INTERNAL, whole, WholeRows(), here, pause=5.0, waits_for_rebuild=True),
    ]


def version_of(here: Site) -> str:
    """Everything that a record's quads depend on besides the record: the catalog, the contexts, how they are read."""
    digest = hashlib.sha256(orjson.dumps([asdict(here), settings.FAIRFOLDER_SPARQL_FILES]))
    digest.update(_program())
    return digest.hexdigest()


@cache
def _program() -> bytes:
    folders = (_HERE / "graph", _HERE / "publishing", _HERE.parent / "contexts")
    paths = sorted(
        path for folder in folders for path in folder.iterdir() if path.suffix in (".py", ".jsonld", ".json")
    )
    return b"".join(hashlib.sha256(path.read_bytes()).digest() for path in paths)


def _data_version() -> int:
    """A number that changes whenever another process changed the database."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA data_version")
        return int(cursor.fetchone()[0])
