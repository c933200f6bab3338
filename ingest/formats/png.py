"""PNG: the IHDR chunk. Source: W3C PNG (Third Edition), 11.2.1."""

from __future__ import annotations

import struct

from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Source

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IHDR = struct.Struct(">I4sIIBB")
_IEND = b"\x00\x00\x00\x00IEND\xaeB`\x82"
# Samples stored per pixel for each colour type; type 3 stores one index into a palette.
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def describe(source: Source, facts: Facts) -> None:
    """Width and height in pixels, bits per sample, samples per pixel."""
    if len(source.head) < 33:
        raise MalformedError("the PNG image ends inside its header")
    length, kind, width, height, depth, colour = _IHDR.unpack_from(source.head, 8)
    if kind != b"IHDR" or length != 13 or colour not in _CHANNELS or not width or not height:
        raise MalformedError("the PNG image header is not valid")
    facts.dimension("width", width, "px")
    facts.dimension("height", height, "px")
    facts.bit_depth = depth
    facts.channels = _CHANNELS[colour]
    if source.size is not None and source.read(source.size - 12, 12) != _IEND:
        facts.warn("the PNG image does not end with its IEND chunk: it may be cut off")
