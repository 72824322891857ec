"""Writes the newest quotes of each account into the cache, now and then and all together.

It reads prices where they stand on the bus: a tick costs nothing here, and of many ticks between two writes only the
newest is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from actors.session_topics import market_topic
from protocol.market import PriceTick
from protocol.messages import Message
from protocol.nodes import Quote
from runtime.actor import Actor, handles
from store.cache.contract import Cache
from store.cache.keys import QUOTE_TTL_S, quote_key

__all__ = ["WRITE_EVERY_S", "QuoteWriter", "Quoted"]

WRITE_EVERY_S: Final = 1.0


class Quoted(NamedTuple):
    """An account's symbols, and what screens call their prices."""

    source: str
    symbols: Sequence[str]


class _Due(Message, frozen=True, tag=True):
    pass


class _Written(Message, frozen=True, tag=True):
    seen: bool
    count: int


class QuoteWriter(Actor):
    """One a daemon. A write that is still under way when the next is due lets it pass."""

    def __init__(self, cache: Cache, accounts: Mapping[str, Quoted], every_s: float = WRITE_EVERY_S) -> None:
        self._cache = cache
        self._accounts = accounts
        self._every_s = every_s
        self._newest: dict[str, PriceTick] = {}
        self._writing = False
        self.written = 0
        self.unseen = 0

    def started(self) -> None:
        """Write at an interval."""
        self.timers.every(self._every_s, _Due())

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{len(self._newest)} symbols, {self.written} quotes written, {self.unseen} while the cache was away"

    @handles
    def due(self, msg: _Due) -> None:  # noqa: ARG002 - the type is the message
        """Write what has changed since the last time."""
        if self._writing:
            return
        changed = self._changed()
        if changed:
            self._writing = True
            count = len(changed)
            self.context.pipe(self._cache.set_many(changed, QUOTE_TTL_S), lambda seen: _Written(seen, count), real=True)

    def _changed(self) -> dict[str, Quote]:
        kept, newest = self.context.bus.kept, self._newest
        found: dict[str, Quote] = {}
        for account, quoted in self._accounts.items():
            for symbol in quoted.symbols:
                tick: PriceTick | None = kept(market_topic(account, symbol))
                key = quote_key(account, symbol)
                if tick is not None and tick is not newest.get(key):
                    newest[key] = tick
                    found[key] = Quote(quoted.source, tick.at, tick.bid, tick.ask, tick.last)
        return found

    @handles
    def done(self, msg: _Written) -> None:
        """Be free for the next write."""
        self._writing = False
        if msg.seen:
            self.written += msg.count
        else:
            self.unseen += msg.count
