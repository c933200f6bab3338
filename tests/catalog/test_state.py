"""The state folder's database: made at once when it is new, migrated when it is not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.catalog.service import Service

_NUMBERS = {"id", "content_type_id", "applied"}  # they differ with the order in which things were made


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return sorted(row[1] for row in database.execute(f"PRAGMA table_info({table})"))


def shape(path: Path) -> dict[str, object]:
    """Tables with their columns, indexes, references and rows, whatever order they were made in."""
    with sqlite3.connect(path) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found: dict[str, object] = {}
        for table in tables:
            indexes = [row[1:] for row in database.execute(f"PRAGMA index_list({table})")]
            compared = [name for name in _columns(database, table) if name not in _NUMBERS]
            rows = database.execute(f"SELECT {', '.join(compared)} FROM {table}") if table != "sqlite_sequence" else ()
            found[table] = (
                sorted(str(row[1:]) for row in database.execute(f"PRAGMA table_info({table})")),
                sorted(
                    str((more, [row[2] for row in database.execute(f"PRAGMA index_info({name})")]))
                    for name, *more in indexes
                ),
                sorted(str(row[2:]) for row in database.execute(f"PRAGMA foreign_key_list({table})")),
                sorted(map(str, rows)),
            )
        return found


def test_a_new_database_is_as_all_migrations_make_it(service: Service, tmp_path: Path) -> None:
    assert service.run("reconcile", "--json").code == 0
    made = shape(service.state / "fairfolder.sqlite3")
    other = Service(tmp_path / "other")
    other.root.mkdir(parents=True)
    assert other.run("migrate", "--verbosity=0").code == 0
    assert made == shape(other.state / "fairfolder.sqlite3")


def test_a_database_with_tables_is_migrated(service: Service) -> None:
    service.run("migrate", "auth", "0001", "--verbosity=0")
    service.run("migrate", "catalog", "0001", "--verbosity=0")
    assert service.run("reconcile", "--json").code == 0
    assert "auth_user" in shape(service.state / "fairfolder.sqlite3")
    assert service.run("migrate", "--check").code == 0
