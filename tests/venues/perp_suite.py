"""What the trading contract asks of perpetuals beside the rest: orders that may only reduce."""

from __future__ import annotations

from decimal import Decimal

from protocol.orders import OrderState
from protocol.values import OrderType
from tests.venues.trading_suite import BUY, SELL, Desk, TradingContract, filled

__all__ = ["PerpContract"]


async def held(desk: Desk) -> Decimal:
    """Return the position in the rig's symbol."""
    return sum((each.qty for each in await desk.venue.positions() if each.symbol == desk.rig.symbol), Decimal(0))


class PerpContract(TradingContract):
    """The trading contract of an account of perpetuals; ``rig.symbol`` is one."""

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
