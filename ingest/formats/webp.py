"""WebP: the first chunk. Source: RFC 9649, sections 2.5–2.7; RFC 6386, section 9.1 for VP8."""

from __future__ import annotations

from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Source


def is_webp(head: bytes) -> bool:
    """Whether a RIFF file holds a WebP image."""
    return head[8:12] == b"WEBP"


def describe(source: Source, facts: Facts) -> None:
    """Width and height in pixels."""
    head = source.head
    if len(head) < 30:
        raise MalformedError("the WebP image ends inside its header")
    kind, body = head[12:16], head[20:30]
    if kind == b"VP8X":
        width, height = 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    elif kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    else:
        raise MalformedError("the WebP image does not begin with a known chunk")
    facts.dimension("width", width, "px")
    facts.dimension("height", height, "px")
    facts.bit_depth = 8
    if source.size is not None and 8 + int.from_bytes(head[4:8], "little") > source.size:
        facts.warn("the WebP image is shorter than its header says: it is cut off")
