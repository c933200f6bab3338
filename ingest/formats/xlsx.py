"""XLSX: the sheets and their dimensions. Runs in the worker only. Source: ECMA-376 Part 1, 18.2 and 18.3.1.

Only the few parts needed are unpacked, each up to a bound, with a parser that stops at any document type. No value of
a cell is read.
"""

from __future__ import annotations

import os
import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from ingest.formats.facts import Facts, MalformedError

_MAX_PART = 8 << 20
_MAX_SHEET = 32 << 20
_MAX_SHEETS = 100
_STEP = 1 << 16
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")


class FoundError(Exception):
    """Raised inside the parser to stop it: what was looked for is known."""


def extract(fd: int, size: int, facts: Facts) -> None:
    """The number of sheets, and rows and columns of each, from its declared dimension or by counting rows."""
    with os.fdopen(os.dup(fd), "rb") as file, zipfile.ZipFile(file) as archive:
        parts, found = targets(archive), sheets(archive)
        facts.dimension("sheets", len(found))
        if len(found) > _MAX_SHEETS:
            facts.warn(f"only the first {_MAX_SHEETS} sheets are described")
        for name, relation in found[:_MAX_SHEETS]:
            part = parts.get(relation, "")
            size_of_sheet = _sheet_size(archive, part) if part in archive.NameToInfo else None
            if size_of_sheet is None:
                facts.warn(f"the sheet {name} has no stated dimension and is too large to count")
                continue
            facts.dimension(f"{name}: rows", size_of_sheet[0])
            facts.dimension(f"{name}: columns", size_of_sheet[1])


def parse(archive: zipfile.ZipFile, part: str, limit: int, start: Any, end: Any = None, text: Any = None) -> bool:
    """Feed one part to a hardened parser; whether it was read to its end or until a handler had enough (FoundError).

    Raises:
        MalformedError: when the part is not well-formed, declares a document type, or is damaged.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        for piece in _pieces(archive, part, limit):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except FoundError:
        return True
    except expat.ExpatError as error:
        if archive.getinfo(part).file_size > limit:
            return False
        raise MalformedError("a part of the workbook is not well-formed XML") from error
    return True


def _refuse(*_: Any) -> None:
    raise MalformedError("a part of the workbook declares a document type or entities, which no workbook needs")


def _pieces(archive: zipfile.ZipFile, part: str, limit: int) -> Iterator[bytes]:
    try:
        with archive.open(part) as member:
            while limit > 0 and (piece := member.read(min(_STEP, limit))):
                limit -= len(piece)
                yield piece
    except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise MalformedError("a part of the workbook is missing or damaged") from error


def targets(archive: zipfile.ZipFile) -> dict[str, str]:
    """Relationship identifiers → part names."""
    found: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        target = attributes.get("Target", "")
        if name.endswith(" Relationship") and attributes.get("TargetMode") != "External":
            part = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
            found[attributes.get("Id", "")] = part

    parse(archive, "xl/_rels/workbook.xml.rels", _MAX_PART, start)
    return found


def sheets(archive: zipfile.ZipFile) -> list[tuple[str, str]]:
    """Name and relationship identifier of every sheet, in order."""
    found: list[tuple[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.endswith(" sheet"):
            relation = next((value for key, value in attributes.items() if key.endswith(" id")), "")
            found.append((attributes.get("name", ""), relation))

    parse(archive, "xl/workbook.xml", _MAX_PART, start)
    return found


def _sheet_size(archive: zipfile.ZipFile, part: str) -> tuple[int, int] | None:
    """Rows and columns; None when the sheet states none and is over 32 MB."""
    stated: list[tuple[int, int]] = []
    rows, columns = 0, 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal rows, columns
        tag = name.rpartition(" ")[2]
        if tag == "dimension" and (size := size_of(attributes.get("ref", ""))) and size != (1, 1):
            # A1 alone is what writers put who did not know yet: then the rows are counted.
            stated.append(size)
            raise FoundError
        if tag == "row":
            number = attributes.get("r", "")
            rows = int(number) if number.isdigit() and len(number) < 8 else rows + 1
        elif tag == "c" and (size := size_of(attributes.get("r", ""))):
            columns = max(columns, size[1])

    complete = parse(archive, part, _MAX_SHEET, start)
    if stated:
        return stated[0]
    return (rows, columns) if complete else None


def size_of(reference: str) -> tuple[int, int] | None:
    """Rows and columns of a range such as B2:D10 as counted from A1."""
    found = _REFERENCE.fullmatch(reference)
    if not found:
        return None
    column, row = found[3] or found[1], found[4] or found[2]
    number = 0
    for letter in column:
        number = number * 26 + ord(letter) - 64
    return int(row), number
