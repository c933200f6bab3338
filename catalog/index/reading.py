"""From a file to the facts its row holds: which document a path is, and what stands in it, or why it cannot be used."""

from __future__ import annotations

import hashlib
import os
import stat
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from ingest import documents, finding
from ingest.errors import DocumentError
from ingest.layout import METADATA, Layout
from ingest.places import list_datasets
from ingest.revisions import HEAD_CLOSE, HEAD_END

LARGEST = 16 * 1024**2  # bytes of a document that is not a manifest
LARGEST_NUMBER = 2**53 - 1  # RFC 8259, section 6; a thousand of them still add up in the database
LARGEST_WHOLE = 256 * 1024**2  # bytes of a manifest that cannot be read line by line
DEEPEST = 100
_NUMBERS = {documents.STRUCTURAL: ("file_count", "total_size_bytes"), documents.REGISTRY: ("sequence",)}
_OPEN = b'  "file_descriptions": [\n'
_CLOSE = b"\n  ]\n}\n"
_COMPLETE_CLOSE = b"\n    ]\n  }\n}\n"
_CHUNK = 1 << 18
_NO_PROJECT = "/"  # no folder's name begins with it


@dataclass(frozen=True)
class Place:
    """Where a document stands: `relative` is an ``os`` path (invalid UTF-8 as surrogates) below `root`."""

    root: Path
    relative: str

    @cached_property
    def file(self) -> Path:
        return self.root / self.relative

    @cached_property
    def key(self) -> tuple[str, str, str]:
        """(root, path, path_encoding) as the row holds them."""
        encoded = documents.encode_path(self.relative)
        return documents.readable(str(self.root)), encoded["path"], encoded.get("path_encoding", "")


@dataclass(frozen=True)
class Reading:
    """The facts of one document; `value` is None when it cannot be used, and `problem` then says why."""

    kind: str
    identifier: str
    sha256: str
    size_bytes: int
    problem: str
    value: dict[str, Any] | None
    stamp: str


def locate(roots: tuple[Path, ...], path: Path) -> Place | None:
    """The place of a path below one of the watched folders, or None outside of them all."""
    for root in roots:
        if path != root and path.is_relative_to(root):
            return Place(root, path.relative_to(root).as_posix())
    return None


def kind_at(place: Place, layout: Layout) -> str | None:
    """The kind of document that belongs at a place by the folder grammar, or None where none belongs."""
    kind = documents.kind_of(place.file)
    parts = place.relative.split("/")
    owner = parts[: parts.index(METADATA)] if METADATA in parts else parts
    if kind in (documents.REGISTRY, documents.INSTRUMENT):
        return kind if not owner else None
    if kind == documents.PROJECT:
        return kind if len(owner) == 1 and layout.is_project_name(owner[0]) else None
    if kind is None or len(owner) != 2:
        return None
    return kind if layout.is_project_name(owner[0]) and layout.is_dataset_name(owner[1]) else None


def places_below(folder: Place, layout: Layout) -> Iterator[Place]:
    """Every place below a folder that may hold a document; inside a dataset that means all of the dataset's."""
    parts = folder.relative.split("/")
    owner = parts[: parts.index(METADATA)] if METADATA in parts else parts
    if not owner:
        found = finding.find_documents(folder.root, Layout(_NO_PROJECT))
    elif len(owner) == 1:
        found = _of_project(folder.root, owner[0], layout)
    else:
        found = finding.dataset_documents(folder.root / owner[0] / owner[1])
    for each in found:
        place = Place(folder.root, each.path.relative_to(folder.root).as_posix())
        if kind_at(place, layout):
            yield place


def _of_project(root: Path, project: str, layout: Layout) -> Iterator[finding.Found]:
    yield finding.Found(documents.project_document(root, project), documents.PROJECT)
    for _, dataset in list_datasets(root, project, layout):
        yield from finding.dataset_documents(root / dataset)


def read(place: Place, kind: str) -> Reading | None:
    """The document at a place, or None when there is none; what is wrong with it is part of the answer."""
    if _reached_through_link(place):
        return None
    try:
        with opened(place.file) as handle:
            return _facts(place, kind, handle)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except DocumentError as error:
        return Reading(kind, "", "", 0, str(error), None, stamp_of(place.file))


def stamp_of(path: Path) -> str:
    """What changes whenever the file does: inode, size and both times; empty when there is no file."""
    try:
        info = os.lstat(path)
    except OSError:
        return ""
    return f"{info.st_ino}:{info.st_size}:{info.st_mtime_ns}:{info.st_ctime_ns}"


def _reached_through_link(place: Place) -> bool:
    """Metadata counts only where real folders lead to it; a link could show one document at two places."""
    folder = str(place.root)
    for part in place.relative.split("/")[:-1]:
        folder = f"{folder}/{part}"
        try:
            if stat.S_ISLNK(os.lstat(folder).st_mode):
                return True
        except OSError:
            return False
    return False


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A document open for reading: a regular file, not reached through a link at its end.

    Raises:
        FileNotFoundError, NotADirectoryError: when there is none.
        DocumentError: when it cannot be read, with the reason.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise DocumentError(path, _reason(path, error)) from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        thing = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise DocumentError(path, f"{_shown(path)} is {thing} where a document belongs; move it away.")
    with open(descriptor, "rb") as handle:
        try:
            yield handle
        except OSError as error:
            raise DocumentError(path, _reason(path, error)) from error


def _reason(path: Path, error: OSError) -> str:
    if path.is_symlink():
        return f"{_shown(path)} is a symbolic link; metadata is never read through links: put the file itself there."
    if isinstance(error, PermissionError):
        word = documents.shell_word(str(path))
        return f"{_shown(path)} cannot be read: permission denied; grant it with: chmod u+rw {word}"
    return f"{_shown(path)} cannot be read: {error.strerror}."


def _shown(path: Path) -> str:
    return documents.readable(str(path))


def _facts(place: Place, kind: str, handle: BinaryIO) -> Reading:
    info = os.fstat(handle.fileno())
    stamp = f"{info.st_ino}:{info.st_size}:{info.st_mtime_ns}:{info.st_ctime_ns}"
    sha256, value = _READERS.get(kind, _small)(place.file, handle, info.st_size)
    problem = "" if isinstance(value, dict) else value
    if not problem:
        problem = _misfit(place.file, kind, value)
    if problem:
        return Reading(kind, "", sha256, info.st_size, problem, None, stamp)
    identifier = value[documents.IDENTIFIER_KEY[kind]].lower()
    return Reading(kind, identifier, sha256, info.st_size, "", value, stamp)


def _small(path: Path, handle: BinaryIO, size: int) -> tuple[str, Any]:
    """SHA-256 and value of a document that is read whole; the value is a sentence when there is none."""
    if size > LARGEST:
        return "", f"{_shown(path)} has {size:,} bytes, more than the {LARGEST:,} a document may have; shorten it."
    raw = handle.read()
    return hashlib.sha256(raw).hexdigest(), _parsed(path, raw)


def _parsed(path: Path, raw: bytes) -> Any:
    try:
        return documents.parse(path, raw)
    except DocumentError as error:
        return str(error)


def _manifest(path: Path, handle: BinaryIO, size: int) -> tuple[str, Any]:
    """SHA-256 and header of a manifest, in little memory when it has one entry per line."""
    sha256, header = _without_lines(handle, _OPEN, b"]}", _CLOSE)
    if header is None:
        handle.seek(0)
        header = _header_of_whole(path, handle, size)
    return sha256, header


def _complete(path: Path, handle: BinaryIO, size: int) -> tuple[str, Any]:
    """SHA-256 and value of a complete metadata file, its files left out."""
    sha256, header = _without_lines(handle, HEAD_END, HEAD_CLOSE, _COMPLETE_CLOSE)
    if header is not None:
        return sha256, header
    if size > LARGEST_WHOLE:
        return sha256, f"{_shown(path)} has {size:,} bytes and not one file per line; restore it as it was written."
    handle.seek(0)
    value = _parsed(path, handle.read())
    if isinstance(value, dict) and isinstance(value.get("structure"), dict):
        value = {**value, "structure": {**value["structure"], "file_descriptions": []}}
    return sha256, value


def _without_lines(handle: BinaryIO, opening: bytes, closed: bytes, close: bytes) -> tuple[str, Any]:
    """SHA-256 of the whole, and the value with an empty list where its entries stand, one per line; None otherwise."""
    digest = hashlib.sha256()
    head = bytearray()
    while line := handle.readline(LARGEST):
        head += line
        if line == opening or len(head) > LARGEST:
            break
    digest.update(head)
    header = _header(head, closed) if head.endswith(opening) else None
    tail = b""
    while chunk := handle.read(_CHUNK):
        digest.update(chunk)
        tail = (tail + chunk)[-len(close) :]
    return digest.hexdigest(), header if tail == close else None


def _header_of_whole(path: Path, handle: BinaryIO, size: int) -> Any:
    """The header of a manifest in another layout, such as an editor's; a sentence when there is none."""
    if size > LARGEST_WHOLE:
        return f"{_shown(path)} has {size:,} bytes and not one file entry per line; restore an earlier version."
    value = _parsed(path, handle.read())
    if not isinstance(value, dict):
        return value
    if not isinstance(value.get("file_descriptions", []), list):
        return f"{_shown(path)}: file_descriptions is not a list; restore an earlier version."
    return {**value, "file_descriptions": []}


_READERS: Mapping[str, Callable[[Path, BinaryIO, int], tuple[str, Any]]] = {
    documents.STRUCTURAL: _manifest,
    documents.COMPLETE: _complete,
}


def _header(head: bytearray, closed: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(bytes(head) + closed)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _misfit(path: Path, kind: str, value: dict[str, Any]) -> str:
    """Why a JSON object is no document of its kind, as far as the index must know; empty when it is one."""
    key = documents.IDENTIFIER_KEY[kind]
    identifier = value.get(key)
    if not isinstance(identifier, str) or not _is_uuid(identifier):
        shown = "missing" if identifier is None else f"{str(identifier)[:80]!r}, which is not a UUID"
        return f"{_shown(path)}: {key} is {shown}; restore the identifier from an earlier version."
    for number in _NUMBERS.get(kind, ()):
        if type(value.get(number)) is int and not is_number(value[number]):
            return f"{_shown(path)}: {number} is {value[number]}, which cannot be; restore it from an earlier version."
    if too_deep(value):
        return f"{_shown(path)} is nested more than {DEEPEST} levels deep; flatten it."
    return ""


def _is_uuid(text: str) -> bool:
    try:
        return len(text) == 36 and str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def too_deep(value: Any) -> bool:
    """Whether lists and objects lie in each other more than `DEEPEST` levels."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def is_number(value: Any) -> bool:
    """Whether a value is a count or a size: not below zero, and no more than any JSON reader keeps exactly."""
    return type(value) is int and 0 <= value <= LARGEST_NUMBER


class NotLinesError(ValueError):
    """A manifest whose entries do not stand on one line each."""


def entry_lines(handle: BinaryIO) -> Iterator[list[bytes]]:
    """The entries of a manifest that has one per line, some at a time; all but the last end with a comma.

    Raises:
        NotLinesError: at the first entry that does not stand on its own line; start over with `entries_of_whole`.
    """
    while (line := handle.readline(LARGEST)) != _OPEN:
        if not line:
            raise NotLinesError
    ended = False
    while not ended:
        some = handle.read(_CHUNK) + handle.readline(LARGEST)
        ended = some.endswith(_CLOSE)
        entries = some[: -len(_CLOSE) if ended else -1].split(b"\n")
        if not some or any(entry[:2] != b'{"' for entry in entries):
            raise NotLinesError
        yield entries


def entries_of_whole(handle: BinaryIO) -> Iterator[list[bytes]]:
    """The entries of a manifest in any other layout.

    Raises:
        orjson.JSONDecodeError: when it is not JSON.
    """
    entries = orjson.loads(handle.read()).get("file_descriptions", [])
    for start in range(0, len(entries), 1_000):
        yield [orjson.dumps(entry) for entry in entries[start : start + 1_000]]
