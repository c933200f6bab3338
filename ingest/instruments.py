"""The registry of instruments: a new one gets its folder, its identifier and the page that is its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ingest import blanks, documents
from ingest.documents import INSTRUMENT, SYSTEM_KEYS
from ingest.errors import DocumentError
from ingest.labels import free, label_of
from ingest.layout import METADATA
from ingest.records import Change, Record
from ingest.store import Store


def free_slug(root: Path, name: str) -> str:
    """A folder name for an instrument of this name that no other has."""
    return free(label_of(name, "instrument"), documents.folders_in(root / METADATA / documents.INSTRUMENTS))


def recorded(root: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The documents of the registry's instruments with their values; those that cannot be read are left out."""
    for slug in documents.folders_in(root / METADATA / documents.INSTRUMENTS):
        path = documents.instrument_document(root, slug)
        try:
            yield path, documents.read_document(path, INSTRUMENT).value
        except (FileNotFoundError, DocumentError):
            continue


def new(store: Store, root: Path, value: Mapping[str, Any], by: str, language: str = "en") -> Path:
    """Enter an instrument with what a person says of it; answers the path of its document.

    Its identifier is minted here; ``landing_page`` is its own IRI unless ``value`` names a page.

    Raises:
        DocumentError: when the record would not be valid.
        StoreError, BusyError: when it cannot be written now.
    """
    told = {k: v for k, v in value.items() if k not in SYSTEM_KEYS[INSTRUMENT]}
    record = {**blanks.instrument_template(documents.new_identifier(), language), **told}
    while True:
        path = documents.instrument_document(root, free_slug(root, str(told.get("instrument_name", ""))))
        change = Change(path, INSTRUMENT, lambda old: dict(record) if old is None else None)
        outcome = store.apply([Record("", "", "", (change,))], by=by)[0]
        if outcome.error is not None:
            raise outcome.error
        if outcome.written:  # else another took the name at this very moment
            return path
