"""What every adapter must do with orders: ``TradingContract``, a pytest class to inherit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from itertools import count

import pytest

from protocol.instruments import Instrument
from protocol.messages import Message
from protocol.orders import FillReport, OrderReport, OrderRequest, OrderState
from protocol.values import MarketType, OrderSide, OrderType
from tests.venues.manual_time import Heard
from tests.venues.safety_suite import SafetyCases
from venues.contract import REQUIRED_CAPABILITIES, Venue
from venues.errors import OrderNotFound

BID, ASK = Decimal("60000.00"), Decimal("60000.10")
BUY, SELL = OrderSide.BUY, OrderSide.SELL


class TradingRig(ABC):
    """A venue adapter before ``connect``, its account with at least 10 000 quote currency, and the market's levers."""

    venue: Venue
    heard: Heard
    symbol = "BTC/USDT"

    @abstractmethod
    async def set_price(self, symbol: str, bid: Decimal, ask: Decimal) -> None:
        """Move the market; return once the venue's orders have met the new price, with ample volume behind it."""

    @abstractmethod
    async def trade(self, symbol: str, price: Decimal, volume: Decimal) -> None:
        """Let the market trade ``volume`` base units at ``price``; at most that much of our orders can fill by it."""

    @abstractmethod
    async def settled(self) -> None:
        """Return once everything that the venue has to say was told to the sink."""


class Desk:
    """Makes valid orders for the rig's symbol and keeps what the tests ask about."""

    def __init__(self, rig: TradingRig, instrument: Instrument) -> None:
        self.rig = rig
        self.venue = rig.venue
        self.instrument = instrument
        self._numbers = count(1)
        step = instrument.rules.step_size
        least = max(instrument.rules.min_qty, instrument.rules.min_notional / BID * 2)
        self.qty = (least // step + 10) * step * 4
        """A quantity well above the minimums, divisible by four."""

    def order(self, side: OrderSide, kind: OrderType, price: Decimal | None = None, **changes: object) -> OrderRequest:
        fields = {"client_order_id": f"bhcontract{next(self._numbers):06d}", "symbol": self.rig.symbol, "side": side,
                  "type": kind, "qty": self.qty, "price": price} | changes  # fmt: skip
        return OrderRequest(**fields)  # type: ignore[arg-type]

    async def place(self, request: OrderRequest) -> OrderReport:
        report = await self.venue.place(request)
        await self.rig.settled()
        return report

    async def state(self, request: OrderRequest) -> OrderReport:
        await self.rig.settled()
        return await self.venue.query(request.client_order_id, request.symbol)

    async def open_ids(self) -> set[str]:
        return {report.client_order_id for report in await self.venue.open_orders()}

    async def money(self) -> dict[str, tuple[Decimal, Decimal]]:
        return {item.currency: (item.free, item.locked) for item in await self.venue.balances()}

    async def total(self, currency: str) -> Decimal:
        return sum((await self.money()).get(currency, (Decimal(0),)), Decimal(0))

    def fills(self, request: OrderRequest) -> dict[str, FillReport]:
        """Return the fills the sink heard for an order, by trade id; a repeat must say the same again."""
        found: dict[str, FillReport] = {}
        for fill in self.rig.heard.of(FillReport, client_order_id=request.client_order_id):
            assert found.setdefault(fill.trade_id, fill) == fill
        return found


def filled(fills: dict[str, FillReport]) -> Decimal:
    """Return the quantity that a set of fills adds up to."""
    return sum((fill.qty for fill in fills.values()), Decimal(0))


@pytest.mark.anyio
class TradingContract(SafetyCases, ABC):
    """Requirements on an adapter's orders, fills and balances (EX-1103, EX-1107)."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @abstractmethod
    def open_rig(self) -> AbstractAsyncContextManager[TradingRig]:
        """Return an async context manager of a ``TradingRig``; it closes the adapter and the venue."""

    @pytest.fixture
    async def desk(self) -> AsyncIterator[Desk]:
        async with self.open_rig() as rig:
            await rig.venue.connect(rig.heard)
            instruments = {item.symbol: item for item in await rig.venue.instruments()}
            desk = Desk(rig, instruments[rig.symbol])
            await rig.set_price(rig.symbol, BID, ASK)
            yield desk

    # --- placing ------------------------------------------------------------------------------------------------------

    async def test_offers_what_is_required(self, desk: Desk) -> None:
        """Nothing that the desk needs is missing."""
        assert desk.venue.capabilities >= REQUIRED_CAPABILITIES

    async def test_resting_order(self, desk: Desk) -> None:
        """A limit order away from the market is open, shown as such everywhere, and not filled."""
        request = desk.order(BUY, OrderType.LIMIT, BID - 100)
        report = await desk.place(request)
        assert (report.client_order_id, report.state, report.filled_qty) == (
            request.client_order_id,
            OrderState.OPEN,
            0,
        )
        assert (await desk.state(request)).state is OrderState.OPEN
        assert await desk.open_ids() == {request.client_order_id}
        assert desk.fills(request) == {}

    async def test_same_id_twice(self, desk: Desk) -> None:
        """The same order sent again is the same order: one order, one lock, the same answer (EX-422, EX-426)."""
        request = desk.order(BUY, OrderType.LIMIT, BID - 100)
        first = await desk.place(request)
        money = await desk.money()
        second = await desk.place(request)
        assert (second.state, second.venue_order_id) == (first.state, first.venue_order_id)
        assert len(await desk.venue.open_orders()) == 1
        assert await desk.money() == money

    async def test_id_of_a_filled_order(self, desk: Desk) -> None:
        """A filled order sent again buys nothing again."""
        request = desk.order(BUY, OrderType.MARKET)
        await desk.place(request)
        money = await desk.money()
        assert (await desk.place(request)).state is OrderState.FILLED
        assert await desk.money() == money
        assert filled(desk.fills(request)) == desk.qty

    async def test_id_with_other_content(self, desk: Desk) -> None:
        """A known client id never makes a second order, whatever it asks for."""
        request = desk.order(BUY, OrderType.LIMIT, BID - 100)
        await desk.place(request)
        other = desk.order(BUY, OrderType.LIMIT, BID - 200, client_order_id=request.client_order_id, qty=desk.qty * 2)
        await desk.place(other)
        (only,) = await desk.venue.open_orders()
        assert only.client_order_id == request.client_order_id

    @pytest.mark.parametrize("side", [BUY, SELL])
    async def test_market_order(self, desk: Desk, side: OrderSide) -> None:
        """A market order fills at the touch or worse, in full, and the balances move by exactly its fills and fees."""
        if side is SELL:
            await desk.place(desk.order(BUY, OrderType.MARKET, qty=desk.qty * 2))
        base, quote = desk.instrument.base, desk.instrument.quote
        before = await desk.total(base), await desk.total(quote)
        request = desk.order(side, OrderType.MARKET)
        assert (await desk.place(request)).state is OrderState.FILLED
        fills = desk.fills(request)
        assert filled(fills) == desk.qty
        assert all(fill.price >= ASK if side is BUY else fill.price <= BID for fill in fills.values())
        sign = 1 if side is BUY else -1
        paid = {currency: sum((f.fee for f in fills.values() if f.fee_currency == currency), Decimal(0))
                for currency in (base, quote)}  # fmt: skip
        value = sum((fill.qty * fill.price for fill in fills.values()), Decimal(0))
        if desk.instrument.market_type is MarketType.PERP:
            # Nothing is bought but a position: what is sold earns what it fetched above its own price.
            earned = Decimal(0) if side is BUY else value - desk.qty * ASK
            assert {item.symbol: item.qty for item in await desk.venue.positions()} == {desk.rig.symbol: desk.qty}
            assert await desk.total(quote) == before[1] + earned - paid[quote]
            return
        assert await desk.total(base) == before[0] + sign * desk.qty - paid[base]
        assert await desk.total(quote) == before[1] - sign * value - paid[quote]

    async def test_ioc_away_from_the_market(self, desk: Desk) -> None:
        """An immediate-or-cancel order that cannot trade is cancelled at once."""
        request = desk.order(BUY, OrderType.IOC, BID - 100)
        report = await desk.place(request)
        assert (report.state, report.filled_qty) == (OrderState.CANCELLED, 0)
        assert await desk.open_ids() == set()

    async def test_ioc_at_the_market(self, desk: Desk) -> None:
        """An immediate-or-cancel order at the market fills, never worse than its limit."""
        limit = (ASK + 10) // desk.instrument.rules.tick_size * desk.instrument.rules.tick_size
        request = desk.order(BUY, OrderType.IOC, limit)
        assert (await desk.place(request)).state is OrderState.FILLED
        assert all(fill.price <= limit for fill in desk.fills(request).values())

    # --- refusals -----------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("broken", ["tick", "step", "min_qty", "min_notional", "funds", "holdings", "symbol"])
    async def test_refusals(self, desk: Desk, broken: str) -> None:
        """What a real venue rejects is an answer with a reason: nothing is locked, open or filled (EX-501, EX-1107)."""
        rules, kind = desk.instrument.rules, OrderType.LIMIT
        price = BID - 100
        if not getattr(rules, broken, True):
            pytest.skip("this venue knows no such minimum")
        request = {
            "tick": lambda: desk.order(BUY, kind, price + rules.tick_size / 2),
            "step": lambda: desk.order(BUY, kind, price, qty=desk.qty + rules.step_size / 2),
            "min_qty": lambda: desk.order(BUY, kind, price, qty=rules.min_qty / 2),
            "min_notional": lambda: desk.order(BUY, kind, rules.tick_size, qty=desk.qty),
            "funds": lambda: desk.order(BUY, kind, price, qty=desk.qty * 1_000_000),
            "holdings": lambda: desk.order(SELL, kind, ASK + 100, qty=desk.qty * 1_000_000),
            "symbol": lambda: desk.order(BUY, kind, price, symbol="NOSUCH/USDT"),
        }[broken]()
        money = await desk.money()
        report = await desk.place(request)
        assert report.state is OrderState.REJECTED
        assert report.reason
        assert await desk.open_ids() == set()
        assert await desk.money() == money
        assert desk.fills(request) == {}
        assert (await desk.state(request)).state is OrderState.REJECTED

    # --- fills --------------------------------------------------------------------------------------------------------

    async def test_fill_of_a_resting_order(self, desk: Desk) -> None:
        """A resting order fills as maker, at its limit or better, when the market comes to it."""
        request = desk.order(BUY, OrderType.LIMIT, BID - 100)
        await desk.place(request)
        await desk.rig.set_price(desk.rig.symbol, BID - 101, BID - Decimal("100.5"))
        report = await desk.state(request)
        assert (report.state, report.filled_qty) == (OrderState.FILLED, desk.qty)
        fills = desk.fills(request)
        assert filled(fills) == desk.qty
        assert all(fill.price <= BID - 100 and fill.maker and fill.side is BUY for fill in fills.values())
        assert await desk.open_ids() == set()

    async def test_partial_fills(self, desk: Desk) -> None:
        """Each part that trades is one fill with its own trade id; they add up to the order (EX-1107)."""
        request = desk.order(BUY, OrderType.LIMIT, BID - 100)
        await desk.place(request)
        for part in (1, 2):
            await desk.rig.trade(desk.rig.symbol, BID - 100, desk.qty / 4)
            report = await desk.state(request)
            assert (report.state, report.filled_qty) == (OrderState.PARTIALLY_FILLED, desk.qty / 4 * part)
            assert filled(desk.fills(request)) == desk.qty / 4 * part
        assert await desk.open_ids() == {request.client_order_id}
        await desk.rig.trade(desk.rig.symbol, BID - 100, desk.qty)
        assert (await desk.state(request)).state is OrderState.FILLED
        assert filled(desk.fills(request)) == desk.qty
        assert len(desk.fills(request)) >= 3

    async def test_trade_ids_are_unique(self, desk: Desk) -> None:
        """No two fills share a trade id within a symbol, over all orders."""
        for _ in range(3):
            await desk.place(desk.order(BUY, OrderType.MARKET))
            await desk.place(desk.order(SELL, OrderType.MARKET, qty=desk.qty / 2))
        told = set(desk.rig.heard.of(FillReport))
        assert len(told) >= 6
        assert len({fill.trade_id for fill in told}) == len(told)

    async def test_fills_since(self, desk: Desk) -> None:
        """History holds every fill from an instant on, oldest first, the same as were told."""
        for _ in range(3):
            await desk.place(desk.order(BUY, OrderType.MARKET))
        history = await desk.venue.fills_since(0)
        assert {fill.trade_id for fill in history} >= {fill.trade_id for fill in desk.rig.heard.of(FillReport)}
        assert [fill.at for fill in history] == sorted(fill.at for fill in history)
        assert history[-1] in await desk.venue.fills_since(history[-1].at)
        assert await desk.venue.fills_since(history[-1].at + 1) == ()

    async def test_facts_come_before_or_with_the_state(self, desk: Desk) -> None:
        """When an order is told filled, all of its fills have been told."""
        request = desk.order(BUY, OrderType.MARKET)
        await desk.place(request)
        seen: dict[str, FillReport] = {}
        for message in desk.rig.heard.messages:
            if isinstance(message, FillReport):
                seen[message.trade_id] = message
            elif isinstance(message, OrderReport) and message.state is OrderState.FILLED:
                assert filled(seen) >= message.filled_qty
        assert filled(seen) == desk.qty

    # --- cancelling and asking ------------------------------------------------------------------------------------------

    async def test_cancel(self, desk: Desk) -> None:
        """A cancelled order is gone, what it locked is free again, and cancelling it twice is harmless."""
        money = await desk.money()
        request = desk.order(BUY, OrderType.LIMIT, BID - 100)
        await desk.place(request)
        locked = (await desk.money())[desk.instrument.quote][1]
        assert locked >= desk.qty * (BID - 100)
        for _ in range(2):
            report = await desk.venue.cancel(request.client_order_id, request.symbol)
            assert (report.state, report.filled_qty) == (OrderState.CANCELLED, 0)
        assert await desk.open_ids() == set()
        assert await desk.money() == money

    async def test_cancel_of_a_filled_order(self, desk: Desk) -> None:
        """A cancel that comes too late is told that the order has filled."""
        request = desk.order(BUY, OrderType.MARKET)
        await desk.place(request)
        report = await desk.venue.cancel(request.client_order_id, request.symbol)
        assert (report.state, report.filled_qty) == (OrderState.FILLED, desk.qty)

    async def test_cancel_of_a_partial_fill(self, desk: Desk) -> None:
        """Cancelling keeps what has traded."""
        request = desk.order(BUY, OrderType.LIMIT, BID - 100)
        await desk.place(request)
        await desk.rig.trade(desk.rig.symbol, BID - 100, desk.qty / 4)
        report = await desk.venue.cancel(request.client_order_id, request.symbol)
        assert (report.state, report.filled_qty) == (OrderState.CANCELLED, desk.qty / 4)
        await desk.rig.settled()
        assert filled(desk.fills(request)) == desk.qty / 4

    async def test_cancel_of_an_unknown_order(self, desk: Desk) -> None:
        """Cancelling what the venue does not know says so, or proves that it never was."""
        try:
            report = await desk.venue.cancel("bhcontractnever", desk.rig.symbol)
        except OrderNotFound:
            return
        assert report.state is OrderState.REJECTED
        assert report.absent_proven

    async def test_query_of_an_unknown_order(self, desk: Desk) -> None:
        """An unknown id is proven absent or stays unknown; it is never an error and never another state."""
        report = await desk.venue.query("bhcontractnever", desk.rig.symbol)
        assert report.client_order_id == "bhcontractnever"
        assert report.state is OrderState.UNKNOWN or (report.state is OrderState.REJECTED and report.absent_proven)

    async def test_only_absence_is_proven(self, desk: Desk) -> None:
        """No order that was ever accepted is called proven absent."""
        resting, taken = desk.order(BUY, OrderType.LIMIT, BID - 100), desk.order(BUY, OrderType.MARKET)
        for request in (resting, taken):
            await desk.place(request)
            assert not (await desk.state(request)).absent_proven
        await desk.venue.cancel(resting.client_order_id, resting.symbol)
        assert not (await desk.state(resting)).absent_proven

    # --- account and life -----------------------------------------------------------------------------------------------

    async def test_spot_holdings_are_no_positions(self, desk: Desk) -> None:
        """What was bought on a spot market is a balance; positions are perpetuals only."""
        await desk.place(desk.order(BUY, OrderType.MARKET))
        spot = {item.symbol for item in await desk.venue.instruments() if item.market_type is MarketType.SPOT}
        assert not {position.symbol for position in await desk.venue.positions()} & spot

    async def test_round_trip_costs_fees_and_spread_only(self, desk: Desk) -> None:
        """Buying and selling back at a standing price never makes money, and no balance goes below zero."""
        quote = desk.instrument.quote
        before = await desk.total(quote)
        await desk.place(desk.order(BUY, OrderType.MARKET))
        await desk.place(desk.order(SELL, OrderType.MARKET, qty=desk.qty / 2))
        await desk.place(desk.order(SELL, OrderType.MARKET, qty=desk.qty / 4))
        assert await desk.total(quote) < before
        assert all(amount >= 0 for pair in (await desk.money()).values() for amount in pair)

    async def test_server_time(self, desk: Desk) -> None:
        """The venue's clock is not behind its own fills."""
        await desk.place(desk.order(BUY, OrderType.MARKET))
        (newest, *_) = reversed(await desk.venue.fills_since(0))
        assert await desk.venue.server_time() >= newest.at

    async def test_close(self, desk: Desk) -> None:
        """After close the sink is silent though orders stay; closing again is harmless; connecting finds them."""
        request = desk.order(BUY, OrderType.LIMIT, BID - 100)
        await desk.place(request)
        await desk.venue.close()
        await desk.venue.close()
        heard: list[Message] = desk.rig.heard.messages
        heard.clear()
        await desk.rig.set_price(desk.rig.symbol, BID - 101, BID - Decimal("100.5"))
        assert heard == []
        await desk.venue.connect(desk.rig.heard)
        assert (await desk.state(request)).state is OrderState.FILLED
        assert {fill.client_order_id for fill in await desk.venue.fills_since(0)} == {request.client_order_id}
