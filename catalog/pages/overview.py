"""What the pages of a project and of a dataset show in pictures, put together from index and documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse

from catalog import engine
from catalog.models import Dataset, Project, Run
from catalog.pages import charts, completeness, figures, picture
from catalog.pages.charts import Amount


def of_dataset(
    row: Dataset, project: Project | None, formats: Sequence[Mapping[str, Any]], runs: Sequence[Run]
) -> dict[str, Any]:
    """``charts`` and ``picture`` for a dataset's page."""
    found = figures.of_dataset(row, runs)
    types = [_type(row, each) for each in formats if type(each.get("size_bytes")) is int]
    return {
        "charts": charts.of_types(types, found.steps, found.undated),
        "picture": picture.of_dataset(row, project, runs, found.shares),
    }


def of_project(datasets: QuerySet[Dataset]) -> dict[str, Any]:
    """``charts`` for a project's page."""
    rows = datasets.order_by().values_list("identifier", "title", "path", "file_count", "size_bytes")
    amounts = [
        Amount(
            title.strip() or path.rpartition("/")[2] or identifier, count, size, reverse("dataset", args=[identifier])
        )
        for identifier, title, path, count, size in rows
    ]
    return {"charts": charts.of_datasets(amounts)}


def completeness_of(root: str, kind: str, value: Mapping[str, Any]) -> completeness.Completeness | None:
    """How far a draft is; None for a record that is complete already or has no document."""
    here = engine.root_named(root)
    return completeness.of_record(here, kind, value) if here and value.get("status") == "draft" else None


def _type(row: Dataset, form: Mapping[str, Any]) -> Amount:
    address = f"{reverse('files', args=[row.identifier])}?{urlencode({'type': form['name']}, errors='replace')}"
    return Amount(form["name"], form["count"], form["size_bytes"], address)
