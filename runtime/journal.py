"""What the runtime asks of a journal; ``store`` implements it (SQLite now, PostgreSQL by the same interface).

A journal is one totally ordered list of records. Each record belongs to a *stream* (one durable actor) and carries the
stream's own sequence number, so that two writers of one stream can never both succeed. All methods are synchronous:
the runtime decides on which thread they run.

::

    JournalError
    ├─ JournalUnavailable     the disk is full, the file is locked or gone: nothing of the batch was written
    │   └─ CommitUnknown      the store went away in the middle of a commit: the next use finds out what became of it
    ├─ Fenced                 another process has taken over: this one may never write again
    ├─ SequenceConflict       another writer appended to this stream: the writer is stale and must be rebuilt
    ├─ JournalTooNew          written by a newer version of bulkhead: refused, nothing was changed
    └─ JournalCorrupt         a record fails its checksum or is missing; names the first bad position
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from protocol.errors import BulkheadError
from protocol.messages import Event

__all__ = [
    "CommitUnknown",
    "Entry",
    "Fenced",
    "Journal",
    "JournalCorrupt",
    "JournalError",
    "JournalTooNew",
    "JournalUnavailable",
    "Record",
    "SequenceConflict",
    "Snapshot",
    "StreamReader",
    "as_journal_error",
]


class JournalError(BulkheadError):
    """Base of the journal's errors."""


class JournalUnavailable(JournalError):
    """The journal cannot be written; nothing of the batch was kept."""


class CommitUnknown(JournalUnavailable):
    """Nobody answers what became of a commit; whatever uses the journal next finds out first, or fails as well."""


class Fenced(JournalError):
    """Another process holds the right to write by now; nothing of the batch was kept, and nothing will be any more."""


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


class StreamReader(Protocol):
    """Reads streams as far as they are durable."""

    def read(self, stream: str, after_seq: int = 0) -> Iterator[Record]:
        """Yield a stream's records in order, upcast to today's event versions."""
        ...

    def load_snapshot(self, stream: str) -> Snapshot | None:
        """Return the newest snapshot of a stream, if any."""
        ...


class Journal(StreamReader, Protocol):
    """A durable, totally ordered list of events. Raises the errors of this module and nothing else."""

    def append(self, entries: Sequence[Entry]) -> int:
        """Append all or nothing, durably; return the position of the last.

        Raises SequenceConflict or JournalUnavailable.
        """
        ...

    def stage(self, entries: Sequence[Entry]) -> Callable[[], int]:
        """Do all of ``append`` but the wait for the disk; what is returned does that, on any one thread.

        Both raise what ``append`` raises, and nothing is kept then. Between them nothing of this object may be used but
        its ``reader``.
        """
        ...

    def reader(self) -> StreamReader:
        """Return what may be read while an append is under way on another thread; this journal itself when nothing may."""
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

    def start_number(self) -> int:
        """Return which opening for writing this is, from 1; part of every message id, so ids never repeat."""
        ...

    def digest(self) -> str:
        """Return a SHA-256 over all records, hex: two equal runs have equal digests."""
        ...

    def close(self) -> None:
        """Release every file; further calls raise JournalUnavailable."""
        ...


def as_journal_error(error: BaseException) -> JournalError:
    """Return what a journal raised as one of its own errors: whatever it was, nobody knows what was kept."""
    if isinstance(error, JournalError):
        return error
    failed = JournalError(f"the journal raised {error!r}; what it kept is read again")
    failed.__cause__ = error
    return failed
