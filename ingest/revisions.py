"""Complete metadata files on disk: their names, their text, and which of a run there are.

A file holds one revision and is never written again. Its text ends with the files, one per line, so that the rest of
it is read without them however many they are.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import orjson

from ingest import documents
from ingest.documents import revision_of
from ingest.errors import DocumentError

Value = dict[str, Any]

HEAD_END = b'    "file_descriptions": [\n'
HEAD_CLOSE = b"]}}"
_TAIL = b"\n    ]\n  }\n}\n"


@dataclass(frozen=True)
class Revision:
    """One complete metadata file as read."""

    path: Path
    number: int
    sha256: str
    value: Value

    @property
    def iri(self) -> str:
        """Of this revision."""
        return str(self.value["@id"])


def revision_name(label: str, number: int) -> str:
    """The file name of a run's revision."""
    return f"data_object_{label}_v2_metadata{'' if number == 1 else f'.r{number}'}.json"


def data_object(run_id: str) -> str:
    """The UUID of a run's data object: it follows from the run's own, so that it is the same in every revision."""
    return str(uuid5(UUID(run_id), "data object"))


def revision_iri(run_id: str, number: int) -> str:
    """The IRI of one revision of a run's data object."""
    return f"urn:uuid:{uuid5(UUID(run_id), f'data object, revision {number}')}"


def complete_text(value: Mapping[str, Any]) -> bytes:
    """The text of a complete metadata file: ``structure`` last, its files one per line."""
    structure = {k: v for k, v in value["structure"].items() if k != "file_descriptions"}
    head = {k: v for k, v in value.items() if k != "structure"} | {"structure": {**structure, "file_descriptions": []}}
    text = orjson.dumps(head, option=orjson.OPT_INDENT_2)
    lines = [orjson.dumps(entry) for entry in value["structure"]["file_descriptions"]]
    if not lines:
        return text + b"\n"
    return b"".join([text.removesuffix(b"]\n  }\n}"), b"\n", b",\n".join(lines), _TAIL])


def numbers(folder: Path) -> list[int]:
    """The revision numbers that file names in a run's folder take, ascending."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted({number for name in names if (number := revision_of(name))})


def read_revision(path: Path) -> Revision:
    """One complete metadata file.

    Raises:
        FileNotFoundError, DocumentError: see :func:`ingest.documents.read_document`.
    """
    raw = documents.read_bytes(path)
    # Whoever takes it for ours compares its checksum: a key that stands twice could only be somebody's edit.
    value = documents.parse(path, raw, twice_checked=True)
    return Revision(path, revision_of(path.name) or 0, hashlib.sha256(raw).hexdigest(), value)


def file_lines(raw: bytes) -> list[bytes] | None:
    """The lines of a complete metadata file's files, without commas; None when its text is not as it was written."""
    start, end = raw.find(HEAD_END), len(raw) - len(_TAIL)
    if start < 0 or raw.find(HEAD_END, start + 1) >= 0 or not raw.endswith(_TAIL):
        return None
    return raw[start + len(HEAD_END) : end].split(b",\n")


def own_revisions(folder: Path, run_id: str) -> Iterator[Revision]:
    """The revisions of a run's own data object, the newest first; those of a run it was copied from count nothing."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in sorted(names, key=lambda n: revision_of(n) or 0, reverse=True):
        if not revision_of(name):
            continue
        try:
            found = read_revision(folder / name)
        except (FileNotFoundError, DocumentError):
            continue
        if found.value.get("data_object_identifier") == data_object(run_id):
            yield found
