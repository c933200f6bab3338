"""What an extractor learns about one file, cleaned and bounded so that it is always valid JSON.

Sizes are bounded because a header may declare anything: strings to 500 characters, 200 dimensions and
variables, 100 instrument rows, integers to what JSON readers hold exactly in 64 bits.
"""

from __future__ import annotations

import math
import re
from typing import Any

MAX_TEXT = 500
MAX_DIMENSIONS = 200
MAX_VARIABLES = 200
MAX_INSTRUMENT_ROWS = 100
MAX_WARNINGS = 20
MAX_INTEGER = 2**63 - 1
MAX_SMALL = 2**31 - 1

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


class MalformedError(Exception):
    """The content breaks its own format; the text says how, in words, without quoting the content."""


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Text without control characters and lone surrogates, on one line, at most ``limit`` characters."""
    if not text.isprintable():
        text = _UNSAFE.sub(" ", text[: limit * 2])
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return text.strip()


def clean_value(value: object) -> str | int | float | bool | None:
    """A JSON scalar for a header value; None when it is empty, not finite or out of range."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -MAX_INTEGER <= value <= MAX_INTEGER else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return clean(str(value)) or None


class Facts:
    """The facts of one file under construction; ``as_dict`` gives the keys of "file technical"."""

    __slots__ = (
        "bit_depth",
        "channels",
        "compression",
        "dimensions",
        "duration_seconds",
        "edam_iri",
        "encoding",
        "extractor",
        "format_name",
        "instrument_rows",
        "iri",
        "media_type",
        "records",
        "variables",
        "version",
        "warnings",
    )

    def __init__(self) -> None:
        self.media_type: str = "application/octet-stream"
        self.compression: str | None = None
        self.encoding: str | None = None
        self.format_name: str | None = None
        self.version: str | None = None
        self.iri: str | None = None
        self.edam_iri: str | None = None
        self.extractor: str = "content"
        self.dimensions: list[dict[str, Any]] = []
        self.records: int | None = None
        self.bit_depth: int | None = None
        self.channels: int | None = None
        self.duration_seconds: float | None = None
        self.variables: list[dict[str, Any]] = []
        self.instrument_rows: list[dict[str, Any]] = []
        self.warnings: list[str] = []

    def warn(self, sentence: str) -> None:
        """Note what is malformed or left out; repeated and surplus sentences are dropped."""
        sentence = clean(sentence)
        if sentence not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(sentence)

    def dimension(self, axis: str, size: int, unit: str | None = None) -> None:
        """Add one axis; a size no 64-bit integer holds is left out with a warning."""
        if not 0 <= size <= MAX_INTEGER:
            self.warn(f"the size of the axis {clean(axis, 80)} is out of range and was left out")
        elif len(self.dimensions) >= MAX_DIMENSIONS:
            self.warn(f"only the first {MAX_DIMENSIONS} dimensions are recorded")
        else:
            row: dict[str, Any] = {"axis": clean(axis, 200) or "unnamed", "size": size}
            if unit and (unit := clean(unit, 100)):
                row["unit"] = unit
            self.dimensions.append(row)

    def variable(self, name: str, data_type: str, unit: str | None = None) -> None:
        """Add one variable (column, array, field)."""
        if len(self.variables) >= MAX_VARIABLES:
            self.warn(f"only the first {MAX_VARIABLES} variables are recorded")
            return
        row = {"name": clean(name) or "unnamed", "data_type": clean(data_type, 100) or "unknown"}
        if unit and (unit := clean(unit, 100)):
            row["unit"] = unit
        self.variables.append(row)

    def instrument(self, name: str, value: object, source: str, unit: str | None = None) -> None:
        """Add one header value as read; ``source`` says which field of the file it stands in."""
        kept = clean_value(value)
        name = clean(name, 100).lstrip("@ ")
        if kept is None or not name:
            return
        if len(self.instrument_rows) >= MAX_INSTRUMENT_ROWS:
            self.warn(f"only the first {MAX_INSTRUMENT_ROWS} header values are recorded")
            return
        row: dict[str, Any] = {"name": name, "value": kept}
        if unit and (unit := clean(unit, 100)):
            row["unit"] = unit
        row["source"] = clean(source, 200)
        self.instrument_rows.append(row)

    def as_dict(self, version: str) -> dict[str, Any]:
        """The keys of "file technical" that are known; ``version`` is the extractors' own."""
        found: dict[str, Any] = {"mime_type": self.media_type}
        if self.compression:
            found["compression"] = self.compression
        if self.encoding:
            found["encoding"] = self.encoding
        if self.format_name:
            found["format"] = self._format()
        if self.dimensions:
            found["dimensions"] = self.dimensions
        if self.records is not None and 0 <= self.records <= MAX_INTEGER:
            found["number_of_records"] = self.records
        if self.bit_depth and 0 < self.bit_depth <= MAX_SMALL:
            found["bit_depth"] = self.bit_depth
        if self.channels and 0 < self.channels <= MAX_SMALL:
            found["channels"] = self.channels
        if self.duration_seconds is not None and math.isfinite(self.duration_seconds):
            found["duration_seconds"] = self.duration_seconds
        if self.variables:
            found["variables"] = self.variables
        if self.instrument_rows:
            found["instrument_metadata"] = self.instrument_rows
        found["extraction"] = {"extractor": self.extractor, "version": version, "warnings": self.warnings}
        return found

    def _format(self) -> dict[str, str]:
        row = {"name": self.format_name or ""}
        if self.version and (version := clean(self.version, 50)):
            row["version"] = version
        if self.iri:
            row["iri"] = self.iri
        if self.edam_iri:
            row["edam_iri"] = self.edam_iri
        return row
