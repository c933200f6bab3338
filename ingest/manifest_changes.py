"""A manifest's next text: only the lines of the entries that change, where the rest is known to be the store's own."""

from __future__ import annotations

import hashlib
import logging

from ingest import documents, manifest
from ingest.documents import STRUCTURAL
from ingest.errors import ConflictError, DocumentError
from ingest.merging import same
from ingest.minting import with_identities
from ingest.records import Change, EntriesChange, Value
from ingest.rows import Stamp
from ingest.stamping import Stamping
from ingest.texts import NextText

_log = logging.getLogger("fairfolder.store")


def head_change(change: Change, parts: manifest.Split, before: Stamp, stamping: Stamping) -> NextText | None:
    """A person's change of a manifest: its entries are not theirs, and stay the text they are; None changes nothing.

    Args:
        parts: of the manifest, which is the store's own text.
        before: the stamp of the file it was read from.

    Raises:
        ConflictError, DocumentError: as for :meth:`ingest.store.Store.change`.
    """
    found = documents.etag(STRUCTURAL, parts.header)
    if change.if_match is not None and found != change.if_match:
        raise ConflictError(change.path, change.if_match, found)
    value = change.function(dict(parts.header))
    if value is None or same(value, parts.header):
        return None
    head = with_identities(value)
    entries = EntriesChange(change.path, frozenset(), lambda old: {}, header=lambda old: head)
    return _spliced(entries, parts, before, stamping)


def entries_change(change: EntriesChange, stamping: Stamping) -> NextText | None:
    """A change of some entries; None when it changes nothing.

    Raises:
        FileNotFoundError, DocumentError: when there is no manifest that can be read, or the next one is not valid.
    """
    raw, before = documents.read_stamped(change.path)
    if change.trusted is not None and stamping.schemas.is_packaged(STRUCTURAL):
        parts = manifest.split(raw) if before == change.trusted else None
        if parts is not None:
            try:
                return _spliced(change, parts, before, stamping)
            except ValueError:
                _log.warning("%s is not in its own form; it is read and written as a whole", change.path)
    return _rewritten(change, raw, before, stamping)


def _header_after(change: EntriesChange, header: Value) -> Value:
    return header if change.header is None else change.header(dict(header))


def _spliced(change: EntriesChange, parts: manifest.Split, before: Stamp, stamping: Stamping) -> NextText | None:
    slots = manifest.find_all(parts, change.keys)
    old = {
        key: documents.parse(change.path, parts.raw[s.start : s.end], twice_checked=True)
        for key, s in slots.items()
        if s.end > s.start
    }
    new = {k: v for k, v in change.function(old).items() if v != old.get(k)}
    wanted = _header_after(change, parts.header)
    if not new and same(wanted, parts.header):
        return None
    totals = manifest.Totals.of_header(parts.header).changed(
        (old[k] for k in new if k in old), (v for v in new.values() if v is not None)
    )
    header = stamping.stamped(STRUCTURAL, totals.into(wanted), parts.header, ours=change.ours)
    stamping.validate(change.path, STRUCTURAL, {**header, "file_descriptions": [v for v in new.values() if v]})
    lines = {k: None if v is None else manifest.entry_line(v) for k, v in new.items()}
    pieces = manifest.assemble(header, manifest.spliced(parts, lines, slots))
    return NextText(change.path, STRUCTURAL, pieces, header, before, hashlib.sha256(parts.raw).hexdigest())


def _rewritten(change: EntriesChange, raw: bytes, before: Stamp, stamping: Stamping) -> NextText | None:
    value = documents.parse(change.path, raw)
    stamping.validate(change.path, STRUCTURAL, value)
    entries = {manifest.key_of_entry(e): e for e in value["file_descriptions"]}
    if len(entries) != len(value["file_descriptions"]):
        raise DocumentError(change.path, f"{change.path} describes a path twice; keep one of the two entries.")
    old = {key: entries[key] for key in change.keys if key in entries}
    for key, entry in change.function(old).items():
        entries.pop(key, None)
        if entry is not None:
            entries[key] = entry
    totals = manifest.NOTHING.changed((), entries.values())
    ordered = sorted(entries.values(), key=manifest.entry_order)
    new = {**totals.into(_header_after(change, value)), "file_descriptions": ordered}
    if new == value and manifest.render_value(new) == raw:
        return None
    new = stamping.stamped(STRUCTURAL, new, value, ours=change.ours)
    stamping.validate(change.path, STRUCTURAL, new)
    text = manifest.render_value(new)
    return NextText(change.path, STRUCTURAL, [text], new, before, hashlib.sha256(raw).hexdigest())
