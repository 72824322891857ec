"""The tables of the journal file, its version, and the way from an old version to today's."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from runtime.journal import JournalTooNew
from store.chain import GENESIS
from store.errors import MigrationFailed, unavailable

__all__ = [
    "APPLICATION_ID",
    "MIGRATIONS",
    "SCHEMA_VERSION",
    "TABLES",
    "create",
    "migrate",
    "refuse_foreign",
    "schema_version",
]

APPLICATION_ID: Final = 0x62756C6B
"""``bulk`` in ASCII: says that a SQLite file is one of our journals."""

SCHEMA_VERSION: Final = 1

MIGRATIONS: Final[Mapping[int, Sequence[str]]] = {}
"""Schema version -> the statements that lead to the next one."""

TABLES: Final = (
    "CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE types (id INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, UNIQUE (name, version))",
    # One row a record. Integer columns first, so that reading them never follows an overflow page.
    """CREATE TABLE events (
        position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, type INTEGER NOT NULL,
        at INTEGER NOT NULL, message_id INTEGER NOT NULL, correlation_id INTEGER NOT NULL,
        causation_id INTEGER NOT NULL, checksum BLOB NOT NULL, payload BLOB NOT NULL, UNIQUE (stream, seq))""",
    # The newest record once more, written in the same transaction: without it a missing tail would not be seen.
    "CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, checksum BLOB NOT NULL)",
    """CREATE TABLE snapshots (
        stream INTEGER PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
        checksum BLOB NOT NULL, state BLOB NOT NULL)""",
    "CREATE TABLE openings (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, pid INTEGER NOT NULL)",
)


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the version that the file says it has, 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def refuse_foreign(connection: sqlite3.Connection, path: str) -> None:
    """Raise ``JournalUnavailable`` for a SQLite file of something else, ``JournalTooNew`` for a newer schema."""
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
    if application != APPLICATION_ID and tables:
        raise unavailable(f"cannot open {path}", ValueError("it is a database of something else"))
    version = schema_version(connection)
    if version > SCHEMA_VERSION:
        raise JournalTooNew(f"{path} has schema version {version}, this bulkhead knows {SCHEMA_VERSION}")


def create(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty journal, in one transaction."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement in TABLES:
            connection.execute(statement)
        connection.execute("INSERT INTO head VALUES (1, 0, ?)", (GENESIS,))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def migrate(
    connection: sqlite3.Connection,
    path: Path,
    *,
    steps: Mapping[int, Sequence[str]] = MIGRATIONS,
    to_version: int = SCHEMA_VERSION,
) -> Path | None:
    """Bring the schema to ``to_version`` in one transaction; return the backup made before, None if it was current.

    Raises ``MigrationFailed``; the schema is then the old one and the backup stays.
    """
    version = schema_version(connection)
    if version == to_version:
        return None
    backup = path.with_name(f"{path.name}.schema-{version}")
    try:
        _copy(connection, backup)
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for step in range(version, to_version):
                for statement in steps[step]:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {to_version}")
    except (sqlite3.Error, OSError, KeyError) as error:
        raise MigrationFailed(f"{path} stays at schema version {version}: {error!r}") from error
    return backup


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    """Copy the whole database durably; an older copy of the same name is replaced only when the new one is complete."""
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    copy = sqlite3.connect(partial)
    try:
        connection.backup(copy)
    finally:
        copy.close()
    handle = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    partial.replace(target)
