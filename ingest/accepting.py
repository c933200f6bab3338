"""Documents on disk that are not as the store wrote them: a person's edit is accepted, or refused in words."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ingest import documents
from ingest.documents import REGISTRY, STRUCTURAL, Document
from ingest.errors import DocumentError
from ingest.hand_edits import last_known, our_texts, refused_edit
from ingest.layout import METADATA
from ingest.records import EntriesChange, Record, Written, system_part
from ingest.registering import registry_entry
from ingest.rows import Condition, PlaceRow, Stamp
from ingest.workspace import Workspace


def remember_documents(ws: Workspace, written: Iterable[Written]) -> None:
    """Stamps of the documents the store has just written, so that a person's edit is told from ours."""
    for one in written:
        if one.kind and one.kind != REGISTRY:
            relative = one.path.relative_to(ws.root).as_posix()
            ws.seen.put_document(relative, one.stamp, one.sha256, one.system)
            ws.seen.clear_trouble(relative)


def accept_edit(
    ws: Workspace, place: PlaceRow, kind: str, on_recorded: Callable[[Sequence[Path]], None], *, name: str = ""
) -> str:
    """A document that is not as last seen: written by the store elsewhere, or by a person with an editor.

    People's fields of a valid edit count: the record's datestamp moves, attributed to ``filesystem``. A changed system
    field or an invalid document is reported, and nothing is overwritten: the answer is why, "" when all is well.

    Args:
        name: of the file in the place's metadata folder, where its kind alone does not tell.
    """
    name = name or f"{kind}.json"
    path = ws.root / place.path / METADATA / name
    relative = f"{place.path}/{METADATA}/{name}"
    try:
        stamp = Stamp.of(os.lstat(path))
        known = ws.seen.document(relative)
        if known is not None and known[0] == stamp:
            return ""
        document = documents.read_document(path, kind)
    except FileNotFoundError:
        return ""
    except DocumentError as error:
        ws.seen.set_trouble(relative, Condition.FAILED, str(error))
        on_recorded([path])
        return str(error)
    entry = registry_entry(ws.root, place.identifier)
    ours = document.sha256 in our_texts(entry, name, known[1] if known else "")
    before, only = last_known(kind, entry, name, place.identifier, known)
    reason = "" if ours else refused_edit(ws.schemas, path, kind, document.value, before, only)
    if reason:
        ws.seen.set_trouble(relative, Condition.FAILED, reason)
        on_recorded([path])
        return reason
    if ours:
        on_recorded([path])
        ws.seen.put_document(relative, stamp, document.sha256, system_part(kind, document.value))
        ws.seen.clear_trouble(relative)
        return ""
    return _accepted(ws, place, kind, name, path, document, on_recorded)


def _accepted(
    ws: Workspace,
    place: PlaceRow,
    kind: str,
    name: str,
    path: Path,
    document: Document,
    on_recorded: Callable[[Sequence[Path]], None],
) -> str:
    """A valid edit: the record's datestamp moves, and a manifest gets the form in which the store can trust it."""
    if kind == STRUCTURAL:
        rewrite = EntriesChange(path, frozenset(), lambda entries: {})
        record = Record(place.kind, place.identifier, place.path, (rewrite,), touch=True, folder=place.folder)
    else:
        accepted = {name: document.sha256}
        record = Record(place.kind, place.identifier, place.path, touch=True, accepted=accepted, folder=place.folder)
    outcome = ws.store.apply([record], by="filesystem")[0]
    relative = f"{place.path}/{METADATA}/{name}"
    if outcome.error is not None:
        ws.seen.set_trouble(relative, Condition.FAILED, str(outcome.error))
        return str(outcome.error)
    if all(written.path != path for written in outcome.written):
        ws.seen.put_document(relative, document.stamp, document.sha256, system_part(kind, document.value))
    remember_documents(ws, outcome.written)
    ws.seen.clear_trouble(relative)
    on_recorded([path, *(w.path for w in outcome.written)])
    return ""
