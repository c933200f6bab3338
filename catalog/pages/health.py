"""Pages on the service itself: how it is, why a path is not described, and a sign of life for machines."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from catalog import engine, queries, state
from catalog.models import Dataset, Project
from ingest.errors import FairfolderError
from ingest.status import Status, explain
from ingest.status import status as status_of


@dataclass(frozen=True)
class RootStatus:
    """What one watched folder says of itself, or why it cannot."""

    root: Path
    status: Status | None
    failure: str = ""
    unwatched: str = ""


def status(request: HttpRequest) -> HttpResponse:
    """How watching goes, what waits, what failed and why."""
    roots = [_root_status(root) for root in engine.roots()]
    told = {problem.reason for each in roots if each.status for problem in each.status.problems}
    context = {
        "roots": roots,
        "unclear": [each for each in queries.unclear() if each.sentence not in told],
        "watcher": state.watcher_note(),
        "rebuilding": queries.rebuilding(),
        "counts": {
            "projects": Project.objects.count(),
            "datasets": Dataset.objects.count(),
            "files": Dataset.objects.aggregate(number=Sum("file_count"))["number"] or 0,
        },
        "section": "status",
    }
    return render(request, "catalog/status.html", context)


def _root_status(root: Path) -> RootStatus:
    try:
        with engine.looking(root) as workspace:
            return RootStatus(root, status_of(workspace), unwatched=state.unwatched(root))
    except FairfolderError as error:
        return RootStatus(root, None, str(error))


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
        return render(request, "catalog/why.html", context, status=400)
    return render(request, "catalog/why.html", context)


def _roots_of(path: str) -> list[Path]:
    """The root an absolute path lies in; for a relative path those where it exists, else all."""
    roots = list(engine.roots())
    if Path(path).is_absolute():
        return [root for root in roots if Path(path).is_relative_to(root)] or roots[:1]
    return [root for root in roots if os.path.lexists(root / path)] or roots


@never_cache
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the service can answer from its database; nothing about its content."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM catalog_rebuild LIMIT 1")
    return JsonResponse({"status": "ok"})
