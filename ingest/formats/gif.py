"""GIF: the logical screen descriptor. Source: GIF89a specification, section 18."""

from __future__ import annotations

import struct

from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Source

_IRIS = {
    "87a": "https://www.nationalarchives.gov.uk/PRONOM/fmt/3",
    "89a": "https://www.nationalarchives.gov.uk/PRONOM/fmt/4",
}


def describe(source: Source, facts: Facts) -> None:
    """Width and height in pixels, bits per palette index."""
    if len(source.head) < 13:
        raise MalformedError("the GIF image ends inside its header")
    facts.version = source.head[3:6].decode("ascii")
    facts.iri = _IRIS[facts.version]
    width, height, packed = struct.unpack_from("<HHB", source.head, 6)
    facts.dimension("width", width, "px")
    facts.dimension("height", height, "px")
    facts.bit_depth = (packed & 7) + 1
    facts.channels = 1
    if source.size is not None and source.read(source.size - 1, 1) != b";":
        facts.warn("the GIF image does not end with its trailer: it may be cut off")
