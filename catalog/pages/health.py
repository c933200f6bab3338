"""Pages on the service itself: how it is, why a path is not described, and a sign of life for machines."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
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

from catalog import engine, queries, rights, state
from catalog.models import Dataset, Project
from catalog.pages.failures import failure
from catalog.publishing.altered import altered
from ingest import documents
from ingest.errors import FairfolderError, LayoutError
from ingest.seen import Condition
from ingest.status import Explanation, Status, explain, path_in
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
    """How watching goes, what waits, what failed and why; it names every project, so it is for those who see all."""
    if not rights.of_request(request).sees_all:
        return failure(
            403,
            "The status page is for those who see every project",
            "Your account sees the projects it was added to; what waits or failed there stands on their own pages. "
            "An administrator can make you a viewer.",
        )
    roots = [_root_status(root) for root in engine.roots()]
    told = {problem.reason for each in roots for problem in each.problems}
    unclear = [Line(each.path, "", each.sentence) for each in queries.unclear() if each.sentence not in told]
    context = {
        "roots": roots,
        "unclear": _linked(unclear),
        "altered": altered(),
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
        context["answers"] = list(_answers(path, rights.of_request(request)))
    except FairfolderError as error:
        context["failure"] = str(error)
        code = 400 if isinstance(error, LayoutError) else 200
        return render(request, "catalog/why.html", context, status=code)
    return render(request, "catalog/why.html", context)


def _answers(path: str, may: rights.Rights) -> Iterator[tuple[Path, Explanation]]:
    """What became of a path; one in a project that one may not see is answered like one that is not there.

    Raises:
        FairfolderError: when it lies in no watched folder, or the engine cannot be asked.
    """
    inside = [root for root in engine.roots() if _is_inside(root, path)]
    open_ones = [root for root in inside if may.sees_all or _is_seen(root, path, may)]
    if inside and not open_ones:
        yield inside[0], Explanation(path, "unknown", "There is no such file or folder in your projects.")
        return
    there = [root for root in open_ones if os.path.lexists(root / path_in(root, path))]
    for root in there or open_ones or engine.roots()[:1]:  # the first tells why it is in none
        with engine.looking(root) as workspace:
            yield root, explain(workspace, path)


def _is_inside(root: Path, path: str) -> bool:
    with suppress(LayoutError):
        path_in(root, path)
        return True
    return False


def _is_seen(root: Path, path: str, may: rights.Rights) -> bool:
    """Whether a path lies in a project that is seen."""
    folder = documents.encode_path(path_in(root, path).partition("/")[0])
    rows = may.projects().filter(root=documents.readable(str(root)), path=folder["path"])
    return rows.filter(path_encoding=folder.get("path_encoding", "")).exists()


@never_cache
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the service can answer from its database; nothing about its content."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM catalog_rebuild LIMIT 1")
    return JsonResponse({"status": "ok"})
