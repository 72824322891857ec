"""Open a journal file: refuse what is not ours, take the lock, bring the schema up to date, check the tail."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final

from runtime.journal import JournalError, JournalUnavailable
from store.damage import Damage, corrupt
from store.errors import is_damage, unavailable
from store.event_types import check_known
from store.lock import WriterLock
from store.reading import JournalReader
from store.schema import create, migrate, refuse_foreign, schema_version
from store.sqlite_rows import SqliteRows

__all__ = [
    "BUSY_TIMEOUT_S",
    "MEMORY",
    "TAIL_CHECK_LEAST",
    "TAIL_CHECK_MOST",
    "WAL_KEPT_BYTES",
    "Durability",
    "connect",
    "open_reader",
    "prepare",
    "take_lock",
]

MEMORY: Final = ":memory:"
"""A journal of this path lives in memory and dies with the process: for replays and tests."""

TAIL_CHECK_LEAST: Final = 100
TAIL_CHECK_MOST: Final = 10_000
"""How many of the newest records an opening checks at least and at most."""

BUSY_TIMEOUT_S: Final = 1.0
"""How long a foreign lock on the file is waited for before the journal counts as unavailable."""

WAL_KEPT_BYTES: Final = 64 * 1024 * 1024
"""The write-ahead file is cut to this size after a checkpoint."""


class Durability(StrEnum):
    """What an append has survived when it returns: power loss, a crash of the process, or nothing promised."""

    FULL = "full"
    NORMAL = "normal"
    OFF = "off"


def connect(path: str, *, read_only: bool = False, timeout_s: float = BUSY_TIMEOUT_S) -> sqlite3.Connection:
    """Open the file without touching it; transactions are begun and ended by hand."""
    if path == MEMORY:
        return sqlite3.connect(MEMORY, isolation_level=None, check_same_thread=False)
    uri = f"{Path(path).absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=timeout_s)
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def open_reader(path: str | Path, *, check: bool = True) -> JournalReader:
    """Open an existing journal for reading, also while another process writes it.

    Raises ``JournalUnavailable`` (missing, not a journal), ``JournalTooNew`` and, unless ``check`` is off,
    ``JournalCorrupt``.
    """
    name = str(path)
    with _opening(name):
        if not Path(name).is_file():
            raise JournalUnavailable(f"cannot open {name}: there is no such file")
        connection = connect(name, read_only=True)
        try:
            _refuse(connection, name)
            reader = JournalReader(SqliteRows(connection), name)
            if check:
                reader.check_tail(TAIL_CHECK_MOST, TAIL_CHECK_LEAST)
        except BaseException:
            connection.close()
            raise
    return reader


def prepare(path: str, durability: Durability, timeout_s: float = BUSY_TIMEOUT_S) -> sqlite3.Connection:
    """Return a connection for writing to a journal of today's schema; the caller holds the lock.

    A file that is refused was opened read-only and is not touched.
    """
    with _opening(path):
        fresh = path == MEMORY or not os.path.exists(path) or os.path.getsize(path) == 0
        if not fresh:
            with closing(connect(path, read_only=True, timeout_s=timeout_s)) as looking:
                _refuse(looking, path)
        connection = connect(path, timeout_s=timeout_s)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {durability.value}")
            connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
            if schema_version(connection) == 0:
                create(connection)
                _sync_directory(path)
            elif path != MEMORY:
                migrate(connection, Path(path))
        except BaseException:
            connection.close()
            raise
    return connection


def take_lock(path: str) -> WriterLock | None:
    """Take the writer's lock; a journal in memory has none. Makes the folder."""
    if path == MEMORY:
        return None
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unavailable(f"cannot make the folder of {path}", error) from error
    return WriterLock(Path(path))


def _refuse(connection: sqlite3.Connection, path: str) -> None:
    refuse_foreign(connection, path)
    if schema_version(connection):
        check_known(SqliteRows(connection).types())


def _sync_directory(path: str) -> None:
    """Make the name of a new file survive a power loss."""
    if path == MEMORY:
        return
    folder = os.open(Path(path).absolute().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _opening(path: str) -> Iterator[None]:
    """Say what an error of SQLite or the system means to whoever opens."""
    try:
        yield
    except JournalError:
        raise
    except sqlite3.Error as error:
        if is_damage(error):
            raise corrupt(Damage(0, False, f"the file cannot be opened ({error})")) from error
        raise unavailable(f"cannot open {path}", error) from error
    except OSError as error:
        raise unavailable(f"cannot open {path}", error) from error
