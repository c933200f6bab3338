"""A record's review, for those who send it and those who decide: its state, what was said, and what each may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog import rights
from catalog.editing import reviews, targets
from catalog.editing.reviews import ReviewError
from catalog.editing.targets import Target
from ingest.errors import FairfolderError


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, word: str, identifier: UUID) -> HttpResponse:
    """The review of one record; a POST does what its button (``do``) asks for."""
    by = rights.of_request(request)
    target = targets.find(word, str(identifier))
    if target is None or not target.may_be_seen(by):
        raise Http404
    if request.method == "POST":
        _do(request, target)
        return HttpResponseRedirect(_back(request))
    context = {"target": target, "review": reviews.standing(target, by), "back": request.path, "section": "projects"}
    return render(request, "catalog/forms/reviewing.html", context)


def _do(request: HttpRequest, target: Target) -> None:
    assert isinstance(request.user, User)
    act = _VERBS.get(request.POST.get("do", ""), _decide)
    try:
        messages.success(request, act(target, request.user, request))
    except FairfolderError as error:
        for sentence in targets.words(error):
            messages.error(request, sentence)


def _send(target: Target, user: User, request: HttpRequest) -> str:
    reviews.send(target, user, request.POST.get("text", ""))
    return "The record was sent for review; a curator will look at it."


def _decide(target: Target, user: User, request: HttpRequest) -> str:
    latest = reviews.latest(target)
    if latest is None:
        raise ReviewError("This record was not sent for review yet.")
    return reviews.decide(latest, user, request.POST)


_VERBS: Mapping[str, Callable[[Target, User, HttpRequest], str]] = {"send": _send}


def _back(request: HttpRequest) -> str:
    """The page the button was on, if it is one of ours."""
    wanted = request.POST.get("back", "")
    if wanted[:1] == "/" and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return request.path
