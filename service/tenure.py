"""Tenure: the leases that make this process the one that trades, and until when it may believe so.

The server's clock decides who holds a lease. Here counts only how long ago a renewal was *asked for*: a process that slept
(SIGSTOP, a suspended laptop, a partition) finds its tenure over when it wakes, before it has asked anybody. What it may have
had half-way to a venue then carries the same instant (``Venue.send_by``) and is refused there.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from actors.tenure import LeaseKeeper
from runtime.clock import NANOS
from runtime.journal import JournalUnavailable
from store.postgres.leases import HOUSE, LeaseStore, account_lease
from supervision.child import ChildSpec

__all__ = ["MARGIN_S", "Tenure", "fences_of", "lease_keeper", "lease_of", "names_for", "process_name"]

MARGIN_S: Final = 0.5
"""So much earlier than the server we count our tenure as over: two clocks never run alike."""

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def names_for(accounts: list[str]) -> list[str]:
    """Return the leases that a daemon of these accounts needs, in the order they are taken."""
    return [HOUSE, *(account_lease(account) for account in sorted(accounts))]


def lease_of(accounts: list[str]) -> Callable[[str], str]:
    """Return what says which lease the writer of a journal stream must hold."""
    by_length = sorted(accounts, key=len, reverse=True)

    def lease(stream: str) -> str:
        for account in by_length:
            if f"/{account}/" in stream or stream.endswith(f"-{account}"):
                return account_lease(account)
        return HOUSE

    return lease


def process_name(node: str) -> str:
    """Return a name that no other process has, nor this one in another life."""
    return f"{node}:{os.getpid()}:{uuid.uuid4().hex[:8]}"  # house: two processes must not share a name


class Tenure:
    """The leases of one process. One thread at a time may take, renew and give back; ``send_by`` is for everybody."""

    def __init__(self, store: LeaseStore, names: list[str], holder: str, ttl_s: float) -> None:
        self._store = store
        self._names = names
        self.holder = holder
        self.ttl_s = ttl_s
        self.tokens: dict[str, int] = {}
        self._over_at = 0.0

    def take(self) -> str:
        """Take all leases or none; return an empty string, or who holds one of them.

        Raises JournalUnavailable when the server cannot be asked.
        """
        asked = _elapsed()
        for name in self._names:
            token = self._store.acquire(name, self.holder, self.ttl_s)
            if token is None:
                self.give_back()
                found = self._store.find(name)
                return found.holder if found is not None else "another process"
            self.tokens[name] = token
        self._over_at = asked + self.ttl_s - MARGIN_S
        return ""

    def renew(self) -> bool:
        """Hold all leases for longer; False when another process has one. Raises JournalUnavailable."""
        asked = _elapsed()
        for name, token in self.tokens.items():
            if not self._store.renew(name, self.holder, token, self.ttl_s):
                self._over_at = 0.0
                return False
        self._over_at = asked + self.ttl_s - MARGIN_S
        return True

    @property
    def left_s(self) -> float:
        """For how many seconds this process may still act; negative when its tenure is over."""
        return self._over_at - _elapsed()

    def send_by(self, now: int) -> int:
        """Return until which instant of a clock that shows ``now`` anything may leave."""
        return now + round(self.left_s * NANOS)

    def give_back(self) -> None:
        """Let others have the leases at once; those that cannot be given back run out by themselves."""
        self._over_at = 0.0
        for name, token in self.tokens.items():
            try:
                self._store.release(name, self.holder, token)
            except JournalUnavailable:
                return
        self.tokens.clear()

    def close(self) -> None:
        """Give back and let go of the server."""
        self.give_back()
        self._store.close()


def _elapsed() -> float:
    return time.clock_gettime(_CLOCK)  # house: how long this process slept is told by no clock that can be set


def fences_of(tenure: Tenure, accounts: list[str]) -> dict[str, Any]:
    """Return what the journal is to check at every append."""
    return {"fences": tenure.tokens, "lease_of": lease_of(accounts)}


def lease_keeper(tenure: Tenure | None) -> list[ChildSpec]:
    """Return the recipe of who renews the leases, where there are any. It never gives up by itself."""
    if tenure is None:
        return []
    factory = partial(LeaseKeeper, tenure.renew, lambda: tenure.left_s, tenure.ttl_s, tenure.holder)
    return [ChildSpec("lease", factory)]
