"""The form of a record, its checks while someone types, and what is kept of it meanwhile."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalog import rights
from catalog.editing import handling, live, targets
from catalog.editing.handling import Chrome
from catalog.editing.targets import Target


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, word: str, identifier: UUID) -> HttpResponse:
    """The form of one record."""
    target = _target(request, word, identifier)
    return handling.handle(request, target, Chrome(back_url=_page_of(target), context={"section": "projects"}))


@require_POST
def check(request: HttpRequest, word: str, identifier: UUID) -> HttpResponse:
    """What is wrong with one field as it is typed, and how complete the record would be."""
    return live.check(request, _target(request, word, identifier))


@require_POST
def keep(request: HttpRequest, word: str, identifier: UUID) -> HttpResponse:
    """Keeps what is typed, without saving it."""
    return live.keep(request, _target(request, word, identifier))


def _target(request: HttpRequest, word: str, identifier: UUID) -> Target:
    """The document, if it is there and the person may change it: who may not gets the answer of one that is not."""
    target = targets.changeable(word, str(identifier), rights.of_request(request))
    if target is None:
        raise Http404
    return target


def _page_of(target: Target) -> str:
    """The page a form leads back to."""
    if target.word in ("project", "run", "instrument"):
        return reverse(target.word, args=[target.identifier])
    if target.dataset_identifier:
        return reverse("dataset", args=[target.dataset_identifier])
    return reverse("projects")
