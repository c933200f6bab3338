"""FITS: the cards of the headers, read by hand. Source: FITS Standard 4.0, 4.1, 5.3, 7 and 10.1.

People's keywords (OBSERVER, AUTHOR) are not read; only the technical ones listed below.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Source

_BLOCK = 2880
_MAX_HEADER = 2_000 * _BLOCK
_MAX_UNITS = 100
_BITS = {8: "uint8", 16: "int16", 32: "int32", 64: "int64", -32: "float32", -64: "float64"}
_KEPT = {
    "TELESCOP": None,
    "INSTRUME": None,
    "DETECTOR": None,
    "FILTER": None,
    "GRATING": None,
    "EXPTIME": "s",
    "EXPOSURE": "s",
    "GAIN": None,
    "RDNOISE": None,
    "XBINNING": None,
    "YBINNING": None,
    "AIRMASS": None,
    "EQUINOX": None,
    "RADESYS": None,
    "DATE-OBS": None,
}
_COLUMN_TYPES = {
    "L": "boolean",
    "X": "bits",
    "B": "uint8",
    "I": "int16",
    "J": "int32",
    "K": "int64",
    "A": "string",
    "E": "float32",
    "D": "float64",
    "C": "complex64",
    "M": "complex128",
    "F": "number",
}
_UNIT = re.compile(r"^\[([^\]]{1,40})\]")
_FORM = re.compile(r"^(\d*)([A-Z])")


@dataclass(slots=True)
class _Header:
    """The cards of one header-data unit by keyword, the units in their comments, and where the next one starts."""

    cards: dict[str, str | int | float | bool] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    end: int = 0

    def whole(self, keyword: str, default: int = 0) -> int:
        value = self.cards.get(keyword, default)
        return value if isinstance(value, int) and not isinstance(value, bool) else default

    def text(self, keyword: str) -> str:
        return str(self.cards.get(keyword, "")).strip()

    @property
    def is_packed_image(self) -> bool:
        """An image stored tile by tile in a table (10.1): its own axes stand in ZNAXISn."""
        return self.cards.get("ZIMAGE") is True

    @property
    def data_size(self) -> int:
        """Bytes of data behind the header, filled up to full blocks."""
        axes = [self.whole(f"NAXIS{axis}") for axis in range(1, self.whole("NAXIS") + 1)]
        if not axes or min(axes) < 0:
            return 0
        values = 1
        for axis in axes[1:] if self.cards.get("GROUPS") is True and axes[0] == 0 else axes:
            values *= axis
        values = abs(self.whole("BITPIX")) // 8 * self.whole("GCOUNT", 1) * (self.whole("PCOUNT") + values)
        return max(0, -(-values // _BLOCK) * _BLOCK)


def describe(source: Source, facts: Facts) -> None:
    """Axes and data type of the first image, columns and rows of the first table, instrument keywords."""
    image = table = None
    at, count = 0, 0
    while count < _MAX_UNITS and (source.size is None or at < source.size):
        header = _read_header(source, at)
        if header is None:
            if count == 0:
                raise MalformedError("the FITS header has no END card: it is cut off or damaged")
            if source.size is not None:
                facts.warn("a FITS extension header is damaged: what follows was not described")
            break
        count += 1
        _keep_instrument(header, facts)
        is_table = header.text("XTENSION") in ("TABLE", "BINTABLE") and not header.is_packed_image
        image = image or (header if not is_table and header.whole("NAXIS") > 0 else None)
        table = table or (header if is_table else None)
        at = header.end + header.data_size
    if source.size is not None and at > source.size:
        facts.warn("the FITS file ends before the data it declares")
    if image:
        _describe_image(image, facts)
    if table:
        _describe_table(table, facts)
    if count > 1:
        facts.dimension("header-data units", count)


def _read_header(source: Source, start: int) -> _Header | None:
    header = _Header()
    at = start
    while at - start < _MAX_HEADER:
        block = source.read(at, _BLOCK)
        if len(block) < _BLOCK or (at == start and block[:8] not in (b"SIMPLE  ", b"XTENSION")):
            return None
        at += _BLOCK
        for place in range(0, _BLOCK, 80):
            card = block[place : place + 80].decode("latin-1")
            if card.startswith("END     "):
                header.end = at
                return header
            if card[8:10] == "= " and len(header.cards) < 5_000:
                _read_card(card, header)
    return None


def _read_card(card: str, header: _Header) -> None:
    keyword, rest = card[:8].strip(), card[10:].strip()
    if rest.startswith("'"):
        end = rest.find("'", 1)
        while end >= 0 and rest[end : end + 2] == "''":
            end = rest.find("'", end + 2)
        value: str | int | float | bool = rest[1:end].replace("''", "'").rstrip() if end > 0 else rest[1:]
        comment = rest[end + 1 :] if end > 0 else ""
    else:
        raw, _, comment = rest.partition("/")
        value = _read_value(raw.strip())
    header.cards.setdefault(keyword, value)
    if unit := _UNIT.match(comment.lstrip(" /")):
        header.units.setdefault(keyword, unit[1])


def _read_value(raw: str) -> str | int | float | bool:
    if raw in ("T", "F"):
        return raw == "T"
    try:
        return int(raw) if len(raw) < 20 and not raw.count(".") else float(raw.replace("D", "E"))
    except ValueError:
        return raw


def _keep_instrument(header: _Header, facts: Facts) -> None:
    known = {row["name"] for row in facts.instrument_rows}
    for keyword, unit in _KEPT.items():
        if keyword in header.cards and keyword not in known:
            facts.instrument(keyword, header.cards[keyword], "FITS header", header.units.get(keyword, unit))


def _describe_image(header: _Header, facts: Facts) -> None:
    z = "Z" if header.is_packed_image else ""
    depth = header.whole(f"{z}BITPIX")
    for axis in range(1, min(header.whole(f"{z}NAXIS"), 99) + 1):
        facts.dimension(f"NAXIS{axis}", header.whole(f"{z}NAXIS{axis}"), header.text(f"CUNIT{axis}") or None)
    facts.bit_depth = abs(depth)
    facts.variable("image", _BITS.get(depth, "unknown"), header.text("BUNIT") or None)


def _describe_table(header: _Header, facts: Facts) -> None:
    facts.records = header.whole("NAXIS2")
    facts.dimension("rows", facts.records)
    columns = max(0, min(header.whole("TFIELDS"), 999))
    facts.dimension("columns", columns)
    binary = header.text("XTENSION") == "BINTABLE"
    for number in range(1, columns + 1):
        form = header.text(f"TFORM{number}")
        found = _FORM.match(form if binary else form[:1])
        kind = _COLUMN_TYPES.get(found[2], "unknown") if found else "unknown"
        if not binary and form[:1] == "I":
            kind = "integer"
        facts.variable(header.text(f"TTYPE{number}") or f"column {number}", kind, header.text(f"TUNIT{number}") or None)
