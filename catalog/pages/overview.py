"""What the pages of a project and of a dataset show in pictures, put together from index and documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet, Sum
from django.urls import reverse

from catalog import engine
from catalog.models import Dataset, Project, Run
from catalog.pages import charts, figures, picture
from catalog.pages.charts import Amount
from ingest.completeness import Count as Completeness
from ingest.completeness import asked, counted


def of_dataset(
    row: Dataset, project: Project | None, formats: Sequence[Mapping[str, Any]], runs: QuerySet[Run]
) -> dict[str, Any]:
    """``charts`` and ``picture`` for a dataset's page."""
    found = figures.of_dataset(row, runs)
    types = [_type(row, each) for each in formats if type(each.get("size_bytes")) is int]
    return {
        "charts": charts.of_types(types, found.steps, found.undated),
        "picture": picture.of_dataset(row, project, runs, found.shares),
    }


def of_project(datasets: QuerySet[Dataset]) -> dict[str, Any]:
    """``charts`` for a project's page: only the datasets that are named are read one by one."""
    largest = datasets.order_by("-size_bytes", "path", "identifier")[: charts.MOST_ROWS + 1]
    rows = largest.values_list("identifier", "title", "path", "file_count", "size_bytes")
    amounts = [
        Amount(
            title.strip() or path.rpartition("/")[2] or identifier, count, size, reverse("dataset", args=[identifier])
        )
        for identifier, title, path, count, size in rows
    ]
    all_of_them = datasets.aggregate(
        n=Count("pk"), files=Sum("file_count", default=0), size=Sum("size_bytes", default=0)
    )
    others = charts.Others(
        all_of_them["n"] - len(amounts),
        all_of_them["files"] - sum(each.count for each in amounts),
        all_of_them["size"] - sum(each.size_bytes for each in amounts),
    )
    return {"charts": charts.of_datasets(amounts, others)}


def completeness_of(root: str, kind: str, value: Mapping[str, Any]) -> Completeness | None:
    """How far a draft is; None for a record that is complete already or has no document."""
    here = engine.root_named(root)
    if here is None or value.get("status") != "draft":
        return None
    schemas = engine.schemas(here)
    return counted(asked(schemas, kind, value), schemas.missing_for_complete(kind, value))


def _type(row: Dataset, form: Mapping[str, Any]) -> Amount:
    address = f"{reverse('files', args=[row.identifier])}?{urlencode({'type': form['name']}, errors='replace')}"
    return Amount(form["name"], form["count"], form["size_bytes"], address)
