"""Measure journal appends on PostgreSQL against bare asyncpg: ``python -m benchmarks.journal_postgres [--url URL]``.

Two writers on one server, each with its own tables, take turns batch by batch with the same durability
(``synchronous_commit`` and ``fsync`` on) and batch size:

- *journal*: ``append`` of events: sequence check, encoding, checksum chain, head row, fencing; one call of a function.
- *same rows*: the rows that the journal made, ready-made, into the same table with the same index, by ``executemany`` in a
  transaction on a connection of its own, awaited on an event loop of its own: what asyncpg does best.

Without ``--url`` it starts the server of the tests (the wheel pgserver) in a temporary folder. Reported as by
``benchmarks.journal``: medians of appends a second over all rounds, and the ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.journal import BATCHES, ROUNDS, STREAMS, AppendWriter, turns
from protocol.codec import encode_msgpack
from store.postgres.journal import PostgresJournal, open_journal
from store.postgres.place import Place
from store.postgres.schema import MIGRATIONS

__all__ = ["Line", "main", "measure", "measure_here", "temporary_server"]

_SCHEMAS: Final = ("bulkhead_bench", "bulkhead_bench_bare")


class Line(NamedTuple):
    """One batch size: medians in records a second; spread is half the range between quartiles, of the median."""

    batch: int
    journal: float
    same_rows: float
    spread_percent: float

    def as_dict(self) -> dict[str, float]:
        """Return the line with its ratio."""
        return {**self._asdict(), "ratio_same_rows": self.journal / self.same_rows}


class BareWriter:
    """``executemany`` of ready-made rows in a transaction."""

    def __init__(self, url: str, payload: bytes) -> None:
        self._loop = asyncio.new_event_loop()
        self._payload = payload
        self._count = 0
        self._connection = self._loop.run_until_complete(self._connected(url))
        self._insert = f"INSERT INTO {_SCHEMAS[1]}.events VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"

    async def _connected(self, url: str) -> Any:
        import asyncpg  # type: ignore[import-untyped]

        connection = await asyncpg.connect(url)
        await connection.execute(f"CREATE SCHEMA {_SCHEMAS[1]}")
        for statement in MIGRATIONS[0]:
            if ".events" in statement and "TABLE" in statement:
                await connection.execute(statement.replace("{s}", _SCHEMAS[1]))
        return connection

    def prepare(self, count: int) -> list[tuple[Any, ...]]:
        """Return the rows of a batch."""
        at, ident, checksum = 1_700_000_000_000_000_000, 1 << 40, bytes(32)
        rows = [
            (n + 1, n % STREAMS + 1, n // STREAMS + 1, 1, at, ident + n, ident, 7, checksum, self._payload)
            for n in range(self._count, self._count + count)
        ]
        self._count += count
        return rows

    def commit(self, rows: list[tuple[Any, ...]]) -> None:
        """Do what is measured."""
        self._loop.run_until_complete(self._commit(rows))

    async def _commit(self, rows: list[tuple[Any, ...]]) -> None:
        async with self._connection.transaction():
            await self._connection.executemany(self._insert, rows)

    def close(self) -> None:
        """Drop what was made."""
        for schema in _SCHEMAS:
            self._loop.run_until_complete(self._connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        self._loop.run_until_complete(self._connection.close())
        self._loop.close()


def measure(url: str, batches: tuple[int, ...] = BATCHES, rounds: Mapping[int, int] = ROUNDS) -> list[Line]:
    """Let the writers take turns on a server; return one line a batch size. Leaves nothing there."""
    journal: PostgresJournal = open_journal(Place(url, _SCHEMAS[0]))
    writer = AppendWriter(journal)
    bare = BareWriter(url, encode_msgpack(writer.event))
    try:
        lines = []
        for batch in batches:
            (ours, theirs), spread = turns([writer, bare], batch, rounds[batch])
            lines.append(Line(batch, ours, theirs, spread))
        return lines
    finally:
        journal.close()
        bare.close()


def measure_here(rounds: Mapping[int, int] = ROUNDS) -> list[Line]:
    """Measure on a server of our own; return no line where there is none to start."""
    try:
        with temporary_server() as url:
            return measure(url, rounds=rounds)
    except ImportError:
        return []


@contextmanager
def temporary_server() -> Iterator[str]:
    """Run a server of its own defaults in a temporary folder; yield its address. Raises ImportError without the wheel."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the folder of its lock
        import pgserver

    folder = Path(tempfile.mkdtemp(prefix="bulkhead-pg-"))
    server = pgserver.postgres_server.get_server(folder, cleanup_mode="delete")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        server.cleanup()


def report(lines: list[Line]) -> str:
    """Return the table."""
    head = "{:>6} {:>11} {:>12} {:>8} {:>5}".format("batch", "journal/s", "same rows/s", "of same", "±%")
    rows = [
        f"{line.batch:>6} {line.journal:>11,.0f} {line.same_rows:>12,.0f} {line.journal / line.same_rows:>8.2f} "
        f"{line.spread_percent:>5.0f}"
        for line in lines
    ]
    return "\n".join([head, *rows])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; ``--json`` for machines, ``--url`` to choose the server."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.journal_postgres", description="journal appends on PostgreSQL against bare asyncpg"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--url", help="a database to measure on (default: a server of its own)")
    options = parser.parse_args(arguments)
    lines = measure(options.url) if options.url else measure_here()
    if options.json:
        machine = f"{platform.machine()}, Python {platform.python_version()}"
        document = {"benchmark": "journal_postgres", "machine": machine, "lines": [line.as_dict() for line in lines]}
        print(json.dumps(document))
    else:
        print(report(lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
