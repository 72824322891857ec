"""The journal on PostgreSQL: one writer, one round trip a commit, the same checksum chain as in a SQLite file.

Who may write is decided by the server, in the transaction of the append itself:

- every opening takes the head over: an older one can append nothing more, whatever it believes (``Fenced``);
- the tokens of the leases that this writer was given must be the newest (``store.postgres.leases``);
- an opening without leases also takes a lock that lasts as long as its connection, so that a second daemon that was
  started by mistake is refused (``JournalLocked``) instead of taking over.

A commit whose answer was lost is looked for on a new connection: it stands there, or it is sent again. Nothing that an
older connection still has under way can land behind our back, because connecting anew changes the head's ``session``.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from runtime.journal import (
    CommitUnknown,
    Entry,
    Fenced,
    JournalCorrupt,
    JournalError,
    JournalUnavailable,
    SequenceConflict,
    Snapshot,
)
from store.batch import Batch, Dictionary, StreamEnd, build
from store.chain import stream_tag
from store.event_types import check_known
from store.opening import TAIL_CHECK_LEAST, TAIL_CHECK_MOST, Durability
from store.postgres.appending import ATTACH, ENDS, KEEP_NEWER, OPEN, call_of_append, columns_of
from store.postgres.beside import ReaderBeside
from store.postgres.link import ConnectionLost, Link, ServerRefused
from store.postgres.lock import WriterLock
from store.postgres.place import Place
from store.postgres.rows import PostgresRows
from store.postgres.schema import FENCED, HEAD_MOVED, VERSION, journal_version, migrate_journal, refuse_newer
from store.reading import JournalReader, snapshot_checksum
from store.rows import Head, StoredStream

__all__ = ["STREAMS_KNOWN", "LeaseOf", "PostgresJournal", "open_journal", "open_reader"]

LeaseOf = Callable[[str], str | None]
"""The lease that a stream's writer must hold; None for none."""

STREAMS_KNOWN: Final = 50_000
"""How many streams, the newest, an opening learns the ends of; an older one is asked for when it is first written."""

_READ_WITHIN_S: Final = 3.0
_RETRIED: Final = ("40001", "40P01")
"""Serialization failure, deadlock: the server asks us to try again."""

_UNIQUE: Final = "23505"


class PostgresJournal(JournalReader):
    """A journal that is open for writing; made by ``open_journal``. One thread at a time, its ``reader`` aside."""

    _rows: PostgresRows
    _head: Head
    _at: int
    _opening: int
    _session: int
    _dictionary: Dictionary

    def __init__(
        self,
        place: Place,
        durability: Durability,
        opened_at: int,
        fences: Mapping[str, int] | None,
        lease_of: LeaseOf,
    ) -> None:
        self._link = Link(place, "journal", prepare=lambda connection: _settle(connection, durability, place))
        super().__init__(PostgresRows(self._link), str(place))
        self.place = place
        self._append = call_of_append(place.schema)
        self._lease_of = lease_of
        self._leases: dict[str, str | None] = {}
        self._fences = dict(fences) if fences is not None else {}
        self._lock = WriterLock(self._link) if fences is None else None
        self._dead: JournalError | None = None
        self._doubt: Batch | None = None
        self._beside: JournalReader | None = None
        try:
            self._open_for_writing(opened_at)
        except BaseException:
            self._link.close()
            raise

    # --- writing -------------------------------------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry]) -> int:
        """Append all or nothing, durably; return the position of the last.

        Raises SequenceConflict, JournalUnavailable (CommitUnknown when nobody can say), Fenced, and EntryRefused for what
        no journal could store.
        """
        return self.stage(entries)()

    def stage(self, entries: Sequence[Entry]) -> Callable[[], int]:
        """Check and encode an append; what is returned sends it to the server in one transaction, on any thread.

        Both raise as ``append`` does, and nothing is kept then.
        """
        self._ready()
        batch = build(entries, self._dictionary, self._head)
        if not batch.rows:
            return self.head
        self._must_hold_leases_of(batch)
        columns = columns_of(batch)

        def commit() -> int:
            self._commit(batch, columns)
            self._keep(batch)
            return batch.head.position

        return commit

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep the newest snapshot of a stream; an older one than the kept one changes nothing.

        Raises SequenceConflict when the stream has no record of that number, JournalUnavailable.
        """
        self._ready()
        name, seq, version, state = snapshot
        end = self._dictionary.end(name)
        if end is None or not 0 < seq <= end.seq:
            at = end.seq if end else 0
            raise SequenceConflict(f"stream {name} is at {at}: no snapshot can be of its record {seq}")
        checksum = snapshot_checksum(name, seq, version, state)
        sql = KEEP_NEWER.replace("{s}", self.place.schema)
        self._link.fetch(sql, end.stream.id, seq, version, self._head.position, checksum, state)

    # --- leases --------------------------------------------------------------------------------------------------------

    @property
    def fences(self) -> Mapping[str, int]:
        """The leases this writer holds and their tokens; each append is refused when one of them is not the newest."""
        return dict(self._fences)

    def fence(self, fences: Mapping[str, int]) -> None:
        """Go on with other leases; the next append counts with them."""
        self._fences = dict(fences)

    # --- reading -------------------------------------------------------------------------------------------------------

    def reader(self) -> JournalReader:
        """Return a reader on a connection of its own, which waits for no append.

        Raises JournalUnavailable while nobody knows what became of a commit: a reader must not see it come later.
        """
        self._ready()
        if self._beside is None:
            # Whoever begins a life waits for it on the event loop that trades.
            soon = replace(self.place, command_timeout_s=min(self.place.command_timeout_s, _READ_WITHIN_S))
            rows = PostgresRows(Link(soon, "reader", writes=False))
            self._beside = ReaderBeside(rows, self.path, self._is_new)
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
        return self._opening

    def close(self) -> None:
        """Release the connections; further calls raise ``JournalUnavailable``."""
        beside, self._beside = self._beside, None
        if beside is not None:
            beside.close()
        super().close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        self._ready()
        yield

    # --- committing ----------------------------------------------------------------------------------------------------

    def _commit(self, batch: Batch, columns: Sequence[Any]) -> None:
        """Send a batch until it stands in the journal, for as long as a commit may outlast a lost connection."""
        end = self._link.now() + self.place.commit_timeout_s
        while (lost := self._send(columns)) is not None:
            if self._is_kept(batch, max(0.0, end - self._link.now())):
                return
            if self._link.now() >= end:
                raise JournalUnavailable(f"cannot append: {lost}; nothing of it was kept") from lost

    def _send(self, columns: Sequence[Any]) -> JournalUnavailable | None:
        """Return None when the server has kept the batch, and why nobody knows when it is to be looked for."""
        leases = list(self._fences)
        tokens = [self._fences[name] for name in leases]
        try:
            if self._lock is not None:
                self._lock.take_again()
            self._link.fetch(self._append, self._session, *self._head, leases, tokens, *columns)
        except ConnectionLost as lost:
            return lost
        except ServerRefused as refused:
            if refused.sqlstate in _RETRIED:
                return refused
            raise self._meaning_of(refused) from refused
        return None

    def _is_kept(self, batch: Batch, patience_s: float) -> bool:
        """Take the head over on a new connection and see whether the batch is its newest; raise CommitUnknown."""
        sql = ATTACH.replace("{s}", self.place.schema)
        try:
            rows = self._link.run(lambda connection: connection.fetch(sql, self._opening), patience_s=patience_s)
        except JournalUnavailable as error:
            self._doubt = batch
            raise CommitUnknown(f"whether the append was kept is not known yet: {error}") from error
        if not rows:
            raise self._die(self._superseded())
        self._session, position, checksum = rows[0]
        found = Head(position, checksum)
        if found not in {batch.head, self._head}:
            raise self._die(self._gone_back(found))
        return found == batch.head

    def _ready(self) -> None:
        """Find out what became of a commit that nobody answered, before anything else is done."""
        self._must_be_open()
        batch = self._doubt
        if batch is not None:
            if self._is_kept(batch, 0.0):
                self._keep(batch)
            self._doubt = None

    def _keep(self, batch: Batch) -> None:
        self._dictionary.keep(batch)
        self._head, self._at = batch.head, batch.at

    def _must_hold_leases_of(self, batch: Batch) -> None:
        for name in batch.cursors:
            if name not in self._leases:
                self._leases[name] = self._lease_of(name)
            lease = self._leases[name]
            if lease is not None and lease not in self._fences:
                raise Fenced(f"stream {name} needs lease {lease}, which this process does not hold")

    # --- what ends a writer ----------------------------------------------------------------------------------------------

    def _meaning_of(self, refused: ServerRefused) -> JournalError:
        if refused.sqlstate == FENCED:
            return self._die(Fenced(f"cannot append: {refused}"))
        if refused.sqlstate == HEAD_MOVED:
            found = self._rows.one("SELECT opening, position, checksum FROM {s}.head")
            if found is None or found[0] != self._opening:
                return self._die(self._superseded())
            return self._die(self._gone_back(Head(found[1], found[2])))
        if refused.sqlstate == _UNIQUE:
            return SequenceConflict(f"cannot append to {self.path}: another writer was here ({refused})")
        return refused

    def _superseded(self) -> Fenced:
        return Fenced(f"{self.path} was opened by another process since (this is opening {self._opening})")

    def _gone_back(self, found: Head) -> JournalCorrupt:
        text = (
            f"{self.path} is at {found.position}, its writer at {self._head.position}: the server has lost committed "
            "records (a standby that did not have them took over?), or they were changed behind our back"
        )
        return JournalCorrupt(text, position=min(found.position, self._head.position) + 1, tail=True)

    def _die(self, error: JournalError) -> JournalError:
        """Refuse everything from now on, for this reason."""
        self._dead = error
        return error

    def _must_be_open(self) -> None:
        if not self._open:
            raise JournalUnavailable(f"{self.path} is closed")
        if self._dead is not None:
            raise self._dead

    # --- opening -------------------------------------------------------------------------------------------------------

    def _open_for_writing(self, opened_at: int) -> None:
        refuse_newer(self.place, journal_version(self._link))
        if self._lock is not None:
            self._lock.take()
        migrate_journal(self._link)
        check_known(self._rows.types())
        JournalReader(self._rows, self.path).check_tail(TAIL_CHECK_MOST, TAIL_CHECK_LEAST)
        try:
            row = self._link.run(lambda connection: self._open_anew(connection, opened_at))
        except ServerRefused as refused:
            if refused.sqlstate == FENCED:
                raise Fenced(f"cannot open: {refused}") from refused
            raise
        self._opening, self._session, position, checksum = row
        self._head = Head(position, checksum)
        self._load_dictionary()
        self._at = self._rows.last_at()

    async def _open_anew(self, connection: Any, at: int) -> Any:
        """Take the head over; whoever had it can append nothing from now on."""
        schema = self.place.schema
        async with connection.transaction():
            if self._fences:
                held = list(self._fences.items())
                names, tokens = [name for name, _ in held], [token for _, token in held]
                await connection.execute(f"SELECT {schema}.must_hold($1, $2)", names, tokens)
            row = await connection.fetchrow(OPEN.replace("{s}", schema))
            note = f"INSERT INTO {schema}.openings VALUES ($1, $2, $3, $4)"  # noqa: S608 a checked name
            await connection.execute(note, row[0], at, os.getpid(), socket.gethostname())
            return row

    def _load_dictionary(self) -> None:
        """Learn the ends of streams now, so that staging an append asks the server nothing: it may be away just then."""
        streams = int(self._rows.one("SELECT coalesce(max(id), 0) FROM {s}.streams")[0])
        self._dictionary = Dictionary(self._find_end, self._rows.types(), streams)
        for number, name, seq in self._link.fetch(ENDS.replace("{s}", self.place.schema), STREAMS_KNOWN):
            self._dictionary.ends[name] = StreamEnd(StoredStream(number, name, stream_tag(name.encode())), seq)
        self._older = streams > len(self._dictionary.ends)

    def _is_new(self, name: str) -> bool:
        return not self._older and name not in self._dictionary.ends

    def _find_end(self, name: str) -> StreamEnd | None:
        if not self._older:
            return None
        number = self._rows.stream_number(name)
        if number is None:
            return None
        return StreamEnd(StoredStream(number, name, stream_tag(name.encode())), self._rows.stream_end(number))


async def _settle(connection: Any, durability: Durability, place: Place) -> None:
    """Set what an append has survived when it returns, and for how long another transaction's lock is waited for."""
    if durability is not Durability.FULL:
        await connection.execute("SET synchronous_commit = off")
    elif await connection.fetchval("SHOW synchronous_commit") == "off":
        await connection.execute("SET synchronous_commit = on")
    # The server gives up first: an answer is better than a connection that has to be given up.
    await connection.execute(f"SET lock_timeout = {int(place.command_timeout_s * 500)}")


def open_journal(
    place: Place,
    *,
    durability: Durability | str = Durability.FULL,
    opened_at: int = 0,
    fences: Mapping[str, int] | None = None,
    lease_of: LeaseOf = lambda _: None,
) -> PostgresJournal:
    """Open a journal for writing, make its schema when there is none.

    With ``fences`` (lease -> token) it takes over from whoever has the journal open, if these are the newest tokens; without
    them it is refused while another process has it open. ``lease_of`` says which lease the writer of a stream must hold.
    ``opened_at`` is in nanoseconds UTC, 0 when nobody knows. Raises JournalLocked, Fenced, JournalUnavailable,
    JournalTooNew (nothing was touched), JournalCorrupt (by the check of the tail) or MigrationFailed.
    """
    return PostgresJournal(place, Durability(durability), opened_at, fences, lease_of)


def open_reader(place: Place, *, check: bool = True) -> JournalReader:
    """Open an existing journal for reading, also while another process writes it.

    Raises ``JournalUnavailable`` (unreachable, no journal there), ``JournalTooNew`` and, unless ``check`` is off,
    ``JournalCorrupt``.
    """
    link = Link(place, "reader", writes=False)
    try:
        version = journal_version(link)
        if version == 0:
            raise JournalUnavailable(f"{place}: there is no journal")
        if version < VERSION:
            raise JournalUnavailable(f"{place} has journal version {version}: `bulkhead up` brings it to {VERSION}")
        refuse_newer(place, version)
        rows = PostgresRows(link)
        check_known(rows.types())
        reader = JournalReader(rows, str(place))
        if check:
            reader.check_tail(TAIL_CHECK_MOST, TAIL_CHECK_LEAST)
    except BaseException:
        link.close()
        raise
    return reader
