"""The desk's journal events and tells, made from what it was told."""

from __future__ import annotations

from actors.desk_book import DeskOrder
from protocol.orders import (
    FillRecorded,
    FillReport,
    FillReported,
    OrderRefused,
    OrderReport,
    OrderSent,
    OrderState,
    OrderStateChanged,
    SubmitOrder,
)

__all__ = ["changed", "never_sent", "recorded", "refused", "reported", "sent"]


def sent(msg: SubmitOrder, *, permit: int, correlation: int, at: int) -> OrderSent:
    """Return the decision to send an order."""
    return OrderSent(
        request=msg.request,
        owner=msg.owner,
        group_id=msg.group_id,
        leg_id=msg.leg_id,
        purpose=msg.purpose,
        attempt=msg.attempt,
        expected_price=msg.expected_price,
        permit=permit,
        correlation_id=correlation,
        at=at,
    )


def refused(msg: SubmitOrder, code: str, reason: str, *, correlation: int, at: int) -> OrderRefused:
    """Return the decision not to send an order."""
    return OrderRefused(
        request=msg.request,
        owner=msg.owner,
        group_id=msg.group_id,
        leg_id=msg.leg_id,
        purpose=msg.purpose,
        attempt=msg.attempt,
        code=code,
        reason=reason,
        correlation_id=correlation,
        at=at,
    )


def changed(msg: OrderReport, *, at: int) -> OrderStateChanged:
    """Return the new state of an order, as the venue reports it."""
    return OrderStateChanged(
        client_order_id=msg.client_order_id,
        state=msg.state,
        venue_order_id=msg.venue_order_id,
        filled_qty=msg.filled_qty,
        reason=msg.reason,
        code=msg.code,
        absent_proven=msg.absent_proven,
        at=at,
    )


def recorded(fill: FillReport) -> FillRecorded:
    """Return a fill as the journal keeps it."""
    return FillRecorded(
        client_order_id=fill.client_order_id,
        trade_id=fill.trade_id,
        symbol=fill.symbol,
        side=fill.side,
        qty=fill.qty,
        price=fill.price,
        fee=fill.fee,
        fee_currency=fill.fee_currency,
        maker=fill.maker,
        at=fill.at,
    )


def reported(fill: FillRecorded) -> FillReported:
    """Return a recorded fill as its owner hears it."""
    return FillReported(
        client_order_id=fill.client_order_id,
        trade_id=fill.trade_id,
        symbol=fill.symbol,
        side=fill.side,
        qty=fill.qty,
        price=fill.price,
        fee=fill.fee,
        fee_currency=fill.fee_currency,
        at=fill.at,
    )


def never_sent(order: DeskOrder, code: str, reason: str, at: int) -> OrderReport:
    """Return that an order which was decided on, but never reached the venue, will not be sent."""
    return OrderReport(
        client_order_id=order.request.client_order_id,
        symbol=order.request.symbol,
        state=OrderState.REJECTED,
        reason=reason,
        code=code,
        absent_proven=True,
        at=at,
    )
