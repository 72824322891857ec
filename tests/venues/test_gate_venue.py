"""Gate keeps the trading contract through ccxt over its own protocol, and nothing doubles or is lost on its bad days."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from protocol.instruments import Instrument, PrecisionRules
from protocol.orders import OrderRequest, OrderState
from protocol.values import MarketType, OrderType
from tests.servers.venues.faults import Fault
from tests.servers.venues.gate import KEY, SECRET, GateServer
from tests.servers.venues.hall import Hall
from tests.servers.venues.http import HttpVenue
from tests.venues.bad_days import ASK, BID, BadDays, order
from tests.venues.contract_suite import TradingContract
from tests.venues.perp_suite import PerpContract
from tests.venues.two_families import PERP, SPOT, Families, ImpossiblePrices, check_funding, connected, market_of, reach
from venues.access import Access
from venues.crypto.dialects.gate import GateDialect
from venues.errors import NetworkTimeout, RateLimited

pytestmark = pytest.mark.anyio

D = Decimal


def markets() -> tuple[Instrument, ...]:
    """Return a pair and a contract, by Gate's names."""
    pair = PrecisionRules(D("0.1"), D("0.00001"), D("0.00001"), D("3"))
    contract = PrecisionRules(D("0.1"), D("0.0001"), D("0.0001"), D(0))
    return (
        market_of("gate", SPOT, "BTC_USDT", pair),
        market_of("gate", PERP, "BTC_USDT", contract, D("0.0001")),
    )


def access(server: HttpVenue, market: MarketType = MarketType.SPOT) -> Access:
    """Return how to reach a server."""
    return reach(server, "gate", market, key=KEY, secret=SECRET)


def server(now: Callable[[], int]) -> HttpVenue:
    """Return an account that trades both families; what is bought on spot pays its fee itself."""
    return GateServer(Hall("gate", markets(), now=now, fee_in_base=True))


families = Families(server, access)
spot, perp = families.spot, families.perp


@pytest.mark.slow
class TestGateSpot(TradingContract):
    """The contract."""

    open_rig = staticmethod(spot)


@pytest.mark.slow
class TestGatePerp(PerpContract):
    """The contract, for perpetuals."""

    open_rig = staticmethod(perp)


@pytest.mark.slow
class TestGateBadDays(BadDays):
    """Bad days of a spot account."""

    open_rig = staticmethod(spot)
    too_many = "TOO_MANY_REQUESTS"


@pytest.mark.slow
class TestGatePerpBadDays(TestGateBadDays):
    """Bad days of an account of perpetuals."""

    open_rig = staticmethod(perp)


class TestGatePrices(ImpossiblePrices):
    """Prices of both accounts."""

    accounts = families


async def test_how_long_to_wait() -> None:
    """Gate says in a header of its own at which second its window begins anew."""
    async with connected(spot) as rig:
        rig.hall.faults.arm(Fault.TOO_MANY, on="orders")
        await rig.venue.open_orders()
        with pytest.raises(RateLimited) as refused:
            await rig.venue.place(order("bhwait000001", symbol=SPOT))
        assert 0 < refused.value.retry_after_s <= 2


@pytest.mark.parametrize("key", ["bh" + "t" * 26, "bht123"])
async def test_ids_of_any_form(key: str) -> None:
    """The longest id and the shortest go out and come back."""
    async with connected(spot) as rig:
        assert (await rig.venue.place(order(key, symbol=SPOT))).client_order_id == key
        assert [each.client_order_id for each in await rig.venue.open_orders()] == [key]
        assert (await rig.venue.query(key, SPOT)).state is OrderState.OPEN


async def test_a_market_buy_buys_an_exact_quantity() -> None:
    """Gate's market buys spend money; ours buys base units, and pays no more than 2 % above the best ask."""
    async with connected(spot) as rig:
        report = await rig.venue.place(order("bhexact00001", OrderType.MARKET, symbol=SPOT, qty=D("0.01234")))
        assert (report.state, report.filled_qty) == (OrderState.FILLED, D("0.01234"))
        (sent,) = rig.hall.by_number.values()
        assert sent.request.type is OrderType.IOC
        assert ASK * D("1.02") <= sent.request.price < ASK * D("1.02") + D("0.2")


async def test_a_market_that_has_run_away() -> None:
    """A market buy whose price has left in the meantime buys nothing instead of paying anything."""
    async with connected(spot) as rig:
        take = rig.server.spot.place

        def take_later(request: OrderRequest) -> Any:
            rig.hall.price(SPOT, BID * 2, ASK * 2)
            return take(request)

        rig.server.spot.place = take_later
        report = await rig.venue.place(order("bhaway000001", OrderType.MARKET, symbol=SPOT))
        assert (report.state, report.filled_qty) == (OrderState.CANCELLED, 0)


async def test_an_order_that_filled_while_its_answer_was_lost() -> None:
    """Gate does not find a filled order by its text: it is found among the finished ones, whatever came after it."""
    async with connected(perp) as rig:
        rig.hall.faults.arm(Fault.ANSWER_LOST, on="orders")
        rig.hall.faults.arm(Fault.STREAM_LOST, 4)
        request = order("bhfound00001", OrderType.MARKET, symbol=PERP)
        with pytest.raises(NetworkTimeout):
            await rig.venue.place(request)
        for number in range(120):
            rig.hall.place(order(f"bhother{number:05d}", OrderType.MARKET, symbol=PERP, qty=D("0.0001")))
        assert (await rig.venue.query(request.client_order_id, PERP)).state is OrderState.FILLED


async def test_a_text_that_gate_would_take_twice() -> None:
    """The same id in another life: Gate would make a second order of it, so it is not sent."""
    async with connected(perp) as rig:
        request = order("bhtwice00001", symbol=PERP)
        await rig.venue.place(request)
        rig.restart()
        await rig.venue.connect(rig.heard)
        assert (await rig.venue.place(request)).state is OrderState.OPEN
        assert rig.server.requests.count("POST /api/v4/futures/usdt/orders") == 1


async def test_a_perpetual_order_that_is_forgotten() -> None:
    """A perpetual order that was cancelled without a fill disappears after ten minutes; it was cancelled all the same."""
    async with connected(perp) as rig:
        request = order("bhgone000001", symbol=PERP)
        await rig.venue.place(request)
        await rig.venue.cancel(request.client_order_id, PERP)
        rig.hall.by_number.clear()
        report = await rig.venue.query(request.client_order_id, PERP)
        assert (report.state, report.absent_proven) == (OrderState.CANCELLED, False)


@pytest.mark.parametrize(
    ("ended", "state"),
    [("filled", "filled"), ("cancelled", "cancelled"), ("position_closed", "cancelled"), ("reduce_only", "cancelled"),
     ("auto_deleveraged", "cancelled"), ("stp", "cancelled"), ("ioc", "cancelled"), ("_new", "open")],
)  # fmt: skip
def test_ways_to_end(ended: str, state: str) -> None:
    """Every way in which Gate ends an order is an end, also those that ccxt has no word for."""
    dialect = GateDialect(Access(account="acc", venue="gate", market=MarketType.PERP))
    info = {"status": "open" if ended == "_new" else "finished", "finish_as": ended}
    assert dialect.order_state({"info": info, "filled": "0"}) == state


async def test_costs_of_holding() -> None:
    """Funding and open interest, in base units."""
    async with connected(perp) as rig:
        await check_funding(rig, D(5223816) * D("0.0001"))


RECORDED = (
    Path(__file__).resolve().parents[3] / "shared" / "data" / "api" / "gocryptotrader" / "gateio" / "wsFutures.jsonl"
)


async def test_recorded_facts() -> None:
    """An order and a trade as Gate's futures streams told them: somebody else's, in signed contracts."""
    if not RECORDED.exists():
        pytest.skip("no recorded payloads beside the repository")
    frames = {each["channel"]: each for each in map(json.loads, RECORDED.read_text().splitlines())}
    async with connected(perp) as rig:
        line = rig.venue.line
        exchange, dialect = line.calls.exchange, line.calls.dialect
        (order_row,) = exchange.parse_orders(frames["futures.orders"]["result"])
        (trade,) = exchange.parse_trades(frames["futures.usertrades"]["result"])
    assert (dialect.order_state(order_row), line.words.own_id(order_row)) == (OrderState.FILLED, "gate-4872460")
    assert (trade["id"], trade["side"], trade["amount"], trade["takerOrMaker"]) == ("3335259", "buy", "1", "maker")
    assert dialect.client_id_of_trade(trade) == "gate-4872460"


@pytest.mark.parametrize(
    ("label", "message", "kind"),
    [("BALANCE_NOT_ENOUGH", "", "InsufficientFunds"), ("INSUFFICIENT_AVAILABLE", "", "InsufficientFunds"),
     ("INVALID_PRECISION", "", "PrecisionRejected"), ("AMOUNT_TOO_LITTLE", "", "PrecisionRejected"),
     ("INVALID_PARAM_VALUE", "Your order size 1 USDT is too small. The minimum is 3 USDT", "PrecisionRejected"),
     ("POSITION_EMPTY", "", "ReduceOnly"), ("TRADE_RESTRICTED", "", "MarketHalted"), ("ORDER_NOT_FOUND", "", "missing"),
     ("CLIENT_ID_NOT_FOUND", "", "missing"), ("REQUEST_EXPIRED", "", "late")],
)  # fmt: skip
async def test_words(label: str, message: str, kind: str) -> None:
    """Gate's labels, read for what they mean to an order."""
    async with spot() as rig:
        await rig.venue.connect(rig.heard)
        exchange, dialect = rig.venue.line.calls.exchange, rig.venue.line.calls.dialect
        body = {"label": label, "message": message}
        with pytest.raises(Exception, match=label) as raised:
            exchange.handle_errors(400, "", "", "POST", {}, json.dumps(body), body, {}, "")
    error = raised.value
    assert dialect.is_missing(error) is (kind == "missing")
    assert dialect.did_nothing(error) is (kind == "late")
    if kind[0].isupper():
        assert dialect.refusal_code(error) == kind
