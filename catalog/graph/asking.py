"""Asking the records a SPARQL query: the question, the answer, and what may be said instead of one.

The query runs in a worker process on a snapshot; one broker for the whole service hands it there
(:mod:`catalog.graph.broker`). An answer comes as an open file that is whole before its first byte is passed on: what is
told with status 200 is not cut off later, and a slow reader keeps no worker. Needs no RDF engine.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from catalog.graph import frames
from catalog.graph.limits import Limits
from ingest.errors import FairfolderError

PUBLIC, INTERNAL = "public", "internal"
SELECT, ASK, GRAPH = "select", "ask", "graph"
DOOR = "asking.sock"
_LOOK_SECONDS = 0.5
_PATIENCE = 30.0  # beyond the time a query and its waiting may take

# Why there is no answer.
SYNTAX, REFUSED, UNACCEPTABLE, LARGE = "syntax", "refused", "unacceptable", "large"
UNFIT, TIME, MEMORY = "unfit", "time", "memory"
BUSY, ABSENT, FAILED, OFF = "busy", "absent", "failed", "off"
OUT_OF_MEMORY = 12  # what a worker that got no memory ends with


@dataclass(frozen=True)
class Question:
    """A query, the graphs it asks, and the forms its answer may have.

    ``default_graphs`` and ``named_graphs`` are those of the protocol, None where it names none; ``results`` is the form
    for SELECT and ASK, ``rdf`` that for CONSTRUCT and DESCRIBE, "" where none is acceptable.
    """

    query: str
    graph: str = PUBLIC
    default_graphs: tuple[str, ...] | None = None
    named_graphs: tuple[str, ...] | None = None
    results: str = "json"
    rdf: str = "turtle"
    rows: int = 0  # fewer than the service's limit, where it is not 0
    base: str = ""  # against which relative IRIs are meant
    note: str = ""  # IRI of what is said about partial answers


@dataclass(frozen=True)
class Answer:
    """What was found, in an open file of ``size`` bytes; ``partial`` names the limit that cut it, "" for none."""

    kind: str
    format: str
    size: int
    partial: str
    stream: BinaryIO


class NoAnswerError(FairfolderError):
    """Why a query is not answered, in words; ``line`` and ``column`` say where its text is wrong."""

    def __init__(self, reason: str, sentence: str, line: int = 0, column: int = 0, retry_seconds: int = 0) -> None:
        super().__init__(sentence)
        self.reason, self.line, self.column, self.retry_seconds = reason, line, column, retry_seconds


def ask(folder: Path, question: Question, limits: Limits, has_gone: Callable[[], bool] = lambda: False) -> Answer:
    """The answer of the broker that listens in `folder`; given up when whoever asked `has_gone`.

    Raises:
        NoAnswerError: why there is none.
    """
    with _connected(folder, limits) as door:
        try:
            frames.send(door, asdict(question))
            while not frames.ready([door], _LOOK_SECONDS):
                if has_gone():
                    raise NoAnswerError(FAILED, "Nobody waits for the answer any more.")
            said = frames.receive(door)
        except OSError:
            said = None
    if said is None:
        raise NoAnswerError(FAILED, "The query was lost, because what answers queries stopped; ask again.", 0, 0, 2)
    value, fd = said
    if fd < 0:
        raise NoAnswerError(**value)
    return Answer(value["kind"], value["format"], value["size"], value["partial"], os.fdopen(fd, "rb"))


@contextmanager
def _connected(folder: Path, limits: Limits) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(limits.seconds * 2 + limits.waiting + _PATIENCE)
        try:
            with reachable(folder) as path:
                door.connect(path)
        except OSError:
            raise NoAnswerError(
                ABSENT,
                "Queries are not answered right now: the process for them is just starting, or does not run "
                "(`serve` starts it; manage.py answer_sparql runs it alone).",
                retry_seconds=5,
            ) from None
        yield door


@contextmanager
def reachable(folder: Path) -> Iterator[str]:
    """The socket's path as the kernel takes it: one of more than 107 bytes is named through the open folder."""
    path = str(folder / DOOR)
    if len(os.fsencode(path)) < 108 or not Path("/proc/self/fd").is_dir():
        yield path
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{fd}/{DOOR}"
    finally:
        os.close(fd)
