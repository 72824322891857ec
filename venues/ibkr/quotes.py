"""Prices that are followed: subscribed once, told as they come, subscribed anew when the broker says they are lost."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final

from protocol.market import PriceTick
from protocol.messages import Message
from rules.broker.pacing import Kind
from venues.ibkr.contracts import Found
from venues.ibkr.gateway import exact
from venues.ibkr.line import Line

__all__ = ["DEADLINE_S", "Quotes"]

DEADLINE_S: Final = 60.0
"""Connected, something is followed, and not one price for so long: the market is closed or the data is gone."""

_FRESH_S: Final = 5.0
"""A price of this age is told again to who asks; after an older one the market is asked anew."""

_LIVE: Final = 1
_NANOS: Final = 1_000_000_000


class Quotes:
    """The quotes of one connection. ``tell`` takes every tick; ``tick_at`` is when the last one came (ns)."""

    def __init__(self, line: Line, now: Callable[[], int], tell: Callable[[Message], None]) -> None:
        self._line = line
        self._now = now
        self._tell = tell
        self._followed: dict[int, Found] = {}
        self._newest: dict[int, PriceTick] = {}
        self.tick_at = now()
        line.gateway.each_ticker(self._ticked)

    @property
    def mute(self) -> bool:
        """Whether something is followed and nothing has come for too long."""
        return bool(self._followed) and self._now() - self.tick_at > DEADLINE_S * _NANOS

    def newest(self, found: Found) -> PriceTick | None:
        """Return the last price that came."""
        return self._newest.get(found.con_id)

    async def follow(self, found: Found) -> None:
        """Have a contract's prices told; the newest comes first. One that has said nothing for a while is asked anew."""
        tick = self._newest.get(found.con_id)
        if tick is not None and self._now() - tick.at < _FRESH_S * _NANOS:
            self._tell(tick)
            return
        if found.con_id in self._followed:
            await self._line.ask(Kind.DATA, partial(self._end, found))
        self._followed[found.con_id] = found
        self.tick_at = self._now()
        await self._line.ask(Kind.DATA, partial(self._subscribe, found))

    async def once(self, found: Found) -> PriceTick | None:
        """Ask for one quote, without following it; None when there is none."""
        contract = found.contract()
        self._line.gateway.forget_quote(contract)
        told = await self._line.ask(Kind.DATA, lambda: self._line.gateway.reqTickersAsync(contract))
        return self._tick(found, told[0]) if told else None

    async def follow_anew(self) -> None:
        """Ask for everything that is followed once more."""
        self.tick_at = self._now()
        for found in tuple(self._followed.values()):
            await self._line.ask(Kind.DATA, partial(self._subscribe, found))

    def refused(self, contract: Any) -> Found | None:
        """Forget a contract whose prices the broker refuses, so that the next ``follow`` asks again; return it."""
        return self._followed.pop(int(contract.conId), None)

    async def _subscribe(self, found: Found) -> None:
        self._line.gateway.forget_quote(found.contract())
        self._line.gateway.reqMktData(found.contract(), "", False, False)

    async def _end(self, found: Found) -> None:
        self._line.gateway.cancelMktData(found.contract())

    def _ticked(self, ticker: Any) -> None:
        found = self._followed.get(int(ticker.contract.conId))
        if found is None:
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
