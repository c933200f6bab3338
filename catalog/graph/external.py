"""A SPARQL 1.1 server of the institution's own instead of the embedded store: asked and brought up to date by protocol.

It must show the union of its named graphs as default graph, and nobody else may write the graphs of our records.
"""

from __future__ import annotations

import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from http.client import HTTPResponse
from typing import IO, BinaryIO, cast
from urllib.parse import urlencode

from catalog.graph import asking, queries
from catalog.graph.asking import Answer, NoAnswerError, Question
from catalog.graph.limits import Limits

_RESULTS = {
    "json": "application/sparql-results+json",
    "xml": "application/sparql-results+xml",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
}
_RDF = {
    "turtle": "text/turtle",
    "ntriples": "application/n-triples",
    "rdfxml": "application/rdf+xml",
    "jsonld": "application/ld+json",
}
_UPDATE_SECONDS = 120.0
_PIECE = 1 << 16
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
    accepted = [table[form] for table, form in ((_RESULTS, question.results), (_RDF, question.rdf)) if form]
    if not accepted:
        raise NoAnswerError(asking.UNACCEPTABLE, asking.SELECT)
    fields = [("query", question.query)]
    fields += [("default-graph-uri", name) for name in question.default_graphs or ()]
    fields += [("named-graph-uri", name) for name in question.named_graphs or ()]
    try:
        with _opened(url, fields, ", ".join(accepted), limits.seconds) as response:
            media = response.headers.get_content_type()
            stream = _spooled(response, limits)
    except urllib.error.HTTPError as error:
        raise _refused(error) from error
    except OSError as error:
        raise _unreachable(error) from error
    return _answer(media, stream, question)


def _answer(media: str, stream: IO[bytes], question: Question) -> Answer:
    size = stream.tell()
    stream.seek(0)
    for kind, form, table in ((asking.GRAPH, question.rdf, _RDF), (asking.SELECT, question.results, _RESULTS)):
        if form and media == table[form]:
            return Answer(kind, form, size, "", cast(BinaryIO, stream))
    stream.close()
    kind = asking.GRAPH if media in _RDF.values() else asking.SELECT
    if (question.rdf if kind == asking.GRAPH else question.results) == "":
        raise NoAnswerError(asking.UNACCEPTABLE, kind)
    raise NoAnswerError(
        asking.FAILED, f"The SPARQL server of this catalog answers with {media!r}, which nobody asked for."
    )


def _opened(url: str, fields: Sequence[tuple[str, str]], accept: str, seconds: float) -> HTTPResponse:
    headers = {"Accept": accept, "Content-Type": "application/x-www-form-urlencoded"}
    request = urllib.request.Request(url, urlencode(fields).encode(), headers)  # noqa: S310 - checked at start
    return cast(HTTPResponse, _OPENER.open(request, timeout=seconds))


def _spooled(response: HTTPResponse, limits: Limits) -> IO[bytes]:
    stream = tempfile.TemporaryFile()  # noqa: SIM115
    while piece := response.read(_PIECE):
        if stream.tell() + len(piece) > limits.bytes:
            stream.close()
            raise NoAnswerError(
                asking.LARGE, f"The answer is larger than {limits.megabytes} MB; ask for less, with LIMIT and OFFSET."
            )
        stream.write(piece)
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


def _unreachable(error: OSError) -> NoAnswerError:
    if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
        return NoAnswerError(asking.TIME, "The query took too long and was given up; ask for less at once.")
    return NoAnswerError(
        asking.ABSENT, "The SPARQL server of this catalog does not answer right now; ask again later.", retry_seconds=30
    )


def replace(url: str, graphs: Mapping[str, Iterable[str]]) -> None:
    """Makes each named graph hold just these triples, given as lines of N-Triples; all of them in one request.

    Raises:
        OSError: when the server does not take it.
    """
    steps = []
    for graph, lines in graphs.items():
        steps.append(f"DROP SILENT GRAPH <{graph}>")
        text = "\n".join(lines)
        if text:
            steps.append(f"INSERT DATA {{ GRAPH <{graph}> {{\n{text}\n}} }}")
    body = ";\n".join(steps).encode()
    headers = {"Content-Type": "application/sparql-update"}
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - checked at start
    with _OPENER.open(request, timeout=_UPDATE_SECONDS) as response:
        response.read()
