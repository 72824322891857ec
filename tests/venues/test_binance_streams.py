"""Binance on bad days: streams that end, lie, fall silent or come too late."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from protocol.market import FeedState, FeedStatus, PriceTick
from protocol.orders import FillReport, OrderReport, OrderState
from protocol.values import OrderType
from protocol.venue import BalancesChanged
from tests.servers.venues.faults import Fault
from tests.servers.venues.hall import NS
from tests.venues.binance_desk import ASK, BID, BTC, desk
from venues.errors import VenueDown

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal


# --- streams -----------------------------------------------------------------------------------------------------------


async def test_fills_while_the_stream_is_away() -> None:
    """What filled between two connections is told once, and before the order's end."""
    async with desk() as d:
        await d.venue.place(d.order(1))
        await d.rig.settled()
        d.server.drop()
        await d.until(lambda: not d.venue.line.private.live.is_set())
        d.hall.price(BTC, BID - 200, BID - 199)
        await d.heard.one(OrderReport, client_order_id="bhsafety0001", state=OrderState.FILLED)
        await d.until(d.venue.line.private.live.is_set)
        await d.venue.line.private.catch_up()
        assert len(d.fills()) == len(d.hall.fills) == 1
        kinds = [type(each) for each in d.heard.messages if isinstance(each, FillReport | OrderReport)]
        assert kinds.index(FillReport) < len(kinds) - 1


@pytest.mark.parametrize(
    "fault", [Fault.DUPLICATED, Fault.REORDERED, Fault.STREAM_LOST, Fault.DISCONNECT, Fault.MALFORMED]
)
async def test_streams_that_lie(fault: Fault) -> None:
    """Whatever becomes of a message, each fill is told once, before the order's end."""
    async with desk() as d:
        d.server.faults.arm(fault, 3, on="reads" if fault is Fault.MALFORMED else "any")
        await d.venue.place(d.order(1, OrderType.MARKET))
        await d.venue.place(d.order(2))
        d.hall.price(BTC, BID - 200, BID - 199)
        for number in (1, 2):
            key = f"bhsafety{number:04d}"
            await d.heard.one(OrderReport, client_order_id=key, state=OrderState.FILLED)
        told = [(each.client_order_id, each.trade_id) for each in d.fills()]
        assert sorted(told) == sorted(set(told))
        assert {key for key, _ in told} == {"bhsafety0001", "bhsafety0002"}
        for number in (1, 2):
            of_it = [
                each for each in d.heard.messages if getattr(each, "client_order_id", "") == f"bhsafety{number:04d}"
            ]
            last = next(at for at, each in enumerate(of_it) if getattr(each, "state", None) is OrderState.FILLED)
            assert any(isinstance(each, FillReport) for each in of_it[:last])


async def test_mute_order_stream() -> None:
    """A stream that stays connected and keeps a fill back is found out by the venue's history, and opened anew."""
    async with desk() as d:
        await d.venue.place(d.order(1))
        await d.rig.settled()
        d.server.faults.arm(Fault.MUTE)
        d.hall.price(BTC, BID - 200, BID - 199)
        d.clock.passes(20)
        await d.heard.one(OrderReport, client_order_id="bhsafety0001", state=OrderState.FILLED)
        d.server.faults.clear()
        status = await d.heard.one(FeedStatus, state=FeedState.DEGRADED)
        assert "did not tell" in status.detail
        assert len(d.fills()) == 1
        await d.until(d.venue.line.private.live.is_set)


async def test_expired_listen_key() -> None:
    """Futures' stream is opened anew, with a new key, when its key has expired."""
    async with desk(perp=True) as d:
        for stream in d.server.streams:
            stream.reply({"e": "listenKeyExpired", "E": 1736996475556, "listenKey": "pqia91ma19"})
        await d.until(lambda: d.venue.line.private.reconnects)
        await d.until(d.venue.line.private.live.is_set)
        assert d.server.requests.count("POST /fapi/v1/listenKey") == 2


async def test_balances_are_told() -> None:
    """A change of the account's balances is told by itself."""
    async with desk() as d:
        await d.venue.place(d.order(1, OrderType.MARKET))
        told = await d.heard.one(BalancesChanged)
        assert told.account == "acc"
        assert {each.currency for each in told.balances} == {"BTC", "USDT"}


async def test_given_up_while_it_connects() -> None:
    """A connection that is given up while it is being opened is closed once it is open, and another one takes its place."""
    async with desk() as d:
        asked, go_on, accept = asyncio.Event(), asyncio.Event(), d.server.open_stream

        async def slowly(request: Any) -> Any:
            asked.set()
            await go_on.wait()
            return await accept(request)

        d.server.open_stream = slowly  # type: ignore[method-assign]
        d.server.drop()
        await asked.wait()
        d.venue.line.private.lost(VenueDown("binance", "given up by the test"))
        await d.until(lambda: d.server.requests.count("GET /ws-api/v3") > 2)
        go_on.set()
        await d.until(lambda: d.venue.line.private.live.is_set() and len(d.server.streams) == 1)


# --- prices ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("perp", [False, True])
async def test_prices(*, perp: bool) -> None:
    """Best bid and ask and the last price are told exactly, beginning with the newest known; finished candles too."""
    async with desk(perp=perp) as d:
        await d.venue.subscribe([d.symbol])
        first = await d.heard.one(PriceTick, symbol=d.symbol)
        assert (first.bid, first.ask, first.last) == (BID, ASK, BID)
        await d.until(lambda: any("@bookTicker" in name for each in d.server.streams for name in each.topics))
        d.hall.price(d.symbol, D("60000.05"), D("60000.06"))
        tick = await d.heard.one(PriceTick, bid=D("60000.05"), ask=D("60000.06"))
        assert isinstance(tick.bid, Decimal)
        bars = await d.venue.candles(d.symbol, "1m", d.clock() - 600 * NS, 5)
        assert len(bars) == 5
        assert all(bar.at % (60 * NS) == 0 for bar in bars)


async def test_impossible_prices() -> None:
    """Prices of zero and crossed books are not told."""
    async with desk() as d:
        await d.venue.subscribe([BTC])
        await d.heard.one(PriceTick, symbol=BTC)
        await d.until(lambda: sum(len(each.topics) for each in d.server.streams) == 2)
        for fault in (Fault.ZERO_PRICE, Fault.CROSSED_BOOK):
            d.server.faults.arm(fault)
            d.hall.price(BTC, BID + 1, ASK + 1)
        d.hall.price(BTC, BID + 2, ASK + 2)
        await d.heard.one(PriceTick, bid=BID + 2)
        assert all(0 < each.bid <= each.ask for each in d.heard.of(PriceTick))


@pytest.mark.parametrize("fault", [Fault.MUTE, Fault.DISCONNECT, Fault.MALFORMED])
async def test_price_stream_fails(fault: Fault) -> None:
    """A price stream that ends or falls silent is told as degraded, polled, opened anew, and then told as live."""
    async with desk() as d:
        await d.venue.subscribe([BTC])
        await d.heard.one(PriceTick, symbol=BTC)
        await d.until(lambda: sum(len(each.topics) for each in d.server.streams) == 2)
        d.server.faults.arm(fault, 1, on="reads" if fault is Fault.MALFORMED else "any")
        d.hall.price(BTC, BID + 5, ASK + 5)
        d.clock.passes(16)
        await d.heard.state(FeedState.DEGRADED)
        d.server.faults.clear()
        await d.heard.one(PriceTick, bid=BID + 5)
        await d.until(d.venue.line.prices.live.is_set)
        assert d.heard.of(FeedStatus)[-1].state is FeedState.LIVE


async def test_one_quiet_market() -> None:
    """One market whose price a stream keeps back, among others that it tells, is found when it is asked for again."""
    async with desk(perp=True) as d:
        eth = "ETH/USDT:USDT"
        d.hall.price(eth, D(3000), D(3001))
        await d.venue.subscribe([d.symbol, eth])
        await d.heard.one(PriceTick, symbol=eth)
        await d.until(lambda: sum(len(each.topics) for each in d.server.streams) == 4)
        d.server.faults.arm(Fault.STREAM_LOST, 2)
        d.hall.price(eth, D(3002), D(3003))
        d.hall.price(d.symbol, BID + 1, ASK + 1)
        await d.heard.one(PriceTick, symbol=d.symbol, bid=BID + 1)
        d.clock.passes(5)
        await d.venue.subscribe([eth])
        await d.heard.one(PriceTick, symbol=eth, bid=D(3002))
        assert "ETH/USDT" in (await d.heard.state(FeedState.DEGRADED)).detail


async def test_close_leaves_nothing() -> None:
    """After close no task of the adapter runs and no socket is open."""
    before = asyncio.all_tasks()
    async with desk() as d:
        await d.venue.subscribe([BTC])
        await d.heard.one(PriceTick, symbol=BTC)
        await d.venue.close()
        await d.until(lambda: not d.server.streams)
        left = {task.get_name() for task in asyncio.all_tasks() - before}
        assert not left & {"orders", "prices", "streams", "watch"}
