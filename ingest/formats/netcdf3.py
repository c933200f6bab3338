"""NetCDF-3 (classic, 64-bit offset, CDF-5): dimensions, and variables with their units.

Source: NetCDF Classic Format Specification (Unidata); CDF-5 (PnetCDF). Of the attributes only ``units`` is read.
"""

from __future__ import annotations

from collections.abc import Iterator

from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Source

_VERSIONS = {1: "classic", 2: "64-bit offset", 5: "64-bit data (CDF-5)"}
_IRIS = {
    1: "https://www.nationalarchives.gov.uk/PRONOM/fmt/282",
    2: "https://www.nationalarchives.gov.uk/PRONOM/fmt/283",
}
_TYPES = {
    1: ("int8", 1),
    2: ("char", 1),
    3: ("int16", 2),
    4: ("int32", 4),
    5: ("float32", 4),
    6: ("float64", 8),
    7: ("uint8", 1),
    8: ("uint16", 2),
    9: ("uint32", 4),
    10: ("int64", 8),
    11: ("uint64", 8),
}
_DIMENSION, _VARIABLE, _ATTRIBUTE = 10, 11, 12
_MAX_HEADER = 4 << 20
_MAX_ENTRIES = 10_000


class _Reader:
    """Steps through the header; every number is big-endian and padded to four bytes."""

    def __init__(self, source: Source) -> None:
        self.version = source.head[3]
        self._data = source.head if source.whole else source.read(0, _MAX_HEADER)
        self._at = 4

    def take(self, length: int) -> bytes:
        found = self._data[self._at : self._at + length]
        if length < 0 or len(found) < length:
            raise MalformedError("the NetCDF header is cut off, damaged or larger than 4 MB")
        self._at += length
        return found

    def word(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def count(self) -> int:
        """A length: eight bytes in CDF-5."""
        return int.from_bytes(self.take(8 if self.version == 5 else 4), "big")

    def offset(self) -> int:
        return int.from_bytes(self.take(4 if self.version == 1 else 8), "big")

    def padded(self, length: int) -> bytes:
        found = self.take(length)
        self.take(-length % 4)
        return found

    def name(self) -> str:
        return self.padded(self.count()).decode("utf-8", "replace")

    def entries(self, tag: int) -> Iterator[None]:
        """One step per entry of a list; an absent list is two zeros."""
        found, count = self.word(), self.count()
        if found not in (0, tag) or (found == 0 and count):
            raise MalformedError("the NetCDF header is damaged")
        if count > _MAX_ENTRIES:
            raise MalformedError(f"the NetCDF header declares more than {_MAX_ENTRIES:,} entries of one kind")
        for _ in range(count):
            yield None

    def unit(self) -> str | None:
        """Reads a list of attributes; the text of ``units``."""
        unit = None
        for _ in self.entries(_ATTRIBUTE):
            name, kind, count = self.name(), self.word(), self.count()
            if kind not in _TYPES:
                raise MalformedError("the NetCDF header has an attribute of an unknown type")
            value = self.padded(count * _TYPES[kind][1])
            if name == "units" and kind == 2:
                unit = value[:500].rstrip(b"\0").decode("utf-8", "replace")
        return unit


def describe(source: Source, facts: Facts) -> None:
    """Dimensions with their lengths; variables with data type and unit."""
    reader = _Reader(source)
    facts.version, facts.iri = _VERSIONS[reader.version], _IRIS.get(reader.version)
    records = reader.count()
    for _ in reader.entries(_DIMENSION):
        name, length = reader.name(), reader.count()
        if length == 0 and records not in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF):  # zero marks the record dimension
            length = records
        facts.dimension(name, length)
    reader.unit()
    for _ in reader.entries(_VARIABLE):
        name = reader.name()
        for _ in range(min(reader.count(), 1_024)):
            reader.count()
        unit, kind = reader.unit(), reader.word()
        reader.count()
        reader.offset()
        facts.variable(name, _TYPES.get(kind, ("unknown", 0))[0], unit)
