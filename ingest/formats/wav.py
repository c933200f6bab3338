"""WAV: the fmt and data chunks, RF64 and BW64 included. Source: EBU Tech 3306, Microsoft RIFF MCI 1.0."""

from __future__ import annotations

import struct

from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Source

_MAX_CHUNKS = 200
_UNKNOWN = 0xFFFFFFFF
_CODINGS = {1: "PCM", 2: "MS ADPCM", 3: "IEEE float", 6: "A-law", 7: "mu-law", 0x11: "IMA ADPCM", 0x55: "MP3"}


def describe(source: Source, facts: Facts) -> None:
    """Channels, bits per sample, sampling rate in hertz, duration in seconds."""
    fmt, data_start, data_size = _chunks(source)
    if len(fmt) < 16:
        raise MalformedError("the WAV file has no complete fmt chunk")
    order = _order(source)
    coding, channels, rate, byte_rate, _, depth = struct.unpack_from(order + "HHIIHH", fmt)
    if coding == 0xFFFE and len(fmt) >= 26:  # WAVE_FORMAT_EXTENSIBLE: the coding stands in the sub-format
        (coding,) = struct.unpack_from(order + "H", fmt, 24)
    facts.channels = channels
    facts.bit_depth = depth
    facts.instrument("sampling rate", rate, "WAV fmt", "Hz")
    facts.instrument("coding", _CODINGS.get(coding, f"0x{coding:04x}"), "WAV fmt")
    _describe_data(source, facts, data_start, data_size, byte_rate)


def _order(source: Source) -> str:
    return ">" if source.head[:4] == b"RIFX" else "<"


def _describe_data(source: Source, facts: Facts, start: int | None, size: int, byte_rate: int) -> None:
    if start is None:
        facts.warn("the WAV file has no data chunk")
        return
    if source.size is not None and start + size > source.size:
        if size != _UNKNOWN:
            facts.warn("the WAV file ends before the sound it declares: the duration is of what is there")
        size = max(source.size - start, 0)
    if byte_rate:
        facts.duration_seconds = round(size / byte_rate, 6)


def _chunks(source: Source) -> tuple[bytes, int | None, int]:
    """The body of the fmt chunk, where the data starts, and its size in bytes."""
    fmt, long_data, at = b"", None, 12
    chunk = struct.Struct(_order(source) + "4sI")
    for _ in range(_MAX_CHUNKS):
        header = source.read(at, 8)
        if len(header) < 8:
            break
        kind, size = chunk.unpack(header)
        if kind == b"data":
            return fmt, at + 8, long_data if size == _UNKNOWN and long_data is not None else size
        if kind == b"fmt ":
            fmt = source.read(at + 8, min(size, 40))
        elif kind == b"ds64":
            long_data = int.from_bytes(source.read(at + 16, 8), "little")
        at += 8 + size + (size & 1)
    return fmt, None, 0
