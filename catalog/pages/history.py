"""Pages of a record's history: its versions, one as it was, what two say differently, and setting one back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from catalog import engine, queries, rights
from catalog.editing import targets
from catalog.editing.targets import Target
from catalog.history import acts, comparing, finding, past, prov, restoring, telling
from catalog.history.acts import Act
from catalog.history.differences import PROJECT_KEY
from catalog.history.past import Text
from catalog.history.restoring import Plan, RestoreError
from catalog.models import Dataset, Project
from catalog.pages import values
from catalog.pages.failures import answering_questions, telling_of_git
from ingest import documents
from ingest.documents import STRUCTURAL
from ingest.errors import ConflictError, DocumentError, FairfolderError
from ingest.provenance.trails import Version

MOST_IN_A_TRAIL = 100
FIRST_CHANGES = 3
FIRST_FILES = 50
LONGEST_TEXT = 20_000
_HEAD = {"file_descriptions", *documents.AUDIT}


@dataclass(frozen=True)
class Line:
    """A version in the list; ``changes``: what it says otherwise than the one before it, None where not read."""

    version: Version
    changes: tuple[str, ...] | None
    more: int
    is_newest: bool


@require_safe
@telling_of_git
@answering_questions
def history(request: HttpRequest, word: str, identifier: UUID) -> HttpResponse:
    """The versions of a document, the newest first; ``?with=`` asks for the other one of a comparison."""
    target = _target(request, word, identifier)
    page = past.page(target, request.GET.get("at", ""))
    chosen = request.GET.get("with", "")
    other = past.version(target, chosen) if chosen else None
    context = _around(request, target) | {
        "lines": _lines(request, target, page),
        "acts": _acts(target, page),
        "page": page,
        "other": other,
        "trouble": page.trouble,
    }
    return render(request, "catalog/history.html", context)


@require_safe
@telling_of_git
def version(request: HttpRequest, word: str, identifier: UUID) -> HttpResponse:
    """One version: who made it and why, what it changed, and the record as it was."""
    target = _target(request, word, identifier)
    found = _text(request, target, request.GET.get("at", ""))
    before = past.before(target, found.version)
    newest = past.newest(target)
    context = _around(request, target) | {
        "version": found.version,
        "text": found,
        "before": before,
        "compared": comparing.compared(target, before, found) if before is not None else None,
        "is_newest": newest is not None and newest.commit == found.version.commit,
        "may_restore": _may_restore(request, target),
        "facts": _facts(target, found),
        "raw": found.raw[:LONGEST_TEXT].decode(errors="replace") if found.problem else "",
        "files": list(_files(found)) if target.kind == STRUCTURAL and not found.problem else [],
    }
    return render(request, "catalog/history_version.html", context)


@require_safe
@telling_of_git
def version_file(request: HttpRequest, word: str, identifier: UUID) -> HttpResponse:
    """The document of one version itself, byte for byte."""
    target = _target(request, word, identifier)
    found = _text(request, target, request.GET.get("at", ""))
    response = HttpResponse(found.raw, content_type="application/ld+json")
    name = f"{target.kind}.{found.version.commit[:12]}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-cache"
    return response


@require_safe
@telling_of_git
def differences(request: HttpRequest, word: str, identifier: UUID) -> HttpResponse:
    """What two versions say differently, the older one first whichever way round they are named."""
    target = _target(request, word, identifier)
    one, other = (_text(request, target, request.GET.get(key, "")) for key in ("from", "to"))
    if past.is_later(target, one.version, other.version):
        one, other = other, one
    context = _around(request, target) | {
        "older": one,
        "newer": other,
        "compared": comparing.compared(target, one, other),
    }
    return render(request, "catalog/history_differences.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@telling_of_git
def restore(request: HttpRequest, word: str, identifier: UUID) -> HttpResponse:
    """What setting a version back would change; a POST does it, as one more action of the person who asks."""
    target = _target(request, word, identifier)
    if not _may_restore(request, target):
        raise Http404
    asked = request.POST if request.method == "POST" else request.GET
    found = _text(request, target, asked.get("at", ""))
    try:
        now = restoring.present(target)
        if found.problem:
            raise RestoreError(f"This version cannot be set back: {found.problem}")
        plan = restoring.plan(target, now, found.value)
        if request.method == "POST":
            return _restored(request, target, found, plan)
    except ConflictError:
        plan = restoring.plan(target, restoring.present(target), found.value)
        return _preview(request, target, found, plan, overtaken=True, status=412)
    except (FairfolderError, FileNotFoundError) as error:
        return _preview(request, target, found, None, sentences=_sentences(request, error, target, found), status=409)
    return _preview(request, target, found, plan)


def _restored(request: HttpRequest, target: Target, found: Text, plan: Plan) -> HttpResponse:
    if request.POST.get("etag", "") != plan.etag:
        raise ConflictError(target.path, request.POST.get("etag", "")[:64], plan.etag)
    reason = request.POST.get("reason", "")
    try:
        restoring.restore(target, plan, found.version, by=request.user.get_username(), reason=reason)
    except DocumentError as error:
        return _preview(request, target, found, plan, sentences=targets.words(error), status=422)
    messages.success(request, "The version was restored; the one before it is kept in this history.")
    return HttpResponseRedirect(reverse("history", args=[target.word, target.identifier]))


def _preview(
    request: HttpRequest,
    target: Target,
    found: Text,
    plan: Plan | None,
    *,
    sentences: tuple[str, ...] = (),
    overtaken: bool = False,
    status: int = 200,
) -> HttpResponse:
    context = _around(request, target) | {
        "version": found.version,
        "plan": plan,
        "sentences": sentences,
        "overtaken": overtaken,
        "reason": request.POST.get("reason", ""),
        "longest_reason": targets.LONGEST_REASON,
    }
    return render(request, "catalog/history_restore.html", context, status=status)


def _sentences(request: HttpRequest, error: Exception, target: Target, found: Text) -> tuple[str, ...]:
    if isinstance(error, DocumentError) and not found.problem:
        if rights.of_request(request).curates:
            return str(error), restoring.by_hand(target, found.version)
        return (restoring.BY_OTHERS,)
    if isinstance(error, FairfolderError):
        return targets.words(error)
    return ("The document is not there any more; a record is restored where it stands.",)


@require_safe
@telling_of_git
@answering_questions
def trail(request: HttpRequest, word: str, identifier: UUID) -> HttpResponse:
    """The versions of a document as PROV-O; a longer trail goes on at the address of its ``Link`` header."""
    target = _target(request, word, identifier)
    page = past.page(target, request.GET.get("at", ""), MOST_IN_A_TRAIL)
    told = comparing.along(target, page)
    versions = telling.told(rights.of_request(request), target, page.versions)
    address = request.build_absolute_uri(reverse("version", args=[word, identifier]))
    steps = [
        prov.Step(f"{address}?at={v.commit}", v.commit, v.blob, v.moment, v.by, v.subject, v.reason, changes or ())
        for v, changes in zip(versions, told, strict=True)
    ]
    of_acts = [
        prov.Step(f"{address}#act-{a.version.commit}", a.version.commit, "", a.version.moment, a.version.by, a.words)
        for a in _acts(target, page)
    ]
    named = request.user.is_authenticated
    value = prov.trail(_iri(target), target.title, steps, with_names=named, acts=of_acts)
    response = JsonResponse(value, content_type="application/ld+json")
    if page.older:
        response["Link"] = f'<{request.build_absolute_uri(request.path)}?at={page.older}>; rel="next"'
    response["Cache-Control"] = "private, no-cache"
    return response


# --- what every page needs ----------------------------------------------------------------------------------------


def _target(request: HttpRequest, word: str, identifier: UUID) -> Target:
    """The document, if it is there and may be seen: what may not be seen is answered like what is not there."""
    target = finding.target(word, str(identifier))
    if target is None or not target.may_be_seen(rights.of_request(request)):
        raise Http404
    return target


def _text(request: HttpRequest, target: Target, commit: str) -> Text:
    """A version's text, as whoever asks may be told of it; the newest where none is named."""
    found = past.text(target, commit)
    if found is None:
        raise Http404
    return replace(found, version=telling.told_of(rights.of_request(request), target, found.version))


def _may_restore(request: HttpRequest, target: Target) -> bool:
    return target.word in targets.KINDS and target.may_be_changed(rights.of_request(request))


def _around(request: HttpRequest, target: Target) -> dict[str, Any]:
    """What stands around every page of a history."""
    dataset = (
        Dataset.objects.filter(identifier=target.dataset_identifier).first() if target.dataset_identifier else None
    )
    project = Project.objects.filter(identifier=target.project_identifier).first()
    return {
        "target": target,
        "word": finding.word_of(target),
        "what": finding.name_of(target),
        "record_url": _page_of(target),
        "project": project,
        "dataset": dataset,
        "inside": dataset is not None,
        "section": "projects" if target.project_identifier else "instruments",
        "rebuilding": queries.rebuilding(),
    }


def _page_of(target: Target) -> str:
    """The page of the record a document belongs to."""
    if target.kind == documents.COMPLETE:
        return reverse("revision", args=[target.identifier, documents.revision_of(target.path.name) or 1])
    if target.word in ("project", "run", "instrument"):
        return reverse(target.word, args=[target.identifier])
    return reverse("dataset", args=[target.dataset_identifier])


def _iri(target: Target) -> str:
    return f"urn:uuid:{target.identifier}"


def _lines(request: HttpRequest, target: Target, page: past.Page) -> list[Line]:
    """The versions of a page, each with the first things it changed."""
    told = comparing.along(target, page)
    versions = telling.told(rights.of_request(request), target, page.versions)
    first = page.number == 1
    return [
        Line(each, changes and changes[:FIRST_CHANGES], max(0, len(changes or ()) - FIRST_CHANGES), first and not at)
        for at, (each, changes) in enumerate(zip(versions, told, strict=True))
    ]


def _acts(target: Target, page: past.Page) -> list[Act]:
    """When a dataset was published and withdrawn, beside its newest versions."""
    if target.word != "dataset" or page.number > 1 or page.trouble:
        return []
    return acts.acts(target.root, target.identifier)


def _facts(target: Target, found: Text) -> list[values.Fact]:
    """What a version says, by the titles its fields have today."""
    labels, titles = engine.labels(target.root, target.kind), comparing.titles(target)
    keys = [key for key in found.value if key not in _HEAD and key[:1] not in "@$"]
    project = found.value.get(PROJECT_KEY)
    named = {PROJECT_KEY: titles[project]} if isinstance(project, str) and project in titles else {}
    return values.facts({**found.value, **named}, labels, keys)


def _files(found: Text) -> Iterator[Mapping[str, str]]:
    """The first files a manifest described."""
    for number, path in enumerate(comparing.described(found)):
        if number >= FIRST_FILES:
            break
        yield {"path": path}
