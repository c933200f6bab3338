"""The bytes an extractor may look at, and the two shapes every extractor has: describe, and count while reading."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ingest.formats.facts import Facts

HEAD_BYTES = 65_536


@dataclass(slots=True)
class Source:
    """One file, or what is inside one compressed file.

    ``size`` is None where it is not known (inside a wrapper). ``head`` is the start of the content. ``body`` is
    the same as UTF-8 text without a byte order mark, for text formats only. ``clue`` is what the recogniser
    of the format already worked out (a table's delimiter, a parsed JSON value).
    """

    name: str
    size: int | None
    head: bytes
    fd: int | None = None
    extension: str = ""
    encoding: str | None = None
    encoding_guessed: bool = False
    body: bytes = b""
    clue: Any = None

    @property
    def whole(self) -> bool:
        """Whether the head is all there is."""
        return self.size is not None and self.size <= len(self.head)

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes at ``offset``: from the head, else from the open file; b"" where out of reach."""
        if offset < 0 or length <= 0:
            return b""
        if offset + length <= len(self.head) or self.fd is None or self.whole:
            return self.head[offset : offset + length]
        if self.size is not None and offset >= self.size:
            return b""
        return os.pread(self.fd, length, offset)


class Counter(Protocol):
    """Counts while the engine reads; one call of ``feed`` per chunk, then ``finish`` once."""

    def feed(self, chunk: bytes) -> None: ...

    def finish(self, facts: Facts) -> None: ...


Describe = Callable[[Source, Facts], None]
MakeCounter = Callable[[Source], Counter | None]


@dataclass(frozen=True, slots=True)
class Format:
    """One line of the registry: what a format is called everywhere, and who describes it."""

    key: str
    name: str
    media_type: str
    iri: str | None = None
    edam_iri: str | None = None
    describe: Describe | None = None
    counter: MakeCounter | None = None
    text: bool = False
