"""The page on which a curator publishes a dataset or takes it back; everybody else sees what is still to be done."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog import queries, rights
from catalog.editing import targets
from catalog.models import Dataset, Published
from catalog.pages.failures import failure
from catalog.publishing import acting, standing
from catalog.publishing.acting import LONGEST_REASON, PublishingError
from catalog.publishing.altered import altered
from catalog.publishing.checking import Preflight, preflight
from ingest.errors import FairfolderError, StoreError
from ingest.publication import state_of, versions

FIRST_FILES = 10


def telling_of_state(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answers with a sentence where the engine's state cannot be read."""

    @wraps(view)
    def answered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except StoreError as error:
            why = str(error) if rights.of_request(request).curates else "Please tell an administrator."
            return failure(503, "Whether it is public cannot be read now", why)

    return answered


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@telling_of_state
def publish(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """What stands in the way of publishing a dataset, what would be public, and the buttons of a curator."""
    may = rights.of_request(request)
    rows = may.datasets().select_related("registry", "administrative", "structural")
    dataset = get_object_or_404(rows, identifier=str(identifier))
    if request.method != "POST":
        return _page(request, dataset, preflight(dataset, timezone.now()))
    if not may.publishes:
        raise Http404
    do = {"publish": _publish, "withdraw": _withdraw}.get(request.POST.get("do", ""))
    if do is None:
        return _page(request, dataset, preflight(dataset, timezone.now()), status=422)
    return do(request, dataset)


def _publish(request: HttpRequest, dataset: Dataset) -> HttpResponse:
    try:
        found = acting.publish(dataset, by=request.user.get_username(), seen=request.POST.get("seen", ""))
    except PublishingError as error:
        return _page(request, dataset, error.found or preflight(dataset, timezone.now()), [str(error)], 409)
    except FairfolderError as error:
        return _page(request, dataset, preflight(dataset, timezone.now()), targets.words(error), 409)
    if found.is_new:
        messages.success(request, f"Version {found.version} is published.")
    else:
        messages.info(request, "Nothing has changed since it was published; it stays as it is.")
    return HttpResponseRedirect(reverse("publish", args=[dataset.identifier]))


def _withdraw(request: HttpRequest, dataset: Dataset) -> HttpResponse:
    reason = request.POST.get("reason", "")
    try:
        acting.withdraw(dataset, reason, by=request.user.get_username())
    except FairfolderError as error:
        found = preflight(dataset, timezone.now())
        return _page(request, dataset, found, targets.words(error), 422, reason)
    messages.success(request, "The dataset is withdrawn; whoever follows its address reads the reason.")
    return HttpResponseRedirect(reverse("publish", args=[dataset.identifier]))


def _page(
    request: HttpRequest,
    dataset: Dataset,
    found: Preflight,
    sentences: Any = (),
    status: int = 200,
    reason: str = "",
) -> HttpResponse:
    may = rights.of_request(request)
    stand = standing.of(dataset)
    row = Published.objects.defer("value").filter(identifier=dataset.identifier).first()
    preview = found.preview
    lost = altered(dataset.identifier)
    paths = {path for each in lost for path in (*each.missing, *each.changed)}
    context = {
        "dataset": dataset,
        "project": queries.project_of(dataset),
        "inside": True,
        "section": "projects",
        "found": found,
        "state": state_of(stand.entry),
        "edited": stand.edited,
        "publication": stand.entry.get("publication", {}),
        "versions": list(reversed(versions(stand.entry))),
        "row": row,
        "altered": [sentence for each in lost for sentence in each.sentences],
        "kept_back": sum(each["path"] in paths for each in preview.files) if preview is not None else 0,
        "unchanged": not found.is_new and not stand.edited,
        "outdated": standing.waits_for_revision(dataset),
        "seen": acting.token(found),
        "preview": preview.value if preview is not None and preview.state == "published" else None,
        "files": preview.files[:FIRST_FILES] if preview is not None else (),
        "file_count": len(preview.files) if preview is not None else 0,
        "size_bytes": sum(each["size_bytes"] for each in preview.files) if preview is not None else 0,
        "may_publish": may.publishes,
        "may_ask": not may.publishes and may.edits(dataset.project_identifier),
        "sentences": sentences,
        "reason": reason,
        "longest_reason": LONGEST_REASON,
    }
    return render(request, "catalog/publish.html", context, status=status)
