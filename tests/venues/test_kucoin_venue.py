"""Kucoin keeps the trading contract through ccxt over its own protocol, and nothing doubles or is lost on its bad days."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from protocol.instruments import Instrument, PrecisionRules
from protocol.market import FeedState, FeedStatus
from protocol.orders import FillReport, OrderState
from protocol.secret import Secret
from protocol.values import MarketType, OrderType
from tests.servers.venues.faults import Fault
from tests.servers.venues.hall import Hall
from tests.servers.venues.http import HttpVenue
from tests.servers.venues.kucoin import KEY, PASSPHRASE, SECRET, KucoinServer
from tests.venues.bad_days import ASK, BID, BadDays, order
from tests.venues.contract_suite import TradingContract
from tests.venues.perp_suite import PerpContract
from tests.venues.two_families import PERP, SPOT, Families, ImpossiblePrices, check_funding, connected, market_of, reach
from venues.access import Access
from venues.errors import RateLimited, VenueDown

pytestmark = pytest.mark.anyio

D = Decimal


def markets() -> tuple[Instrument, ...]:
    """Return a pair and a contract, by Kucoin's names."""
    pair = PrecisionRules(D("0.1"), D("0.00001"), D("0.00001"), D("0.1"))
    contract = PrecisionRules(D("0.1"), D("0.001"), D("0.001"), D(0))
    return (
        market_of("kucoin", SPOT, "BTC-USDT", pair),
        market_of("kucoin", PERP, "XBTUSDTM", contract, D("0.001")),
    )


def access(server: HttpVenue, market: MarketType = MarketType.SPOT) -> Access:
    """Return how to reach a server."""
    symbols = (PERP if market is MarketType.PERP else SPOT,)
    return reach(server, "kucoin", market, key=KEY, secret=SECRET, symbols=symbols, passphrase=Secret(PASSPHRASE))


def server(now: Callable[[], int]) -> HttpVenue:
    """Return an account that trades both families."""
    return KucoinServer(Hall("kucoin", markets(), now=now))


families = Families(server, access)
spot, perp = families.spot, families.perp


@pytest.mark.slow
class TestKucoinSpot(TradingContract):
    """The contract."""

    open_rig = staticmethod(spot)


@pytest.mark.slow
class TestKucoinPerp(PerpContract):
    """The contract, for perpetuals."""

    open_rig = staticmethod(perp)


@pytest.mark.slow
class TestKucoinBadDays(BadDays):
    """Bad days of a spot account."""

    open_rig = staticmethod(spot)
    too_many = "Too many requests"


@pytest.mark.slow
class TestKucoinPerpBadDays(TestKucoinBadDays):
    """Bad days of an account of perpetuals."""

    open_rig = staticmethod(perp)


class TestKucoinPrices(ImpossiblePrices):
    """Prices of both accounts."""

    accounts = families


async def test_how_long_to_wait() -> None:
    """KuCoin says in a header of its own when its window begins anew, in milliseconds."""
    async with connected(spot) as rig:
        rig.hall.faults.arm(Fault.TOO_MANY, on="orders")
        with pytest.raises(RateLimited) as refused:
            await rig.venue.place(order("bhwait000001", symbol=SPOT))
        assert refused.value.retry_after_s == 1.2


async def test_an_order_with_little_time_left() -> None:
    """An order that may arrive within a second only is signed as if it were older; KuCoin refuses it after that second."""
    async with connected(perp) as rig:
        rig.venue.send_by = lambda: rig.clocks.ours() + 1_000_000_000
        rig.clocks.venue_ahead_s = 0.5
        assert (await rig.venue.place(order("bhsoon000001", symbol=PERP))).state is OrderState.OPEN
        rig.clocks.venue_ahead_s = 1.5
        with pytest.raises(VenueDown):
            await rig.venue.place(order("bhsoon000002", symbol=PERP))
        assert len(rig.hall.open_orders()) == 1


async def test_another_margin_mode() -> None:
    """An order says the margin mode that its market is set to; when that was changed, one refusal is enough to know."""
    async with connected(perp) as rig:
        rig.server.futures.margin_mode = "CROSS"
        assert (await rig.venue.place(order("bhmode000001", symbol=PERP))).state is OrderState.OPEN
        rig.server.futures.margin_mode = "ISOLATED"
        assert (await rig.venue.place(order("bhmode000002", symbol=PERP))).state is OrderState.REJECTED
        assert (await rig.venue.place(order("bhmode000003", symbol=PERP))).state is OrderState.OPEN


async def test_part_of_a_contract() -> None:
    """A quantity that is no whole number of contracts is refused by that name, and nothing is sent."""
    async with connected(perp) as rig:
        report = await rig.venue.place(order("bhpart000001", symbol=PERP, qty=D("0.0005")))
        assert (report.state, report.code) == (OrderState.REJECTED, "PrecisionRejected")
        assert rig.server.places == 0


async def test_every_connection_has_a_token_of_its_own() -> None:
    """A token is good for a day: each connection asks for a fresh one."""
    async with connected(spot) as rig:
        for _ in range(2):
            before = rig.server.requests.count("POST /api/v1/bullet-private")
            rig.server.drop()
            await rig.heard.one(FeedStatus, state=FeedState.DEGRADED)
            rig.heard.forget()
            await rig.heard.one(FeedStatus, state=FeedState.LIVE)
            assert rig.server.requests.count("POST /api/v1/bullet-private") == before + 1


async def test_fees_are_the_venues_own() -> None:
    """The stream tells no fee: what is told was asked for, and is what history says."""
    async with connected(spot) as rig:
        await rig.venue.place(order("bhfees000001", OrderType.MARKET, symbol=SPOT))
        told = await rig.heard.one(FillReport)
        (fill,) = rig.hall.fills
        assert (told.fee, told.fee_currency) == (fill.fee, fill.fee_currency)
        assert told.fee > 0


async def test_a_clock_far_ahead() -> None:
    """A venue whose clock is a minute ahead is followed: requests are signed with its time."""
    async with spot() as rig:
        rig.clocks.venue_ahead_s = 60
        await rig.venue.connect(rig.heard)
        rig.hall.price(SPOT, BID, ASK)
        assert (await rig.venue.place(order("bhclock00001", symbol=SPOT))).state is OrderState.OPEN


async def test_costs_of_holding() -> None:
    """Funding and open interest, in base units."""
    async with connected(perp) as rig:
        await check_funding(rig, D(8053960) * D("0.001"))


RECORDED = (
    Path(__file__).resolve().parents[3] / "shared" / "data" / "api" / "gocryptotrader" / "kucoin" / "wsHandleData.jsonl"
)


async def test_recorded_orders() -> None:
    """Orders as KuCoin's streams told them: how each stands, and when, by whichever unit its times are in."""
    if not RECORDED.exists():
        pytest.skip("no recorded payloads beside the repository")
    frames = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    async with connected(spot) as rig:
        exchange, dialect = rig.venue.line.calls.exchange, rig.venue.line.calls.dialect
        told = [
            exchange.parse_ws_order(each["data"]) for each in frames if each["topic"].endswith("Market/tradeOrders")
        ]
        states = [dialect.order_state(each) for each in told]
    assert [each.value for each in states] == [
        "open",
        "partially_filled",
        "filled",
        "cancelled",
        "open",
        "partially_filled",
    ]
    assert all(1_500_000_000_000 < each["timestamp"] < 1_700_000_000_000 for each in told)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [("102411", "x", "duplicate"), ("400100", "validation.createOrder.clientOidDuplicated", "duplicate"),
     ("300018", "clientOid duplicated", "duplicate"), ("400100", "order not exist", "missing"),
     ("100001", "error.getOrder.orderNotExist", "missing"), ("400100", "Price increment invalid.", "PrecisionRejected"),
     ("600100", "Order size increment invalid.", "PrecisionRejected"),
     ("200004", "Balance insufficient!", "InsufficientFunds"),
     ("300009", "No open positions to close.", "ReduceOnly"), ("126009", "Trading pair suspended", "MarketHalted"),
     ("503000", "Service Unavailable", "open"), ("400002", "Invalid KC-API-TIMESTAMP", "late")],
)  # fmt: skip
async def test_words(code: str, message: str, kind: str) -> None:
    """KuCoin's codes, read for what they mean to an order."""
    async with spot() as rig:
        await rig.venue.connect(rig.heard)
        exchange, dialect = rig.venue.line.calls.exchange, rig.venue.line.calls.dialect
        body = {"code": code, "msg": message}
        with pytest.raises(Exception, match=code) as raised:
            exchange.handle_errors(200, "", "", "POST", {}, json.dumps(body), body, {}, "")
    error = raised.value
    assert dialect.is_duplicate(error) is (kind == "duplicate")
    assert dialect.is_missing(error) is (kind == "missing")
    assert dialect.leaves_open(error) is (kind == "open")
    assert dialect.did_nothing(error) is (kind == "late")
    if kind[0].isupper():
        assert dialect.refusal_code(error) == kind
