"""The journal in one SQLite file: write-ahead logging, one writer, a checksum chain over all records.

``append`` is one transaction, in two steps for whoever must not wait for the disk (``stage``). What it returned for has
reached the disk (``Durability.FULL``); what it raised for has left nothing behind, and the next append works again as
soon as the cause is gone.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from runtime.journal import Entry, JournalUnavailable, SequenceConflict, Snapshot
from store.batch import Batch, Dictionary, StreamEnd, build
from store.chain import stream_tag
from store.errors import unavailable
from store.opening import (
    BUSY_TIMEOUT_S,
    MEMORY,
    TAIL_CHECK_LEAST,
    TAIL_CHECK_MOST,
    Durability,
    open_reader,
    prepare,
    take_lock,
)
from store.reading import JournalReader, snapshot_checksum
from store.rows import Head, StoredStream
from store.sqlite_rows import SqliteRows

__all__ = ["MEMORY", "Durability", "JournalReader", "SqliteJournal", "open_journal", "open_reader"]

_STREAMS_KNOWN: Final = 4_096
"""Streams whose ends the writer keeps in mind; others are looked up when they are written to again."""

_INSERT: Final = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_KEEP_NEWER: Final = """INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (stream) DO UPDATE SET
    seq = excluded.seq, version = excluded.version, position = excluded.position, checksum = excluded.checksum,
    state = excluded.state WHERE excluded.seq >= snapshots.seq"""


class SqliteJournal(JournalReader):
    """A journal that is open for writing; made by ``open_journal``. One thread at a time."""

    _head: Head
    _at: int
    _suspect: bool
    _doubt: Batch | None = None
    _dictionary: Dictionary
    _beside: JournalReader | None = None
    _rows: SqliteRows

    def __init__(self, path: str, durability: Durability, timeout_s: float, opened_at: int) -> None:
        self._settings = (path, durability, timeout_s)
        self._lock = take_lock(path)
        try:
            super().__init__(SqliteRows(prepare(*self._settings)), path)
            try:
                self.check_tail(TAIL_CHECK_MOST, TAIL_CHECK_LEAST)
                self._load()
                self._start = self._count_opening(opened_at)
            except BaseException:
                self._rows.close()
                raise
        except BaseException:
            self._release()
            raise

    def append(self, entries: Sequence[Entry]) -> int:
        """Append all or nothing, durably; return the position of the last.

        Raises SequenceConflict or JournalUnavailable, and EntryRefused for what no journal could store.
        """
        return self.stage(entries)()

    def stage(self, entries: Sequence[Entry]) -> Callable[[], int]:
        """Write an append into an open transaction; what is returned commits it, which is all that waits for the disk.

        Raises as ``append`` does; so does the commit, and nothing is kept then.
        """
        self._ready()
        with self._reading():
            batch = build(entries, self._dictionary, self._head)
        if not batch.rows:
            return self.head
        with self._all_or_nothing("cannot append"):
            self._rows.connection.execute("BEGIN IMMEDIATE")
            self._write(batch)

        def commit() -> int:
            self._doubt = batch
            with self._all_or_nothing("cannot append"):
                self._rows.connection.execute("COMMIT")
            self._keep(batch)
            return batch.head.position

        return commit

    def reader(self) -> JournalReader:
        """Return a reader on a connection of its own, which waits for no append; in memory this journal itself."""
        if self.path == MEMORY:
            return self
        if self._beside is None:
            self._beside = open_reader(self.path, check=False)
        return self._beside

    def head(self) -> int:
        """Return the position of the newest record, 0 when there is none."""
        self._must_be_open()
        return self._head.position

    def last_instant(self) -> int:
        """Return the ``at`` of the newest record (nanoseconds), 0 when there is none."""
        self._must_be_open()
        return self._at

    def start_number(self) -> int:
        """Return which opening for writing this is, from 1; part of every message id, so ids never repeat."""
        self._must_be_open()
        return self._start

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep the newest snapshot of a stream; an older one than the kept one changes nothing.

        Raises SequenceConflict when the stream has no record of that number, JournalUnavailable.
        """
        self._ready()
        name, seq, version, state = snapshot
        with self._reading():
            end = self._dictionary.end(name)
        if end is None or not 0 < seq <= end.seq:
            at = end.seq if end else 0
            raise SequenceConflict(f"stream {name} is at {at}: no snapshot can be of its record {seq}")
        row = (end.stream.id, seq, version, self._head.position, snapshot_checksum(name, seq, version, state), state)
        self._transact("cannot save a snapshot", _KEEP_NEWER, row)

    def close(self) -> None:
        """Release every file; further calls raise ``JournalUnavailable``."""
        self._close_beside()
        super().close()
        self._release()

    def _keep(self, batch: Batch) -> None:
        self._doubt = None
        self._dictionary.keep(batch)
        self._head, self._at = batch.head, batch.at

    def _write(self, batch: Batch) -> None:
        run = self._rows.connection.executemany
        if batch.new_streams:
            run("INSERT INTO streams VALUES (?, ?)", [(new.id, new.name) for new in batch.new_streams])
        if batch.new_types:
            run("INSERT INTO types VALUES (?, ?, ?)", [(new.id, new.name, new.version) for new in batch.new_types])
        run(_INSERT, batch.rows)
        run("UPDATE head SET position = ?, checksum = ?", [batch.head])

    def _transact(self, doing: str, sql: str, row: Sequence[object]) -> None:
        """Run one statement in a transaction of its own; raise ``JournalUnavailable``."""
        connection = self._rows.connection
        with self._all_or_nothing(doing):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(sql, row)
            connection.execute("COMMIT")

    @contextmanager
    def _all_or_nothing(self, doing: str) -> Iterator[None]:
        """Undo the whole transaction when a part of it fails, and say what the error means."""
        try:
            yield
        except sqlite3.Error as error:
            self._suspect = True
            self._roll_back()
            if isinstance(error, sqlite3.IntegrityError):
                raise SequenceConflict(f"{doing} to {self.path}: another writer was here ({error})") from error
            raise unavailable(f"{doing} to {self.path}", error) from error

    def _roll_back(self) -> None:
        try:
            if self._rows.connection.in_transaction:
                self._rows.connection.execute("ROLLBACK")
        except sqlite3.Error:
            # The connection is of no more use; `_ready` makes a new one, whose recovery drops what was not committed.
            self._rows.connection.close()

    def _ready(self) -> None:
        """After a failed write, begin anew: a commit that failed must not be half there, nor come back after a crash.

        Closing the only connection folds the committed part of the write-ahead file into the database and deletes the
        rest of it. What the file then says must be what this writer believes, with or without the batch whose commit failed:
        a disk can fail after it has written.
        """
        self._must_be_open()
        if not self._suspect:
            return
        if self.path != MEMORY:
            self._close_beside()
            self._rows.connection.close()
            self._rows = SqliteRows(prepare(*self._settings))
        with self._reading():
            found = self._rows.head()
        doubt, self._doubt = self._doubt, None
        if doubt is not None and found == doubt.head:
            self._keep(doubt)
        if found != self._head:
            raise JournalUnavailable(
                f"{self.path} is at {found.position}, its writer at {self._head.position}: reopen it"
            )
        self._suspect = False

    def _close_beside(self) -> None:
        beside, self._beside = self._beside, None
        if beside is not None:
            beside.close()

    def _must_be_open(self) -> None:
        if not self._open:
            raise JournalUnavailable(f"{self.path} is closed")

    def _load(self) -> None:
        with self._reading():
            streams = max((stream.id for stream in self._rows.streams()), default=0)
            self._dictionary = Dictionary(self._find_end, self._rows.types(), streams, _STREAMS_KNOWN)
            self._head = self._rows.head()
        self._at = super().last_instant()
        self._suspect = False

    def _find_end(self, name: str) -> StreamEnd | None:
        number = self._rows.stream_number(name)
        if number is None:
            return None
        return StreamEnd(StoredStream(number, name, stream_tag(name.encode())), self._rows.stream_end(number))

    def _count_opening(self, at: int) -> int:
        number = super().start_number() + 1
        self._transact("cannot open", "INSERT INTO openings VALUES (?, ?, ?)", (number, at, os.getpid()))
        return number

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()


def open_journal(
    path: str | Path,
    *,
    durability: Durability | str = Durability.FULL,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    opened_at: int = 0,
) -> SqliteJournal:
    """Open a journal for writing, make it when there is none; ``":memory:"`` for one that dies with the process.

    ``opened_at`` (nanoseconds UTC, 0 when nobody knows) is noted beside the opening and is in no digest. Raises
    JournalLocked (a JournalUnavailable) naming the process that has it, JournalUnavailable, JournalTooNew (nothing was
    touched), JournalCorrupt (by the check of the tail) or MigrationFailed.
    """
    return SqliteJournal(str(path), Durability(durability), busy_timeout_s, opened_at)
