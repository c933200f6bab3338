"""A look into a file on its page: a small picture, the first rows of a table, the first lines of a text, or why not.

Never the whole of a file, never a path that leads out of its dataset, and nothing of a file that is no longer the one
that was described. Pictures and workbooks are read in a process that may be killed.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.cache import caches

from catalog import engine
from catalog.models import File
from ingest import documents
from ingest.errors import OtherFileError
from ingest.formats import first_rows, sandbox
from ingest.formats.facts import MalformedError
from ingest.formats.first_rows import READ_BYTES, Lines, Rows
from ingest.opening import described_file

SECONDS = 6.0  # a page waits for them
_LARGEST_PICTURE = 4 << 20
_LONGEST_SIDE = 640
_KEPT_SECONDS, _FAILURE_KEPT_SECONDS = 86_400, 60
_SIGNATURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/webp": b"RIFF"}
_PICTURES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff"))
_SHEETS = frozenset(("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",))
_TABLES = {"text/csv": False, "text/tab-separated-values": True}
_JSON_LINES = "application/x-ndjson"
_TEXTS = ("application/json", "application/xml")


@dataclass(frozen=True)
class Picture:
    """A picture made anew; `black` and `white` say which values those are where the file has more than eight bits."""

    media_type: str
    content: bytes
    width: int
    height: int
    black: float | None = None
    white: float | None = None
    form: str = "picture"


@dataclass(frozen=True)
class Table:
    rows: Rows
    sheet: str = ""
    form: str = "table"


@dataclass(frozen=True)
class Text:
    lines: Lines
    form: str = "text"


@dataclass(frozen=True)
class Nothing:
    """Why there is no preview of a file of which one could be expected."""

    reason: str
    form: str = "nothing"


Preview = Picture | Table | Text | Nothing


def of_file(row: File, entry: Mapping[str, Any]) -> Preview | None:
    """What is shown of a file; None where nothing is to be expected (another kind of file, or previews turned off)."""
    make = _maker(row, entry) if settings.FAIRFOLDER_PREVIEWS else None
    if make is None:
        return None
    if row.state == "missing":
        return Nothing("the file is not at its place")
    root = engine.root_named(row.dataset.root)
    if root is None:
        return Nothing("its folder is not watched now")
    dataset = documents.decode_path(row.dataset.path, row.dataset.path_encoding)
    path = documents.decode_path(row.path, row.path_encoding)
    try:
        with described_file(root, dataset, path, row.size_bytes, row.modified) as fd:
            return make(fd, row, entry)
    except (OtherFileError, MalformedError) as error:
        return Nothing(str(error))
    except OSError as error:
        return Nothing(f"reading failed ({error.strerror})")


def picture_of(row: File) -> Picture | None:
    """The picture of an image file, made now or kept from its page."""
    if not is_expected(row):
        return None
    found = of_file(row, {})
    return found if isinstance(found, Picture) else None


def is_expected(row: File) -> bool:
    """Whether the file is of a kind of which pictures are made, and they are wanted."""
    return bool(settings.FAIRFOLDER_PREVIEWS) and row.mime_type in _PICTURES and row.state != "missing"


_Make = Callable[[int, File, Mapping[str, Any]], Preview]


def _maker(row: File, entry: Mapping[str, Any]) -> _Make | None:
    """What makes the preview of a file of this kind."""
    kind, packed = row.mime_type, entry.get("compression")
    if kind in _PICTURES or kind in _SHEETS:
        return None if packed else _picture if kind in _PICTURES else _sheet
    if packed not in (None, "", "application/gzip"):
        return None
    if kind in _TABLES:
        return _table
    if kind == _JSON_LINES:
        return _json_lines
    return _text if kind.startswith("text/") or kind in _TEXTS else None


# --- in the worker's process ------------------------------------------------------------------------------------


def _picture(fd: int, row: File, entry: Mapping[str, Any]) -> Preview:
    kept, key = caches["previews"], _key(row)
    found = kept.get(key)
    if isinstance(found, Picture | Nothing):
        return found
    made, seconds = _made(fd, row.size_bytes)
    kept.set(key, made, seconds)
    return made


def _key(row: File) -> str:
    """The place counts too: a manifest edited by hand could name the checksum of a file that is not its own."""
    place = (row.dataset.root, row.dataset.path, row.path, row.checksum, str(row.size_bytes), str(row.modified))
    return sha256("\0".join(place).encode("utf-8", "surrogateescape")).hexdigest()


def _made(fd: int, size: int) -> tuple[Picture | Nothing, float]:
    """The picture or why there is none, and for how long that holds."""
    try:
        answer = sandbox.ask("thumbnail", fd, size, SECONDS)
    except sandbox.WorkerError as error:
        return Nothing(str(error)), _FAILURE_KEPT_SECONDS
    return _received(answer) or Nothing(_warning(answer)), _KEPT_SECONDS


def _received(answer: Mapping[str, Any]) -> Picture | None:
    """The worker's picture, which is checked: a worker that was taken over can lie."""
    media_type, encoded = answer.get("media_type"), answer.get("content")
    sides = answer.get("width"), answer.get("height")
    if not isinstance(media_type, str) or media_type not in _SIGNATURES or not isinstance(encoded, str):
        return None
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    fits = all(type(side) is int and 0 < side <= _LONGEST_SIDE for side in sides)
    if not fits or len(content) > _LARGEST_PICTURE or not content.startswith(_SIGNATURES[media_type]):
        return None
    shades = (_number(answer.get(key)) for key in ("black", "white"))
    return Picture(media_type, content, *sides, *shades)  # type: ignore[arg-type]  # checked above


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _warning(answer: Mapping[str, Any]) -> str:
    warnings = answer.get("warnings")
    first = warnings[0] if isinstance(warnings, list) and warnings else None
    return first.removeprefix("extract failed: ") if isinstance(first, str) else "the reader gave no readable answer"


def _sheet(fd: int, row: File, entry: Mapping[str, Any]) -> Preview:
    try:
        answer = sandbox.ask("sheet", fd, row.size_bytes, SECONDS)
    except sandbox.WorkerError as error:
        return Nothing(str(error))
    rows, name = answer.get("rows"), answer.get("sheet")
    if not isinstance(rows, list) or not isinstance(name, str):
        return Nothing(_warning(answer))
    return Table(first_rows.of_cells((), rows, more=answer.get("more") is True), name[:100])


# --- in this process: a bounded piece of text -------------------------------------------------------------------


def _table(fd: int, row: File, entry: Mapping[str, Any]) -> Preview:
    text, whole = _begin(fd, entry)
    rows = first_rows.delimited(text, _column_names(entry), tabs=_TABLES[row.mime_type], whole=whole)
    return Table(rows)


def _json_lines(fd: int, row: File, entry: Mapping[str, Any]) -> Preview:
    text, whole = _begin(fd, entry)
    return Table(first_rows.json_lines(text, whole=whole))


def _text(fd: int, row: File, entry: Mapping[str, Any]) -> Preview:
    text, whole = _begin(fd, entry)
    if not text:
        return Nothing("the file is empty")
    return Text(first_rows.lines_of(text, whole=whole))


def _begin(fd: int, entry: Mapping[str, Any]) -> tuple[str, bool]:
    """The first lines as text, and whether they are all."""
    data = os.pread(fd, READ_BYTES, 0)
    whole = len(data) < READ_BYTES
    if entry.get("compression"):
        data = first_rows.unpacked(data)
        whole = whole and len(data) < READ_BYTES
    encoding = entry.get("encoding")
    return first_rows.decoded(data, encoding if isinstance(encoding, str) else "", whole=whole), whole


def _column_names(entry: Mapping[str, Any]) -> list[str]:
    variables = entry.get("variables")
    rows = variables if isinstance(variables, list) else []
    return [each["name"].strip() for each in rows if isinstance(each, dict) and isinstance(each.get("name"), str)]
