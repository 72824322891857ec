"""Quotes of Alpaca: by stream, and by asking while the stream is silent though the market is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

from protocol.market import FeedState, FeedStatus, PriceTick
from protocol.messages import Message
from runtime.clock import NANOS
from venues.access import Tools
from venues.alpaca.hours import Hours
from venues.alpaca.library import Prices
from venues.alpaca.rest import Rest
from venues.alpaca.stream import Line
from venues.alpaca.unreadable import UNREADABLE
from venues.alpaca.words import instant, symbol_of
from venues.errors import VenueDown, VenueError

__all__ = ["Quotes"]

_LOOK_S: Final = 2.0
_MUTE_LOOKS: Final = 5
"""Looks without a word by the stream after which it is asked whether there was something to say."""


class Quotes:
    """Tells the prices of what is wanted; the stream is opened with the first wish."""

    def __init__(
        self,
        venue: str,
        make: Callable[[], Prices],
        rest: Rest,
        hours: Hours,
        tools: Tools,
        tell: Callable[[Message], None],
    ) -> None:
        self._venue = venue
        self._make = make
        self._rest = rest
        self._hours = hours
        self._tools = tools
        self._tell = tell
        self._wanted: set[str] = set()
        self._last: dict[str, PriceTick] = {}
        self._silent = 0
        self._state = FeedState.STARTING
        self._line: Line | None = None
        self._watching: asyncio.Task[None] | None = None

    async def subscribe(self, tickers: Iterable[str]) -> None:
        """Tell these too, beginning with the newest known."""
        fresh = sorted(set(tickers) - self._wanted)
        self._wanted.update(fresh)
        if self._line is None:
            self._line = Line(self._tools, self._begin, up=self._up, down=self._down, lost=self._down)
            try:
                await self._line.open()
            except Exception as error:
                self._line = None
                self._wanted.clear()
                raise VenueDown(self._venue, f"the price stream cannot be had: {type(error).__name__}") from error
            self._say(FeedState.LIVE, "")
            self._watching = asyncio.create_task(self._watch())
        elif fresh and self._line.stream is not None:
            await self._line.stream.want(self._hear, fresh)
        await self._ask(fresh)

    async def close(self) -> None:
        """Tell nothing any more."""
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        if self._line is not None:
            await self._line.close()

    # --- the stream ----------------------------------------------------------------------------------------------------

    async def _begin(self) -> Prices:
        stream = self._make()
        try:
            await stream.begin(self._hear, sorted(self._wanted))
        except BaseException:
            await stream.close()
            raise
        return stream

    async def _up(self) -> None:
        self._silent = 0
        self._say(FeedState.LIVE, "")
        with suppress(VenueError, *UNREADABLE):  # what was missed; the watch asks again
            await self._ask(sorted(self._wanted))

    def _down(self, reason: str) -> None:
        self._say(FeedState.DEGRADED, f"the price stream is gone, prices are asked for: {reason}")

    async def _hear(self, message: Mapping[str, Any]) -> None:
        self._silent = 0
        if self._line is not None and self._line.stream is not None:
            self._say(FeedState.LIVE, "")
        stamp = message["t"]
        at = stamp.to_unix_nano() if hasattr(stamp, "to_unix_nano") else instant(str(stamp))
        self._take(str(message["S"]), message, at)

    def _take(self, ticker: str, row: Mapping[str, Any], at: int) -> None:
        """Tell a quote (``bp``, ``ap``) or a trade (``p``) that is newer than what was told."""
        before = self._last.get(ticker)
        if before is not None and at < before.at:
            return
        if "bp" in row:
            bid, ask = _number(row["bp"]), _number(row["ap"])
            if not 0 < bid <= ask:  # one side is empty, or worse
                return
            # The book is what we trade by; the last trade only stands in where it lies within the quote.
            last = before.last if before is not None and bid <= before.last <= ask else bid
            tick = PriceTick(symbol_of(ticker), at, bid, ask, last)
        elif before is not None:
            tick = PriceTick(before.symbol, at, before.bid, before.ask, _number(row["p"]))
        else:
            return
        self._last[ticker] = tick
        self._tell(tick)

    # --- without it ----------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            await self._tools.sleep(_LOOK_S)
            self._silent += 1
            if self._state is FeedState.LIVE and self._silent < _MUTE_LOOKS:
                continue
            try:
                missed = await self._ask(sorted(self._wanted)) if await self._hours.closed_until() is None else 0
            except (VenueError, *UNREADABLE):
                continue
            if missed and self._state is FeedState.LIVE and self._line is not None:
                self._say(FeedState.DEGRADED, "the price stream is connected and says nothing: connecting anew")
                await self._line.drop()

    async def _ask(self, tickers: list[str]) -> int:
        """Ask for newest quotes; return how many were news to us."""
        if not tickers:
            return 0
        missed = 0
        for ticker, shot in (await self._rest.snapshots(tuple(tickers))).items():
            quote = shot.get("latestQuote") if isinstance(shot, Mapping) else None
            if not quote:
                continue
            at, before = instant(str(quote["t"])), self._last.get(ticker)
            missed += before is not None and at > before.at + NANOS
            self._take(ticker, quote, at)
        return missed

    def _say(self, state: FeedState, detail: str) -> None:
        if state is not self._state:
            self._state = state
            self._tell(FeedStatus(self._venue, self._venue, state, self._tools.now(), detail))


def _number(value: object) -> Decimal:
    # The stream's numbers are binary floats: their shortest text is what the exchange wrote.
    return Decimal(str(value))
