"""The broker's lists of orders and trades, asked for by many and fetched once: each may be asked for every five seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from runtime.clock import NANOS
from venues.access import Tools
from venues.errors import VenueDown
from venues.ibkr_web.book import Book, Row
from venues.ibkr_web.instruments import Instruments
from venues.ibkr_web.wire import Wire

__all__ = ["DAYS", "MOST_ORDERS", "Lists"]

DAYS: Final = 7
"""Trades of so many days are told, today's among them."""

MOST_ORDERS: Final = 1000
"""A list of orders with so many may be cut off."""

_ORDERS: Final = "iserver/account/orders"
_TRADES: Final = "iserver/account/trades"
_WAIT_S: Final = 0.2
_FORCE_S: Final = 3.0
_TRIES: Final = 10
_NO_FEE_NS: Final = 10_000_000_000


class Lists:
    """The lists of one connection. ``account`` returns the broker's number of the account."""

    def __init__(self, venue: str, tools: Tools, wire: Wire, book: Book, instruments: Instruments) -> None:
        self._venue = venue
        self._tools = tools
        self._wire = wire
        self._book = book
        self._instruments = instruments
        self._fetching: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[None] | None = None
        self.account: Callable[[], str] = lambda: ""
        self._began: int | None = None
        self._forcing: asyncio.Task[None] | None = None
        self.forced_at = -1
        """When the last lists past the broker's cache were asked for (ns)."""
        self.missed = 0
        """Trades that a list told and no stream before it."""

    async def fetch(self, *, not_older_s: float = 0.0) -> None:
        """Take orders, then trades, all asked for after this call or at most ``not_older_s`` before it."""
        if self._began is not None and self._tools.now() - self._began < not_older_s * NANOS:
            return
        await asyncio.shield(self._round())

    async def past_the_cache(self, since: int) -> bool:
        """Take the lists past the broker's own cache; return whether that was done at or after ``since``.

        At the broker's pace it takes longer than a question may: it goes on beside, and the next question finds it done.
        """
        if self.forced_at >= since:
            return True
        if self._forcing is None:
            self._forcing = asyncio.create_task(self._force())
            self._forcing.add_done_callback(self._forced)
        await asyncio.wait((self._forcing,), timeout=_FORCE_S)
        return self.forced_at >= since

    async def _force(self) -> None:
        began = self._tools.now()
        await self._wire.ask(_ORDERS, {"force": "true"})  # is answered with no orders; the next answer is fresh
        await self.fetch()
        self.forced_at = began

    def _forced(self, task: asyncio.Task[None]) -> None:
        self._forcing = None
        if not task.cancelled():
            task.exception()  # whoever asked sees that it was not done

    def close(self) -> None:
        """End what is under way."""
        for task in (self._forcing, self._fetching, self._waiting):
            if task is not None:
                task.cancel()

    def _round(self) -> asyncio.Task[None]:
        """Return a round that has not begun yet: whoever asks now must see what is so now."""
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._after(self._fetching))
            self._waiting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._waiting

    async def _after(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait((before,))
        await self._wire.until_due(_ORDERS)  # nothing is asked yet: others may still join
        self._fetching, self._waiting = self._waiting, None
        try:
            await self._take()
        finally:
            self._fetching = None

    async def _take(self) -> None:
        """Take the list of orders, then that of trades: what leaves the first meanwhile has its trades in the second."""
        began = self._tools.now()
        before = [known for known in self._book.orders.values() if known.status and not known.over and known.perm_id]
        orders = await self._orders()
        trades = await self._trades()
        await self._instruments.learn(self._book.con_id(row) for row in (*orders, *trades))
        self._tell_trades(trades)
        for row in orders:
            self._book.order(row)
        listed = {int(row["orderId"]) for row in orders}
        for known in before:
            if not known.over and known.perm_id not in listed:
                known.status = ""  # it was open, and the broker says nothing of it any more
        self._began = began

    def _tell_trades(self, rows: Sequence[Row]) -> None:
        now, before = self._tools.now(), self._book.trades
        for row in sorted(rows, key=lambda each: int(each["trade_time_r"])):
            late = row.get("commission") in (None, "") and now - int(row["trade_time_r"]) * 1_000_000 > _NO_FEE_NS
            # A position that nobody knows of is worse than a missing fee.
            self._book.trade({**row, "commission": "0"} if late else row)
        self.missed += self._book.trades - before

    async def _orders(self) -> list[Row]:
        """Return all orders; the first answer after a login is none."""
        for _ in range(_TRIES):
            told = await self._wire.ask(_ORDERS, {"accountId": self.account()})
            rows = _rows(self._venue, told.get("orders") if isinstance(told, dict) else told)
            if not isinstance(told, dict) or told.get("snapshot") is not False:
                if len(rows) >= MOST_ORDERS:
                    raise VenueDown(self._venue, f"the broker lists {MOST_ORDERS} orders at most: there may be more")
                return [row for row in rows if self._book.hears(row)]
            await self._tools.sleep(_WAIT_S)
        raise VenueDown(self._venue, "the broker's list of orders does not become whole")

    async def _trades(self) -> list[Row]:
        rows = _rows(self._venue, await self._wire.ask(_TRADES, {"days": str(DAYS), "accountId": self.account()}))
        return [row for row in rows if self._book.hears(row)]


def _rows(venue: str, told: Any) -> list[Row]:
    if told is None:
        return []
    if not isinstance(told, list):
        raise VenueDown(venue, "a list that is none")
    return told
