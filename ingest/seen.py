"""What each path looked like last, and its condition: machine-local state that can be lost.

One SQLite file per watched root, ``<STATE_DIR>/roots/<root-id>/seen.sqlite``. Only the holder of the root's scan lock
writes; pages and ``status`` open it read-only. Losing it costs reading the bytes again, nothing else.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from ingest.errors import StoreError, printable
from ingest.rows import TROUBLES, FileRow, PlaceRow, Stamp, Trouble
from ingest.rows import Condition as Condition
from ingest.seen_database import SeenDatabase

# Stamp, SHA-256 and system fields of a document as we last wrote or accepted it.
LastSeen = tuple[Stamp, str, Mapping[str, Any]]
_PLACE = "id, kind, path, dev, ino, identifier, gone, doubt"
_FILE = "place, path, dev, ino, size, mtime_ns, ctime_ns, sha256, identifier, condition, reason, since"


def root_id(root: Path) -> str:
    """The name of a root's folder of machine-local state."""
    return hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:16]


def state_folder(state_dir: Path, root: Path) -> Path:
    """``<STATE_DIR>/roots/<root-id>``."""
    return state_dir / "roots" / root_id(root)


class Seen:
    """The rows of one root. Opened for writing it creates what is missing; read-only it is empty until then."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.folder = folder
        self._db = SeenDatabase(folder, read_only=read_only)
        self.path = self._db.path

    def renumber_device(self, old: int, new: int) -> None:
        """The same file system got another device number (a reboot, a remount): that alone changes no file."""
        with self.transaction():
            self._db.execute("UPDATE place SET dev = ? WHERE dev = ?", (new, old))
            self._db.execute("UPDATE file SET dev = ? WHERE dev = ?", (new, old))
            self._db.execute("UPDATE document SET dev = ? WHERE dev = ?", (new, old))

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing for the writes inside."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(StoreError):  # SQLite rolls back by itself when it could not write
                self._db.execute("ROLLBACK")
            raise

    # --- facts about the root -----------------------------------------------------------------------------

    def get(self, key: str) -> Any:
        """A stored JSON value, or None."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else orjson.loads(row[0])

    def put(self, key: str, value: Any) -> None:
        """Store a JSON value."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, orjson.dumps(value)))

    # --- places -------------------------------------------------------------------------------------------

    def places(self, *, include_gone: bool = True) -> list[PlaceRow]:
        """Every known project and dataset."""
        where = "" if include_gone else " WHERE gone = 0"
        rows = self._db.execute(f"SELECT {_PLACE} FROM place{where}")  # noqa: S608
        return [_place(row) for row in rows]

    def place_at(self, path: str) -> PlaceRow | None:
        """The place last seen at a path, present ones first."""
        row = self._db.execute(
            f"SELECT {_PLACE} FROM place "  # noqa: S608
            "WHERE path = ? ORDER BY gone, id DESC LIMIT 1",
            (os.fsencode(path),),
        ).fetchone()
        return None if row is None else _place(row)

    def place_of(self, identifier: str) -> PlaceRow | None:
        """The place of an identifier."""
        row = self._db.execute(
            f"SELECT {_PLACE} FROM place WHERE identifier = ?",  # noqa: S608
            (identifier,),
        ).fetchone()
        return None if row is None else _place(row)

    def put_place(self, kind: str, path: str, dev: int, ino: int, identifier: str, *, gone: bool = False) -> PlaceRow:
        """Insert or update the place of an identifier; its files keep belonging to it."""
        self._db.execute(
            "INSERT INTO place (kind, path, dev, ino, identifier, gone) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (identifier) DO UPDATE SET path = excluded.path, dev = excluded.dev, ino = excluded.ino, "
            "gone = excluded.gone",
            (kind, os.fsencode(path), dev, ino, identifier, int(gone)),
        )
        row = self.place_of(identifier)
        if row is None:  # pragma: no cover - the insert above cannot have vanished
            raise StoreError(self.path, f"{self.path} lost the place {identifier} it was just given.")
        return row

    def put_in_doubt(self, places: Iterable[int]) -> None:
        """The manifests of these places were not told what became of some of their files."""
        self._db.executemany("UPDATE place SET doubt = doubt + 1 WHERE id = ?", ((place,) for place in places))

    def settle_doubt(self, place: PlaceRow) -> None:
        """The manifest was compared entry by entry, unless something happened since ``place`` was read."""
        self._db.execute("UPDATE place SET doubt = 0 WHERE id = ? AND doubt = ?", (place.id, place.doubt))

    # --- files --------------------------------------------------------------------------------------------

    def stamps(self, place: int) -> dict[bytes, tuple[int, int, int, int, int, int]]:
        """``path → (dev, ino, size, mtime_ns, ctime_ns, condition)`` of a place: the scan's side of the comparison."""
        rows = self._db.execute(
            "SELECT path, dev, ino, size, mtime_ns, ctime_ns, condition FROM file WHERE place = ?", (place,)
        )
        return {row[0]: row[1:] for row in rows}

    def pending_since(self, place: int) -> dict[bytes, float]:
        """``path → since`` of a place's pending files."""
        query = "SELECT path, since FROM file WHERE place = ? AND condition = ?"
        return dict(self._db.execute(query, (place, int(Condition.PENDING))).fetchall())

    def troubled(self, place: int) -> list[bytes]:
        """The paths of a place that wait, or cannot be described, sorted."""
        marks = ",".join(str(int(condition)) for condition in TROUBLES)
        query = f"SELECT path FROM file WHERE place = ? AND condition IN ({marks}) ORDER BY path"  # noqa: S608
        return [row[0] for row in self._db.execute(query, (place,))]

    def files(self, place: int, paths: Iterable[bytes]) -> dict[bytes, FileRow]:
        """The full rows of some paths."""
        found: dict[bytes, FileRow] = {}
        for path in paths:
            query = f"SELECT {_FILE} FROM file WHERE place = ? AND path = ?"  # noqa: S608
            row = self._db.execute(query, (place, path)).fetchone()
            if row is not None:
                found[path] = _file(row)
        return found

    def by_inode(self, inodes: Sequence[int]) -> list[FileRow]:
        """Every file with one of these inodes and an identity, whatever its condition, in any place."""
        return list(self._where("ino IN (?) AND length(identifier) > 0", inodes))

    def by_identifier(self, identifiers: Iterable[str]) -> list[FileRow]:
        """Every file with one of these identities, in any place."""
        return list(self._where("identifier IN (?)", [bytes.fromhex(i.replace("-", "")) for i in identifiers if i]))

    def held_elsewhere(self, place: int, identifiers: Iterable[str]) -> list[FileRow]:
        """The rows of other places with one of these identities."""
        return [row for row in self.by_identifier(identifiers) if row.place != place]

    def _where(self, condition: str, values: Sequence[object]) -> Iterator[FileRow]:
        """The rows under a condition whose ``(?)`` stands for many values."""
        for start in range(0, len(values), 500):
            some = values[start : start + 500]
            marks = ",".join("?" * len(some))
            query = f"SELECT {_FILE} FROM file WHERE {condition.replace('(?)', f'({marks})')}"  # noqa: S608
            yield from map(_file, self._db.execute(query, some))

    def has_files(self) -> bool:
        """Whether anything was ever described here."""
        return self._db.execute("SELECT 1 FROM file LIMIT 1").fetchone() is not None

    def has_rows(self, place: int) -> bool:
        """Whether the identity of any of a place's files is known."""
        query = "SELECT 1 FROM file WHERE place = ? AND length(identifier) > 0 LIMIT 1"
        return self._db.execute(query, (place,)).fetchone() is not None

    def has_described(self, place: int) -> bool:
        """Whether any file of a place is described and was there last time."""
        query = "SELECT 1 FROM file WHERE place = ? AND condition = 0 LIMIT 1"
        return self._db.execute(query, (place,)).fetchone() is not None

    def present_count(self) -> int:
        """How many files are described and were there last time, those of missing folders left out."""
        query = "SELECT count(*) FROM file WHERE condition = 0 AND place NOT IN (SELECT id FROM place WHERE gone)"
        return int(self._db.execute(query).fetchone()[0])

    def put_files(self, rows: Iterable[FileRow]) -> None:
        """Insert or replace rows."""
        self._db.executemany(
            "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (r.place, os.fsencode(r.path), *r.stamp, bytes.fromhex(r.sha256),
                 bytes.fromhex(r.identifier.replace("-", "")), int(r.condition),
                 r.reason and printable(r.reason), r.since)
                for r in rows
            ),
        )  # fmt: skip

    def described(self, place: int) -> list[FileRow]:
        """The files of a place that were ever described and are not missing; one that changes is as it was then."""
        query = f"SELECT {_FILE} FROM file WHERE place = ? AND length(sha256) > 0 AND condition <> ?"  # noqa: S608
        return [_file(row) for row in self._db.execute(query, (place, int(Condition.MISSING)))]

    def described_count(self, place: int) -> int:
        """How many files of a place are described and were there last time."""
        query = "SELECT count(*) FROM file WHERE place = ? AND condition = 0"
        return int(self._db.execute(query, (place,)).fetchone()[0])

    def missing_rows(self, place: int, *, any_inode: bool) -> list[FileRow]:
        """Missing files of a place; those remembered without an inode, or all."""
        query = f"SELECT {_FILE} FROM file WHERE place = ? AND condition = ? AND (? OR ino = 0)"  # noqa: S608
        return [_file(row) for row in self._db.execute(query, (place, int(Condition.MISSING), int(any_inode)))]

    def missing_since(self, before: float) -> list[tuple[PlaceRow, bytes]]:
        """Files that have been missing since before a moment, with their places."""
        places = {p.id: p for p in self.places()}
        query = "SELECT place, path FROM file WHERE condition = ? AND since < ?"
        rows = self._db.execute(query, (int(Condition.MISSING), before))
        return [(places[place], path) for place, path in rows if place in places]

    def drop_files(self, place: int, paths: Iterable[bytes]) -> None:
        """Forget paths."""
        self._db.executemany("DELETE FROM file WHERE place = ? AND path = ?", ((place, p) for p in paths))

    def drop_identity(self, place: int, path: bytes, identifier: str) -> None:
        """Forget a path as long as what stands there has this identity."""
        raw = bytes.fromhex(identifier.replace("-", ""))
        self._db.execute("DELETE FROM file WHERE place = ? AND path = ? AND identifier = ?", (place, path, raw))

    # --- documents ----------------------------------------------------------------------------------------

    def document(self, path: str) -> LastSeen | None:
        """A document as we last wrote or accepted it."""
        row = self._db.execute(
            "SELECT dev, ino, size, mtime_ns, ctime_ns, sha256, system FROM document WHERE path = ?",
            (os.fsencode(path),),
        ).fetchone()
        return None if row is None else (Stamp(*row[:5]), row[5].hex(), orjson.loads(row[6]))

    def put_document(self, path: str, stamp: Stamp, sha256: str, system: Mapping[str, Any]) -> None:
        """Remember a document as written or accepted."""
        self._db.execute(
            "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (os.fsencode(path), *stamp, bytes.fromhex(sha256), orjson.dumps(system)),
        )

    def drop_documents(self, folder: str) -> None:
        """Forget the documents below a folder."""
        prefix = os.fsencode(folder) + b"/"
        self._db.execute("DELETE FROM document WHERE path >= ? AND path < ?", (prefix, prefix[:-1] + b"0"))

    # --- troubles and counts ------------------------------------------------------------------------------

    def set_trouble(self, path: str, condition: Condition, reason: str) -> None:
        """A document or folder needs a person; the time of its first mention is kept while the reason stays."""
        key = os.fsencode(path)
        self._db.execute(
            "INSERT INTO trouble VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET "
            "since = CASE WHEN reason = excluded.reason THEN since ELSE excluded.since END, "
            "condition = excluded.condition, reason = excluded.reason",
            (key, int(condition), printable(reason), time.time()),
        )

    def clear_trouble(self, path: str) -> None:
        """It is mended."""
        self._db.execute("DELETE FROM trouble WHERE path = ?", (os.fsencode(path),))

    def troubles(self) -> list[Trouble]:
        """Everything that needs a person, oldest first."""
        rows = self._db.execute("SELECT path, condition, reason, since FROM trouble ORDER BY since, path")
        return [Trouble(os.fsdecode(r[0]), Condition(r[1]), r[2], r[3]) for r in rows]

    def counts(self) -> dict[str, int]:
        """How many paths are in each condition, those of missing folders left out."""
        query = (
            "SELECT condition, count(*) FROM file WHERE place NOT IN (SELECT id FROM place WHERE gone) "
            "GROUP BY condition"
        )
        rows = dict(self._db.execute(query).fetchall())
        return {c.word: int(rows.get(int(c), 0)) for c in Condition}

    def in_condition(self, conditions: Sequence[Condition], limit: int = 200) -> list[tuple[str, FileRow]]:
        """``(place path, row)`` of paths in some conditions, oldest first."""
        marks = ",".join("?" * len(conditions))
        columns = ", ".join(f"file.{c.strip()}" for c in _FILE.split(","))
        query = (
            f"SELECT place.path, {columns} FROM file JOIN place ON place.id = file.place "  # noqa: S608
            f"WHERE file.condition IN ({marks}) AND NOT place.gone ORDER BY file.since LIMIT ?"
        )
        rows = self._db.execute(query, (*(int(c) for c in conditions), limit))
        return [(os.fsdecode(row[0]), _file(row[1:])) for row in rows]


def _place(row: tuple[Any, ...]) -> PlaceRow:
    return PlaceRow(row[0], row[1], os.fsdecode(row[2]), row[3], row[4], row[5], bool(row[6]), row[7])


def dashed(raw: bytes) -> str:
    """A UUID's text from its 16 bytes ("" from none)."""
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}" if text else ""


def _file(row: tuple[Any, ...]) -> FileRow:
    return FileRow(
        place=row[0],
        path=os.fsdecode(row[1]),
        stamp=Stamp(*row[2:7]),
        sha256=row[7].hex(),
        identifier=dashed(row[8]),
        condition=Condition(row[9]),
        reason=row[10],
        since=row[11],
    )
