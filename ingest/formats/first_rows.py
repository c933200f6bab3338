"""The first rows of a table and the first lines of a text, from the first bytes alone; pure, bounded in every way."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from ingest.formats.compressed import BrokenError, Unpacker
from ingest.formats.facts import MalformedError
from ingest.formats.table import find_dialect

READ_BYTES = 256 << 10
ROWS = 20
COLUMNS = 20
LINES = 40
CELL = 200
LINE = 400
_MARKS = "\ufeff"


@dataclass(frozen=True)
class Rows:
    """`header` is empty where the columns have no names; the two flags say whether there is more than is held."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more_rows: bool
    more_columns: bool


@dataclass(frozen=True)
class Lines:
    lines: tuple[str, ...]
    more: bool


def unpacked(data: bytes) -> bytes:
    """The first READ_BYTES inside the beginning of a gzip file.

    Raises:
        MalformedError: when it is damaged from the start.
    """
    unpacker = Unpacker("gzip", READ_BYTES)
    pieces: list[bytes] = []
    try:
        pieces.extend(unpacker.feed(data))
    except BrokenError as error:
        if not pieces:
            raise MalformedError("the compressed data is damaged") from error
    return b"".join(pieces)[:READ_BYTES]


def decoded(data: bytes, encoding: str, *, whole: bool) -> str:
    """Text of whole lines; what is no text becomes "�".

    Raises:
        MalformedError: when the first line is not whole.
    """
    known = encoding if encoding.startswith(("utf-16", "utf-32", "iso-8859-1")) else "utf-8"
    try:
        text = data.decode(known, "replace").lstrip(_MARKS)
    except LookupError:
        text = data.decode("utf-8", "replace").lstrip(_MARKS)
    if whole:
        return text
    kept, end, _ = text.rpartition("\n")
    if not end:
        raise MalformedError(f"its first line is longer than {READ_BYTES >> 10} kB")
    return kept + end


def delimited(text: str, names: Sequence[str], *, tabs: bool, whole: bool) -> Rows:
    """A CSV or TSV table; its first row is the header when it says the recorded names of the columns.

    Raises:
        MalformedError: when it cannot be cut into rows.
    """
    dialect = find_dialect(text[:READ_BYTES].encode("utf-8", "replace"), named_table=True)
    lines = islice(io.StringIO(text, newline=""), dialect.skip if dialect else 0, None)
    delimiter = "\t" if tabs else dialect.delimiter if dialect else ","
    quoted = dialect is None or dialect.quoted
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
    found: list[list[str]] = []
    try:
        for row in reader:
            if row:
                found.append(row)
            if len(found) == ROWS + 2:
                break
    except csv.Error as error:
        raise MalformedError("a cell of the table is larger than a table's cell can be") from error
    is_named = (
        bool(found) and bool(names) and [c.strip() for c in found[0][: len(names)]] == list(names[: len(found[0])])
    )
    header, body = (found[0], found[1:]) if is_named else ([], found)
    return _bounded(header, body, more=not whole)


def json_lines(text: str, *, whole: bool) -> Rows:
    """One row a line, one column for each key.

    Raises:
        MalformedError: when a line is not JSON.
    """
    lines = [line for line in text.split("\n") if line.strip()][: ROWS + 1]
    try:
        values = [orjson.loads(line.encode("utf-8", "replace")) for line in lines]
    except orjson.JSONDecodeError as error:
        raise MalformedError("a line is not valid JSON") from error
    if not all(isinstance(value, dict) for value in values):
        return _bounded([], [_cells(v if isinstance(v, list) else [v]) for v in values], more=not whole)
    keys = list(dict.fromkeys(key for value in values for key in value))
    return _bounded(
        keys, [_cells(value.get(key, "") for key in keys[: COLUMNS + 1]) for value in values], more=not whole
    )


def lines_of(text: str, *, whole: bool) -> Lines:
    """The first lines, each cut where it is too long for a page."""
    found = text.split("\n")
    if found[-1] == "":
        found.pop()
    more = not whole or len(found) > LINES
    return Lines(tuple(_cut(line.rstrip("\r"), LINE) for line in found[:LINES]), more)


def of_cells(header: Sequence[Any], rows: Sequence[Sequence[Any]], *, more: bool) -> Rows:
    """Rows that another process read, through the same bounds."""
    return _bounded(_cells(header), [_cells(row) for row in rows if isinstance(row, list)], more=more)


def _bounded(header: Sequence[str], rows: Sequence[Sequence[str]], *, more: bool) -> Rows:
    if not rows and not header:
        raise MalformedError("the table has no rows")
    widest = max(map(len, (header, *rows)))
    width = min(widest, COLUMNS)
    kept = tuple(_row(row, width) for row in rows[:ROWS])
    return Rows(_row(header, width) if header else (), kept, more or len(rows) > ROWS, widest > COLUMNS)


def _row(row: Sequence[str], width: int) -> tuple[str, ...]:
    return tuple(_cut(cell, CELL) for cell in (*row[:width], *[""] * (width - len(row))))


def _cells(values: Iterable[Any]) -> list[str]:
    return [value if isinstance(value, str) else _compact(value) for value in values]


def _compact(value: Any) -> str:
    return "" if value is None else orjson.dumps(value).decode()


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
