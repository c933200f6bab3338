"""ZIP and what is built on it: the central directory. Source: PKWARE APPNOTE 6.3.10, 4.3.12 to 4.3.16.

Member names are not recorded, only how many there are of each extension; the directory is walked without a list
of members, so that a directory of millions costs no memory.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.formats import npy, sandbox
from ingest.formats.facts import Facts, MalformedError
from ingest.formats.source import Source
from ingest.formats.tararchive import Members

_MAX_DIRECTORY = 16 << 20
_MAX_ARRAYS = 50
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_PRONOM = "https://www.nationalarchives.gov.uk/PRONOM/"
_OFFICE = "application/vnd.openxmlformats-officedocument."


@dataclass(frozen=True, slots=True)
class _Kind:
    """A format that is a ZIP archive with certain members."""

    key: str
    name: str
    media_type: str
    iri: str | None = None
    edam_iri: str | None = None


_XLSX = _Kind(
    "xlsx",
    "Excel workbook (XLSX)",
    _OFFICE + "spreadsheetml.sheet",
    _PRONOM + "fmt/214",
    "http://edamontology.org/format_3620",
)
_NPZ = _Kind("npz", "NumPy archive (NPZ)", "application/zip", None, "http://edamontology.org/format_4003")
_BY_MEMBER = {
    b"xl/workbook.xml": _XLSX,
    b"word/document.xml": _Kind(
        "docx", "Word document (DOCX)", _OFFICE + "wordprocessingml.document", _PRONOM + "fmt/412"
    ),
    b"ppt/presentation.xml": _Kind(
        "pptx", "PowerPoint presentation (PPTX)", _OFFICE + "presentationml.presentation", _PRONOM + "fmt/215"
    ),
    b"META-INF/MANIFEST.MF": _Kind("jar", "Java archive (JAR)", "application/java-archive"),
}
_BY_MIMETYPE = {
    b"application/epub+zip": "EPUB",
    b"application/vnd.oasis.opendocument.spreadsheet": "OpenDocument spreadsheet",
    b"application/vnd.oasis.opendocument.text": "OpenDocument text",
    b"application/vnd.oasis.opendocument.presentation": "OpenDocument presentation",
}


@dataclass(frozen=True, slots=True)
class _Member:
    name: bytes
    method: int
    packed: int
    size: int
    offset: int


def describe(source: Source, facts: Facts) -> None:
    """Files, their unpacked size in bytes, how many of each extension; sheets or arrays where it is XLSX or NPZ."""
    if not source.whole and source.fd is None:
        facts.warn("the archive's directory is at its end and was not read: it is inside a compressed file")
        return
    directory, shift = _directory(source)
    members, kind = Members(), _kind_by_mimetype(source.head)
    arrays: list[_Member] = []
    for member in _walk(directory):
        if not member.name.endswith(b"/"):
            members.add(member.name, member.size)
        kind = kind or _BY_MEMBER.get(member.name)
        if member.name.endswith(b".npy") and len(arrays) < _MAX_ARRAYS:
            arrays.append(member)
    if not kind and members.files and members.extensions["npy"] == members.files:
        kind = _NPZ
    if kind:
        _name_kind(kind, facts)
    if kind is _XLSX:
        sandbox.describe("xlsx", source, facts)
    elif kind is _NPZ:
        _describe_arrays(source, arrays, shift, facts)
    elif kind is None:
        members.report(facts)


def _name_kind(kind: _Kind, facts: Facts) -> None:
    facts.format_name, facts.media_type, facts.extractor = kind.name, kind.media_type, kind.key
    facts.iri, facts.edam_iri, facts.version = kind.iri, kind.edam_iri, None


def _kind_by_mimetype(head: bytes) -> _Kind | None:
    """EPUB and OpenDocument store their media type as the first member, uncompressed."""
    if head[30:38] != b"mimetype":
        return None
    size = int.from_bytes(head[22:26], "little")
    media_type = head[38 : 38 + min(size, 100)]
    name = _BY_MIMETYPE.get(media_type)
    return _Kind(name.split()[0].lower(), name, media_type.decode("ascii")) if name else None


def _directory(source: Source) -> tuple[bytes, int]:
    """The central directory, and by how much offsets in it are shifted (bytes put before the archive)."""
    assert source.size is not None
    start = max(0, source.size - 65_557)
    tail = source.read(start, source.size - start)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + _END.size:
        raise MalformedError("the ZIP archive has no end record: it is cut off")
    *_, size, offset, _ = _END.unpack_from(tail, at)
    end = start + at
    if tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        size, offset, end = _directory64(source, tail, at, end)
    if size > _MAX_DIRECTORY or size > end:
        raise MalformedError("the ZIP directory is damaged or larger than 16 MB: its members were not counted")
    return source.read(end - size, size), end - size - offset


def _directory64(source: Source, tail: bytes, at: int, end: int) -> tuple[int, int, int]:
    place = int.from_bytes(tail[at - 12 : at - 4], "little")
    record = source.read(place, _END64.size) if place < end else b""
    if len(record) < _END64.size or record[:4] != b"PK\x06\x06":
        raise MalformedError("the ZIP64 end record is damaged")
    *_, size, offset = _END64.unpack(record)
    return size, offset, place


def _walk(directory: bytes) -> Iterator[_Member]:
    at = 0
    while len(directory) - at >= _ENTRY.size:
        entry = _ENTRY.unpack_from(directory, at)
        if entry[0] != b"PK\x01\x02":
            raise MalformedError("the ZIP directory is damaged")
        method, packed, size, name_size, extra_size, comment_size, offset = (*entry[4:5], *entry[8:13], entry[16])
        start = at + _ENTRY.size
        name = directory[start : start + name_size]
        extra = directory[start + name_size : start + name_size + extra_size]
        if 0xFFFFFFFF in (packed, size, offset):
            size, packed, offset = _wide_values(extra, size, packed, offset)
        yield _Member(name, method, packed, size, offset)
        at = start + name_size + extra_size + comment_size


def _wide_values(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Replace the values that read "see the ZIP64 extra field"."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            field, values = extra[at + 4 : at + 4 + length], []
            for value in (size, packed, offset):
                if value == 0xFFFFFFFF and len(field) >= 8:
                    value, field = int.from_bytes(field[:8], "little"), field[8:]
                values.append(value)
            return values[0], values[1], values[2]
        at += 4 + length
    return size, packed, offset


def _describe_arrays(source: Source, arrays: list[_Member], shift: int, facts: Facts) -> None:
    facts.records = len(arrays)
    for member in arrays:
        name = member.name.removesuffix(b".npy").decode("utf-8", "replace")
        head = _member_head(source, member, shift)
        if not head.startswith(npy.SIGNATURE):
            facts.warn(f"the array {name} cannot be read")
            continue
        header, _ = npy.read_header(head)
        kind = npy.data_type(npy.code_of(header))
        facts.variable(name, kind)
        if kind == "object":
            facts.warn(f"the array {name} holds pickled Python objects, which are never opened")
        for axis, size in enumerate(npy.shape_of(header)):
            facts.dimension(f"{name}[{axis}]", size)
    if len(arrays) == _MAX_ARRAYS:
        facts.warn(f"only the first {_MAX_ARRAYS} arrays are described")


def _member_head(source: Source, member: _Member, shift: int) -> bytes:
    """The first 64 kB of a stored or deflated member; b"" when it cannot be had."""
    at = member.offset + shift
    local = source.read(at, 30)
    if len(local) < 30 or local[:4] != b"PK\x03\x04":
        return b""
    start = at + 30 + int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    data = source.read(start, min(member.packed, 65_536))
    if member.method == 8:
        try:
            return zlib.decompressobj(wbits=-15).decompress(data, 65_536)
        except zlib.error:
            return b""
    return data if member.method == 0 else b""
