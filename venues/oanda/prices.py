"""Prices as they change: the stream, and the REST prices when the stream is gone or mute while the market is open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from protocol.market import FeedState, FeedStatus, PriceTick
from protocol.messages import Message
from runtime.clock import NANOS
from venues.access import Tools
from venues.errors import VenueError
from venues.oanda.calls import Calls
from venues.oanda.hands import Hand
from venues.oanda.stream import Stream
from venues.oanda.week import is_open
from venues.oanda.wire import Endpoint
from venues.oanda.words import tick_of

__all__ = ["ASK_S", "LOOK_S", "MUTE_S", "PriceFeed"]

LOOK_S: Final = 2.0
ASK_S: Final = 15.0
"""Silence of all prices after which the venue is asked whether there are newer ones."""

MUTE_S: Final = 30.0
"""Silence of all prices in market hours after which the feed is stale (PF-231)."""


class PriceFeed:
    """Tells the prices of the instruments that are wanted. Outside the FX week silence is no error."""

    def __init__(
        self,
        venue: str,
        calls: Calls,
        hire: Callable[[], Hand],
        tools: Tools,
        *,
        ask: Callable[[Endpoint], Awaitable[Any]],
        tell: Callable[[Message], None],
    ) -> None:
        self._venue = venue
        self._calls = calls
        self._tools = tools
        self._ask = ask
        self._tell = tell
        self._wanted: set[str] = set()
        self._begun = asyncio.Event()
        self._newest: dict[str, PriceTick] = {}
        self._heard_at = 0
        self._asked_at = 0
        self.state = FeedState.STARTING
        self.stream = Stream(
            venue, hire, self._endpoint, tools, heard=self._heard, opened=self._opened, lost=self._lost
        )

    def want(self, names: Iterable[str]) -> None:
        """Follow these instruments too; the stream is opened again with all of them, and begins with the newest prices."""
        new = set(names) - self._wanted
        if not new:
            return
        self._wanted |= new
        if self._begun.is_set():
            self.stream.renew()
        self._begun.set()

    def newest(self, symbol: str) -> PriceTick | None:
        """Return the newest price of a symbol that was told."""
        return self._newest.get(symbol)

    async def run(self) -> None:
        """Follow prices until cancelled; nothing is opened before the first instrument is wanted."""
        await self._begun.wait()
        self._heard_at = self._tools.now()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.stream.run())
            tasks.create_task(self._watch())

    def _endpoint(self) -> Endpoint:
        return self._calls.price_stream(sorted(self._wanted))

    # --- the stream ----------------------------------------------------------------------------------------------------

    def _opened(self) -> None:
        self._heard_at = self._tools.now()

    def _heard(self, message: Any) -> None:
        try:
            tick = tick_of(message) if message["type"] == "PRICE" else None
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            return  # one price that cannot be read costs one price; that none can be read is silence
        if tick is not None:
            self._heard_at = self._tools.now()
            self._become(FeedState.LIVE, "")
            self._pass_on(tick)

    def _pass_on(self, tick: PriceTick) -> bool:
        """Tell a price unless it is older than, or the same as, the one before; return whether it was told."""
        before = self._newest.get(tick.symbol)
        if before is not None and tick.at <= before.at:
            return False
        self._newest[tick.symbol] = tick
        self._tell(tick)
        return True

    def _lost(self, error: VenueError) -> None:
        self._become(FeedState.DOWN if error.stops else FeedState.DEGRADED, f"stream lost: {error.message}")

    # --- silence -------------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            await self._tools.sleep(LOOK_S)
            quiet_s = (self._tools.now() - self._heard_at) / NANOS
            if not self.stream.open:
                await self._look()
            elif is_open(self._tools.now()) and quiet_s >= ASK_S:
                if await self._look():
                    # The venue has newer prices than its stream: it is deaf on one ear, so it is opened again.
                    self._become(FeedState.DEGRADED, f"connected, but no price for {quiet_s:.0f} s: subscribing again")
                    self._heard_at = self._tools.now()
                    self.stream.renew()
                elif quiet_s >= MUTE_S:
                    self._become(FeedState.DEGRADED, f"no price for {quiet_s:.0f} s while the market is open")

    async def _look(self) -> bool:
        """Ask for the prices and tell newer ones; return whether there were any."""
        try:
            answer = await self._ask(self._calls.pricing(sorted(self._wanted)))
            ticks = [tick_of(each) for each in answer["prices"]]
        except VenueError as error:
            if not self.stream.open:
                self._become(FeedState.DOWN, error.message)
            return False
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            return False
        told = [self._pass_on(tick) for tick in ticks if tick is not None]
        return any(told)

    def _become(self, state: FeedState, detail: str) -> None:
        if state is self.state:
            return
        self.state = state
        self._tell(FeedStatus(self._venue, self._venue, state, self._tools.now(), detail))
