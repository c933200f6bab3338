"""Describes files by their content: ``begin`` with the head, ``feed`` while the engine reads, ``finish`` at the end.

A format is one module beside this one and one line in :mod:`ingest.formats.registry`. Plain headers are parsed here;
C parsers run in a worker process (:mod:`ingest.formats.sandbox`) that may crash, hang or eat memory without harm.
"""

from __future__ import annotations

from ingest.formats.extraction import VERSION, Extraction, begin
from ingest.formats.sandbox import shutdown
from ingest.formats.source import HEAD_BYTES

__all__ = ["HEAD_BYTES", "VERSION", "Extraction", "begin", "shutdown"]
