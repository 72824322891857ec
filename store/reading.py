"""The reading half of a journal, used by the writer itself and, read-only, by other processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

from runtime.journal import JournalCorrupt, JournalUnavailable, Record, Snapshot
from store.damage import Damage, corrupt, find_damage, find_structural_damage
from store.errors import is_damage, unavailable
from store.event_types import EventDecoder
from store.rows import PAGE, Row, Rows

__all__ = ["JournalReader", "snapshot_checksum"]


class JournalReader:
    """Reads one journal, whatever keeps its rows; every record is checked against its chain as it is read.

    May be used while another process appends: each page of records is a consistent view of what was committed then.
    One thread at a time.
    """

    def __init__(self, rows: Rows, path: str) -> None:
        self.path = path
        self._rows = rows
        self._open = True
        self._decoders: dict[int, EventDecoder] = {}

    def read(self, stream: str, after_seq: int = 0) -> Iterator[Record]:
        """Yield a stream's records in order, upcast to today's event versions."""
        with self._reading():
            number = self._rows.stream_number(stream)
        while number is not None:
            with self._reading():
                page = self._rows.stream_after(number, after_seq)
            for row, previous in page:
                if row[2] != after_seq + 1:
                    raise self._damaged(row[0], f"a record of {stream} before number {row[2]} is missing")
                if not self._rows.continues(row, previous):
                    raise self._damaged(row[0], "the record does not fit its checksum")
                after_seq = row[2]
                yield self._record(row)
            if len(page) < PAGE:
                return

    def read_all(self, after_position: int = 0, *, limit: int | None = None) -> Iterator[Record]:
        """Yield all records in order, upcast to today's event versions."""
        left = self.head() - after_position if limit is None else limit
        with self._reading():
            previous = self._rows.checksum_at(after_position)
        while left > 0:
            with self._reading():
                page = self._rows.all_after(after_position, min(left, PAGE))
            for row in page:
                after_position += 1
                if row[0] != after_position or not self._rows.continues(row, previous):
                    raise self._damaged(after_position, "the record is missing or does not fit its checksum")
                previous = row[8]
                yield self._record(row)
            left -= len(page)
            if not page:
                return

    def head(self) -> int:
        """Return the position of the newest record, 0 when there is none."""
        with self._reading():
            return self._rows.last_position()

    def last_instant(self) -> int:
        """Return the ``at`` of the newest record (nanoseconds), 0 when there is none."""
        with self._reading():
            return self._rows.last_at()

    def streams(self, prefix: str = "") -> list[str]:
        """Return the names of all streams that start with ``prefix``, in the order they first appeared."""
        with self._reading():
            return [stream.name for stream in self._rows.streams() if stream.name.startswith(prefix)]

    def load_snapshot(self, stream: str) -> Snapshot | None:
        """Return the newest snapshot of a stream, if any. A damaged one counts as none: the records are the truth."""
        with self._reading():
            kept = self._rows.snapshot(stream)
        if kept is None or snapshot_checksum(stream, kept.seq, kept.version, kept.state) != kept.checksum:
            return None
        return Snapshot(stream, kept.seq, kept.version, kept.state)

    def start_number(self) -> int:
        """Return which opening for writing is the newest, from 1; 0 when it was never opened for writing."""
        with self._reading():
            return self._rows.last_opening()

    def digest(self) -> str:
        """Return the end of the SHA-256 chain over all records, hex, after checking every link of it."""
        self.verify()
        with self._reading():
            return self._rows.head().checksum.hex()

    def verify(self) -> int:
        """Check every record, the dictionaries and the store's own structure; return how many records are good.

        Raises ``JournalCorrupt``; its position is 0 when all records are good but the file's structure is not.
        """
        with self._reading(), self._rows.one_view():
            damage = find_damage(self._rows) or find_structural_damage(self._rows)
            if damage is not None:
                raise corrupt(damage)
            return self._rows.last_position()

    def check_tail(self, most: int, least: int) -> None:
        """Check the records since the newest snapshot, at least ``least`` and at most ``most``; the cheap check."""
        with self._reading(), self._rows.one_view():
            last = self._rows.last_position()
            kept = self._rows.snapshotted()
            start = max(0, min(max(kept, last - most), last - least))
            if damage := find_damage(self._rows, start):
                raise corrupt(damage)

    def close(self) -> None:
        """Release the file; further calls raise ``JournalUnavailable``."""
        self._open = False
        self._rows.close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Say what an error of SQLite means to a reader."""
        if not self._open:
            raise JournalUnavailable(f"{self.path} is closed")
        try:
            yield
        except sqlite3.Error as error:
            if not is_damage(error):
                raise unavailable(f"cannot read {self.path}", error) from error
            raise self._locate(str(error)) from error

    def _locate(self, what: str) -> JournalCorrupt:
        """Find the position of a damage that SQLite stumbled over, wherever that was."""
        try:
            found = find_damage(self._rows)
        except sqlite3.Error:
            found = None
        return corrupt(found or Damage(0, False, f"its structure is broken: {what}"))

    def _damaged(self, position: int, what: str) -> JournalCorrupt:
        """Return the error for a record that a read found bad; the first bad one may stand before it."""
        found = find_damage(self._rows)
        return corrupt(found or Damage(position, False, what))

    def _record(self, row: Row) -> Record:
        position, stream, seq, event_type, at, message, correlation, causation, _, payload = row
        event = self._decoder(event_type).decode(payload, position)
        named = self._rows.stream(stream)
        assert named is not None  # the chain was checked with its name
        return Record(position, named.name, seq, event, at, message, correlation, causation)

    def _decoder(self, event_type: int) -> EventDecoder:
        if event_type not in self._decoders:
            stored = self._rows.event_type(event_type)
            assert stored is not None
            self._decoders[event_type] = EventDecoder(stored)
        return self._decoders[event_type]


def snapshot_checksum(stream: str, seq: int, version: int, state: bytes) -> bytes:
    """Return the 4 bytes that tell a damaged snapshot."""
    return crc32(state, crc32(f"{stream}\0{seq}\0{version}".encode())).to_bytes(4, "big")
