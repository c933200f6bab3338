"""What a form suggests while someone types: a short list as HTML, of what they may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog import rights
from catalog.editing import guided
from catalog.editing.guided import Choice, agents, data_files, instruments, people

MOST = 50
_LONGEST_QUESTION = 200


@dataclass(frozen=True)
class Asked:
    """A question, who asks it, and the dataset it is about."""

    by: rights.Rights
    query: str
    dataset: str


def _of_kind(kind: str) -> Callable[[Asked], Sequence[Choice]]:
    return lambda asked: guided.search(kind, asked.query, MOST)


def _agents(type_: str) -> Callable[[Asked], Sequence[Choice]]:
    def found(asked: Asked) -> Sequence[Choice]:
        known = people.known(asked.by, asked.query, MOST, type_=type_)
        return [Choice(each.token, each.label, str(each.value.get("email", ""))) for each in known]

    return found


def _instruments(asked: Asked) -> Sequence[Choice]:
    return instruments.known(asked.query, MOST)


def _files(asked: Asked) -> Sequence[Choice]:
    return data_files.known(asked.by, asked.dataset, asked.query, MOST)


SUGGESTIONS: Mapping[str, Callable[[Asked], Sequence[Choice]]] = {
    "people": _agents(agents.PERSON),
    "organizations": _agents(agents.ORGANIZATION),
    "agents": _agents(""),
    "licences": _of_kind("license"),
    "languages": _of_kind("language"),
    "units": _of_kind("unit"),
    "instruments": _instruments,
    "files": _files,
}


@never_cache
@require_safe
def suggest(request: HttpRequest, kind: str) -> HttpResponse:
    """At most :data:`MOST` suggestions for ``q``.

    As options of a ``datalist``; with ``for``, the name of a field, as buttons that take the value over into it.
    """
    find = SUGGESTIONS.get(kind)
    if find is None:
        raise Http404
    query = request.GET.get("q", "").replace("\0", "")[:_LONGEST_QUESTION]
    dataset = request.GET.get("dataset", "").replace("\0", "")
    found = find(Asked(rights.of_request(request), query, dataset))
    context = {"found": found, "for": request.GET.get("for", ""), "q": query, "kind": kind}
    return render(request, "catalog/suggestions.html", context)
