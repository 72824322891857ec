"""Projections of orders, fills and net positions. The desk's word counts; a group's wish comes before it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from protocol.groups import OrderWanted
from protocol.orders import (
    CancelRequested,
    FillRecorded,
    OrderRefused,
    OrderSent,
    OrderState,
    OrderStateChanged,
    Purpose,
)
from protocol.values import OrderSide
from rules.precision import quotient
from store.views.exact import exact
from store.views.registry import Writer, insert, projection, run

__all__ = ["cancel_requested", "filled", "refused", "sent", "state_changed", "wanted"]

_KEPT_WHEN_KNOWN = "ON CONFLICT (client_order_id) DO NOTHING"
_SUMS = ("qty", "bought_qty", "bought_quote", "sold_qty", "sold_quote")
_MOVE = f"""INSERT INTO positions (desk, symbol, {", ".join(_SUMS)}, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (desk, symbol) DO UPDATE SET
    {", ".join(f"{name} = exact_add(positions.{name}, excluded.{name})" for name in _SUMS)},
    updated_at = excluded.updated_at"""  # noqa: S608 our own names


def _ensure(writer: Writer, event: OrderWanted | OrderSent | OrderRefused) -> None:
    """Write the order as it was asked for, unless it is already known."""
    request = event.request
    row: dict[str, Any] = {
        "client_order_id": request.client_order_id,
        "position": writer.record.position,
        "group_id": event.group_id,
        "leg_id": event.leg_id,
        "purpose": event.purpose,
        "attempt": event.attempt,
        "symbol": request.symbol,
        "side": request.side,
        "type": request.type,
        "qty": request.qty,
        "price": request.price,
        "stop_price": request.stop_price,
        "reduce_only": request.reduce_only,
        "state": OrderState.INTENDED,
        "wanted_at": event.at,
        "updated_at": event.at,
    }
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    run(writer, f"INSERT INTO orders ({columns}) VALUES ({marks}) {_KEPT_WHEN_KNOWN}", *row.values())  # noqa: S608 ours


@projection(OrderWanted)
def wanted(writer: Writer, event: OrderWanted) -> None:
    """Write the order as intended; a target is noted at its leg."""
    _ensure(writer, event)
    order = event.request.client_order_id
    sql = "UPDATE orders SET expected_price = coalesce(expected_price, ?) WHERE client_order_id = ?"
    run(writer, sql, event.expected_price, order)
    if event.purpose is Purpose.TP and event.leg_id:
        sql = "UPDATE legs SET target_order = ?, target_price = ? WHERE group_id = ? AND leg_id = ?"
        run(writer, sql, order, event.request.price, event.group_id, event.leg_id)


@projection(OrderSent)
def sent(writer: Writer, event: OrderSent) -> None:
    """Write that the order leaves now."""
    _ensure(writer, event)
    sql = """UPDATE orders SET desk = ?, owner = ?, state = ?, reason = '', permit = ?, sent_at = ?, updated_at = ?,
        expected_price = coalesce(?, expected_price) WHERE client_order_id = ?"""
    desk, order = writer.record.stream, event.request.client_order_id
    run(writer, sql, desk, event.owner, OrderState.SENT, event.permit, event.at, event.at, event.expected_price, order)


@projection(OrderRefused)
def refused(writer: Writer, event: OrderRefused) -> None:
    """Write why the desk did not send it."""
    _ensure(writer, event)
    sql = "UPDATE orders SET desk = ?, owner = ?, state = ?, reason = ?, error = ?, updated_at = ? WHERE client_order_id = ?"
    reason, order = f"{event.code}: {event.reason}", event.request.client_order_id
    run(writer, sql, writer.record.stream, event.owner, OrderState.REJECTED, reason, event.code, event.at, order)


@projection(CancelRequested)
def cancel_requested(writer: Writer, event: CancelRequested) -> None:
    """Note when the cancel was asked for; the order goes on until the venue answers."""
    sql = "UPDATE orders SET cancel_requested_at = ?, updated_at = ? WHERE client_order_id = ?"
    run(writer, sql, event.at, event.at, event.client_order_id)


@projection(OrderStateChanged)
def state_changed(writer: Writer, event: OrderStateChanged) -> None:
    """Write the new state; the venue's own id is kept once it is known."""
    sql = """UPDATE orders SET state = ?, reason = ?, updated_at = ?,
        venue_order_id = CASE ? WHEN '' THEN venue_order_id ELSE ? END WHERE client_order_id = ?"""
    venue_id = event.venue_order_id
    run(writer, sql, event.state, event.reason, event.at, venue_id, venue_id, event.client_order_id)
    if event.state is OrderState.REJECTED:
        code = event.reason.partition(":")[0]
        known = code if code.isidentifier() else "OrderRejected"
        run(writer, "UPDATE orders SET error = ? WHERE client_order_id = ?", known, event.client_order_id)


@projection(FillRecorded)
def filled(writer: Writer, event: FillRecorded) -> None:
    """Write the fill, add it to its order and to the net position of its desk."""
    fields = ("client_order_id", "trade_id", "symbol", "side", "qty", "price", "fee", "fee_currency", "maker", "at")
    values = {name: getattr(event, name) for name in fields}
    insert(writer, "fills", desk=writer.record.stream, position=writer.record.position, **values)
    notional = exact().multiply(event.qty, event.price)
    sql = """UPDATE orders SET filled_qty = exact_add(filled_qty, ?), filled_quote = exact_add(filled_quote, ?),
        updated_at = ? WHERE client_order_id = ?"""
    run(writer, sql, event.qty, notional, event.at, event.client_order_id)
    _measure_slippage(writer, event)
    _move_position(writer, event, notional)


def _measure_slippage(writer: Writer, event: FillRecorded) -> None:
    """Write by how many percent the average fill is worse than expected; negative is better (EX-720)."""
    sql = "SELECT filled_qty, filled_quote, expected_price FROM orders WHERE client_order_id = ?"
    found = writer.one(sql, event.client_order_id)
    if found is None or found[2] is None:
        return
    qty, quote, expected = (Decimal(each) for each in found)
    if qty and expected > 0:
        average = quotient(quote, qty)
        worse = average - expected if event.side is OrderSide.BUY else expected - average
        sql = "UPDATE orders SET slippage_percent = ? WHERE client_order_id = ?"
        run(writer, sql, quotient(worse * 100, expected), event.client_order_id)


def _move_position(writer: Writer, event: FillRecorded, notional: Decimal) -> None:
    """Add a fill to the net quantity; a fee taken in the base currency is no longer held."""
    bought = event.side is OrderSide.BUY
    moved = event.qty if bought else event.qty.copy_negate()
    if event.fee_currency == event.symbol.partition("/")[0]:
        moved = exact().subtract(moved, event.fee)
    desk, symbol, zero = writer.record.stream, event.symbol, Decimal(0)
    buy, sell = ((event.qty, notional), (zero, zero)) if bought else ((zero, zero), (event.qty, notional))
    run(writer, _MOVE, desk, symbol, moved, *buy, *sell, event.at)
