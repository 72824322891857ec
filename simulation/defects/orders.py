"""Bugs in what becomes of an order: the session, the desk, the group."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any

import msgspec

import actors.desk_venue
import actors.session
from actors.desk_book import DeskBook
from actors.desk_compare import Comparison
from actors.desk_venue import VenueSide
from actors.session import VenueSession
from actors.session_limit import Urgency
from protocol.orders import CancelAtVenue, FillReport, OrderReport, OrderState
from protocol.values import OrderSide, OrderType
from rules.group.view import GroupView
from simulation.defects.defect import patched
from venues.errors import NetworkTimeout

__all__ = [
    "blind_retry",
    "cancel_assumed_successful",
    "double_exit",
    "fill_counted_twice",
    "fill_matched_by_price",
    "missed_fills_left",
    "partial_treated_as_full",
]


def blind_retry() -> AbstractContextManager[None]:
    """Take an order whose answer did not come for one that was not placed: its group sends it again under a new id."""

    def change(failure: Callable[..., OrderReport]) -> Callable[..., OrderReport]:
        def wrong(key: str, symbol: str, error: Exception, *, sends: bool, at: int) -> OrderReport:
            found = failure(key, symbol, error, sends=sends, at=at)
            if sends and isinstance(error, NetworkTimeout | TimeoutError):
                return msgspec.structs.replace(found, state=OrderState.REJECTED, absent_proven=True)
            return found

        return wrong

    return patched(actors.session, "failure", change)


def cancel_assumed_successful() -> AbstractContextManager[None]:
    """Take an order for cancelled when the answer to its cancel does not come."""

    def change(cancel: Callable[..., None]) -> Callable[..., None]:
        @wraps(cancel)
        def wrong(self: VenueSession, msg: CancelAtVenue) -> None:
            key, symbol = msg.client_order_id, msg.symbol

            def assumed(error: Exception) -> None:
                if isinstance(error, NetworkTimeout | TimeoutError):
                    done = OrderReport(client_order_id=key, symbol=symbol, state=OrderState.CANCELLED, at=self.now())
                    self._to_desk(done)
                else:
                    self._failed(key, symbol, error, False)

            self._calls.withdraw(key)
            work = self._calls.in_line(key, Urgency.CLOSE, lambda venue: venue.cancel(key, symbol))
            self.context.pipe(work, self._to_desk, assumed)

        return wrong

    return patched(VenueSession, "cancel", change)


def fill_matched_by_price() -> AbstractContextManager[None]:
    """Tie a fill to the first working order of its market and side whose price it meets, not to its client order id."""

    def change(fill: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(fill)
        def wrong(self: VenueSide, msg: FillReport) -> Any:
            near = [order for order in self._book.working() if _meets(order.request, msg)]
            key = near[0].request.client_order_id if near else msg.client_order_id
            return fill(self, msgspec.structs.replace(msg, client_order_id=key))

        return wrong

    return patched(VenueSide, "fill", change)


def _meets(request: Any, fill: FillReport) -> bool:
    if (request.symbol, request.side) != (fill.symbol, fill.side):
        return False
    return request.type is OrderType.MARKET or (request.price >= fill.price) == (request.side is OrderSide.BUY)


def fill_counted_twice() -> AbstractContextManager[None]:
    """Record a fill as often as the exchange tells it."""
    return patched(DeskBook, "knows_fill", lambda _: lambda _self, _client_order_id, _trade_id: False)


def partial_treated_as_full() -> AbstractContextManager[None]:
    """Take an order that has traded in part for one that is done."""

    def change(report: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(report)
        def wrong(self: VenueSide, msg: OrderReport) -> Any:
            if msg.state is OrderState.PARTIALLY_FILLED:
                msg = msgspec.structs.replace(msg, state=OrderState.FILLED)
            return report(self, msg)

        return wrong

    return patched(VenueSide, "report", change)


def double_exit() -> AbstractContextManager[None]:
    """Forget, when a close takes its next step, what closes have already ordered."""
    return patched(GroupView, "reserved", lambda _: lambda _self, **_besides: {})


def missed_fills_left() -> AbstractContextManager[None]:
    """Compare only the open orders at a reconciliation, not the fills."""

    def change(compare: Callable[..., Comparison]) -> Callable[..., Comparison]:
        return lambda *given: compare(*given)._replace(missed=[])

    return patched(actors.desk_venue, "compare", change)
