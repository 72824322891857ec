"""The file of people, sessions, tokens and locks: SQLite, readable by its owner alone, every change on the disk at once.

It stands beside the journal and not in it: what is in here must be forgettable, and no hash belongs into a record that is
kept for ever. A daemon and a command line may have it open at the same time; ``changed`` says that another one has written.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from protocol.codec import decode_json, encode_json
from protocol.errors import BulkheadError
from service.access.rows import Person, Session, Token

__all__ = ["ACCESS_FILE", "AccessFileUnsafe", "AccessStore", "private_file"]

ACCESS_FILE: Final = "access.db"

_VERSION: Final = 1
_TABLES: Final = """
create table if not exists people   (id text primary key, row blob not null) without rowid;
create table if not exists sessions (id text primary key, row blob not null) without rowid;
create table if not exists tokens   (id text primary key, row blob not null) without rowid;
create table if not exists locks    (id text primary key, until integer not null) without rowid;
"""

R = TypeVar("R", bound=msgspec.Struct)


class AccessFileUnsafe(BulkheadError):
    """Others can read the file of people and tokens, or it is none of ours."""


class AccessStore:
    """The open file. Every method is one transaction; call them from one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        private_file(path)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise AccessFileUnsafe(f"{path}: {error}: move it away, then let people in again") from error

    def _open(self) -> None:
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        found = self._db.execute("pragma user_version").fetchone()[0]
        if found > _VERSION:
            raise sqlite3.DatabaseError("it was written by a newer bulkhead")
        self._db.executescript(_TABLES)
        self._db.execute(f"pragma user_version = {_VERSION}")
        self._seen = self._version()

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    # --- looking -------------------------------------------------------------------------------------------------------

    def changed(self) -> bool:
        """Tell whether somebody else has written since the last time this was asked."""
        before, self._seen = self._seen, self._version()
        return before != self._seen

    def people(self) -> list[Person]:
        """Return everybody."""
        return self._rows("people", Person)

    def sessions(self) -> list[Session]:
        """Return every session that is kept, ended ones too."""
        return self._rows("sessions", Session)

    def tokens(self) -> list[Token]:
        """Return every token, revoked ones too."""
        return self._rows("tokens", Token)

    def locks(self) -> dict[str, int]:
        """Return until when each name or address is locked."""
        return dict(self._db.execute("select id, until from locks"))

    # --- writing -------------------------------------------------------------------------------------------------------

    def put_person(self, row: Person) -> None:
        """Keep a person, in place of one of the same name."""
        self._put("people", row.name, row)

    def drop_person(self, name: str) -> None:
        """Forget a person and every session of theirs."""
        with self._transaction():
            self._db.execute("delete from people where id = ?", (name,))
            for each in self.sessions():
                if each.person == name:
                    self._db.execute("delete from sessions where id = ?", (each.id,))

    def put_session(self, row: Session) -> None:
        """Keep a session."""
        self._put("sessions", row.id, row)

    def put_token(self, row: Token) -> None:
        """Keep a token."""
        self._put("tokens", row.id, row)

    def put_locks(self, until: Mapping[str, int]) -> None:
        """Keep locks over a restart."""
        with self._transaction():
            self._db.executemany("insert or replace into locks values (?, ?)", until.items())

    def forget_before(self, at: int) -> None:
        """Drop locks that are over and sessions that ended before an instant."""
        with self._transaction():
            self._db.execute("delete from locks where until <= ?", (at,))
            for each in self.sessions():
                if min(each.until, each.ended_at or each.until) <= at:
                    self._db.execute("delete from sessions where id = ?", (each.id,))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def _put(self, table: str, key: str, row: msgspec.Struct) -> None:
        self._db.execute(f"insert or replace into {table} values (?, ?)", (key, encode_json(row)))  # noqa: S608 - ours

    def _rows(self, table: str, of: type[R]) -> list[R]:
        read: Callable[[bytes, Any], R] = decode_json
        return [read(row, of) for (row,) in self._db.execute(f"select row from {table} order by id")]  # noqa: S608 - ours

    def _version(self) -> int:
        found: int = self._db.execute("pragma data_version").fetchone()[0]
        return found


def private_file(path: Path) -> None:
    """Make the file with its final mode, so that there is no moment at which others could read it; refuse an open one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise AccessFileUnsafe(
            f"others can read {path} (mode {mode:o}): run chmod 600 {path}, then change the passwords"
        )
