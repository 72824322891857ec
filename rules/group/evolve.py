"""Apply one event to a group: assignments only, one small function an event type, one table.

Nothing is decided here. Sums are exact (the amounts of venues fit 28 digits), so replaying a journal gives an equal state
whatever has become of the rules since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from protocol.groups import (
    CancelWanted,
    CloseFilled,
    EntryEnded,
    EntryState,
    GroupClosed,
    GroupOpened,
    GroupState,
    GroupStateChanged,
    LegClosed,
    LegFilled,
    LegState,
    OrderStateNoted,
    OrderWanted,
    PlannedLeg,
    PyramidAdded,
    PyramidAnchored,
    PyramidClosed,
    TargetDeferred,
    TargetEnded,
    TargetFilled,
    TargetsWatched,
)
from protocol.messages import Event
from protocol.orders import OrderState, Purpose
from rules.group.changed import with_close, with_leg, with_order
from rules.group.evolve_closing import EVOLVERS_OF_CLOSING
from rules.group.evolve_editing import EVOLVERS_OF_EDITING
from rules.group.evolve_steering import EVOLVERS_OF_STEERING
from rules.group.view import CloseView, GroupView, LegView, OrderView, PyramidView

__all__ = ["EVOLVERS", "evolve", "replay"]

_ZERO = Decimal(0)


def _opened(event: GroupOpened) -> GroupView:
    return GroupView(
        group_id=event.group_id,
        key=event.key,
        user=event.user,
        scope=event.scope,
        venue=event.venue,
        account=event.account,
        symbol=event.symbol,
        timeframe=event.timeframe,
        side=event.side,
        tag=event.tag,
        strategy=event.strategy,
        base_entry_price=event.base_entry_price,
        config=event.config,
        instrument=event.instrument,
        state=GroupState.LIVE,
        opened_at=event.at,
        opened_with=event.instrument.rules,
    )


def _planned(legs: Iterable[PlannedLeg]) -> dict[str, LegView]:
    return {
        leg.leg_id: LegView(
            leg_id=leg.leg_id,
            pyramid=leg.pyramid,
            layer=leg.layer,
            price=leg.price,
            qty=leg.qty,
            gap_percent=leg.gap_percent,
            weight_percent=leg.weight_percent,
            tp_percent=leg.tp_percent,
            state=leg.state,
            entry=EntryState.BLOCKED if leg.state is LegState.BLOCKED else EntryState.WORKING,
            reason=leg.reason,
        )
        for leg in legs
    }


def _pyramid_added(view: GroupView, event: PyramidAdded) -> GroupView:
    pyramid = PyramidView(
        index=event.pyramid,
        signal_id=event.signal_id,
        entry_price=event.entry_price,
        size=event.size,
        size_type=event.size_type,
        config=event.config,
        anchored=event.anchored,
    )
    return replace(
        view,
        pyramids=(*view.pyramids, pyramid),
        legs={**view.legs, **_planned(event.legs)},
        instrument=event.instrument,
        stop_price=event.stop_price,
        target_price=event.target_price,
        max_slippage_percent=event.max_slippage_percent,
    )


def _pyramid_anchored(view: GroupView, event: PyramidAnchored) -> GroupView:
    pyramids = tuple(
        replace(pyramid, entry_price=event.entry_price, anchored=True) if pyramid.index == event.pyramid else pyramid
        for pyramid in view.pyramids
    )
    legs = sorted({**view.legs, **_planned(event.legs)}.values(), key=lambda leg: (leg.pyramid, leg.layer))
    return replace(view, pyramids=pyramids, legs={leg.leg_id: leg for leg in legs})


def _order_wanted(view: GroupView, event: OrderWanted) -> GroupView:
    name = event.request.client_order_id
    order = OrderView(
        request=event.request,
        purpose=event.purpose,
        scope=event.scope,
        leg_id=event.leg_id,
        attempt=event.attempt,
        adds_risk=event.adds_risk,
        expected_price=event.expected_price,
        reason=event.reason,
        close=event.close,
        allocation=event.allocation,
        wanted_at=event.at,
    )
    view = replace(view, orders={**view.orders, name: order})
    if event.purpose is Purpose.ENTRY:
        return replace(view, legs=with_leg(view, event.leg_id, entry_order=name, entry_attempt=event.attempt))
    if event.purpose is Purpose.TP:
        changes = {"target_order": name, "target_attempt": event.attempt, "deferred_qty": _ZERO}
        return replace(view, legs=with_leg(view, event.leg_id, **changes))
    owner = next(close for close in view.closes if close.number == event.close)
    closes = with_close(view, event.close, orders=(*owner.orders, name), allocation={}, retry_after_s=0)
    return replace(view, closes=closes, close_orders=event.attempt)


def _cancel_wanted(view: GroupView, event: CancelWanted) -> GroupView:
    return replace(view, orders=with_order(view, event.client_order_id, cancel_wanted=True))


def _order_noted(view: GroupView, event: OrderStateNoted) -> GroupView:
    order = view.orders[event.client_order_id]
    orders = with_order(
        view,
        event.client_order_id,
        state=event.state,
        reported=event.filled_qty,
        was_unknown=order.was_unknown or event.state is OrderState.UNKNOWN,
        absent=event.absent_proven,
    )
    if event.leg_state is None:
        return replace(view, orders=orders)
    return replace(view, orders=orders, legs=with_leg(view, order.leg_id, state=event.leg_state))


_Fill = LegFilled | TargetFilled | CloseFilled


def _filled(view: GroupView, event: _Fill) -> GroupView:
    """Note what every fill changes: its order, the fees, the trade id, the last price."""
    order = view.orders[event.client_order_id]
    currency = event.fee_currency
    return replace(
        view,
        orders=with_order(
            view,
            event.client_order_id,
            filled=order.filled + event.qty,
            value=order.value + event.qty * event.price,
        ),
        trades={**view.trades, event.trade_id: event.client_order_id},
        fees={**view.fees, currency: view.fees.get(currency, _ZERO) + event.fee} if event.fee else view.fees,
        last_fill_price=event.price,
        last_fill_at=event.at,
        first_fill_at=event.at if view.first_fill_at is None else view.first_fill_at,
    )


def _leg_filled(view: GroupView, event: LegFilled) -> GroupView:
    view = _filled(view, event)
    leg = view.legs[event.leg_id]
    legs = with_leg(
        view,
        event.leg_id,
        filled=leg.filled + event.net_qty,
        cost=leg.cost + event.net_qty * event.price,
        fee_quote=leg.fee_quote + event.fee_quote,
        entry=event.entry,
        state=event.leg_state,
        target_losses=0,
        target_rebuilds=0,
    )
    return replace(view, legs=legs)


def _booked(view: GroupView, event: TargetFilled | CloseFilled, emptied: LegState) -> GroupView:
    legs = dict(view.legs)
    for lot in event.lots:
        leg = legs[lot.leg_id]
        legs[lot.leg_id] = replace(
            leg,
            closed=leg.closed + lot.qty,
            cost=leg.cost - lot.cost,
            fee_quote=leg.fee_quote - lot.entry_fee,
            realized=leg.realized + lot.realized,
        )
    for lot in event.spent:
        leg = legs[lot.leg_id]
        legs[lot.leg_id] = replace(
            leg, filled=leg.filled - lot.qty, cost=leg.cost - lot.cost, fee_quote=leg.fee_quote - lot.entry_fee
        )
    for lot in event.lots:
        if not legs[lot.leg_id].open_qty:
            legs[lot.leg_id] = replace(legs[lot.leg_id], state=emptied)
    return replace(view, legs=legs)


def _target_filled(view: GroupView, event: TargetFilled) -> GroupView:
    return _booked(_filled(view, event), event, LegState.HIT_TP)


def _close_filled(view: GroupView, event: CloseFilled) -> GroupView:
    view = _booked(_filled(view, event), event, LegState.CLOSED)
    order = view.orders[event.client_order_id]
    allocation = dict(order.allocation)
    for lot in event.lots:
        allocation[lot.leg_id] = max(_ZERO, allocation.get(lot.leg_id, _ZERO) - lot.qty)
    view = replace(view, orders=with_order(view, event.client_order_id, allocation=allocation))
    return replace(
        view, closes=tuple(_booking(close, event) if close.number == order.close else close for close in view.closes)
    )


def _booking(close: CloseView, event: CloseFilled) -> CloseView:
    """Add what a fill brought, net of its fee and of the entry fees of what it sold."""
    realized = sum((lot.realized for lot in event.lots), _ZERO)
    entry_fees = sum((lot.entry_fee for lot in (*event.lots, *event.spent)), _ZERO)
    return replace(close, booked=close.booked + realized - entry_fees - event.fee_quote)


def _entry_ended(view: GroupView, event: EntryEnded) -> GroupView:
    changes: dict[str, Any] = {"entry": event.entry, "state": event.leg_state, "reason": event.reason}
    if event.entry is EntryState.WORKING:
        changes |= {"entry_order": "", "entry_retry_s": event.retry_after_s}
    if event.awaits_rules:
        changes |= {"awaits_rules": True, "entry_rebuilds": view.legs[event.leg_id].entry_rebuilds + 1}
    legs = with_leg(view, event.leg_id, **changes)
    if not event.client_order_id:
        return replace(view, legs=legs)
    orders = with_order(view, event.client_order_id, state=event.state, reported=event.filled_qty, ended=True)
    return replace(view, legs=legs, orders=orders)


def _target_ended(view: GroupView, event: TargetEnded) -> GroupView:
    orders = with_order(view, event.client_order_id, state=event.state, reported=event.filled_qty, ended=True)
    changes: dict[str, Any] = {"target_losses": event.losses}
    if event.awaits_rules:
        changes |= {"awaits_rules": True, "target_rebuilds": view.legs[event.leg_id].target_rebuilds + 1}
    return replace(view, orders=orders, legs=with_leg(view, event.leg_id, **changes))


def _target_deferred(view: GroupView, event: TargetDeferred) -> GroupView:
    return replace(view, legs=with_leg(view, event.leg_id, deferred_qty=event.qty, deferred_price=event.price))


def _targets_watched(view: GroupView, event: TargetsWatched) -> GroupView:
    return replace(view, watches=event.watches, watch_low=event.low, watch_high=event.high)


def _leg_closed(view: GroupView, event: LegClosed) -> GroupView:
    return replace(view, legs=with_leg(view, event.leg_id, state=event.leg_state))


def _pyramid_closed(view: GroupView, event: PyramidClosed) -> GroupView:
    pyramids = tuple(
        replace(pyramid, closed=True) if pyramid.index == event.pyramid else pyramid for pyramid in view.pyramids
    )
    return replace(view, pyramids=pyramids)


def _state_changed(view: GroupView, event: GroupStateChanged) -> GroupView:
    if event.new in (GroupState.CLOSING, GroupState.CLOSED):
        view = replace(view, watches=(), watch_low=None, watch_high=None)
    return replace(view, state=event.new, reason=event.reason)


def _closed(view: GroupView, event: GroupClosed) -> GroupView:
    return replace(
        view, closes=(), frozen="", held=(), rules_wanted=False, released=view.released or event.releases_slot
    )


EVOLVERS: Final[dict[type[Event], Callable[[GroupView, Any], GroupView]]] = {
    PyramidAdded: _pyramid_added,
    PyramidAnchored: _pyramid_anchored,
    OrderWanted: _order_wanted,
    CancelWanted: _cancel_wanted,
    OrderStateNoted: _order_noted,
    LegFilled: _leg_filled,
    TargetFilled: _target_filled,
    CloseFilled: _close_filled,
    EntryEnded: _entry_ended,
    TargetEnded: _target_ended,
    TargetDeferred: _target_deferred,
    TargetsWatched: _targets_watched,
    LegClosed: _leg_closed,
    PyramidClosed: _pyramid_closed,
    GroupStateChanged: _state_changed,
    GroupClosed: _closed,
    **EVOLVERS_OF_CLOSING,
    **EVOLVERS_OF_EDITING,
    **EVOLVERS_OF_STEERING,
}
"""Event type -> the function that applies it. Events that only inform (alerts, refusals) are not in it."""


def evolve(view: GroupView | None, event: Event) -> GroupView:
    """Return the state after an event; the first one must be ``GroupOpened``."""
    if view is None:
        if not isinstance(event, GroupOpened):
            raise ValueError(f"the first event of a group is GroupOpened, not {type(event).__name__}")
        return _opened(event)
    apply = EVOLVERS.get(type(event))
    return view if apply is None else apply(view, event)


def replay(events: Iterable[Event], view: GroupView | None = None) -> GroupView | None:
    """Return the state after a journal's events, from the beginning or from a snapshot."""
    for event in events:
        view = evolve(view, event)
    return view
