"""Leases: who may act for a name (a venue account, the house) until when, decided by the server's clock alone.

Each time a lease changes hands its token grows. Whoever holds a token proves with it that he is still the holder: a journal
that was opened with tokens refuses every append once one of them is not the newest (``Fenced``). So it does no harm when a
holder sleeps longer than his lease: when he wakes, he can journal nothing, and so send nothing.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from store.postgres.link import Link
from store.postgres.place import Place
from store.postgres.schema import migrate_journal

__all__ = ["HOUSE", "Lease", "LeaseStore", "account_lease"]

HOUSE: Final = "house"
"""The lease of everything that belongs to no venue account."""

_ACQUIRE: Final = """INSERT INTO {s}.leases AS l VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3),
        clock_timestamp(), clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = l.token + 1, acquired_at = clock_timestamp(),
        renewed_at = clock_timestamp(), expires_at = clock_timestamp() + make_interval(secs => $3)
    WHERE l.expires_at <= clock_timestamp() OR l.holder = excluded.holder
    RETURNING l.token"""

_RENEW: Final = """UPDATE {s}.leases SET renewed_at = clock_timestamp(),
        expires_at = clock_timestamp() + make_interval(secs => $4)
    WHERE name = $1 AND holder = $2 AND token = $3 RETURNING token"""

# Kept, or the next token would not be greater.
_RELEASE: Final = """UPDATE {s}.leases SET expires_at = clock_timestamp()
    WHERE name = $1 AND holder = $2 AND token = $3 RETURNING token"""

_ALL: Final = """SELECT name, holder, token, (extract(epoch FROM expires_at - clock_timestamp()))::float8 FROM {s}.leases
    ORDER BY name"""


class Lease(NamedTuple):
    """One lease as the server sees it at this moment; ``left_s`` is negative when it has run out."""

    name: str
    holder: str
    token: int
    left_s: float

    @property
    def held(self) -> bool:
        """Whether it has not run out."""
        return self.left_s > 0


class LeaseStore:
    """Takes, renews and gives back leases of one place; one thread at a time, on a connection of its own.

    Every call is one statement. Raises JournalUnavailable when the server cannot be asked: the lease may have been changed
    then, which asking again finds out. Makes the schema when there is none.
    """

    def __init__(self, place: Place) -> None:
        self._link = Link(place, "leases")
        try:
            migrate_journal(self._link)
        except BaseException:
            self._link.close()
            raise

    def acquire(self, name: str, holder: str, ttl_s: float) -> int | None:
        """Take a lease that nobody holds; return its new token, None while another holder has it.

        ``holder`` names one process. Whoever has that name already holds the lease takes it anew, with a greater token: his
        former life, should it wake, is fenced off.
        """
        found = self._ask(_ACQUIRE, name, holder, ttl_s)
        return int(found[0][0]) if found else None

    def renew(self, name: str, holder: str, token: int, ttl_s: float) -> bool:
        """Hold a lease for ``ttl_s`` from now on; return False when another has it by now.

        One that ran out and that nobody took meanwhile is still the holder's.
        """
        return bool(self._ask(_RENEW, name, holder, token, ttl_s))

    def release(self, name: str, holder: str, token: int) -> bool:
        """Give a lease back, so that others need not wait until it runs out; return False when another has it."""
        return bool(self._ask(_RELEASE, name, holder, token))

    def leases(self) -> list[Lease]:
        """Return every lease there ever was, by name."""
        return [Lease(*row) for row in self._ask(_ALL)]

    def find(self, name: str) -> Lease | None:
        """Return one lease."""
        return next((lease for lease in self.leases() if lease.name == name), None)

    def close(self) -> None:
        """Release the connection; leases that were not given back run out by themselves."""
        self._link.close()

    def _ask(self, sql: str, *values: object) -> list[Any]:
        return self._link.fetch(sql.replace("{s}", self._link.place.schema), *values)


def account_lease(account: str) -> str:
    """Return the name of a venue account's lease."""
    return f"account:{account}"
