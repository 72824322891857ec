"""Say what an edit of a running group would lead to, by making it on a copy: what is shown is what is done.

The venue is taken to confirm every cancel before anything fills; what then follows is marked ``after_cancel``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Any, Final

import msgspec

from protocol.groups import (
    CancelWanted,
    CloseStarted,
    EntryEnded,
    GroupStateChanged,
    OrderWanted,
    TargetDeferred,
    TargetsWatched,
    Watch,
)
from protocol.groups.editing import EditEffect, EditGroup, EditProblem, EditStep, GroupEditAnswer
from protocol.groups.naming import leg_name, scope_name
from protocol.market import PriceTick
from protocol.messages import Event
from protocol.orders import OrderState, OrderUpdate, Purpose
from protocol.values import OrderSide
from rules.group.decide import decide
from rules.group.edit_checks import edit_problems
from rules.group.editing import resolve
from rules.group.evolve import evolve
from rules.group.view import GroupView

__all__ = ["edit_answer", "effects_of", "preview_edit"]


def edit_answer(view: GroupView | None, message: EditGroup, at: int, tick: PriceTick | None) -> GroupEditAnswer:
    """Return the preview of an edit, or what one that was made before came to."""
    if view is None:
        problem = EditProblem("NoSuchGroup", "group_id", "the group has not begun yet", message.group_id)
        return GroupEditAnswer(group_id=message.group_id, version=0, applied=False, problems=(problem,))
    made = view.edits.get(message.request_id) if message.request_id else None
    if made is not None:
        return GroupEditAnswer(group_id=view.group_id, version=made, applied=True, state_after=view.state)
    return preview_edit(view, message, at, tick)


def preview_edit(view: GroupView, message: EditGroup, at: int, tick: PriceTick | None) -> GroupEditAnswer:
    """Return what an edit leads to, or what stands against it; nothing is changed."""
    problems = edit_problems(view, message, tick)
    if problems:
        return _refused(view, problems)
    asked = msgspec.structs.replace(message, preview=False, digest="")
    events = decide(view, asked, at, tick)
    after = _fold(view, events)
    effects = [*effects_of(view, events)]
    later, last = _confirmed(after, at, tick)
    effects += [msgspec.structs.replace(effect, after_cancel=True) for effect in later]
    digest = _digest(effects)
    if message.digest and message.digest != digest:
        text = "the group has moved on since the preview: other orders would follow; look at it again, then decide"
        return _refused(view, (EditProblem("EditConflict", "digest", text, message.digest),))
    return GroupEditAnswer(
        group_id=view.group_id,
        version=view.version,
        applied=False,
        digest=digest,
        summary=resolve(view, asked, at).summary,
        effects=tuple(effects),
        notes=tuple(_notes(effects, tick)),
        watched_before=view.watches,
        watched_after=last.watches,
        state_before=view.state,
        state_after=last.state,
    )


def _refused(view: GroupView, problems: tuple[EditProblem, ...]) -> GroupEditAnswer:
    return GroupEditAnswer(
        group_id=view.group_id,
        version=view.version,
        applied=False,
        problems=problems,
        watched_before=view.watches,
        watched_after=view.watches,
        state_before=view.state,
        state_after=view.state,
    )


def _fold(view: GroupView, events: Iterable[Event]) -> GroupView:
    for event in events:
        view = evolve(view, event)
    return view


def _confirmed(view: GroupView, at: int, tick: PriceTick | None) -> tuple[list[EditEffect], GroupView]:
    """Play a venue that confirms every cancel, one after the other; return what follows and the state at the end."""
    effects: list[EditEffect] = []
    while waiting := [name for name, order in view.orders.items() if _awaits_cancel(order)]:
        order = view.orders[waiting[0]]
        gone = OrderUpdate(
            client_order_id=waiting[0], state=OrderState.CANCELLED, filled_qty=order.filled, reason="", at=at
        )
        events = decide(view, gone, at, tick)
        effects += effects_of(view, events)
        view = _fold(view, events)
    return effects, view


def _awaits_cancel(order: Any) -> bool:
    return order.cancel_wanted and not order.settled and not order.state.final


def _digest(effects: Iterable[EditEffect]) -> str:
    return sha256(msgspec.msgpack.encode(tuple(effects))).hexdigest()[:16]


def _notes(effects: Iterable[EditEffect], tick: PriceTick | None) -> Iterator[str]:
    """Yield what the newest price makes of the orders to come."""
    if tick is None:
        return
    for effect in effects:
        if effect.step is not EditStep.PLACE or effect.price is None:
            continue
        buys = effect.side == OrderSide.BUY
        crosses = effect.price >= tick.ask if buys else effect.price <= tick.bid
        if crosses:
            what = f"{effect.purpose} of {leg_name(effect.leg_id)} at {effect.price.normalize():f}"
            yield f"{what} fills at once: the price is {(tick.ask if buys else tick.bid).normalize():f}"


# --- events as effects ------------------------------------------------------------------------------------------------


def effects_of(view: GroupView, events: Iterable[Event]) -> Iterator[EditEffect]:
    """Yield in order what events mean for orders, watched prices and the group's state."""
    for event in events:
        say = _SAID.get(type(event))
        if say is not None:
            yield from say(view, event)
        view = evolve(view, event)


def _cancelled(view: GroupView, event: CancelWanted) -> Iterator[EditEffect]:
    order = view.orders[event.client_order_id]
    yield EditEffect(
        step=EditStep.CANCEL,
        purpose=order.purpose,
        leg_id=order.leg_id,
        side=order.request.side,
        order_type=order.request.type,
        qty=order.rest,
        price=order.request.price,
    )


def _placed(_: GroupView, event: OrderWanted) -> Iterator[EditEffect]:
    yield EditEffect(
        step=EditStep.PLACE,
        purpose=event.purpose,
        leg_id=event.leg_id,
        side=event.request.side,
        order_type=event.request.type,
        qty=event.request.qty,
        price=event.request.price,
    )


def _deferred(_: GroupView, event: TargetDeferred) -> Iterator[EditEffect]:
    yield EditEffect(
        step=EditStep.DEFER,
        purpose=Purpose.TP,
        leg_id=event.leg_id,
        qty=event.qty,
        price=event.price,
        code=event.code,
    )


def _watched(view: GroupView, event: TargetsWatched) -> Iterator[EditEffect]:
    for step, some, others in (
        (EditStep.UNWATCH, view.watches, event.watches),
        (EditStep.WATCH, event.watches, view.watches),
    ):
        known = {(each.scope, each.reason, each.price, each.above, each.qty) for each in others}
        for watch in some:
            if (watch.scope, watch.reason, watch.price, watch.above, watch.qty) not in known:
                yield _of_watch(step, watch)


def _of_watch(step: EditStep, watch: Watch) -> EditEffect:
    leg_id = watch.scope.removeprefix("leg:") if watch.scope.startswith("leg:") else ""
    sign = "at or above" if watch.above else "at or below"
    return EditEffect(
        step=step,
        leg_id=leg_id,
        qty=watch.qty,
        price=watch.price,
        code=watch.reason,
        text=f"{scope_name(watch.scope)}, {sign}",
    )


def _ended(_: GroupView, event: EntryEnded) -> Iterator[EditEffect]:
    if not event.client_order_id:
        yield EditEffect(step=EditStep.END_LAYER, purpose=Purpose.ENTRY, leg_id=event.leg_id, text=event.reason)


def _close(_: GroupView, event: CloseStarted) -> Iterator[EditEffect]:
    yield EditEffect(step=EditStep.CLOSE, code=event.reason, text=event.scope)


def _state(_: GroupView, event: GroupStateChanged) -> Iterator[EditEffect]:
    if event.old is not None:
        yield EditEffect(step=EditStep.STATE, code=event.reason or "", text=event.new)


_SAID: Final[dict[type[Event], Callable[[GroupView, Any], Iterator[EditEffect]]]] = {
    CancelWanted: _cancelled,
    CloseStarted: _close,
    EntryEnded: _ended,
    GroupStateChanged: _state,
    OrderWanted: _placed,
    TargetDeferred: _deferred,
    TargetsWatched: _watched,
}
