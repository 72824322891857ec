"""OKX keeps the trading contract through ccxt over its own protocol, and nothing doubles or is lost on its bad days."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from protocol.orders import FillReport
from protocol.secret import Secret
from protocol.values import MarketType, OrderType
from tests.servers.venues.hall import Hall
from tests.servers.venues.http import HttpVenue
from tests.servers.venues.okx import KEY, PASSPHRASE, SECRET, OkxServer
from tests.servers.venues.okx_wire import okx_markets
from tests.venues.bad_days import ASK, BID, BadDays, order
from tests.venues.clocked_rig import ClockedRig
from tests.venues.contract_suite import TradingContract
from tests.venues.perp_suite import PerpContract
from tests.venues.two_families import Families, reach
from venues.access import Access
from venues.crypto.dialects.okx import OkxDialect
from venues.errors import AuthFailed

pytestmark = pytest.mark.anyio

D = Decimal


def access(server: HttpVenue, market: MarketType = MarketType.SPOT) -> Access:
    """Return how to reach a server."""
    return reach(server, "okx", market, key=KEY, secret=SECRET, passphrase=Secret(PASSPHRASE))


def server(now: Callable[[], int]) -> HttpVenue:
    """Return an account that trades both families; what is bought on spot pays its fee itself."""
    return OkxServer(Hall("okx", okx_markets(), fee_in_base=True, now=now))


families = Families(server, access)
spot, perp = families.spot, families.perp


@pytest.mark.slow
class TestOkxSpot(TradingContract):
    """The contract."""

    open_rig = staticmethod(spot)


@pytest.mark.slow
class TestOkxPerp(PerpContract):
    """The contract, for perpetuals."""

    open_rig = staticmethod(perp)


@pytest.mark.slow
class TestOkxBadDays(BadDays):
    """Bad days of a spot account."""

    open_rig = staticmethod(spot)
    too_many = "Too Many Requests"
    late_is_unknown = True


@pytest.mark.slow
class TestOkxPerpBadDays(TestOkxBadDays):
    """Bad days of an account of perpetuals."""

    open_rig = staticmethod(perp)

    async def test_funding_and_open_interest(self, rig: ClockedRig) -> None:
        """Funding, what is held in base units, and how far a position may be levered."""
        funding = await rig.venue.funding_rate(rig.symbol)
        assert (funding.rate, funding.interval_hours) == (D("0.0001"), D(8))
        assert funding.next_at > rig.clocks.venue()
        assert (await rig.venue.open_interest(rig.symbol)).qty == D(50)
        assert (await rig.venue.market_facts(rig.symbol)).max_leverage == 100

    async def test_contracts(self, rig: ClockedRig) -> None:
        """A contract is a hundredth of a coin to OKX; quantities of ours are coins, and come out even or not at all."""
        (market,) = [each for each in await rig.venue.instruments() if each.symbol == rig.symbol]
        assert (market.contract_size, market.rules.step_size, market.rules.min_qty) == (
            D("0.01"),
            D("0.0001"),
            D("0.0001"),
        )
        report = await rig.venue.place(order("bhcontr00001", OrderType.MARKET, symbol=rig.symbol, qty=D("0.0201")))
        assert report.filled_qty == D("0.0201") == sum(each.qty for each in rig.hall.fills)
        assert [each.qty for each in await rig.venue.fills_since(0)] == [D("0.0201")]
        assert [each.qty for each in await rig.venue.positions()] == [D("0.0201")]


async def test_a_wrong_passphrase() -> None:
    """The passphrase is asked for too."""
    async with spot() as rig:
        rig.server.passphrase = "another"  # type: ignore[attr-defined]
        with pytest.raises(AuthFailed, match="PASSPHRASE"):
            await rig.venue.connect(rig.heard)


async def test_a_spot_account() -> None:
    """An account of the simple mode tells no equity: what is free and locked is read elsewhere."""
    async with spot() as rig:
        rig.server.level = "1"  # type: ignore[attr-defined]
        await rig.venue.connect(rig.heard)
        rig.hall.price(rig.symbol, BID, ASK)
        await rig.venue.place(order("bhsimple0001", symbol=rig.symbol))
        (money,) = await rig.venue.balances()
        (truth,) = rig.hall.balances()
        assert (money.free, money.locked) == (truth.free, truth.locked)
        assert money.locked > 0


async def test_streamed_fees() -> None:
    """Streams tell fees as what the account got: a charge is a positive fee all the same, and history agrees."""
    async with spot() as rig:
        await rig.venue.connect(rig.heard)
        rig.hall.price(rig.symbol, BID, ASK)
        await rig.venue.place(order("bhfees000001", OrderType.MARKET, symbol=rig.symbol))
        fill = await rig.heard.one(FillReport)
        assert (fill.fee, fill.fee_currency) == (D("0.00002"), "BTC")
        assert await rig.venue.fills_since(0) == (fill,)


async def test_fills_of_many_days() -> None:
    """What is older than three days comes from another list; both together tell each fill once."""
    async with spot() as rig:
        rig.hall.price(rig.symbol, BID, ASK)
        rig.hall.place(order("bhdays000001", OrderType.MARKET, symbol=rig.symbol))
        rig.clocks.pass_by(20 * 86400)
        rig.hall.price(rig.symbol, BID, ASK)
        rig.hall.place(order("bhdays000002", OrderType.MARKET, symbol=rig.symbol))
        await rig.venue.connect(rig.heard)
        assert [each.client_order_id for each in await rig.venue.fills_since(0)] == ["bhdays000001", "bhdays000002"]


@pytest.mark.parametrize(
    ("code", "text", "ours"),
    [
        (51000, "Parameter px error", "PrecisionRejected"),
        (51000, "Parameter posSide error", ""),
        (51020, "Your order should meet or exceed the minimum order amount.", "PrecisionRejected"),
        (51121, "Order quantity must be a multiple of the lot size.", "PrecisionRejected"),
        (51169, "You don't have any positions in this direction to reduce or close.", "ReduceOnly"),
        (51022, "Contract suspended", "MarketHalted"),
    ],
)
def test_refusals_by_their_codes(code: int, text: str, ours: str) -> None:
    """A refusal goes by our name for it; one that we have no name for keeps the venue's text alone."""
    said = ValueError(
        f'okx {{"code":"1","data":[{{"clOrdId":"","ordId":"","sCode":"{code}","sMsg":"{text}"}}],"msg":""}}'
    )
    dialect = OkxDialect(Access(account="acc", venue="okx"))
    assert dialect.refusal_code(said) == ours
