"""tar: members counted from their headers as the stream goes by. Source: POSIX.1-2017, pax; GNU tar manual.

Member names are not recorded, only how many there are of each extension.
"""

from __future__ import annotations

from collections import Counter as Tally

from ingest.formats.facts import MAX_INTEGER, Facts
from ingest.formats.source import Source

_BLOCK = 512
_MAX_MEMBERS = 1_000_000
_MAX_PAX = 65_536
_MAX_EXTENSIONS = 20
_FILE_KINDS = b"0\x007"


def is_tar(head: bytes) -> bool:
    """Whether the first block is a header with the right checksum."""
    return len(head) >= _BLOCK and head[257:262] == b"ustar" and _checksum_fits(head[:_BLOCK])


def _checksum_fits(block: bytes) -> bool:
    stored = _number(block[148:156])
    return stored == sum(block) - sum(block[148:156]) + 8 * 32


def _number(field: bytes) -> int:
    """An octal or base-256 number; -1 when it is neither."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        return -1


def extension_of(name: bytes) -> str:
    """The lower-case extension of a member's name, "" when it has none that looks like one."""
    stem, dot, extension = name.rpartition(b"/")[2].rpartition(b".")
    plain = dot and stem and len(extension) <= 10 and extension.isalnum() and extension.isascii()
    return extension.decode("ascii").lower() if plain else ""


def is_outside(name: bytes) -> bool:
    """Whether unpacking a member of this name could write outside the folder it is unpacked in."""
    return name.startswith((b"/", b"\\")) or b".." in name.replace(b"\\", b"/").split(b"/")


class Members:
    """What is in an archive: files, folders, bytes unpacked, extensions."""

    def __init__(self) -> None:
        self.files = 0
        self.size = 0
        self.outside = False
        self.extensions: Tally[str] = Tally()

    def add(self, name: bytes, size: int) -> None:
        self.files += 1
        self.size += size
        self.outside = self.outside or is_outside(name)
        self.extensions[extension_of(name)] += 1

    def report(self, facts: Facts) -> None:
        facts.records = self.files
        facts.dimension("files", self.files)
        if self.size <= MAX_INTEGER:
            facts.dimension("unpacked size", self.size, "By")
        for extension, count in self.extensions.most_common(_MAX_EXTENSIONS):
            facts.dimension(f"files .{extension}" if extension else "files without extension", count)
        if self.outside:
            facts.warn("the archive has members that would be unpacked outside their folder (.. or an absolute path)")


class TarCounter:
    """Walks the headers; the bytes of the members themselves are stepped over."""

    def __init__(self, source: Source) -> None:
        self._members = Members()
        self._skip = 0
        self._rest = b""
        self._extra_left = 0
        self._extra_kind = b""
        self._next_name: bytes | None = None
        self._next_size: int | None = None
        self._ended = False
        self._trouble = ""

    def feed(self, chunk: bytes) -> None:
        at = 0
        if self._rest:
            chunk, self._rest = self._rest + chunk, b""
        while not self._ended and not self._trouble:
            if self._skip:
                step = min(self._skip, len(chunk) - at)
                self._skip -= step
                at += step
                if self._skip:
                    return
            needed = self._extra_left or _BLOCK
            if len(chunk) - at < needed:
                self._rest = bytes(chunk[at:])
                return
            block = bytes(chunk[at : at + needed])
            at += needed
            self._read_extra(block) if self._extra_left else self._read_header(block)

    def _read_extra(self, data: bytes) -> None:
        """What is said ahead of a member: pax records, or GNU's long name."""
        self._extra_left = 0
        if self._extra_kind == b"L":
            self._next_name = data.partition(b"\0")[0]
            return
        for record in data.split(b"\n"):
            keyword, _, value = record.partition(b" ")[2].partition(b"=")
            if keyword == b"path":
                self._next_name = value
            elif keyword == b"size" and value.isdigit() and len(value) < 20:
                self._next_size = int(value)

    def _read_header(self, block: bytes) -> None:
        if block.count(0) == _BLOCK:
            self._ended = True
            return
        size = _number(block[124:136])
        if size < 0 or not _checksum_fits(block):
            self._trouble = "a tar header is damaged: the members after it were not counted"
            return
        kind = block[156:157]
        if kind in b"xL" and 0 < size <= _MAX_PAX:
            self._extra_left, self._extra_kind = -(-size // _BLOCK) * _BLOCK, kind
            return
        if kind not in b"xgLK":
            size = size if self._next_size is None else self._next_size
            name = block[:100].partition(b"\0")[0] if self._next_name is None else self._next_name
            self._next_name = self._next_size = None
            if kind in _FILE_KINDS:
                self._members.add(name, size)
        if kind not in b"123456":
            self._skip = -(-size // _BLOCK) * _BLOCK
        if self._members.files > _MAX_MEMBERS:
            self._trouble = f"only the first {_MAX_MEMBERS:,} members of the archive were counted"

    def finish(self, facts: Facts) -> None:
        self._members.report(facts)
        if self._trouble:
            facts.warn(self._trouble)
        elif self._skip or self._extra_left or (not self._ended and self._rest):
            facts.warn("the archive ends inside a member: it is cut off")


def describe(source: Source, facts: Facts) -> None:
    """Files, their unpacked size in bytes, how many of each extension."""
    if source.whole:
        counter = TarCounter(source)
        counter.feed(source.head)
        counter.finish(facts)


def counter(source: Source) -> TarCounter:
    return TarCounter(source)
