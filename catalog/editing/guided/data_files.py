"""A dataset's data files as choices, for what a run used."""

from __future__ import annotations

from collections.abc import Sequence

from catalog import names, rights
from catalog.editing.guided.choice import Choice


def known(by: rights.Rights, dataset_identifier: str, query: str = "", limit: int = 50) -> Sequence[Choice]:
    """Identifier and path of the files that are there, by path; none where someone may not see the dataset."""
    rows = by.files().filter(dataset__identifier=dataset_identifier).exclude(state="missing")
    for word in query.split():
        rows = rows.filter(path__icontains=word)
    found = rows.order_by("path").values_list("identifier", "path", "format", "mime_type")[:limit]
    return [Choice(identifier, names.plain(path), kind or mime) for identifier, path, kind, mime in found]


def label(by: rights.Rights, identifier: str) -> str:
    """The path of one file, empty when someone may not see it."""
    path = by.files().filter(identifier=identifier).order_by("path").values_list("path", flat=True).first()
    return names.plain(path) if path else ""
