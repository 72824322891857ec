"""Keep the targets of a group as they should be: resting orders, deferred targets, watched prices (EX-601..616).

Each function compares what is wanted with what there is and asks for the difference, so it may run after anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from protocol.groups import (
    CloseReason,
    EntryState,
    GroupState,
    LegState,
    PyramidScope,
    TargetDeferred,
    TargetsWatched,
    TpMode,
    Watch,
)
from protocol.values import Side
from rules.exits import book_in_order
from rules.group.turn import Turn
from rules.group.view import GroupView, LegView
from rules.precision import check_order, quotient
from rules.take_profit import Lot, leg_tp_price, tp_plan

__all__ = ["MAX_TARGET_LOSSES", "due_deferred", "refresh_targets", "refresh_watches", "retire_rests"]

MAX_TARGET_LOSSES = 3
"""After so many targets in a row that the venue dropped, a leg's target is watched instead."""


def retire_rests(turn: Turn) -> None:
    """Cancel what is left of the entry of each leg whose target has filled (EX-614)."""
    for leg in turn.view.legs.values():
        if leg.state is LegState.HIT_TP and leg.entry is EntryState.WORKING:
            order = turn.view.working_order(leg.entry_order)
            if order is not None:
                turn.want_cancel(order)


def refresh_targets(turn: Turn) -> None:
    """Place, replace, shrink, defer or cancel the target of every leg (EX-604, EX-605, EX-711)."""
    if not turn.view.config.tp_mode.rests:
        _take_back(turn)
        return
    claimed = turn.view.reserved()
    for leg in list(turn.view.legs.values()):
        if (leg.open_qty > 0 or leg.target_order) and not turn.view.owned(leg):
            _refresh_leg(turn, leg, turn.view.floor(leg.open_qty - claimed.get(leg.leg_id, Decimal(0))))


def _take_back(turn: Turn) -> None:
    """Cancel what rests from before an edit: in this mode the group watches its targets itself."""
    for leg in turn.view.legs.values():
        if leg.target_order and not turn.view.owned(leg):
            order = turn.view.working_order(leg.target_order)
            if order is not None and not order.state.final:
                turn.want_cancel(order)


def _refresh_leg(turn: Turn, leg: LegView, qty: Decimal) -> None:
    order = turn.view.working_order(leg.target_order)
    price = _target_price(turn.view, leg) if qty > 0 else Decimal(0)
    if order is not None:
        # The minimums do not matter to an order that already rests. One whose end was told has only fills to come.
        if (order.rest != qty or order.request.price != price) and not order.state.final:
            turn.want_cancel(order)
        return
    if qty <= 0:
        return
    code = _unfit(turn, leg, qty, price)
    if code is None:
        turn.want_target(leg, qty, price)
    elif qty > leg.deferred_qty or price != leg.deferred_price:
        # A slice that takes part of what is watched already changes nothing about the watching.
        turn.emit(
            TargetDeferred(group_id=turn.view.group_id, leg_id=leg.leg_id, qty=qty, price=price, code=code, at=turn.at)
        )


def _target_price(view: GroupView, leg: LegView) -> Decimal:
    tick = view.instrument.rules.tick_size
    return leg_tp_price(view.side, leg.avg_fill, leg.tp_percent, tick, view.config.price_rounding)


def _unfit(turn: Turn, leg: LegView, qty: Decimal, price: Decimal) -> str | None:
    """Return why this target cannot rest at the venue, or None."""
    if leg.target_losses >= MAX_TARGET_LOSSES:
        return "TargetRefused"
    if leg.awaits_rules:
        return "PrecisionRejected"
    config, rules = turn.view.config, turn.view.instrument.rules
    return check_order(price, qty, rules, enforce_min_notional=config.enforce_min_notional)


# --- watched prices ---------------------------------------------------------------------------------------------------


def refresh_watches(turn: Turn) -> None:
    """Bring the watched prices up to date; nothing is watched while the group closes."""
    view = turn.view
    if view.state in (GroupState.CLOSING, GroupState.CLOSED):
        return
    deferred = _deferred(view)
    watches = (*_references(view), *_aggregates(view), *deferred)
    low, high = _bounds(turn, watches, deferred)
    if (watches, low, high) != (view.watches, view.watch_low, view.watch_high):
        turn.emit(TargetsWatched(group_id=view.group_id, watches=watches, low=low, high=high, at=turn.at))


def _references(view: GroupView) -> list[Watch]:
    """Return the stop and the target that signals armed for the whole group (EX-270)."""
    avg = view.avg_entry
    if avg is None or view.flat:
        return []
    long = view.side is Side.LONG
    armed = (
        (view.stop_price, CloseReason.STOP, not long),
        (view.target_price, CloseReason.AGGREGATE_TP, long),
    )
    return [
        Watch(scope="group", reason=reason, price=price, above=above, qty=view.open_qty, avg_entry=avg)
        for price, reason, above in armed
        if price is not None
    ]


def _aggregates(view: GroupView) -> list[Watch]:
    config = view.config
    alone = config.tp_mode is TpMode.PYRAMID_AGGREGATE and config.pyramid_scope is PyramidScope.PER_PYRAMID
    plan = tp_plan(
        config.tp_mode if config.tp_mode is not TpMode.HYBRID else TpMode.AGGREGATE,
        view.side,
        [] if config.tp_mode is TpMode.PER_LEG else _lots(view, skip_owned=alone),
        aggregate_percent=config.tp_aggregate_percent,
        pyramid_percents=config.pyramid_tp_percents,
        scope=config.pyramid_scope,
        tick=view.instrument.rules.tick_size,
    )
    return [
        Watch(
            scope=target.scope,
            reason=CloseReason.PYRAMID_TP if alone else CloseReason.AGGREGATE_TP,
            price=target.target,
            above=view.side is Side.LONG,
            qty=target.qty,
            avg_entry=target.avg_entry,
            tp_percent=target.tp_percent,
        )
        for target in plan.watch
    ]


def _lots(view: GroupView, *, skip_owned: bool) -> list[Lot]:
    """Return the open lots; those of a pyramid that is closing, or has closed and left dust, only count together."""
    done = {pyramid.index for pyramid in view.pyramids if pyramid.closed} if skip_owned else set()
    step = view.instrument.rules.step_size
    return [
        Lot(leg.leg_id, leg.pyramid, leg.open_qty, leg.avg_fill, leg.tp_percent)
        for leg in view.legs.values()
        if leg.open_qty > 0
        and not (skip_owned and view.owned(leg))
        and not (leg.pyramid in done and leg.open_qty < step)
    ]


def _deferred(view: GroupView) -> list[Watch]:
    """Return the targets that cannot rest, nearest first; a leg with a share in a running close waits for its end."""
    if not view.config.tp_mode.rests:
        return []
    claimed = view.reserved()
    watches = [
        Watch(
            scope=f"leg:{leg.leg_id}",
            reason=CloseReason.LEG_TP,
            price=leg.deferred_price,
            above=view.side is Side.LONG,
            qty=leg.open_qty,
            avg_entry=leg.avg_fill,
            tp_percent=leg.tp_percent,
        )
        for leg in view.legs.values()
        if leg.deferred_qty > 0
        and leg.open_qty > 0
        and leg.leg_id not in claimed
        and view.working_order(leg.target_order) is None
        and not view.owned(leg)
    ]
    return sorted(watches, key=lambda watch: view.side.sign * watch.price)


def _bounds(turn: Turn, watches: Iterable[Watch], deferred: Iterable[Watch]) -> tuple[Decimal | None, Decimal | None]:
    """Return the nearest price below and above at which something can trigger."""
    prices = [(watch.price, watch.above) for watch in watches if watch.reason is not CloseReason.LEG_TP]
    prices += [(price, turn.view.side is Side.LONG) for price in _deferred_prices(turn, deferred)]
    low = max((price for price, above in prices if not above), default=None)
    high = min((price for price, above in prices if above), default=None)
    return low, high


def _deferred_prices(turn: Turn, deferred: Iterable[Watch]) -> list[Decimal]:
    """Return the prices from which the nearest one, two ... deferred targets together can be sold."""
    rules, config = turn.view.instrument.rules, turn.view.config
    prices, together = [], Decimal(0)
    for watch in deferred:
        together += watch.qty
        qty = turn.view.floor(together)
        if qty <= 0 or qty < rules.min_qty:
            continue
        if not config.enforce_min_notional:
            prices.append(watch.price)
        elif turn.view.side is Side.LONG:
            # Rounded to 18 places, it could come out above the exact price; a tick below never misses.
            prices.append(max(watch.price, quotient(rules.min_notional, qty) - rules.tick_size))
        elif watch.price * qty >= rules.min_notional:
            prices.append(watch.price)
    return prices


def due_deferred(turn: Turn, price: Decimal) -> dict[str, Decimal]:
    """Return by leg what deferred targets sell together at this price, nothing when it is too little (EX-605)."""
    due = {
        watch.scope.removeprefix("leg:"): watch.qty
        for watch in turn.view.watches
        if watch.reason is CloseReason.LEG_TP and (price >= watch.price if watch.above else price <= watch.price)
    }
    qty = turn.view.floor(sum(due.values(), Decimal(0)))
    rules, config = turn.view.instrument.rules, turn.view.config
    if check_order(price, qty, rules, enforce_min_notional=config.enforce_min_notional):
        return {}
    return book_in_order({leg_id: due[leg_id] for leg_id in turn.view.legs if leg_id in due}, qty)
