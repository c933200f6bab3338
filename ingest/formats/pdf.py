"""PDF: version and number of pages. Runs in the worker only. Source: ISO 32000-2, 7.5.2 and 7.7.3.

Title, author and producer are not read: they name people and their machines.
"""

from __future__ import annotations

import logging
import os
import re

from ingest.formats.facts import Facts, MalformedError

_PRONOM = "https://www.nationalarchives.gov.uk/PRONOM/fmt/"
_IRIS = {f"1.{minor}": f"{_PRONOM}{14 + minor}" for minor in range(7)}
_IRIS |= {"1.7": _PRONOM + "276", "2.0": _PRONOM + "1129"}
_VERSION = re.compile(rb"%PDF-(\d\.\d)")
_MAX_PAGES = 1_000_000


def extract(fd: int, size: int, facts: Facts) -> None:
    """The number of pages; an encrypted document says so."""
    found = _VERSION.match(os.pread(fd, 16, 0))
    if found:
        facts.version = found[1].decode("ascii")
        facts.iri = _IRIS.get(facts.version)
    from pypdf import PdfReader  # of the formats extra
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    with os.fdopen(os.dup(fd), "rb") as file:
        try:
            reader = PdfReader(file)
            if reader.is_encrypted:
                facts.warn("the PDF is encrypted: its pages were not counted")
                return
            pages = reader.get_num_pages()
        except PyPdfError as error:
            raise MalformedError("extract failed: the PDF is damaged or cut off") from error
    if 0 <= pages <= _MAX_PAGES:
        facts.dimension("pages", pages)
