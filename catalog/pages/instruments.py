"""Pages of the registry of instruments: all of them, and one with the runs that used it."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from catalog import engine, queries, rights
from catalog.editing import targets
from catalog.models import Instrument, Run, value_of
from catalog.pages import overview, values
from ingest import documents
from ingest.documents import INSTRUMENT

MOST_SHOWN = 500
MOST_RUNS = 100
_ELSEWHERE = {"instrument_name", "description", "instrument_identifier", "landing_page", "status", *documents.AUDIT}


@require_safe
def instruments(request: HttpRequest) -> HttpResponse:
    """Every instrument, found by name or serial number."""
    asked = request.GET.get("name", "").strip()
    rows = Instrument.objects.order_by("name", "identifier")
    if asked:
        rows = rows.filter(Q(name__icontains=asked) | Q(serial_number__icontains=asked))
    context = {
        "rows": list(rows[:MOST_SHOWN]),
        "total": rows.count(),
        "asked": asked,
        "may_add": rights.of_request(request).edits_somewhere,
        "section": "instruments",
        "rebuilding": queries.rebuilding(),
    }
    return render(request, "catalog/instruments.html", context)


@require_safe
def instrument(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """One instrument: its record in words, and the runs one may see that used it."""
    row = get_object_or_404(Instrument.objects.select_related("document"), identifier=str(identifier))
    value = value_of(row.document)
    root = row.document.root if row.document is not None else ""
    here = engine.root_named(root)
    labels = engine.labels(here, INSTRUMENT) if here else {}
    target = targets.find("instrument", row.identifier)
    may = rights.of_request(request)
    context = {
        "instrument": row,
        "value": value,
        "facts": values.facts(value, labels, [k for k in value if k not in _ELSEWHERE and k[:1] not in "@$"]),
        "completeness": overview.completeness_of(root, INSTRUMENT, value),
        "runs": _runs(row, may),
        "may_edit": target is not None and target.may_be_changed(may),
        "section": "instruments",
        "rebuilding": queries.rebuilding(),
    }
    return render(request, "catalog/instrument.html", context)


def _runs(row: Instrument, may: rights.Rights) -> list[Run]:
    """The runs that name the instrument."""
    rows = may.runs().filter(document__value__icontains=row.identifier).select_related("document")
    used = [each for each in rows.order_by("name", "label")[: 2 * MOST_RUNS] if _names(each, row.identifier)]
    return used[:MOST_RUNS]


def _names(run: Run, identifier: str) -> bool:
    used = value_of(run.document).get("instruments_used")
    return isinstance(used, list) and identifier in used
