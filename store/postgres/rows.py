"""The journal's tables in a schema of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

from store.chain import GENESIS, stream_tag
from store.event_types import StoredType
from store.postgres.link import Link
from store.rows import LAST_STREAM, PAGE, Head, Row, Rows, StoredSnapshot, StoredStream

__all__ = ["PostgresRows"]

_LEAST_RECORD_BYTES: Final = 40

_COLUMNS: Final = (
    "e.position, e.stream, e.seq, e.type, e.at, e.message_id, e.correlation_id, e.causation_id, e.checksum, e.payload"
)


class PostgresRows(Rows):
    """Raises JournalUnavailable (``store.postgres.link``) when the server cannot be asked."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link
        self._s = link.place.schema

    def one(self, sql: str, *values: Any) -> Any:
        """Return the first row of a query, None when there is none; ``{s}`` stands for the schema."""
        found = self.link.read(sql.replace("{s}", self._s), *values)
        return found[0] if found else None

    def head(self) -> Head:
        """Return what the head row says; position -1 when it is gone."""
        return Head(*(self.one("SELECT position, checksum FROM {s}.head") or (-1, b"")))

    def room(self) -> int:
        """Return how many records there can be at most, by the size of the table."""
        size = self.one("SELECT pg_total_relation_size($1::text::regclass)", f"{self._s}.events")[0]
        return int(size) // _LEAST_RECORD_BYTES

    def last_position(self) -> int:
        """Return the greatest position in the table, 0 when it is empty."""
        return int(self.one("SELECT coalesce(max(position), 0) FROM {s}.events")[0])

    def last_at(self) -> int:
        """Return the ``at`` of the newest record, 0 when there is none."""
        row = self.one("SELECT at FROM {s}.events ORDER BY position DESC LIMIT 1")
        return int(row[0]) if row else 0

    def last_opening(self) -> int:
        """Return the number of the newest opening for writing, 0 when there is none."""
        return int(self.one("SELECT coalesce(max(number), 0) FROM {s}.openings")[0])

    def snapshotted(self) -> int:
        """Return where the journal was at its newest snapshot, 0 when there is none."""
        return int(self.one("SELECT coalesce(max(position), 0) FROM {s}.snapshots")[0])

    def snapshot(self, name: str) -> StoredSnapshot | None:
        """Return the newest snapshot of a stream."""
        sql = (
            "SELECT p.seq, p.version, p.checksum, p.state FROM {s}.snapshots p JOIN {s}.streams s ON s.id = p.stream "
            "WHERE s.name = $1"
        )
        row = self.one(sql, name) if _is_possible(name) else None
        return StoredSnapshot(*row) if row else None

    def get(self, position: int) -> Row | None:
        """Return one record."""
        row = self.one(f"SELECT {_COLUMNS} FROM {{s}}.events e WHERE e.position = $1", position)  # noqa: S608 ours
        return tuple(row) if row else None

    def checksum_at(self, position: int) -> bytes | None:
        """Return a record's checksum alone."""
        if position == 0:
            return GENESIS
        row = self.one("SELECT checksum FROM {s}.events WHERE position = $1", position)
        return row[0] if row else None

    def all_after(self, position: int, limit: int = PAGE) -> list[Row]:
        """Return the next records in order, at most ``limit``."""
        sql = f"SELECT {_COLUMNS} FROM {self._s}.events e WHERE e.position > $1 ORDER BY e.position LIMIT $2"  # noqa: S608
        return [tuple(row) for row in self.link.read(sql, position, limit)]

    def stream_after(self, stream: int, seq: int, limit: int = PAGE) -> list[tuple[Row, bytes | None]]:
        """Return a stream's next records, each with the checksum of the record before it in the journal."""
        sql = (
            f"SELECT {_COLUMNS}, p.checksum FROM {self._s}.events e "  # noqa: S608 our own names
            f"LEFT JOIN {self._s}.events p ON p.position = e.position - 1 "
            "WHERE e.stream = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3"
        )
        found = (tuple(row) for row in self.link.read(sql, stream, seq, limit))
        return [(row[:-1], GENESIS if row[0] == 1 else row[-1]) for row in found]

    def stream_end(self, stream: int) -> int:
        """Return the number of a stream's newest record, 0 when it has none."""
        return int(self.one("SELECT coalesce(max(seq), 0) FROM {s}.events WHERE stream = $1", stream)[0])

    def streams(self, first: int = 0, last: int = LAST_STREAM) -> Iterator[StoredStream]:
        """Yield the streams of the dictionary with these numbers, in the order they first appeared."""
        sql = f"SELECT id, name FROM {self._s}.streams WHERE id BETWEEN $1 AND $2 ORDER BY id"  # noqa: S608
        for number, name in self.link.read(sql, first, last):
            yield StoredStream(number, name, stream_tag(name.encode()))

    def stream_number(self, name: str) -> int | None:
        """Return the number of a stream, None when it has no record."""
        row = self.one("SELECT id FROM {s}.streams WHERE name = $1", name) if _is_possible(name) else None
        return int(row[0]) if row else None

    def types(self) -> list[StoredType]:
        """Return every event type of the dictionary."""
        found = self.link.read(f"SELECT id, name, version FROM {self._s}.types ORDER BY id")  # noqa: S608 our own name
        return [StoredType.of(*row) for row in found]

    def complaint(self) -> str:
        """Return nothing: the server checks its own pages."""
        return ""

    def one_view(self) -> AbstractContextManager[None]:
        """Hold one consistent view over several queries; a lost connection ends it with an error."""
        return self.link.one_view()

    def close(self) -> None:
        """End the connection."""
        self.link.close()


def _is_possible(name: str) -> bool:
    """Whether a stream can have this name: no text of PostgreSQL holds a NUL or half a surrogate pair."""
    try:
        return b"\0" not in name.encode()
    except UnicodeEncodeError:
        return False
