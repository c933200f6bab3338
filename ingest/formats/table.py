"""CSV and TSV: delimiter, rows, columns with names and inferred types. Source: RFC 4180; IANA tab-separated-values.

Types are inferred from the first 500 rows: integer, number, boolean, date, date-time, else string. A first row
is taken for column names only when it differs from the rows below it; otherwise the columns are numbered,
because a row of data may hold what nobody meant to publish.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from dataclasses import dataclass

from ingest.formats.facts import MAX_VARIABLES, Facts
from ingest.formats.source import Source
from ingest.formats.text import LineCounter, is_wide, warn_wide

_DELIMITERS = ("\t", ";", ",", "|")
_SAMPLE_LINES = 12
_SAMPLE_BYTES = 2_048
_TRIED = 16
_SAMPLE_ROWS = 500
# Quotes and line ends in quoted fields that are looked at one by one, at about 100 MB/s.
_MAX_QUOTED_BYTES = 64 << 20
_MISSING = frozenset(("", "NA", "N/A", "n/a", "na", "NaN", "nan", "null", "NULL", "None", "-", "."))
_BOOLEANS = frozenset(("true", "false", "True", "False", "TRUE", "FALSE"))
_BOOLEANS_OR_MISSING = _BOOLEANS | _MISSING
_DATE = re.compile(r"\d{4}-[01]\d-[0-3]\d")
_DATE_TIME = re.compile(r"\d{4}-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d(?::[0-6]\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_CODE = re.compile(r"^[+-]?0\d+\s*$", re.MULTILINE)
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the rows are written; ``skip`` counts comment lines before the first row."""

    delimiter: str
    skip: int
    quoted: bool


def find_dialect(body: bytes, *, named_table: bool) -> Dialect | None:
    """The delimiter that cuts every sampled line into equally many fields; None when the text is no table.

    ``named_table`` (the extension says so) lowers the bar: then the most frequent delimiter of the first line will do.
    """
    lines = body[:_SAMPLE_BYTES].decode("utf-8", "replace").split("\n")
    if len(lines) > 1 and len(body) > _SAMPLE_BYTES:
        lines.pop()
    skip = _comment_lines(lines) if lines[0][:1] == "#" else 0
    sample = [line.rstrip("\r") for line in lines[skip : skip + _SAMPLE_LINES] if line and line != "\r"]
    quoted = b'"' in body
    if quoted:
        sample = [_QUOTED.sub("", line) if '"' in line else line for line in sample]
    for delimiter in _DELIMITERS:
        if _cuts_evenly(sample, delimiter, named_table):
            return Dialect(delimiter, skip, quoted)
    if not named_table or not sample:
        return None
    best = max(_DELIMITERS, key=sample[0].count)
    return Dialect(best if best in sample[0] else ",", skip, quoted)


def _comment_lines(lines: list[str]) -> int:
    count = 0
    for line in lines:
        if not line.startswith("#"):
            break
        count += 1
    # A table whose only header line starts with "#" keeps it as its first row.
    return count if count != 1 or "\t" not in lines[0] else 0


def _cuts_evenly(sample: list[str], delimiter: str, named_table: bool) -> bool:
    if not sample:
        return False
    cuts = sample[0].count(delimiter)
    if not cuts or len(sample) < (1 if named_table else 2 if delimiter == "\t" else 3):
        return False
    if delimiter != "\t" and not named_table and all(line.endswith(delimiter) for line in sample):
        return False  # statements of a program
    return all([line.count(delimiter) == cuts for line in sample])  # noqa: C419 - faster than a generator here


def describe(source: Source, facts: Facts) -> None:
    """Rows and columns, and one variable per column."""
    dialect: Dialect = source.clue
    warn_wide(source, facts, "rows")
    columns, ragged = _columns(source, dialect)
    if not columns:
        facts.warn("the table has no rows")
        return
    if ragged:
        facts.warn(f"{ragged} of the first {len(columns[0])} rows do not have {len(columns)} fields")
    types = [infer_type(column[1:]) for column in columns]
    named = _has_names(columns, types)
    source.clue = (dialect, named)
    for number, column in enumerate(columns[: MAX_VARIABLES + 1], 1):
        if named:
            facts.variable(column[0].strip() or f"column {number}", types[number - 1])
        else:
            facts.variable(f"column {number}", infer_type(column))
    if source.whole:
        rows = len(columns[0])
        if ragged or rows >= _SAMPLE_ROWS:
            rows = _count_rows(source.body, dialect)
        _set_rows(facts, rows - named)
    facts.dimension("columns", len(columns))


def _set_rows(facts: Facts, rows: int) -> None:
    facts.records = max(rows, 0)
    facts.dimensions.insert(0, {"axis": "rows", "size": facts.records})


def _columns(source: Source, dialect: Dialect) -> tuple[list[list[str]], int]:
    """The fields of up to 500 complete rows by column, and how many rows have another width than the first."""
    text = _sample_text(source, dialect)
    if not text:
        return [], 0
    delimiter = dialect.delimiter
    if not dialect.quoted:
        first_line = text.partition("\n")[0]
        width = first_line.count(delimiter) + 1
        columns = _cut_evenly(text, delimiter, width)
        if columns:
            return columns, 0
        rows = [line.split(delimiter) for line in text.split("\n")]
    else:
        rows = _read_quoted(text.split("\n"), dialect)
        width = len(rows[0]) if rows else 0
    ragged = sum([len(row) != width for row in rows])
    return [[row[at] for row in rows if len(row) > at] for at in range(width)], ragged


def _cut_evenly(text: str, delimiter: str, width: int) -> list[list[str]] | None:
    """The fields by column when every row has ``width`` of them; one split of everything costs half of one per row."""
    fields = text.replace("\n", delimiter + "\n").split(delimiter)
    first = "".join(fields[::width])
    # Every row but the first starts with a line end: all of them stand in the first column, or a row is ragged.
    if len(fields) % width or first.count("\n") != len(fields) // width - 1:
        return None
    return [first.split("\n"), *(fields[start::width] for start in range(1, width))]


def _sample_text(source: Source, dialect: Dialect) -> str:
    """up to 500 complete rows without comments, empty lines and a last line end."""
    text = source.body.decode("utf-8", "replace")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if dialect.skip:
        text = text.split("\n", dialect.skip)[-1]
    if not source.whole:
        text = text.rpartition("\n")[0] or text
    if text.count("\n") > _SAMPLE_ROWS:
        text = "\n".join(text.split("\n", _SAMPLE_ROWS)[:_SAMPLE_ROWS])
    if "\n\n" in text or text[:1] == "\n":
        text = "\n".join([line for line in text.split("\n") if line])
    return text.removesuffix("\n")


def _read_quoted(lines: list[str], dialect: Dialect) -> list[list[str]]:
    reader = csv.reader((line + "\n" for line in lines), delimiter=dialect.delimiter)
    rows = []
    try:
        for row in reader:
            if row:
                rows.append(row)
    except csv.Error:
        pass  # a field over 128 kB: what was read so far stands
    return rows


def _has_names(columns: list[list[str]], types: list[str]) -> bool:
    """Whether the first row names the columns: texts, all different, none of them a value of its column."""
    names = [column[0].strip() for column in columns]
    if len(columns[0]) < 2 or len(set(names)) < len(names) or "" in names[1:]:
        return False
    if any(_is_number(name) or len(name) > 100 or _DATE.match(name) for name in names):
        return False
    if types != ["string"] * len(types):
        return True
    return not any(name in column[1:] for name, column in zip(names, columns, strict=True))


def _is_number(text: str) -> bool:
    if text[:1] not in "+-.0123456789":
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True


def infer_type(values: list[str]) -> str:
    """The narrowest of integer, number, boolean, date, date-time, string that holds every value that is not missing."""
    first = values[0].strip() if values else ""
    if first in _MISSING:
        values = [value for value in values if value.strip() not in _MISSING]
        if not values:
            return "string"
        first = values[0].strip()
    if first[:1] in "+-.0123456789":
        return _infer_number(values) or _infer_date(values) or "string"
    if first in _BOOLEANS and _BOOLEANS_OR_MISSING.issuperset(map(str.strip, values)):
        return "boolean"
    return "string"


def _infer_number(values: list[str]) -> str | None:
    joined = "\n".join(values)
    digits = joined.replace("\n", "")
    if digits.isdecimal() and digits.isascii():
        return None if _has_codes(joined) else "integer"
    plain = digits.count(".") <= len(values) and digits.isascii() and digits.replace(".", "").isdecimal()
    # Where there are digits and points only, a few values tried stand for all.
    if plain and _all_numbers(values[:_TRIED]) and not _has_codes(joined):
        return "number"
    if not _all_numbers(values):
        values = [value for value in values if value.strip() not in _MISSING]
        if not _all_numbers(values):
            return None
        joined = "\n".join(values)
    if "_" in joined or not joined.isascii() or _has_codes(joined):
        return None  # float() reads 1_000 and other scripts' digits; other readers do not
    return "number" if any(mark in joined for mark in ".eEnN") else "integer"


def _has_codes(joined: str) -> bool:
    """Whether a value has a leading zero before more digits: 007 is a code, not a number."""
    if joined[0] != "0" and "\n0" not in joined:
        return False
    lines = f"\n{joined}\n"
    if lines.count("\n0") == lines.count("\n0.") + lines.count("\n0\n"):
        return False
    return _CODE.search(joined) is not None


def _all_numbers(values: list[str]) -> bool:
    try:
        # map in C over the column: the cheapest full test there is
        deque(map(float, values), maxlen=0)
    except ValueError:
        return False
    return True


def _infer_date(values: list[str]) -> str | None:
    kept = [value.strip() for value in values if value.strip() not in _MISSING]
    if all(_DATE.fullmatch(value) for value in kept):
        return "date"
    if all(_DATE_TIME.fullmatch(value) for value in kept):
        return "date-time"
    return None


def _count_rows(body: bytes, dialect: Dialect) -> int:
    """Rows that are not empty, comment lines before the first one left out."""
    if dialect.quoted:
        lines = body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return len(_read_quoted(lines[dialect.skip :], dialect))
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    rows = body.count(b"\n") + (not body.endswith(b"\n")) - dialect.skip
    if b"\n\n" in body or body[:1] == b"\n":
        rows -= sum(1 for line in body.split(b"\n")[dialect.skip :] if not line) - body.endswith(b"\n")
    return rows


def counter(source: Source) -> RowCounter | None:
    return None if is_wide(source) else RowCounter(source)


class RowCounter(LineCounter):
    """Line ends outside quotes: those with an even number of quotes before them (RFC 4180 doubles inner quotes)."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._source = source
        self._inside = False
        self._quoted_ends = 0
        self._quoted_bytes = 0
        self._others = bytes(code for code in range(256) if code not in b'"' + self.end)

    def feed(self, chunk: bytes) -> None:
        super().feed(chunk)
        if (self._inside or b'"' in chunk) and self._quoted_bytes <= _MAX_QUOTED_BYTES:
            # Only quotes and line ends matter, and two quotes with nothing between them change nothing:
            # what is left of most chunks holds no quote at all.
            marks = chunk.translate(None, self._others).replace(b'""', b"")
            if self._inside or b'"' in marks:
                self._count_quoted(marks)

    def _count_quoted(self, marks: bytes) -> None:
        self._quoted_bytes += len(marks)
        parts = marks.split(b'"')
        self._quoted_ends += len(b"".join(parts[0 if self._inside else 1 :: 2]))
        self._inside ^= len(parts) % 2 == 0

    def finish(self, facts: Facts) -> None:
        super().finish(facts)
        facts.records = None
        if self._quoted_bytes > _MAX_QUOTED_BYTES:
            facts.warn("the rows were not counted: too many line ends stand inside quotes")
            return
        rows = self.lines - self._quoted_ends
        if self._inside:
            rows = self.lines
            facts.warn("a quote is never closed: lines were counted as rows")
        clue = self._source.clue
        dialect, named = clue if isinstance(clue, tuple) else (clue, False)
        _set_rows(facts, rows - dialect.skip - named)
