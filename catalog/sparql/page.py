"""The page at ``/sparql`` for people: a box for the query, questions ready to ask, and a table; it needs no script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from catalog.graph import asking, queries
from catalog.graph.asking import Answer, Question
from catalog.publishing.site import site
from catalog.sparql import answering, negotiating, ready, showing
from catalog.sparql.protocol import Asked

Ask = Callable[[Question], tuple[Answer, Callable[[], None]]]

_FORMS = ((negotiating.HTML, "Table on this page"), *negotiating.NAMES.items())


def page(request: HttpRequest, asked: Asked, ask: Ask) -> HttpResponse:
    """The page, with the answer where something is asked.

    Raises:
        NoAnswerError: why it is not answered; :func:`failed` shows it.
    """
    if asked.query is None or not asked.query.strip():
        return _rendered(request, {}, query=asked.query or ready.QUESTIONS[0].query)
    found, leave = ask(
        Question(
            asked.query,
            default_graphs=asked.default_graphs,
            named_graphs=asked.named_graphs,
            rows=showing.ROWS,
            base=f"{site().base_url}/",
        )
    )
    try:
        shown = showing.shown(found)
    finally:
        found.stream.close()
        leave()
    saved = negotiating.RDF if shown.kind == asking.GRAPH else negotiating.RESULTS
    links = [(negotiating.NAMES[name], _saved_at(asked, name)) for name in saved]
    return _rendered(request, {"shown": shown, "links": links, "most": showing.ROWS}, query=asked.query)


def failed(request: HttpRequest, asked: Asked, sentence: str, status: int) -> HttpResponse:
    """The page with what is wrong, and the query as it was written; nothing else where no query is answered."""
    return _rendered(request, {"failure": sentence}, query=asked.query or "", status=status)


def _saved_at(asked: Asked, form: str) -> str:
    fields = [("query", asked.query or ""), ("format", form)]
    fields += [("default-graph-uri", name) for name in asked.default_graphs or ()]
    fields += [("named-graph-uri", name) for name in asked.named_graphs or ()]
    return f"{reverse('sparql')}?{urlencode(fields)}"


def _rendered(request: HttpRequest, more: Mapping[str, Any], *, query: str, status: int = 200) -> HttpResponse:
    limits = answering.limits()
    asking_for = ready.questions(ready.of_what_is_public() if status < 400 else ready.Examples())
    links = [(each.title, f"{reverse('sparql')}?{urlencode({'query': each.query})}") for each in asking_for]
    context = {
        "query": query,
        "lines": min(24, max(8, query.count("\n") + 2)),
        "forms": _FORMS,
        "ready": links,
        "limits": limits,
        "longest": queries.LONGEST,
        "site": site(),
        "section": "sparql",
        **more,
    }
    return render(request, "catalog/sparql.html", context, status=status)
