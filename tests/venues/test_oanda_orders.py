"""Orders at OANDA: what the contract does not ask, because only some venues can do it, or only this one does it so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from protocol.orders import FillReport, OrderReport, OrderState
from protocol.secret import Secret
from protocol.values import OrderType
from tests.servers.venues.faults import Fault
from tests.venues.oanda_rig import (
    BUY,
    EUR,
    LIMIT,
    MARKET,
    NOW,
    SELL,
    STOP,
    OandaRig,
    access_to,
    held,
    order,
    pairs,
    tools,
    trading,
    trading_euros,
)
from venues.errors import AuthFailed, OrderNotFound, RateLimited
from venues.facets import Amends, HasAccountState, HasMarketFacts, HasSwapRates, TakesBrackets
from venues.oanda import OandaVenue

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal


@pytest.fixture
async def rig() -> AsyncIterator[OandaRig]:
    async with trading_euros() as made:
        yield made


# --- brackets, trailing stops, partial closes -----------------------------------------------------------------------------


async def test_offers_its_abilities(rig: OandaRig) -> None:
    """OANDA takes brackets, amends, and tells account state, financing and limits."""
    for facet in (TakesBrackets, Amends, HasAccountState, HasMarketFacts, HasSwapRates):
        assert isinstance(rig.venue, facet)


async def test_stop_and_target_ride_on_the_entry(rig: OandaRig) -> None:
    """One request makes entry, stop and target; the target's fill ends the stop (PF-232)."""
    entry = order(BUY, MARKET)
    reports = await rig.venue.place_bracket(entry, stop=D("1.09500"), target=D("1.10500"))
    assert reports[0].state is OrderState.FILLED
    await rig.settled()
    stop, target = f"sl{entry.client_order_id[2:]}", f"tp{entry.client_order_id[2:]}"
    assert {each.client_order_id: each.symbol for each in await rig.venue.open_orders()} == {stop: EUR, target: EUR}
    await rig.set_price(EUR, D("1.10600"), D("1.10610"))
    assert (await rig.venue.query(target, EUR)).state is OrderState.FILLED
    assert (await rig.venue.query(stop, EUR)).state is OrderState.CANCELLED
    assert await held(rig) == 0


async def test_the_stop_of_a_resting_entry(rig: OandaRig) -> None:
    """A bracket's stop exists as soon as the entry has traded, and closes what it opened."""
    entry = order(SELL, LIMIT, price=D("1.10200"))
    reports = await rig.venue.place_bracket(entry, stop=D("1.10500"))
    assert [each.state for each in reports] == [OrderState.OPEN, OrderState.INTENDED]
    await rig.set_price(EUR, D("1.10250"), D("1.10260"))
    assert await held(rig) == -1000
    await rig.set_price(EUR, D("1.10600"), D("1.10610"))
    await rig.settled()
    assert await held(rig) == 0


@pytest.mark.parametrize(
    ("stop", "target", "code"),
    [
        ("1.10020", None, "BracketStopWrongSide"),
        ("1.10010", None, "BracketStopWrongSide"),
        ("1.09500", "1.10005", "BracketTargetWrongSide"),
    ],
)
async def test_brackets_on_the_wrong_side(rig: OandaRig, stop: str, target: str | None, code: str) -> None:
    """A stop or target on the wrong side of the reference price is refused before anything is sent (PF-233)."""
    before = len(rig.server.log.entries)
    (report,) = await rig.venue.place_bracket(
        order(BUY, MARKET), stop=D(stop), target=None if target is None else D(target)
    )
    assert (report.state, report.code) == (OrderState.REJECTED, code)
    assert len(rig.server.log.entries) == before


async def test_stops_are_rounded_toward_the_price(rig: OandaRig) -> None:
    """Stop and target are rounded to the tick toward the reference price (PF-233)."""
    entry = order(BUY, MARKET)
    await rig.venue.place_bracket(entry, stop=D("1.095001"), target=D("1.105009"))
    prices = {each["type"]: each["price"] for each in rig.server.log.entries if "tradeID" in each}
    assert prices == {"STOP_LOSS_ORDER": "1.09501", "TAKE_PROFIT_ORDER": "1.105"}


async def test_the_stop_of_an_earlier_life(rig: OandaRig) -> None:
    """After a restart a stop that rides on a trade is found by our id, with its market: its order names the trade only."""
    entry = order(BUY, MARKET)
    await rig.venue.place_bracket(entry, stop=D("1.09500"), target=D("1.10500"))
    await rig.venue.close()
    rig.venue = OandaVenue(access_to(rig.server), tools())
    await rig.venue.connect(rig.heard)
    stop = f"sl{entry.client_order_id[2:]}"
    report = await rig.venue.query(stop, EUR)
    assert (report.client_order_id, report.state, report.symbol) == (stop, OrderState.OPEN, EUR)
    await rig.set_price(EUR, D("1.09400"), D("1.09410"))
    assert (await rig.venue.query(stop, EUR)).state is OrderState.FILLED


async def test_trailing_stop(rig: OandaRig) -> None:
    """A trailing stop follows the price and closes the position when it falls back; too near a one is refused."""
    entry = order(BUY, MARKET)
    await rig.venue.place(entry)
    near = await rig.venue.trail(entry.client_order_id, "bhtrailnear1", D("0.00001"))
    assert (near.state, near.code) == (OrderState.REJECTED, "PrecisionRejected")
    report = await rig.venue.trail(entry.client_order_id, "bhtrail00001", D("0.00200"))
    assert (report.state, report.symbol) == (OrderState.OPEN, EUR)
    for bid in ("1.10100", "1.10500", "1.10310"):
        await rig.set_price(EUR, D(bid), D(bid) + D("0.00010"))
        assert await held(rig) == 1000
    await rig.set_price(EUR, D("1.10300"), D("1.10310"))
    await rig.settled()
    assert await held(rig) == 0
    with pytest.raises(OrderNotFound):
        await rig.venue.trail("bhnosuchentry", "bhtrail00002", D("0.002"))


async def test_partial_close_and_reduce_only(rig: OandaRig) -> None:
    """Part of a position is closed by a smaller reduce-only order; one that could only open is refused as such."""
    await rig.venue.place(order(BUY, MARKET))
    await rig.venue.place(order(SELL, MARKET, "400", reduce_only=True))
    assert await held(rig) == 600
    wrong = await rig.venue.place(order(BUY, MARKET, "400", reduce_only=True))
    assert (wrong.state, wrong.code) == (OrderState.REJECTED, "ReduceOnly")
    sent = [each for each in rig.server.log.entries if each["type"] == "MARKET_ORDER"]
    assert [each["positionFill"] for each in sent] == ["REDUCE_FIRST", "REDUCE_ONLY"]


async def test_amending(rig: OandaRig) -> None:
    """A pending order gets another price under the same client id, and is still one order."""
    resting = order(BUY, LIMIT, price=D("1.09000"))
    await rig.venue.place(resting)
    report = await rig.venue.amend(resting.client_order_id, EUR, price=D("1.09500"), qty=D(2000))
    assert (report.state, report.client_order_id) == (OrderState.OPEN, resting.client_order_id)
    await rig.set_price(EUR, D("1.09400"), D("1.09410"))
    found = await rig.venue.query(resting.client_order_id, EUR)
    assert (found.state, found.filled_qty) == (OrderState.FILLED, 2000)


async def test_stop_order(rig: OandaRig) -> None:
    """A stop order rests until its price trades."""
    request = order(BUY, STOP, stop_price=D("1.10500"))
    assert (await rig.venue.place(request)).state is OrderState.OPEN
    await rig.set_price(EUR, D("1.10600"), D("1.10610"))
    assert (await rig.venue.query(request.client_order_id, EUR)).state is OrderState.FILLED


async def test_a_part_that_trades_without_a_new_number(rig: OandaRig) -> None:
    """A limit order that trades in part counts the same whether its rest gets a number of its own or keeps the old one."""
    for reissues in (True, False):
        rig.server.reissues = reissues
        request = order(BUY, LIMIT, price=D("1.10000"))
        await rig.venue.place(request)
        await rig.trade(EUR, D("1.10000"), D(100))
        report = await rig.venue.query(request.client_order_id, EUR)
        assert (report.state, report.filled_qty) == (OrderState.PARTIALLY_FILLED, 100)
        report = await rig.venue.cancel(request.client_order_id, EUR)
        assert report.state is OrderState.CANCELLED
        await rig.set_price(EUR, D("1.10000"), D("1.10010"))


async def test_a_market_order_that_trades_in_part(rig: OandaRig) -> None:
    """What does not trade at once is cancelled; what did is told."""
    rig.server.faults.arm(Fault.PARTIAL_FILL)
    request = order(BUY, MARKET)
    report = await rig.venue.place(request)
    assert (report.state, report.filled_qty) == (OrderState.CANCELLED, 500)
    assert await held(rig) == 500


# --- refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [MARKET, LIMIT])
async def test_the_market_is_closed(rig: OandaRig, kind: OrderType) -> None:
    """Orders outside the FX week are refused with the venue's word for it."""
    rig.server.halted = True
    request = order(BUY, kind, price=D("1.09") if kind is LIMIT else None)
    report = await rig.venue.place(request)
    assert (report.state, report.code, report.reason) == (OrderState.REJECTED, "MarketHalted", "MARKET_HALTED")
    assert (await rig.venue.query(request.client_order_id, EUR)).state is OrderState.REJECTED


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"qty": D("0.5")}, "PrecisionRejected"),
        ({"qty": D(20_000)}, "PrecisionRejected"),
        ({"price": D("1.000001")}, "PrecisionRejected"),
        ({"symbol": "XXX/USD"}, "OrderRejected"),
    ],
)
async def test_codes_of_refusals(rig: OandaRig, fields: dict[str, Any], code: str) -> None:
    """The venue's reasons become the house's codes (EX-1104, EX-516)."""
    report = await rig.venue.place(order(BUY, LIMIT, **{"price": D("1.09")} | fields))
    assert (report.state, report.code) == (OrderState.REJECTED, code)


async def test_too_little_margin(rig: OandaRig) -> None:
    """A market order that cannot be margined is refused as such, though OANDA makes it and cancels it at once."""
    rig.server.faults.arm(Fault.MARGIN_REJECT)
    report = await rig.venue.place(order(BUY, MARKET))
    assert (report.state, report.code) == (OrderState.REJECTED, "InsufficientFunds")


async def test_wrong_token() -> None:
    """A refused token ends the connection for good."""
    async with trading(pairs()) as rig:
        rig.venue = OandaVenue(access_to(rig.server, secret=Secret("something-else")), tools())
        with pytest.raises(AuthFailed):
            await rig.venue.connect(rig.heard)


async def test_too_many_requests(rig: OandaRig) -> None:
    """The venue's wait is told, and the order was not taken."""
    rig.server.faults.arm(Fault.TOO_MANY, 1, "orders")
    with pytest.raises(RateLimited) as refused:
        await rig.venue.place(order(BUY, MARKET))
    assert refused.value.retry_after_s == 1


# --- what it tells ------------------------------------------------------------------------------------------------------


async def test_fees_are_commission_less_financing(rig: OandaRig) -> None:
    """A fill carries its commission in the account's currency; reports come as fills before states."""
    request = order(BUY, MARKET)
    await rig.venue.place(request)
    await rig.settled()
    (fill,) = rig.heard.of(FillReport, client_order_id=request.client_order_id)
    assert (fill.fee, fill.fee_currency) == (D("0.11001000"), "USD")
    kinds = [type(each) for each in rig.heard.messages if isinstance(each, FillReport | OrderReport)]
    assert kinds == [OrderReport, FillReport, OrderReport]


async def test_account_state(rig: OandaRig) -> None:
    """Worth is cash and floating profit; the margin that must be kept is where the closeout begins."""
    await rig.venue.place(order(BUY, MARKET, "10000"))
    await rig.set_price(EUR, D("1.11010"), D("1.11020"))
    state = await rig.venue.account_state()
    assert state.currency == "USD"
    assert state.net_liquidation == state.cash + 100
    assert state.available_funds < state.net_liquidation
    assert state.maintenance_margin == D("10000") * D("1.10010") / 20 / 2


async def test_financing_and_limits(rig: OandaRig) -> None:
    """The financing of a pair and the limits of a market come from the venue's own list."""
    rates = await rig.venue.swap_rates(EUR)
    assert (rates.long_annual, rates.short_annual) == (D("-0.0215"), D("0.0047"))
    facts = await rig.venue.market_facts(EUR)
    assert (facts.max_leverage, facts.min_stop_distance) == (20, D("0.0005"))
    assert "New York" in facts.session


async def test_candles_of_three_sides(rig: OandaRig) -> None:
    """Candles of the middle, the bid and the ask; only finished ones, at most as many as asked for."""
    since = NOW() - 3_600_000_000_000
    mid = await rig.venue.candles(EUR, "5m", since, 5)
    assert len(mid) == 5
    assert all(each.at >= since and each.at % 300_000_000_000 == 0 for each in mid)
    for side, shift in (("bid", "-0.1"), ("ask", "0.1")):
        shifted = await rig.venue.candles_of(EUR, "5m", since, 5, side)
        assert [each.close for each in shifted] == [each.close + D(shift) for each in mid]
    assert len(await rig.venue.candles(EUR, "5m", since, 500)) in (11, 12)
    assert await rig.venue.candles(EUR, "5m", NOW() + 10**12, 5) == ()


async def test_instruments(rig: OandaRig) -> None:
    """Pairs are netted positions with margin: both sides can be opened, precision is what the account's list says."""
    (eur, _) = await rig.venue.instruments()
    assert (eur.symbol, eur.venue_symbol, eur.base, eur.quote, eur.shortable) == (EUR, "EUR_USD", "EUR", "USD", True)
    assert (eur.rules.tick_size, eur.rules.step_size, eur.rules.min_qty) == (D("0.00001"), 1, 1)
