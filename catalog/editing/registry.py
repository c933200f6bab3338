"""The registry of instruments as people add to it."""

from __future__ import annotations

from pathlib import Path

from catalog import index
from catalog.editing import targets
from catalog.index.absence import absence
from ingest import documents, instruments
from ingest.documents import INSTRUMENT
from ingest.errors import FrozenError


def add_instrument(root: Path, name: str, *, by: str) -> str:
    """A new draft in a root's registry, on its page at once; answers its identifier.

    Raises:
        FairfolderError: why it cannot be written now.
    """
    if reason := absence(root):
        raise FrozenError(f"{reason} Nothing was saved.")
    path = instruments.new(targets.store(root), root, {"instrument_name": name}, by)
    index.refresh([path])
    return str(documents.read_document(path, INSTRUMENT).value["instrument_identifier"])
