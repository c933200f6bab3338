"""Pages of what is described: projects, a project, a dataset with its files, a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import parse_etags, quote_etag
from django.views.decorators.http import require_safe

from catalog import engine, queries, rights
from catalog.editing import fields, order
from catalog.models import Dataset, File, FileDocument, value_of
from catalog.pages import engine_words, overview, previews, values
from catalog.pages.failures import answering_questions
from catalog.publishing.altered import has_altered
from ingest import documents
from ingest.publication import PUBLISHED

FIRST_FILES = 25
FIRST_RUNS = 50
# Shown in the page's head or in tables of their own, or the index's own business.
_PROJECT_ELSEWHERE = {"project_title", "project_description", "project_identifier", "status", *documents.AUDIT}
_DATASET_ELSEWHERE = {
    "dataset_title",
    "dataset_abstract",
    "status",
    "associated_project_identifier",
    "dataset_identifier",
    *documents.AUDIT,
}
_MANIFEST_ELSEWHERE = {
    "file_descriptions",
    "file_count",
    "total_size_bytes",
    "formats",
    "metadata_language",
    *_DATASET_ELSEWHERE,
}
_FILE_HEAD = ("size_bytes", "mime_type", "format", "compression", "encoding", "modified_utc", "first_seen")
_FILE_INSIDE = (
    "description",
    "dimensions",
    "number_of_records",
    "bit_depth",
    "channels",
    "duration_seconds",
    "variables",
    "instrument_metadata",
)
_FILE_SHOWN = {*_FILE_HEAD, *_FILE_INSIDE, "checksum", "extraction", "path", "path_encoding", "state", "file_name"}


@answering_questions
def projects(request: HttpRequest) -> HttpResponse:
    """Every project that one may see, with what it adds up to."""
    asked = {key: request.GET.get(key, "").strip() for key in ("name", "state", "at")}
    page = queries.records(rights.of_request(request).projects(), asked["name"], asked["state"], asked["at"])
    totals = queries.totals(row.identifier for row in page.rows)
    context = {
        "page": page,
        "rows": [(row, totals.get(row.identifier, queries.Totals())) for row in page.rows],
        "asked": asked,
        "is_filtered": bool(asked["name"] or asked["state"]),
        "states": queries.STATES,
        "examples": [f"{root}/{engine.example_dataset()}" for root in engine.roots()],
        "prefix": settings.ENGINE.project_prefix,
        "section": "projects",
    }
    return render(request, "catalog/projects.html", _with_rebuild(context))


@answering_questions
def project(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """One project: its record in words, its datasets, and what lies beside them."""
    may = rights.of_request(request)
    row = get_object_or_404(may.projects().select_related("document", "registry"), identifier=str(identifier))
    asked = {key: request.GET.get(key, "").strip() for key in ("name", "state", "at")}
    datasets = may.datasets().filter(project_identifier=row.identifier)
    value = value_of(row.document)
    context = {
        "project": row,
        "value": value,
        "facts": _facts(row.root, documents.PROJECT, value, _PROJECT_ELSEWHERE),
        "lacking": _lacking(row.root, documents.PROJECT, value),
        "totals": queries.totals([row.identifier]).get(row.identifier, queries.Totals()),
        "page": queries.records(datasets, asked["name"], asked["state"], asked["at"]),
        "asked": asked,
        "states": queries.STATES,
        "is_filtered": bool(asked["name"] or asked["state"]),
        "engine": engine_words.of_record(row),
        "registry": value_of(row.registry),
        "completeness": overview.completeness_of(row.root, documents.PROJECT, value),
        "may_edit": may.edits(row.identifier),
        "section": "projects",
        **overview.of_project(datasets),
    }
    return render(request, "catalog/project.html", _with_rebuild(context))


def dataset(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """One dataset: its record in words and its first files."""
    row = _dataset(request, identifier)
    value, manifest = value_of(row.administrative), value_of(row.structural)
    page = queries.files(row, queries.FileQuestion(), FIRST_FILES)
    runs = queries.runs_of(row)
    first_runs = list(runs[: FIRST_RUNS + 1])
    context = _dataset_context(row) | {
        "value": value,
        "facts": _facts(row.root, documents.ADMINISTRATIVE, value, _DATASET_ELSEWHERE),
        "manifest_facts": _facts(row.root, documents.STRUCTURAL, manifest, _MANIFEST_ELSEWHERE),
        "lacking": _lacking(row.root, documents.ADMINISTRATIVE, value),
        "page": page,
        "warned": _warned(page.rows),
        "marks": (marks := engine_words.marks_of(row)),
        "marked": engine_words.marked(row, marks, page.rows),
        "question": queries.FileQuestion(),
        "engine": engine_words.of_record(row),
        "runs": first_runs[:FIRST_RUNS],
        "run_count": runs.count() if len(first_runs) > FIRST_RUNS else len(first_runs),
        "registry": value_of(row.registry),
        "completeness": overview.completeness_of(row.root, documents.ADMINISTRATIVE, value),
        "may_edit": rights.of_request(request).edits(row.project_identifier),
        "may_publish": rights.of_request(request).publishes,
        "publication_state": (state := queries.publication_state(row)),
        "altered": state == PUBLISHED and has_altered(row),
    }
    context |= overview.of_dataset(row, context["project"], context["formats"], runs)
    return render(request, "catalog/dataset.html", _with_rebuild(context))


@answering_questions
def files(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """All files of a dataset: sorted, filtered, page by page."""
    row = _dataset(request, identifier)
    question = queries.FileQuestion(
        name=request.GET.get("name", "").strip(),
        type=request.GET.get("type", ""),
        state=request.GET.get("state", ""),
        sort=request.GET.get("sort", "path"),
        descending=request.GET.get("order") == "down",
        marker=request.GET.get("at", ""),
    )
    page = queries.files(row, question)
    context = _dataset_context(row) | {
        "page": page,
        "warned": _warned(page.rows),
        "marks": (marks := engine_words.marks_of(row)),
        "marked": engine_words.marked(row, marks, page.rows),
        "question": question,
        "columns": [("path", "Name"), ("type", "Type"), ("size", "Size"), ("modified", "Modified")],
        "file_states": queries.FILE_STATES,
    }
    return render(request, "catalog/files.html", _with_rebuild(context))


@answering_questions
def runs(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """All runs of a dataset, page by page."""
    row = _dataset(request, identifier)
    page = queries.runs(row, request.GET.get("at", ""))
    return render(request, "catalog/runs.html", _with_rebuild(_dataset_context(row) | {"page": page}))


def file(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Everything that is recorded of one file."""
    row = _file(request, identifier)
    value: dict[str, Any] = orjson.loads(row.document.text)
    labels = _labels(row.dataset.root, "file_technical")
    context = {
        "file": row,
        "dataset": row.dataset,
        "project": queries.project_of(row.dataset),
        "value": value,
        "facts": values.facts(value, labels, _FILE_HEAD),
        "inside": values.facts(value, labels, _FILE_INSIDE),
        "rest": values.facts(value, labels, [k for k in value if k not in _FILE_SHOWN and k[:1] not in "@$"]),
        "warnings": _warnings(value),
        "marks": engine_words.marks_of(row.dataset, row),
        "preview": previews.of_file(row, value),
        "entry": orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(),
        "section": "projects",
    }
    return render(request, "catalog/file.html", _with_rebuild(context))


@require_safe
def preview(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """The small picture of an image file, as an answer that can be nothing but a picture."""
    row = _file(request, identifier)
    etag = quote_etag(row.checksum) if row.checksum.isalnum() else ""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if etag and etag in known and previews.is_expected(row):
        response = HttpResponse(status=304)
    elif picture := previews.picture_of(row):
        response = HttpResponse(picture.content, content_type=picture.media_type)
    else:
        raise Http404
    if etag:
        response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _file(request: HttpRequest, identifier: UUID) -> File:
    rows = rights.of_request(request).files().filter(identifier=str(identifier))
    rows = rows.select_related("dataset__administrative", "document")
    row = rows.order_by("dataset__path", "path", "id").first()
    if row is None:
        raise Http404
    return row


def _dataset(request: HttpRequest, identifier: UUID) -> Dataset:
    related = ("administrative", "structural", "registry")
    rows = rights.of_request(request).datasets().select_related(*related)
    return get_object_or_404(rows, identifier=str(identifier))


def _dataset_context(row: Dataset) -> dict[str, Any]:
    return {
        "dataset": row,
        "project": queries.project_of(row),
        "formats": _formats(value_of(row.structural).get("formats")),
        "section": "projects",
    }


def _with_rebuild(context: dict[str, Any]) -> dict[str, Any]:
    return {**context, "rebuilding": queries.rebuilding()}


def _labels(root: str, kind: str) -> dict[str, str]:
    here = engine.root_named(root)
    return engine.labels(here, kind) if here else {}


def _facts(root: str, kind: str, value: Mapping[str, Any], elsewhere: set[str]) -> list[values.Fact]:
    keys = [key for key in value if key not in elsewhere and key[:1] not in "@$"]
    return values.facts(value, _labels(root, kind), keys)


def _lacking(root: str, kind: str, value: dict[str, Any]) -> list[str]:
    here = engine.root_named(root)
    if here is None or value.get("status") != "draft":
        return []
    tree = fields.tree(engine.schemas(here), kind)
    return [problem.message for problem in order.of_problems(tree, engine.lacking(here, kind, value))]


def _formats(recorded: Any) -> list[dict[str, Any]]:
    """The manifest's summary of formats, the most frequent first."""
    if not isinstance(recorded, list):
        return []
    usable = [
        each
        for each in recorded
        if isinstance(each, dict) and isinstance(each.get("name"), str) and isinstance(each.get("count"), int)
    ]
    return sorted(usable, key=lambda each: (-each["count"], each["name"]))


def _warned(rows: Sequence[File]) -> set[int]:
    """Keys of the files of one page in which something could not be read."""
    texts = FileDocument.objects.filter(file__in=[row.pk for row in rows], text__contains='"warnings"')
    found = set()
    for key, text in texts.values_list("file_id", "text"):
        try:
            if _warnings(orjson.loads(text)):
                found.add(key)
        except orjson.JSONDecodeError:  # the file's own page tells
            continue
    return found


def _warnings(value: Mapping[str, Any]) -> list[str]:
    extraction = value.get("extraction")
    warnings = extraction.get("warnings") if isinstance(extraction, dict) else None
    return [each for each in warnings if isinstance(each, str)] if isinstance(warnings, list) else []
