"""gzip (BGZF included), bzip2 and xz: a bounded look inside, and counting of what is inside while it is small.

Source: RFC 1952; SAM specification 4.1 for BGZF. Every output is bounded: a bomb costs 64 MB of inflating and
never more than 1 MB of memory at a time.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

PEEK_BYTES = 65_536
# Counting records means unpacking everything; inflating 64 MB takes a quarter of a second.
MAX_PACKED = 8 << 20
MAX_UNPACKED = 64 << 20
# A block of bzip2 holds up to 900 kB and hardly grows when it cannot be packed.
MAX_BLOCK = 1 << 20
_STEP = 1 << 20
_XZ_MEMORY = 128 << 20


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A compression a file may be wrapped in."""

    key: str
    name: str
    media_type: str
    iri: str | None
    edam_iri: str | None
    suffixes: tuple[str, ...]


class BrokenError(Exception):
    """The compressed data is damaged or needs more memory than is allowed."""


class Unpacker:
    """Unpacks members one after the other; ``feed`` yields pieces of at most 1 MB, ``MAX_UNPACKED`` in all."""

    def __init__(self, key: str, limit: int = MAX_UNPACKED) -> None:
        self.key = key
        self.left = limit
        self.ended = True
        self._open: zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor | None = None
        self._more = False

    @property
    def exhausted(self) -> bool:
        """Whether the limit was reached before the end."""
        return self.left <= 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pieces of what ``data`` unpacks to. Raises BrokenError."""
        try:
            while (data or self._more) and self.left > 0:
                if self._open is None:
                    data = data.lstrip(b"\0")  # padding between members
                    if not data:
                        return
                    self._open, self.ended = _opened(self.key), False
                piece, data = self._step(self._open, data)
                self.left -= len(piece)
                if piece:
                    yield piece
        except (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError) as error:
            raise BrokenError(str(error)) from error

    def _step(
        self, current: zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor, data: bytes
    ) -> tuple[bytes, bytes]:
        """One bounded piece of output, and the input that is left."""
        size = min(_STEP, self.left)
        piece = current.decompress(data, size)
        if current.eof:
            self._open, self.ended, self._more = None, True, False
            return piece, current.unused_data
        if isinstance(current, bz2.BZ2Decompressor | lzma.LZMADecompressor):
            self._more = not current.needs_input
            return piece, b""
        # zlib may hold back output when the limit falls just behind the last input byte.
        self._more = len(piece) == size
        return piece, current.unconsumed_tail


def _opened(key: str) -> zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor:
    if key == "bzip2":
        return bz2.BZ2Decompressor()
    if key == "xz":
        return lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
    return zlib.decompressobj(wbits=31)


def is_bgzf(head: bytes) -> bool:
    """gzip whose first extra field is the block size of BGZF."""
    return head[3:4] == b"\x04" and head[12:16] == b"BC\x02\x00"


def peek(key: str, head: bytes, *, complete: bool) -> tuple[bytes, bool, str]:
    """The first 64 kB inside, whether that is everything, and what is wrong ("" for nothing)."""
    unpacker = Unpacker(key, PEEK_BYTES + 1)
    pieces: list[bytes] = []
    trouble = ""
    try:
        pieces.extend(unpacker.feed(head))
    except BrokenError as error:
        trouble = f"the compressed data is damaged or not readable here: {error}"
    found = b"".join(pieces)
    if complete and not trouble and not unpacker.ended and not unpacker.exhausted:
        trouble = "the compressed data ends too early: the file is cut off"
    whole = complete and unpacker.ended and len(found) <= PEEK_BYTES
    return found[:PEEK_BYTES], whole, trouble
