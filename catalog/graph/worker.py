"""The worker: answers one query at a time on the newest snapshot, inside limits it sets on itself.

Started by :mod:`catalog.graph.broker` as ``python -m catalog.graph.worker FOLDER LIMITS``; its standard input is a UNIX
socket, and it ends when that closes. What it cannot stop by itself, a query that runs too long, the broker ends by
SIGKILL; should the broker be killed, the kernel ends the worker (Linux).
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import resource
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import pyoxigraph
from pyoxigraph import NamedNode, QueryBoolean, QueryResultsFormat, QuerySolutions, RdfFormat, Store

from catalog.graph import asking, frames, media, misreading, queries, solutions
from catalog.graph.limits import Limits
from catalog.graph.snapshots import Lease, Snapshots

_RESULTS = {name: QueryResultsFormat.from_media_type(each) for name, each in media.RESULTS.items()}
_RDF = {name: RdfFormat.from_media_type(each) for name, each in media.RDF.items()}
# What stands between two rows; a text may hold it too, so that what it counts is an upper bound.
_BETWEEN = {"json": b"},{", "xml": b"<result>", "csv": b"\n", "tsv": b"\n"}
_NEW_NETWORK, _NEW_USER, _DIE_WITH_PARENT = 0x40000000, 0x10000000, 1
_LONGEST_REASON = 160


class _FullError(Exception):
    """The answer is larger than the limits allow."""


class _Spool:
    """The file an answer is written to; refuses what goes beyond the limits."""

    def __init__(self, stream: IO[bytes], most_bytes: int, most_rows: int, between: bytes) -> None:
        self.stream, self.size, self.rows = stream, 0, 0
        self._most_bytes, self._most_rows, self._between = most_bytes, most_rows, between

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.rows += data.count(self._between) if self._between else 0
        if self.size > self._most_bytes or self.rows > self._most_rows:
            raise _FullError
        return self.stream.write(data)

    def flush(self) -> None:
        self.stream.flush()


class Worker:
    """The stores it has open, and how it answers."""

    def __init__(self, folder: Path, limits: Limits, *, is_offline: bool) -> None:
        self._folder, self._limits, self._is_offline = folder, limits, is_offline
        self._open: dict[str, tuple[Lease, Store]] = {}

    def refresh(self) -> None:
        """Lets go of snapshots that are no longer the newest."""
        for graph, (lease, _) in list(self._open.items()):
            if Snapshots(self._folder / graph / "snapshots").current() != lease.name:
                self._drop(graph)

    def answer(self, question: asking.Question) -> tuple[dict[str, Any], IO[bytes] | None]:
        """What to tell, and the file with the answer when there is one."""
        if why := queries.refusal(question.query, strictly=not self._is_offline):
            return _no(asking.REFUSED, why), None
        try:
            _limit_memory(0)
            store = self._store(question.graph)
            _limit_memory(self._limits.memory)
        except OSError:
            return _no(asking.ABSENT, "The records are just being gathered for queries; ask again soon.", retry=5), None
        try:
            return self._write(store, question)
        except SyntaxError as error:
            found = misreading.told(str(error), question.query)
            return _no(asking.SYNTAX, found.sentence, found.line, found.column), None
        except ValueError as error:
            return _no(asking.REFUSED, f"A graph's name is no IRI: {error}."), None
        except RuntimeError as error:
            return _no(asking.UNFIT, f"The query cannot be run: {_short(str(error))}."), None
        except OSError as error:
            print(f"a query failed: {error}", file=sys.stderr)  # noqa: T201 - to the log: it may name what it reached for
            return _no(asking.FAILED, "The query could not be answered from the records; simplify it."), None

    def _store(self, graph: str) -> Store:
        snapshots = Snapshots(self._folder / graph / "snapshots")
        if graph in self._open and self._open[graph][0].name == snapshots.current():
            return self._open[graph][1]
        self._drop(graph)
        lease = Lease(snapshots)
        try:
            store = Store.read_only(str(lease.path))
        except BaseException:
            lease.release()
            raise
        self._open[graph] = lease, store
        return store

    def _drop(self, graph: str) -> None:
        if graph in self._open:
            lease, store = self._open.pop(graph)
            del store
            lease.release()

    def _write(self, store: Store, question: asking.Question) -> tuple[dict[str, Any], IO[bytes] | None]:
        results = store.query(question.query, **_terms(question))
        kind = asking.GRAPH
        if isinstance(results, QueryBoolean | QuerySolutions):
            kind = asking.ASK if isinstance(results, QueryBoolean) else asking.SELECT
        form = question.rdf if kind == asking.GRAPH else question.results
        if not form:
            return _no(asking.UNACCEPTABLE, kind), None
        stream = tempfile.TemporaryFile(dir=self._folder / "answers")  # noqa: SIM115 - closed by who sends it
        try:
            if isinstance(results, QuerySolutions):
                partial = self._write_rows(store, question, results, stream)
            elif isinstance(results, QueryBoolean):
                results.serialize(stream, _RESULTS[form])
                partial = ""
            else:
                partial = self._write_graph(store, question, results, stream)
            stream.flush()
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
        except BaseException:
            stream.close()
            raise
        return {"kind": kind, "format": form, "size": size, "partial": partial}, stream

    def _rows(self, question: asking.Question) -> int:
        return min(question.rows or self._limits.rows, self._limits.rows)

    def _write_rows(self, store: Store, question: asking.Question, results: QuerySolutions, stream: IO[bytes]) -> str:
        form, most = question.results, self._rows(question)
        spool = _Spool(stream, self._limits.bytes, most + (form in ("csv", "tsv")), _BETWEEN[form])
        try:
            results.serialize(cast(IO[bytes], spool), _RESULTS[form])
        except _FullError:
            stream.seek(0)
            stream.truncate()
        else:
            return ""
        again = store.query(question.query, **_terms(question))
        assert isinstance(again, QuerySolutions)
        return self._cut(again, question, stream, most)

    def _cut(self, results: QuerySolutions, question: asking.Question, stream: IO[bytes], most: int) -> str:
        """The first rows as a whole document. What is counted here is exact: it may turn out to be everything."""
        start, rows, end = solutions.pieces(results, question.results, question.note)
        size = stream.write(start.encode())
        for number, row in enumerate(rows):
            data = row.encode()
            size += len(data)
            if number == most or size > self._limits.bytes:
                stream.write(end.encode())
                return "rows" if number == most else "bytes"
            stream.write(data)
        stream.write(end.encode())
        return ""

    def _write_graph(self, store: Store, question: asking.Question, results: Any, stream: IO[bytes]) -> str:
        most, partial = self._rows(question), ""
        while True:
            counted = _Counted(results, most)
            spool = _Spool(stream, self._limits.bytes, 0, b"")
            try:
                pyoxigraph.serialize(counted, cast(IO[bytes], spool), _RDF[question.rdf])
            except _FullError:
                stream.seek(0)
                stream.truncate()
                most, partial = counted.taken * 9 // 10, "bytes"
                results = store.query(question.query, **_terms(question))
                continue
            return partial or ("rows" if counted.has_more else "")


class _Counted:
    """The first triples of many, and whether there were more."""

    def __init__(self, triples: Iterator[Any], most: int) -> None:
        self._triples, self._most = triples, most
        self.taken, self.has_more = 0, False

    def __iter__(self) -> Iterator[Any]:
        for triple in itertools.islice(self._triples, self._most):
            self.taken += 1
            yield triple
        self.has_more = next(iter(self._triples), None) is not None


def _terms(question: asking.Question) -> dict[str, Any]:
    """Which graphs are asked: the protocol's, or the query's own, or those of the store; and the base of its IRIs."""
    return {"base_iri": question.base or None, **_dataset(question)}


def _dataset(question: asking.Question) -> dict[str, Any]:
    if question.default_graphs is not None or question.named_graphs is not None:
        return {
            "default_graph": [NamedNode(name) for name in question.default_graphs or ()],
            "named_graphs": [NamedNode(name) for name in question.named_graphs or ()],
        }
    return {}


def _no(reason: str, sentence: str, line: int = 0, column: int = 0, retry: int = 0) -> dict[str, Any]:
    return {"reason": reason, "sentence": sentence, "line": line, "column": column, "retry_seconds": retry}


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]} …"


def _limit_memory(more: int) -> None:
    """As much address space as it has now and `more`; no limit for 0."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = _address_space() + more if more else hard
    with contextlib.suppress(ValueError, OSError):  # macOS knows RLIMIT_AS by name only
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _address_space() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def _confine(limits: Limits) -> bool:
    """Leaves the network where the system allows it, and answers whether it did; and no file grows beyond an answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(10)  # pages go first
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * limits.bytes, 2 * limits.bytes))
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    return bool(libc.unshare(_NEW_NETWORK) == 0 or libc.unshare(_NEW_NETWORK | _NEW_USER) == 0)


def main(folder: Path, limits: Limits) -> None:
    """Answers until the socket closes."""
    parent = os.getppid()
    worker = Worker(folder, limits, is_offline=_confine(limits))
    if os.getppid() != parent:
        return  # the broker went before the kernel knew that we go with it
    with socket.socket(fileno=os.dup(0)) as door:
        frames.send(door, {"ready": True, "resident": _resident()})
        while said := frames.receive(door):
            value = said[0]
            if "query" not in value:
                worker.refresh()
                frames.send(door, {"ready": True})
                continue
            told, stream = worker.answer(asking.Question(**value))
            told["resident"] = _resident()
            frames.send(door, told, fd=stream.fileno() if stream is not None else -1)
            if stream is not None:
                stream.close()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Limits.from_text(sys.argv[2]))
    except MemoryError:
        sys.exit(asking.OUT_OF_MEMORY)
