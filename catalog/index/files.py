"""File rows of a dataset, kept equal to its manifest by comparing digests of lines: only what differs is parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from struct import unpack
from typing import Any, BinaryIO

import orjson
from django.db import connection

from catalog.index.reading import NotLinesError, entries_of_whole, entry_lines, is_number, opened
from ingest.errors import DocumentError

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch
LONGEST = 500  # characters of a searched column; the document holds the whole
_COLUMNS = (
    "id, dataset_id, digest, identifier, path, path_encoding, size_bytes, mime_type, format, checksum, modified, "
    "first_seen, state, version, run"
)
_INSERT = f"INSERT INTO catalog_file ({_COLUMNS}) VALUES ({', '.join(['%s'] * 15)})"  # noqa: S608
_IN_A_RUN = "NOT (run = '')"  # in the words of the partial index: SQLite does not see that run <> '' is the same
_INSERT_DOCUMENT = "INSERT INTO catalog_filedocument (file_id, text) VALUES (%s, %s)"

Row = tuple[Any, ...]


def load(dataset_id: int, manifest: Path, runs: set[str], *, known: bool = True) -> str:
    """Makes the file rows of a dataset equal to its manifest; answers what is wrong with entries, or nothing.

    `known` says whether the dataset may have rows already; `runs` is given those whose files were not as they are now.

    Raises:
        FileNotFoundError, DocumentError: when the manifest cannot be read (any more).
    """
    with opened(manifest) as handle:
        rows = _known(dataset_id) if known else {}
        try:
            return _replace(dataset_id, rows, entry_lines(handle), runs)
        except NotLinesError:
            handle.seek(0)
            return _replace_from_whole(dataset_id, manifest, handle, runs)


def _replace_from_whole(dataset_id: int, manifest: Path, handle: BinaryIO, runs: set[str]) -> str:
    try:
        return _replace(dataset_id, _known(dataset_id), entries_of_whole(handle), runs)
    except orjson.JSONDecodeError as error:
        raise DocumentError(
            manifest, f"{manifest} is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None


def unload(dataset_id: int) -> None:
    """Removes every file row of a dataset."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM catalog_filedocument WHERE file_id IN (SELECT id FROM catalog_file WHERE dataset_id = %s)",
            [dataset_id],
        )
        cursor.execute("DELETE FROM catalog_file WHERE dataset_id = %s", [dataset_id])


def _replace(dataset_id: int, known: dict[int, int], batches: Iterator[list[bytes]], runs: set[str]) -> str:
    """Inserts the lines that no row stands for and deletes the rows that no line stands for."""
    unusable: list[str] = []
    seen: set[int] = set()
    for lines in batches:
        digests = _digests(lines)
        new = {
            digest: line
            for digest, line in zip(digests, lines, strict=True)
            if digest not in known and digest not in seen
        }
        seen.update(digests)
        if new:
            _insert(dataset_id, new.items(), unusable, runs)
    gone = [row for digest, row in known.items() if digest not in seen]
    runs.update(_runs_of(gone))
    _delete(gone)
    return _complaint(unusable)


def _digests(lines: Sequence[bytes]) -> tuple[int, ...]:
    """The first eight bytes of each line's SHA-256, as the database's whole numbers."""
    joined = b"".join([sha256(line).digest()[:8] for line in lines])
    return unpack(f">{len(lines)}q", joined)


def _known(dataset_id: int) -> dict[int, int]:
    """Digest → row of what the index holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest, id FROM catalog_file WHERE dataset_id = %s", [dataset_id])
        return dict(cursor)


def _delete(rows: Sequence[int]) -> None:
    parameters = [(row,) for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany("DELETE FROM catalog_filedocument WHERE file_id = %s", parameters)
        cursor.executemany("DELETE FROM catalog_file WHERE id = %s", parameters)


def _runs_of(rows: Sequence[int]) -> Iterator[str]:
    """The runs that some rows belong to."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM catalog_file WHERE {_IN_A_RUN} LIMIT 1")  # noqa: S608
        if cursor.fetchone() is None:
            return
        for start in range(0, len(rows), 500):
            some = rows[start : start + 500]
            marks = ", ".join(["%s"] * len(some))
            query = f"SELECT DISTINCT run FROM catalog_file WHERE id IN ({marks}) AND {_IN_A_RUN}"  # noqa: S608
            cursor.execute(query, some)
            yield from (run for (run,) in cursor.fetchall())


def are_just(dataset_id: int, run: str, lines: Sequence[bytes]) -> bool:
    """Whether the entries of a run's files are these lines and no others; nothing is parsed."""
    digests = set(_digests(lines)) | set(_digests([line + b"," for line in lines]))
    with connection.cursor() as cursor:
        query = f"SELECT digest FROM catalog_file WHERE run = %s AND {_IN_A_RUN} AND dataset_id = %s"  # noqa: S608
        cursor.execute(query, [run, dataset_id])
        known = [digest for (digest,) in cursor.fetchall()]
    return len(known) == len(lines) and digests.issuperset(known)


def entries_of(dataset_id: int, run: str) -> list[dict[str, Any]]:
    """The entries of a run's files, as the manifest has them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT text FROM catalog_file JOIN catalog_filedocument ON file_id = id "  # noqa: S608
            f"WHERE run = %s AND {_IN_A_RUN} AND dataset_id = %s",
            [run, dataset_id],
        )
        return [orjson.loads(text) for (text,) in cursor.fetchall()]


def _insert(dataset_id: int, lines: Iterable[tuple[int, bytes]], unusable: list[str], runs: set[str]) -> None:
    files: list[Row] = []
    texts: list[tuple[int, str]] = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(id), 0) FROM catalog_file")
        for number, (digest, line) in enumerate(lines, cursor.fetchone()[0] + 1):
            entry = line.rstrip(b",")
            try:
                row = (number, dataset_id, digest, *columns(orjson.loads(entry)))
            except ValueError as error:
                unusable.append(str(error))
                continue
            files.append(row)
            if row[-1]:
                runs.add(row[-1])
            texts.append((number, entry.decode()))
        cursor.executemany(_INSERT, files)
        cursor.executemany(_INSERT_DOCUMENT, texts)


def _complaint(unusable: list[str]) -> str:
    if not unusable:
        return ""
    several = f"{len(unusable):,} entries" if len(unusable) > 1 else "one entry"
    return f"The manifest holds {several} that cannot be shown ({unusable[0]}); restore an earlier version of it."


def columns(entry: Any) -> Row:
    """The searched columns of a file entry, in the order of the insert.

    Raises:
        ValueError: naming the key without which an entry is no file.
    """
    if not isinstance(entry, dict):
        raise ValueError("an entry that is no object")
    path, identifier, size = entry.get("path"), entry.get("file_identifier"), entry.get("size_bytes")
    if not isinstance(path, str) or not path:
        raise ValueError("an entry without a path")
    if not isinstance(identifier, str) or not _UUID(identifier):
        raise ValueError(f"{path[:80]!r} without a file_identifier that is a UUID")
    if not is_number(size):
        shown = f"whose size_bytes is {size}, which cannot be" if isinstance(size, int) else "without a size_bytes"
        raise ValueError(f"{path[:80]!r} {shown}")
    checksum, form = entry.get("checksum"), entry.get("format")
    return (
        identifier.lower(),
        path,
        text(entry.get("path_encoding")),
        size,
        text(entry.get("mime_type")),
        text(form.get("name")) if isinstance(form, dict) else "",
        text(checksum.get("value")) if isinstance(checksum, dict) else "",
        moment(entry.get("modified_utc")),
        moment(entry.get("first_seen")),
        text(entry.get("state")) or "present",
        text(entry.get("data_object_version")),
        text(entry.get("run_id")).lower(),
    )


def text(value: Any) -> str:
    """A text for a column; anything else is no text."""
    return value[:LONGEST] if type(value) is str else ""


def moment(value: Any) -> str | None:
    """An RFC 3339 time in UTC as the text the database stores for it; None when it is no such time."""
    return _moment(value) if type(value) is str else None


@lru_cache(maxsize=1_024)  # files that came together have the same times
def _moment(value: str) -> str | None:
    if value[10:11] != "T" or value[-1] != "Z":
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return f"{value[:10]} {value[11:-1]}"
