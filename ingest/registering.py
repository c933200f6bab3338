"""The registry: each record's own entry, with its datestamp, and the one sequence of all of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ingest import blanks, documents
from ingest.acts import Acts
from ingest.documents import REGISTRY
from ingest.errors import DocumentError, StoreError
from ingest.layout import METADATA
from ingest.records import Record
from ingest.stamping import Stamping
from ingest.texts import NextText, Prepared

_SEQUENCE = ".sequence"


def registry_entry(root: Path, identifier: str) -> Mapping[str, Any]:
    """A registry entry, {} where there is none that can be read."""
    try:
        return documents.read_document(documents.registry_document(root, identifier), REGISTRY).value
    except (FileNotFoundError, DocumentError):
        return {}


def next_entry(
    root: Path, record: Record, prepared: Sequence[Prepared], number: int, stamping: Stamping, acts: Acts
) -> NextText | None:
    """The record's registry entry with its next datestamp; None when the record is as the entry says already.

    Args:
        acts: which publication of it is our own, whatever the entry says by now.
        prepared: the record's documents about to be replaced.
        number: the entry's sequence number.

    Raises:
        DocumentError: when the entry cannot be read, or would not be valid.
    """
    path = documents.registry_document(root, record.identifier)
    old = documents.read_if_there(path, REGISTRY)
    entry = dict(old.value) if old else blanks.registry_entry(record.kind, record.identifier, record.relative)
    entry.pop("path_encoding", None)
    read = entry
    publication = acts.kept(entry)
    entry = record.registry({**entry, **documents.encode_path(record.relative)}) | {"publication": publication}
    if record.publication is not None:
        entry["publication"] = record.publication(entry, stamping.moment)
    entry |= _texts(root / record.relative / METADATA, record, prepared, entry)
    # An act that leaves an entry as it stands settles what of it counts, where that was not certain.
    settles = record.publication is not None and not acts.is_obeyed(read)
    if old is not None and not prepared and entry == old.value and not settles:
        return None
    stamped = stamping.stamped(REGISTRY, entry, None if old is None else old.value)
    # A clock set back moves no datestamp back.
    stamped |= {"datestamp": max(stamped["last_modified_date"], entry.get("datestamp", "")), "sequence": number}
    stamping.validate(path, REGISTRY, stamped)
    if record.publication is not None:
        acts.expect(record.identifier, read, stamped["publication"])
    before = None if old is None else old.stamp
    return NextText(path, REGISTRY, [documents.to_bytes(stamped)], stamped, before)


def _texts(own: Path, record: Record, prepared: Sequence[Prepared], entry: Mapping[str, Any]) -> dict[str, Any]:
    """What the entry says of the record's texts: those known as ours."""
    written = {documents.readable(str(p.path.relative_to(own))): p for p in prepared}
    texts = {name: p.sha256 for name, p in written.items()}
    accepted = {n: sha256 for n, sha256 in record.accepted.items() if _is_text_of(own / n, sha256)}
    recorded = entry.get("documents", {})
    told = {"documents": {**recorded, **texts, **accepted}}
    # Should a crash keep the next text from landing, the one that still stands there is known as ours too: what
    # was read there, for a crash before may have kept the text of the registry from landing as well.
    if texts:
        before = entry.get("documents_before", {})
        read = {n: p.read for n, p in written.items() if p.read in (recorded.get(n), before.get(n))}
        told["documents_before"] = {n: each for n, each in before.items() if n not in texts} | read
    return told


def _is_text_of(path: Path, sha256: str) -> bool:
    """Whether the document is still the one a person's edit was accepted for."""
    try:
        return documents.read_document(path).sha256 == sha256
    except (FileNotFoundError, DocumentError):
        return False


def next_sequence(root: Path, number: int) -> NextText:
    """The text that says how far the sequence has come."""
    return NextText(documents.registry_folder(root) / _SEQUENCE, "", [f"{number}\n".encode()], {}, None)


def last_sequence(root: Path, folder: int) -> int:
    """How far the sequence has come.

    Args:
        folder: a descriptor of the registry's folder.

    Raises:
        StoreError: when its file cannot be read.
    """
    path = documents.registry_folder(root) / _SEQUENCE
    try:
        return int(documents.read_bytes(path))
    except (FileNotFoundError, ValueError):
        return _highest(root, folder)
    except DocumentError as error:
        raise StoreError(path, str(error)) from error


def _highest(root: Path, folder: int) -> int:
    # The counter is lost: the entries themselves say how far it was.
    highest = 0
    for name in os.listdir(folder):
        if name.endswith(".json") and not name.startswith("."):
            with suppress(DocumentError, FileNotFoundError):
                value = documents.read_document(documents.registry_folder(root) / name, REGISTRY).value.get("sequence")
                highest = max(highest, value if isinstance(value, int) else 0)
    return highest
