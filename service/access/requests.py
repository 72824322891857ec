"""Which requests were begun and what they were answered with, by the id that the caller gave (a file of its own: SQLite).

A request is written down before anything is done, so that a daemon that dies in the middle knows that it may have been done.
The same id never acts twice: it gets the first answer again, or is told that nobody knows.
"""

from __future__ import annotations

import sqlite3
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from service.access.store import AccessFileUnsafe, private_file

__all__ = ["KEPT_NS", "REQUESTS_FILE", "Request", "RequestStore", "State"]

REQUESTS_FILE: Final = "requests.db"
KEPT_NS: Final = 7 * 86_400 * 10**9
"""How long an id is known; nobody sends a request again after a week."""

_TABLE: Final = """
create table if not exists requests (
    caller text not null, id text not null, digest blob not null, state text not null, status integer not null,
    answer blob not null, at integer not null, primary key (caller, id)
) without rowid;
create index if not exists requests_by_time on requests (at);
"""


class State(StrEnum):
    """How far a request is."""

    BEGUN = "begun"
    DONE = "done"


class Request(NamedTuple):
    """One request; ``digest`` is of what was asked, ``answer`` empty for one that is not to be repeated."""

    digest: bytes
    state: State
    status: int
    answer: bytes


class RequestStore:
    """The open file; one thread at a time. What a method has returned is on the disk."""

    def __init__(self, path: Path, now: int) -> None:
        private_file(path)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.executescript(_TABLE)
            self._db.execute("delete from requests where at < ?", (now - KEPT_NS,))
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise AccessFileUnsafe(
                f"{path}: {error}: move it away; requests of before are then not recognised"
            ) from error

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def begin(self, caller: str, ident: str, digest: bytes, now: int) -> Request | None:
        """Return what is known of a request; None for a new one, which is then written down as begun."""
        self._db.execute("begin immediate")
        try:
            found = self._db.execute(
                "select digest, state, status, answer from requests where caller = ? and id = ?", (caller, ident)
            ).fetchone()
            if found is None:
                self._db.execute(
                    "insert into requests values (?, ?, ?, ?, 0, x'', ?)",
                    (caller, ident, digest, State.BEGUN, now),
                )
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")
        return None if found is None else Request(found[0], State(found[1]), *found[2:])

    def finish(self, caller: str, ident: str, status: int, answer: bytes) -> None:
        """Keep what a request was answered with."""
        self._db.execute(
            "update requests set state = ?, status = ?, answer = ? where caller = ? and id = ?",
            (State.DONE, status, answer, caller, ident),
        )

    def forget(self, caller: str, ident: str) -> None:
        """Forget a request of which it is certain that nothing was done."""
        self._db.execute("delete from requests where caller = ? and id = ?", (caller, ident))
