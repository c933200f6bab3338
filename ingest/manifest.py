"""The manifest as text: one entry per line, sorted by path.

A dataset may hold 100,000 files, and one new file must not cost the reading and writing of 100,000 dictionaries
(parsed, they need 300 MB). So the manifest is written with ``file_descriptions`` as its last key and each entry as one
line of compact JSON whose first keys are ``path`` and, rarely, ``path_encoding``. A change is then a merge of sorted
lines; ``git diff`` shows just the files that changed. JSON escapes newlines in strings, so a line never ends inside
one. Text in any other form (an editor's) is still read: :func:`split` answers None and the whole is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ingest.documents import decode_path
from ingest.errors import DocumentError

_OPEN = b'\n  "file_descriptions": [\n'
_CLOSE = b"\n  ]\n}\n"
_EMPTY = b'\n  "file_descriptions": []\n}\n'
Buffer = bytes | memoryview

_START = b'{"path":"'
_END = b',"file_identifier":'
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Split:
    """A manifest in line form: its parsed header (``file_descriptions`` empty) and where its lines stand in ``raw``."""

    header: dict[str, Any]
    raw: bytes
    start: int
    end: int

    @property
    def lines(self) -> list[bytes]:
        """One compact JSON object per file, without commas."""
        return list(self.iter_lines())

    def iter_lines(self) -> Iterator[bytes]:
        """The lines one by one; only one is in memory beside the text itself."""
        raw, start, end = self.raw, self.start, self.end
        while start < end:
            stop = raw.find(b",\n", start, end)
            if stop < 0:
                stop = end
            yield raw[start:stop]
            start = stop + 2


def split(raw: bytes) -> Split | None:
    """Header and lines of a manifest in line form, or None when the text has another form."""
    if raw.endswith(_EMPTY):
        at = start = end = len(raw) - len(_EMPTY)
    else:
        at = raw.find(_OPEN)
        if at < 0 or not raw.endswith(_CLOSE) or not raw.startswith(_START, at + len(_OPEN)):
            return None
        start, end = at + len(_OPEN), len(raw) - len(_CLOSE)
    try:
        header = orjson.loads(raw[:at] + b'\n  "file_descriptions": []\n}')
    except orjson.JSONDecodeError:
        return None
    if not isinstance(header, dict) or header.get("file_descriptions") != []:
        return None
    return Split(header, raw, start, end)


def key_of(line: bytes) -> bytes:
    """What identifies an entry within its manifest: the text of ``path`` and ``path_encoding`` at the line's start.

    Raises:
        ValueError: when the line does not begin as we write it.
    """
    end = line.find(_END)
    if end < 0 or not line.startswith(_START):
        raise ValueError("not a manifest line")
    return line[:end]


def entry_line(entry: Mapping[str, Any]) -> bytes:
    """An entry as its line: ``path`` (and ``path_encoding``), ``file_identifier``, then the rest in its own order."""
    first = {k: entry[k] for k in ("path", "path_encoding", "file_identifier") if k in entry}
    return orjson.dumps({**first, **entry})


def key_for(os_path_fields: Mapping[str, str]) -> bytes:
    """The key of a path as :func:`ingest.documents.encode_path` records it."""
    return orjson.dumps(os_path_fields)[:-1]


def sort_key(key: bytes) -> tuple[str, str]:
    """The order of entries: by recorded path, code point by code point."""
    fields = orjson.loads(key + b"}")
    return fields["path"], fields.get("path_encoding", "")


def os_path_of(key: bytes) -> str:
    """The ``os`` path (relative to the dataset) of a line's key."""
    fields = orjson.loads(key + b"}")
    return decode_path(fields["path"], fields.get("path_encoding"))


@dataclass(frozen=True)
class Slot:
    """Where a key stands, or would stand: the offsets of its line (without comma), equal when there is none."""

    start: int
    end: int


def find(parts: Split, key: bytes, low: int | None = None) -> Slot:
    """The place of a key by bisection over the text: 17 looks in 100,000 lines.

    Args:
        low: an offset at a line's start that the key does not stand before (of the key before it in order, say).

    Raises:
        ValueError: when a line is not in our form.
    """
    raw, high, wanted = parts.raw, parts.end, sort_key(key)
    low = parts.start if low is None else low
    middle = low  # the first look is at the line just there: keys often come one after the other
    while low < high:
        before = raw.rfind(b"\n", low, middle)
        start = low if before < 0 else before + 1
        stop = raw.find(b",\n", start, parts.end)
        stop = parts.end if stop < 0 else stop
        here = sort_key(key_of(raw[start:stop]))
        if here == wanted:
            return Slot(start, stop)
        if here < wanted:
            low = min(stop + 2, parts.end)
        else:
            high = start
        middle = (low + high) // 2
    return Slot(low, low)


def find_all(parts: Split, keys: Iterable[bytes]) -> dict[bytes, Slot]:
    """The places of some keys, in the order of the text.

    Raises:
        ValueError: when a line is not in our form.
    """
    slots: dict[bytes, Slot] = {}
    low = parts.start
    if low == parts.end:  # nothing is there yet
        return {key: Slot(low, low) for key in sorted(keys, key=sort_key)}
    for key in sorted(keys, key=sort_key):
        slot = slots[key] = find(parts, key, low)
        # The next key often is the next line, and that is where it is looked for first.
        low = min(slot.end + 2, parts.end) if slot.end > slot.start else slot.start
    return slots


def spliced(parts: Split, changes: Mapping[bytes, bytes | None], slots: Mapping[bytes, Slot]) -> Iterator[Buffer]:
    """The lines' text in pieces to be joined with ``",\\n"``: whole stretches of old lines, and the new lines.

    Args:
        changes: key → new line, or None to remove it.
        slots: key → its place, in order, from :func:`find_all` on the same parts.
    """
    raw, at = memoryview(parts.raw), parts.start
    for key, slot in slots.items():
        if key not in changes:
            continue
        line = changes[key]
        if slot.start > at:
            yield raw[at : slot.start - 2 if slot.start < parts.end else slot.start]
        if line is not None:
            yield line
        at = min(slot.end + 2, parts.end) if slot.end > slot.start else slot.start
    if at < parts.end:
        yield raw[at : parts.end]


def header_bytes(header: Mapping[str, Any]) -> bytes:
    """The text before the entries."""
    rest = {k: v for k, v in header.items() if k != "file_descriptions"}
    return orjson.dumps(rest, option=orjson.OPT_INDENT_2)[:-2] + b","


def assemble(header: Mapping[str, Any], pieces: Iterable[Buffer]) -> Iterator[Buffer]:
    """A whole manifest's text in pieces, from its header and the text of its sorted lines."""
    yield header_bytes(header)
    first = True
    for piece in pieces:
        yield _OPEN if first else b",\n"
        yield piece
        first = False
    yield _EMPTY if first else _CLOSE


def render(header: Mapping[str, Any], lines: Iterable[bytes]) -> bytes:
    """A whole manifest's text from its header and its sorted lines (without commas)."""
    return b"".join(assemble(header, lines))


def render_value(value: Mapping[str, Any]) -> bytes:
    """The text of a manifest given as a value: its entries sorted and written one per line."""
    entries = sorted(value.get("file_descriptions", ()), key=entry_order)
    return render(value, [entry_line(e) for e in entries])


def entry_order(entry: Mapping[str, Any]) -> tuple[str, str]:
    """The sort key of a parsed entry."""
    return entry["path"], entry.get("path_encoding", "")


def key_of_entry(entry: Mapping[str, Any]) -> bytes:
    """The key of a parsed entry."""
    return key_for({k: entry[k] for k in ("path", "path_encoding") if k in entry})


# --- a manifest that is not the store's own text ----------------------------------------------------------------


def entries_by_name(document: Path, value: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The entries of a parsed manifest by the ``os`` path they speak of, once each is known to be one.

    Raises:
        DocumentError: when an entry lacks what every entry has, leads out of the dataset, or stands there twice.
    """
    entries = value.get("file_descriptions")
    if not isinstance(entries, list):
        raise DocumentError(document, f"{document} has no list file_descriptions; restore it. Nothing was overwritten.")
    named: dict[str, Mapping[str, Any]] = {}
    identifiers: set[str] = set()
    for number, entry in enumerate(entries):
        wrong = _wrong(entry)
        name = "" if wrong else decode_path(entry["path"], entry.get("path_encoding"))
        if not wrong and (name in named or entry["file_identifier"] in identifiers):
            wrong = "has a path or a file_identifier that another entry has too"
        if wrong:
            raise DocumentError(
                document, f"{document} is not valid: entry {number} of file_descriptions {wrong}; "
                "correct it by hand or restore an earlier version. Nothing was overwritten."
            )  # fmt: skip
        named[name] = entry
        identifiers.add(entry["file_identifier"])
    return named


def _wrong(entry: object) -> str:
    if not isinstance(entry, dict):
        return "is no object"
    path, checksum = entry.get("path"), entry.get("checksum")
    if not isinstance(path, str) or not _leads_inside(decode_path(path, entry.get("path_encoding"))):
        return f"has the path {path!r}, which leads out of the dataset"
    if not isinstance(identifier := entry.get("file_identifier"), str) or not _UUID.fullmatch(identifier):
        return "has no file_identifier that is a UUID"
    if not isinstance(checksum, dict) or not _SHA256.fullmatch(str(checksum.get("value"))):
        return "has no SHA-256 as its checksum"
    return "" if type(entry.get("size_bytes")) is int else "has no number of bytes"


def _leads_inside(name: str) -> bool:
    return "\0" not in name and all(part not in ("", ".", "..") for part in name.split("/"))


# --- the summary in the header ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Totals:
    """What the header says of the entries that are there: count, bytes, and both per format name."""

    count: int
    size: int
    formats: Mapping[str, tuple[int, int]]

    @classmethod
    def of_header(cls, header: Mapping[str, Any]) -> Totals:
        """The totals as recorded."""
        per = {f["name"]: (f["count"], f["size_bytes"]) for f in header.get("formats", ())}
        return cls(header.get("file_count", 0), header.get("total_size_bytes", 0), per)

    def changed(self, old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]) -> Totals:
        """The totals after some entries went and others came; ``missing`` entries do not count."""
        count, size, per = self.count, self.size, dict(self.formats)
        for sign, entries in ((-1, old), (1, new)):
            for entry in entries:
                if entry.get("state") == "missing":
                    continue
                name, bytes_ = format_name(entry), entry["size_bytes"]
                had = per.get(name, (0, 0))
                per[name] = (had[0] + sign, had[1] + sign * bytes_)
                count, size = count + sign, size + sign * bytes_
        return Totals(count, size, per)

    def into(self, header: Mapping[str, Any]) -> dict[str, Any]:
        """The header with these totals, formats by name."""
        formats = [{"name": n, "count": c, "size_bytes": b} for n, (c, b) in sorted(self.formats.items()) if c > 0]
        return {**header, "file_count": self.count, "total_size_bytes": self.size, "formats": formats}


NOTHING = Totals(0, 0, {})


def format_name(entry: Mapping[str, Any]) -> str:
    """The name an entry is counted under: its format's, else its media type."""
    name = entry.get("format", {}).get("name") or entry.get("mime_type", "application/octet-stream")
    return str(name)
