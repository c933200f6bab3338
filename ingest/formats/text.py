"""Text or binary, which encoding, and the counters of lines that run inside the engine's one read.

Encoding: byte order marks (Unicode 16, 23.8), ASCII, UTF-8 (RFC 3629), UTF-16 without a mark by its zero bytes;
anything else without control characters is called ISO-8859-1 and said to be a guess.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable

from ingest.formats.facts import Facts
from ingest.formats.source import Source

# Everything below 0x20 that no text holds; tab, newlines, form feed, escape and the DOS end of file are text.
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\f\r\x1a\x1b") + b"\x7f"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32le"),
    (codecs.BOM_UTF32_BE, "utf-32be"),
    (codecs.BOM_UTF16_LE, "utf-16le"),
    (codecs.BOM_UTF16_BE, "utf-16be"),
)
_MARK_STARTS = frozenset(mark[:1] for mark, _ in _MARKS)
_MAX_HIGH_SHARE = 0.3


def read_as_text(source: Source) -> bool:
    """Whether the head is text; then ``source.encoding`` and ``source.body`` (UTF-8, no mark) are set."""
    head = source.head
    if head[:1] in _MARK_STARTS and _read_marked(source):
        return True
    if b"\0" in head:
        return _read_utf16(source)
    if len(head.translate(None, _CONTROLS)) != len(head):
        return False
    if head.isascii():
        source.encoding, source.body = "us-ascii", head
        return True
    return _read_utf8(source) or _read_latin1(source)


def _read_marked(source: Source) -> bool:
    for mark, encoding in _MARKS:
        if source.head.startswith(mark):
            return _read_encoded(source, source.head[len(mark) :], encoding)
    return False


def _read_encoded(source: Source, data: bytes, encoding: str) -> bool:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data, source.whole)
    except UnicodeDecodeError:
        return False
    if "\0" in text:
        return False
    source.encoding, source.body = encoding, text.encode("utf-8", "replace")
    return True


def _read_utf16(source: Source) -> bool:
    """UTF-16 without a mark: at least 90 % of the high bytes are zero, none of the low bytes is."""
    even, odd = source.head[::2], source.head[1::2]
    for high, low, encoding in ((odd, even, "utf-16le"), (even, odd, "utf-16be")):
        if len(high) > 3 and b"\0" not in low and high.count(0) >= 0.9 * len(high):
            text_like = len(low.translate(None, _CONTROLS)) == len(low)
            return text_like and _read_encoded(source, source.head, encoding)
    return False


def _read_utf8(source: Source) -> bool:
    try:
        codecs.utf_8_decode(source.head, "strict", source.whole)
    except UnicodeDecodeError:
        return False
    source.encoding, source.body = "utf-8", source.head
    return True


def _read_latin1(source: Source) -> bool:
    high = len(source.head.translate(None, bytes(range(128))))
    if high > _MAX_HIGH_SHARE * len(source.head):
        return False
    source.encoding, source.encoding_guessed = "iso-8859-1", True
    source.body = source.head.decode("latin-1").encode()
    return True


def describe(source: Source, facts: Facts) -> None:
    """The number of lines, where the head is the whole file."""
    if source.whole:
        facts.records = count_lines(source.body)


def count_lines(body: bytes) -> int:
    """Lines ended by LF, CRLF or CR; a last line without an end counts."""
    ends = body.count(b"\n") or body.count(b"\r")
    return ends + (1 if body and body[-1] not in b"\r\n" else 0)


def counter(source: Source) -> LineCounter | None:
    """Counts lines while the file is read; None for wide encodings, whose line ends are not single bytes."""
    return None if is_wide(source) else LineCounter(source)


def encoding_check(source: Source) -> EncodingCheck | None:
    """For formats of which only the encoding is read to the end."""
    return EncodingCheck(source) if source.encoding in ("us-ascii", "utf-8") else None


def is_wide(source: Source) -> bool:
    """Whether a character takes two or four bytes."""
    return source.encoding is not None and source.encoding.startswith(("utf-16", "utf-32"))


def warn_wide(source: Source, facts: Facts, what: str) -> None:
    """Say that a large wide-encoded file is not counted."""
    if not source.whole and is_wide(source):
        facts.warn(f"{what} were not counted: the file is {source.encoding} and larger than 64 kB")


class EncodingCheck:
    """Whether the encoding found in the head holds to the end; records nothing else."""

    def __init__(self, source: Source) -> None:
        self._encoding = source.encoding
        self._decode: Callable[[bytes, bool], str] | None = None
        if source.encoding == "utf-8":
            self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._pending = False

    def feed(self, chunk: bytes) -> None:
        if self._encoding not in ("us-ascii", "utf-8"):
            return
        if not chunk.isascii():
            self._check(chunk)
        elif self._pending:
            # A character may be split between two chunks, but not by an ASCII one.
            self._check(b"")
            self._pending = False

    def _check(self, chunk: bytes) -> None:
        if self._decode is None:
            self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._encoding = "utf-8"
        try:
            self._decode(chunk, not chunk)
        except UnicodeDecodeError:
            self._encoding = None
        self._pending = True

    def finish(self, facts: Facts) -> None:
        """Take back an encoding that later bytes disprove."""
        if self._pending and self._encoding == "utf-8":
            self._check(b"")
        if facts.encoding == "us-ascii" and self._encoding == "utf-8":
            facts.encoding = "utf-8"
        if self._encoding is None and facts.encoding:
            facts.encoding = None
            facts.warn("the text starts as UTF-8 but later bytes are not: the encoding is unknown")


class LineCounter(EncodingCheck):
    """Lines of a text file."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.end = b"\r" if b"\r" in source.head and b"\n" not in source.head else b"\n"
        self.ends = 0
        self.last = b""

    def feed(self, chunk: bytes) -> None:
        super().feed(chunk)
        self.ends += chunk.count(self.end)
        self.last = chunk[-1:]

    @property
    def lines(self) -> int:
        return self.ends + (1 if self.last and self.last != self.end else 0)

    def finish(self, facts: Facts) -> None:
        super().finish(facts)
        facts.records = self.lines
