"""What must never happen to an order when things go wrong around it: a part of the trading contract.

The desk takes ``RateLimited`` and ``VenueDown`` from ``place`` for "it never got there", and another order may be sent:
said of an order that the venue has, they are an order sent twice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from protocol.orders import OrderReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from tests.servers.venues.faults import Fault, On
from tests.servers.venues.hall import Hall
from venues.errors import NetworkTimeout, RateLimited, VenueDown, VenueError

if TYPE_CHECKING:
    from tests.venues.trading_suite import Desk

__all__ = ["SafetyCases"]

MANY = 12
"""Requests in a row that go wrong: more than one order's questions."""

AROUND = (Fault.TOO_MANY, Fault.SERVER_ERROR, Fault.MAINTENANCE, Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.MALFORMED)


def hall_of(desk: Desk) -> Hall:
    """Return the matching engine of the rig's server; skip where there is no server that misbehaves on command."""
    hall = getattr(getattr(desk.rig, "server", None), "hall", None)
    if not isinstance(hall, Hall):
        pytest.skip("this venue has no server with faults")
    return hall


def taken(hall: Hall, request: OrderRequest) -> bool:
    """Whether the venue has the order."""
    order = hall.find(request.client_order_id)
    return order is not None and order.state is not OrderState.REJECTED


def ours(hall: Hall) -> int:
    """Count the desk's orders that the venue took; a rig may place some of its own."""
    return sum(order.number > 0 for key, order in hall.orders.items() if key.startswith("bhcontract"))


async def placed(desk: Desk, request: OrderRequest, fault: Fault, times: int, on: On) -> OrderReport | VenueError:
    """Place an order while a fault is armed; return what came of the call."""
    faults = hall_of(desk).faults
    faults.arm(fault, times, on)
    try:
        return await desk.venue.place(request)
    except VenueError as error:
        return error
    finally:
        faults.clear()


class SafetyCases:
    """Tests that ``TradingContract`` brings along."""

    @pytest.mark.parametrize("fault", AROUND)
    async def test_what_fails_after_an_order_was_taken(self, desk: Desk, fault: Fault) -> None:
        """An order that the venue has is never told as one that did not get there, whatever is asked of it in vain."""
        hall = hall_of(desk)
        request = desk.order(OrderSide.BUY, OrderType.MARKET)
        came = await placed(desk, request, fault, MANY, "reads")
        assert not isinstance(came, RateLimited | VenueDown) or not taken(hall, request), came
        if taken(hall, request):
            assert isinstance(came, OrderReport | NetworkTimeout)
            assert not isinstance(came, OrderReport) or came.state is not OrderState.REJECTED
            assert not (await desk.state(request)).absent_proven
            again = await desk.place(request)
            assert again.state in (OrderState.FILLED, OrderState.UNKNOWN)
        assert ours(hall) == taken(hall, request)

    @pytest.mark.parametrize("fault", AROUND)
    async def test_what_fails_while_an_order_is_sent(self, desk: Desk, fault: Fault) -> None:
        """The call that carries an order goes wrong: if the venue took it, it is unknown until the venue is asked."""
        hall = hall_of(desk)
        request = desk.order(OrderSide.BUY, OrderType.LIMIT, self.below(desk))
        came = await placed(desk, request, fault, 1, "orders")
        if taken(hall, request):
            assert isinstance(came, OrderReport | NetworkTimeout), came
            found = await desk.state(request)
            assert (found.state, found.absent_proven) in ((OrderState.OPEN, False), (OrderState.UNKNOWN, False))
            await desk.place(request)
        else:
            assert isinstance(came, VenueError), came
            assert not (isinstance(came, NetworkTimeout) and (await desk.state(request)).state is OrderState.OPEN)
        assert ours(hall) == taken(hall, request)

    def below(self, desk: Desk) -> Decimal:
        """Return a price at which a purchase rests."""
        quote = hall_of(desk).quote(desk.rig.symbol)
        assert quote is not None
        tick = desk.instrument.rules.tick_size
        return (quote.bid * 99 / 100) // tick * tick

    @pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.MALFORMED, Fault.REQUEST_LOST, Fault.TOO_MANY])
    async def test_what_fails_while_an_order_is_cancelled(self, desk: Desk, fault: Fault) -> None:
        """A cancel that goes wrong never tells an order as ended that can still trade."""
        hall = hall_of(desk)
        request = desk.order(OrderSide.BUY, OrderType.LIMIT, self.below(desk))
        await desk.place(request)
        hall.faults.arm(fault, 1, "cancels")
        try:
            report = await desk.venue.cancel(request.client_order_id, request.symbol)
        except VenueError:
            report = None
        hall.faults.clear()
        order = hall.find(request.client_order_id)
        assert order is not None
        assert report is None or not report.state.final or order.state.final
        await desk.venue.cancel(request.client_order_id, request.symbol)
        assert order.state is OrderState.CANCELLED
        assert (await desk.state(request)).state is OrderState.CANCELLED
