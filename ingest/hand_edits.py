"""What people change in a document with an editor: which text is the store's own, and which edit counts.

The one judgement for a pass, which looks at every document, and for the store, which meets some before a pass does.
People's fields count; a field that only the system writes is told and never obeyed. Pure but for reading what was
last seen.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest import documents, manifest
from ingest.documents import EXPERIMENT, IDENTIFIER_KEY, INSTRUMENT, STRUCTURAL, SYSTEM_KEYS, Document
from ingest.errors import DocumentError, printable
from ingest.folders import identity_of
from ingest.layout import METADATA
from ingest.records import Change, Record, Value, system_part
from ingest.rows import Condition, FileRow, PlaceRow
from ingest.schema import SchemaSet
from ingest.seen import LastSeen, Seen

_OF_EACH_WRITE = frozenset({"last_modified_by", "last_modified_date", "file_count", "total_size_bytes", "formats"})

# Our own writes change an instrument's other system fields, and nothing on disk says that they were ours.
OF_AN_INSTRUMENT = frozenset({"@id", "@type", IDENTIFIER_KEY[INSTRUMENT], "created_by", "created_date"})


# --- the judgement ----------------------------------------------------------------------------------------------


def our_texts(entry: Mapping[str, Any], name: str, seen: str) -> set[str]:
    """SHA-256 of a document as the store wrote it last; of the text before it too while that never arrived.

    Args:
        entry: the registry entry of its record.
        name: of the document in the record's metadata folder.
        seen: the SHA-256 last seen there, "" when none was.
    """
    readable = documents.readable(name)
    last = entry.get("documents", {}).get(readable)
    # What a person puts back after the last text was seen is an edit, even if it was ours once.
    before = entry.get("documents_before", {}).get(readable) if seen != last else None
    return {each for each in (last, before) if isinstance(each, str)}


def last_known(
    kind: str, entry: Mapping[str, Any], name: str, identifier: str, known: LastSeen | None
) -> tuple[Mapping[str, Any], frozenset[str] | None]:
    """A document's system fields as they were last seen, and which of them are to be compared (None: all).

    Of a document never seen only its record's identifier is known; of one the store wrote after it was last looked
    at, what no write changes: an edit may stand on what it wrote.
    """
    if known is None:
        # Of a run too only its dataset is known before it was ever seen.
        return {"dataset_identifier" if kind == EXPERIMENT else IDENTIFIER_KEY[kind]: identifier}, None
    last = entry.get("documents", {}).get(documents.readable(name))
    if last is not None and last != known[1]:
        return known[2], SYSTEM_KEYS[kind] - _OF_EACH_WRITE - {"runs", "outputs"}
    return known[2], None


def changed_fields(
    kind: str, value: Mapping[str, Any], before: Mapping[str, Any], only: Iterable[str] | None = None
) -> list[str]:
    """The system's fields that are not as they were last seen, sorted.

    Args:
        before: the system's fields as they were last seen.
        only: those that are compared, where the others may rightly have changed.
    """
    after = system_part(kind, value)
    # Of a document never seen, only the identity is known.
    asked = {*before, *after} if len(before) > 1 else set(before)
    # An earlier version put back brings its own dates and totals; identity, origin and creation stay what they are.
    restored = str(after.get("last_modified_date", "")) < str(before.get("last_modified_date", ""))
    asked -= {"$schema"} | (_OF_EACH_WRITE if restored else set())
    asked = asked if only is None else asked & set(only)
    return sorted(k for k in asked if before.get(k) != after.get(k))


def told(path: Path, changed: Iterable[str], value: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """The sentence about changed system fields."""
    shown = ", ".join(f"{k} (was {before.get(k)!r}, is {value.get(k)!r})" for k in list(changed)[:3])
    return printable(f"{path}: only the system writes {shown}; put the former value back. Your other edits are kept.")


def refused_edit(
    schemas: SchemaSet,
    path: Path,
    kind: str,
    value: Mapping[str, Any],
    before: Mapping[str, Any],
    only: Iterable[str] | None = None,
) -> str:
    """Why an edit of a document does not count, "" when it does; arguments as for :func:`changed_fields`."""
    problems = schemas.problems(kind, value)
    if problems:
        return printable(f"{path} is not valid: {problems[0].pointer or 'the document'}: {problems[0].message}")
    changed = changed_fields(kind, value, before, only)
    return told(path, changed, value, before) if changed else ""


def edited_entry(entry: Mapping[str, Any], row: FileRow) -> str:
    """Which of the system's fields of a manifest's entry is not what was seen of the file, "" when none is."""
    if entry["file_identifier"] != row.identifier:
        return "file_identifier"
    if row.condition is not Condition.DESCRIBED:
        return ""
    if entry["checksum"]["value"] != row.sha256:
        return "checksum"
    return "size_bytes" if entry["size_bytes"] != row.stamp.size and row.stamp.ino else ""


def told_entry(what: str, row: FileRow) -> str:
    """The sentence about a changed field of an entry."""
    return (
        f"the {what} of {row.path!r} was changed by hand; put {row.identifier} / {row.sha256} / "
        f"{row.stamp.size} bytes back, or accept the change as a curator. Nothing was overwritten."
    )


# --- for the store: a document no pass has looked at yet ------------------------------------------------------------


@dataclass(frozen=True)
class Protection:
    """Keeps a save from making an editor's system fields the store's own.

    Args:
        state: the root's folder of machine-local state; without it only identities are known.
    """

    root: Path
    state: Path | None

    def undone(self, record: Record, change: Change, document: Document, entry: Mapping[str, Any]) -> Value:
        """A document's value with the system's fields as they were before somebody's editor, people's as they are.

        Args:
            entry: the registry entry of the record, {} when there is none.

        Raises:
            DocumentError: when it was changed which record it is, or what a manifest says of a file's identity or
                bytes: nothing here can put that right.
            StoreError: when the state folder cannot be read.
        """
        if change.kind == INSTRUMENT or record.kind:
            name = self._name(record, change)
            if record.kind and entry.get("documents", {}).get(documents.readable(name)) == document.sha256:
                return document.value
            return self._compared(record, change, document, entry, name)
        return document.value

    def _name(self, record: Record, change: Change) -> str:
        return change.path.relative_to(self.root / record.relative / METADATA).as_posix()

    def _compared(
        self, record: Record, change: Change, document: Document, entry: Mapping[str, Any], name: str
    ) -> Value:
        if self.state is None:
            ours = document.sha256 in our_texts(entry, name, "")
            return document.value if ours else self._mended(record, change, document, entry, name, None)
        seen = Seen(self.state, read_only=True)
        try:
            place = self._place(seen, record)
            known = seen.document(self._relative(change.path)) if place is not None or not record.kind else None
            if known is not None and known[0] == document.stamp:
                return document.value  # a pass has looked at it
            if document.sha256 in our_texts(entry, name, known[1] if known is not None else ""):
                return document.value
            if place is not None and place.identifier != record.identifier:
                key = "dataset_identifier" if record.kind == "dataset" else "project_identifier"
                raise _refused(change.path, told(change.path, [key], document.value, {key: place.identifier}))
            if place is not None and change.kind == STRUCTURAL:
                _refuse_entries(change.path, document.value, seen, place)
            return self._mended(record, change, document, entry, name, known)
        finally:
            seen.close()

    def _place(self, seen: Seen, record: Record) -> PlaceRow | None:
        """The place last seen at the record's path, if it is the very folder that stands there now."""
        place = seen.place_at(record.relative) if record.kind else None
        if place is None or place.gone:
            return None
        try:
            info = (self.root / record.relative).lstat()
        except OSError:
            return None
        return place if identity_of(info) == place.folder else None

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _mended(
        self,
        record: Record,
        change: Change,
        document: Document,
        entry: Mapping[str, Any],
        name: str,
        known: LastSeen | None,
    ) -> Value:
        kind, value = change.kind, document.value
        if kind == INSTRUMENT and known is None:
            return value
        before, only = last_known(kind, entry, name, record.identifier, known)
        if known is None and documents.decode_path(*_path_of(entry)) != record.relative:
            return value  # not registered here: whose it is is for a pass to find out
        changed = changed_fields(kind, value, before, OF_AN_INSTRUMENT if kind == INSTRUMENT else only)
        mended = {k: v for k, v in value.items() if k not in changed or k in before}
        mended |= {k: before[k] for k in changed if k in before}
        return _with_totals(mended) if kind == STRUCTURAL and known is not None else mended


def _path_of(entry: Mapping[str, Any]) -> tuple[str, str | None]:
    return str(entry.get("path", "")), entry.get("path_encoding")


def _refused(path: Path, sentence: str) -> DocumentError:
    return DocumentError(path, sentence, (sentence,))


def _refuse_entries(path: Path, value: Mapping[str, Any], seen: Seen, place: PlaceRow) -> None:
    entries = manifest.entries_by_name(path, value)
    rows = seen.files(place.id, map(os.fsencode, entries))
    for row in rows.values():
        what = edited_entry(entries[row.path], row) if row.identifier else ""
        if what:
            raise _refused(path, printable(f"{path}: {told_entry(what, row)}"))


def _with_totals(value: Value) -> Value:
    entries = value.get("file_descriptions")
    return manifest.NOTHING.changed((), entries).into(value) if isinstance(entries, list) else value
