"""XLSX: the first rows of the first sheet. Runs in the worker only. Source: ECMA-376 Part 1, 18.3, 18.4 and 18.8.

Read with the parser of :mod:`ingest.formats.xlsx`: each part up to a bound, no document type, no entity. A formula is
never evaluated: what is shown is the value that the workbook keeps of it.
"""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ingest.formats.facts import Facts, MalformedError
from ingest.formats.xlsx import FoundError, parse, sheets, size_of, targets

_ROWS = 21  # one more than is shown, to know that there are more
_COLUMNS = 21
_MAX_SHEET = 1 << 20
_MAX_STRINGS = 4 << 20
_MAX_STYLES = 1 << 20
_MAX_CELL = 1_000
_DATES = {*range(14, 23), *range(45, 48)}
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_EPOCHS = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}


def extract(fd: int, size: int, facts: Facts) -> dict[str, Any]:
    """``sheet``, its name, ``rows`` of texts and whether there is ``more``."""
    try:
        with os.fdopen(os.dup(fd), "rb") as file, zipfile.ZipFile(file) as archive:
            return _first_sheet(archive)
    except (zipfile.BadZipFile, KeyError, ValueError, OverflowError) as error:
        raise MalformedError("the workbook is damaged") from error


def _first_sheet(archive: zipfile.ZipFile) -> dict[str, Any]:
    found, parts = sheets(archive), targets(archive)
    if not found:
        raise MalformedError("the workbook has no sheet")
    name, relation = found[0]
    part = parts.get(relation, "")
    if part not in archive.NameToInfo:
        raise MalformedError("the workbook's first sheet is missing")
    reader = _SheetReader()
    whole = parse(archive, part, _MAX_SHEET, reader.start, reader.end, reader.text)
    wanted = max((int(c.text) for c in reader.cells if c.kind == "s" and c.text.isdigit()), default=-1)
    strings = _strings(archive, wanted + 1) if wanted >= 0 else []
    dates = _date_styles(archive) if any(c.style for c in reader.cells) else set()
    epoch = _EPOCHS[_counts_from_1904(archive)]
    rows: list[list[str]] = []
    for cell in reader.cells:
        while len(rows) <= cell.row:
            rows.append([])
        row = rows[cell.row]
        row.extend([""] * (cell.column + 1 - len(row)))
        row[cell.column] = _shown(cell, strings, dates, epoch)
    return {"sheet": name, "rows": rows[: _ROWS - 1], "more": len(rows) >= _ROWS or not whole}


@dataclass
class _Cell:
    row: int
    column: int
    kind: str
    style: int
    text: str = ""


@dataclass
class _SheetReader:
    """Collects the cells of the first rows; raises FoundError to stop the parser once it has them."""

    cells: list[_Cell] = field(default_factory=list)
    row: int = -1
    column: int = -1
    open: _Cell | None = None
    inside: bool = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "row":
            number = attributes.get("r", "")
            self.row = int(number) - 1 if number.isdigit() and len(number) < 8 else self.row + 1
            self.column = -1
            if self.row >= _ROWS:
                raise FoundError
        elif tag == "c":
            size = size_of(attributes.get("r", ""))
            self.column = size[1] - 1 if size else self.column + 1
            style = attributes.get("s", "")
            look = int(style) if style.isdigit() and len(style) < 6 else 0
            self.open = _Cell(self.row, self.column, attributes.get("t", "n"), look)
        elif tag in ("v", "t"):
            self.inside = True

    def text(self, data: str) -> None:
        if self.inside and self.open is not None and len(self.open.text) < _MAX_CELL:
            self.open.text += data[:_MAX_CELL]

    def end(self, name: str) -> None:
        tag = name.rpartition(" ")[2]
        if tag in ("v", "t"):
            self.inside = False
        elif tag == "c" and self.open is not None:
            if 0 <= self.open.row < _ROWS and 0 <= self.open.column < _COLUMNS and self.open.text:
                self.cells.append(self.open)
            self.open = None


def _strings(archive: zipfile.ZipFile, count: int) -> list[str]:
    """The first shared strings; those beyond the bound are left out."""
    found: list[str] = []
    inside = phonetic = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside, phonetic
        tag = name.rpartition(" ")[2]
        if tag == "si":
            if len(found) >= count:
                raise FoundError
            found.append("")
        elif tag == "rPh":
            phonetic = True
        inside = tag == "t" and not phonetic

    def end(name: str) -> None:
        nonlocal inside, phonetic
        inside = False
        phonetic = phonetic and not name.endswith(" rPh")

    def text(data: str) -> None:
        if inside and found and len(found[-1]) < _MAX_CELL:
            found[-1] += data[:_MAX_CELL]

    if "xl/sharedStrings.xml" in archive.NameToInfo:
        parse(archive, "xl/sharedStrings.xml", _MAX_STRINGS, start, end, text)
    return found


def _date_styles(archive: zipfile.ZipFile) -> set[int]:
    """The numbers of the cell styles that show a date or a time."""
    formats, styles = set(_DATES), set()
    inside, number = False, 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside, number
        tag = name.rpartition(" ")[2]
        known = attributes.get("numFmtId", "")
        if tag == "numFmt" and known.isdigit():
            code = _QUOTED.sub("", attributes.get("formatCode", "")).lower()
            if "general" not in code and any(letter in code for letter in "ymdhs"):
                formats.add(int(known))
        elif tag == "cellXfs":
            inside = True
        elif tag == "xf" and inside:
            if known.isdigit() and int(known) in formats:
                styles.add(number)
            number += 1

    def end(name: str) -> None:
        nonlocal inside
        inside = inside and not name.endswith(" cellXfs")

    if "xl/styles.xml" in archive.NameToInfo:
        parse(archive, "xl/styles.xml", _MAX_STYLES, start, end)
    return styles


def _counts_from_1904(archive: zipfile.ZipFile) -> bool:
    found = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal found
        found = found or (name.endswith(" workbookPr") and attributes.get("date1904") in ("1", "true"))

    parse(archive, "xl/workbook.xml", _MAX_STYLES, start)
    return found


def _shown(cell: _Cell, strings: list[str], dates: set[int], epoch: datetime) -> str:
    if cell.kind == "s":
        return strings[int(cell.text)] if cell.text.isdigit() and int(cell.text) < len(strings) else "…"
    if cell.kind == "b":
        return {"0": "FALSE", "1": "TRUE"}.get(cell.text, cell.text)
    if cell.kind == "n" and cell.style in dates:
        return _date(cell.text, epoch)
    return cell.text


def _date(text: str, epoch: datetime) -> str:
    try:
        days = float(text)
        if days < 1:
            return f"{epoch + timedelta(seconds=round(days * 86_400)):%H:%M:%S}"
        time = epoch + timedelta(seconds=round(days * 86_400))
    except (ValueError, OverflowError):
        return text
    return f"{time:%Y-%m-%d}" if time.hour == time.minute == time.second == 0 else f"{time:%Y-%m-%d %H:%M:%S}"
