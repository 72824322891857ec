"""The read models on a PostgreSQL server, in a schema of their own beside the journal's.

A transaction is sent in few round trips: writes wait until something is read or the transaction ends, and rows that nothing
reads before its end go as one COPY. One projector at a time writes; a second one waits and then finds its records projected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from itertools import groupby
from typing import Any, Final, TypeVar

from runtime.journal import JournalError, JournalTooNew, JournalUnavailable
from store.errors import ViewsError
from store.postgres.link import ConnectionLost, Link
from store.postgres.place import Place
from store.tables.database import Row, Values
from store.tables.making import current_mark, make_statements, series_kind, version_in
from store.tables.series import Month, drop_chunks, month_of, of_part
from store.tables.spelling import cleaned, copy_text, decimal, numbered, storable_json
from store.tables.words import ts_query, ts_vector
from store.views.tables import SCHEMA_VERSION, SERIES

__all__ = ["ServerTables", "open_server", "read_server", "schema_of"]

T = TypeVar("T")

_LONG_S: Final = 600.0
"""How long making all tables anew, or copying many rows, may take."""

_MARK: Final = "SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace WHERE nspname = $1"
_CURRENT: Final = (current_mark(hypertables=True), current_mark(hypertables=False))
_KEPT: Final = "bulkhead keeps rows since"

_MATCH: Final = "position IN (SELECT position FROM event_words WHERE words @@ CAST(CAST(? AS TEXT) AS TSQUERY))"


def schema_of(place: Place) -> str:
    """Return the schema of the read models: the journal's has a table ``events`` already."""
    return f"{place.schema}_views"


class ServerTables:
    """The tables in one schema; made by ``open_server`` or ``read_server``. One thread at a time."""

    backend: Final = "postgresql"

    def __init__(self, place: Place, *, writes: bool) -> None:
        self.place = place
        self.schema = schema_of(place)
        self.name = f"{place} read models"
        self._lock = f"SELECT pg_advisory_xact_lock(hashtext('{self.schema}'))"
        self._link = Link(place, "read models", writes=writes, prepare=self._prepare)
        self._reads_only = not writes
        self._inside: Any = None
        self._writes: list[tuple[str, Values]] = []
        self._appended: dict[tuple[str, tuple[str, ...]], list[Values]] = defaultdict(list)
        self._words: list[tuple[int, str]] = []
        self._months: set[tuple[str, Month]] = set()
        self._parted: bool | None = None

    @property
    def current(self) -> bool:
        """Whether the tables are there, of today's schema."""
        return self._mark() in _CURRENT

    # --- writing -------------------------------------------------------------------------------------------------------

    def execute(self, sql: str, values: Values = ()) -> None:
        """Write, when something is read or the transaction ends."""
        self._writes.append((sql, values))
        if self._inside is None:
            self._run(self._flush)

    def append(self, table: str, columns: tuple[str, ...], row: Values) -> None:
        """Write a row at the end of the transaction."""
        self._appended[table, columns].append(row)

    def index_words(self, position: int, words: str) -> None:
        """Make a line of the event log findable by its words, at the end of the transaction."""
        self._words.append((position, ts_vector(words)))

    def settle(self) -> None:
        """Write what was held back."""
        self._run(self._send_all, timeout_s=_LONG_S)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is written inside, or nothing of it; wait for another writer's."""
        with self._block(f"BEGIN; {self._lock}"):
            if self._mark() not in _CURRENT:
                raise JournalUnavailable(f"{self.place}: another bulkhead has made the read models anew")
            try:
                yield
                self.settle()
                self._run(lambda connection: connection.execute("COMMIT"))
            except BaseException:
                self._months.clear()
                raise

    @contextmanager
    def one_view(self) -> Iterator[None]:
        """Read inside from one consistent state."""
        with self._block("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            yield

    @contextmanager
    def _block(self, begin: str) -> Iterator[None]:
        """Hold one connection from a statement that begins to whatever ends it; roll back what did not."""

        async def started(connection: Any) -> None:
            await connection.execute(begin)
            self._inside = connection

        self._run(started)
        try:
            yield
        finally:
            inside, self._inside = self._inside, None
            self._writes.clear()
            self._appended.clear()
            self._words.clear()
            if not inside.is_closed() and inside.is_in_transaction():
                with suppress(JournalError):
                    self._run(lambda connection: connection.execute("ROLLBACK"))

    # --- reading -------------------------------------------------------------------------------------------------------

    def fetch(self, sql: str, values: Values = ()) -> list[Row]:
        """Return all rows of a query; on a lost connection once more, unless inside of a transaction."""

        async def asked(connection: Any) -> list[Row]:
            await self._flush(connection)
            found: list[Row] = await connection.fetch(numbered(sql), *cleaned(values))
            return found

        try:
            return self._run(asked)
        except ConnectionLost:
            if self._inside is not None or self._writes:
                raise
            return self._run(asked)

    def words_condition(self, text: str) -> tuple[str, list[Any]] | None:
        """Return the condition on ``events`` that every word of a text begins a word of the line; None for no word."""
        query = ts_query(text)
        return (_MATCH, [query]) if query else None

    def contains_condition(self, columns: Sequence[str]) -> str:
        """Return the condition that one of these columns, as text, holds a piece of text."""
        return f"strpos(lower(concat({', '.join(columns)})), lower(?)) > 0"

    def size_bytes(self) -> int:
        """Return what the tables take on the disk, indexes and all."""
        sql = """SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ? AND c.relkind = 'r'"""
        return int(self.fetch(sql, [self.schema])[0][0])

    def close(self) -> None:
        """End the connection."""
        self._link.close()

    # --- tables and their parts ----------------------------------------------------------------------------------------

    def make_tables(self) -> None:
        """Throw away whatever tables there are and make those of today.

        Raises ``JournalUnavailable`` when the schema is something else's, ``JournalTooNew`` when a newer bulkhead made it:
        of two daemons on one server the older one must not take the newer one's tables away.
        """
        self.refuse_others()
        self._make(always=True)

    def refuse_others(self) -> None:
        """Raise ``JournalUnavailable`` or ``JournalTooNew`` for tables that are not ours to make anew."""
        if (mark := self._mark()) is not None:
            version = version_in(mark)
            if version is None:
                raise JournalUnavailable(f"{self.place}: the schema {self.schema} belongs to something else")
            if version > SCHEMA_VERSION:
                text = f"{self.place}: read models of schema {version}, this bulkhead knows {SCHEMA_VERSION}"
                raise JournalTooNew(text)

    def make_unless_current(self) -> None:
        """Make the tables unless another daemon has made them while this one waited for its turn."""
        self._make(always=False)

    def _make(self, *, always: bool) -> None:
        async def made(connection: Any) -> None:
            async with connection.transaction():
                await connection.execute(self._lock)
                if not always and await connection.fetchval(_MARK, self.schema) in _CURRENT:
                    return
                for statement in make_statements(self.schema, await series_kind(connection)):
                    await connection.execute(statement)
            await connection.reload_schema_state()

        self._months.clear()
        self._parted = None
        self._run(made, timeout_s=_LONG_S)

    def parts(self, name: str) -> list[tuple[Month, str]]:
        """Return the partitions of a time series, oldest first; none of a hypertable."""
        sql = """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace
            WHERE n.nspname = ? AND p.relname = ?"""
        found = [(of_part(name, part), part) for (part,) in self.fetch(sql, [self.schema, name])]
        return sorted((month, part) for month, part in found if month is not None)

    def kept_since(self, name: str) -> int:
        """Return the instant before which rows of a time series were dropped, 0 when none were."""
        sql = "SELECT coalesce(obj_description(to_regclass(?), 'pg_class'), '')"
        text = str(self.fetch(sql, [f"{self.schema}.{name}"])[0][0])
        return int(text.rpartition(" ")[2]) if text.startswith(_KEPT) else 0

    def drop_before(self, at: int) -> list[str]:
        """Drop the parts of time series whose rows are all older than an instant; return their names.

        They come back with a rebuild: the journal keeps everything. What is kept is noted at the table, so that a
        comparison with a rebuild knows it.
        """
        with self.transaction():
            drop = self._drop_months if self._by_month() else self._drop_chunks
            gone = [part for name in SERIES for part in drop(name, at)]
        self._months.clear()
        return gone

    def _drop_months(self, name: str, at: int) -> list[str]:
        gone = []
        for month, part in self.parts(name):
            if month.end <= at:
                self._forget_words(name, f"position IN (SELECT position FROM {part})")  # noqa: S608 our own names
                self.execute(f"DROP TABLE {part}")
                self._note_kept(name, month.end)
                gone.append(part)
        return gone

    def _drop_chunks(self, name: str, at: int) -> list[str]:
        gone = [str(row[0]) for row in self.fetch(drop_chunks(f"{self.schema}.{name}", at, self._extension()))]
        if gone:
            # A chunk that began before and ends after stays whole.
            oldest = self.fetch(f"SELECT coalesce(min({SERIES[name]}), {at}) FROM {name}")  # noqa: S608 our own names
            self._note_kept(name, int(oldest[0][0]))
            self._forget_words(name, "position NOT IN (SELECT position FROM events)")
        return gone

    def _forget_words(self, name: str, condition: str) -> None:
        """Delete what stands beside lines that go."""
        if name == "events":
            for beside in ("event_words", "event_tags"):
                self.execute(f"DELETE FROM {beside} WHERE {condition}")  # noqa: S608 our own names

    def _note_kept(self, name: str, since: int) -> None:
        self.execute(f"COMMENT ON TABLE {name} IS '{_KEPT} {since}'")

    def _extension(self) -> str:
        sql = """SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
            WHERE e.extname = 'timescaledb'"""
        return str((self.fetch(sql) or [("public",)])[0][0])

    def _mark(self) -> str | None:
        """Return what the schema says of itself, None when there is no schema."""
        found = self.fetch(_MARK.replace("$1", "?"), [self.schema])
        return str(found[0][0]) if found else None

    def _by_month(self) -> bool:
        if self._parted is None:
            self._parted = self._mark() == current_mark(hypertables=False)
        return self._parted

    # --- how it is sent ------------------------------------------------------------------------------------------------

    def _run(self, work: Callable[[Any], Awaitable[T]], *, timeout_s: float | None = None) -> T:
        async def ready(connection: Any) -> T:
            if self._inside is not None and connection is not self._inside:
                raise ConnectionLost(f"{self.place}: the connection was lost in the middle of a transaction")
            return await work(connection)

        return self._link.run(ready, timeout_s=timeout_s)

    async def _prepare(self, connection: Any) -> None:
        """Make a new connection speak our types, in our schema."""
        spell = {"schema": "pg_catalog", "format": "text"}
        await connection.set_type_codec("numeric", encoder=str, decoder=decimal, **spell)
        await connection.set_type_codec("jsonb", encoder=storable_json, decoder=str, **spell)
        only = "SET default_transaction_read_only = on" if self._reads_only else "SET jit = off"
        await connection.execute(f"SET search_path = {self.schema}; {only}")

    async def _flush(self, connection: Any) -> None:
        writes, self._writes = self._writes, []
        for sql, group in groupby(writes, key=lambda write: write[0]):
            rows = [cleaned(values) for _, values in group]
            if len(rows) == 1:
                await connection.execute(numbered(sql), *rows[0])
            else:
                await connection.executemany(numbered(sql), rows)

    async def _send_all(self, connection: Any) -> None:
        await self._flush(connection)
        appended, self._appended = self._appended, defaultdict(list)
        words, self._words = self._words, []
        for (name, columns), rows in appended.items():
            if column := SERIES.get(name):
                await self._make_months(connection, name, {row[columns.index(column)] for row in rows})
            await self._copy(connection, name, columns, rows)
        if words:
            await self._copy(connection, "event_words", ("position", "words"), words)

    async def _copy(self, connection: Any, name: str, columns: tuple[str, ...], rows: Sequence[Values]) -> None:
        data = copy_text(name, columns, rows)
        await connection.copy_to_table(name, schema_name=self.schema, columns=columns, source=BytesIO(data))

    async def _make_months(self, connection: Any, name: str, instants: Iterable[int]) -> None:
        """Make the partitions of these instants, and the one after the newest ahead of its time."""
        if self._parted is None:
            self._parted = await connection.fetchval(_MARK, self.schema) == current_mark(hypertables=False)
        if not self._parted:
            return
        months = sorted({month_of(at) for at in instants})
        for month in (*months, months[-1].next):
            if (name, month) not in self._months:
                await connection.execute(month.statement(name))
                self._months.add((name, month))


def open_server(place: Place) -> ServerTables:
    """Open the tables for writing, make them when there are none of today's schema."""
    tables = ServerTables(place, writes=True)
    try:
        if not tables.current:
            tables.refuse_others()
            tables.make_unless_current()
    except BaseException:
        tables.close()
        raise
    return tables


def read_server(place: Place) -> ServerTables:
    """Open the tables for reading; raise ``ViewsError`` when there are none of today's schema."""
    tables = ServerTables(place, writes=False)
    try:
        if not tables.current:
            raise ViewsError(f"{place} holds no read models of schema version {SCHEMA_VERSION}")
    except BaseException:
        tables.close()
        raise
    return tables
