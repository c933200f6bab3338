"""Pages on the service itself: how it is, why a path is not described, and a sign of life for machines."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from catalog import engine, queries, state
from catalog.models import Dataset, Project
from ingest import documents
from ingest.errors import FairfolderError, LayoutError
from ingest.seen import Condition
from ingest.status import Status, explain, path_in
from ingest.status import status as status_of

_ASIDE = (Condition.STRAY, Condition.LINK, Condition.SPECIAL)
_MOST_ASIDE = 100


@dataclass(frozen=True)
class Line:
    """A path that needs a person or an explanation; `dataset` is the identifier of the one it lies in, or empty."""

    path: str
    condition: str
    reason: str
    since: float = 0.0
    dataset: str = ""


@dataclass(frozen=True)
class RootStatus:
    """What one watched folder says of itself, or why it cannot; `aside` are paths that are left out."""

    root: Path
    status: Status | None = None
    failure: str = ""
    unwatched: str = ""
    problems: Sequence[Line] = ()
    aside: Sequence[Line] = ()
    number_aside: int = 0


def status(request: HttpRequest) -> HttpResponse:
    """How watching goes, what waits, what failed and why."""
    roots = [_root_status(root) for root in engine.roots()]
    told = {problem.reason for each in roots for problem in each.problems}
    unclear = [Line(each.path, "", each.sentence) for each in queries.unclear() if each.sentence not in told]
    context = {
        "roots": roots,
        "unclear": _linked(unclear),
        "watcher": state.watcher_note(),
        "rebuilding": queries.rebuilding(),
        "counts": _counts(),
        "section": "status",
    }
    return render(request, "catalog/status.html", context)


def _counts() -> dict[str, int]:
    """What is there now; missing datasets are counted by themselves."""
    present = Dataset.objects.filter(state="present").aggregate(datasets=Count("pk"), files=Sum("file_count"))
    return {
        "projects": Project.objects.filter(state="present").count(),
        "datasets": present["datasets"],
        "files": present["files"] or 0,
        "missing": Dataset.objects.filter(state="missing").count(),
    }


def _root_status(root: Path) -> RootStatus:
    try:
        with engine.looking(root) as workspace:
            told = status_of(workspace)
            rows = workspace.seen.in_condition(_ASIDE, _MOST_ASIDE)
    except FairfolderError as error:
        return RootStatus(root, failure=str(error))
    problems = [Line(each.path, each.condition, each.reason, each.since) for each in told.problems]
    aside = [Line(documents.readable(f"{place}/{row.path}"), row.condition.word, row.reason) for place, row in rows]
    number = sum(told.counts.get(condition.word, 0) for condition in _ASIDE)
    unwatched = state.unwatched(root)
    return RootStatus(root, told, "", unwatched, _linked(problems, root), _linked(aside, root), number)


def _linked(lines: Sequence[Line], root: Path | None = None) -> list[Line]:
    """The same lines with the datasets they lie in, where the index knows one and only one of that folder."""
    folders = {line.path: "/".join(line.path.split("/")[:2]) for line in lines}
    rows = Dataset.objects.filter(path__in=set(folders.values()))
    if root is not None:
        rows = rows.filter(root=documents.readable(str(root)))
    known: dict[str, str] = {}
    for path, identifier in rows.values_list("path", "identifier"):
        known[path] = "" if path in known else identifier
    return [replace(line, dataset=known.get(folders[line.path], "")) for line in lines]


def why(request: HttpRequest) -> HttpResponse:
    """Why a path is, or is not, described."""
    path = request.GET.get("path", "").strip("\r\n")
    context: dict[str, Any] = {"path": path, "answers": [], "roots": engine.roots(), "section": "why"}
    context["example"] = f"{engine.example_dataset()}/scan.tif"
    if not path.strip():
        return render(request, "catalog/why.html", context)
    if "\x00" in path:
        context["failure"] = "A path cannot hold a NUL character; correct the path."
        return render(request, "catalog/why.html", context, status=400)
    try:
        for root in _roots_of(path):
            with engine.looking(root) as workspace:
                answer = explain(workspace, path)
                context["answers"].append((root, answer))
    except FairfolderError as error:
        context["failure"] = str(error)
        code = 400 if isinstance(error, LayoutError) else 200
        return render(request, "catalog/why.html", context, status=code)
    return render(request, "catalog/why.html", context)


def _roots_of(path: str) -> list[Path]:
    """The roots that a path can lie in: those where it exists, else all of them; the first tells why it is in none."""
    inside: list[Path] = []
    there: list[Path] = []
    for root in engine.roots():
        with suppress(LayoutError):
            relative = path_in(root, path)
            inside.append(root)
            if os.path.lexists(root / relative):
                there.append(root)
    return there or inside or list(engine.roots()[:1])


@never_cache
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the service can answer from its database; nothing about its content."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM catalog_rebuild LIMIT 1")
    return JsonResponse({"status": "ok"})
