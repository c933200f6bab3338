"""A SPARQL 1.1 server of the institution's own instead of the embedded store: asked and brought up to date by protocol.

It must show the union of its named graphs as default graph, and nobody else may write the graphs of our records.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from http.client import HTTPException, HTTPResponse
from typing import IO, BinaryIO, cast
from urllib.parse import urlencode

from catalog.graph import asking, queries
from catalog.graph.asking import Answer, NoAnswerError, Question
from catalog.graph.limits import Limits
from catalog.graph.media import RDF, RESULTS

_UPDATE_SECONDS = 120.0
_PIECE = 1 << 16
_NAMES_AT_ONCE = 5_000  # servers cut longer answers
_IRI = re.compile(r"[^\x00-\x20<>\"{}|\\^`]+")
_LONGEST_REASON = 300


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is asked is the server that was set, and no other one it names."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def ask(url: str, question: Question, limits: Limits) -> Answer:
    """The answer of the server at `url`, in a file that is whole before it is passed on.

    Raises:
        NoAnswerError: why there is none.
    """
    if why := queries.refusal(question.query, strictly=True):
        raise NoAnswerError(asking.REFUSED, why)
    accepted = [table[form] for table, form in ((RESULTS, question.results), (RDF, question.rdf)) if form]
    if not accepted:
        raise NoAnswerError(asking.UNACCEPTABLE, asking.SELECT)
    fields = [("query", question.query)]
    fields += [("default-graph-uri", name) for name in question.default_graphs or ()]
    fields += [("named-graph-uri", name) for name in question.named_graphs or ()]
    until = time.monotonic() + limits.seconds
    try:
        with _opened(url, fields, ", ".join(accepted), limits.seconds) as response:
            media = response.headers.get_content_type()
            stream = _spooled(response, limits, until)
    except urllib.error.HTTPError as error:
        raise _refused(error) from error
    except (OSError, HTTPException) as error:
        raise _unreachable(error) from error
    return _answer(media, stream, question, limits)


def _answer(media: str, stream: IO[bytes], question: Question, limits: Limits) -> Answer:
    for kind, form, table in ((asking.GRAPH, question.rdf, RDF), (asking.SELECT, question.results, RESULTS)):
        if form and media == table[form]:
            most = min(question.rows or limits.rows, limits.rows)
            whole, partial = _cut(stream, kind, form, most, question.note)
            size = whole.seek(0, os.SEEK_END)
            whole.seek(0)
            return Answer(kind, form, size, partial, cast(BinaryIO, whole))
    stream.close()
    kind = asking.GRAPH if media in RDF.values() else asking.SELECT
    if (question.rdf if kind == asking.GRAPH else question.results) == "":
        raise NoAnswerError(asking.UNACCEPTABLE, kind)
    raise NoAnswerError(
        asking.FAILED, f"The SPARQL server of this catalog answers with {media!r}, which nobody asked for."
    )


def _cut(stream: IO[bytes], kind: str, form: str, most: int, note: str) -> tuple[IO[bytes], str]:
    """The answer, or its first rows where it has more than `most`; and which limit cut it.

    Raises:
        NoAnswerError: when it cannot be read.
    """
    if stream.tell() <= most:  # bytes: no row and no triple takes less than one
        return stream, ""
    from catalog.graph import cutting  # loads the RDF engine

    stream.seek(0)
    with ExitStack() as dropped:
        part = dropped.enter_context(tempfile.TemporaryFile())
        try:
            if kind == asking.GRAPH:
                has_more = cutting.first_triples(stream, part, form, most)
            else:
                has_more = cutting.first_rows(stream, part, form, most, note)
        except (SyntaxError, ValueError) as error:
            stream.close()
            raise NoAnswerError(
                asking.FAILED, f"The SPARQL server of this catalog answers with {form} that cannot be read: {error}."
            ) from error
        if not has_more:
            return stream, ""
        dropped.pop_all()
    stream.close()
    return part, "rows"


def _opened(url: str, fields: Sequence[tuple[str, str]], accept: str, seconds: float) -> HTTPResponse:
    headers = {"Accept": accept, "Content-Type": "application/x-www-form-urlencoded"}
    request = urllib.request.Request(url, urlencode(fields).encode(), headers)  # noqa: S310 - checked at start
    return cast(HTTPResponse, _OPENER.open(request, timeout=seconds))


def _spooled(response: HTTPResponse, limits: Limits, until: float) -> IO[bytes]:
    """The whole answer.

    Raises:
        NoAnswerError: when it is too large.
        OSError: when it ends too early, or is not there at the time `until` of the monotonic clock.
    """
    with ExitStack() as unless_whole:
        stream = unless_whole.enter_context(tempfile.TemporaryFile())
        while piece := response.read1(_PIECE):  # what has arrived: one that comes in drops is given up too
            if time.monotonic() > until:
                raise TimeoutError
            if stream.tell() + len(piece) > limits.bytes:
                raise NoAnswerError(
                    asking.LARGE,
                    f"The answer is larger than {limits.megabytes} MB; ask for less, with LIMIT and OFFSET.",
                )
            stream.write(piece)
        if response.length:
            raise ConnectionError("the answer is not whole")
        unless_whole.pop_all()
    return stream


def _refused(error: urllib.error.HTTPError) -> NoAnswerError:
    told = " ".join(error.read(2_000).decode(errors="replace").split())[:_LONGEST_REASON]
    if error.code == 400:
        return NoAnswerError(asking.SYNTAX, f"The query cannot be read: {told}")
    if error.code == 406:
        return NoAnswerError(asking.UNACCEPTABLE, asking.SELECT)
    return NoAnswerError(
        asking.TIME if error.code in (408, 503, 504) else asking.FAILED,
        f"The SPARQL server of this catalog does not answer this query (status {error.code}); ask for less, or later.",
        retry_seconds=10,
    )


def _unreachable(error: OSError | HTTPException) -> NoAnswerError:
    if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
        return NoAnswerError(asking.TIME, "The query took too long and was given up; ask for less at once.")
    return NoAnswerError(
        asking.ABSENT, "The SPARQL server of this catalog does not answer right now; ask again later.", retry_seconds=30
    )


def graphs(url: str, space: str) -> list[str]:
    """The names of all graphs there that begin with `space`.

    Raises:
        OSError: when the server does not tell them.
    """
    found: list[str] = []
    last = space
    while True:
        query = (
            f"SELECT DISTINCT ?g WHERE {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?g), {json.dumps(space)}) "
            f"&& STR(?g) > {json.dumps(last)}) }} ORDER BY STR(?g) LIMIT {_NAMES_AT_ONCE}"
        )
        some = [name for name in _names(url, query) if name > last]
        if not some:
            return found
        found += [name for name in some if name.startswith(space) and _IRI.fullmatch(name)]
        last = max(some)


def _names(url: str, query: str) -> list[str]:
    try:
        with _opened(url, [("query", query)], RESULTS["json"], _UPDATE_SECONDS) as response:
            rows = json.load(response)["results"]["bindings"]
            return [row["g"]["value"] for row in rows]
    except (HTTPException, ValueError, LookupError, TypeError) as error:
        raise OSError(f"the server's list of its graphs cannot be read: {error!r}") from error


def replace(url: str, graphs: Mapping[str, Iterable[str]]) -> None:
    """Makes each named graph hold just these triples, given as lines of N-Triples; all of them in one request.

    Raises:
        OSError: when the server does not take it.
    """
    steps = []
    for graph, lines in graphs.items():
        steps.append(f"DROP SILENT GRAPH <{graph}>")
        steps += _insertion(graph, lines)
    _update(url, ";\n".join(steps))


def add(url: str, graph: str, lines: Iterable[str]) -> None:
    """Adds these triples, given as lines of N-Triples, to a named graph.

    Raises:
        OSError: when the server does not take it.
    """
    for step in _insertion(graph, lines):
        _update(url, step)


def _insertion(graph: str, lines: Iterable[str]) -> list[str]:
    text = "\n".join(lines)
    return [f"INSERT DATA {{ GRAPH <{graph}> {{\n{text}\n}} }}"] if text else []


def _update(url: str, text: str) -> None:
    headers = {"Content-Type": "application/sparql-update"}
    request = urllib.request.Request(url, text.encode(), headers)  # noqa: S310 - checked at start
    with _OPENER.open(request, timeout=_UPDATE_SECONDS) as response:
        response.read()
