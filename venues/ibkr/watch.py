"""What is done beside the calls of a connection: heartbeats, trades without commission, prices that stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from protocol.market import FeedState
from rules.broker.pacing import Kind
from venues.access import Tools
from venues.errors import VenueError
from venues.ibkr.book import Book
from venues.ibkr.heartbeat import Heartbeat
from venues.ibkr.line import Line
from venues.ibkr.quotes import Quotes

__all__ = ["Watch"]

_COMMISSION_S: Final = 2.0
"""How long a trade's commission may take before the trades of the day are asked for again."""

_LOOK_S: Final = 15.0


class Watch:
    """The tasks of one connection. ``feed`` says how the prices do, ``heart`` how the session stands (PF-238)."""

    def __init__(
        self, line: Line, book: Book, quotes: Quotes, tools: Tools, feed: Callable[[FeedState, str], None]
    ) -> None:
        self._line = line
        self._book = book
        self._quotes = quotes
        self._tools = tools
        self._feed = feed
        self.heart = Heartbeat(tools, self._ask, feed, line.lost)
        work = (self.heart.beat, self._chase, self._look)
        self._tasks = [asyncio.create_task(self._kept(each)) for each in work]

    def stop(self) -> None:
        """End the tasks; the one that asks for it ends by itself."""
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async def _kept(self, work: Callable[[], Awaitable[None]]) -> None:
        # An error of the venue here means that the connection is over: its end is told by the line.
        with suppress(VenueError):
            while not self._line.ended:
                await work()

    async def _ask(self) -> None:
        await self._line.ask(Kind.ORDER, self._line.gateway.reqCurrentTimeAsync, alone="time")

    # --- trades ------------------------------------------------------------------------------------------------------------

    async def _chase(self) -> None:
        """Ask again for the trades of the day when a commission or a trade does not come, then tell what there is."""
        await self._book.until(lambda: self._book.incomplete or bool(self._line.ended))
        await self._tools.sleep(_COMMISSION_S)
        if not self._book.incomplete:
            return
        await self._line.ask(Kind.ORDER, self._line.gateway.reqExecutionsAsync)
        if self._book.incomplete:
            await self._tools.sleep(_COMMISSION_S)
            self._book.tell_without_commission()

    # --- prices ------------------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        await self._tools.sleep(_LOOK_S)
        if self._quotes.mute:
            self._feed(FeedState.DEGRADED, "no prices: the market is closed, or its data is gone")
            await self._quotes.follow_anew()
