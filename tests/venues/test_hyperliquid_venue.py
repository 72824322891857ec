"""Hyperliquid keeps the trading contract over its own protocol, and signs nothing but what we send."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from protocol.market import PriceTick
from protocol.orders import FillReport, OrderReport, OrderRequest, OrderState
from protocol.secret import Secret
from protocol.values import MarketType, OrderSide, OrderType
from tests.servers.venues.faults import Fault
from tests.servers.venues.http import HttpVenue
from tests.servers.venues.hyperliquid import ACCOUNT, AGENT_KEY, HyperliquidServer, hyperliquid_hall
from tests.servers.venues.hyperliquid_words import address_of
from tests.venues.bad_days import ASK, BID, BadDaysUnchanged, order
from tests.venues.clocked_rig import ClockedRig, running
from tests.venues.contract_suite import TradingContract
from tests.venues.perp_suite import PerpContract
from tests.venues.two_families import Families
from venues.access import Access
from venues.crypto.dialects.cloids import id_of
from venues.errors import AuthFailed, VenueDown

pytestmark = pytest.mark.anyio

SPOT, PERP = MarketType.SPOT, MarketType.PERP


def access(server: HttpVenue, market: MarketType = SPOT) -> Access:
    """Return how the server's account is reached: an agent signs for it."""
    return Access(
        account="acc", venue="hyperliquid", market=market, url=server.url, stream_url=server.stream_url,
        account_id=ACCOUNT, secret=Secret(AGENT_KEY), conservative=None,
    )  # fmt: skip


def server(now: Callable[[], int]) -> HyperliquidServer:
    """Return a venue whose hall knows orders by our ids, not by their 128 bits."""
    return HyperliquidServer(hyperliquid_hall(now=now), named=id_of)


families = Families(server, access, quote="USDC")
spot, perp = families.spot, families.perp


@pytest.mark.slow
class TestHyperliquidSpot(TradingContract):
    """The contract, on spot markets."""

    open_rig = staticmethod(spot)


@pytest.mark.slow
class TestHyperliquidPerp(PerpContract):
    """The contract, for perpetuals."""

    open_rig = staticmethod(perp)


@pytest.mark.slow
class TestHyperliquidBadDays(BadDaysUnchanged):
    """Bad days of a spot account. A change of an order would be a new one here, which forgets its fills."""

    open_rig = staticmethod(spot)
    too_many = "429"

    async def test_a_wrong_secret(self, rig: ClockedRig) -> None:
        """A key that is no agent of the account stays outside, though every question would be answered without one."""
        rig.server.signers.clear()  # type: ignore[attr-defined]
        rig.restart()
        with pytest.raises(AuthFailed, match="no agent of the account") as refused:
            await rig.venue.connect(rig.heard)
        assert AGENT_KEY.removeprefix("0x") not in str(refused.value)


@pytest.mark.slow
class TestHyperliquidPerpBadDays(TestHyperliquidBadDays):
    """Bad days of an account of perpetuals."""

    open_rig = staticmethod(perp)


@asynccontextmanager
async def trading(market: MarketType = SPOT) -> AsyncIterator[tuple[ClockedRig, HyperliquidServer]]:
    """Run a connected account with a price."""
    async with perp() if market is PERP else spot() as rig:
        await rig.venue.connect(rig.heard)
        rig.hall.price(rig.symbol, BID, ASK)
        assert isinstance(rig.server, HyperliquidServer)
        yield rig, rig.server


def market_order(rig: ClockedRig, number: int = 1, **changes: Any) -> OrderRequest:
    """Return a market order."""
    return order(f"bhhyper{number:05d}", OrderType.MARKET, symbol=rig.symbol, **changes)


async def test_signs_nothing_but_what_we_send() -> None:
    """Orders and cancels are all that the key signs: no referral, no fee of a builder, and each says when it expires."""
    async with trading() as (rig, server):
        await rig.venue.place(order("bhhyper00001", symbol=rig.symbol))
        await rig.venue.cancel("bhhyper00001", rig.symbol)
        await rig.venue.place(market_order(rig, 2))
        assert [each["type"] for each in server.actions] == ["order", "cancelByCloid", "order"]
        assert all("builder" not in each for each in server.actions)
        assert server.unwanted == []
        assert server.latest_ms
        assert all(0 < each - rig.clocks.venue() // 1_000_000 <= 5000 for each in server.latest_ms)


async def test_orders_at_the_same_instant_have_nonces_of_their_own() -> None:
    """Twenty orders at once: the venue takes a nonce once, and takes them all."""
    async with trading() as (rig, _):
        wanted = [order(f"bhonce{number:06d}", symbol=rig.symbol) for number in range(20)]
        reports = await asyncio.gather(*(rig.venue.place(each) for each in wanted))
        assert {each.state for each in reports} == {OrderState.OPEN}


async def test_a_stranger_cannot_sign() -> None:
    """The venue recovers who signed; an agent that was dismissed meanwhile is a refused key, and nothing was placed."""
    async with trading() as (rig, server):
        server.signers.discard(address_of(AGENT_KEY))
        with pytest.raises(AuthFailed, match="does not exist"):
            await rig.venue.place(order("bhhyper00001", symbol=rig.symbol))
        assert rig.hall.open_orders() == []


async def test_the_test_network_is_signed_for() -> None:
    """An action signed for the test network is good there, and nowhere else."""

    def testnet(now: Callable[[], int]) -> HyperliquidServer:
        return HyperliquidServer(hyperliquid_hall(now=now), named=id_of, testnet=True)

    async with running(testnet, lambda at: replace(access(at), testnet=True), "BTC/USDC") as rig:
        await rig.venue.connect(rig.heard)
        rig.hall.price(rig.symbol, BID, ASK)
        assert (await rig.venue.place(market_order(rig))).state is OrderState.FILLED
    async with running(testnet, access, "BTC/USDC") as rig:
        await rig.venue.connect(rig.heard)
        with pytest.raises(AuthFailed):
            await rig.venue.place(order("bhhyper00001", symbol=rig.symbol))


async def test_a_market_order_is_bounded() -> None:
    """It goes out as an immediate order 5 % beyond the touch; without a price nothing is sent."""
    async with trading(PERP) as (rig, server):
        await rig.venue.place(market_order(rig, 1))
        await rig.venue.place(market_order(rig, 2, side=OrderSide.SELL))
        sent = [each["orders"][0] for each in server.actions]
        assert [(each["p"], each["t"]["limit"]["tif"]) for each in sent] == [("63000", "Ioc"), ("57000", "Ioc")]
        rig.hall.faults.arm(Fault.ANSWER_LOST, on="reads")
        with pytest.raises(VenueDown, match="no price"):
            await rig.venue.place(market_order(rig, 3))
        assert len(server.actions) == 2


async def test_a_market_order_is_bounded_by_what_was_streamed() -> None:
    """With a quote of just now nothing is asked; one that is older is not trusted."""
    async with trading(PERP) as (rig, server):
        await rig.venue.subscribe([rig.symbol])
        await rig.heard.until(lambda: rig.venue.line.prices.live.is_set())
        rig.hall.price(rig.symbol, BID + 2000, ASK + 2000)
        await rig.heard.one(PriceTick, bid=BID + 2000)
        before = server.info_types.count("l2Book")
        await rig.venue.place(market_order(rig, 1))
        assert (server.actions[-1]["orders"][0]["p"], server.info_types.count("l2Book")) == ("65100", before)
        rig.clocks.pass_by(4)
        await rig.venue.place(market_order(rig, 2))
        assert server.info_types.count("l2Book") == before + 1


@pytest.mark.parametrize("market", [SPOT, PERP])
async def test_an_immediate_order_that_fills_in_part(market: MarketType) -> None:
    """What has traded stays, the rest is cancelled, and no later word of the venue makes it filled."""
    async with trading(market) as (rig, _):
        rig.hall.faults.arm(Fault.PARTIAL_FILL)
        request = market_order(rig)
        await rig.venue.place(request)
        await rig.settled()
        for report in (await rig.venue.query(request.client_order_id, rig.symbol), rig.heard.of(OrderReport)[-1]):
            assert (report.state, report.filled_qty) == (OrderState.CANCELLED, request.qty / 2)


async def test_an_old_order_that_the_venue_forgot() -> None:
    """Unknown by its id, and a history of orders that may have lost it: nothing is proven."""
    async with trading() as (rig, server):
        for number in range(3):
            rig.hall.place(market_order(rig, number))
        rig.clocks.pass_by(60)
        assert (await rig.venue.query("bhlongago0001", rig.symbol)).absent_proven
        server.padding = 2000
        report = await rig.venue.query("bhlongago0001", rig.symbol)
        assert (report.state, report.absent_proven) == (OrderState.UNKNOWN, False)


async def test_the_other_family_of_markets() -> None:
    """One address has spot and perpetuals; what happens in the family that is not this account's is not told."""
    async with trading() as (rig, server):
        fill = {"coin": "HYPE", "px": "40.1", "sz": "1.0", "side": "B", "time": 1, "oid": 1, "tid": 1, "fee": "0.1"}
        resting = {
            "coin": "HYPE",
            "side": "B",
            "limitPx": "40.0",
            "sz": "1.0",
            "oid": 2,
            "timestamp": 1,
            "origSz": "1.0",
        }
        for stream in server.streams:
            stream.reply({"channel": "userFills", "data": {"user": ACCOUNT, "fills": [fill]}})
            update = {"order": resting, "status": "open", "statusTimestamp": 1}
            stream.reply({"channel": "orderUpdates", "data": [update]})
        await rig.venue.place(market_order(rig))
        await rig.settled()
        assert {each.symbol for each in rig.heard.of(FillReport) + rig.heard.of(OrderReport)} == {rig.symbol}
        assert rig.venue.line.private.reconnects == 0


async def test_funding_and_open_interest() -> None:
    """Funding is paid each hour; both are read from the markets' own answer."""
    async with trading(PERP) as (rig, _):
        funding = await rig.venue.funding_rate(rig.symbol)
        assert (funding.rate, funding.interval_hours) == (Decimal("0.0000125"), 1)
        assert (await rig.venue.open_interest(rig.symbol)).qty == Decimal("688.11")


async def test_ticks_are_right_for_the_price() -> None:
    """The step of prices is told for where the market is, and what keeps to it is taken."""
    async with trading(PERP) as (rig, _):
        rig.hall.price("ETH/USDC:USDC", Decimal(2000), Decimal("2000.1"))
        rig.hall.price("DOGE/USDC:USDC", Decimal("0.2"), Decimal("0.20001"))
        rig.clocks.pass_by(120)
        rules = {each.symbol.split("/")[0]: each.rules for each in await rig.venue.instruments()}
        assert [rules[coin].tick_size for coin in ("BTC", "ETH", "DOGE")] == [1, Decimal("0.1"), Decimal("0.00001")]
        assert (rules["ETH"].step_size, rules["ETH"].min_qty, rules["ETH"].min_notional) == (
            Decimal("0.0001"), Decimal("0.0001"), 10)  # fmt: skip
        resting = OrderRequest(client_order_id="bhhyper00001", symbol="ETH/USDC:USDC", side=OrderSide.BUY,
                               type=OrderType.LIMIT, qty=Decimal("0.05"), price=Decimal("1999.9"))  # fmt: skip
        assert (await rig.venue.place(resting)).state is OrderState.OPEN


@pytest.mark.parametrize("fault", [Fault.STALE_PRICE, Fault.ZERO_PRICE, Fault.CROSSED_BOOK])
async def test_prices_that_cannot_be(fault: Fault) -> None:
    """Prices of an hour ago, of zero, or whose bid is above their ask are not told; the next good one is."""
    async with trading(PERP) as (rig, _):
        await rig.venue.subscribe([rig.symbol])
        await rig.heard.until(lambda: rig.venue.line.prices.live.is_set())
        rig.hall.faults.arm(fault)
        rig.hall.price(rig.symbol, BID + 1, ASK + 1)
        rig.hall.price(rig.symbol, BID + 2, ASK + 2)
        await rig.heard.one(PriceTick, bid=BID + 2, ask=ASK + 2)
        assert all(BID <= each.bid < each.ask <= ASK + 2 for each in rig.heard.of(PriceTick))


async def test_fees_are_the_accounts_own() -> None:
    """The rates of a market are those of the account, of the family of markets that it trades."""
    for market, rates in ((SPOT, ("0.0004", "0.0007")), (PERP, ("0.00015", "0.00045"))):
        async with trading(market) as (rig, _):
            (ours,) = [each for each in await rig.venue.instruments() if each.symbol == rig.symbol]
            assert (ours.maker_fee, ours.taker_fee) == tuple(map(Decimal, rates))


RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "api"


def recorded(name: str) -> Any:
    """Return what the venue answered or told."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip("no recorded payloads beside the repository")
    return json.loads(path.read_text())


async def test_recorded_orders() -> None:
    """Orders as Hyperliquid told them: an immediate one that found nobody and cancelled ones are cancelled, none is ours."""
    (call, *_) = recorded("hyperliquid_sdk/test_historical_orders.json")
    states: dict[str, set[OrderState]] = {}
    async with trading(PERP) as (rig, _):
        line = rig.venue.line
        for row in call["response"]:
            said = line.calls.exchange.parse_order(row)
            states.setdefault(row["status"], set()).add(line.calls.dialect.order_state(said))
            assert line.words.own_id(said).startswith("hyperliquid-")
    assert states == {"iocCancelRejected": {OrderState.CANCELLED}, "canceled": {OrderState.CANCELLED}}


async def test_recorded_fills() -> None:
    """Fills as history and stream told them: sides, fees in their own coin, a liquidation, dust that the venue sold."""
    history = recorded("nautilus/hyperliquid/http_user_fills_dust_conversion.json")
    (liquidation,) = recorded("nautilus/hyperliquid/ws_user_fill_liquidation.json")["data"]["fills"]
    async with trading(PERP) as (rig, _):
        line = rig.venue.line
        trades = {each["coin"]: line.calls.exchange.parse_trade(each) for each in [*history, liquidation]}
        ours = line.words.fill(trades["BTC"], "somebody-else")
        dialect = line.calls.dialect
        assert (ours.side, ours.qty, ours.price, ours.fee, ours.fee_currency, ours.maker) == (
            OrderSide.SELL, Decimal("0.001"), 66653, Decimal("0.009997"), "USDC", True)  # fmt: skip
        assert dialect.client_id_in(dialect.client_id_of_trade(trades["BTC"])) is None
    assert (trades["@156"]["fee"]["currency"], trades["@156"]["side"]) == ("SOL", "buy")
    assert trades["@142"]["id"].startswith("0-229209068357")


@pytest.mark.parametrize("secret", ["", "not a key", "0x1234", "0x" + "0" * 64])
async def test_a_secret_that_is_no_key(secret: str) -> None:
    """What is no private key is refused as a key, and not told."""
    async with running(server, lambda at: replace(access(at), secret=Secret(secret)), "BTC/USDC") as rig:
        with pytest.raises(AuthFailed) as refused:
            await rig.venue.connect(rig.heard)
        assert not secret or secret not in str(refused.value)


async def test_a_name_of_two_markets() -> None:
    """Two tokens of one name: neither market is traded under it, the others are."""

    def doubled(now: Callable[[], int]) -> HyperliquidServer:
        return HyperliquidServer(hyperliquid_hall(("UBTC/USDC", "@2", 5), now=now), named=id_of)

    async with running(doubled, access, "ETH/USDC") as rig:
        await rig.venue.connect(rig.heard)
        assert [each.symbol for each in await rig.venue.instruments()] == ["ETH/USDC"]
