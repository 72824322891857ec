"""Prices that are followed: subscribed once, told as they come, subscribed anew when the broker says they are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Any, Final

from protocol.market import PriceTick
from protocol.messages import Message
from rules.broker.pacing import Kind
from runtime.clock import NANOS
from venues.errors import VenueError
from venues.ibkr.contracts import Found
from venues.ibkr.described import contract_of
from venues.ibkr.gateway import exact
from venues.ibkr.line import Line

__all__ = ["DEADLINE_S", "QUOTE_S", "Quotes"]

DEADLINE_S: Final = 60.0
"""Connected, something is followed, and not one price for so long: the market is closed or the data is gone."""

QUOTE_S: Final = 2.0
"""How long one quote is waited for."""

_FRESH_S: Final = 5.0
"""A price of this age is told again to who asks; after an older one the market is asked anew."""

_LIVE: Final = 1


class Quotes:
    """The quotes of one connection. ``tell`` takes every tick; ``tick_at`` is when the last one came (ns)."""

    def __init__(self, line: Line, now: Callable[[], int], tell: Callable[[Message], None]) -> None:
        self._line = line
        self._now = now
        self._tell = tell
        self._followed: dict[int, Found] = {}
        self._newest: dict[int, PriceTick] = {}
        self._asked: dict[int, asyncio.Event] = {}
        self._errors: dict[int, VenueError] = {}
        self.tick_at = now()
        line.gateway.each_ticker(self._ticked)

    @property
    def mute(self) -> bool:
        """Whether something is followed and nothing has come for too long."""
        return bool(self._followed) and self._now() - self.tick_at > DEADLINE_S * NANOS

    def newest(self, found: Found) -> PriceTick | None:
        """Return the last price that came, unless it is old."""
        tick = self._newest.get(found.con_id)
        return tick if tick is not None and self._now() - tick.at < _FRESH_S * NANOS else None

    async def follow(self, found: Found) -> None:
        """Have a contract's prices told; the newest comes first. One that has said nothing for a while is asked anew."""
        if (tick := self.newest(found)) is not None:
            self._tell(tick)
            return
        if found.con_id in self._followed:
            await self._line.ask(Kind.DATA, partial(self._end, found))
        self._followed[found.con_id] = found
        self.tick_at = self._now()
        await self._line.ask(Kind.DATA, partial(self._subscribe, found))

    async def price(self, found: Found) -> tuple[PriceTick | None, Decimal | None]:
        """Return a live quote, and some price that it was traded at; None for what does not come within a moment.

        A snapshot of the broker's would take eleven seconds where a market is closed. Raises NotSubscribed.
        """
        if (tick := self.newest(found)) is not None:
            return tick, tick.last
        changed = self._asked[found.con_id] = asyncio.Event()
        ticker = await self._line.ask(Kind.DATA, partial(self._subscribe, found))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(QUOTE_S):
                    while self._tick(found, ticker) is None and found.con_id not in self._errors:
                        self._line.check()
                        await changed.wait()
                        changed.clear()
        finally:
            self._asked.pop(found.con_id, None)
            await self._line.tell(lambda: self._line.gateway.cancelMktData(contract_of(found)))
        if (error := self._errors.pop(found.con_id, None)) is not None:
            raise error
        near = next((each for each in map(exact, (ticker.last, ticker.close)) if each is not None and each > 0), None)
        tick = self._tick(found, ticker)
        return tick, near if tick is None else tick.last

    def wake(self) -> None:
        """Let nobody wait for a price any more: the connection is over."""
        for changed in self._asked.values():
            changed.set()

    async def follow_anew(self) -> None:
        """Ask for everything that is followed once more."""
        self.tick_at = self._now()
        for found in tuple(self._followed.values()):
            await self._line.ask(Kind.DATA, partial(self._subscribe, found))

    def refused(self, contract: Any, error: VenueError) -> Found | None:
        """Take that the broker refuses a contract's prices; return one that was followed, and is no more."""
        con_id = int(contract.conId)
        if (changed := self._asked.get(con_id)) is not None:
            self._errors[con_id] = error
            changed.set()
            return None
        return self._followed.pop(con_id, None)

    async def _subscribe(self, found: Found) -> Any:
        self._line.gateway.forget_quote(contract_of(found))
        return self._line.gateway.reqMktData(contract_of(found), "", False, False)

    async def _end(self, found: Found) -> None:
        self._line.gateway.cancelMktData(contract_of(found))

    def _ticked(self, ticker: Any) -> None:
        con_id = int(ticker.contract.conId)
        if (changed := self._asked.get(con_id)) is not None:
            changed.set()
        if (found := self._followed.get(con_id)) is None:
            return
        if (tick := self._tick(found, ticker)) is not None:
            self.tick_at = tick.at
            self._newest[found.con_id] = tick
            self._tell(tick)

    def _tick(self, found: Found, ticker: Any) -> PriceTick | None:
        if ticker.marketDataType != _LIVE:
            return None  # frozen or delayed: the broker says nothing of how old it is
        bid, ask, last = exact(ticker.bid), exact(ticker.ask), exact(ticker.last)
        if bid is None or ask is None or not 0 < bid <= ask:
            return None
        middle = last if last is not None and last > 0 else (bid + ask) / Decimal(2)
        return PriceTick(found.name, self._now(), bid, ask, middle)
