"""FASTA and FASTQ: records, counted in the same read that hashes.

Source: Pearson and Lipman 1988 for FASTA; Cock et al. 2010 (doi:10.1093/nar/gkp1137) for FASTQ. Identifiers of
sequences are not recorded.
"""

from __future__ import annotations

import re

from ingest.formats.facts import Facts
from ingest.formats.source import Source
from ingest.formats.text import EncodingCheck, LineCounter, count_lines, is_wide, warn_wide

_FASTA = re.compile(rb">[^\r\n]*\r?\n(?:;[^\r\n]*\r?\n)*[A-Za-z*.\-]+[ \t\d]*(?:\r?\n|$)")
_RARE = 1_024
_LINE_END = 10
_FASTQ = re.compile(rb"@[^\r\n]*\r?\n([A-Za-z.*\-]*)\r?\n\+[^\r\n]*\r?\n([!-~]*)(\r?\n|$)")


def is_fasta(source: Source) -> bool:
    """A description line, then residues only."""
    return _FASTA.match(source.body) is not None


def is_fastq(source: Source) -> bool:
    """One record of four lines with as many qualities as residues."""
    found = _FASTQ.match(source.body)
    if not found:
        return False
    # A very long first read may be cut by the head.
    return len(found[1]) == len(found[2]) or (not found[3] and not source.whole)


def describe_fasta(source: Source, facts: Facts) -> None:
    """The number of sequences."""
    warn_wide(source, facts, "records")
    if source.whole:
        facts.records = source.body.count(b"\n>") + 1


def describe_fastq(source: Source, facts: Facts) -> None:
    """The number of reads; the four-line form only, as every current instrument writes it."""
    warn_wide(source, facts, "records")
    if source.whole:
        _set_reads(count_lines(source.body.rstrip(b"\r\n")), facts)


def _set_reads(lines: int, facts: Facts) -> None:
    facts.records = lines // 4
    if lines % 4:
        facts.records = None
        facts.warn("the reads were not counted: the number of lines is not a multiple of four")


def fasta_counter(source: Source) -> FastaCounter | None:
    return None if is_wide(source) else FastaCounter(source)


def fastq_counter(source: Source) -> FastqCounter | None:
    return None if is_wide(source) else FastqCounter(source)


class FastaCounter(EncodingCheck):
    """Lines that start with ``>``."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.records = 0
        self._at_line_start = True

    def feed(self, chunk: bytes) -> None:
        super().feed(chunk)
        self.records += self._at_line_start and chunk[:1] == b">"
        self._at_line_start = chunk[-1:] == b"\n"
        # Looking for the next ">" is ten times the speed of looking for a line end before it, while they are rare.
        at = 0
        for _ in range(len(chunk) // _RARE):
            at = chunk.find(b">", at + 1)
            if at < 0:
                return
            self.records += chunk[at - 1] == _LINE_END
        self.records += chunk.count(b"\n>", at)

    def finish(self, facts: Facts) -> None:
        super().finish(facts)
        facts.records = self.records


class FastqCounter(LineCounter):
    """Lines divided by four, empty lines at the end left out."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._tail = b""

    def feed(self, chunk: bytes) -> None:
        super().feed(chunk)
        self._tail = (self._tail + chunk)[-16:] if len(chunk) < 16 else chunk[-16:]

    def finish(self, facts: Facts) -> None:
        super().finish(facts)
        surplus = count_lines(self._tail) - count_lines(self._tail.rstrip(b"\r\n"))
        _set_reads(self.lines - surplus, facts)
