"""What follows from the end of an order: layers that fail or are sent again, lost targets, closes to be retried.

An order is at its end only when its state is final *and* every fill the venue reported has been told: a "filled" that
overtakes its fills decides nothing.
"""

from __future__ import annotations

from protocol.groups import (
    CloseEnded,
    CloseReason,
    EntryEnded,
    EntryState,
    GroupState,
    LegState,
    Severity,
    SlippageGuard,
    TargetEnded,
)
from protocol.orders import OrderState, Purpose
from protocol.values import OrderType
from rules.group.closing import GIVES_UP, finish
from rules.group.editing import still_moves
from rules.group.failing import is_gone, retry_delay_s, tell_failing, to_be_told, write_off
from rules.group.new_rules import PRECISION_REJECTED, want_rules
from rules.group.opening import MAX_CAPPED_ORDERS, anchor, send_entry
from rules.group.slip import judge_slippage
from rules.group.states import Cause
from rules.group.steps import end_step
from rules.group.targets import MAX_TARGET_LOSSES
from rules.group.turn import Turn
from rules.group.view import CloseView, LegView, OrderView

__all__ = ["CANCELLED_UNSENT", "MAX_ENTRY_ATTEMPTS", "end_if_final"]

MAX_ENTRY_ATTEMPTS = 3
"""Most times an entry that never reached the venue is sent (EX-426)."""

CANCELLED_UNSENT = "CancelledUnsent"
"""Code of an order that its cancel overtook before it left: as good as cancelled, and no rejection by the venue."""

_LOST_AGAIN_S = 2


def end_if_final(turn: Turn, order: OrderView, text: str = "", code: str = "") -> None:
    """Draw the consequences of an order's end, once, when nothing of it is awaited any more.

    ``code`` names the error of a rejection, if it has a name.
    """
    if order.ended or not order.state.final or order.filled < order.reported:
        return
    if order.filled >= order.request.qty and order.purpose is not Purpose.CLOSE:
        return
    if order.purpose is Purpose.ENTRY:
        _entry_ended(turn, order, text, code)
    elif order.purpose is Purpose.TP:
        _target_ended(turn, order, text, code)
    elif order.filled < order.request.qty:
        _close_ended(turn, order, text, code)


# --- entries ----------------------------------------------------------------------------------------------------------


def _misfit(order: OrderView, code: str, rebuilds: int) -> bool:
    """Whether an order was refused for its format, for the first time: it is rebuilt and sent once more (EX-516)."""
    refused = order.state is OrderState.REJECTED and not order.filled
    return refused and code == PRECISION_REJECTED and not rebuilds


def _entry_ended(turn: Turn, order: OrderView, text: str, code: str) -> None:
    leg = turn.view.legs[order.leg_id]
    assert leg.entry_order == order.request.client_order_id, "an older attempt ended after its successor was wanted"
    entry, wait_s = _after_entry(turn, leg, order)
    misfit = _misfit(order, code, leg.entry_rebuilds) and _may_go_on(turn, leg) and not order.cancel_wanted
    if misfit:
        entry, wait_s = EntryState.WORKING, 0
    withdrawn = order.cancel_wanted and code == CANCELLED_UNSENT
    if withdrawn:
        entry = EntryState.CANCELLED
    turn.emit(
        EntryEnded(
            group_id=turn.view.group_id,
            leg_id=leg.leg_id,
            client_order_id=order.request.client_order_id,
            state=order.state,
            filled_qty=order.reported,
            entry=entry,
            leg_state=_leg_state(leg, entry),
            reason=text,
            retry_after_s=wait_s,
            awaits_rules=misfit,
            at=turn.at,
        )
    )
    if misfit:
        want_rules(turn, order, text)
        return
    if entry is EntryState.WORKING:
        if not wait_s:
            send_entry(turn, turn.view.legs[leg.leg_id])
        return
    if not withdrawn:
        _tell_entry_end(turn, order, text)
    if order.filled:
        judge_slippage(turn, order)
    if not turn.view.closing:
        anchor(turn)


def _may_go_on(turn: Turn, leg: LegView) -> bool:
    return turn.view.state not in (GroupState.CLOSING, GroupState.CLOSED) and not turn.view.owned(leg)


def _after_entry(turn: Turn, leg: LegView, order: OrderView) -> tuple[EntryState, int]:
    """Return where the entry stands now, and after how many seconds it is sent again if it still works."""
    open_group = _may_go_on(turn, leg)
    if open_group and order.state is not OrderState.FILLED and still_moves(turn.view, leg):
        return EntryState.WORKING, 0
    again = open_group and not order.filled and not order.cancel_wanted
    attempt = order.attempt - leg.entry_base
    if again and _never_arrived(order) and attempt < MAX_ENTRY_ATTEMPTS:
        # At once the first time (it was lost with a connection), with a wait when it is lost again.
        return EntryState.WORKING, 0 if attempt == 1 else _LOST_AGAIN_S
    capped = order.request.type is OrderType.IOC and order.state is not OrderState.REJECTED
    if again and capped and order.attempt < MAX_CAPPED_ORDERS:
        return EntryState.WORKING, 1
    if order.state is OrderState.FILLED or (order.filled and order.request.type is not OrderType.LIMIT):
        return EntryState.DONE, 0
    if order.state is OrderState.REJECTED and not order.filled:
        return EntryState.REJECTED, 0
    return EntryState.CANCELLED, 0


def _never_arrived(order: OrderView) -> bool:
    """Whether the venue has said that it never had the order: proven absent, or refused after unknown (EX-426)."""
    return order.state is OrderState.REJECTED and (order.absent or order.was_unknown)


def _leg_state(leg: LegView, entry: EntryState) -> LegState:
    if leg.open_qty > 0:
        return LegState.FILLED
    if leg.filled > 0:
        return leg.state
    if entry is EntryState.WORKING:
        return LegState.PENDING
    return LegState.REJECTED if entry is EntryState.REJECTED else LegState.CANCELLED


def _tell_entry_end(turn: Turn, order: OrderView, text: str) -> None:
    if order.state is OrderState.REJECTED and not order.filled:
        turn.alert("OrderRejected", Severity.ERROR, text or "no reason given", leg_id=order.leg_id, pinned=True)
    elif order.cancel_wanted or order.state is OrderState.FILLED:
        return
    elif order.request.type is OrderType.IOC and turn.view.config.slippage_guard is SlippageGuard.CAPPED:
        if not order.filled:
            turn.alert("SlippageHeld", Severity.WARNING, "the market entry gave up", leg_id=order.leg_id)
    else:
        turn.alert("LayerCancelled", Severity.WARNING, text or "ended by the venue", leg_id=order.leg_id)


# --- targets ----------------------------------------------------------------------------------------------------------


def _target_ended(turn: Turn, order: OrderView, text: str, code: str) -> None:
    leg = turn.view.legs[order.leg_id]
    losses = leg.target_losses
    misfit = _misfit(order, code, leg.target_rebuilds)
    if not misfit and not order.cancel_wanted and order.state is not OrderState.FILLED:
        refused = order.state is OrderState.REJECTED and not _never_arrived(order)
        losses = MAX_TARGET_LOSSES if refused else losses + 1
    turn.emit(
        TargetEnded(
            group_id=turn.view.group_id,
            leg_id=leg.leg_id,
            client_order_id=order.request.client_order_id,
            state=order.state,
            filled_qty=order.reported,
            losses=losses,
            reason=text,
            awaits_rules=misfit,
            at=turn.at,
        )
    )
    if misfit:
        want_rules(turn, order, text)
    if losses > leg.target_losses:
        severity = Severity.ERROR if losses >= MAX_TARGET_LOSSES else Severity.WARNING
        turn.alert("TargetLost", severity, text or "ended by the venue", leg_id=leg.leg_id)


# --- closes -----------------------------------------------------------------------------------------------------------


def _close_ended(turn: Turn, order: OrderView, text: str, code: str) -> None:
    close = next((found for found in turn.view.closes if found.number == order.close), None)
    # Filled for less than was asked, as the venue rounded it: no failure, the rest goes out at once.
    rounded = order.state is OrderState.FILLED
    capped = order.request.type is OrderType.IOC and order.state is not OrderState.REJECTED and not rounded
    caps = (close.caps if close else 0) + capped
    failures = (close.failures if close else 0) + (not capped and not rounded)
    held = close is not None and capped and caps >= MAX_CAPPED_ORDERS and close.reason in GIVES_UP
    lost_once = _never_arrived(order) and failures == 1
    misfit = close is not None and _misfit(order, code, close.rebuilds)
    failed = not capped and not rounded and not lost_once and not misfit
    # A slice for a risk plan that the venue refuses is not tried again: the plan has stopped, the next one is new.
    dropped = failed and close is not None and close.reason is CloseReason.RISK_PARTIAL
    delay_s = 0 if rounded or lost_once else 1 if capped else retry_delay_s(failures, code)
    gone = failed and not dropped and close is not None and is_gone(turn.view, close, code)
    told = failed and not dropped and not gone and to_be_told(close, failures, text)
    turn.emit(
        CloseEnded(
            group_id=turn.view.group_id,
            client_order_id=order.request.client_order_id,
            number=order.close,
            state=order.state,
            filled_qty=order.reported,
            rest={leg_id: qty for leg_id, qty in order.allocation.items() if qty > 0} if _is_slice(close) else {},
            failures=failures,
            caps=caps,
            retry_after_s=0 if held or dropped or misfit or close is None else delay_s,
            reason=text,
            code=code,
            told=told,
            awaits_rules=misfit,
            at=turn.at,
        )
    )
    if order.filled:
        judge_slippage(turn, order)
    if close is None:
        return
    if misfit:
        want_rules(turn, order, text)
    elif held:
        _give_up(turn, close)
    elif dropped:
        turn.alert("OrderRejected", Severity.ERROR, text or "no reason given", pinned=True)
        finish(turn, close, failed="OrderRejected")
    elif failed:
        end_step(turn, close, failed="OrderRejected")
        if told:
            tell_failing(turn, failures, delay_s, text)
        if gone:
            write_off(turn, close)


def _is_slice(close: CloseView | None) -> bool:
    return close is not None and close.scope == "partial"


def _give_up(turn: Turn, close: CloseView) -> None:
    """Let go of a close that slippage held back; its targets are watched and placed again (EX-724)."""
    turn.alert("SlippageHeld", Severity.WARNING, f"{close.reason}: gave up after {MAX_CAPPED_ORDERS} capped orders")
    finish(turn, close, failed="SlippageHeld")
    if close.scope == "group":
        turn.change_state(GroupState.ACTIVE, Cause.CLOSE_GIVEN_UP)
