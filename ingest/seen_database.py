"""The SQLite file of what was last seen: set up where there is none, made anew where it is damaged or outdated."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from ingest.errors import StoreError
from ingest.locking import lock_file

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE place (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, path BLOB NOT NULL, dev INTEGER NOT NULL,
    ino INTEGER NOT NULL, identifier TEXT NOT NULL UNIQUE, gone INTEGER NOT NULL DEFAULT 0,
    doubt INTEGER NOT NULL DEFAULT 0);
CREATE INDEX place_path ON place(path);
CREATE TABLE file (place INTEGER NOT NULL, path BLOB NOT NULL, dev INTEGER NOT NULL, ino INTEGER NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, sha256 BLOB NOT NULL,
    identifier BLOB NOT NULL, condition INTEGER NOT NULL, reason TEXT NOT NULL, since REAL NOT NULL,
    PRIMARY KEY (place, path)) WITHOUT ROWID;
CREATE INDEX file_inode ON file(ino);
CREATE INDEX file_identifier ON file(identifier);
CREATE INDEX file_trouble ON file(condition, since) WHERE condition <> 0;
CREATE TABLE document (path BLOB PRIMARY KEY, dev INTEGER NOT NULL, ino INTEGER NOT NULL, size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, sha256 BLOB NOT NULL, system BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE trouble (path BLOB PRIMARY KEY, condition INTEGER NOT NULL, reason TEXT NOT NULL, since REAL NOT NULL)
    WITHOUT ROWID;
PRAGMA user_version = 2;
"""
_VERSION = 2


class SeenDatabase:
    """A connection to ``seen.sqlite`` whose failures (the disk is full, the file is gone) are told in words.

    Raises:
        StoreError: when the folder cannot be used.
    """

    def __init__(self, folder: Path, *, read_only: bool) -> None:
        self.folder = folder
        self.path = folder / "seen.sqlite"
        self._connection = self._open_read_only() if read_only else self._open()
        self.close = self._connection.close

    def execute(self, query: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """One statement.

        Raises:
            StoreError: when the database can no longer be read or written.
        """
        try:
            return self._connection.execute(query, values)
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    def executemany(self, query: str, values: Iterable[Sequence[object]]) -> None:
        """One statement for each row of values; raises as :meth:`execute`."""
        try:
            self._connection.executemany(query, values)
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    def _open(self) -> sqlite3.Connection:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # Processes that start at once set it up one after the other.
            with lock_file(self.folder / "seen.lock", 30.0):
                return self._set_up()
        except (OSError, sqlite3.OperationalError) as error:
            raise self._unusable(error) from error

    def _set_up(self) -> sqlite3.Connection:
        try:
            db = self._connect()
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                db.executescript(_SCHEMA)  # its last statement sets the version: until then readers see nothing yet
            elif version != _VERSION:
                return self._start_anew(db)
            db.execute("SELECT count(*) FROM meta").fetchone()
            return db
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            return self._start_anew(None)  # damaged: what it holds can be had again by reading the files

    def _unusable(self, error: Exception) -> StoreError:
        return StoreError(
            self.path,
            f"The state folder {str(self.folder)!r} cannot be used ({error}); make it writable, free some space, "
            "or set FAIRFOLDER_STATE_DIR to another folder.",
        )

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        return db

    def _start_anew(self, db: sqlite3.Connection | None) -> sqlite3.Connection:
        if db is not None:
            db.close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        db = self._connect()
        db.executescript(_SCHEMA)
        return db

    def _open_read_only(self) -> sqlite3.Connection:
        if not self.path.exists():
            return self._nothing_yet()
        uri = self.path.as_uri() + "?mode=ro"
        try:
            db = sqlite3.connect(uri, uri=True, timeout=5, isolation_level=None, check_same_thread=False)
            if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                db.close()  # whoever writes it is just setting it up, or makes it anew when it starts
                return self._nothing_yet()
            db.execute("SELECT count(*) FROM meta").fetchone()
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error
        return db

    def _nothing_yet(self) -> sqlite3.Connection:
        db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        db.executescript(_SCHEMA)
        return db
