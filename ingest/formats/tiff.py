"""TIFF and BigTIFF: the image file directories. Source: TIFF 6.0; BigTIFF; OME-TIFF 6.1; OGC GeoTIFF 1.1."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Source

_MAX_PAGES = 2_000
_MAX_ENTRIES = 4_096
_MAX_DESCRIPTION = 16_384
_WIDTH, _HEIGHT, _BITS, _DESCRIPTION, _SAMPLES, _GEO_KEYS = 256, 257, 258, 270, 277, 34735
# What a camera or microscope tells of itself; Artist (315), HostComputer (316) and free texts may name people.
_MAKE, _MODEL, _SOFTWARE, _DATE = 271, 272, 305, 306
_TOLD = {_MAKE: "Make", _MODEL: "Model", _SOFTWARE: "Software", _DATE: "DateTime"}
_ASCII = 2
_MAX_TOLD = 200
_DATE_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)")
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_OME_AXIS = re.compile(rb'\bSize([ZCT])="(\d{1,9})"')
_BIGTIFF_IRI = "https://www.nationalarchives.gov.uk/PRONOM/fmt/1917"
_OME_EDAM = "http://edamontology.org/format_3727"


@dataclass(frozen=True, slots=True)
class _Shape:
    """How this file writes numbers: byte order, and whether offsets take four or eight bytes."""

    order: str
    big: bool

    def number(self, data: bytes) -> int:
        return int.from_bytes(data, "little" if self.order == "<" else "big")


def describe(source: Source, facts: Facts) -> None:
    """Width and height of the first page in pixels, pages, bits per sample, samples per pixel."""
    shape = _Shape("<" if source.head[:2] == b"II" else ">", source.head[2:4] in (b"+\0", b"\0+"))
    if shape.big:
        facts.format_name, facts.iri = "BigTIFF", _BIGTIFF_IRI
    first = shape.number(source.head[8:16] if shape.big else source.head[4:8])
    tags, following = _directory(source, shape, first)
    if not tags:
        raise MalformedError("the TIFF image has no readable directory: it is cut off or damaged")
    _describe_first(source, shape, tags, facts)
    if following < 0:
        facts.warn("the TIFF directory is cut off")
    pages = _count_pages(source, shape, first, following, facts)
    if pages > 1:
        facts.dimension("pages", pages)


def _describe_first(source: Source, shape: _Shape, tags: dict[int, bytes], facts: Facts) -> None:
    if _WIDTH in tags and _HEIGHT in tags:
        facts.dimension("width", _first_value(source, shape, tags[_WIDTH]), "px")
        facts.dimension("height", _first_value(source, shape, tags[_HEIGHT]), "px")
    else:
        facts.warn("the first TIFF directory gives no width and height")
    facts.bit_depth = _first_value(source, shape, tags[_BITS]) if _BITS in tags else 1
    facts.channels = _first_value(source, shape, tags[_SAMPLES]) if _SAMPLES in tags else 1
    if _GEO_KEYS in tags:
        facts.format_name = "GeoTIFF"
    for tag, name in _TOLD.items():
        if tag in tags and (told := _text_of(source, shape, tags[tag])):
            facts.instrument(name, _iso(told) if tag == _DATE else told, f"TIFF {tag}")
    if _DESCRIPTION in tags:
        _describe_ome(_bytes_of(source, shape, tags[_DESCRIPTION]), facts)


def _text_of(source: Source, shape: _Shape, entry: bytes) -> str:
    """The text of an entry up to its first NUL; "" where it is none, or longer than such a text ever is."""
    if shape.number(entry[2:4]) != _ASCII or shape.number(entry[4 : 12 if shape.big else 8]) > _MAX_TOLD:
        return ""
    raw = _bytes_of(source, shape, entry).partition(b"\0")[0]
    try:
        return raw.decode("utf-8").strip()  # TIFF 6.0 says ASCII; programs write UTF-8 as well
    except UnicodeDecodeError:
        return ""


def _iso(text: str) -> str:
    """TIFF's ``2026:01:12 10:11:12`` as ISO 8601 writes it; without a time zone, which no tag of these tells."""
    match = _DATE_TIME.fullmatch(text)
    return f"{match[1]}-{match[2]}-{match[3]}T{match[4]}" if match else text


def _describe_ome(description: bytes, facts: Facts) -> None:
    # Only the sizes are taken: the rest of an image description is free text and may name people.
    if b"<OME" not in description[:2_000] or b"openmicroscopy.org" not in description:
        return
    facts.format_name, facts.edam_iri = "OME-TIFF", _OME_EDAM
    for axis, size in dict(reversed(_OME_AXIS.findall(description))).items():
        facts.dimension(axis.decode(), int(size))


def _directory(source: Source, shape: _Shape, offset: int) -> tuple[dict[int, bytes], int]:
    """The entries of one directory by tag, and the offset of the next (0: none, -1: cut off)."""
    count_size, entry_size, link_size = (8, 20, 8) if shape.big else (2, 12, 4)
    count = shape.number(source.read(offset, count_size)) if offset else 0
    if not 0 < count <= _MAX_ENTRIES:
        return {}, 0
    table = source.read(offset + count_size, count * entry_size + link_size)
    entries = [table[at : at + entry_size] for at in range(0, count * entry_size, entry_size)]
    tags = {shape.number(entry[:2]): entry for entry in entries if len(entry) == entry_size}
    link = table[count * entry_size :]
    return tags, shape.number(link) if len(link) == link_size else -1


def _bytes_of(source: Source, shape: _Shape, entry: bytes) -> bytes:
    """The value bytes of one entry, in place or at its offset."""
    field = 8 if shape.big else 4
    size = _TYPE_SIZES.get(shape.number(entry[2:4]), 1) * shape.number(entry[4 : 4 + field])
    inline = entry[4 + field :]
    return inline[:size] if size <= field else source.read(shape.number(inline), min(size, _MAX_DESCRIPTION))


def _first_value(source: Source, shape: _Shape, entry: bytes) -> int:
    size = _TYPE_SIZES.get(shape.number(entry[2:4]), 1)
    return shape.number(_bytes_of(source, shape, entry)[:size])


def _count_pages(source: Source, shape: _Shape, first: int, following: int, facts: Facts) -> int:
    seen = {first}
    while following > 0 and following not in seen:
        if len(seen) >= _MAX_PAGES:
            facts.warn(f"only the first {_MAX_PAGES} pages of the TIFF image were counted")
            break
        tags, after = _next_link(source, shape, following)
        if not tags:
            facts.warn("a TIFF directory points outside the file: the pages after it were not counted")
            break
        seen.add(following)
        following = after
    return len(seen)


def _next_link(source: Source, shape: _Shape, offset: int) -> tuple[bool, int]:
    """Whether a directory stands at ``offset``, and the offset of the one after it."""
    count_size, entry_size, link_size = (8, 20, 8) if shape.big else (2, 12, 4)
    count = shape.number(source.read(offset, count_size))
    if not 0 < count <= _MAX_ENTRIES:
        return False, 0
    link = source.read(offset + count_size + count * entry_size, link_size)
    return len(link) == link_size, shape.number(link)


def is_tiff(head: bytes) -> bool:
    """Classic TIFF (42) or BigTIFF (43), either byte order."""
    return struct.unpack_from("<H" if head[:2] == b"II" else ">H", head, 2)[0] in (42, 43) if len(head) >= 16 else False
