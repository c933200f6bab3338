"""Who answers a query: the embedded store by its broker, or the institution's own SPARQL server."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from catalog.graph import asking, external
from catalog.graph.asking import PUBLIC, Answer, NoAnswerError, Question
from catalog.graph.limits import Limits

log = logging.getLogger(__name__)

_TOLD = frozenset({asking.TIME, asking.MEMORY, asking.FAILED, asking.ABSENT})
_TOKEN, _LONGEST_TOLD = re.compile(r"ff_[\w-]+"), 200
_PATIENCE = 5.0  # for the answer of a service that may be broken
OFF = "This service answers no SPARQL queries; its administrator turns them on with FAIRFOLDER_SPARQL=1."


def is_on() -> bool:
    """Whether queries are answered at all; without an indexer nothing keeps an institution's own server up to date."""
    return bool(settings.FAIRFOLDER_SPARQL)


def in_templates(request: HttpRequest) -> Mapping[str, object]:
    """A context processor: ``has_sparql``, for pages that would lead to ``/sparql``, and ``sparql_trouble``.

    The latter is a function, called by the template that names it: it asks a query, which few pages should wait for.
    """
    return {"has_sparql": is_on(), "sparql_trouble": trouble}


def folder() -> Path:
    """Where the stores, their snapshots and the broker's socket are."""
    state: Path = settings.FAIRFOLDER_STATE_DIR
    return state / "graph"


def limits() -> Limits:
    """What the settings allow a query."""
    return Limits(
        seconds=settings.FAIRFOLDER_SPARQL_SECONDS,
        rows=settings.FAIRFOLDER_SPARQL_ROWS,
        megabytes=settings.FAIRFOLDER_SPARQL_MEGABYTES,
        memory_megabytes=settings.FAIRFOLDER_SPARQL_MEMORY_MEGABYTES,
        workers=settings.FAIRFOLDER_SPARQL_WORKERS,
    )


def answer(question: Question, has_gone: Callable[[], bool] = lambda: False, who: str = "") -> Answer:
    """The answer to a question, from wherever this service keeps its graphs; the log is told where it is given up.

    Raises:
        NoAnswerError: why there is none.
    """
    if not is_on():
        raise NoAnswerError(asking.OFF, OFF)
    began = time.monotonic()
    try:
        url = settings.FAIRFOLDER_SPARQL_QUERY_URL
        if url and question.graph == PUBLIC:
            return external.ask(url, question, limits())
        return asking.ask(folder(), question, limits(), has_gone)
    except NoAnswerError as error:
        if error.reason in _TOLD:
            took, text = time.monotonic() - began, excerpt(question.query)
            log.warning("no answer to a query of %s after %.1f s: %s Query: %s", who or "?", took, error, text)
        raise


def trouble() -> str:
    """Why queries get no answer from a service that runs; "" where they get one, or none runs here."""
    if not is_on() or settings.FAIRFOLDER_SPARQL_QUERY_URL or not (folder() / asking.DOOR).exists():
        return ""
    until = time.monotonic() + _PATIENCE
    try:
        asking.ask(folder(), Question("ASK {}"), limits(), lambda: time.monotonic() > until).stream.close()
    except NoAnswerError as error:
        # A service that is busy, or has nothing to ask yet, is not broken.
        return str(error) if error.reason == asking.FAILED and time.monotonic() < until else ""
    return ""


def excerpt(query: str) -> str:
    """A query as the log has it: on one line, not long, and without what may be somebody's token."""
    line = "".join(each if each.isprintable() else "\ufffd" for each in " ".join(query.split()))
    text = _TOKEN.sub("ff_…", line)
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}…"


def is_told_of(response: HttpResponseBase) -> HttpResponseBase:
    """Has Django not tell the log of a response once more, as an error: what was wrong with the query stands there."""
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
