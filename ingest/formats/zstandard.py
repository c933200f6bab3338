"""Zstandard: the first bytes inside. Runs in the worker only. Source: RFC 8878."""

from __future__ import annotations

import base64
import os
from typing import Any

from ingest.formats.compressed import PEEK_BYTES
from ingest.formats.facts import Facts, MalformedError

# A frame may ask for gigabytes of window; 8 MB is what every decoder has to support.
_MAX_WINDOW = 8 << 20


def extract(fd: int, size: int, facts: Facts) -> dict[str, Any]:
    """The first 64 kB unpacked, in base64, and whether that is everything."""
    import zstandard  # type: ignore[import-not-found,unused-ignore]  # of the formats extra

    with os.fdopen(os.dup(fd), "rb") as file:
        try:
            unpacker = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
            with unpacker.stream_reader(file, read_size=PEEK_BYTES, read_across_frames=True, closefd=False) as reader:
                head = reader.read(PEEK_BYTES + 1)
        except zstandard.ZstdError as error:
            raise MalformedError("the Zstandard data is damaged or needs more than 8 MB of window") from error
    return {"peek": base64.b64encode(head[:PEEK_BYTES]).decode("ascii"), "whole": len(head) <= PEEK_BYTES}
