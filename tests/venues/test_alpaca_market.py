"""Alpaca's prices, bars and account figures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from protocol.market import FeedState, FeedStatus, PriceTick
from tests.servers.venues.alpaca import SECRET
from tests.servers.venues.faults import Fault
from tests.venues.alpaca_rig import NOW, AlpacaRig, access_to, alpaca
from tests.venues.manual_time import ManualTime
from venues.access import Tools
from venues.alpaca import AlpacaVenue
from venues.alpaca.words import instant, text_of
from venues.errors import NetworkTimeout, VenueCapabilityMissing
from venues.facets import HasAccountState, HasMarketFacts

pytestmark = pytest.mark.anyio

D = Decimal
AAPL = "AAPL/USD"
NS = 1_000_000_000


@asynccontextmanager
async def watched() -> AsyncIterator[AlpacaRig]:
    """Run a server with a share at 100 whose price is followed."""
    async with alpaca() as rig:
        await rig.venue.connect(rig.heard)
        rig.server.hall.price(AAPL, D("99.99"), D("100.01"))
        await rig.venue.subscribe([AAPL])
        await rig.heard.one(PriceTick, symbol=AAPL, bid=D("99.99"))
        yield rig


async def test_quotes() -> None:
    """The newest known price comes first, then each that follows, exactly as it was quoted."""
    async with watched() as rig:
        rig.server.hall.price(AAPL, D("100.10"), D("100.12"))
        tick = await rig.heard.one(PriceTick, symbol=AAPL, bid=D("100.1"))
        assert (tick.ask, tick.last) == (D("100.12"), D("100.1"))
        assert abs(NOW() - tick.at) < 10 * NS


@pytest.mark.parametrize("fault", [Fault.STALE_PRICE, Fault.ZERO_PRICE, Fault.CROSSED_BOOK])
async def test_quotes_that_are_none(fault: Fault) -> None:
    """Old, empty and crossed quotes are not told."""
    async with watched() as rig:
        rig.server.faults.arm(fault)
        rig.server.hall.price(AAPL, D("100.50"), D("100.52"))
        rig.server.hall.price(AAPL, D("101"), D("101.02"))
        await rig.heard.one(PriceTick, symbol=AAPL, bid=D("101"))
        assert {each.bid for each in rig.heard.of(PriceTick, symbol=AAPL)} == {D("99.99"), D("101")}


async def test_a_stream_that_breaks() -> None:
    """A broken price stream is said to be degraded and opened anew, with the same shares."""
    async with watched() as rig:
        rig.server.drop()
        await rig.heard.state(FeedState.DEGRADED)
        await rig.heard.until(lambda: [each.state for each in rig.heard.of(FeedStatus)][-1] is FeedState.LIVE)
        rig.server.hall.price(AAPL, D("102"), D("102.02"))
        await rig.heard.one(PriceTick, symbol=AAPL, bid=D("102"))


async def test_a_mute_stream() -> None:
    """Connected and mute while the market moves: prices are asked for, the feed is degraded and connects anew."""
    async with alpaca() as rig:
        time = ManualTime(NOW() // NS)
        venue = rig.venue = AlpacaVenue(access_to(rig.server), Tools(time.now_ns, time.sleep, lambda: 0.0))
        await venue.connect(rig.heard)
        rig.server.hall.price(AAPL, D("99.99"), D("100.01"))
        await venue.subscribe([AAPL])
        rig.server.faults.arm(Fault.MUTE)
        tick = rig.server.hall.quote(AAPL)
        assert tick is not None
        rig.server.hall.exchange.tick(PriceTick(AAPL, tick.at + 5 * NS, D("103"), D("103.02"), D("103")))
        for _ in range(5):
            await time.passes(2.0)
        await rig.heard.one(PriceTick, symbol=AAPL, bid=D("103"))
        await rig.heard.state(FeedState.DEGRADED)
        rig.server.faults.clear()


async def test_bars() -> None:
    """Bars are finished ones, in order, exact, adjusted for splits."""
    async with alpaca() as rig:
        await rig.venue.connect(rig.heard)
        since = NOW() - 10 * 60 * NS
        bars = await rig.venue.candles(AAPL, "1m", since, 500)
        assert (
            bars
            == tuple(bar for bar in rig.server.hall.candles(AAPL, 60, since, 500) if bar.at + 60 * NS <= NOW())[
                : len(bars)
            ]
        )
        assert len(bars) in (9, 10)
        assert len(await rig.venue.candles(AAPL, "1m", since, 3)) == 3
        with pytest.raises(VenueCapabilityMissing):
            await rig.venue.candles(AAPL, "7m", since, 3)


async def test_account_state() -> None:
    """Worth, margin and day trades come as the venue counts them."""
    async with alpaca() as rig:
        await rig.venue.connect(rig.heard)
        assert isinstance(rig.venue, HasAccountState)
        assert isinstance(rig.venue, HasMarketFacts)
        rig.server.account_flags = {"daytrade_count": 3, "pattern_day_trader": True}
        state = await rig.venue.account_state()
        assert (state.day_trades, state.pattern_day_trader) == (3, True)
        assert (state.currency, state.cash, state.net_liquidation) == ("USD", D(100_000), D(100_000))
        assert "New York" in (await rig.venue.market_facts(AAPL)).session


async def test_an_answer_that_cannot_be_read() -> None:
    """A question whose answer makes no sense has none; it is not an error of ours."""
    async with alpaca() as rig:
        await rig.venue.connect(rig.heard)
        for ask in (rig.venue.balances, rig.venue.instruments, rig.venue.open_orders, rig.venue.server_time):
            rig.server.faults.arm(Fault.MALFORMED, on="reads")
            with pytest.raises(NetworkTimeout):
                await ask()
            rig.server.faults.clear()


@pytest.mark.parametrize(
    ("text", "at"),
    [("1970-01-01T00:00:01Z", NS), ("1970-01-01T00:00:00.000000001Z", 1), ("1969-12-31T20:00:01.5-04:00", 3 * NS // 2)],
)
def test_times(text: str, at: int) -> None:
    """Times are exact to the nanosecond, in any zone."""
    assert instant(text) == at
    assert instant(text_of(at)) == at


async def test_the_secret_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Not even at debug level does a library write the frame or the header that carries the secret (EX-1503)."""
    caplog.set_level("DEBUG", logger="")
    async with watched() as rig:
        await rig.venue.balances()
    assert caplog.records
    assert SECRET not in caplog.text
