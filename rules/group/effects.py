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
from protocol.orders import CancelOrder, OrderRequest, OrderState, Purpose, SubmitOrder
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
    return _submission(
        event.request, owner, event.group_id, event.leg_id, event.purpose, event.attempt, event.expected_price
    )


def _submission(
    request: OrderRequest,
    owner: str,
    group_id: str,
    leg_id: str,
    purpose: Purpose,
    attempt: int,
    expected_price: Decimal | None,
) -> SubmitOrder:
    return SubmitOrder(
        request=request,
        owner=owner,
        group_id=group_id,
        leg_id=leg_id,
        purpose=purpose,
        attempt=attempt,
        adds_risk=purpose is Purpose.ENTRY,
        expected_price=expected_price,
    )


def outstanding(view: GroupView, owner: str) -> tuple[Message, ...]:
    """Return what to tell again after a restart: orders and cancels without a known outcome, and an untold release.

    Receivers know client ids, so that telling twice does nothing.
    """
    told: list[Message] = []
    for order in view.orders.values():
        if order.settled or order.state.final:
            continue
        if order.state in _NO_OUTCOME:
            told.append(_resubmit(view, order, owner))
        if order.cancel_wanted:
            told.append(CancelOrder(order.request.client_order_id, owner))
    if view.rules_wanted:
        told.append(NeedRules(view.symbol, at_once=True))
    if view.released:
        told.append(SlotReleased(view.key, view.group_id))
    return tuple(told)


def _resubmit(view: GroupView, order: OrderView, owner: str) -> SubmitOrder:
    return _submission(
        order.request, owner, view.group_id, order.leg_id, order.purpose, order.attempt, order.expected_price
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
