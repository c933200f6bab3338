"""JPEG: the frame header. Source: ITU-T T.81, B.2.2; JFIF version: ITU-T T.871, 10.1."""

from __future__ import annotations

from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Source

# SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_MAX_SEGMENTS = 500
_JFIF_IRIS = {
    "1.00": "https://www.nationalarchives.gov.uk/PRONOM/fmt/42",
    "1.01": "https://www.nationalarchives.gov.uk/PRONOM/fmt/43",
    "1.02": "https://www.nationalarchives.gov.uk/PRONOM/fmt/44",
}


def describe(source: Source, facts: Facts) -> None:
    """Width and height in pixels, bits per sample, components; the JFIF version where there is one."""
    if source.head[6:11] == b"JFIF\0" and len(source.head) > 12:
        facts.version = f"{source.head[11]}.{source.head[12]:02d}"
        facts.iri = _JFIF_IRIS.get(facts.version)
    frame = _frame_header(source)
    height = int.from_bytes(frame[1:3], "big")
    facts.dimension("width", int.from_bytes(frame[3:5], "big"), "px")
    if height:  # zero: the number of lines follows later in a DNL marker
        facts.dimension("height", height, "px")
    facts.bit_depth = frame[0]
    facts.channels = frame[5]


def _frame_header(source: Source) -> bytes:
    """The six bytes after the length of the first SOFn segment: precision, lines, samples per line, components."""
    at = 2
    for _ in range(_MAX_SEGMENTS):
        marker = source.read(at, 4)
        if len(marker) < 2 or marker[0] != 0xFF:
            break
        kind = marker[1]
        if kind == 0xFF:  # fill byte
            at += 1
        elif kind in _ALONE:
            at += 2
        elif kind in _FRAMES:
            frame = source.read(at + 4, 6)
            if len(frame) == 6:
                return frame
            break
        elif len(marker) == 4 and (length := int.from_bytes(marker[2:4], "big")) >= 2:
            at += 2 + length
        else:
            break
    raise MalformedError("no frame header was found in the JPEG image: it is cut off or damaged")
