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
CREATE TABLE record (
    identifier TEXT NOT NULL, graph TEXT NOT NULL, etag TEXT NOT NULL, PRIMARY KEY (identifier, graph)
) WITHOUT ROWID;
PRAGMA user_version = 2;
"""
_VERSION = 2
_STALE, _UNLISTED = "stale", "unlisted"


class Followed:
    """The marks of one store; made anew where they are missing, damaged or of another version of the program.

    Of another version it `keeps_names` of graphs where the store itself is not thrown away: what stands there under
    them must be replaced or dropped.
    """

    def __init__(self, path: Path, version: str, *, keeps_names: bool = False) -> None:
        self._path, self._keeps_names = path, keeps_names
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
            if db.execute("PRAGMA user_version").fetchone()[0] == _VERSION:
                if known == (version,):
                    return db
                if self._keeps_names:
                    _outdate(db, version)
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
            told = [("version", version), (_STALE, "1"), (_UNLISTED, "1")]
            db.executemany("INSERT INTO meta VALUES (?, ?)", told)
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
        return self._is_noted(_STALE)

    @property
    def is_unlisted(self) -> bool:
        """Whether the store may hold graphs whose names are not known here."""
        return self._is_noted(_UNLISTED)

    def listed(self, graphs: Mapping[str, str]) -> None:
        """To be called with identifier → name of every graph that was found in the store."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT OR IGNORE INTO record (identifier, graph, etag) VALUES (?, ?, '')", graphs.items())
        self._note(_UNLISTED, "0")
        self._db.execute("COMMIT")

    def names(self, identifier: str) -> Iterable[str]:
        """Every graph that the store may hold of a record: more than one where its name changed."""
        found = self._db.execute("SELECT graph FROM record WHERE identifier = ? ORDER BY graph", (identifier,))
        return [graph for (graph,) in found]

    def begin(self, graphs: Mapping[str, str]) -> None:
        """To be called before the records of these identifiers change in the store."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("UPDATE record SET etag = '' WHERE identifier = ?", ((each,) for each in graphs))
        self._db.executemany("INSERT OR IGNORE INTO record (identifier, graph, etag) VALUES (?, ?, '')", graphs.items())
        self._note(_STALE, "1")
        self._db.execute("COMMIT")

    def done(self, kept: Mapping[str, tuple[str, str]], gone: Iterable[str]) -> None:
        """To be called once the store is flushed, with identifier → graph and etag of what it holds now."""
        self._db.execute("BEGIN IMMEDIATE")
        for identifier, (graph, etag) in kept.items():
            self._db.execute("DELETE FROM record WHERE identifier = ? AND graph <> ?", (identifier, graph))
            self._db.execute("UPDATE record SET etag = ? WHERE identifier = ?", (etag, identifier))
        self._db.executemany("DELETE FROM record WHERE identifier = ?", ((identifier,) for identifier in gone))
        self._db.execute("COMMIT")

    def shown(self) -> None:
        """To be called once a snapshot has everything."""
        self._note(_STALE, "0")

    def _is_noted(self, key: str) -> bool:
        return bool(self._db.execute("SELECT 1 FROM meta WHERE key = ? AND value = '1'", (key,)).fetchone())

    def _note(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def close(self) -> None:
        self._db.close()


def _outdate(db: sqlite3.Connection, version: str) -> None:
    """Keeps the names of graphs and nothing else of what is known."""
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE record SET etag = ''")
    told = [("version", version), (_STALE, "1"), (_UNLISTED, "1")]
    db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", told)
    db.execute("COMMIT")
