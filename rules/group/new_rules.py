"""Take new rules of the group's market, and send once more what the venue refused for its format (EX-511, EX-516)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from protocol.groups import (
    EntryEnded,
    EntryState,
    GroupState,
    LegState,
    RebuiltLeg,
    RulesOverdue,
    RulesTaken,
    RulesWanted,
    Severity,
    TakeRules,
)
from protocol.instruments import Instrument, PrecisionRules
from protocol.orders import OrderState
from rules.group.opening import send_entry
from rules.group.turn import Turn
from rules.group.view import GroupView, LegView, OrderView
from rules.precision import check_order, round_price, round_qty

__all__ = ["PRECISION_REJECTED", "RULES_WAIT_S", "follows", "on_rules_overdue", "on_take_rules", "want_rules"]

PRECISION_REJECTED: Final = "PrecisionRejected"
"""Code of an order update: the venue refused price, quantity or notional for their format."""

RULES_WAIT_S: Final = 5
"""Longest wait for new rules, seconds; then the strictest known must do, so that no exit waits longer (EX-511)."""


def follows(view: GroupView, before: PrecisionRules | None, now: PrecisionRules) -> bool:
    """Whether a group takes over the rules that its account's cache has from now on.

    It does when it trades by those the cache had ``before``, and when its own would no longer be obeyed (rules of an
    operator, coarser than the venue's, stay).
    """
    ours = view.instrument.rules
    if ours == now or view.state is GroupState.CLOSED:
        return False
    fine = not (ours.tick_size % now.tick_size or ours.step_size % now.step_size)
    enough = ours.min_qty >= now.min_qty and ours.min_notional >= now.min_notional
    return ours == before or not (fine and enough)


def want_rules(turn: Turn, order: OrderView, text: str) -> None:
    """Say that the rules of the market are wrong, and ask for new ones."""
    name = order.request.client_order_id
    turn.emit(RulesWanted(turn.view.group_id, turn.view.symbol, name, turn.at))
    why = f"order {name} was refused for its format ({text or 'no reason given'}); fetching the rules, then once more"
    turn.alert(PRECISION_REJECTED, Severity.ERROR, why, leg_id=order.leg_id, pinned=True)


def on_take_rules(turn: Turn, message: TakeRules) -> None:
    """Trade by these rules from now on; those in force already change nothing unless something waits for them."""
    view = turn.view
    if view.state is GroupState.CLOSED or (not view.rules_wanted and message.instrument.rules == view.instrument.rules):
        return
    _take(turn, message.instrument, fetched=True)


def on_rules_overdue(turn: Turn, _: RulesOverdue) -> None:
    """Go on without an answer, with the strictest rules known."""
    view = turn.view
    if view.rules_wanted and view.state is not GroupState.CLOSED:
        rules = _stricter(view.instrument.rules, view.opened_with or view.instrument.rules)
        _take(turn, replace(view.instrument, rules=rules), fetched=False)


def _stricter(one: PrecisionRules, other: PrecisionRules) -> PrecisionRules:
    return PrecisionRules(
        tick_size=max(one.tick_size, other.tick_size),
        step_size=max(one.step_size, other.step_size),
        min_qty=max(one.min_qty, other.min_qty),
        min_notional=max(one.min_notional, other.min_notional),
    )


def _take(turn: Turn, instrument: Instrument, *, fetched: bool) -> None:
    """Journal the rules with every waiting layer as it is rebuilt, then send those layers once more."""
    waiting = [leg for leg in turn.view.legs.values() if leg.awaits_rules and _unsent(leg)]
    rebuilt = tuple(_rebuilt(turn, leg, instrument.rules) for leg in waiting)
    turn.emit(RulesTaken(group_id=turn.view.group_id, instrument=instrument, fetched=fetched, legs=rebuilt, at=turn.at))
    for leg in waiting:
        if not turn.view.owned(leg):
            _send_again(turn, turn.view.legs[leg.leg_id])


def _unsent(leg: LegView) -> bool:
    return leg.entry is EntryState.WORKING and not leg.entry_order


def _rebuilt(turn: Turn, leg: LegView, rules: PrecisionRules) -> RebuiltLeg:
    price = round_price(leg.price, rules.tick_size, turn.view.side.entry, turn.view.config.price_rounding)
    return RebuiltLeg(leg.leg_id, price, round_qty(leg.qty, rules.step_size))


def _send_again(turn: Turn, leg: LegView) -> None:
    """Send a rebuilt layer, unless the new rules leave nothing of it that could be ordered."""
    view = turn.view
    rules, enforce = view.instrument.rules, view.config.enforce_min_notional
    code = check_order(leg.price, leg.qty, rules, enforce_min_notional=enforce)
    if code is None:
        send_entry(turn, leg)
        return
    turn.emit(
        EntryEnded(
            group_id=view.group_id,
            leg_id=leg.leg_id,
            client_order_id="",
            state=OrderState.REJECTED,
            filled_qty=Decimal(0),
            entry=EntryState.REJECTED,
            leg_state=LegState.FILLED if leg.open_qty > 0 else LegState.REJECTED,
            reason=code,
            at=turn.at,
        )
    )
    text = f"rebuilt by the new rules it is {leg.qty} at {leg.price}: {code}"
    turn.alert("OrderRejected", Severity.ERROR, text, leg_id=leg.leg_id, pinned=True)
