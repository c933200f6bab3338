"""Pages of a run: what was done, its files, its complete metadata file, and how its revisions differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.text import get_valid_filename
from django.views.decorators.http import require_safe

from catalog import engine, queries, rights
from catalog.models import Dataset, Document, File, Instrument, Run, value_of
from catalog.pages import overview, values
from ingest import complete, documents, revisions
from ingest.documents import COMPLETE, EXPERIMENT
from ingest.errors import DocumentError

FIRST_FILES = 25
MOST_DIFFERENCES = 200
MOST_REVISIONS = 999_999_999  # a file name has an end
# Shown in the page's head, in tables of their own, or the system's own business.
_ELSEWHERE = {
    "experiment_name", "run_id", "run_label", "run_type", "dataset_identifier", "status", "outputs", "data_files",
    "instruments_used", *documents.AUDIT,
}  # fmt: skip


@dataclass(frozen=True)
class Revision:
    """A complete metadata file as the index knows it."""

    number: int
    value: Mapping[str, Any]
    document: Document
    is_current: bool


@require_safe
def run(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """One run: its record in words, its files, and the revisions of its complete metadata file."""
    row, dataset = _run(request, identifier)
    value = value_of(row.document)
    labels = engine.labels(root, EXPERIMENT) if (root := engine.root_named(dataset.root)) else {}
    keys = [key for key in value if key not in _ELSEWHERE and key[:1] not in "@$"]
    files = File.objects.filter(dataset=dataset, run=row.identifier).order_by("path", "id")
    listed = value.get("data_files")
    context = {
        "run": row,
        "value": value,
        "dataset": dataset,
        "project": queries.project_of(dataset),
        "inside": True,
        "facts": values.facts(value, labels, keys),
        "names_another": str(value.get("dataset_identifier")).lower() != row.dataset_identifier,
        "instruments": _instruments(value),
        "files": list(files[:FIRST_FILES]),
        "file_count": files.count(),
        "listed": len(listed) if isinstance(listed, list) else None,
        "revisions": _revisions(row, dataset),
        "completeness": overview.completeness_of(dataset.root, EXPERIMENT, value),
        "may_edit": rights.of_request(request).edits(dataset.project_identifier),
        "section": "projects",
        "rebuilding": queries.rebuilding(),
    }
    return render(request, "catalog/run.html", context)


@require_safe
def revision(request: HttpRequest, identifier: UUID, number: int) -> HttpResponse:
    """One revision: where it came from, how complete it is, and what it says differently from the one before."""
    row, dataset = _run(request, identifier)
    found = _revision_file(row, dataset, number)
    before = _revision_file_or_none(row, dataset, number - 1)
    changes = complete.differences(before.value, found.value) if before is not None else ()
    context = {
        "run": row,
        "dataset": dataset,
        "project": queries.project_of(dataset),
        "inside": True,
        "number": number,
        "revision_word": f"revision-{number}",
        "value": found.value,
        "sha256": found.sha256,
        "name": found.path.name,
        "parts": _parts(found.value),
        "before": before,
        "required": _places(found.value.get("completeness"), "required_missing"),
        "recommended": _places(found.value.get("completeness"), "recommended_missing"),
        "changes": [_shown(each) for each in changes[:MOST_DIFFERENCES]],
        "left_out": max(0, len(changes) - MOST_DIFFERENCES),
        "is_current": number == row.revision,
        "section": "projects",
    }
    return render(request, "catalog/revision.html", context)


@require_safe
def revision_file(request: HttpRequest, identifier: UUID, number: int) -> HttpResponse:
    """The complete metadata file itself, byte for byte."""
    row, dataset = _run(request, identifier)
    path = _revision_file(row, dataset, number).path
    response = HttpResponse(documents.read_bytes(path), content_type="application/ld+json")
    name = get_valid_filename(path.name) if path.name.isascii() else f"data_object_{row.identifier}.r{number}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-cache"
    return response


def _run(request: HttpRequest, identifier: UUID) -> tuple[Run, Dataset]:
    """The run and its dataset, if they are there and the person may see them."""
    may = rights.of_request(request)
    row = get_object_or_404(may.runs().select_related("document"), identifier=str(identifier))
    return row, get_object_or_404(may.datasets(), identifier=row.dataset_identifier)


def _instruments(value: Mapping[str, Any]) -> list[tuple[str, Instrument | None]]:
    """The instruments a run names, each with its row where the registry has one."""
    named = value.get("instruments_used")
    wanted = [each for each in named if isinstance(each, str)] if isinstance(named, list) else []
    rows = {row.identifier: row for row in Instrument.objects.filter(identifier__in=wanted)}
    return [(each, rows.get(each)) for each in wanted]


def _revisions(row: Run, dataset: Dataset) -> list[Revision]:
    """The complete metadata files of a run in the index, the newest first."""
    if row.document is None:
        return []
    folder = row.document.path.rpartition("/")[0]
    rows = Document.objects.filter(kind=COMPLETE, root=row.document.root, path__startswith=f"{folder}/")
    own = revisions.data_object(row.identifier)
    found = []
    for each in rows:
        value = value_of(each)
        number = value.get("revision")
        if isinstance(number, int) and value.get("data_object_identifier") == own:
            found.append(Revision(number, value, each, number == row.revision))
    return sorted(found, key=lambda each: -each.number)


def _revision_file(row: Run, dataset: Dataset, number: int) -> revisions.Revision:
    found = _revision_file_or_none(row, dataset, number)
    if found is None:
        raise Http404
    return found


def _revision_file_or_none(row: Run, dataset: Dataset, number: int) -> revisions.Revision | None:
    root = engine.root_named(dataset.root)
    document = row.document
    if root is None or document is None or not 0 < number <= MOST_REVISIONS:
        return None
    folder = (root / documents.decode_path(document.path, document.path_encoding)).parent
    try:
        found = revisions.read_revision(folder / revisions.revision_name(folder.name, number))
    except (FileNotFoundError, DocumentError):
        return None
    return found if found.value.get("data_object_identifier") == revisions.data_object(row.identifier) else None


def _parts(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a revision holds, in words."""
    structure, instruments = value.get("structure", {}), value.get("instruments", [])
    files = len(structure.get("file_descriptions", []))
    return [
        ("Project", _title(value.get("project"), "project_title")),
        ("Dataset", _title(value.get("dataset"), "dataset_title")),
        ("Run", _title(value.get("experiment"), "experiment_name")),
        ("Instruments", ", ".join(_title(each, "instrument_name") for each in instruments) or "none"),
        ("Files", f"{files:,}"),
    ]


def _title(part: Any, key: str) -> str:
    title = part.get(key) if isinstance(part, dict) else None
    return title if isinstance(title, str) and title else "without a title"


def _shown(change: complete.Difference) -> dict[str, Any]:
    """One difference as a table row: both sides as nodes a template draws."""
    part = change.part.replace("/", ": ")
    title = change.key if change.part == "files" else values.label(change.key)
    both = _what_differs(change.before, change.after)
    sides = [values.facts({"value": each}, {}, ["value"]) for each in both]
    before, after = (each[0].node if each else None for each in sides)
    return {"part": part, "title": title, "before": before, "after": after}


def _what_differs(before: Any, after: Any) -> tuple[Any, Any]:
    """Two versions of one thing without what both say alike."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return before, after
    alike = {key for key in before if key in after and before[key] == after[key]}
    found = ({key: each for key, each in side.items() if key not in alike} for side in (before, after))
    one, other = found
    return one, other


def _places(completeness: Any, key: str) -> list[str]:
    """What was not there, in words: ``/instruments/0/model`` is "Instruments 1: Model"."""
    listed = completeness.get(key) if isinstance(completeness, dict) else None
    listed = listed if isinstance(listed, list) else []
    return [_place(each) for each in listed if isinstance(each, str)]


def _place(pointer: str) -> str:
    part, *steps = (values.label(step) for step in pointer.strip("/").split("/"))
    if steps and steps[0].isdigit():
        part = f"{part} {int(steps.pop(0)) + 1}"
    return ": ".join([part, *steps])
