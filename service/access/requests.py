"""Which requests were begun and what they were answered with, by the id that the caller gave.

A request is written down before anything is done, so that a daemon that dies in the middle knows that it may have been done,
and so does whoever takes over from it, where both are on one server. The same id never acts twice: it gets the first answer
again, or is told that nobody knows.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from service.access.opening import open_tables
from service.access.tables import Kind, Statement, Where

__all__ = ["KEPT_NS", "REQUESTS", "REQUESTS_FILE", "Request", "RequestStore", "State"]

REQUESTS_FILE: Final = "requests.db"
KEPT_NS: Final = 7 * 86_400 * 10**9
"""How long an id is known; nobody sends a request again after a week."""

_FORGET_EVERY_NS: Final = 3_600 * 10**9
REQUESTS: Final = Kind(
    name="requests",
    version=1,
    tables={
        "requests": "caller text not null, id text not null, digest {bytes} not null, state text not null, "
        "status integer not null, answer {bytes} not null, at bigint not null, primary key (caller, id)"
    },
    advice="move it away; requests of before are then not recognised",
)


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
    """The open store; one thread at a time. What a method has returned is on the disk. Raises as ``AccessStore`` does."""

    def __init__(self, where: Where, now: int, former: Path | None = None) -> None:
        self._tables = open_tables(where, REQUESTS, former)
        self._forget_old(now)

    def close(self) -> None:
        """Release it."""
        self._tables.close()

    def begin(self, caller: str, ident: str, digest: bytes, now: int) -> Request | None:
        """Return what is known of a request; None for a new one, which is then written down as begun."""
        if now - self._forgot_at >= _FORGET_EVERY_NS:
            self._forget_old(now)
        new = Statement(
            "insert into requests values (?, ?, ?, ?, 0, ?, ?) on conflict do nothing",
            (caller, ident, digest, State.BEGUN.value, b"", now),
        )
        while not self._tables.write(new):
            known = "select digest, state, status, answer from requests where caller = ? and id = ?"
            for found, state, status, answer in self._tables.fetch(known, caller, ident):
                return Request(found, State(state), status, answer)
            # Forgotten between the two: it is new again.
        return None

    def finish(self, caller: str, ident: str, status: int, answer: bytes) -> None:
        """Keep what a request was answered with."""
        done = "update requests set state = ?, status = ?, answer = ? where caller = ? and id = ?"
        self._tables.write(Statement(done, (State.DONE.value, status, answer, caller, ident)))

    def forget(self, caller: str, ident: str) -> None:
        """Forget a request of which it is certain that nothing was done."""
        self._tables.write(Statement("delete from requests where caller = ? and id = ?", (caller, ident)))

    def _forget_old(self, now: int) -> None:
        self._forgot_at = now
        self._tables.write(Statement("delete from requests where at < ?", (now - KEPT_NS,)))
