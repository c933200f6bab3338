"""Which format a content is: by its own bytes first; the name only where text could be one kind or another."""

from __future__ import annotations

import re
from functools import cache

from ingest.formats import dicom, registry, table, tararchive, text
from ingest.formats.compressed import Wrapper
from ingest.formats.facts import clean
from ingest.formats.source import Format, Source

_HDF5 = b"\x89HDF\r\n\x1a\n"
_MIN_SIGNATURE = 4
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+\-]*")


def find_wrapper(head: bytes) -> Wrapper | None:
    """The compression the content is wrapped in, if any."""
    wrapper = registry.WRAPPERS.get(head[:2])
    if wrapper and head.startswith(registry.WRAPPER_STARTS[wrapper.key]):
        return wrapper
    return None


def identify(source: Source) -> Format:
    """The format of ``source``; for text its encoding, body and clue are set on the way."""
    head = source.head
    if not head:
        return registry.EMPTY
    if head[128:132] == b"DICM":  # first: its preamble may look like a TIFF image, on purpose
        return registry.DICOM
    for signature in registry.SIGNATURES_BY_START.get(head[:2], ()):
        if head.startswith(signature.start) and (signature.check is None or signature.check(head)):
            return signature.format
    if tararchive.is_tar(head):
        return registry.TAR
    if text.read_as_text(source):
        return _identify_text(source)
    if any(head.startswith(_HDF5, offset) for offset in registry.HDF5_OFFSETS):
        return registry.HDF5
    if dicom.is_bare(head):
        return registry.DICOM
    return _identify_by_puremagic(head)


def _identify_text(source: Source) -> Format:
    body, extension = source.body, source.extension
    start = body[:1]
    if start.isspace():
        start = body.lstrip()[:1]
    for recognises, found in registry.TEXT_RECOGNISERS.get(start, ()):
        if recognises(source):
            return found
    known = registry.TEXT_EXTENSIONS.get(extension)
    if known:
        return known
    dialect = table.find_dialect(body, named_table=extension in registry.TABLE_EXTENSIONS)
    if dialect is None:
        return registry.TEXT
    source.clue = dialect
    return registry.TSV if dialect.delimiter == "\t" else registry.CSV


def _identify_by_puremagic(head: bytes) -> Format:
    """What puremagic's table says of the start of the content; unknown when its signature is under four bytes."""
    best: tuple[int, Format] = (0, registry.BINARY)
    for (offset, length), known in _puremagic_table():
        found = known.get(head[offset : offset + length])
        if found and length > best[0]:
            best = (length, found)
    return best[1]


@cache
def _puremagic_table() -> tuple[tuple[tuple[int, int], dict[bytes, Format]], ...]:
    """puremagic's signatures by place and length: thirty look-ups instead of its own thousand comparisons."""
    import puremagic  # only for what the registry does not know; reads its table at import

    table: dict[tuple[int, int], dict[bytes, Format]] = {}
    for row in puremagic.magic_header_array:
        media_type = row.mime_type.partition(";")[0].strip().lower()
        if len(row.byte_match) >= _MIN_SIGNATURE and row.offset >= 0 and _MEDIA_TYPE.fullmatch(media_type):
            known = table.setdefault((row.offset, len(row.byte_match)), {})
            known.setdefault(row.byte_match, Format("puremagic", clean(row.name, 100), media_type))
    return tuple(table.items())
