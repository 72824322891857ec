"""The read models in one SQLite file, which can be thrown away and made anew."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from store.errors import ViewsError, is_damage, unavailable
from store.opening import MEMORY
from store.tables.catalogue import for_sqlite, insert_statement
from store.tables.database import Row, Values
from store.tables.words import words_query
from store.views.exact import install
from store.views.tables import APPLICATION_ID, SCHEMA_VERSION

__all__ = ["SqliteTables", "open_file", "read_file"]

# Words only: what they are of stands in ``events`` at the same position.
_WORDS: Final = """CREATE VIRTUAL TABLE event_words USING fts5 (words, content = '', columnsize = 0,
    tokenize = "unicode61 remove_diacritics 2")"""


class SqliteTables:
    """The tables in one file; made by ``open_file`` or ``read_file``. One thread at a time."""

    backend: Final = "sqlite"

    def __init__(self, path: str, connection: sqlite3.Connection) -> None:
        self.name = path
        self.connection = connection

    @property
    def current(self) -> bool:
        """Whether the tables are there, of today's schema."""
        return _marks(self.connection) == (APPLICATION_ID, SCHEMA_VERSION)

    def execute(self, sql: str, values: Values = ()) -> None:
        """Write."""
        try:
            self.connection.execute(sql, values)
        except sqlite3.Error as error:
            raise unavailable(f"cannot write the read models {self.name}", error) from error

    def append(self, table: str, columns: tuple[str, ...], row: Values) -> None:
        """Write a row that nothing reads before the transaction ends."""
        self.execute(insert_statement(table, columns, replace=False), row)

    def settle(self) -> None:
        """Do nothing: ``append`` holds nothing back."""

    def fetch(self, sql: str, values: Values = ()) -> list[Row]:
        """Return all rows of a query."""
        try:
            return self.connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise unavailable(f"cannot read the read models {self.name}", error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is written inside, or nothing of it."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        finally:
            if self.connection.in_transaction:
                self.execute("ROLLBACK")

    @contextmanager
    def one_view(self) -> Iterator[None]:
        """Read inside from one consistent state."""
        self.execute("BEGIN")
        try:
            yield
        finally:
            self.execute("ROLLBACK")

    def make_tables(self) -> None:
        """Throw away whatever tables there are and make those of today; a damaged file is moved aside."""
        try:
            self._make_tables()
        except sqlite3.Error as error:
            if not is_damage(error) or self.name == MEMORY:
                raise unavailable(f"cannot empty the read models {self.name}", error) from error
            self.connection.close()
            _set_aside(self.name)
            self.connection = _opened(self.name)

    def index_words(self, position: int, words: str) -> None:
        """Make a line of the event log findable by its words."""
        self.execute("INSERT INTO event_words (rowid, words) VALUES (?, ?)", (position, words))

    def words_condition(self, text: str) -> tuple[str, list[Any]] | None:
        """Return the condition on ``events`` that every word of a text begins a word of the line; None for no word."""
        query = words_query(text)
        return ("position IN (SELECT rowid FROM event_words WHERE event_words MATCH ?)", [query]) if query else None

    def contains_condition(self, columns: Sequence[str]) -> str:
        """Return the condition that one of these columns, as text, holds a piece of text."""
        return f"instr(lower({' || '.join(columns)}), lower(?)) > 0"

    def kept_since(self, name: str) -> int:  # noqa: ARG002 - the interface has it
        """Return 0: nothing is ever dropped from a file."""
        return 0

    def size_bytes(self) -> int:
        """Return the size of the database."""
        return int(self.fetch("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")[0][0])

    def close(self) -> None:
        """Release the file."""
        self.connection.close()

    def _make_tables(self) -> None:
        run = self.connection.execute
        with self.connection:
            run("BEGIN IMMEDIATE")
            for name in _existing(self.connection):
                # A full-text table takes its own tables along.
                run(f'DROP TABLE IF EXISTS "{name}"')
            for statement in (*for_sqlite(), _WORDS):
                run(statement)
            run(f"PRAGMA application_id = {APPLICATION_ID}")
            run(f"PRAGMA user_version = {SCHEMA_VERSION}")


def open_file(path: str | Path) -> SqliteTables:
    """Open the file for writing, making it when there is none; a damaged one is moved aside.

    Raises ``JournalUnavailable``, also for a database of something else, which is not touched.
    """
    name = str(path)
    try:
        connection = _opened(name)
    except sqlite3.Error as error:
        if not is_damage(error) or name == MEMORY:
            raise unavailable(f"cannot open the read models {name}", error) from error
        _set_aside(name)
        connection = _opened(name)
    return SqliteTables(name, connection)


def read_file(path: str | Path) -> SqliteTables:
    """Open the file for reading, also while another process writes it.

    Raises ``JournalUnavailable`` when there is none and ``ViewsError`` when it has another schema (the daemon makes it anew
    at its next start).
    """
    try:
        uri = f"{Path(path).absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        tables = SqliteTables(str(path), connection)
        current = tables.current
    except sqlite3.Error as error:
        raise unavailable(f"cannot open the read models {path}", error) from error
    if not current:
        connection.close()
        raise ViewsError(f"{path} holds no read models of schema version {SCHEMA_VERSION}")
    install(connection)
    return tables


def _opened(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        if _marks(connection)[0] != APPLICATION_ID and _existing(connection):
            raise sqlite3.OperationalError("it is a database of something else")
        # Losing the newest transactions to a power loss is no loss: they are projected again.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        install(connection)
        if _marks(connection) != (APPLICATION_ID, SCHEMA_VERSION):
            SqliteTables(path, connection)._make_tables()  # here, so that damage met by it is seen by the caller
    except BaseException:
        connection.close()
        raise
    return connection


def _marks(connection: sqlite3.Connection) -> tuple[int, int]:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    return int(application), int(connection.execute("PRAGMA user_version").fetchone()[0])


def _set_aside(path: str) -> None:
    """Move a damaged file away; its write-ahead file means nothing to the next one."""
    os.replace(path, path + ".damaged")
    for suffix in ("-wal", "-shm"):
        Path(path + suffix).unlink(missing_ok=True)


def _existing(connection: sqlite3.Connection) -> list[str]:
    sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY sql LIKE 'CREATE VIRTUAL%' DESC"
    return [name for (name,) in connection.execute(sql).fetchall()]
