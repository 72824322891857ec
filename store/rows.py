"""The journal's tables as a reader sees them, whatever keeps them, and whether a row continues the chain."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final, NamedTuple, TypeAlias

from store.chain import GENESIS, INTEGERS, checksum
from store.event_types import StoredType

__all__ = ["LAST_STREAM", "PAGE", "Head", "Row", "Rows", "StoredSnapshot", "StoredStream"]

LAST_STREAM: Final = 2**31 - 1
"""Greatest number of a stream."""

_STREAMS_AT_ONCE: Final = 256
_STREAMS_KEPT: Final = 4_096

PAGE: Final = 512
"""Records fetched at a time. Between pages no statement is open, so appends and checkpoints are never held up."""

Row: TypeAlias = tuple[int, int, int, int, int, int, int, int, bytes, bytes]
"""position, stream, seq, type, at, message id, correlation id, causation id, checksum, payload."""


class StoredStream(NamedTuple):
    """One stream in the dictionary; ``tag`` is its canonical bytes."""

    id: int
    name: str
    tag: bytes


class StoredSnapshot(NamedTuple):
    """A snapshot as it stands, checksum and all."""

    seq: int
    version: int
    checksum: bytes
    state: bytes


class Head(NamedTuple):
    """The newest record, as the head row tells it."""

    position: int
    checksum: bytes


class Rows(ABC):
    """The tables of one open journal. Raises what its driver raises; callers say what it means."""

    def __init__(self) -> None:
        self._streams: dict[int, StoredStream] = {}
        self._types: dict[int, StoredType] = {}

    @abstractmethod
    def head(self) -> Head:
        """Return what the head row says; position -1 when it is gone."""

    @abstractmethod
    def room(self) -> int:
        """Return how many records there can be at most, by the space the journal takes."""

    @abstractmethod
    def last_position(self) -> int:
        """Return the greatest position in the table, 0 when it is empty."""

    @abstractmethod
    def last_at(self) -> int:
        """Return the ``at`` of the newest record, 0 when there is none."""

    @abstractmethod
    def last_opening(self) -> int:
        """Return the number of the newest opening for writing, 0 when there is none."""

    @abstractmethod
    def snapshotted(self) -> int:
        """Return where the journal was at its newest snapshot, 0 when there is none."""

    @abstractmethod
    def snapshot(self, name: str) -> StoredSnapshot | None:
        """Return the newest snapshot of a stream."""

    @abstractmethod
    def get(self, position: int) -> Row | None:
        """Return one record."""

    @abstractmethod
    def all_after(self, position: int, limit: int = PAGE) -> list[Row]:
        """Return the next records in order, at most ``limit``."""

    @abstractmethod
    def stream_after(self, stream: int, seq: int, limit: int = PAGE) -> list[tuple[Row, bytes | None]]:
        """Return a stream's next records, each with the checksum of the record before it in the journal."""

    @abstractmethod
    def stream_end(self, stream: int) -> int:
        """Return the number of a stream's newest record, 0 when it has none."""

    @abstractmethod
    def streams(self, first: int = 0, last: int = LAST_STREAM) -> Iterator[StoredStream]:
        """Yield the streams of the dictionary with these numbers, in the order they first appeared."""

    @abstractmethod
    def stream_number(self, name: str) -> int | None:
        """Return the number of a stream, None when it has no record."""

    @abstractmethod
    def types(self) -> list[StoredType]:
        """Return every event type of the dictionary."""

    @abstractmethod
    def complaint(self) -> str:
        """Return what the store itself finds wrong with its structure; empty when all is well."""

    @abstractmethod
    def one_view(self) -> AbstractContextManager[None]:
        """Hold one consistent view over several queries."""

    @abstractmethod
    def close(self) -> None:
        """Release the connection."""

    def checksum_at(self, position: int) -> bytes | None:
        """Return a record's checksum; the one before the first record is ``GENESIS``; None when it is missing."""
        if position == 0:
            return GENESIS
        row = self.get(position)
        return row[8] if row else None

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

    def stream(self, number: int) -> StoredStream | None:
        """Return a stream by its number."""
        found = self._streams.get(number)
        if found is None and isinstance(number, int) and 0 <= number <= LAST_STREAM:
            if len(self._streams) > _STREAMS_KEPT:
                self._streams.clear()
            first = number - number % _STREAMS_AT_ONCE
            self._streams |= {each.id: each for each in self.streams(first, first + _STREAMS_AT_ONCE - 1)}
            found = self._streams.get(number)
        return found

    def event_type(self, number: int) -> StoredType | None:
        """Return an event type by its number."""
        if number not in self._types:
            self._types = {stored.id: stored for stored in self.types()}
        return self._types.get(number)
