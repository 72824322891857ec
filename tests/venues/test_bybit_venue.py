"""Bybit keeps the trading contract through ccxt over its own protocol, and nothing doubles or is lost on its bad days."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from protocol.orders import OrderState
from protocol.values import MarketType, OrderType
from tests.servers.venues.bybit import KEY, SECRET, BybitServer
from tests.servers.venues.bybit_wire import bybit_markets
from tests.servers.venues.faults import Fault
from tests.servers.venues.hall import Hall
from tests.servers.venues.http import HttpVenue
from tests.venues.bad_days import ASK, BID, BadDays, order
from tests.venues.clocked_rig import ClockedRig
from tests.venues.contract_suite import TradingContract
from tests.venues.perp_suite import PerpContract
from tests.venues.two_families import Families, reach
from venues.access import Access
from venues.crypto.dialects.bybit import BybitDialect
from venues.errors import NetworkTimeout, PermissionDenied, RateLimited

pytestmark = pytest.mark.anyio

D = Decimal


def access(server: HttpVenue, market: MarketType = MarketType.SPOT) -> Access:
    """Return how to reach a server."""
    return reach(server, "bybit", market, key=KEY, secret=SECRET)


def server(now: Callable[[], int]) -> HttpVenue:
    """Return an account that trades both families; what is bought on spot pays its fee itself."""
    return BybitServer(Hall("bybit", bybit_markets(), fee_in_base=True, now=now))


families = Families(server, access)
spot, perp = families.spot, families.perp


@pytest.mark.slow
class TestBybitSpot(TradingContract):
    """The contract."""

    open_rig = staticmethod(spot)


@pytest.mark.slow
class TestBybitPerp(PerpContract):
    """The contract, for perpetuals."""

    open_rig = staticmethod(perp)


@pytest.mark.slow
class TestBybitBadDays(BadDays):
    """Bad days of a spot account."""

    open_rig = staticmethod(spot)
    too_many = "Too many visits"
    late_is_unknown = False


@pytest.mark.slow
class TestBybitPerpBadDays(TestBybitBadDays):
    """Bad days of an account of perpetuals."""

    open_rig = staticmethod(perp)

    async def test_funding_and_open_interest(self, rig: ClockedRig) -> None:
        """Funding, what is held, and how far a position may be levered."""
        funding = await rig.venue.funding_rate(rig.symbol)
        assert (funding.rate, funding.interval_hours) == (D("0.0001"), D(8))
        assert funding.next_at > rig.clocks.venue()
        assert (await rig.venue.open_interest(rig.symbol)).qty == D("53417.6")
        assert (await rig.venue.market_facts(rig.symbol)).max_leverage == 100


async def test_how_long_to_wait() -> None:
    """Bybit says in a header of its own when it will hear again."""
    async with spot() as rig:
        await rig.venue.connect(rig.heard)
        rig.hall.faults.arm(Fault.TOO_MANY, on="reads")
        with pytest.raises(RateLimited) as told:
            await rig.venue.open_orders()
        assert told.value.retry_after_s is not None
        assert 0.3 < told.value.retry_after_s <= 0.7


@pytest.mark.parametrize(
    ("status", "told", "state", "reason"),
    [
        ("Rejected", "EC_NoEnoughQtyToFill", OrderState.REJECTED, "EC_NoEnoughQtyToFill"),
        ("PartiallyFilledCanceled", "EC_NoError", OrderState.CANCELLED, ""),
        ("Cancelled", "EC_PerCancelRequest", OrderState.CANCELLED, ""),
        ("Deactivated", "", OrderState.CANCELLED, ""),
        ("SomethingNew", "", OrderState.UNKNOWN, ""),
    ],
)
def test_states_by_their_words(status: str, told: str, state: OrderState, reason: str) -> None:
    """An order that was acknowledged may be refused yet, and one that was cut short has not filled."""
    dialect = BybitDialect(Access(account="acc", venue="bybit"))
    row = {"status": "closed", "filled": "1", "info": {"orderStatus": status, "rejectReason": told}}
    assert (dialect.order_state(row), dialect.reason(row)) == (state, reason)


async def test_a_banned_address() -> None:
    """An address that has asked too much is told so by a status alone: nothing is carried out, nothing asked for long."""
    async with spot() as rig:
        await rig.venue.connect(rig.heard)
        rig.hall.price(rig.symbol, BID, ASK)
        rig.server.banned = True  # type: ignore[attr-defined]
        with pytest.raises(RateLimited) as told:
            await rig.venue.place(order("bhbanned0001", symbol=rig.symbol))
        assert told.value.retry_after_s == 600
        assert rig.hall.open_orders() == []


async def test_the_id_of_a_filled_order_in_another_life() -> None:
    """Bybit never takes an id twice: a filled order sent again by a life that has forgotten it buys nothing."""
    async with spot() as rig:
        await rig.venue.connect(rig.heard)
        rig.hall.price(rig.symbol, BID, ASK)
        request = order("bhfilled0001", OrderType.MARKET, symbol=rig.symbol)
        await rig.venue.place(request)
        rig.restart()
        await rig.venue.connect(rig.heard)
        assert (await rig.venue.place(request)).state is OrderState.FILLED
        assert len(rig.hall.fills) == 1


async def test_only_unified_accounts() -> None:
    """A classic account counts the size of market orders in another way: it is refused before it can trade."""
    async with spot() as rig:
        rig.server.unified = False  # type: ignore[attr-defined]
        with pytest.raises(PermissionDenied, match="unified"):
            await rig.venue.connect(rig.heard)


async def test_fills_of_many_weeks() -> None:
    """A question may span a week only: fills of an earlier one are found too."""
    async with spot() as rig:
        rig.hall.price(rig.symbol, BID, ASK)
        rig.hall.place(order("bhweeks00001", OrderType.MARKET, symbol=rig.symbol))
        rig.clocks.pass_by(20 * 86400)
        rig.hall.price(rig.symbol, BID, ASK)
        rig.hall.place(order("bhweeks00002", OrderType.MARKET, symbol=rig.symbol))
        await rig.venue.connect(rig.heard)
        since = rig.clocks.venue() - 21 * 86400 * 10**9
        assert [each.client_order_id for each in await rig.venue.fills_since(since)] == ["bhweeks00001", "bhweeks00002"]


@pytest.mark.parametrize(
    ("code", "text", "ours"),
    [
        (170134, "Order price has too many decimals.", "PrecisionRejected"),
        (170140, "Order value exceeded lower limit.", "PrecisionRejected"),
        (10001, "Qty invalid", "PrecisionRejected"),
        (110094, "Order does not meet minimum order value 5USDT", "PrecisionRejected"),
        (110017, "Reduce-only rule not satisfied", "ReduceOnly"),
        (110066, "Trading is currently not allowed", "MarketHalted"),
        (10001, "params error: symbol invalid NOSUCHUSDT", ""),
    ],
)
def test_refusals_by_their_codes(code: int, text: str, ours: str) -> None:
    """A refusal goes by our name for it; one that we have no name for keeps the venue's text alone."""
    said = ValueError(f'bybit {{"retCode":{code},"retMsg":"{text}","result":{{}}}}')
    dialect = BybitDialect(Access(account="acc", venue="bybit"))
    assert dialect.refusal_code(said) == ours


async def test_failures_that_leave_an_order_in_doubt() -> None:
    """A time-out inside the venue is no refusal: the order may be there."""
    async with spot() as rig:
        await rig.venue.connect(rig.heard)
        rig.hall.price(rig.symbol, BID, ASK)
        for number, code in enumerate((10000, 10016, 170146, 170149)):
            rig.server.answer_orders_with = (code, "Server Timeout")  # type: ignore[attr-defined]
            with pytest.raises(NetworkTimeout):
                await rig.venue.place(order(f"bhdoubt0000{number}", symbol=rig.symbol))
