"""Sentences for position groups."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeAlias

from protocol.groups import (
    CancelWanted,
    CloseEnded,
    CloseFilled,
    CloseFinished,
    CloseSkipped,
    CloseStarted,
    DustRecorded,
    EntryEnded,
    GroupAlert,
    GroupClosed,
    GroupOpened,
    GroupStateChanged,
    LegClosed,
    LegFilled,
    OrderStateNoted,
    PyramidAdded,
    PyramidAnchored,
    PyramidClosed,
    PyramidRefused,
    RiskStepEnded,
    TargetDeferred,
    TargetEnded,
    TargetFilled,
    TargetsWatched,
    TriggerSuperseded,
)
from protocol.groups.adoption import PositionAdopted
from protocol.groups.editing import GroupEdited
from protocol.groups.naming import leg_name, scope_name
from protocol.groups.recovery import Absence, GroupRecovered
from protocol.orders import OrderState
from protocol.pool import SignalActedOn
from service.explain.story import Story
from service.explain.words import fees, number, words

__all__ = ["OF_GROUPS"]

_SentenceOf: TypeAlias = Callable[[Any, Story], str]


def _opened(e: GroupOpened, _: Story) -> str:
    rules = e.instrument.rules
    config = e.config
    return (
        f"Group {e.group_id} began: {e.side.value} {e.symbol} {e.timeframe} on account {e.account} ({e.scope.value}), "
        f"entry reference {number(e.base_entry_price)}, {len(config.levels)} layers, take profit {words(config.tp_mode)}. "
        f"Market rules: tick {number(rules.tick_size)}, step {number(rules.step_size)}, "
        f"least quantity {number(rules.min_qty)}, least value {number(rules.min_notional)} {e.instrument.quote}."
    )


def _pyramid(e: PyramidAdded, _: Story) -> str:
    blocked = [leg for leg in e.legs if leg.state.value == "blocked"]
    left_out = f" {len(blocked)} of them are blocked: {blocked[0].reason}." if blocked else ""
    waits = "" if e.anchored else " The market entry sets the price of the other layers."
    stop = f" Stop at {number(e.stop_price)}." if e.stop_price is not None else ""
    return (
        f"Pyramid {e.pyramid} was planned: {number(e.size)} {e.size_type.value} over {len(e.legs)} legs "
        f"from {number(e.entry_price)} (layers from {e.levels_source}).{left_out}{waits}{stop}"
    )


def _anchored(e: PyramidAnchored, _: Story) -> str:
    return (
        f"The market entry of pyramid {e.pyramid} filled at {number(e.entry_price)}; {len(e.legs)} legs follow from it."
    )


def _pyramid_refused(e: PyramidRefused, _: Story) -> str:
    return f"The group took no further pyramid: {e.text} ({e.code})."


def _cancel(e: CancelWanted, _: Story) -> str:
    return f"The group wanted {e.client_order_id} gone ({words(e.purpose)} of {leg_name(e.leg_id)}); it may still fill."


def _noted(e: OrderStateNoted, _: Story) -> str:
    if e.state is OrderState.UNKNOWN:
        return f"The group knows that the outcome of {e.client_order_id} is unknown and waits for the venue's proof."
    return ""


def _leg_filled(e: LegFilled, _: Story) -> str:
    kept = f" ({number(e.net_qty)} after the fee)" if e.net_qty != e.qty else ""
    return (
        f"{leg_name(e.leg_id)} holds {number(e.qty)} more, at {number(e.price)}{kept}; its entry is {words(e.entry)}."
    )


def _realized(lots: Any) -> str:
    return number(sum((lot.realized for lot in lots), Decimal(0)))


def _target_filled(e: TargetFilled, _: Story) -> str:
    closed = f"closed {number(e.qty)} at {number(e.price)}"
    return f"The take profit of {leg_name(e.leg_id)} {closed}: realised {_realized(e.lots)}."


def _close_filled(e: CloseFilled, _: Story) -> str:
    return f"The {words(e.reason)} closed {number(e.qty)} at {number(e.price)}: realised {_realized(e.lots)}."


def _entry_ended(e: EntryEnded, _: Story) -> str:
    reason = f": {e.reason}" if e.reason else ""
    again = f" It is sent again in {e.retry_after_s} s." if e.retry_after_s else ""
    return (
        f"The entry of {leg_name(e.leg_id)} is over ({words(e.state)}{reason}), {number(e.filled_qty)} filled.{again}"
    )


def _target_ended(e: TargetEnded, _: Story) -> str:
    reason = f" ({e.reason})" if e.reason else ""
    return f"The take profit of {leg_name(e.leg_id)} is gone: {words(e.state)}{reason}, {number(e.filled_qty)} filled."


def _deferred(e: TargetDeferred, _: Story) -> str:
    return (
        f"The take profit of {leg_name(e.leg_id)} cannot rest at the venue ({e.code}); "
        f"the group watches {number(e.price)} itself."
    )


def _watched(e: TargetsWatched, _: Story) -> str:
    if not e.watches:
        return ""
    prices = ", ".join(f"{number(each.price)} ({words(each.reason)})" for each in e.watches[:3])
    return f"The group watches these prices itself: {prices}."


def _close_started(e: CloseStarted, _: Story) -> str:
    by = f" by signal {e.signal_id}" if e.signal_id else ""
    took = f"{words(e.reason)}{by} took over {scope_name(e.scope)}"
    return f"The first trigger wins: {took}. What is unfilled is cancelled first."


def _close_ended(e: CloseEnded, _: Story) -> str:
    again = f" It is tried again in {e.retry_after_s} s." if e.retry_after_s else ""
    reason = f" ({e.reason})" if e.reason else ""
    return f"Close order {e.client_order_id} is over: {words(e.state)}{reason}, {number(e.filled_qty)} filled.{again}"


def _close_finished(e: CloseFinished, _: Story) -> str:
    if e.given_up:
        return f"The close of {scope_name(e.scope)} was given up: the price would have slipped too far."
    return f"The close of {scope_name(e.scope)} is done ({words(e.reason)})."


def _close_skipped(e: CloseSkipped, _: Story) -> str:
    return f"A partial close of {number(e.qty)} was not made: too small for the market ({e.code})."


_STEPS: Final = {
    "closed": "sold {qty} and booked {booked}",
    "superseded": "came too late: another trigger owned the group",
    "skipped": "closed nothing",
    "failed": "failed after {qty}, which booked {booked}",
}


def _step_ended(e: RiskStepEnded, _: Story) -> str:
    said = _STEPS.get(e.status, e.status).format(qty=number(e.qty), booked=number(e.booked_quote))
    slipped = " Slippage was above the limit, so the plan stops." if e.slippage_exceeded else ""
    return f"The step of risk plan {e.plan_id} {said}{f' ({e.code})' if e.code else ''}.{slipped}"


def _superseded(e: TriggerSuperseded, _: Story) -> str:
    late = f"{words(e.trigger).capitalize()} came too late"
    return f"{late}: {scope_name(e.scope)} already had an owner, so it changed nothing."


def _dust(e: DustRecorded, _: Story) -> str:
    return f"{number(e.qty)} is less than the market lets anyone sell; it was written off as dust."


def _leg_closed(e: LegClosed, _: Story) -> str:
    return f"{leg_name(e.leg_id)} is closed ({words(e.reason)})."


def _pyramid_closed(e: PyramidClosed, _: Story) -> str:
    return f"Pyramid {e.pyramid} is closed ({words(e.reason)})."


def _alert(e: GroupAlert, _: Story) -> str:
    return f"{e.severity.value.capitalize()}: {e.text} ({e.code})."


def _state(e: GroupStateChanged, _: Story) -> str:
    if e.old is None:
        return ""
    return f"The group went from {words(e.old)} to {words(e.new)} ({words(e.cause)})."


def _closed(e: GroupClosed, _: Story) -> str:
    dust = f", dust {number(e.dust)}" if e.dust else ""
    paid = fees(e.fees) if e.fees else "none"
    return (
        f"The group is closed ({words(e.reason)}): realised {number(e.realized_quote)} before fees; fees {paid}{dust}."
    )


def _adopted(e: PositionAdopted, _: Story) -> str:
    by = f" {e.operator}" if e.operator else " an operator"
    why = f" ({e.reason})" if e.reason else ""
    return f"The group adopted{by}'s position: {number(e.qty)} at {number(e.avg_price)}{why}; no order opened it."


def _recovered(e: GroupRecovered, _: Story) -> str:
    what = "The daemon ended without order" if e.absence is Absence.DAEMON else "The group's actor was down"
    then = "closes itself once the books are compared" if e.flattens else "goes on"
    return f"{what}; after {e.down_s} s the group came back and {then}, as its recovery contract says."


def _edited(e: GroupEdited, _: Story) -> str:
    by = f" by {e.operator}" if e.operator else ""
    return f"The group was edited{by} and is version {e.version}: {'; '.join(e.summary)}."


def _acted(e: SignalActedOn, _: Story) -> str:
    reasons = f" ({'; '.join(e.reasons)})" if e.reasons else ""
    return f"The group dealt with signal {e.signal_id}: {words(e.outcome)}{reasons}."


OF_GROUPS: Final[dict[str, _SentenceOf]] = {
    "CancelWanted": _cancel,
    "CloseEnded": _close_ended,
    "CloseFilled": _close_filled,
    "CloseFinished": _close_finished,
    "CloseSkipped": _close_skipped,
    "CloseStarted": _close_started,
    "DustRecorded": _dust,
    "EntryEnded": _entry_ended,
    "GroupAlert": _alert,
    "GroupClosed": _closed,
    "GroupOpened": _opened,
    "GroupEdited": _edited,
    "GroupRecovered": _recovered,
    "PositionAdopted": _adopted,
    "GroupStateChanged": _state,
    "LegClosed": _leg_closed,
    "LegFilled": _leg_filled,
    "OrderStateNoted": _noted,
    "PyramidAdded": _pyramid,
    "PyramidAnchored": _anchored,
    "PyramidClosed": _pyramid_closed,
    "PyramidRefused": _pyramid_refused,
    "RiskStepEnded": _step_ended,
    "SignalActedOn": _acted,
    "TargetDeferred": _deferred,
    "TargetEnded": _target_ended,
    "TargetFilled": _target_filled,
    "TargetsWatched": _watched,
    "TriggerSuperseded": _superseded,
}
"""Event type -> its sentence."""
