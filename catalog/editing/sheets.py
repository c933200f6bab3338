"""Tables as CSV and XLSX files, both ways, within bounds."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from xml.etree.ElementTree import ParseError

from ingest.errors import FairfolderError

MOST_ROWS = 5_000
MOST_COLUMNS = 4_000
MOST_BYTES = 20_000_000
_MOST_UNPACKED = 200_000_000
_MOST_MEMBERS = 200
_MOST_EMPTY_ROWS = 1_048_576  # as many as a sheet has; a file may name a row far beyond
_DELIMITERS = (",", ";", "\t")
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

Cell = str | int | float | bool | None
Row = tuple[Cell, ...]

# openpyxl checks little of what it reads; a broken file surfaces as any of these.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, ParseError, ArithmeticError, AttributeError, EOFError, LookupError,
    NotImplementedError, OSError, RuntimeError, TypeError, ValueError,
)  # fmt: skip


class SheetError(FairfolderError):
    """A file that is no table we can read, or too much of one."""


@dataclass(frozen=True)
class Table:
    """A header and the rows below it, none of them empty."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]


# --- writing --------------------------------------------------------------------------------------------------


def to_csv(table: Table) -> bytes:
    """UTF-8 with a byte order mark, so that spreadsheet programs read it as such; every cell in quotes."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(table.header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in table.rows)
    return out.getvalue().encode("utf-8-sig")


def to_xlsx(table: Table) -> bytes:
    """One sheet; every text is typed as text, so nothing in it is a formula, an error or a date."""
    import openpyxl  # heavy, and only needed here
    from openpyxl.cell import WriteOnlyCell

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("records")
    sheet.freeze_panes = "B2"
    for row in (table.header, *table.rows):
        cells: list[Any] = []
        for value in row:
            if not isinstance(value, str):
                cells.append(value)
                continue
            cell = WriteOnlyCell(sheet, value="")
            cell.value = value
            cell.data_type = "s"
            cell.number_format = "@"
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# --- reading --------------------------------------------------------------------------------------------------


def read(name: str, data: bytes) -> Table:
    """The table of an uploaded file, told by its content.

    Raises:
        SheetError: when it cannot be read or is too large.
    """
    shown = name[:80]
    if len(data) > MOST_BYTES:
        raise SheetError(f"{shown} has {len(data):,} bytes; at most {MOST_BYTES:,} can be read. Split it.")
    if data[:4] == b"PK\x03\x04":
        return _table(shown, _xlsx_rows(shown, data))
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise SheetError(f"{shown} is an old or a protected Excel file; save it as .xlsx without a password.")
    return _table(shown, _csv_rows(shown, data))


def _table(name: str, rows: Iterable[Row]) -> Table:
    filled = (row for row in rows if any(cell not in (None, "") for cell in row))
    header = next(filled, None)
    if header is None:
        raise SheetError(f"{name} is empty; its first row must name the columns.")
    names = ["" if cell is None else str(cell) for cell in header]
    while names and not names[-1]:
        names.pop()
    if len(names) > MOST_COLUMNS:
        raise SheetError(f"{name} has more than {MOST_COLUMNS:,} columns; split it.")
    kept: list[Row] = []
    for row in filled:
        if len(kept) == MOST_ROWS:
            raise SheetError(f"{name} has more than {MOST_ROWS:,} rows; split it.")
        kept.append(_fitted(row, len(names)))
    return Table(tuple(names), tuple(kept))


def _fitted(row: Row, width: int) -> Row:
    """A row as wide as the header; what stands beyond it belongs to no column."""
    return (*row[:width], *(None for _ in range(width - len(row))))


def _csv_rows(name: str, data: bytes) -> Iterator[Row]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SheetError(f"{name} is not UTF-8; save it as “CSV UTF-8”, or as .xlsx.") from None
    if "\x00" in text:
        raise SheetError(f"{name} is no CSV file: it holds null bytes. Save it as “CSV UTF-8”, or as .xlsx.")
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield tuple(cell.replace("\r\n", "\n") for cell in row)
    except csv.Error as error:
        raise SheetError(f"{name} cannot be read as CSV: {error}; save it again, or as .xlsx.") from None


def _xlsx_rows(name: str, data: bytes) -> Iterator[Row]:
    import openpyxl

    try:
        _refuse_bomb(name, data)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        try:
            if not book.worksheets:
                raise SheetError(f"{name} has no sheet; its first sheet must hold the table.")
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says of its size is not believed
            for number, row in enumerate(sheet.iter_rows(), 1):
                if number > _MOST_EMPTY_ROWS:
                    raise SheetError(f"{name} names rows beyond the end of a sheet; save it again.")
                yield tuple(_cell(name, cell) for cell in row)
        finally:
            book.close()
    except _BROKEN as error:
        raise SheetError(
            f"{name} cannot be read as .xlsx: {type(error).__name__}; save it again, or as CSV."
        ) from error


def _refuse_bomb(name: str, data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        unpacked = sum(each.file_size for each in members)
        if len(members) > _MOST_MEMBERS or unpacked > _MOST_UNPACKED:
            raise SheetError(
                f"{name} unpacks to {unpacked:,} bytes in {len(members):,} parts; at most {_MOST_UNPACKED:,} bytes in "
                f"{_MOST_MEMBERS} parts are read. Split it, or save it as CSV."
            )
        for member in members:
            with archive.open(member) as part:
                if b"<!DOCTYPE" in part.read(1024):
                    raise SheetError(
                        f"{name} holds a document type, which no spreadsheet program writes; save it again."
                    )


def _cell(name: str, cell: Any) -> Cell:
    value = cell.value
    if value is None or isinstance(value, bool | int):
        return value
    if getattr(cell, "data_type", "") == "f":
        raise SheetError(f"{name}: the cell {cell.coordinate} holds a formula; paste its value there and save again.")
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).replace("\r\n", "\n")


def bounded(columns: Sequence[str], rows: int) -> None:
    """Whether a table may be written.

    Raises:
        SheetError: when it would have too many columns or rows to be read back.
    """
    if len(columns) > MOST_COLUMNS:
        raise SheetError(
            f"These records together have {len(columns):,} columns; at most {MOST_COLUMNS:,} fit. Choose fewer records."
        )
    if rows > MOST_ROWS:
        raise SheetError(f"{rows:,} records were chosen; at most {MOST_ROWS:,} fit into one file. Choose fewer.")
