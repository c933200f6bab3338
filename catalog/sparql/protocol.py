"""A request read as the SPARQL 1.1 protocol has it: the query, the graphs it asks, and what form is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from catalog.graph import asking, queries
from catalog.graph.asking import NoAnswerError
from catalog.sparql import negotiating

FORM, QUERY, UPDATE = "application/x-www-form-urlencoded", "application/sparql-query", "application/sparql-update"
WRONG_TYPE = "type"
_MOST_PARAMETERS = 1_000
_LONGEST_BODY = 4 * queries.LONGEST  # percent-encoded, with the names of graphs
_MOST_DRAINED, _PIECE = 8_000_000, 1 << 16
_FORMAT_NAMES = ("format", "output")


@dataclass(frozen=True)
class Asked:
    """What a request asks for; ``query`` is None where it holds none."""

    query: str | None
    default_graphs: tuple[str, ...] | None
    named_graphs: tuple[str, ...] | None
    wanted: negotiating.Wanted


def read(request: HttpRequest) -> Asked:
    """The request, read strictly: what the protocol says once may not stand there twice.

    Raises:
        NoAnswerError: what is wrong with it.
    """
    parameters = _parameters(request.META.get("QUERY_STRING", ""))
    query = None
    if request.method == "POST":
        query, parameters = _posted(request, parameters)
    if _all(parameters, "update"):
        raise NoAnswerError(asking.REFUSED, queries.CHANGES)
    texts = [query] if query is not None else _all(parameters, "query")
    if len(texts) > 1:
        raise NoAnswerError(asking.REFUSED, f"The request holds {len(texts)} queries; send one at a time.")
    if texts and len(texts[0].encode()) > queries.LONGEST:
        raise too_long()
    formats = [value for name in _FORMAT_NAMES for value in _all(parameters, name)]
    return Asked(
        texts[0] if texts else None,
        _graphs(parameters, "default-graph-uri"),
        _graphs(parameters, "named-graph-uri"),
        negotiating.wanted(request.headers.get("Accept", ""), formats),
    )


def too_long() -> NoAnswerError:
    """What is said to a query that is too long."""
    return NoAnswerError(
        asking.LARGE, f"The query is longer than {queries.LONGEST:,} bytes, the longest one may be; shorten it."
    )


def _posted(request: HttpRequest, parameters: list[tuple[str, str]]) -> tuple[str | None, list[tuple[str, str]]]:
    kind = request.content_type
    if kind not in (FORM, QUERY):
        if kind == UPDATE:
            raise NoAnswerError(asking.REFUSED, queries.CHANGES)
        raise NoAnswerError(
            WRONG_TYPE, f"A POST is of the type {FORM} or {QUERY}, and this one says {kind or 'nothing'!r}; set it."
        )
    body = _body(request)
    if kind == FORM:
        return None, parameters + _parameters(body)
    if _all(parameters, "query"):
        raise NoAnswerError(
            asking.REFUSED, "The request holds a query in its address and another in its body; send one."
        )
    return body, parameters


def _body(request: HttpRequest) -> str:
    try:
        body = request.read(_LONGEST_BODY + 1)
        left = _MOST_DRAINED if len(body) > _LONGEST_BODY else 0
        while left > 0 and (piece := request.read(_PIECE)):
            left -= len(piece)  # whoever is cut off while it sends does not read why
    except RequestDataTooBig:
        raise too_long() from None
    if len(body) > _LONGEST_BODY:
        raise too_long()
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise _not_utf8() from error


def _parameters(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except UnicodeDecodeError as error:
        raise _not_utf8() from error
    except ValueError as error:
        raise NoAnswerError(
            asking.REFUSED, f"The request has more than {_MOST_PARAMETERS:,} parameters; send fewer."
        ) from error


def _not_utf8() -> NoAnswerError:
    return NoAnswerError(asking.REFUSED, "The request is not in UTF-8; write it in that encoding.")


def _all(parameters: Sequence[tuple[str, str]], name: str) -> list[str]:
    return [value for each, value in parameters if each == name]


def _graphs(parameters: Sequence[tuple[str, str]], name: str) -> tuple[str, ...] | None:
    found = tuple(value for value in _all(parameters, name) if value)
    return found or None
