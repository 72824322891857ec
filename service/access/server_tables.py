"""People, or requests, on the server that has the journal: whichever daemon trades knows the same (``database.url``).

A schema of their own, beside the journal's and the read models': whoever may read those need not be shown a hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from service.access.errors import AccessFileUnsafe
from service.access.tables import Kind, Row, SqliteTables, Statement, copied, set_aside
from store.postgres.link import Link
from store.postgres.place import Place
from store.tables.spelling import numbered

__all__ = ["ServerTables", "open_server", "schema_of"]

_MARK: Final = (
    "create table mark (one integer primary key check (one = 1), version integer not null, written bigint not null)"
)
_WRITTEN: Final = "update mark set written = written + 1 returning written"


def schema_of(place: Place, kind: Kind) -> str:
    """Return the name of the schema."""
    return f"{place.schema}_{kind.name}"


def open_server(place: Place, kind: Kind, former: Path | None) -> ServerTables:
    """Open the tables of a place; the first to come makes them, with what ``former`` has, which is set aside then."""
    opened = ServerTables(place, kind)
    try:
        taken = former if former is not None and former.is_file() else None
        if opened.make(_rows_of(taken, kind) if taken is not None else []) and taken is not None:
            set_aside(taken)
    except BaseException:
        opened.close()
        raise
    return opened


def _rows_of(file: Path, kind: Kind) -> list[Statement]:
    with closing(SqliteTables(file, kind)) as former:
        return copied(former, kind)


class ServerTables:
    """The tables of one kind; made by ``open_server``. One thread at a time, on a connection of its own."""

    def __init__(self, place: Place, kind: Kind) -> None:
        self._kind = kind
        self._schema = schema = schema_of(place, kind)
        self._link = Link(place, kind.name, prepare=lambda db: db.execute(f"set search_path to {schema}, pg_catalog"))
        self._seen = 0

    def make(self, filling: list[Statement]) -> bool:
        """Make the tables and fill them, where there are none; return whether that was so."""

        async def work(connection: Any) -> tuple[bool, int, int]:
            async with connection.transaction():
                await connection.execute("select pg_advisory_xact_lock(hashtext($1))", self._schema)
                fresh = await connection.fetchval("select to_regclass($1)", f"{self._schema}.mark") is None
                if fresh:
                    await connection.execute(f"create schema if not exists {self._schema}")
                    await connection.execute(_MARK)
                    await connection.execute("insert into mark values (1, $1, 0)", self._kind.version)
                    for name, columns in self._kind.tables.items():
                        await connection.execute(f"create table {name} ({columns.format(bytes='bytea')})")
                    await _done(connection, filling)
                return (fresh, *await connection.fetchrow("select version, written from mark"))

        fresh, version, self._seen = self._link.run(work)
        if version > self._kind.version:
            raise AccessFileUnsafe(f"{self._link.place}: a newer bulkhead wrote {self._schema}: {self._kind.advice}")
        return fresh

    def fetch(self, sql: str, *values: Any) -> list[Row]:
        """Return the rows of a query."""
        return [tuple(row) for row in self._link.read(numbered(sql), *values)]

    def write(self, *statements: Statement) -> int:
        """Do all of these, or none."""

        async def work(connection: Any) -> tuple[int, int]:
            async with connection.transaction():
                written = await connection.fetchval(_WRITTEN)  # first: writers meet at this row
                return written, await _done(connection, statements)

        written, rows = self._link.run(work)
        if written == self._seen + 1:
            self._seen = written  # our own; with somebody else's between, both are to be seen
        return rows

    def changed(self) -> bool:
        """Tell whether somebody else has written."""
        before, self._seen = self._seen, int(self.fetch("select written from mark")[0][0])
        return before != self._seen

    def close(self) -> None:
        """Release the connection."""
        self._link.close()


async def _done(connection: Any, statements: Sequence[Statement]) -> int:
    """Do them; return how many rows the last one was about, which the server says at the end of its answer."""
    said = "0"
    for each in statements:
        said = await connection.execute(numbered(each.sql), *each.values)
    return int(said.rpartition(" ")[2])
