"""Book fills: entries, targets, closes; each venue trade once (EX-423, EX-428, EX-604, EX-705, EX-710)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from protocol.groups import (
    ClosedLot,
    CloseFilled,
    CloseReason,
    EntryState,
    GroupState,
    LegClosed,
    LegFilled,
    LegState,
    Severity,
    TargetFilled,
)
from protocol.orders import FillReported, Purpose
from protocol.values import MarketType, Side
from rules.exits import allocate_close, book_in_order
from rules.group.closing import close_group
from rules.group.ends import end_if_final
from rules.group.opening import anchor
from rules.group.slip import judge_slippage
from rules.group.states import Cause
from rules.group.turn import Turn
from rules.group.view import GroupView, LegView, OrderView
from rules.precision import quotient

__all__ = ["on_fill"]


def on_fill(turn: Turn, fill: FillReported) -> None:
    """Book one trade of one of the group's orders; a trade that was told before changes nothing."""
    if fill.trade_id in turn.view.trades:
        return
    order = turn.view.orders.get(fill.client_order_id)
    if order is None:
        text = f"trade {fill.trade_id} names order {fill.client_order_id}, which this group never wanted"
        turn.alert("UnknownOrder", Severity.ERROR, text, pinned=True)
        return
    if order.purpose is Purpose.ENTRY:
        _entry_filled(turn, order, fill)
    elif order.purpose is Purpose.TP:
        _target_filled(turn, order, fill)
    else:
        _close_filled(turn, order, fill)
    after = turn.view.orders[fill.client_order_id]
    if after.settled and not order.settled:
        judge_slippage(turn, after)
    end_if_final(turn, after)


def _base_fee(view: GroupView, fill: FillReported) -> Decimal:
    """Return what of the fee was taken from the base units held (EX-428); a rebate is not counted on."""
    spot_long = view.side is Side.LONG and view.instrument.market_type is MarketType.SPOT
    return max(fill.fee, Decimal(0)) if spot_long and fill.fee_currency == view.instrument.base else Decimal(0)


def _fee_quote(view: GroupView, fill: FillReported) -> Decimal:
    """Return the fee in quote currency; one in a third currency has no price here and counts as 0."""
    if fill.fee_currency == view.instrument.quote:
        return fill.fee
    return fill.fee * fill.price if fill.fee_currency == view.instrument.base else Decimal(0)


# --- entries ----------------------------------------------------------------------------------------------------------


def _entry_filled(turn: Turn, order: OrderView, fill: FillReported) -> None:
    leg = turn.view.legs[order.leg_id]
    # A late fill of an order that was replaced says nothing of the one that works now.
    newest = leg.entry_order in ("", fill.client_order_id)
    complete = newest and order.filled + fill.qty >= order.request.qty
    turn.emit(
        LegFilled(
            group_id=turn.view.group_id,
            leg_id=leg.leg_id,
            client_order_id=fill.client_order_id,
            trade_id=fill.trade_id,
            qty=fill.qty,
            net_qty=fill.qty - _base_fee(turn.view, fill),
            price=fill.price,
            fee=fill.fee,
            fee_currency=fill.fee_currency,
            fee_quote=_fee_quote(turn.view, fill),
            entry=EntryState.DONE if complete else leg.entry,
            leg_state=LegState.FILLED if complete or leg.entry is not EntryState.WORKING else LegState.OPEN,
            at=fill.at,
        )
    )
    if complete and leg.moved:
        turn.alert("LayerFilledFirst", Severity.WARNING, "filled before it could be moved", leg_id=leg.leg_id)
    if turn.view.state is GroupState.CLOSED:
        reason = turn.view.reason or CloseReason.OPERATOR
        turn.alert("LateFill", Severity.ERROR, f"{fill.qty} filled after the end", leg_id=leg.leg_id, pinned=True)
        close_group(turn, reason, cause=Cause.LATE_FILL)
    elif not turn.view.closing:
        anchor(turn)


# --- targets and closes -----------------------------------------------------------------------------------------------


def _target_filled(turn: Turn, order: OrderView, fill: FillReported) -> None:
    lots = _lots(turn, order, {order.leg_id: fill.qty}, fill)
    turn.emit(
        TargetFilled(
            group_id=turn.view.group_id,
            leg_id=order.leg_id,
            client_order_id=fill.client_order_id,
            trade_id=fill.trade_id,
            qty=fill.qty,
            price=fill.price,
            fee=fill.fee,
            fee_currency=fill.fee_currency,
            lots=lots,
            spent=_spent(turn, lots, fill),
            at=fill.at,
        )
    )
    if not turn.view.closing:
        _close_emptied(turn, (order.leg_id,), CloseReason.LEG_TP)


def _close_filled(turn: Turn, order: OrderView, fill: FillReported) -> None:
    lots = _lots(turn, order, _shares(turn.view, order, fill.qty), fill)
    reason = order.reason or CloseReason.OPERATOR
    turn.emit(
        CloseFilled(
            group_id=turn.view.group_id,
            client_order_id=fill.client_order_id,
            trade_id=fill.trade_id,
            scope=order.scope,
            reason=reason,
            qty=fill.qty,
            price=fill.price,
            fee=fill.fee,
            fee_currency=fill.fee_currency,
            fee_quote=_fee_quote(turn.view, fill),
            lots=lots,
            spent=_spent(turn, lots, fill),
            at=fill.at,
        )
    )
    if order.scope == "partial" and not turn.view.closing:
        _close_emptied(turn, tuple(lot.leg_id for lot in lots), reason)


def _shares(view: GroupView, order: OrderView, qty: Decimal) -> dict[str, Decimal]:
    """Split a closing fill: pro-rata over what is outstanding of a slice, else leg after leg (EX-710)."""
    outstanding = {leg_id: share for leg_id, share in order.allocation.items() if share > 0}
    total = sum(outstanding.values(), Decimal(0))
    if order.scope == "partial":
        return allocate_close(outstanding, min(qty, total), view.instrument.rules.step_size)
    return book_in_order(outstanding, qty)


def _lots(turn: Turn, order: OrderView, shares: Mapping[str, Decimal], fill: FillReported) -> tuple[ClosedLot, ...]:
    """Close at most what the legs hold; what a venue sold beyond that goes to the other legs, then to an alert."""
    view = turn.view
    held = {leg_id: leg.open_qty for leg_id, leg in view.legs.items() if leg.open_qty > 0}
    booked = {
        leg_id: part for leg_id, share in shares.items() if (part := min(share, held.get(leg_id, Decimal(0)))) > 0
    }
    excess = fill.qty - sum(booked.values(), Decimal(0))
    if excess > 0:
        left = {leg_id: qty - booked.get(leg_id, Decimal(0)) for leg_id, qty in held.items()}
        for leg_id, part in book_in_order(left, excess).items():
            booked[leg_id] = booked.get(leg_id, Decimal(0)) + part
            excess -= part
    if excess > 0:
        text = f"order {order.request.client_order_id} closed {excess} more than the group holds"
        turn.alert("PositionMismatch", Severity.ERROR, text, pinned=True)
    return tuple(_lot(view, view.legs[leg_id], booked[leg_id], fill.price) for leg_id in view.legs if leg_id in booked)


def _lot(view: GroupView, leg: LegView, qty: Decimal, price: Decimal) -> ClosedLot:
    """Return the closed part of a leg; the last part takes all the cost that is left, so that nothing is lost."""
    cost, fee = _part(leg.cost, qty, leg.open_qty), _part(leg.fee_quote, qty, leg.open_qty)
    return ClosedLot(leg.leg_id, qty, cost, view.side.sign * (qty * price - cost), fee)


def _part(amount: Decimal, qty: Decimal, of: Decimal) -> Decimal:
    return amount if qty == of else quotient(amount * qty, of)


def _spent(turn: Turn, lots: tuple[ClosedLot, ...], fill: FillReported) -> tuple[ClosedLot, ...]:
    """Return what a fee in base currency took of the legs that were sold; it is a fee, not a loss (EX-428)."""
    fee = _base_fee(turn.view, fill)
    left = {leg.leg_id: rest for lot in lots if (rest := (leg := turn.view.legs[lot.leg_id]).open_qty - lot.qty) > 0}
    sold = {lot.leg_id: lot for lot in lots}
    spent = []
    for leg_id, qty in book_in_order(left, fee).items():
        leg, lot = turn.view.legs[leg_id], sold[leg_id]
        cost = _part(leg.cost - lot.cost, qty, left[leg_id])
        spent.append(ClosedLot(leg_id, qty, cost, Decimal(0), _part(leg.fee_quote - lot.entry_fee, qty, left[leg_id])))
    return tuple(spent)


def _close_emptied(turn: Turn, leg_ids: tuple[str, ...], reason: CloseReason) -> None:
    """Say which legs a target or a slice has emptied; less than a step left is dust (EX-708)."""
    state = LegState.HIT_TP if reason is CloseReason.LEG_TP else LegState.CLOSED
    for leg_id in leg_ids:
        if turn.view.legs[leg_id].open_qty < turn.view.instrument.rules.step_size:
            turn.emit(LegClosed(group_id=turn.view.group_id, leg_id=leg_id, reason=reason, leg_state=state, at=turn.at))
