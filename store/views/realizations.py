"""What each closing fill earned, after its own fee and its share of the entry fees (EX-1701).

Fees count in quote currency: as they are when paid in it, at the fill's price when paid in base currency. A fee in a
third currency cannot be valued here and stands in ``group_fees`` only. The realizations of a closed group sum exactly to
its realized quote amount less its fees in quote.
"""

from __future__ import annotations

from decimal import Decimal
from functools import reduce

from protocol.groups import ClosedLot, CloseFilled, GroupClosed, LegFilled, TargetFilled
from store.views.exact import exact, share
from store.views.registry import Writer, insert, run

__all__ = ["fee_in_quote", "realize", "settle"]

_NO_LOT = -1
"""Number of the lot for fees that belong to none: those of dust, or of a fill that closed nothing."""


def fee_in_quote(writer: Writer, event: LegFilled | TargetFilled | CloseFilled) -> Decimal:
    """Note a fill's fee as it was paid and return its worth in quote currency, 0 when that is not known here.

    Base currency that a closing fee took out of the position is worth what it had cost: what it had gained by then is
    in no lot. Base currency besides is worth the fill's price.
    """
    group_id, fee, currency = event.group_id, event.fee, event.fee_currency
    sql = """INSERT INTO group_fees (group_id, currency, amount) VALUES (?, ?, ?)
        ON CONFLICT (group_id, currency) DO UPDATE SET amount = exact_add(group_fees.amount, excluded.amount)"""
    run(writer, sql, group_id, currency, fee)
    row = writer.known("SELECT base, quote FROM groups WHERE group_id = ?", group_id)
    base, quote = row or ("", "")
    worth = Decimal(0)
    if currency == quote:
        worth = fee
    elif currency == base:
        for lot in getattr(event, "spent", ()):
            worth, fee = exact().add(worth, lot.cost), exact().subtract(fee, lot.qty)
        worth = exact().add(worth, exact().multiply(fee, event.price))
    sql = "UPDATE groups SET fees_quote = exact_add(fees_quote, ?), traded_position = ? WHERE group_id = ?"
    run(writer, sql, worth, writer.record.position, group_id)
    return worth


def realize(writer: Writer, event: TargetFilled | CloseFilled, reason: str) -> None:
    """Take the lots of a closing fill out of their legs and book one realization each."""
    fee = fee_in_quote(writer, event)
    for lot in event.spent:
        fee = exact().add(fee, _take_out(writer, event, lot))
    closed = reduce(exact().add, (lot.qty for lot in event.lots), Decimal(0))
    for number, lot in enumerate(event.lots):
        exit_fee = share(fee, lot.qty, closed)
        fee, closed = exact().subtract(fee, exit_fee), exact().subtract(closed, lot.qty)
        fees = exact().add(exit_fee, _take_out(writer, event, lot))
        _book_gain(writer, event.group_id, lot, exit_fee)
        insert(
            writer,
            "realizations",
            position=writer.record.position,
            lot=number,
            group_id=event.group_id,
            leg_id=lot.leg_id,
            client_order_id=event.client_order_id,
            trade_id=event.trade_id,
            reason=reason,
            qty=lot.qty,
            price=event.price,
            cost_quote=lot.cost,
            realized_quote=lot.realized,
            fees_quote=fees,
            net_quote=exact().subtract(lot.realized, fees),
            at=event.at,
        )
    if fee:
        _book_fees(writer, event.group_id, fee, reason, event.at)


def _take_out(writer: Writer, event: TargetFilled | CloseFilled, lot: ClosedLot) -> Decimal:
    """Take a lot out of its leg and group; return its part of the entry fees that waited at the leg."""
    group_id = event.group_id
    sql = "SELECT open_qty, entry_fees_left_quote FROM legs WHERE group_id = ? AND leg_id = ?"
    row = writer.one(sql, group_id, lot.leg_id)
    part = share(Decimal(row[1]), lot.qty, Decimal(row[0])) if row else Decimal(0)
    sql = """UPDATE legs SET open_qty = exact_sub(open_qty, ?), open_cost_quote = exact_sub(open_cost_quote, ?),
        entry_fees_left_quote = exact_sub(entry_fees_left_quote, ?) WHERE group_id = ? AND leg_id = ?"""
    run(writer, sql, lot.qty, lot.cost, part, group_id, lot.leg_id)
    sql = """UPDATE groups SET open_qty = exact_sub(open_qty, ?), open_cost_quote = exact_sub(open_cost_quote, ?),
        updated_at = ? WHERE group_id = ?"""
    run(writer, sql, lot.qty, lot.cost, event.at, group_id)
    return part


def _book_gain(writer: Writer, group_id: str, lot: ClosedLot, fee: Decimal) -> None:
    sql = """UPDATE legs SET closed_qty = exact_add(closed_qty, ?), realized_quote = exact_add(realized_quote, ?),
        fees_quote = exact_add(fees_quote, ?) WHERE group_id = ? AND leg_id = ?"""
    run(writer, sql, lot.qty, lot.realized, fee, group_id, lot.leg_id)
    sql = "UPDATE groups SET realized_quote = exact_add(realized_quote, ?) WHERE group_id = ?"
    run(writer, sql, lot.realized, group_id)


def settle(writer: Writer, event: GroupClosed) -> None:
    """Book the entry fees that are left when a group closes (those of dust) as a realization of quantity 0."""
    sql = "SELECT exact_sum(entry_fees_left_quote) FROM legs WHERE group_id = ?"
    left = Decimal((writer.one(sql, event.group_id) or (0,))[0])
    if left == 0:
        return
    run(writer, "UPDATE legs SET entry_fees_left_quote = '0' WHERE group_id = ?", event.group_id)
    _book_fees(writer, event.group_id, left, "dust", event.at)


def _book_fees(writer: Writer, group_id: str, fees: Decimal, reason: str, at: int) -> None:
    """Book fees that belong to no lot."""
    zero = Decimal(0)
    insert(
        writer,
        "realizations",
        position=writer.record.position,
        lot=_NO_LOT,
        group_id=group_id,
        leg_id="",
        client_order_id="",
        trade_id="",
        reason=reason,
        qty=zero,
        price=zero,
        cost_quote=zero,
        realized_quote=zero,
        fees_quote=fees,
        net_quote=fees.copy_negate(),
        at=at,
    )
