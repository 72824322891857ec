"""What differs for perpetuals: positions instead of balances, in base units, and orders that may only reduce."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.orders import OrderState
from protocol.values import OrderSide, OrderType
from tests.venues.trading_suite import ASK, BID, BUY, SELL, Desk, TradingContract, filled

__all__ = ["PerpContract"]


async def held(desk: Desk) -> Decimal:
    """Return the position in the rig's symbol."""
    return sum((each.qty for each in await desk.venue.positions() if each.symbol == desk.rig.symbol), Decimal(0))


class PerpContract(TradingContract):
    """The trading contract of an account of perpetuals; ``rig.symbol`` is one."""

    @pytest.mark.parametrize("side", [BUY, SELL])
    async def test_market_order(self, desk: Desk, side: OrderSide) -> None:
        """A market order fills at the touch or worse, in full, and the position moves by exactly that; fees are quote."""
        quote = desk.instrument.quote
        before = await desk.total(quote)
        request = desk.order(side, OrderType.MARKET)
        assert (await desk.place(request)).state is OrderState.FILLED
        fills = desk.fills(request)
        assert filled(fills) == desk.qty
        assert all(fill.price >= ASK if side is BUY else fill.price <= BID for fill in fills.values())
        assert await held(desk) == (desk.qty if side is BUY else -desk.qty)
        assert {fill.fee_currency for fill in fills.values()} == {quote}
        assert await desk.total(quote) == before - sum(fill.fee for fill in fills.values())

    async def test_reduce_only_closes(self, desk: Desk) -> None:
        """An order that may only reduce closes the position and never turns it around."""
        await desk.place(desk.order(BUY, OrderType.MARKET))
        close = desk.order(SELL, OrderType.MARKET, reduce_only=True)
        assert (await desk.place(close)).state is OrderState.FILLED
        assert filled(desk.fills(close)) == desk.qty
        assert await held(desk) == 0

    async def test_reduce_only_without_a_position(self, desk: Desk) -> None:
        """There is nothing to reduce: the order is refused by that name, and no position opens."""
        report = await desk.place(desk.order(SELL, OrderType.MARKET, reduce_only=True))
        assert (report.state, report.code) == (OrderState.REJECTED, "ReduceOnly")
        assert await held(desk) == 0
