"""The journal's tables in a SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from store.chain import GENESIS, stream_tag
from store.event_types import StoredType
from store.rows import LAST_STREAM, PAGE, Head, Row, Rows, StoredSnapshot, StoredStream

__all__ = ["SqliteRows"]

_LEAST_RECORD_BYTES: Final = 40

_COLUMNS: Final = (
    "e.position, e.stream, e.seq, e.type, e.at, e.message_id, e.correlation_id, e.causation_id, e.checksum, e.payload"
)
_ALL: Final = f"SELECT {_COLUMNS} FROM events e WHERE e.position > ? ORDER BY e.position LIMIT ?"  # noqa: S608 ours
_ONE: Final = f"SELECT {_COLUMNS} FROM events e WHERE e.position = ?"  # noqa: S608 our own constant
_STREAM: Final = (
    f"SELECT {_COLUMNS}, p.checksum FROM events e LEFT JOIN events p ON p.position = e.position - 1 "  # noqa: S608 ours
    "WHERE e.stream = ? AND e.seq > ? ORDER BY e.seq LIMIT ?"
)


class SqliteRows(Rows):
    """Raises ``sqlite3.Error`` as it comes. Text comes as bytes, so that even a rotten name can be read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self.connection = connection
        connection.text_factory = bytes

    def one(self, sql: str, *parameters: Any) -> Any:
        """Return the first row of a query, None when there is none."""
        return self.connection.execute(sql, parameters).fetchone()

    def head(self) -> Head:
        """Return what the head row says; position -1 when it is gone."""
        return Head(*(self.one("SELECT position, checksum FROM head") or (-1, b"")))

    def room(self) -> int:
        """Return how many records there can be at most, by the size of the file."""
        size = self.one("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")[0]
        return int(size) // _LEAST_RECORD_BYTES

    def last_position(self) -> int:
        """Return the greatest position in the table, 0 when it is empty."""
        return int(self.one("SELECT coalesce(max(position), 0) FROM events")[0])

    def last_at(self) -> int:
        """Return the ``at`` of the newest record, 0 when there is none."""
        row = self.one("SELECT at FROM events ORDER BY position DESC LIMIT 1")
        return int(row[0]) if row else 0

    def last_opening(self) -> int:
        """Return the number of the newest opening for writing, 0 when there is none."""
        return int(self.one("SELECT coalesce(max(number), 0) FROM openings")[0])

    def snapshotted(self) -> int:
        """Return where the journal was at its newest snapshot, 0 when there is none."""
        return int(self.one("SELECT coalesce(max(position), 0) FROM snapshots")[0])

    def snapshot(self, name: str) -> StoredSnapshot | None:
        """Return the newest snapshot of a stream."""
        sql = "SELECT seq, version, checksum, state FROM snapshots WHERE stream = ?"
        row = self.one(sql, self.stream_number(name))
        return StoredSnapshot(*row) if row else None

    def get(self, position: int) -> Row | None:
        """Return one record."""
        row: Row | None = self.one(_ONE, position)
        return row

    def checksum_at(self, position: int) -> bytes | None:
        """Return a record's checksum, without following its payload."""
        if position == 0:
            return GENESIS
        row = self.one("SELECT checksum FROM events WHERE position = ?", position)
        return row[0] if row else None

    def all_after(self, position: int, limit: int = PAGE) -> list[Row]:
        """Return the next records in order, at most ``limit``."""
        return self.connection.execute(_ALL, (position, limit)).fetchall()

    def stream_after(self, stream: int, seq: int, limit: int = PAGE) -> list[tuple[Row, bytes | None]]:
        """Return a stream's next records, each with the checksum of the record before it in the journal."""
        found = self.connection.execute(_STREAM, (stream, seq, limit))
        return [(row[:-1], GENESIS if row[0] == 1 else row[-1]) for row in found]

    def stream_end(self, stream: int) -> int:
        """Return the number of a stream's newest record, 0 when it has none."""
        return int(self.one("SELECT coalesce(max(seq), 0) FROM events WHERE stream = ?", stream)[0])

    def streams(self, first: int = 0, last: int = LAST_STREAM) -> Iterator[StoredStream]:
        """Yield the streams of the dictionary with these numbers, in the order they first appeared."""
        sql = "SELECT id, name FROM streams WHERE id BETWEEN ? AND ? ORDER BY id"
        for number, name in self.connection.execute(sql, (first, last)).fetchall():
            yield StoredStream(number, name.decode("utf-8", "replace"), stream_tag(name))

    def stream_number(self, name: str) -> int | None:
        """Return the number of a stream, None when it has no record."""
        row = self.one("SELECT id FROM streams WHERE name = CAST(? AS TEXT)", name.encode(errors="surrogatepass"))
        return int(row[0]) if row else None

    def types(self) -> list[StoredType]:
        """Return every event type of the dictionary."""
        found = self.connection.execute("SELECT id, name, version FROM types ORDER BY id").fetchall()
        return [StoredType.of(number, name.decode("utf-8", "replace"), version) for number, name, version in found]

    def complaint(self) -> str:
        """Let SQLite check its own pages and indexes; return what it says, empty when all is well."""
        answer = str(self.one("PRAGMA integrity_check(1)")[0].decode())
        return "" if answer == "ok" else answer

    @contextmanager
    def one_view(self) -> Iterator[None]:
        """Hold one consistent view of the file over several queries."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def close(self) -> None:
        """Release the file."""
        self.connection.close()
