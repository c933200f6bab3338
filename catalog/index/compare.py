"""The whole index as plain values, without surrogate keys and times of indexing: two equal indexes compare equal."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from catalog.models import ChangeLog, Dataset, Document, File, Instrument, Project, Published, PublishedThing, Run

_OMITTED = frozenset({"id", "stamp"})
_REFERENCES = {
    Document: (),
    Project: ("document", "registry"),
    Dataset: ("administrative", "structural", "registry"),
    File: ("dataset",),
    Instrument: ("document",),
    Run: ("document",),
    ChangeLog: (),
    Published: (),
    PublishedThing: (),
}


def snapshot() -> dict[str, list[dict[str, Any]]]:
    """Every table's rows, sorted; references stand as the path or identifier of what they point at."""
    return {model.__name__: _rows(model, references) for model, references in _REFERENCES.items()}


def _rows(model: type[Model], references: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = model._default_manager.select_related(*references, *(("document",) if model is File else ()))
    values = []
    for row in rows.iterator():
        value = {
            name: getattr(row, name)
            for name in (column.attname for column in model._meta.concrete_fields)
            if name not in _OMITTED and name.removesuffix("_id") not in references
        }
        value |= {name: str(getattr(row, name)) for name in references}
        if isinstance(row, File):
            value["text"] = row.document.text
        values.append(value)
    return sorted(values, key=repr)
