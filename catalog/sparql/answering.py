"""Who answers a query: the embedded store by its broker, or the institution's own SPARQL server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest

from catalog.graph import asking, external
from catalog.graph.asking import PUBLIC, Answer, NoAnswerError, Question
from catalog.graph.limits import Limits

OFF = "This service answers no SPARQL queries; its administrator turns them on with FAIRFOLDER_SPARQL=1."


def is_on() -> bool:
    """Whether queries are answered at all; without an indexer nothing keeps an institution's own server up to date."""
    return bool(settings.FAIRFOLDER_SPARQL)


def in_templates(request: HttpRequest) -> Mapping[str, object]:
    """A context processor: ``has_sparql``, for pages that would lead to ``/sparql``."""
    return {"has_sparql": is_on()}


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


def answer(question: Question, has_gone: Callable[[], bool] = lambda: False) -> Answer:
    """The answer to a question, from wherever this service keeps its graphs.

    Raises:
        NoAnswerError: why there is none.
    """
    if not is_on():
        raise NoAnswerError(asking.OFF, OFF)
    url = settings.FAIRFOLDER_SPARQL_QUERY_URL
    if url and question.graph == PUBLIC:
        return external.ask(url, question, limits())
    return asking.ask(folder(), question, limits(), has_gone)
