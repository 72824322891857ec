"""OANDA's two streams when they break, lie, or say nothing: no fill is missed or told twice, and silence is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Any

import pytest

from protocol.market import FeedState, FeedStatus, PriceTick
from protocol.orders import FillReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from protocol.venue import BalancesChanged, SessionDown
from tests.servers.venues.faults import Fault, On
from tests.venues.manual_time import PATIENCE_S, ManualTime
from tests.venues.oanda_rig import OandaRig, pairs, trading
from venues.access import Tools
from venues.errors import VenueDown, VenueError
from venues.oanda.log_feed import POLL_S
from venues.oanda.prices import LOOK_S
from venues.oanda.stream import HEARTBEAT_DEADLINE_S

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal
EUR, GBP = "EUR/USD:USD", "GBP/USD:USD"
REOPENED_S = 0.5
SATURDAY_S = 1_723_291_200
"""10 August 2024, noon UTC; a ManualTime begins on the Thursday before."""


class Bench(OandaRig):
    """A rig whose time passes only in the test."""

    time: ManualTime

    async def until(self, holds: Callable[[], object]) -> None:
        """Return as soon as something holds; threads and sockets go on meanwhile."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await self.venue.server_time()

    async def lets_pass(self, seconds: float, holds: Callable[[], object]) -> None:
        """Let time pass in such steps until something holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self.time.jump(min(seconds, LOOK_S))
                with suppress(VenueError):
                    await self.venue.server_time()

    async def log_open(self) -> None:
        await self.until(lambda: self.venue.connection.log.stream.open)

    async def prices_open(self) -> None:
        await self.until(lambda: self.venue.connection.prices.stream.open)

    async def quiet(self, seconds: int) -> None:
        """Let time pass in the price feed's steps, with heartbeats all along."""
        for _ in range(round(seconds / LOOK_S)):
            await self.time.passes(LOOK_S)
            await self.until(self._beaten)

    def _beaten(self) -> bool:
        """Whether every open stream has had a heartbeat at this instant."""
        streams = (self.venue.connection.log.stream, self.venue.connection.prices.stream)
        return all(not each.open or each._heard_at == self.time.now_ns() for each in streams)

    def fills(self) -> list[str]:
        return [each.trade_id for each in self.heard.of(FillReport)]

    def states(self) -> list[FeedState]:
        return [each.state for each in self.heard.of(FeedStatus)]


@asynccontextmanager
async def bench(time: ManualTime | None = None, heartbeat_s: float = 0.02) -> AsyncIterator[Bench]:
    """Run a server and a connected adapter with a price."""
    time = time or ManualTime()
    async with trading(pairs(), Tools(time.now_ns, time.sleep, lambda: 0.0), heartbeat_s=heartbeat_s) as rig:
        rig.__class__ = Bench
        assert isinstance(rig, Bench)
        rig.time = time
        rig.server.hall.price(EUR, D("1.10000"), D("1.10010"))
        rig.server.hall.price(GBP, D("1.30000"), D("1.30010"))
        await rig.venue.connect(rig.heard)
        await rig.log_open()
        yield rig


async def resting(rig: Bench, number: int, price: str = "1.09000") -> OrderRequest:
    """Place an order below the market."""
    request = OrderRequest(client_order_id=f"bhstream{number:04d}", symbol=EUR, side=OrderSide.BUY,
                           type=OrderType.LIMIT, qty=D(1000), price=D(price))  # fmt: skip
    await rig.venue.place(request)
    await rig.settled()
    return request


def meets(rig: Bench) -> None:
    """Move the market to the resting orders and back."""
    rig.server.hall.price(EUR, D("1.08900"), D("1.08910"))
    rig.server.hall.price(EUR, D("1.10000"), D("1.10010"))


# --- the log ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "on"), [(Fault.DISCONNECT, "any"), (Fault.MALFORMED, "reads")])
async def test_the_stream_breaks_off_in_a_message(fault: Fault, on: On) -> None:
    """A fill whose message breaks off is read from the log at once; the stream is opened again and goes on."""
    async with bench() as rig:
        first, second = await resting(rig, 1), await resting(rig, 2, "1.08000")
        rig.server.faults.arm(fault, 1, on)
        meets(rig)
        await rig.until(lambda: len(rig.fills()) == 1)
        rig.server.faults.clear()
        await rig.time.passes(REOPENED_S)
        await rig.log_open()
        assert rig.venue.connection.log.stream.openings == 2
        rig.server.hall.price(EUR, D("1.07900"), D("1.07910"))
        await rig.until(lambda: len(rig.fills()) == 2)
        await rig.settled()
        assert len(set(rig.fills())) == len(rig.fills())
        for request in (first, second):
            assert (await rig.venue.query(request.client_order_id, EUR)).state is OrderState.FILLED


@pytest.mark.parametrize("fault", [Fault.STREAM_LOST, Fault.DUPLICATED, Fault.REORDERED])
async def test_the_stream_lies(fault: Fault) -> None:
    """Messages that are lost, repeated or out of order: every fill is told once, in the log's order, before its state."""
    async with bench() as rig:
        for number in range(4):
            await resting(rig, number)
        rig.server.faults.arm(fault, 3)
        meets(rig)
        await rig.settled()
        assert rig.server.faults.happened[fault] == 3
        assert len(rig.fills()) == 4
        assert sorted(rig.fills(), key=int) == rig.fills()


async def test_fills_while_there_is_no_stream() -> None:
    """The server refuses streams: the log is read every two seconds, the fills come, and the balance with them."""
    async with bench() as rig:
        await resting(rig, 1)
        rig.server.streams_refused = 503
        rig.server.drop()
        await rig.until(lambda: not rig.venue.connection.log.stream.open)
        await rig.time.passes(REOPENED_S)
        meets(rig)
        await rig.time.passes(POLL_S)
        await rig.until(lambda: rig.heard.of(FillReport))
        await rig.until(lambda: rig.heard.of(BalancesChanged))
        assert len(rig.fills()) == 1
        assert rig.heard.of(SessionDown) == []


async def test_a_mute_stream_is_opened_again() -> None:
    """Connected and without heartbeats: after the deadline the stream is given up, the log is read, it is opened again."""
    async with bench() as rig:
        await resting(rig, 1)
        rig.server.faults.arm(Fault.MUTE)
        meets(rig)
        stream = rig.venue.connection.log.stream
        assert rig.fills() == []
        await rig.lets_pass(HEARTBEAT_DEADLINE_S, lambda: rig.fills())
        rig.server.faults.clear()
        await rig.lets_pass(REOPENED_S, lambda: stream.openings > 1 and stream.open)
        assert len(rig.fills()) == 1


async def test_the_venue_goes_away() -> None:
    """When the log cannot be read for a while, the session is to connect anew; calls say that nothing was sent."""
    async with bench() as rig:
        await rig.server.stop()
        with pytest.raises(VenueDown):
            await resting(rig, 1)
        assert rig.heard.of(SessionDown) == []
        await rig.lets_pass(POLL_S, lambda: rig.heard.of(SessionDown))


async def test_the_token_is_withdrawn() -> None:
    """A stream that is refused for good ends the session with the venue's word."""
    async with bench() as rig:
        rig.server.token = "another"
        rig.server.drop()
        down = await rig.heard.one(SessionDown)
        assert "authorization" in down.reason


async def test_history_while_the_venue_lags() -> None:
    """An answer of the history that is older than what was told before is not taken for the whole truth."""
    async with bench() as rig:
        await resting(rig, 1)
        meets(rig)
        await rig.settled()
        assert len(await rig.venue.fills_since(0)) == 1
        real, rig.server.log.__class__ = rig.server.log.__class__, _Lagging
        asking = asyncio.ensure_future(rig.venue.fills_since(0))
        for _ in range(5):
            await rig.time.passes(0.3)
        with pytest.raises(VenueDown, match="lags"):
            await asking
        rig.server.log.__class__ = real


class _Lagging:
    """A log whose answers are as old as the account."""

    last = "1"


# --- prices -------------------------------------------------------------------------------------------------------------


async def test_prices_begin_with_the_newest_known() -> None:
    """Subscribing tells the standing price; a later subscription keeps the first; unknown symbols do no harm."""
    async with bench() as rig:
        await rig.venue.subscribe([EUR, "NOSUCH/USD"])
        first = await rig.heard.one(PriceTick, symbol=EUR)
        assert (first.bid, first.ask, first.last) == (D("1.10000"), D("1.10010"), D("1.10005"))
        await rig.heard.state(FeedState.LIVE)
        await rig.venue.subscribe([GBP])
        await rig.time.passes(REOPENED_S)
        await rig.heard.one(PriceTick, symbol=GBP)
        rig.server.hall.price(EUR, D("1.20000"), D("1.20010"))
        await rig.heard.one(PriceTick, symbol=EUR, bid=D("1.20000"))
        assert rig.states() == [FeedState.LIVE]


async def test_a_stream_that_is_deaf_to_prices() -> None:
    """Heartbeats and no prices while the venue has newer ones: they are told, the feed says so and subscribes again."""
    async with bench() as rig:
        await rig.venue.subscribe([EUR])
        await rig.heard.state(FeedState.LIVE)
        rig.server.faults.arm(Fault.STREAM_LOST)
        rig.server.hall.price(EUR, D("1.20000"), D("1.20010"))
        await rig.quiet(16)
        await rig.heard.one(PriceTick, symbol=EUR, bid=D("1.20000"))
        await rig.heard.state(FeedState.DEGRADED)
        stream = rig.venue.connection.prices.stream
        await rig.until(lambda: stream.openings == 2 and stream.open)
        rig.server.hall.price(EUR, D("1.20001"), D("1.20010"))
        await rig.until(lambda: rig.states()[-1] is FeedState.LIVE)


async def test_no_price_while_the_market_is_open() -> None:
    """Thirty seconds without any price in market hours: the feed is stale (PF-231), and well again with the next one."""
    async with bench() as rig:
        await rig.venue.subscribe([EUR])
        await rig.heard.state(FeedState.LIVE)
        await rig.quiet(28)
        assert rig.states() == [FeedState.LIVE]
        await rig.quiet(2)
        await rig.until(lambda: rig.states()[-1] is FeedState.DEGRADED)
        rig.server.hall.price(EUR, D("1.20000"), D("1.20010"))
        await rig.until(lambda: rig.states()[-1] is FeedState.LIVE)


async def test_the_weekend_is_quiet() -> None:
    """Outside the FX week silence is no error."""
    async with bench(ManualTime(SATURDAY_S)) as rig:
        await rig.venue.subscribe([EUR])
        await rig.heard.state(FeedState.LIVE)
        await rig.quiet(60)
        assert rig.states() == [FeedState.LIVE]


async def test_prices_while_there_is_no_stream() -> None:
    """Without a stream the prices are asked for every two seconds, and the feed says so."""
    async with bench() as rig:
        rig.server.streams_refused = 503
        await rig.venue.subscribe([EUR])
        await rig.heard.state(FeedState.DEGRADED)
        await rig.time.passes(REOPENED_S)
        await rig.time.passes(LOOK_S - REOPENED_S)
        await rig.heard.one(PriceTick, symbol=EUR)


@pytest.mark.parametrize("fault", [Fault.ZERO_PRICE, Fault.CROSSED_BOOK, Fault.STALE_PRICE])
async def test_absurd_prices_do_not_end_the_stream(fault: Fault) -> None:
    """Prices that no market has are passed on or dropped (the session judges them), and the next good one comes."""
    async with bench() as rig:
        await rig.venue.subscribe([EUR])
        await rig.heard.state(FeedState.LIVE)
        rig.server.faults.arm(fault)
        rig.server.hall.price(EUR, D("1.20000"), D("1.20010"))
        rig.server.hall.price(EUR, D("1.30000"), D("1.30010"))
        await rig.heard.one(PriceTick, symbol=EUR, bid=D("1.30000"))
        assert rig.venue.connection.prices.stream.openings == 1


async def test_after_close_nothing_is_told() -> None:
    """Closing ends both streams and their threads; it does no harm twice."""
    async with bench() as rig:
        await rig.venue.subscribe([EUR])
        await rig.heard.state(FeedState.LIVE)
        await rig.venue.close()
        await rig.venue.close()
        rig.heard.forget()
        rig.server.hall.price(EUR, D("1.20000"), D("1.20010"))
        assert rig.heard.messages == []
        for call in (rig.venue.balances, rig.venue.positions, rig.venue.open_orders, rig.venue.server_time):
            called: Any = call
            with pytest.raises(VenueDown):
                await called()
