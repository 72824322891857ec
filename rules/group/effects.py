"""What a group's decisions make it tell others, at once and again after a restart."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from protocol.groups import (
    CancelWanted,
    EntryState,
    GroupClosed,
    OrderWanted,
    RetryClose,
    RetryEntry,
    RulesOverdue,
    RulesWanted,
    SlotReleased,
)
from protocol.messages import Event, Message
from protocol.orders import CancelOrder, OrderState, Purpose, SubmitOrder
from protocol.precision import NeedRules
from rules.group.closing import may_act
from rules.group.new_rules import RULES_WAIT_S
from rules.group.view import GroupView, OrderView

__all__ = ["effects", "outstanding", "retries", "watch_bounds"]

_NO_OUTCOME = (OrderState.INTENDED, OrderState.SENT, OrderState.UNKNOWN)


def effects(events: Iterable[Event], owner: str) -> tuple[Message, ...]:
    """Return the messages that follow from events once they are journalled; ``owner`` is the group actor's path."""
    told: list[Message] = []
    for event in events:
        if isinstance(event, OrderWanted):
            told.append(_submit(event, owner))
        elif isinstance(event, CancelWanted):
            told.append(CancelOrder(event.client_order_id, owner))
        elif isinstance(event, RulesWanted):
            told.append(NeedRules(event.symbol, at_once=True))
        elif isinstance(event, GroupClosed) and event.releases_slot:
            told.append(SlotReleased(event.key, event.group_id))
    return tuple(told)


def _submit(event: OrderWanted, owner: str) -> SubmitOrder:
    return SubmitOrder(
        request=event.request,
        owner=owner,
        group_id=event.group_id,
        leg_id=event.leg_id,
        purpose=event.purpose,
        attempt=event.attempt,
        adds_risk=event.purpose is Purpose.ENTRY,
        expected_price=event.expected_price,
        wanted_at=event.at,
    )


def outstanding(view: GroupView, owner: str) -> tuple[Message, ...]:
    """Return what to tell again after a restart: orders and cancels without a known outcome, and an untold release.

    Receivers know client ids, so that telling twice does nothing. A cancel goes before its order: should the desk never have
    heard of that, it does not send it any more.
    """
    told: list[Message] = []
    for order in view.orders.values():
        if order.settled or order.state.final:
            continue
        if order.cancel_wanted:
            told.append(CancelOrder(order.request.client_order_id, owner))
        if order.state in _NO_OUTCOME:
            told.append(_resubmit(view, order, owner))
    if view.rules_wanted:
        told.append(NeedRules(view.symbol, at_once=True))
    if view.released:
        told.append(SlotReleased(view.key, view.group_id))
    return tuple(told)


def _resubmit(view: GroupView, order: OrderView, owner: str) -> SubmitOrder:
    return SubmitOrder(
        request=order.request,
        owner=owner,
        group_id=view.group_id,
        leg_id=order.leg_id,
        purpose=order.purpose,
        attempt=order.attempt,
        adds_risk=order.purpose is Purpose.ENTRY,
        expected_price=order.expected_price,
        wanted_at=order.wanted_at,
    )


def retries(view: GroupView, at: int) -> tuple[tuple[int, RetryClose | RetryEntry | RulesOverdue], ...]:
    """Return the timers a group needs: seconds to wait, and the message to itself that then is due.

    Asked after each turn and after a restart; setting a timer anew for the same message replaces the old one.
    """
    closes = [
        (c.retry_after_s, RetryClose(view.group_id, c.number, at))
        for c in view.closes
        if c.waiting and may_act(view, c)
    ]
    entries = [
        (leg.entry_retry_s, RetryEntry(view.group_id, leg.leg_id, at))
        for leg in view.legs.values()
        if leg.entry is EntryState.WORKING and not leg.entry_order and not leg.awaits_rules and not view.frozen
    ]
    rules = [(RULES_WAIT_S, RulesOverdue(view.group_id, at))] if view.rules_wanted else []
    return (*closes, *entries, *rules)


def watch_bounds(view: GroupView) -> tuple[Decimal | None, Decimal | None]:
    """Return (low, high): a watched price strictly between them changes nothing; None means no bound on that side."""
    return view.watch_low, view.watch_high
