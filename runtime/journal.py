"""What the runtime asks of a journal; ``store`` implements it (SQLite now, PostgreSQL by the same interface).

A journal is one totally ordered list of records. Each record belongs to a *stream* (one durable actor) and carries the
stream's own sequence number, so that two writers of one stream can never both succeed. All methods are synchronous:
the runtime decides on which thread they run.

::

    JournalError
    ├─ JournalUnavailable     the disk is full, the file is locked or gone: nothing of the batch was written
    ├─ SequenceConflict       another writer appended to this stream: the writer is stale and must be rebuilt
    ├─ JournalTooNew          written by a newer version of bulkhead: refused, nothing was changed
    └─ JournalCorrupt         a record fails its checksum or is missing; names the first bad position
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from protocol.errors import BulkheadError
from protocol.messages import Event

__all__ = [
    "Entry",
    "Journal",
    "JournalCorrupt",
    "JournalError",
    "JournalTooNew",
    "JournalUnavailable",
    "Record",
    "SequenceConflict",
    "Snapshot",
]


class JournalError(BulkheadError):
    """Base of the journal's errors."""


class JournalUnavailable(JournalError):
    """The journal cannot be written; nothing of the batch was kept."""


class SequenceConflict(JournalError):
    """A stream is not where its writer thought it was; nothing of the batch was kept."""


class JournalTooNew(JournalError):
    """The journal was written by a newer version; it was not touched."""


class JournalCorrupt(JournalError):
    """A record is damaged or missing. ``position`` is the first bad one, ``tail`` whether all after it is bad too."""

    def __init__(self, message: str, *, position: int, tail: bool) -> None:
        super().__init__(message)
        self.position = position
        self.tail = tail


class Entry(NamedTuple):
    """One event to be appended: ``seq`` is the number it must get in its stream (1 for the first)."""

    stream: str
    seq: int
    event: Event
    at: int
    message_id: int
    correlation_id: int
    causation_id: int


class Record(NamedTuple):
    """One event as it stands in the journal; ``position`` counts over all streams from 1 without gaps."""

    position: int
    stream: str
    seq: int
    event: Event
    at: int
    message_id: int
    correlation_id: int
    causation_id: int


class Snapshot(NamedTuple):
    """State of a stream after its event ``seq``: the actor's own encoding, whose layout ``version`` names."""

    stream: str
    seq: int
    version: int
    state: bytes


class Journal(Protocol):
    """A durable, totally ordered list of events. Raises the errors of this module and nothing else."""

    def append(self, entries: Sequence[Entry]) -> int:
        """Append all or nothing, durably; return the position of the last.

        Raises SequenceConflict or JournalUnavailable.
        """
        ...

    def read(self, stream: str, after_seq: int = 0) -> Iterator[Record]:
        """Yield a stream's records in order, upcast to today's event versions."""
        ...

    def read_all(self, after_position: int = 0, *, limit: int | None = None) -> Iterator[Record]:
        """Yield all records in order, upcast to today's event versions."""
        ...

    def head(self) -> int:
        """Return the position of the newest record, 0 when there is none."""
        ...

    def last_instant(self) -> int:
        """Return the ``at`` of the newest record (nanoseconds), 0 when there is none."""
        ...

    def streams(self, prefix: str = "") -> list[str]:
        """Return the names of all streams that start with ``prefix``, in the order they first appeared."""
        ...

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep the newest snapshot of a stream."""
        ...

    def load_snapshot(self, stream: str) -> Snapshot | None:
        """Return the newest snapshot of a stream, if any."""
        ...

    def start_number(self) -> int:
        """Return which opening for writing this is, from 1; part of every message id, so ids never repeat."""
        ...

    def digest(self) -> str:
        """Return a SHA-256 over all records, hex: two equal runs have equal digests."""
        ...

    def close(self) -> None:
        """Release every file; further calls raise JournalUnavailable."""
        ...
