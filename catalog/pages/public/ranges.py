"""Byte ranges of a file (RFC 9110, section 14): one of them, or the whole. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=\s*(?:([0-9]{1,18})\s*-\s*([0-9]{0,18})|-\s*([0-9]{1,18}))\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """From `first` to `last`, both included; empty where `last` is before `first`."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


class UnsatisfiableError(Exception):
    """The range lies behind the end."""


def asked(header: str, size: int) -> Span | None:
    """The one range that is asked for; None for the whole.

    Several ranges, another unit and what cannot be read are answered by the whole, which the standard allows.

    Raises:
        UnsatisfiableError: when it holds no byte of the file.
    """
    match = _ONE.fullmatch(header.strip())
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        if int(suffix) == 0 or size == 0:
            raise UnsatisfiableError
        return Span(max(0, size - int(suffix)), size - 1)
    start = int(first)
    end = int(last) if last else size - 1
    if last and end < start:
        return None
    if start >= size:
        raise UnsatisfiableError
    return Span(start, min(end, size - 1))
