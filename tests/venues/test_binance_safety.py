"""Binance on bad days: orders that are lost, late, twice or refused, and where the secrets are."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest

from protocol.market import FeedState, FeedStatus
from protocol.orders import FillReport, OrderReport, OrderRequest, OrderState
from protocol.secret import Secret
from protocol.values import MarketType, OrderSide, OrderType
from runtime.clock import WallClock
from tests.servers.venues.binance import KEY, SECRET
from tests.servers.venues.faults import Fault
from tests.servers.venues.hall import NS
from tests.venues.binance_desk import BID, BTC, desk
from tests.venues.hall_rig import sooner
from tests.venues.test_binance_venue import access_to
from venues.access import Access, Tools
from venues.ccxt_public.library import load
from venues.crypto import CryptoVenue
from venues.crypto.dialects import dialect_of
from venues.crypto.exchange import Clock, make_exchange
from venues.crypto.taps import Late
from venues.errors import (
    AuthFailed,
    NetworkTimeout,
    PermissionDenied,
    RateLimited,
    VenueCapabilityMissing,
    VenueDown,
    VenueError,
)

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal


# --- orders whose answer is lost ---------------------------------------------------------------------------------------


async def test_request_lost() -> None:
    """Nobody knows at first; once the order's time is over and the venue knows none, it is proven that it never was."""
    async with desk() as d:
        d.server.faults.arm(Fault.REQUEST_LOST, on="orders")
        with pytest.raises(NetworkTimeout):
            await d.venue.place(d.order(1))
        early = await d.venue.query("bhsafety0001", BTC)
        assert (early.state, early.absent_proven) == (OrderState.UNKNOWN, False)
        assert (await d.venue.place(d.order(1))).state is OrderState.UNKNOWN
        assert d.posts() == 1
        d.clock.passes(5)
        assert not (await d.venue.query("bhsafety0001", BTC)).absent_proven
        d.clock.passes(4)
        late = await d.venue.query("bhsafety0001", BTC)
        assert (late.state, late.absent_proven) == (OrderState.REJECTED, True)
        assert (await d.venue.place(d.order(1))).state is OrderState.OPEN


@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.MALFORMED])
async def test_answer_lost(fault: Fault) -> None:
    """The order was taken: unknown at first, then as the venue says; sent again it places nothing."""
    async with desk() as d:
        d.server.faults.arm(fault, on="orders")
        with pytest.raises(NetworkTimeout):
            await d.venue.place(d.order(1))
        assert (await d.venue.query("bhsafety0001", BTC)).state is OrderState.OPEN
        assert (await d.venue.place(d.order(1))).state is OrderState.OPEN
        assert d.posts() == 1
        assert len(d.hall.open_orders()) == 1


async def test_gateway_error_leaves_it_open() -> None:
    """A 503 "unknown error" is no proof that nothing happened."""
    async with desk() as d:
        d.server.faults.arm(Fault.SERVER_ERROR, on="orders")
        with pytest.raises(NetworkTimeout):
            await d.venue.place(d.order(1))


async def test_maintenance_is_certain() -> None:
    """A 503 "Service Unavailable" is documented as failed for certain: the order may be sent again."""
    async with desk() as d:
        d.server.faults.arm(Fault.MAINTENANCE, on="orders")
        with pytest.raises(VenueDown):
            await d.venue.place(d.order(1))
        assert (await d.venue.place(d.order(1))).state is OrderState.OPEN


async def test_an_earlier_life_placed_it() -> None:
    """After a restart open orders and fills come under our ids; an id of the earlier life is not proven absent at once."""
    async with desk() as d:
        await d.venue.place(d.order(1))
        await d.venue.place(d.order(2, OrderType.MARKET))
        await d.venue.close()
        again = CryptoVenue(access_to(d.server), Tools(d.clock, sooner, lambda: 0.0))
        await again.connect(d.heard)
        try:
            assert [each.client_order_id for each in await again.open_orders()] == ["bhsafety0001"]
            assert {each.client_order_id for each in await again.fills_since(0)} == {"bhsafety0002"}
            assert (await again.query("bhsafety0003", BTC)).state is OrderState.UNKNOWN
            d.clock.passes(10)
            assert (await again.query("bhsafety0003", BTC)).absent_proven
        finally:
            await again.close()


async def test_duplicate_refused_by_the_venue() -> None:
    """An order of an earlier life sent again: the venue refuses the id, and the order that it has is the answer."""
    async with desk() as d:
        await d.venue.place(d.order(1))
        await d.venue.close()
        again = CryptoVenue(access_to(d.server), Tools(d.clock, sooner, lambda: 0.0))
        await again.connect(d.heard)
        try:
            assert (await again.place(d.order(1))).state is OrderState.OPEN
            assert len(d.hall.open_orders()) == 1
        finally:
            await again.close()


# --- time --------------------------------------------------------------------------------------------------------------


async def test_late_arrival_is_refused_by_the_venue() -> None:
    """An order that is under way for longer than it may be is not carried out, whoever sleeps where."""
    async with desk() as d:
        d.venue.send_by = lambda: d.clock() + NS // 5
        d.server.faults.latency_s = 0.4
        d.server.faults.arm(Fault.LATENCY, on="orders")
        with pytest.raises(VenueDown, match="recvWindow"):
            await d.venue.place(d.order(1))
        assert d.posts() == 1
        assert d.hall.open_orders() == []
        d.venue.send_by = lambda: d.clock() - 1
        with pytest.raises(VenueDown):
            await d.venue.place(d.order(2))
        with pytest.raises(VenueDown):
            await d.venue.cancel("bhsafety0001", BTC)
        assert d.posts() == 1


async def test_the_window_ends_with_the_lease() -> None:
    """The recvWindow is five seconds, less when less time is left."""
    async with desk() as d:
        await d.venue.place(d.order(1))
        d.venue.send_by = lambda: d.clock() + 2 * NS
        await d.venue.place(d.order(2))
        first, second = d.server.latest
        assert first == 5000
        assert 0 < second <= 2000


async def test_clocks_apart() -> None:
    """A clock ten seconds off is followed from the start, and again when the venue says so."""
    async with desk(connect=False) as d:
        d.server.skew_ms = -10_000
        await d.venue.connect(d.heard)
        assert d.venue.clock_offset < -9 * NS
        await d.venue.place(d.order(1))
        d.server.skew_ms = 30_000
        assert len(await d.venue.open_orders()) == 1
        d.server.skew_ms = 0
        with pytest.raises(VenueDown, match="Timestamp"):
            await d.venue.place(d.order(2))
        assert (await d.venue.place(d.order(2))).state is OrderState.OPEN


# --- limits and keys ---------------------------------------------------------------------------------------------------


async def test_too_many_requests() -> None:
    """429 and 418 say how long to wait; the order certainly did not get in."""
    async with desk() as d:
        d.server.faults.arm(Fault.TOO_MANY, on="orders")
        with pytest.raises(RateLimited) as limited:
            await d.venue.place(d.order(1))
        assert limited.value.retry_after_s == 1
        d.server.banned_s = 120
        with pytest.raises(RateLimited) as banned:
            await d.venue.place(d.order(1))
        assert banned.value.retry_after_s == 120
        d.server.banned_s = 0
        assert (await d.venue.place(d.order(1))).state is OrderState.OPEN


@pytest.mark.parametrize("changes", [{"key": "Secret"}, {"secret": "Secret"}])
async def test_wrong_key(changes: dict[str, str]) -> None:
    """A key or secret that the venue refuses ends the connection for good."""
    async with desk(connect=False, **{name: Secret("wrong" + kind) for name, kind in changes.items()}) as d:
        with pytest.raises((AuthFailed, PermissionDenied)) as refused:
            await d.venue.connect(d.heard)
        assert refused.value.stops
        assert d.venue.closed


async def test_restricted_country() -> None:
    """A country that the venue does not serve is no reason to try again."""
    async with desk(connect=False) as d:
        d.server.elsewhere = True
        with pytest.raises(PermissionDenied, match="legal reasons"):
            await d.venue.connect(d.heard)


@pytest.mark.parametrize("market", [MarketType.SPOT, MarketType.PERP])
def test_test_network(market: MarketType) -> None:
    """The test network is another place for calls and for streams; no address of the real one is left in use."""
    access = Access(account="acc", venue="binance", market=market, testnet=True)
    dialect = dialect_of(access)
    exchange = make_exchange(load("binance"), dialect, access, Clock(WallClock().now), Late())
    api = exchange.urls["api"]
    kind = "spot" if market is MarketType.SPOT else "linear"
    used = [api["private" if kind == "spot" else "fapiPrivate"], api["ws"][kind], api["ws"]["ws-api"][kind]]
    assert all("testnet" in url or "binancefuture" in url for url in used)


@pytest.mark.parametrize(("mode", "throttled", "share"), [(False, True, 1), (True, True, 2), (None, False, 1)])
def test_shares_of_the_limits(*, mode: bool | None, throttled: bool, share: int) -> None:
    """The library's own throttle keeps to the published limits, to half of them, or to none (EX-1105)."""
    access = Access(account="acc", venue="binance", conservative=mode)
    exchange = make_exchange(load("binance"), dialect_of(access), access, Clock(WallClock().now), Late())
    assert exchange.enableRateLimit is throttled
    assert exchange.tokenBucket["rateLimit"] == 50 * share


async def test_secrets_are_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """Neither key nor secret nor a signature is in what is logged, raised, told or shown, on good days and bad."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    async with desk() as d:
        for fault in (Fault.ANSWER_LOST, Fault.SERVER_ERROR, Fault.TOO_MANY, Fault.MALFORMED, Fault.REQUEST_LOST):
            d.server.faults.arm(fault, 1, on="any")
            for call in (d.venue.open_orders, d.venue.balances, lambda: d.venue.place(d.order(9))):
                try:
                    said.append(repr(await call()))
                except VenueError as error:
                    said += [str(error), repr(error), repr(error.__dict__)]
            d.server.faults.clear()
        d.server.drop()
        await d.heard.one(FeedStatus, state=FeedState.DEGRADED)
        said += [repr(d.heard.messages), caplog.text, repr(d.venue), repr(access_to(d.server))]
    whole = "\n".join(said)
    for secret in (KEY, SECRET, "signature="):
        assert secret not in whole


# --- refusals and strangers --------------------------------------------------------------------------------------------


async def test_refusals_have_codes() -> None:
    """What the desk needs to know of a refusal is its code; the venue's text stands beside it."""
    async with desk() as d:
        fine = await d.venue.place(d.order(1, price=BID - D("0.005")))
        assert (fine.state, fine.code) == (OrderState.REJECTED, "PrecisionRejected")
        assert "PRICE_FILTER" in fine.reason
        d.server.faults.arm(Fault.MARGIN_REJECT)
        poor = await d.venue.place(d.order(2))
        assert (poor.state, poor.code) == (OrderState.REJECTED, "InsufficientFunds")
        odd = await d.venue.place(OrderRequest(client_order_id="bhsafety0003", symbol="NO/USDT", side=OrderSide.BUY,
                                               type=OrderType.MARKET, qty=D(1)))  # fmt: skip
        assert odd.code == "UnknownSymbol"


async def test_orders_of_others() -> None:
    """An order that somebody placed by hand is shown under an id that is not one of ours, fills too."""
    async with desk() as d:
        d.hall.place(OrderRequest(client_order_id="web_1f6e3A", symbol=BTC, side=OrderSide.BUY, type=OrderType.MARKET,
                                  qty=D("0.01")))  # fmt: skip
        (fill,) = (await d.heard.one(FillReport),)
        assert fill.client_order_id == "web_1f6e3A"
        assert {each.client_order_id for each in await d.venue.fills_since(0)} == {"web_1f6e3A"}


# --- perpetuals --------------------------------------------------------------------------------------------------------


async def test_perpetuals() -> None:
    """Positions, funding, open interest, reduce-only and changing an order in place."""
    async with desk(perp=True) as d:
        await d.venue.place(d.order(1, OrderType.MARKET))
        (position,) = await d.venue.positions()
        assert (position.symbol, position.qty) == (d.symbol, D("0.01"))
        funding = await d.venue.funding_rate(d.symbol)
        assert (funding.rate, funding.interval_hours, funding.next_at) == (D("0.0001"), 8, 1_800_000_000 * NS)
        assert (await d.venue.funding_rate("ETH/USDT:USDT")).interval_hours == 4
        assert (await d.venue.open_interest(d.symbol)).qty == D("10659.509")
        close = OrderRequest(client_order_id="bhsafety0002", symbol=d.symbol, side=OrderSide.SELL, type=OrderType.MARKET,
                             qty=D("0.01"), reduce_only=True)  # fmt: skip
        assert (await d.venue.place(close)).state is OrderState.FILLED
        again = OrderRequest(client_order_id="bhsafety0003", symbol=d.symbol, side=OrderSide.SELL, type=OrderType.MARKET,
                             qty=D("0.01"), reduce_only=True)  # fmt: skip
        refused = await d.venue.place(again)
        assert (refused.state, refused.code) == (OrderState.REJECTED, "ReduceOnly")


@pytest.mark.parametrize("perp", [False, True])
async def test_recent_trades(*, perp: bool) -> None:
    """What the market has traded is told oldest first, by the taker's side."""
    async with desk(perp=perp) as d:
        await d.venue.place(d.order(1, OrderType.MARKET))
        await d.venue.place(d.order(2, OrderType.MARKET))
        trades = await d.venue.recent_trades(d.symbol)
        assert [(each.side, each.qty) for each in trades] == [(OrderSide.BUY, D("0.01"))] * 2
        assert [each.price for each in trades] == [fill.price for fill in d.hall.fills]
        assert len(await d.venue.recent_trades(d.symbol, 1)) == 1


@pytest.mark.parametrize("perp", [False, True])
async def test_weights(*, perp: bool) -> None:
    """What calls cost of the published limit is known before they are made, by the contract's names."""
    async with desk(perp=perp, connect=False) as d:
        assert d.venue.limit is not None
        assert all(callable(getattr(d.venue, name)) for name in d.venue.weights)
        assert d.venue.weights["open_orders"] < d.venue.limit.calls


async def test_stop_orders() -> None:
    """A stop rests on spot until its price trades; futures take none through this interface: refused before it is sent."""
    async with desk() as d:
        stop = OrderRequest(client_order_id="bhsafety0001", symbol=BTC, side=OrderSide.BUY, type=OrderType.STOP,
                            qty=D("0.01"), stop_price=BID + 100)  # fmt: skip
        assert (await d.venue.place(stop)).state is OrderState.OPEN
        d.hall.price(BTC, BID + 101, BID + 102)
        await d.heard.one(OrderReport, client_order_id="bhsafety0001", state=OrderState.FILLED)
    async with desk(perp=True) as d:
        refused = await d.venue.place(
            OrderRequest(client_order_id="bhsafety0001", symbol=d.symbol, side=OrderSide.BUY, type=OrderType.STOP,
                         qty=D("0.01"), stop_price=BID + 100))  # fmt: skip
        assert (refused.state, refused.code) == (OrderState.REJECTED, "VenueCapabilityMissing")
        assert d.posts() == 0


async def test_amend() -> None:
    """A resting order of a perpetual is changed in place; spot orders cannot be."""
    async with desk(perp=True) as d:
        await d.venue.place(d.order(1))
        report = await d.venue.amend("bhsafety0001", d.symbol, price=BID - 50)
        assert report.state is OrderState.OPEN
        (only,) = d.hall.open_orders()
        assert (only.request.price, only.request.qty) == (BID - 50, D("0.01"))
    async with desk() as d:
        await d.venue.place(d.order(1))
        with pytest.raises(VenueCapabilityMissing):
            await d.venue.amend("bhsafety0001", d.symbol, price=BID - 50)
