"""A journal's raw tables, to be read from one store and written into another: nothing is decoded, nothing renumbered."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from runtime.journal import JournalUnavailable
from store.errors import JournalLocked, unavailable
from store.event_types import StoredType
from store.journals import Where
from store.lock import WriterLock
from store.opening import Durability, connect, prepare, take_lock
from store.postgres.place import Place
from store.rows import Head, Row, Rows, StoredStream
from store.schema import refuse_foreign
from store.sqlite_rows import SqliteRows
from store.tables.opening import where_of

__all__ = ["End", "KeptSnapshot", "Opening", "SqliteEnd", "mark_of", "open_end"]


class KeptSnapshot(NamedTuple):
    """A snapshot's row; ``stream`` is the number of its stream."""

    stream: int
    seq: int
    version: int
    position: int
    checksum: bytes
    state: bytes


class Opening(NamedTuple):
    """One opening for writing; its number is part of message ids, so it must never be given again."""

    number: int
    at: int
    pid: int


class End(ABC):
    """One journal, held so that no daemon writes it meanwhile. Raises ``JournalUnavailable``."""

    name: str
    rows: Rows

    @abstractmethod
    def snapshots(self) -> list[KeptSnapshot]:
        """Return all snapshots by stream."""

    @abstractmethod
    def openings(self) -> list[Opening]:
        """Return all openings by number."""

    @abstractmethod
    def must_be_free(self) -> None:
        """Raise ``JournalLocked`` when a daemon has taken hold of it after all."""

    @abstractmethod
    def moved_to(self) -> str:
        """Return where the installation went, empty while it is here."""

    @abstractmethod
    def mark(self, text: str) -> None:
        """Note where the installation went, so that no daemon starts on what it left behind; empty takes the note away."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Keep all that is written inside, or nothing of it."""

    @abstractmethod
    def put_dictionary(self, streams: Sequence[StoredStream], types: Sequence[StoredType]) -> None:
        """Write streams and event types under their numbers."""

    @abstractmethod
    def put_rows(self, rows: Sequence[Row]) -> None:
        """Write records as they are."""

    @abstractmethod
    def put_end(self, head: Head, snapshots: Sequence[KeptSnapshot], openings: Sequence[Opening]) -> None:
        """Write where the journal ends, all its snapshots in place of those there were, and openings that are new."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""


def mark_of(journal: Path) -> str:
    """Return where the installation of a journal file went, empty while it is here."""
    beside = _beside(journal)
    return beside.read_text(encoding="utf-8").strip() if beside.is_file() else ""


def _beside(journal: Path) -> Path:
    return journal.with_name(journal.name + ".moved")


class SqliteEnd(End):
    """A journal in a file. Its mark is a file beside it."""

    def __init__(self, path: Path, *, writes: bool, held: bool = True) -> None:
        self.name = str(path)
        self._path = path
        self._lock: WriterLock | None = None
        if not writes and not path.is_file():
            raise JournalUnavailable(f"cannot open {path}: there is no such file")
        if held:
            self._lock = take_lock(self.name)
        try:
            self.connection = prepare(self.name, Durability.FULL) if writes else connect(self.name, read_only=True)
            if not writes:
                refuse_foreign(self.connection, self.name)
            self.rows = SqliteRows(self.connection)
        except sqlite3.Error as error:
            self._release()
            raise unavailable(f"cannot open {path}", error) from error
        except BaseException:
            self._release()
            raise

    def snapshots(self) -> list[KeptSnapshot]:
        """Return all snapshots by stream."""
        return [KeptSnapshot(*row) for row in self._all("SELECT * FROM snapshots ORDER BY stream")]

    def openings(self) -> list[Opening]:
        """Return all openings by number."""
        return [Opening(*row) for row in self._all("SELECT number, at, pid FROM openings ORDER BY number")]

    def must_be_free(self) -> None:
        """Do nothing: the lock keeps everybody out."""

    def moved_to(self) -> str:
        """Return what the file beside the journal says."""
        return mark_of(self._path)

    def mark(self, text: str) -> None:
        """Write the file beside the journal, or remove it."""
        beside = _beside(self._path)
        if text:
            beside.write_text(f"{text}\n", encoding="utf-8")
        else:
            beside.unlink(missing_ok=True)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is written inside, or nothing of it."""
        with self._meaning():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            finally:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")

    def put_dictionary(self, streams: Sequence[StoredStream], types: Sequence[StoredType]) -> None:
        """Write streams and event types under their numbers."""
        run = self.connection.executemany
        run("INSERT INTO streams VALUES (?, ?)", [(each.id, each.name) for each in streams])
        run("INSERT INTO types VALUES (?, ?, ?)", [(each.id, each.name, each.version) for each in types])

    def put_rows(self, rows: Sequence[Row]) -> None:
        """Write records as they are."""
        self.connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def put_end(self, head: Head, snapshots: Sequence[KeptSnapshot], openings: Sequence[Opening]) -> None:
        """Write where the journal ends, its snapshots and openings."""
        self.connection.execute("UPDATE head SET position = ?, checksum = ?", head)
        self.connection.execute("DELETE FROM snapshots")
        self.connection.executemany("INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?)", snapshots)
        self.connection.executemany("INSERT OR IGNORE INTO openings VALUES (?, ?, ?)", openings)

    def close(self) -> None:
        """Close the file and give back its lock."""
        self.connection.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _all(self, sql: str) -> list[Any]:
        with self._meaning():
            return self.connection.execute(sql).fetchall()

    @contextmanager
    def _meaning(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise unavailable(f"cannot use {self.name}", error) from error


_HELD: Final = "SELECT name, holder FROM {s}.leases WHERE expires_at > clock_timestamp() ORDER BY name LIMIT 1"


class _ServerEnd(End):
    """A journal in a schema of a server. Its mark is the schema's comment."""

    def __init__(self, place: Place, *, writes: bool, held: bool = True) -> None:
        from store.postgres.link import Link
        from store.postgres.lock import WriterLock as ServerLock
        from store.postgres.rows import PostgresRows
        from store.postgres.schema import journal_version, migrate_journal, refuse_newer

        self.name, self._schema = str(place), place.schema
        self._link = Link(place, "move", writes=writes)
        self._inside: Any = None
        try:
            version = journal_version(self._link)
            refuse_newer(place, version)
            if writes:
                migrate_journal(self._link)
            elif version == 0:
                raise JournalUnavailable(f"{place}: there is no journal")
            if held:
                ServerLock(self._link).take()
                self.must_be_free()
            self.rows = PostgresRows(self._link)
        except BaseException:
            self._link.close()
            raise

    def snapshots(self) -> list[KeptSnapshot]:
        """Return all snapshots by stream."""
        names = ", ".join(KeptSnapshot._fields)
        return [KeptSnapshot(*row) for row in self._all(f"SELECT {names} FROM {{s}}.snapshots ORDER BY stream")]  # noqa: S608

    def openings(self) -> list[Opening]:
        """Return all openings by number."""
        return [Opening(*row) for row in self._all("SELECT number, at, pid FROM {s}.openings ORDER BY number")]

    def moved_to(self) -> str:
        """Return what the schema's comment says of it."""
        sql = "SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace WHERE nspname = $1"
        text = str(self._link.fetch(sql, self._schema)[0][0])
        return text.removeprefix(_MOVED) if text.startswith(_MOVED) else ""

    def mark(self, text: str) -> None:
        """Write the schema's comment, or take it away."""
        quoted = "'" + f"{_MOVED}{text}".replace("'", "''") + "'" if text else "NULL"
        self._run(lambda connection: connection.execute(f"COMMENT ON SCHEMA {self._schema} IS {quoted}"))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is written inside, or nothing of it; a lost connection ends it."""

        async def begun(connection: Any) -> None:
            await connection.execute("BEGIN")
            self._inside = connection

        self._link.run(begun)
        try:
            yield
            self._run(lambda connection: connection.execute("COMMIT"), timeout_s=_LONG_S)
        finally:
            inside, self._inside = self._inside, None
            if not inside.is_closed() and inside.is_in_transaction():
                self._link.drop()  # the server undoes it

    def put_dictionary(self, streams: Sequence[StoredStream], types: Sequence[StoredType]) -> None:
        """Write streams and event types under their numbers."""
        for each in streams:
            if "\0" in each.name:
                raise JournalUnavailable(f"stream {each.name!r} has a name that PostgreSQL cannot keep")
        self._copy("streams", [(each.id, each.name) for each in streams])
        self._copy("types", [(each.id, each.name, each.version) for each in types])

    def put_rows(self, rows: Sequence[Row]) -> None:
        """Write records as they are."""
        self._copy("events", rows)

    def put_end(self, head: Head, snapshots: Sequence[KeptSnapshot], openings: Sequence[Opening]) -> None:
        """Write where the journal ends, its snapshots and openings; whoever had it open can append nothing more."""

        async def ended(connection: Any) -> None:
            newest = max((each.number for each in openings), default=0)
            await connection.execute(
                f"UPDATE {self._schema}.head SET position = $1, checksum = $2, session = session + 1, "  # noqa: S608
                "opening = greatest(opening, $3)",
                *head,
                newest,
            )
            await connection.execute(f"DELETE FROM {self._schema}.snapshots")  # noqa: S608 a checked name
            await connection.executemany(
                f"INSERT INTO {self._schema}.openings VALUES ($1, $2, $3, '') ON CONFLICT DO NOTHING",  # noqa: S608
                openings,
            )

        self._run(ended)
        self._copy("snapshots", snapshots)

    def close(self) -> None:
        """End the connection, and its lock with it."""
        self._link.close()

    def must_be_free(self) -> None:
        """Raise ``JournalLocked`` while a daemon holds a lease."""
        for name, holder in self._all(_HELD):
            raise JournalLocked(f"{self.name}: lease {name} is held by {holder}; stop that daemon first", pid=0)

    def _all(self, sql: str) -> list[Any]:
        return self._link.fetch(sql.replace("{s}", self._schema))

    def _copy(self, table: str, rows: Sequence[Any]) -> None:
        if rows:
            self._run(
                lambda connection: connection.copy_records_to_table(table, schema_name=self._schema, records=rows),
                timeout_s=_LONG_S,
            )

    def _run(self, work: Any, *, timeout_s: float | None = None) -> None:
        async def ours(connection: Any) -> None:
            if self._inside is not None and connection is not self._inside:
                raise JournalUnavailable(f"{self.name}: the connection was lost in the middle of a transaction")
            await work(connection)

        self._link.run(ours, timeout_s=timeout_s)


_MOVED: Final = "bulkhead went to "
_LONG_S: Final = 3_600.0


def open_end(where: Where, *, writes: bool, held: bool = True) -> End:
    """Open one journal; with ``writes`` it is made where there is none, ``held`` keeps daemons out meanwhile.

    Raises ``JournalLocked`` while a daemon has it, ``JournalUnavailable``, ``JournalTooNew``, ``MigrationFailed``.
    """
    found = where_of(where)
    if isinstance(found, Place):
        return _ServerEnd(found, writes=writes, held=held)
    return SqliteEnd(Path(found), writes=writes, held=held)
