"""A new instrument for the registry: its name first, the rest in its own form."""

from __future__ import annotations

from pathlib import Path

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog import engine, rights
from catalog.editing import registry, targets
from catalog.models import Instrument
from ingest.errors import FairfolderError

_LONGEST = 300


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form that adds an instrument, for whoever may change some project."""
    if not rights.of_request(request).edits_somewhere:
        raise Http404
    name = request.POST.get("name", "").strip()
    root = _root(request)
    if request.method != "POST":
        return _page(request, name, "")
    if not name or len(name) > _LONGEST or not name.isprintable():
        return _page(request, name, f"Give the instrument a name, one line of at most {_LONGEST} characters.", 422)
    if root is None:
        return _page(request, name, "Choose the folder in whose registry it shall stand.", 422)
    alike = Instrument.objects.filter(name__iexact=name).first()
    if alike is not None and not request.POST.get("anyway"):
        return _page(request, name, "An instrument of this name is there already.", 409, alike)
    try:
        identifier = registry.add_instrument(root, name, by=request.user.get_username())
    except FairfolderError as error:
        return _page(request, name, " ".join(targets.words(error)), 409)
    messages.success(request, f"{name!r} is in the registry; say more about it here.")
    return HttpResponseRedirect(reverse("edit", args=["instrument", identifier]))


def _root(request: HttpRequest) -> Path | None:
    """The watched folder that was chosen; the only one where there is but one."""
    roots = engine.roots()
    if len(roots) == 1:
        return roots[0]
    return next((root for number, root in enumerate(roots) if request.POST.get("root") == str(number)), None)


def _page(
    request: HttpRequest, name: str, error: str, status: int = 200, alike: Instrument | None = None
) -> HttpResponse:
    roots = engine.roots()
    context = {
        "name": name,
        "error": error,
        "alike": alike,
        "roots": list(enumerate(map(str, roots))) if len(roots) > 1 else [],
        "chosen_root": request.POST.get("root", ""),
        "section": "instruments",
    }
    return render(request, "catalog/forms/new_instrument.html", context, status=status)
