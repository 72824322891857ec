"""Close a group, a pyramid, a leg or a slice: cancel first, sell once, retry until done (EX-701..712, EX-724).

A close owns its scope from ``CloseStarted`` to ``CloseFinished``. ``advance_closes`` looks at where each one stands and
takes its next step, so it may run after anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from protocol.groups import (
    CloseFinished,
    CloseReason,
    CloseSkipped,
    CloseStarted,
    DustRecorded,
    EntryEnded,
    EntryState,
    GroupClosed,
    GroupState,
    LegClosed,
    LegState,
    PyramidClosed,
    RiskClose,
    Severity,
    SlippageGuard,
)
from protocol.orders import OrderState
from rules.exits import book_in_order
from rules.group.failing import tell_over
from rules.group.opening import MAX_CAPPED_ORDERS
from rules.group.states import Cause
from rules.group.steps import end_step
from rules.group.turn import Turn
from rules.group.view import CloseView, GroupView, LegView
from rules.slippage import cap_price, slippage_limit

__all__ = [
    "GIVES_UP",
    "advance_closes",
    "cancel_entry",
    "close_group",
    "finish",
    "finish_sold",
    "may_act",
    "skip_close",
    "start_close",
]

GIVES_UP = frozenset(
    {
        CloseReason.AGGREGATE_TP,
        CloseReason.PYRAMID_TP,
        CloseReason.LEG_TP,
        CloseReason.RISK_CLOSE,
        CloseReason.RISK_PARTIAL,
    }
)
"""Closes that give up when slippage holds them back; all others end in a plain market order (EX-724)."""


def start_close(
    turn: Turn,
    scope: str,
    reason: CloseReason,
    *,
    signal_id: str = "",
    step: RiskClose | None = None,
    allocation: Mapping[str, Decimal] | None = None,
) -> None:
    """Take ownership of a scope; ``step`` is that of a risk plan, which hears how it ended."""
    turn.emit(
        CloseStarted(
            group_id=turn.view.group_id,
            number=turn.view.close_count + 1,
            scope=scope,
            reason=reason,
            signal_id=signal_id,
            plan_id=step.plan_id if step else "",
            reply_to=step.reply_to if step else "",
            allocation=dict(allocation or {}),
            at=turn.at,
        )
    )


def close_group(
    turn: Turn,
    reason: CloseReason,
    *,
    cause: Cause = Cause.TRIGGER,
    signal_id: str = "",
    step: RiskClose | None = None,
) -> None:
    """Begin to close everything; closes in progress keep only what they have already ordered (EX-707)."""
    turn.change_state(GroupState.CLOSING, cause, reason)
    start_close(turn, "group", reason, signal_id=signal_id, step=step)
    _advance_group(turn, retry=0)


def advance_closes(turn: Turn, *, retry: int = 0) -> None:
    """Take the next step of every close; ``retry`` is the number of one whose wait is over."""
    if turn.view.closing:
        _advance_group(turn, retry)
        return
    for close in turn.view.closes:
        if close.scope == "partial":
            _advance_partial(turn, close, retry)
        else:
            _advance_scope(turn, close, retry)


# --- a whole scope ----------------------------------------------------------------------------------------------------


def _advance_group(turn: Turn, retry: int) -> None:
    for other in turn.view.closes:
        if other.scope != "group" and not turn.view.orders_of(other):
            finish(turn, other)
    close = turn.view.group_close
    if close is None or not may_act(turn.view, close) or not _released(turn, "group"):
        return
    if _send_rest(turn, close, retry):
        return
    if not any(turn.view.orders_of(other) for other in turn.view.closes):
        _finish_group(turn, close)


def may_act(view: GroupView, close: CloseView) -> bool:
    """Whether a close may take its next step: in a frozen group only an operator's (EX-1204)."""
    return not view.frozen or close.by_operator


def _advance_scope(turn: Turn, close: CloseView, retry: int) -> None:
    if not may_act(turn.view, close):
        return
    if _taken_over(turn, close):
        if not turn.view.orders_of(close):
            finish(turn, close)
        return
    if not _released(turn, close.scope) or _send_rest(turn, close, retry):
        return
    claimed = turn.view.reserved()
    if any(leg.leg_id in claimed for leg in turn.view.legs_in(close.scope)):
        # What is still being sold, here or by a slice, is not dust.
        return
    _write_off(turn, close.scope)
    kind, _, name = close.scope.partition(":")
    group_id = turn.view.group_id
    if kind == "pyramid":
        turn.emit(PyramidClosed(group_id=group_id, pyramid=int(name), reason=close.reason, at=turn.at))
    elif turn.view.legs[name].filled > 0:
        state = LegState.CLOSED
        turn.emit(LegClosed(group_id=group_id, leg_id=name, reason=close.reason, leg_state=state, at=turn.at))
    finish(turn, close)


def _taken_over(turn: Turn, close: CloseView) -> bool:
    """Whether a leg's close has been overtaken by one of its pyramid: that one sells what is not on its way yet."""
    kind, _, name = close.scope.partition(":")
    if kind != "leg":
        return False
    wider = f"pyramid:{turn.view.legs[name].pyramid}"
    return any(other.scope == wider for other in turn.view.closes)


def _released(turn: Turn, scope: str) -> bool:
    """Cancel the unfilled layers, then the resting targets, in leg order; tell whether all of that is resolved.

    The market close waits for it: a resting target locks the balance and a late fill would leave a rest (EX-704).
    """
    legs = list(turn.view.legs_in(scope))
    for leg in legs:
        if leg.entry is EntryState.WORKING:
            cancel_entry(turn, leg)
    for leg in legs:
        target = turn.view.working_order(leg.target_order)
        if target is not None and not target.state.final:
            turn.want_cancel(target)
    names = [name for leg in legs for name in (leg.entry_order, leg.target_order)]
    return all(turn.view.working_order(name) is None for name in names)


def cancel_entry(turn: Turn, leg: LegView) -> None:
    """Ask for the end of a working entry; one without an order is over at once."""
    order = turn.view.working_order(leg.entry_order)
    if order is not None:
        if not order.state.final:
            turn.want_cancel(order)
        return
    turn.emit(
        EntryEnded(
            group_id=turn.view.group_id,
            leg_id=leg.leg_id,
            client_order_id="",
            state=OrderState.CANCELLED,
            filled_qty=Decimal(0),
            entry=EntryState.CANCELLED,
            leg_state=LegState.FILLED if leg.open_qty > 0 else LegState.CANCELLED,
            reason="never sent",
            at=turn.at,
        )
    )


def _send_rest(turn: Turn, close: CloseView, retry: int) -> bool:
    """Sell what is open in the scope and not already on its way; tell whether that is still to be waited for."""
    claimed = turn.view.reserved()
    free = {
        leg.leg_id: leg.open_qty - claimed.get(leg.leg_id, Decimal(0))
        for leg in turn.view.legs_in(close.scope)
        if leg.open_qty > 0
    }
    qty = turn.view.floor(sum(free.values(), Decimal(0)))
    if turn.blocks_close(qty):
        return False
    if close.awaits_rules or (close.waiting and close.number != retry):
        return True
    _send(turn, close, book_in_order(free, qty))
    return True


def _send(turn: Turn, close: CloseView, allocation: Mapping[str, Decimal]) -> None:
    view = turn.view
    expected = turn.executable(view.side.exit)
    cap = None
    if view.config.slippage_guard is SlippageGuard.CAPPED and expected is not None and close.caps < MAX_CAPPED_ORDERS:
        limit = slippage_limit(view.config.max_slippage_percent, view.max_slippage_percent)
        cap = cap_price(view.side.exit, expected, limit, view.instrument.rules.tick_size)
    turn.want_close(close.number, close.scope, close.reason, allocation, cap=cap)


def _write_off(turn: Turn, scope: str) -> None:
    """Record as dust what a scope holds beyond a step and cannot sell; less than a step is left to the group's end."""
    step = turn.view.instrument.rules.step_size
    _record_dust(turn, {leg.leg_id: leg.open_qty for leg in turn.view.legs_in(scope) if leg.open_qty >= step})


def _record_dust(turn: Turn, dust: dict[str, Decimal]) -> None:
    if dust:
        total = sum(dust.values(), Decimal(0))
        turn.emit(DustRecorded(group_id=turn.view.group_id, qty=total, legs=dust, at=turn.at))


def finish(turn: Turn, close: CloseView, *, failed: str = "", skipped: str = "NothingOpen") -> None:
    """Give up ownership of a scope; ``failed`` says why it was given up, ``skipped`` why nothing was sold if so."""
    end_step(turn, close, failed=failed, skipped=skipped)
    if not failed:
        tell_over(turn, close)
    turn.emit(
        CloseFinished(
            group_id=turn.view.group_id,
            number=close.number,
            scope=close.scope,
            reason=close.reason,
            given_up=bool(failed),
            at=turn.at,
        )
    )


def _finish_group(turn: Turn, close: CloseView) -> None:
    """Write off the dust, close the group, release its slot: all in one turn (EX-703, EX-905)."""
    _record_dust(turn, {leg.leg_id: leg.open_qty for leg in turn.view.legs.values() if leg.open_qty > 0})
    end_step(turn, close)
    tell_over(turn, close)
    view = turn.view
    turn.change_state(GroupState.CLOSED, Cause.CLOSE_COMPLETE, close.reason)
    turn.emit(
        GroupClosed(
            group_id=view.group_id,
            key=view.key,
            reason=close.reason,
            realized_quote=view.realized_quote,
            fees=view.fees,
            dust=view.dust,
            releases_slot=not view.released,
            at=turn.at,
        )
    )


# --- a slice ----------------------------------------------------------------------------------------------------------


def _advance_partial(turn: Turn, close: CloseView, retry: int) -> None:
    """Send a slice once the targets of its legs have made room for it (EX-711)."""
    if not close.allocation or turn.view.orders_of(close) or not may_act(turn.view, close):
        return
    if close.awaits_rules or (close.waiting and close.number != retry) or not _room(turn, close):
        return
    parts = _still_open(turn, close)
    qty = sum(parts.values(), Decimal(0))
    code = turn.blocks_close(qty)
    if code is None:
        _send(turn, close, parts)
        return
    skip_close(turn, close.reason, qty, code, close.signal_id or close.plan_id)
    finish(turn, close, skipped=code)


def finish_sold(turn: Turn) -> None:
    """End the slices of which nothing is left to sell, so that a group they have emptied is seen to be flat."""
    for close in turn.view.closes:
        if close.scope == "partial" and not close.allocation and not turn.view.orders_of(close):
            finish(turn, close)


def _room(turn: Turn, close: CloseView) -> bool:
    targets = (turn.view.working_order(turn.view.legs[leg_id].target_order) for leg_id in close.allocation)
    return not any(target is not None and (target.cancel_wanted or target.state.final) for target in targets)


def _still_open(turn: Turn, close: CloseView) -> dict[str, Decimal]:
    """Return the shares as far as the legs still hold them: a target may have filled while it was being shrunk."""
    claimed = turn.view.reserved(besides=close.number)
    held = {
        leg_id: min(share, turn.view.legs[leg_id].open_qty - claimed.get(leg_id, Decimal(0)))
        for leg_id, share in close.allocation.items()
    }
    held = {leg_id: share for leg_id, share in held.items() if share > 0}
    return book_in_order(held, turn.view.floor(sum(held.values(), Decimal(0))))


def skip_close(turn: Turn, trigger: CloseReason, qty: Decimal, code: str, signal_id: str) -> None:
    """Note that a slice is too small to be sold (EX-709)."""
    turn.emit(
        CloseSkipped(group_id=turn.view.group_id, trigger=trigger, qty=qty, code=code, signal_id=signal_id, at=turn.at)
    )
    turn.alert("CloseSkipped", Severity.WARNING, f"{trigger}: {qty} is too small to sell ({code})")
