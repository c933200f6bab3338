"""BMP: the bitmap header. Source: Microsoft, "Bitmap Storage" (BITMAPFILEHEADER, BITMAPCORE- and -INFOHEADER)."""

from __future__ import annotations

import struct

from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Source

_CORE = 12
_HEADERS = (_CORE, 40, 52, 56, 64, 108, 124)


def is_bmp(head: bytes) -> bool:
    """Whether the two letters BM are followed by a header of one of the known lengths."""
    return len(head) >= 18 and int.from_bytes(head[14:18], "little") in _HEADERS and head[6:10] == bytes(4)


def describe(source: Source, facts: Facts) -> None:
    """Width and height in pixels, bits per pixel."""
    if len(source.head) < 30:
        raise MalformedError("the BMP image ends inside its header")
    is_core = int.from_bytes(source.head[14:18], "little") == _CORE
    width, height, _, bits = struct.unpack_from("<HHHH" if is_core else "<iiHH", source.head, 18)
    facts.dimension("width", width, "px")
    facts.dimension("height", abs(height), "px")  # negative: written from the top
    facts.bit_depth = bits
