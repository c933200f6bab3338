"""What the quad store holds: the etag of each record in it, beside the store, because a query must not see it.

Marks go away before the store changes and come back after it is flushed. A crash in between costs one more replacing of
the records that were under way; it never leaves one out of date and marked as done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE record (identifier TEXT PRIMARY KEY, etag TEXT NOT NULL, graph TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 1;
"""
_VERSION = 1
_STALE = "stale"


class Followed:
    """The marks of one store; made anew where they are missing, damaged or of another version of the program."""

    def __init__(self, path: Path, version: str) -> None:
        self._path = path
        self.was_made_anew = False
        try:
            self._db = self._open(version)
        except sqlite3.DatabaseError:
            self._db = self._begin(version)

    def _open(self, version: str) -> sqlite3.Connection:
        if not self._path.exists():
            return self._begin(version)
        db = self._connect()
        try:
            known = db.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
            if db.execute("PRAGMA user_version").fetchone()[0] == _VERSION and known == (version,):
                return db
        except sqlite3.DatabaseError:
            db.close()
            raise
        db.close()
        return self._begin(version)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # the store must never be behind what is said here
        return db

    def _begin(self, version: str) -> sqlite3.Connection:
        self.was_made_anew = True
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        db = self._connect()
        db.executescript(_SCHEMA)
        with db:
            db.executemany("INSERT INTO meta VALUES (?, ?)", [("version", version), (_STALE, "1")])
        return db

    def etags(self) -> Mapping[str, str]:
        """Identifier → etag of every record that the store has whole."""
        return dict(self._db.execute("SELECT identifier, etag FROM record WHERE etag <> ''"))

    def graphs(self) -> Mapping[str, str]:
        """Identifier → name of its graph, those under way included."""
        return dict(self._db.execute("SELECT identifier, graph FROM record"))

    @property
    def is_stale(self) -> bool:
        """Whether the store has something that the newest snapshot has not."""
        return bool(self._db.execute("SELECT 1 FROM meta WHERE key = ? AND value = '1'", (_STALE,)).fetchone())

    def begin(self, graphs: Mapping[str, str]) -> None:
        """To be called before the records of these identifiers change in the store."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(
            "INSERT INTO record VALUES (?, '', ?) ON CONFLICT (identifier) DO UPDATE SET etag = ''", graphs.items()
        )
        self._note_stale("1")
        self._db.execute("COMMIT")

    def done(self, etags: Mapping[str, str], gone: Iterable[str]) -> None:
        """To be called once the store is flushed."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("UPDATE record SET etag = ? WHERE identifier = ?", ((e, i) for i, e in etags.items()))
        self._db.executemany("DELETE FROM record WHERE identifier = ?", ((identifier,) for identifier in gone))
        self._db.execute("COMMIT")

    def shown(self) -> None:
        """To be called once a snapshot has everything."""
        self._note_stale("0")

    def _note_stale(self, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_STALE, value))

    def close(self) -> None:
        self._db.close()
