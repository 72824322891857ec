"""What can start a close: exits, operators, stops, the risk engine, reductions, prices; the first one wins (EX-701)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from protocol.groups import (
    Batch,
    CloseForced,
    CloseGroup,
    CloseReason,
    EntryState,
    GroupState,
    ReduceGroup,
    RetryClose,
    RetryEntry,
    RiskClose,
    TriggerHeld,
    TriggerSuperseded,
    Watch,
)
from protocol.market import PriceTick
from protocol.signals import SizeType
from rules.exits import allocate_close
from rules.group.closing import advance_closes, close_group, may_act, skip_close, start_close
from rules.group.opening import send_entry
from rules.group.steps import SKIPPED, STALE_STEP_S, SUPERSEDED, is_known, refuse_step
from rules.group.targets import due_deferred
from rules.group.turn import Turn
from rules.precision import quotient

__all__ = [
    "RANKS",
    "on_batch",
    "on_close",
    "on_price",
    "on_reduce",
    "on_retry_close",
    "on_retry_entry",
    "on_risk_close",
]

RANKS: Final = (
    CloseReason.EXIT_SIGNAL,
    CloseReason.OPERATOR,
    CloseReason.RECOVERY,
    CloseReason.STOP,
    CloseReason.RISK_CLOSE,
    CloseReason.RISK_PARTIAL,
    CloseReason.REDUCE,
    CloseReason.AGGREGATE_TP,
    CloseReason.PYRAMID_TP,
    CloseReason.LEG_TP,
    CloseReason.TAKE_PROFIT,
    CloseReason.ENTRY_FAILED,
    CloseReason.UNFILLED_CANCELLED,
)
"""Who goes first of the triggers of one turn (EX-702)."""


def on_close(turn: Turn, message: CloseGroup) -> None:
    """Close the group, or one leg; superseded when the scope has an owner already."""
    if turn.view.state is GroupState.CLOSED:
        return
    if message.leg_id and message.leg_id not in turn.view.legs:
        return
    leg = turn.view.legs.get(message.leg_id)
    if turn.view.closing or (leg is not None and turn.view.owned(leg)):
        _supersede(turn, message.reason, f"leg:{message.leg_id}" if message.leg_id else "group", message.signal_id)
        if message.reason is CloseReason.OPERATOR:
            _force(turn)
    elif turn.view.frozen and message.reason is not CloseReason.OPERATOR:
        _hold(turn, message)
    elif leg is None:
        close_group(turn, message.reason, signal_id=message.signal_id)
    else:
        start_close(turn, f"leg:{message.leg_id}", message.reason, signal_id=message.signal_id)


def on_reduce(turn: Turn, message: ReduceGroup) -> None:
    """Close part of what is open, pro-rata over the legs (EX-709)."""
    if turn.view.frozen and turn.view.state not in (GroupState.CLOSING, GroupState.CLOSED):
        _hold(turn, message)
        return
    _close_part(turn, _reduction(turn, message), CloseReason.REDUCE, message.signal_id)


def on_risk_close(turn: Turn, message: RiskClose) -> None:
    """Close part of the group, or all of it, for a step of a risk plan; told again it changes nothing (EX-1018)."""
    if is_known(turn.view, message.plan_id):
        return
    if turn.view.state is GroupState.CLOSED:
        refuse_step(turn, message, SUPERSEDED, "GroupClosed")
    elif turn.at - message.at > STALE_STEP_S * 10**9:
        refuse_step(turn, message, SKIPPED, "StaleStep")
    elif turn.view.frozen and not turn.view.closing:
        refuse_step(turn, message, SKIPPED, "GroupFrozen")
    elif message.qty is not None:
        _close_part(turn, message.qty, CloseReason.RISK_PARTIAL, message.plan_id, message)
    elif turn.view.closing:
        _supersede(turn, CloseReason.RISK_CLOSE, "group", message.plan_id)
        refuse_step(turn, message, SUPERSEDED, "GroupClosing")
    else:
        close_group(turn, CloseReason.RISK_CLOSE, step=message)


def on_retry_close(turn: Turn, message: RetryClose) -> None:
    """Try a failed close again: its wait is over (EX-712)."""
    advance_closes(turn, retry=message.number)


def on_retry_entry(turn: Turn, message: RetryEntry) -> None:
    """Send a capped market entry again (EX-724)."""
    leg = turn.view.legs.get(message.leg_id)
    if leg is None or leg.entry is not EntryState.WORKING or leg.entry_order or leg.awaits_rules:
        return
    if not turn.view.owned(leg):
        send_entry(turn, leg)


def on_price(turn: Turn, tick: PriceTick) -> None:
    """Act on the watched prices that were reached, whole group first; a frozen group acts on none."""
    if turn.view.frozen:
        return
    price = turn.view.watched_price(tick)
    for watch in _reached(turn, price):
        if watch not in turn.view.watches:
            continue
        if watch.scope == "group":
            close_group(turn, watch.reason)
        elif watch.reason is CloseReason.PYRAMID_TP:
            start_close(turn, watch.scope, watch.reason)
    parts = due_deferred(turn, price)
    if parts:
        start_close(turn, "partial", CloseReason.LEG_TP, allocation=parts)


def _reached(turn: Turn, price: Decimal) -> list[Watch]:
    hit = [w for w in turn.view.watches if (price >= w.price if w.above else price <= w.price)]
    return sorted(hit, key=lambda watch: RANKS.index(watch.reason))


def on_batch(turn: Turn, batch: Batch) -> None:
    """Handle the triggers of one turn in the order of EX-702."""
    # What each price reaches is settled before the first trigger takes the watches away.
    reached = [
        _reached(turn, turn.view.watched_price(found)) if isinstance(found, PriceTick) else []
        for found in batch.triggers
    ]
    ranked = sorted(zip(batch.triggers, reached, strict=True), key=lambda found: _rank(*found))
    for trigger, watches in ranked:
        if isinstance(trigger, CloseGroup):
            on_close(turn, trigger)
        elif isinstance(trigger, ReduceGroup):
            on_reduce(turn, trigger)
        elif isinstance(trigger, RiskClose):
            on_risk_close(turn, trigger)
        elif turn.view.closing:
            for watch in watches:
                _supersede(turn, watch.reason, watch.scope, "")
        else:
            on_price(turn, trigger)


def _rank(trigger: CloseGroup | ReduceGroup | RiskClose | PriceTick, reached: list[Watch]) -> int:
    if isinstance(trigger, CloseGroup):
        return RANKS.index(trigger.reason)
    if isinstance(trigger, ReduceGroup):
        return RANKS.index(CloseReason.REDUCE)
    if isinstance(trigger, RiskClose):
        return RANKS.index(CloseReason.RISK_CLOSE if trigger.qty is None else CloseReason.RISK_PARTIAL)
    return RANKS.index(reached[0].reason) if reached else len(RANKS)


def _supersede(turn: Turn, trigger: CloseReason, scope: str, signal_id: str) -> None:
    turn.emit(
        TriggerSuperseded(group_id=turn.view.group_id, trigger=trigger, scope=scope, signal_id=signal_id, at=turn.at)
    )


def _hold(turn: Turn, message: CloseGroup | ReduceGroup) -> None:
    """Keep a trigger until the group is no longer frozen."""
    if message not in turn.view.held:
        turn.emit(TriggerHeld(turn.view.group_id, message, turn.at))


def _force(turn: Turn) -> None:
    """Have the closes of a frozen group go on: an operator says so."""
    for close in turn.view.closes:
        if not may_act(turn.view, close):
            turn.emit(CloseForced(turn.view.group_id, close.number, turn.at))


# --- slices -----------------------------------------------------------------------------------------------------------


def _reduction(turn: Turn, message: ReduceGroup) -> Decimal:
    if message.fraction is not None:
        # Of what stays: a strategy that halves twice within a moment means a quarter, not nothing, to be left.
        return sum(_free(turn).values(), Decimal(0)) * message.fraction
    amount = message.amount or Decimal(0)
    if message.amount_type is SizeType.CONTRACTS:
        return amount * turn.view.instrument.contract_size
    if message.amount_type is SizeType.BASE:
        return amount
    price = turn.executable(turn.view.side.exit) or turn.view.last_fill_price
    return quotient(amount, price) if price else Decimal(0)


def _close_part(
    turn: Turn, wanted: Decimal, reason: CloseReason, signal_id: str, step: RiskClose | None = None
) -> None:
    view = turn.view
    if view.state is GroupState.CLOSED:
        return
    if view.closing:
        _supersede(turn, reason, "partial", signal_id)
        if step is not None:
            refuse_step(turn, step, SUPERSEDED, "GroupClosing")
        return
    free = _free(turn)
    held = sum(free.values(), Decimal(0))
    qty = view.floor(min(wanted, held))
    code = turn.blocks_close(qty)
    if code is not None:
        skip_close(turn, reason, qty, code, signal_id)
        if step is not None:
            refuse_step(turn, step, SKIPPED, code)
    elif held == view.open_qty and turn.blocks_close(view.floor(held - qty)):
        # What would be left could never be sold (EX-709, EX-1012).
        whole = CloseReason.RISK_CLOSE if reason is CloseReason.RISK_PARTIAL else reason
        close_group(turn, whole, signal_id="" if step else signal_id, step=step)
    else:
        parts = allocate_close(free, qty, view.instrument.rules.step_size)
        parts = {leg_id: part for leg_id, part in parts.items() if part > 0}
        start_close(turn, "partial", reason, signal_id="" if step else signal_id, step=step, allocation=parts)


def _free(turn: Turn) -> dict[str, Decimal]:
    """Return by leg what no close has laid claim to."""
    claimed = turn.view.reserved()
    free = {
        leg.leg_id: leg.open_qty - claimed.get(leg.leg_id, Decimal(0))
        for leg in turn.view.legs.values()
        if not turn.view.owned(leg)
    }
    return {leg_id: qty for leg_id, qty in free.items() if qty > 0}
