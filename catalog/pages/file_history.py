"""The page of a data file's versions: what it was at each time, and where its bytes of that time are."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog import queries, rights
from catalog.editing import targets
from catalog.history import data_files
from catalog.history.data_files import Wanted
from catalog.pages.failures import answering_questions, telling_of_git
from ingest import documents


@require_safe
@telling_of_git
@answering_questions
def file_history(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """The versions of one data file by their checksums, the newest first."""
    rows = rights.of_request(request).files().filter(identifier=str(identifier)).select_related("dataset")
    row = rows.order_by("dataset__path", "path", "id").first()
    target = targets.find("files", row.dataset.identifier) if row is not None else None
    if row is None or target is None:
        raise Http404
    page = data_files.page(target, Wanted(row.identifier, row.path), request.GET.get("at", ""))
    path = documents.decode_path(row.path, row.path_encoding)
    context = {
        "file": row,
        "dataset": row.dataset,
        "project": queries.project_of(row.dataset),
        "page": page,
        "is_first": not request.GET.get("at"),
        "place": documents.shell_word(data_files.whole_path(target.relative, path)),
        "section": "projects",
        "rebuilding": queries.rebuilding(),
    }
    return render(request, "catalog/history_file.html", context)
