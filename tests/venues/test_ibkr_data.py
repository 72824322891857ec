"""Contracts, prices, account, history and option chains of Interactive Brokers, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from protocol.market import FeedState, PriceTick
from protocol.options import Right
from protocol.orders import OrderRequest, OrderState
from protocol.values import MarketType, OrderSide, OrderType
from protocol.venue import SessionDown
from tests.servers.venues.faults import Fault
from tests.venues.ibkr_rig import (
    EURO,
    NOW,
    OPTIONS,
    SHARES,
    IbkrRig,
    assert_in_pace,
    connected,
    gateway,
    noting_turns,
    serving,
    shares,
)
from tests.venues.manual_time import PATIENCE_S, ManualTime
from venues.access import Tools
from venues.errors import NetworkTimeout, RateLimited, VenueDown
from venues.ibkr import IbkrVenue
from venues.ibkr.contracts import Contracts
from venues.ibkr.errors import NotSubscribed, UnknownContract

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal
NS = 1_000_000_000
BUY = OrderSide.BUY


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("venues.ibkr.quotes.QUOTE_S", 0.2)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[IbkrRig]:
    async with connected(str(tmp_path)) as rig:
        yield rig


# --- contracts -------------------------------------------------------------------------------------------------------


async def test_contract_ids_are_kept(tmp_path: Path) -> None:
    """What was looked up once is not asked for again, not even by the next life: EUR/USD is 12087792 (PF-235)."""
    options = {"market": MarketType.PERP, "symbols": ("EUR_USD",)}
    async with serving(str(tmp_path), **options) as rig:
        await rig.venue.connect(rig.heard)
        await rig.venue.subscribe(["EUR.USD"])
    kept = json.loads((tmp_path / "contracts.json").read_text())
    assert kept["EUR.USD@IDEALPRO:CASH"]["con_id"] == EURO.con_id == 12087792
    async with serving(str(tmp_path), **options) as rig:
        await rig.venue.connect(rig.heard)
        asked = rig.server.requests.count(9)
        await rig.venue.subscribe(["EUR/USD:USD", "EUR_USD"])
        assert rig.server.requests[: rig.server.requests.index(99)].count(9) == 0
        assert rig.server.requests.count(9) - asked <= 21  # the other pairs, beside
        assert [each.symbol for each in await rig.venue.instruments()] == ["EUR/USD:USD"]


async def test_pairs_are_resolved_at_the_start(tmp_path: Path) -> None:
    """About 22 pairs are looked up when a session starts, beside everything else (PF-235)."""
    async with serving(str(tmp_path), market=MarketType.PERP, symbols=()) as rig:
        await rig.venue.connect(rig.heard)
        async with asyncio.timeout(PATIENCE_S):
            while rig.server.requests.count(9) < 22:
                await rig.settled()


async def test_what_has_expired_is_forgotten(tmp_path: Path) -> None:
    """A chain's contracts are kept until they expire, and are no markets of the account."""
    async with connected(str(tmp_path)) as rig:
        await rig.venue.chain("AAPL/USD", "2025-12-19", strikes=1)
        assert {each.symbol for each in await rig.venue.instruments()} == {"BTC/USD", "AAPL/USD"}
    kept = json.loads((tmp_path / "contracts.json").read_text())
    assert sum(key.startswith("AAPL.USD@SMART:OPT:20251219") for key in kept) == 20
    contracts = Contracts("ibkr", str(tmp_path))
    contracts.load("20251220")
    assert {each.kind for each in contracts.by_id.values()} == {"STK", "CRYPTO"}


@pytest.mark.parametrize("wrong", [{"currency": "CAD"}, {"exchange": "LSE"}, {"symbol": "AAP"}])
async def test_what_does_not_match_is_not_kept(tmp_path: Path, wrong: dict[str, str]) -> None:
    """Another currency, exchange or symbol is another contract: nothing is cached, nothing is sent (PF-235)."""
    async with gateway([SHARES._replace(**wrong)]) as server:
        rig = IbkrRig(server, str(tmp_path), symbols=())
        await rig.venue.connect(rig.heard)
        with pytest.raises(UnknownContract):
            await rig.venue.subscribe(["AAPL/USD"])
        assert (await rig.venue.place(shares(1))).code == "UnknownContract"
        assert not (tmp_path / "contracts.json").exists()
        await rig.venue.close()


async def test_two_contracts_of_one_name(tmp_path: Path) -> None:
    """An ambiguous name is no contract: we do not guess."""
    async with gateway([SHARES, SHARES._replace(con_id=99, market="")]) as server:
        rig = IbkrRig(server, str(tmp_path), symbols=())
        await rig.venue.connect(rig.heard)
        with pytest.raises(UnknownContract, match="several"):
            await rig.venue.subscribe(["AAPL/USD"])
        await rig.venue.close()


# --- prices, account, history ----------------------------------------------------------------------------------------


async def test_prices(rig: IbkrRig) -> None:
    """Subscribed prices come as they change, the newest first, and again to who subscribes again."""
    await rig.venue.subscribe(["AAPL/USD"])
    await rig.heard.one(PriceTick, symbol="AAPL/USD", bid=D("199.99"), ask=D("200.01"))
    await rig.set_price("AAPL/USD", D("201.10"), D("201.12"))
    await rig.heard.one(PriceTick, symbol="AAPL/USD", bid=D("201.10"), ask=D("201.12"))
    rig.heard.forget()
    await rig.venue.subscribe(["AAPL/USD"])
    assert rig.heard.of(PriceTick, bid=D("201.10"))
    assert rig.server.requests.count(1) == 1


async def test_prices_that_are_refused(rig: IbkrRig) -> None:
    """A market without subscription is told as such; asking again asks the broker again."""
    rig.server.answers.refuse_data = 354
    await rig.venue.subscribe(["AAPL/USD"])
    status = await rig.heard.state(FeedState.DEGRADED)
    assert status.detail.startswith("AAPL/USD: ")
    rig.server.answers.refuse_data = 0
    await rig.venue.subscribe(["AAPL/USD"])
    await rig.heard.one(PriceTick, symbol="AAPL/USD")


async def test_old_prices_are_no_prices(rig: IbkrRig) -> None:
    """The protocol gives quotes no time: those that the broker calls frozen or delayed are not told as live."""
    await rig.venue.subscribe(["AAPL/USD"])
    await rig.heard.one(PriceTick)
    rig.heard.forget()
    rig.server.faults.arm(Fault.STALE_PRICE)
    await rig.set_price("AAPL/USD", D("201.10"), D("201.12"))
    assert rig.heard.of(PriceTick) == []
    await rig.set_price("AAPL/USD", D("201.10"), D("201.12"))
    assert rig.heard.of(PriceTick)[-1].bid == D("201.10")


async def test_a_quiet_market_is_asked_anew(tmp_path: Path) -> None:
    """An old price is never told again as if it were news: the subscription is renewed."""
    time = ManualTime(NOW() // NS)
    async with connected(str(tmp_path)) as rig:
        await rig.venue.close()
        rig.venue = IbkrVenue(rig.access, Tools(time.now_ns, time.sleep, lambda: 0.5))
        await rig.venue.connect(rig.heard)
        await rig.venue.subscribe(["AAPL/USD"])
        await rig.heard.one(PriceTick)
        time.jump(30)
        rig.heard.forget()
        await rig.venue.subscribe(["AAPL/USD"])
        assert rig.heard.of(PriceTick) == []
        tick = await rig.heard.one(PriceTick)
        assert tick.at == time.now_ns()
        assert rig.server.requests.count(2) == 1


async def test_account_figures(rig: IbkrRig) -> None:
    """Worth, cash, margin and day trades, exactly as the broker says them (DK-50)."""
    state = await rig.venue.account_state()
    assert (state.currency, state.net_liquidation, state.cash) == ("USD", D("250000.50"), D("200000.25"))
    assert (state.available_funds, state.maintenance_margin, state.day_trades) == (D("180000.00"), D("20000.00"), 1)


async def test_shares_are_a_balance(rig: IbkrRig) -> None:
    """Shares are held like any currency, so that the engine trades them as it trades coins."""
    await rig.venue.place(shares(1, price=None))
    held = {each.currency: each.free for each in await rig.venue.balances()}
    assert held["AAPL"] == D(10)
    assert await rig.venue.positions() == ()


async def test_history(rig: IbkrRig) -> None:
    """Finished bars from an instant on, oldest first, exactly as many as asked for."""
    since = (NOW() // (3600 * NS) - 10) * 3600 * NS
    bars = await rig.venue.candles("AAPL/USD", "1m", since, 5)
    assert [bar.at for bar in bars] == [since + number * 60 * NS for number in range(5)]
    expected = list(rig.server.hall.candles("AAPL/USD", 60, since, 5))
    assert [(bar.open, bar.close) for bar in bars] == [(each.open, each.close) for each in expected]


async def test_history_asked_for_too_often(rig: IbkrRig) -> None:
    """A pacing violation is a wait, not an error of ours."""
    rig.server.answers.mute_options.add(SHARES.con_id)
    with pytest.raises(RateLimited) as caught:
        await rig.venue.candles("AAPL/USD", "1m", 0, 5)
    assert caught.value.retry_after_s == 15


async def test_hours(rig: IbkrRig) -> None:
    """The hours of a market are told for the audit."""
    assert (await rig.venue.market_facts("AAPL/USD")).session == "20251121:0930-20251121:1600 UTC"


# --- chains ----------------------------------------------------------------------------------------------------------


async def test_a_chain(rig: IbkrRig) -> None:
    """Strikes around the price with quotes, Greeks and open interest, within the pace of messages (DK-50, DK-67)."""
    assert await rig.venue.expirations("AAPL/USD") == ("2025-12-19",)
    chain = await rig.venue.chain("AAPL/USD", "2025-12-19", strikes=4)
    assert chain.underlying_price == D("199.99")
    assert sorted({each.strike for each in chain.contracts}) == [D(180), D(190), D(200), D(210)]
    call = next(each for each in chain.contracts if (each.strike, each.right) == (D(200), Right.CALL))
    assert (call.bid, call.ask, call.mid) == (D("2.0"), D("2.05"), D("2.025"))
    assert (call.delta, call.gamma, call.vega, call.theta, call.implied_vol) == (0.5, 0.03, 0.1, -0.02, 0.2)
    assert (call.open_interest, call.volume, call.multiplier) == (1200, 77, 100)
    assert call.symbol == "AAPL/USD:USD-251219-200-C"
    assert chain.complete
    await rig.settled()
    assert rig.server.requests.count(2) == 9  # what was subscribed for it is ended


async def test_a_whole_chain_keeps_the_pace(rig: IbkrRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """All strikes of both sides, and orders meanwhile: never 50 messages a second, nor 40 for data (DK-67)."""
    let_go = noting_turns(monkeypatch)
    first = len(rig.server.requests)
    asking = asyncio.create_task(rig.venue.chain("AAPL/USD", "2025-12-19", strikes=10))
    async with asyncio.timeout(PATIENCE_S):
        await rig.server.holding.wait()
        assert (await rig.venue.place(shares(1))).state is OrderState.OPEN  # before the data that waits
        assert not asking.done()
        chain = await asking
    assert (len(chain.contracts), chain.complete) == (20, True)
    await rig.settled()
    assert len(let_go) == len(rig.server.requests) - first > 40  # whatever arrived had its turn
    assert_in_pace(let_go)


async def test_a_chain_while_the_market_is_closed(rig: IbkrRig) -> None:
    """Without a live price the strikes are those around the last close, and no price is told as the underlying's."""
    rig.server.answers.closed_at = "170"
    chain = await rig.venue.chain("AAPL/USD", "2025-12-19", strikes=3)
    assert chain.underlying_price is None
    assert sorted({each.strike for each in chain.contracts}) == [D(160), D(170), D(180)]
    entry = OrderRequest(client_order_id="bhibkr0001", symbol="AAPL/USD", side=BUY, type=OrderType.MARKET, qty=D(10))
    with pytest.raises(VenueDown, match="no price to measure the stop against"):
        await rig.venue.place_bracket(entry, stop=D(150))
    assert rig.server.orders.live == {}


async def test_one_side_of_a_chain(rig: IbkrRig) -> None:
    """Puts only; an expiration that is not listed is no chain."""
    chain = await rig.venue.chain("AAPL/USD", "2025-12-19", strikes=2, right=Right.PUT)
    assert {each.right for each in chain.contracts} == {Right.PUT}
    with pytest.raises(UnknownContract):
        await rig.venue.chain("AAPL/USD", "2025-12-20")


async def test_a_chain_with_holes(rig: IbkrRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contracts whose quotes do not come are told without, and the chain as incomplete; none at all is an error."""
    monkeypatch.setattr("venues.ibkr.chains.QUOTE_S", 0.1)
    rig.server.answers.mute_options.add(OPTIONS[10].con_id)
    chain = await rig.venue.chain("AAPL/USD", "2025-12-19", strikes=4)
    assert not chain.complete
    assert sum(each.mid is None for each in chain.contracts) == 1
    rig.server.answers.mute_options |= {each.con_id for each in OPTIONS}
    with pytest.raises(NetworkTimeout):
        await rig.venue.chain("AAPL/USD", "2025-12-19", strikes=2, right=Right.CALL)


async def test_killed_in_the_middle_of_a_chain(rig: IbkrRig) -> None:
    """The request fails at once and clearly, nothing hangs, and the next life answers it."""
    rig.server.held = asyncio.Event()
    asking = asyncio.create_task(rig.venue.chain("AAPL/USD", "2025-12-19", strikes=4))
    async with asyncio.timeout(PATIENCE_S):
        await rig.server.holding.wait()
        rig.server.drop()
        with pytest.raises(VenueDown, match="connection"):
            await asking
    await rig.heard.one(SessionDown)
    await rig.venue.close()
    rig.server.held = None
    rig.venue = rig.another()
    await rig.venue.connect(rig.heard)
    assert (await rig.venue.chain("AAPL/USD", "2025-12-19", strikes=4)).complete


async def test_no_subscription(rig: IbkrRig) -> None:
    """Data that the account does not receive is named as such, with where to get it; trading goes on."""
    rig.server.answers.refuse_data = 354
    with pytest.raises(NotSubscribed, match="subscribe to this market's data"):
        await rig.venue.chain("AAPL/USD", "2025-12-19")
    assert (await rig.venue.place(shares(1))).state is OrderState.OPEN
