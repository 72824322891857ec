"""MEXC keeps the trading contract over its own protocol, and its perpetuals are refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial

import pytest

from protocol.market import PriceTick
from protocol.orders import FillReport, OrderReport, OrderState
from protocol.secret import Secret
from protocol.values import MarketType, OrderSide, OrderType
from tests.servers.venues.faults import Fault
from tests.servers.venues.http import HttpVenue
from tests.servers.venues.mexc import KEY, SECRET, MexcServer, mexc_hall
from tests.servers.venues.mexc_perp import MexcPerpServer, mexc_perp_hall
from tests.servers.venues.mexc_words import Refused
from tests.venues.bad_days import ASK, BID, BadDaysUnchanged, order
from tests.venues.clocked_rig import ClockedRig
from tests.venues.contract_suite import TradingContract
from tests.venues.perp_suite import PerpContract
from tests.venues.two_families import Families
from venues.access import Access
from venues.errors import (
    AuthFailed,
    NetworkTimeout,
    PermissionDenied,
    RateLimited,
    VenueDown,
    VenueError,
)

pytestmark = pytest.mark.anyio


def access(server: HttpVenue, market: MarketType = MarketType.SPOT) -> Access:
    """Return how the server's account is reached."""
    return Access(
        account="acc", venue="mexc", market=market, url=server.url, stream_url=server.stream_url, key=Secret(KEY),
        secret=Secret(SECRET), conservative=None, symbols=("BTC/USDT" if market is MarketType.SPOT else "BTC/USDT:USDT",),
    )  # fmt: skip


def server(now: Callable[[], int], market: MarketType = MarketType.SPOT) -> MexcServer | MexcPerpServer:
    """Return one of the venue's two interfaces."""
    if market is MarketType.PERP:
        return MexcPerpServer(mexc_perp_hall(now=now))
    return MexcServer(mexc_hall(now=now))


families = Families(server, access, perp_server=partial(server, market=MarketType.PERP))
spot, perp = families.spot, families.perp


@pytest.mark.slow
class TestMexcSpot(TradingContract):
    """The contract."""

    open_rig = staticmethod(spot)


@pytest.mark.slow
class TestMexcBadDays(BadDaysUnchanged):
    """Bad days of a spot account."""

    open_rig = staticmethod(spot)
    too_many = "Too Many Requests"

    test_the_other_family_is_not_heard = None  # type: ignore[assignment] # it has no other family for us


@pytest.mark.slow
class TestMexcPerp(PerpContract):
    """The contract, for perpetuals."""

    open_rig = staticmethod(perp)


@pytest.mark.slow
class TestMexcPerpBadDays(TestMexcBadDays):
    """Bad days of an account of perpetuals."""

    open_rig = staticmethod(perp)
    too_many = "too frequent"


@asynccontextmanager
async def trading() -> AsyncIterator[tuple[ClockedRig, MexcServer]]:
    """Run a connected account with a price."""
    async with spot() as rig:
        await rig.venue.connect(rig.heard)
        rig.hall.price(rig.symbol, BID, ASK)
        assert isinstance(rig.server, MexcServer)
        yield rig, rig.server


async def test_an_order_is_good_for_what_is_left_of_its_time() -> None:
    """The window of an order ends when its time does; questions have the venue's usual one."""
    async with trading() as (rig, server):
        rig.venue.send_by = lambda: rig.clocks.ours() + 800_000_000
        await rig.venue.place(order("bhmexc000001", symbol=rig.symbol))
        await rig.venue.cancel("bhmexc000001", rig.symbol)
        await rig.venue.balances()
        windows = dict(server.windows)
        assert 0 < windows["POST /api/v3/order"] <= 800
        assert 0 < windows["DELETE /api/v3/order"] <= 800
        assert windows["GET /api/v3/account"] == 5000


async def test_an_order_that_was_cancelled_after_a_part_had_traded() -> None:
    """It is cancelled with what has traded, on every way it is heard: ccxt would call it filled."""
    async with trading() as (rig, _):
        request = order("bhmexc000001", symbol=rig.symbol)
        await rig.venue.place(request)
        rig.hall.trade(rig.symbol, BID - 100, request.qty / 4)
        await rig.settled()
        known = rig.hall.find(request.client_order_id)
        assert known is not None
        rig.hall.cancel(known)
        await rig.settled()
        for report in (await rig.venue.query(request.client_order_id, rig.symbol), rig.heard.of(OrderReport)[-1]):
            assert (report.state, report.filled_qty) == (OrderState.CANCELLED, request.qty / 4)
        (fill,) = rig.heard.of(FillReport)
        assert (fill.maker, fill.fee) == (True, 0)


async def test_a_stream_that_is_refused() -> None:
    """A listen key that is no longer good: the stream is opened anew with another, and what happened is told once."""
    async with trading() as (rig, server):
        server.listen_keys.clear()
        server.refuse_keys = 1
        server.drop()
        rig.hall.place(order("bhmexc000001", OrderType.MARKET, symbol=rig.symbol))
        await rig.heard.until(lambda: rig.heard.of(FillReport))
        await rig.heard.until(lambda: rig.venue.line.private.live.is_set() and len(server.listen_keys) == 1)
        assert len(rig.heard.of(FillReport)) == 1


async def test_a_frame_that_is_broken_off() -> None:
    """Half a frame of the account's stream: nothing of it is believed, history tells what it would have said."""
    async with trading() as (rig, _):
        rig.hall.faults.arm(Fault.MALFORMED, 1, "reads")
        rig.hall.place(order("bhmexc000001", OrderType.MARKET, symbol=rig.symbol))
        await rig.heard.until(lambda: rig.heard.of(FillReport))
        await rig.heard.until(lambda: rig.heard.of(OrderReport, state=OrderState.FILLED))
        assert rig.venue.line.private.malformed_frames == 1
        assert len(rig.heard.of(FillReport)) == 1


async def test_many_markets_share_connections() -> None:
    """The venue takes thirty subscriptions a connection: fifteen markets each, the next ones on another."""
    async with trading() as (rig, server):
        await rig.venue.subscribe([rig.symbol])
        await rig.heard.one(PriceTick, symbol=rig.symbol)
        await rig.heard.until(lambda: rig.venue.line.prices.live.is_set())
        await rig.venue.subscribe(["ETH/USDT"])
        for bid in (2000, 2100):  # the first is asked for, the second is streamed
            rig.hall.price("ETH/USDT", Decimal(bid), Decimal(bid + 1))
            await rig.heard.one(PriceTick, symbol="ETH/USDT", bid=Decimal(bid), ask=Decimal(bid + 1))
        topics = [stream.topics for stream in server.streams if any("public" in topic for topic in stream.topics)]
        assert [len(each) for each in topics] == [2, 2]


@pytest.mark.parametrize(
    ("code", "text", "error"),
    [
        (700002, "Signature for this request is not valid.", AuthFailed),
        (10072, "Api key info invalid", AuthFailed),
        (700006, "IP [1.2.3.4] not in the ip white list", PermissionDenied),
        (700007, "No permission to access the endpoint.", PermissionDenied),
        (429, "Too Many Requests", RateLimited),
        (700003, "Timestamp for this request is outside of the recvWindow.", VenueDown),
        (500, "Internal error", NetworkTimeout),
    ],
)
async def test_codes_that_end_a_call(code: int, text: str, error: type[VenueError]) -> None:
    """The venue's codes have our names; what may have been carried out stays unknown."""
    async with trading() as (rig, server):
        server.refuse_orders = Refused(code, text)
        with pytest.raises(error):
            await rig.venue.place(order("bhmexc000001", symbol=rig.symbol))


@pytest.mark.parametrize(
    ("code", "text", "ours"),
    [
        (30002, "The minimum transaction volume cannot be less than:1USDT", "PrecisionRejected"),
        (10096, "amount decimal places is too long", "PrecisionRejected"),
        (400, "price scale is invalid", "PrecisionRejected"),
        (30004, "Insufficient position", "InsufficientFunds"),
        (30005, "Oversold", "InsufficientFunds"),
        (30016, "Trading disabled", "MarketHalted"),
        (30000, "suspended transaction for the symbol", "MarketHalted"),
        (30087, "Order price exceeds allowed range", ""),
    ],
)
async def test_codes_that_refuse_an_order(code: int, text: str, ours: str) -> None:
    """A refusal is an answer: rejected, with our code where there is one and the venue's words."""
    async with trading() as (rig, server):
        server.refuse_orders = Refused(code, text)
        report = await rig.venue.place(order("bhmexc000001", symbol=rig.symbol))
        assert (report.state, report.code) == (OrderState.REJECTED, ours)
        assert text in report.reason


async def test_an_id_that_the_venue_knows() -> None:
    """A repeated request is the known order, not a second one."""
    async with trading() as (rig, _):
        rig.hall.place(order("bhmexc000001", symbol=rig.symbol))
        assert (await rig.venue.place(order("bhmexc000001", symbol=rig.symbol))).state is OrderState.OPEN
        assert len(rig.hall.open_orders()) == 1


@pytest.mark.parametrize("fault", [Fault.STALE_PRICE, Fault.ZERO_PRICE, Fault.CROSSED_BOOK])
async def test_prices_that_cannot_be(fault: Fault) -> None:
    """Prices of an hour ago, of zero, or whose bid is above their ask are not told; the next good one is."""
    async with trading() as (rig, _):
        await rig.venue.subscribe([rig.symbol])
        await rig.heard.until(lambda: rig.venue.line.prices.live.is_set())
        rig.hall.faults.arm(fault)
        rig.hall.price(rig.symbol, BID + 1, ASK + 1)
        rig.hall.price(rig.symbol, BID + 2, ASK + 2)
        await rig.heard.one(PriceTick, bid=BID + 2, ask=ASK + 2)
        assert all(BID <= each.bid < each.ask <= ASK + 2 for each in rig.heard.of(PriceTick))


async def test_a_clock_far_ahead() -> None:
    """A venue whose clock is a minute ahead is followed: requests are signed with its time."""
    async with spot() as rig:
        rig.clocks.venue_ahead_s = 60
        await rig.venue.connect(rig.heard)
        rig.hall.price(rig.symbol, BID, ASK)
        assert (await rig.venue.place(order("bhclock00001", symbol=rig.symbol))).state is OrderState.OPEN


@asynccontextmanager
async def trading_perps() -> AsyncIterator[tuple[ClockedRig, MexcPerpServer]]:
    """Run a connected account of perpetuals with a price."""
    async with perp() as rig:
        await rig.venue.connect(rig.heard)
        rig.hall.price(rig.symbol, BID, ASK)
        assert isinstance(rig.server, MexcPerpServer)
        yield rig, rig.server


async def test_an_account_with_both_sides() -> None:
    """An account in hedge mode is refused: with a long and a short at once no position is one number."""
    async with perp() as rig:
        rig.server.position_mode = 1  # type: ignore[attr-defined]
        with pytest.raises(PermissionDenied, match="hedge mode"):
            await rig.venue.connect(rig.heard)


async def test_the_window_of_a_contract_order() -> None:
    """It is what is left of the order's time, in whole seconds; with less than one left nothing is sent."""
    async with trading_perps() as (rig, server):
        rig.venue.send_by = lambda: rig.clocks.ours() + 3_500_000_000
        await rig.venue.place(order("bhmexc000001", symbol=rig.symbol))
        await rig.venue.cancel("bhmexc000001", rig.symbol)
        assert server.windows == [3, 3]
        rig.venue.send_by = lambda: rig.clocks.ours() + 900_000_000
        with pytest.raises(VenueDown):
            await rig.venue.place(order("bhmexc000002", symbol=rig.symbol))
        assert server.windows == [3, 3]


async def test_contracts_of_perpetuals() -> None:
    """Quantities are base units here and contracts there; half a contract is refused before it is sent."""
    async with trading_perps() as (rig, _):
        (rules,) = [each for each in await rig.venue.instruments() if each.symbol == rig.symbol]
        assert (rules.contract_size, rules.rules.step_size, rules.rules.tick_size) == (
            Decimal("0.0001"), Decimal("0.0001"), Decimal("0.1"))  # fmt: skip
        report = await rig.venue.place(order("bhmexc000001", symbol=rig.symbol, qty=Decimal("0.00015")))
        assert (report.state, report.code) == (OrderState.REJECTED, "PrecisionRejected")
        await rig.venue.place(order("bhmexc000002", OrderType.MARKET, symbol=rig.symbol, side=OrderSide.SELL))
        (held,) = await rig.venue.positions()
        assert held.qty == -order("bhmexc000002", symbol=rig.symbol).qty


async def test_costs_of_holding() -> None:
    """Funding with its interval, and open interest in base units."""
    async with trading_perps() as (rig, _):
        funding = await rig.venue.funding_rate(rig.symbol)
        assert (funding.rate, funding.interval_hours) == (Decimal("0.000014"), 8)
        assert funding.next_at > rig.clocks.venue()
        assert (await rig.venue.open_interest(rig.symbol)).qty == Decimal(5832946) * Decimal("0.0001")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (2005, "InsufficientFunds"), (2009, "ReduceOnly"), (2008, "ReduceOnly"), (2015, "PrecisionRejected"),
        (2011, "PrecisionRejected"), (1002, "MarketHalted"), (6001, "MarketHalted"), (2040, "missing"),
        (2041, "missing"), (2042, "duplicate"), (513, "late"), (602, "AuthFailed"), (402, "AuthFailed"),
        (406, "PermissionDenied"), (702, "PermissionDenied"), (510, "RateLimited"), (2037, "RateLimited"),
        (500, "NetworkTimeout"), (9999, "NetworkTimeout"),
    ],
)  # fmt: skip
async def test_codes_of_the_contract_interface(code: int, kind: str) -> None:
    """The venue's published codes, read for what they mean to an order."""
    async with perp() as rig:
        await rig.venue.connect(rig.heard)
        line = rig.venue.line
        body = {"success": False, "code": code, "message": "told so"}
        with pytest.raises(Exception, match=str(code)) as raised:
            line.calls.exchange.handle_errors(200, "", "", "POST", {}, json.dumps(body), body, {}, "")
    error, dialect = raised.value, line.calls.dialect
    assert dialect.is_missing(error) is (kind == "missing")
    assert dialect.is_duplicate(error) is (kind == "duplicate")
    assert dialect.did_nothing(error) is (kind == "late")
    if kind in ("InsufficientFunds", "ReduceOnly", "PrecisionRejected", "MarketHalted"):
        assert dialect.refusal_code(error) == kind
    elif kind[0].isupper():
        assert type(line.calls.blame.of_change(error, left=True)).__name__ == kind
