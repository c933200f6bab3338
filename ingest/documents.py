"""Document values: where each kind lives, how it is read, written as text and compared.

What a new one holds is in :mod:`ingest.blanks`, which ones there are on disk in :mod:`ingest.finding`. Pure but for
:func:`read_document` and :func:`folders_in`; the only writer is :mod:`ingest.store`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import orjson

from ingest.errors import DocumentError
from ingest.layout import METADATA
from ingest.rows import Stamp

SCHEMA_BASE = "https://w3id.org/fairfolder/schemas/"
CONTEXT_BASE = "https://w3id.org/fairfolder/contexts/"
VERSION = "1.0.0"

PROJECT = "project_descriptive"
ADMINISTRATIVE = "dataset_administrative"
STRUCTURAL = "dataset_structural"
INSTRUMENT = "instrument_technical"
EXPERIMENT = "experiment_contextual"
REGISTRY = "registry"
COMPLETE = "complete_metadata"

AUDIT = ("created_by", "created_date", "last_modified_by", "last_modified_date")
MAX_DOCUMENT_BYTES = 4 * 1024**3

# What only the system writes: never part of an ETag, never taken from a person's edit.
SYSTEM_KEYS: Mapping[str, frozenset[str]] = {
    PROJECT: frozenset({"$schema", "@context", "@id", "@type", "project_identifier", "derived_from", *AUDIT}),
    ADMINISTRATIVE: frozenset(
        {"$schema", "@context", "@id", "@type", "dataset_identifier", "associated_project_identifier",
         "derived_from", *AUDIT}
    ),
    STRUCTURAL: frozenset(
        {"$schema", "@context", "@id", "@type", "dataset_identifier", "associated_project_identifier",
         "file_descriptions", "formats", "total_size_bytes", "file_count", "runs", *AUDIT}
    ),
    INSTRUMENT: frozenset({"$schema", "@context", "@id", "@type", "instrument_identifier", *AUDIT}),
    EXPERIMENT: frozenset({"$schema", "@context", "@id", "@type", "run_id", "dataset_identifier", "outputs", *AUDIT}),
    REGISTRY: frozenset(),
    COMPLETE: frozenset(),
}  # fmt: skip

RUNS = "runs"
INSTRUMENTS = "instruments"
_REVISION = re.compile(r"data_object_.+_v2_metadata(?:\.r([1-9][0-9]{0,8}))?\.json", re.DOTALL)

# The key that holds the identity of each kind.
IDENTIFIER_KEY: Mapping[str, str] = {
    PROJECT: "project_identifier",
    ADMINISTRATIVE: "dataset_identifier",
    STRUCTURAL: "dataset_identifier",
    INSTRUMENT: "instrument_identifier",
    EXPERIMENT: "run_id",
    REGISTRY: "identifier",
    COMPLETE: "data_object_identifier",
}


@dataclass(frozen=True)
class Document:
    """One document as read: its value, bytes, their SHA-256, the ETag over people's fields, and which file it was."""

    value: dict[str, Any]
    raw: bytes
    sha256: str
    etag: str
    stamp: Stamp


def now() -> str:
    """The time of an audit stamp: RFC 3339, UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_identifier() -> str:
    """A random UUID (version 4, RFC 9562)."""
    return next(new_identifiers(1))


def new_identifiers(at_once: int = 256) -> Iterator[str]:
    """Random UUIDs without end, for many files: the system is asked for bits once for so many of them.

    An iterator belongs to one thread of one process: a copy of it would give the same ones.
    """
    while True:
        bits = os.urandom(16 * at_once).hex()
        for start in range(0, len(bits), 32):
            yield _uuid4(bits[start : start + 32])


def _uuid4(text: str) -> str:
    """The UUID of 32 random hexadecimal digits, without the cost of :class:`uuid.UUID`."""
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


def schema_iri(kind: str) -> str:
    """``$schema`` of a packaged kind."""
    return f"{SCHEMA_BASE}{kind}/{VERSION}"


def context_iri(kind: str) -> str:
    """``@context`` of a kind."""
    return f"{CONTEXT_BASE}{kind}/{VERSION}.jsonld"


# --- names on disk ↔ names in JSON --------------------------------------------------------------------------


def encode_path(os_path: str) -> dict[str, str]:
    """``{"path": …}`` for a valid UTF-8 name; else percent-encoded with ``path_encoding``, so that no name is lost."""
    try:
        os_path.encode("utf-8")
    except UnicodeEncodeError:
        return {
            "path": quote_from_bytes(os.fsencode(os_path), safe="/ !#$&'()*+,:;=?@[]~"),
            "path_encoding": "percent",
        }
    return {"path": os_path}


def decode_path(path: str, path_encoding: str | None = None) -> str:
    """The ``os`` path of a recorded path: the inverse of :func:`encode_path`."""
    if path_encoding == "percent":
        return os.fsdecode(unquote_to_bytes(path))
    return path


def readable(os_path: str) -> str:
    """A name that any text channel can carry: invalid bytes percent-encoded."""
    return encode_path(os_path)["path"]


# --- text and ETags -----------------------------------------------------------------------------------------


def to_bytes(value: Mapping[str, Any]) -> bytes:
    """The text of a document (not of a manifest: see :mod:`ingest.manifest`): indented UTF-8 with a final newline."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def etag(kind: str, value: Mapping[str, Any]) -> str:
    """16 hex digits over people's fields only, independent of key order: a burst of files never changes it."""
    hidden = SYSTEM_KEYS.get(kind, frozenset())
    people = {k: v for k, v in value.items() if k not in hidden}
    return hashlib.sha256(orjson.dumps(people, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return value


def parse(path: Path, raw: bytes, *, twice_checked: bool = False) -> dict[str, Any]:
    """A document's value, read strictly: UTF-8, no NaN, no lone surrogates, no key twice in the first two levels.

    Args:
        twice_checked: skip the search for repeated keys (the bytes are known to come from the store).

    Raises:
        DocumentError: with line and column where the text is no JSON object.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise DocumentError(
            path, f"{path} is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}; "
            "correct it by hand or restore an earlier version. Nothing was overwritten."
        ) from None  # fmt: skip
    if not isinstance(value, dict):
        raise DocumentError(path, f"{path} holds {type(value).__name__}, not a JSON object; put the fields in {{ }}.")
    if not twice_checked:
        _refuse_twice(path, raw)
    return value


def _refuse_twice(path: Path, raw: bytes) -> None:
    import json

    if len(raw) > 16 * 1024**2:  # json is 15 times slower than orjson; a manifest of this size is the system's own
        return
    try:
        json.loads(raw, object_pairs_hook=_no_duplicates)
    except RecursionError:
        raise DocumentError(path, f"{path} is nested too deeply; flatten it.") from None
    except ValueError as error:
        raise DocumentError(path, f"{path}: {error}; keep one of the two. Nothing was overwritten.") from None


def read_bytes(path: Path, folder: int | None = None) -> bytes:
    """The bytes of a document: see :func:`read_stamped`."""
    return read_stamped(path, folder)[0]


def read_stamped(path: Path, folder: int | None = None) -> tuple[bytes, Stamp]:
    """The bytes of a document, never through a symbolic link and never from anything but a regular file.

    With them the stamp of the file they were read from, to tell later whether it is still the one.

    Args:
        folder: a descriptor of the folder it is in, which may stand at another path by now.

    Raises:
        FileNotFoundError: when there is none.
        DocumentError: when it cannot be read, with the reason.
    """
    try:
        name = path if folder is None else path.name
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DocumentError(path, _unreadable(path, error)) from error
    try:
        info = os.fstat(fd)
        if stat.S_ISDIR(info.st_mode):
            raise DocumentError(path, f"{path} is a folder where a file belongs; move the folder away.")
        if not stat.S_ISREG(info.st_mode):
            raise DocumentError(path, f"{path} is not a regular file; move it away.")
        if info.st_size > MAX_DOCUMENT_BYTES:
            raise DocumentError(path, f"{path} has {info.st_size:,} bytes, too many for metadata; move it away.")
        with open(fd, "rb", closefd=False) as handle:
            return handle.read(), Stamp.of(info)
    except OSError as error:
        raise DocumentError(path, _unreadable(path, error)) from error
    finally:
        os.close(fd)


def _unreadable(path: Path, error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return f"{path} is a symbolic link; metadata is never read through links: put the file itself there."
    if isinstance(error, PermissionError):
        return f"{path} cannot be read: permission denied; grant it with: chmod u+rw {shell_word(str(path))}"
    if isinstance(error, IsADirectoryError):
        return f"{path} is a folder where a file belongs; move the folder away."
    return f"{path} cannot be read: {error.strerror}."


def shell_word(text: str) -> str:
    """A path as a person can paste it into a shell."""
    import shlex

    return shlex.quote(readable(text))


def read_document(path: Path, kind: str | None = None, folder: int | None = None) -> Document:
    """One document from disk; ``folder`` as for :func:`read_stamped`.

    Raises:
        FileNotFoundError: when there is none.
        DocumentError: when it is no readable, strict JSON object.
    """
    raw, stamp = read_stamped(path, folder)
    value = parse(path, raw)
    known = kind or kind_of(path) or ""
    try:
        tag = etag(known, value)
    except TypeError:  # orjson writes 254 levels; a record has ten
        raise DocumentError(path, f"{path} is nested too deeply; flatten it. Nothing was overwritten.") from None
    return Document(value, raw, hashlib.sha256(raw).hexdigest(), tag, stamp)


def read_if_there(path: Path, kind: str | None = None) -> Document | None:
    """One document from disk, None when there is none.

    Raises:
        DocumentError: see :func:`read_document`.
    """
    try:
        return read_document(path, kind)
    except FileNotFoundError:
        return None


# --- where documents live -------------------------------------------------------------------------------------


def project_document(root: Path, project: str) -> Path:
    """``project_descriptive.json`` of a project folder name."""
    return root / f"{project}/{METADATA}/{PROJECT}.json"


def dataset_document(root: Path, dataset_path: str, kind: str) -> Path:
    """``dataset_administrative.json`` or ``dataset_structural.json`` of ``project/dataset``."""
    return root / f"{dataset_path}/{METADATA}/{kind}.json"


def run_folder(root: Path, dataset_path: str, label: str) -> Path:
    """The folder of a run of ``project/dataset``."""
    return root / f"{dataset_path}/{METADATA}/{RUNS}/{label}"


def run_document(root: Path, dataset_path: str, label: str) -> Path:
    """``experiment_contextual.json`` of a run of ``project/dataset``."""
    return run_folder(root, dataset_path, label) / f"{EXPERIMENT}.json"


def instrument_document(root: Path, slug: str) -> Path:
    """``instrument_technical.json`` of an instrument's folder name."""
    return root / f"{METADATA}/{INSTRUMENTS}/{slug}/{INSTRUMENT}.json"


def revision_of(name: str) -> int | None:
    """The revision a complete metadata file's name tells, or None when it is no such name."""
    match = _REVISION.fullmatch(name)
    return None if match is None else int(match[1] or 1)


def registry_folder(root: Path) -> Path:
    """Where the registry entries of a root stand."""
    return root / METADATA / "registry"


def registry_document(root: Path, identifier: str) -> Path:
    """The registry entry of an identifier."""
    return root / f"{METADATA}/registry/{identifier}.json"


def kind_of(path: Path) -> str | None:
    """The kind of a document by its place, or None when the path is no metadata document of ours."""
    parent = path.parent
    if path.suffix != ".json" or METADATA not in path.parts:
        return None
    if parent.name == "registry" and parent.parent.name == METADATA:
        return REGISTRY
    if parent.name == METADATA:
        return path.stem if path.stem in (PROJECT, ADMINISTRATIVE, STRUCTURAL) else None
    grand = parent.parent
    if grand.name == RUNS and grand.parent.name == METADATA:
        if path.stem == EXPERIMENT:
            return EXPERIMENT
        return COMPLETE if revision_of(path.name) else None
    if path.stem == INSTRUMENT and grand.name == INSTRUMENTS and grand.parent.name == METADATA:
        return INSTRUMENT
    return None


def folders_in(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted; links are none, and a folder that is not there has none."""
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []
