"""Raw access to the journal's tables: rows as they stand, and whether a row continues the chain."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from store.chain import GENESIS, INTEGERS, checksum, stream_tag
from store.event_types import StoredType

__all__ = ["PAGE", "Head", "Row", "Rows", "StoredStream"]

PAGE: Final = 512
"""Records fetched at a time. Between pages no statement is open, so appends and checkpoints are never held up."""

Row: TypeAlias = tuple[int, int, int, int, int, int, int, int, bytes, bytes]
"""position, stream, seq, type, at, message id, correlation id, causation id, checksum, payload."""

_COLUMNS: Final = (
    "e.position, e.stream, e.seq, e.type, e.at, e.message_id, e.correlation_id, e.causation_id, e.checksum, e.payload"
)
_ALL: Final = f"SELECT {_COLUMNS} FROM events e WHERE e.position > ? ORDER BY e.position LIMIT ?"  # noqa: S608 ours
_ONE: Final = f"SELECT {_COLUMNS} FROM events e WHERE e.position = ?"  # noqa: S608 our own constant
_STREAM: Final = (
    f"SELECT {_COLUMNS}, p.checksum FROM events e LEFT JOIN events p ON p.position = e.position - 1 "  # noqa: S608 ours
    "WHERE e.stream = ? AND e.seq > ? ORDER BY e.seq LIMIT ?"
)


class StoredStream(NamedTuple):
    """One stream in the dictionary; ``tag`` is its canonical bytes."""

    id: int
    name: str
    tag: bytes


class Head(NamedTuple):
    """The newest record, as the head row tells it."""

    position: int
    checksum: bytes


class Rows:
    """The tables of one open journal. Raises ``sqlite3.Error`` as it comes; callers say what it means.

    Text comes as bytes, so that even a rotten name can be read.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        connection.text_factory = bytes
        self._streams: dict[int, StoredStream] = {}
        self._types: dict[int, StoredType] = {}

    def one(self, sql: str, *parameters: Any) -> Any:
        """Return the first row of a query, None when there is none."""
        return self.connection.execute(sql, parameters).fetchone()

    def head(self) -> Head:
        """Return what the head row says; position -1 when it is gone."""
        return Head(*(self.one("SELECT position, checksum FROM head") or (-1, b"")))

    def file_bytes(self) -> int:
        """Return the size of the database."""
        return int(self.one("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")[0])

    def last_position(self) -> int:
        """Return the greatest position in the table, 0 when it is empty."""
        return int(self.one("SELECT coalesce(max(position), 0) FROM events")[0])

    def get(self, position: int) -> Row | None:
        """Return one record."""
        row: Row | None = self.one(_ONE, position)
        return row

    def all_after(self, position: int, limit: int = PAGE) -> list[Row]:
        """Return the next records in order, at most ``limit``."""
        return self.connection.execute(_ALL, (position, limit)).fetchall()

    def stream_after(self, stream: int, seq: int, limit: int = PAGE) -> list[tuple[Row, bytes | None]]:
        """Return a stream's next records, each with the checksum of the record before it in the journal."""
        found = self.connection.execute(_STREAM, (stream, seq, limit))
        return [(row[:-1], GENESIS if row[0] == 1 else row[-1]) for row in found]

    def checksum_at(self, position: int) -> bytes | None:
        """Return a record's checksum; the one before the first record is ``GENESIS``; None when it is missing."""
        if position == 0:
            return GENESIS
        row = self.one("SELECT checksum FROM events WHERE position = ?", position)
        return row[0] if row else None

    def continues(self, row: Row, previous: bytes | None) -> bool:
        """Whether a row is what was written after the record with the checksum ``previous``."""
        position, stream, seq, event_type, at, message, correlation, causation, stored, payload = row
        of_stream, of_type = self.stream(stream), self.event_type(event_type)
        if previous is None or of_stream is None or of_type is None:
            return False
        try:
            integers = INTEGERS(position, seq, at, message, correlation, causation)
            return checksum(previous, integers, of_stream.tag, of_type.tag, payload) == stored
        except (struct.error, TypeError):  # a cell of another type: SQLite read something else than was written
            return False

    def streams(self) -> Iterator[StoredStream]:
        """Yield every stream of the dictionary, in the order they first appeared."""
        for number, name in self.connection.execute("SELECT id, name FROM streams ORDER BY id").fetchall():
            yield StoredStream(number, name.decode("utf-8", "replace"), stream_tag(name))

    def stream(self, number: int) -> StoredStream | None:
        """Return a stream by its number."""
        if number not in self._streams:
            self._streams = {stream.id: stream for stream in self.streams()}
        return self._streams.get(number)

    def stream_number(self, name: str) -> int | None:
        """Return the number of a stream, None when it has no record."""
        row = self.one("SELECT id FROM streams WHERE name = CAST(? AS TEXT)", name.encode(errors="surrogatepass"))
        return int(row[0]) if row else None

    def types(self) -> list[StoredType]:
        """Return every event type of the dictionary."""
        found = self.connection.execute("SELECT id, name, version FROM types ORDER BY id").fetchall()
        return [StoredType.of(number, name.decode("utf-8", "replace"), version) for number, name, version in found]

    def event_type(self, number: int) -> StoredType | None:
        """Return an event type by its number."""
        if number not in self._types:
            self._types = {stored.id: stored for stored in self.types()}
        return self._types.get(number)
