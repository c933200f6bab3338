"""VCF: the version, how many samples and records. Source: VCF 4.5 specification, 1.2 to 1.6.

Sample names are not recorded: they may identify people.
"""

from __future__ import annotations

import re

from ingest.formats.facts import Facts
from ingest.formats.source import Source
from ingest.formats.text import EncodingCheck, LineCounter, count_lines, is_wide, warn_wide

SIGNATURE = b"##fileformat=VCF"
_FIXED_COLUMNS = 9
_MAX_HEADER = 1 << 20
_COLUMNS = re.compile(rb"(?:^|\n)(#CHROM\t[^\r\n]*)(\r?\n|$)")
_FIRST_RECORD = re.compile(rb"\n[^#\r\n]")
_PROGRAM = re.compile(rb"\n##source=([^\r\n]{1,200})")


def describe(source: Source, facts: Facts) -> None:
    """Version, samples, records, and the program named in ``##source``."""
    warn_wide(source, facts, "records")
    body = source.body
    facts.version = body[13:40].split(b"\n")[0].strip().decode("utf-8", "replace").removeprefix("VCFv")
    columns = _COLUMNS.search(body)
    if (columns is None or not columns[2]) and not source.whole and source.fd is not None:
        body = source.read(0, _MAX_HEADER)
        columns = _COLUMNS.search(body)
    if columns and (columns[2] or source.whole):
        names = columns[1].split(b"\t")
        facts.dimension("samples", max(0, len(names) - _FIXED_COLUMNS))
    else:
        facts.warn("the column line #CHROM was not found: the samples were not counted")
    if program := _PROGRAM.search(body):
        facts.instrument("source", program[1].decode("utf-8", "replace"), "VCF ##source")
    if source.whole:
        first = _FIRST_RECORD.search(body)
        facts.records = count_lines(body[first.start() + 1 :].rstrip(b"\r\n")) if first else 0


def counter(source: Source) -> RecordCounter | None:
    return None if is_wide(source) else RecordCounter(source)


class RecordCounter(LineCounter):
    """Lines after the header."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._in_header = True
        self._last_header_byte = b""

    def feed(self, chunk: bytes) -> None:
        if self._in_header:
            found = _FIRST_RECORD.search(self._last_header_byte + chunk)
            if found is None:
                EncodingCheck.feed(self, chunk)
                self._last_header_byte = chunk[-1:]
                return
            chunk = chunk[found.start() + 1 - len(self._last_header_byte) :]
            self._in_header = False
        super().feed(chunk)
