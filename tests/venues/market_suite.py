"""What every adapter must do with market data: ``MarketDataContract``, a pytest class to inherit."""

from __future__ import annotations

import asyncio
import inspect
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from protocol.market import FeedState, FeedStatus, PriceTick
from tests.venues.manual_time import NS, Heard, ManualTime
from venues.contract import Venue
from venues.errors import VenueCapabilityMissing, VenueDown, VenueError

MARKET_DATA_METHODS = ("connect", "close", "instruments", "subscribe", "candles", "server_time")


class MarketRig(ABC):
    """An adapter before ``connect`` and the levers of the venue behind it."""

    source: Any
    heard: Heard
    time: ManualTime
    symbol = "BTC/USDT"
    other = "ETH/USDT"
    misspelt = "BTC/USTD"

    @abstractmethod
    async def subscribed(self, *symbols: str) -> None:
        """Return once the venue streams these symbols to the adapter."""

    @abstractmethod
    async def quote(self, symbol: str, bid: str, ask: str) -> None:
        """Let the venue publish a best bid and ask; the last price is known already."""

    @abstractmethod
    async def cut(self) -> None:
        """Break the connection from outside."""

    @abstractmethod
    async def retried(self) -> None:
        """Let the adapter's wait before the next connection pass."""

    @abstractmethod
    def mute(self, silent: bool) -> None:
        """Stay connected and say nothing, or speak again."""

    @abstractmethod
    async def deadline(self) -> None:
        """Let the adapter's data deadline pass."""


@pytest.mark.anyio
class MarketDataContract(ABC):
    """Requirements on an adapter's market data."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @abstractmethod
    def open_rig(self) -> Any:
        """Return an async context manager of a ``MarketRig``; it closes the adapter and the venue."""

    @pytest.fixture
    async def rig(self) -> AsyncIterator[MarketRig]:
        async with self.open_rig() as rig:
            yield rig

    @pytest.fixture
    async def live(self, rig: MarketRig) -> MarketRig:
        """A connected rig that hears one symbol."""
        await rig.source.connect(rig.heard)
        await rig.source.subscribe([rig.symbol])
        await rig.subscribed(rig.symbol)
        await rig.quote(rig.symbol, "60000.10", "60000.20")
        await rig.heard.state(FeedState.LIVE)
        return rig

    @pytest.mark.parametrize("method", MARKET_DATA_METHODS)
    async def test_signatures(self, rig: MarketRig, method: str) -> None:
        """Market-data methods are called exactly as the contract says."""
        assert inspect.signature(getattr(type(rig.source), method)) == inspect.signature(getattr(Venue, method))

    async def test_instruments(self, live: MarketRig) -> None:
        """Every market is listed once by symbol and once by venue id, with positive tick and step (EX-501, EX-508)."""
        found = await live.source.instruments()
        assert live.symbol in {item.symbol for item in found}
        assert len({item.symbol for item in found}) == len({item.venue_symbol for item in found}) == len(found)
        assert all(item.venue == live.source.name for item in found)
        assert all(item.rules.tick_size > 0 and item.rules.step_size > 0 for item in found)

    async def test_quotes(self, live: MarketRig) -> None:
        """A quote arrives exactly as published, stamped with the injected clock."""
        await live.quote(live.symbol, "61837.63", "61837.64")
        tick = await live.heard.one(PriceTick, symbol=live.symbol, bid=Decimal("61837.63"))
        assert (tick.ask, tick.at) == (Decimal("61837.64"), live.time.now_ns())

    async def test_quotes_of_a_second_symbol(self, live: MarketRig) -> None:
        """Subscribing adds to earlier subscriptions."""
        await live.source.subscribe([live.other])
        await live.subscribed(live.symbol, live.other)
        await live.quote(live.other, "2600.10", "2600.20")
        await live.quote(live.symbol, "60001.00", "60001.10")
        await live.heard.one(PriceTick, symbol=live.other, bid=Decimal("2600.10"))
        await live.heard.one(PriceTick, symbol=live.symbol, bid=Decimal("60001.00"))

    async def test_subscribing_again_repeats_the_newest(self, live: MarketRig) -> None:
        """A subscription begins with the newest known tick."""
        newest = await live.heard.one(PriceTick, symbol=live.symbol)
        live.heard.forget()
        await live.source.subscribe([live.symbol])
        assert live.heard.of(PriceTick)[0] == newest

    async def test_unknown_symbol(self, live: MarketRig) -> None:
        """A misspelt symbol is refused with a typed error that names the near one; nothing is subscribed."""
        with pytest.raises(VenueError, match=live.symbol):
            await live.source.subscribe([live.other, live.misspelt])
        with pytest.raises(VenueError, match=live.symbol):
            await live.source.candles(live.misspelt, "1m", 0, 1)
        await live.source.subscribe([live.symbol])

    @pytest.mark.parametrize("count", [1, 7, 2300])
    async def test_candles(self, live: MarketRig, count: int) -> None:
        """Candles are finished, ordered, without holes where the venue has none, and as many as asked for."""
        since = live.time.now_ns() - 5000 * 60 * NS
        bars = await live.source.candles(live.symbol, "1m", since, count)
        assert len(bars) == count
        assert bars[0].at == -(-since // (60 * NS)) * 60 * NS
        assert [bar.at for bar in bars] == [bars[0].at + index * 60 * NS for index in range(count)]
        assert {(bar.symbol, bar.duration_s) for bar in bars} == {(live.symbol, 60)}

    async def test_only_finished_candles(self, live: MarketRig) -> None:
        """The candle that is still growing is never among the answers."""
        since = live.time.now_ns() - 3 * 3600 * NS
        bars = await live.source.candles(live.symbol, "1h", since, 100)
        assert bars
        assert all(bar.at + 3600 * NS <= live.time.now_ns() for bar in bars)
        assert bars[-1].at + 2 * 3600 * NS > live.time.now_ns()

    async def test_candles_of_the_future(self, live: MarketRig) -> None:
        """There are none."""
        assert await live.source.candles(live.symbol, "1m", live.time.now_ns() + 3600 * NS, 10) == ()

    async def test_unknown_timeframe(self, live: MarketRig) -> None:
        """A timeframe that is not offered is refused by name."""
        with pytest.raises(VenueCapabilityMissing, match="7m"):
            await live.source.candles(live.symbol, "7m", 0, 1)

    async def test_server_time(self, live: MarketRig) -> None:
        """The venue's clock is told in nanoseconds."""
        assert abs(await live.source.server_time() - live.time.now_ns()) < NS

    async def test_reconnect(self, live: MarketRig) -> None:
        """A lost connection is told, then restored with every subscription."""
        await live.cut()
        await live.heard.state(FeedState.DOWN)
        live.heard.forget()
        await live.retried()
        await live.subscribed(live.symbol)
        await live.quote(live.symbol, "59000.10", "59000.20")
        await live.heard.state(FeedState.LIVE)
        await live.heard.one(PriceTick, symbol=live.symbol, bid=Decimal("59000.10"))

    async def test_mute(self, live: MarketRig) -> None:
        """Connected but silent past the deadline is degraded, and live again with the first data."""
        live.mute(True)
        await live.deadline()
        assert (await live.heard.state(FeedState.DEGRADED)).detail
        live.heard.forget()
        live.mute(False)
        await live.quote(live.symbol, "59000.10", "59000.20")
        await live.heard.state(FeedState.LIVE)

    async def test_mute_for_long(self, live: MarketRig) -> None:
        """Silence that resubscribing does not end is answered by a new connection."""
        live.mute(True)
        await live.deadline()
        await live.heard.state(FeedState.DEGRADED)
        live.heard.forget()
        await live.deadline()
        await live.heard.state(FeedState.DEGRADED)
        live.mute(False)
        await live.retried()
        await live.subscribed(live.symbol)
        await live.quote(live.symbol, "59000.10", "59000.20")
        await live.heard.state(FeedState.LIVE)

    async def test_every_status_names_its_source(self, live: MarketRig) -> None:
        """A feed says who it is, so that no screen shows a price without its source."""
        assert {(item.venue, bool(item.source)) for item in live.heard.of(FeedStatus)} == {(live.source.name, True)}

    async def test_close(self, live: MarketRig) -> None:
        """Closing twice is harmless; afterwards the sink is silent, no task is left and every call is refused."""
        before = asyncio.all_tasks()
        await live.source.close()
        live.heard.forget()
        await live.source.close()
        assert asyncio.all_tasks() < before
        assert live.heard.messages == []
        with pytest.raises(VenueDown):
            await live.source.subscribe([live.symbol])

    async def test_connect_after_close(self, live: MarketRig) -> None:
        """A closed adapter can be connected again."""
        await live.source.close()
        live.heard.forget()
        await live.source.connect(live.heard)
        await live.source.subscribe([live.symbol])
        await live.subscribed(live.symbol)
        await live.quote(live.symbol, "60002.10", "60002.20")
        await live.heard.one(PriceTick, bid=Decimal("60002.10"))
