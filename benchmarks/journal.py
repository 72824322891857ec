"""Measure journal appends against bare SQLite in the same run: ``python -m benchmarks.journal [--json]``.

``benchmarks.journal_postgres`` does the same on a PostgreSQL server.

Three writers, each on its own file in the same folder, take turns batch by batch with the same write-ahead log,
``synchronous=FULL`` and batch size:

- *journal*: ``append`` of events: sequence check, encoding, checksum chain, index, head row.
- *same rows*: ``executemany`` of the rows that the journal made, into the same table with the same index.
- *payload*: ``executemany`` of the payload bytes alone into a table without any index: the least SQLite can do.

Reported: medians of appends a second over all rounds, and the journal's ratio to each of the other two.
"""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from protocol.codec import encode_msgpack
from protocol.orders import FillRecorded
from protocol.values import OrderSide
from runtime.journal import Entry, Journal
from store import schema
from store.sqlite_journal import open_journal

BATCHES: Final = (1, 10, 100, 1000)
STREAMS: Final = 50
ROUNDS: Final = {1: 300, 10: 300, 100: 150, 1000: 60}
"""Batch size -> batches that each writer commits."""


class Line(NamedTuple):
    """One batch size: medians in records a second; spread is half the range between quartiles, of the median."""

    batch: int
    journal: float
    same_rows: float
    payload: float
    spread_percent: float

    def as_dict(self) -> dict[str, float]:
        """Return the line with its ratios."""
        ratios = {"ratio_same_rows": self.journal / self.same_rows, "ratio_payload": self.journal / self.payload}
        return {**self._asdict(), **ratios}


class AppendWriter:
    """Appends one kind of fill over the streams of a journal by turns."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._names = [f"/trading/groups/{number}" for number in range(STREAMS)]
        self._count = 0
        self.event = FillRecorded(
            client_order_id="bh1a2b3c4d5e6f",
            trade_id="3141592653",
            symbol="BTC/USDT",
            side=OrderSide.BUY,
            qty=Decimal("0.01234"),
            price=Decimal("64123.45"),
            fee=Decimal("0.79123"),
            fee_currency="USDT",
            maker=True,
            at=1_700_000_000_000_000_000,
        )

    def prepare(self, count: int) -> list[Entry]:
        """Return the entries of a batch, as actors hand them over."""
        entries = []
        for number in range(self._count, self._count + count):
            name, seq = self._names[number % STREAMS], number // STREAMS + 1
            entries.append(Entry(name, seq, self.event, self.event.at, (1 << 40) + number, 1 << 40, 7))
        self._count += count
        return entries

    def commit(self, entries: list[Entry]) -> None:
        """Do what is measured."""
        self._journal.append(entries)

    def close(self) -> None:
        """Release the journal."""
        self._journal.close()


class BareWriter:
    """``executemany`` into one table, with the journal's settings."""

    TABLE = "CREATE TABLE bare (position INTEGER PRIMARY KEY, payload BLOB NOT NULL)"
    INSERT = "INSERT INTO bare VALUES (?, ?)"

    def __init__(self, path: Path, payload: bytes) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(self.TABLE)
        self._payload = payload
        self._count = 0

    def row(self, number: int) -> tuple[Any, ...]:
        """Return one row."""
        return (number + 1, self._payload)

    def prepare(self, count: int) -> list[tuple[Any, ...]]:
        """Return the rows of a batch."""
        rows = [self.row(number) for number in range(self._count, self._count + count)]
        self._count += count
        return rows

    def commit(self, rows: list[tuple[Any, ...]]) -> None:
        """Do what is measured."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(self.INSERT, rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Release the file."""
        self._connection.close()


class SameRowsWriter(BareWriter):
    """The journal's own rows into the journal's own table, index and all, but ready-made."""

    TABLE = next(statement for statement in schema.TABLES if "TABLE events" in statement)
    INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

    def row(self, number: int) -> tuple[Any, ...]:
        """Return one row."""
        at, ident, checksum = 1_700_000_000_000_000_000, 1 << 40, bytes(32)
        seq, stream = number // STREAMS + 1, number % STREAMS + 1
        return (number + 1, stream, seq, 1, at, ident + number, ident, 7, checksum, self._payload)


def measure(folder: Path, batches: tuple[int, ...] = BATCHES, rounds: Mapping[int, int] = ROUNDS) -> list[Line]:
    """Let the writers take turns; return one line a batch size."""
    journal = AppendWriter(open_journal(folder / "journal.db"))
    payload = encode_msgpack(journal.event)
    writers: list[Any] = [
        journal,
        SameRowsWriter(folder / "same.db", payload),
        BareWriter(folder / "bare.db", payload),
    ]
    lines = [_measure_batch(writers, batch, rounds[batch]) for batch in batches]
    for writer in writers:
        writer.close()
    return lines


def _measure_batch(writers: list[Any], batch: int, rounds: int) -> Line:
    (journal, same_rows, payload), spread = turns(writers, batch, rounds)
    return Line(batch, journal, same_rows, payload, spread)


def turns(writers: Sequence[Any], batch: int, rounds: int) -> tuple[list[float], float]:
    """Let the writers commit batches by turns; return each one's median rate, and the spread of the first in percent."""
    took: list[list[float]] = [[] for _ in writers]
    for turn in range(rounds):
        for index in range(len(writers)):
            chosen = (turn + index) % len(writers)  # nobody always comes right after the same neighbour
            rows = writers[chosen].prepare(batch)
            started = time.perf_counter()
            writers[chosen].commit(rows)
            took[chosen].append(time.perf_counter() - started)
    medians = [statistics.median(times) for times in took]
    low, _, high = statistics.quantiles(took[0], n=4)
    return [batch / median for median in medians], 50 * (high - low) / medians[0]


def report(lines: list[Line]) -> str:
    """Return the table."""
    names = ("journal/s", "same rows/s", "payload/s", "of same", "of payload", "±%")
    head = "{:>6} {:>11} {:>12} {:>11} {:>8} {:>11} {:>5}".format("batch", *names)
    rows = [
        f"{line.batch:>6} {line.journal:>11,.0f} {line.same_rows:>12,.0f} {line.payload:>11,.0f} "
        f"{line.journal / line.same_rows:>8.2f} {line.journal / line.payload:>11.2f} {line.spread_percent:>5.0f}"
        for line in lines
    ]
    return "\n".join([head, *rows])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; ``--json`` for machines, ``--folder`` to choose the disk."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.journal", description="journal appends against bare SQLite"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--folder", type=Path, help="where to write (default: the system's temporary folder)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        lines = measure(Path(folder))
    if options.json:
        machine = f"{platform.machine()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
        print(json.dumps({"benchmark": "journal", "machine": machine, "lines": [line.as_dict() for line in lines]}))
    else:
        print(report(lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
