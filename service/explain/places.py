"""Where each event stands in the causal chain: which node it begins or belongs to, and what caused that node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

from protocol.groups import (
    CloseFilled,
    CloseStarted,
    GroupClosed,
    GroupOpened,
    LegFilled,
    OrderWanted,
    PyramidAdded,
    TargetFilled,
)
from protocol.groups.naming import leg_name, scope_name
from protocol.messages import Event
from protocol.orders import FillRecorded, OrderRefused, OrderSent, Purpose
from protocol.pool import EntryPromoted, QueuedReplaced, QueueRemoved, SignalQueued, SlotFreed, SlotTaken
from protocol.signals import SignalReceived, SignalRouted
from service.explain.story import Story, order_of
from service.explain.words import number, order_words, words
from store.views.lines import line_of
from store.views.mentions import mentions

__all__ = ["PLACES", "Place", "Seen", "places_of"]


class Place(NamedTuple):
    """A node (its key, kind, id and title), what it shows when it is there already, its causes, most exact first."""

    key: str
    kind: str
    id: str
    title: str
    causes: tuple[str, ...] = ()
    step: str = ""


class Seen:
    """What came before, as far as causes depend on it."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.queued_by: dict[str, str] = {}
        self._fills: dict[str, str] = {}

    def note(self, event: Event) -> None:
        """Remember which signal began to wait, and the newest fill of each leg and group."""
        if isinstance(event, SignalQueued):
            self.queued_by[_queue_key(event)] = event.signal_id
        if isinstance(event, LegFilled | TargetFilled | CloseFilled):
            key = f"fill:{event.client_order_id}/{event.trade_id}"
            self._fills[event.group_id] = key
            if isinstance(event, LegFilled | TargetFilled):
                self._fills[f"{event.group_id}/{event.leg_id}"] = key

    def last_fill(self, group_id: str, leg_id: str = "") -> str:
        """Return the key of the newest fill of a leg, or of its group."""
        return self._fills.get(f"{group_id}/{leg_id}" if leg_id else group_id, "")


_PlaceOf: TypeAlias = Callable[[Any, Seen], Iterable[Place]]


def places_of(event: Event, seen: Seen) -> Iterable[Place]:
    """Return the nodes an event begins or belongs to."""
    return PLACES.get(type(event).__name__, _anything)(event, seen)


def _received(e: SignalReceived, _: Seen) -> Iterable[Place]:
    by_hand = e.source_address == "operator"
    kind = "operator" if by_hand else "webhook"
    title = "signal sent by an operator" if by_hand else f"webhook from {e.source_address}"
    yield Place(f"arrival:{e.signal_id}", kind, e.signal_id, title)
    yield Place(f"signal:{e.signal_id}", "signal", e.signal_id, _signal_title(e), (f"arrival:{e.signal_id}",))


def _signal_title(e: SignalReceived) -> str:
    signal = e.signal
    if signal is None:
        return f"signal: {words(e.outcome)}"
    price = f" at {number(signal.entry_price)}" if signal.entry_price is not None else ""
    what = f"{signal.kind.value} {signal.side.value} {signal.symbol} {signal.timeframe}{price}"
    return f"signal: {what}, {words(e.outcome)}"


def _routed(e: SignalRouted, _: Seen) -> Iterable[Place]:
    reasons = f" ({'; '.join(e.reasons)})" if e.reasons else ""
    yield Place(f"signal:{e.signal_id}", "signal", e.signal_id, "signal", step=f"routed: {words(e.outcome)}{reasons}")


def _slot_taken(e: SlotTaken, _: Seen) -> Iterable[Place]:
    title = f"slot {e.occupied} of {e.maximum} taken"
    yield Place(f"slot:{e.group_id}", "slot", e.group_id, title, (f"signal:{e.signal_id}",))


def _queued(e: SignalQueued, _: Seen) -> Iterable[Place]:
    title = f"waits as {e.queue_id}: {words(e.reason)}{_brackets(e.reasons)}"
    yield Place(_queue_key(e), "queue", e.queue_id, title, (f"signal:{e.signal_id}",))


def _replaced(e: QueuedReplaced, seen: Seen) -> Iterable[Place]:
    step = f"replaced by signal {e.signal_id}, replacement {e.replacements}"
    yield Place(_queue_key(e), "queue", e.queue_id, f"waits as {e.queue_id}", (f"signal:{e.signal_id}",), step)
    yield from _of_its_own(e, seen, f"waits as {e.queue_id} in place of signal {e.replaced_signal_id}")


def _promoted(e: EntryPromoted, seen: Seen) -> Iterable[Place]:
    step = f"enters ({words(e.how)}){_brackets(e.reasons)}"
    yield Place(_queue_key(e), "queue", e.queue_id, f"waited as {e.queue_id}", (f"signal:{e.signal_id}",), step)
    yield from _of_its_own(e, seen, step)


def _removed(e: QueueRemoved, seen: Seen) -> Iterable[Place]:
    step = f"removed: {words(e.reason)}{_brackets(e.reasons)}"
    yield Place(_queue_key(e), "queue", e.queue_id, f"waited as {e.queue_id}", (f"signal:{e.signal_id}",), step)
    yield from _of_its_own(e, seen, step)


def _of_its_own(e: QueuedReplaced | EntryPromoted | QueueRemoved, seen: Seen, step: str) -> Iterable[Place]:
    """Say it of the signal too, when its entry stands in the chain of the one whose place it took."""
    if seen.queued_by.get(_queue_key(e), e.signal_id) != e.signal_id:
        yield Place(f"signal:{e.signal_id}", "signal", e.signal_id, "signal", step=step)


def _queue_key(e: SignalQueued | QueuedReplaced | EntryPromoted | QueueRemoved) -> str:
    return f"queue:{e.group_key}:{e.queue_id}"


def _brackets(reasons: tuple[str, ...]) -> str:
    return f" ({'; '.join(reasons)})" if reasons else ""


def _slot_freed(e: SlotFreed, _: Seen) -> Iterable[Place]:
    title = f"slot freed, {e.occupied} of {e.maximum} taken"
    causes = (f"closed:{e.group_id}", f"group:{e.group_id}")
    yield Place(f"freed:{e.group_id}", "slot", e.group_id, title, causes)


def _opened(e: GroupOpened, _: Seen) -> Iterable[Place]:
    title = f"group {e.side.value} {e.symbol} {e.timeframe} on {e.account}, {e.strategy}"
    yield Place(f"group:{e.group_id}", "group", e.group_id, title, (f"slot:{e.group_id}", f"signal:{e.signal_id}"))


def _pyramid(e: PyramidAdded, _: Seen) -> Iterable[Place]:
    own_signal = (f"signal:{e.signal_id}",) if e.pyramid else ()
    size = f"{number(e.size)} {e.size_type.value}"
    title = f"pyramid {e.pyramid}: {len(e.legs)} legs from {number(e.entry_price)}, size {size}"
    ident = f"{e.group_id}:{e.pyramid}"
    yield Place(f"pyramid:{ident}", "pyramid", ident, title, (*own_signal, f"group:{e.group_id}"))


def _wanted(e: OrderWanted, seen: Seen) -> Iterable[Place]:
    ident = e.request.client_order_id
    yield Place(f"order:{ident}", "order", ident, _order_title(e), _causes_of_order(e, seen))


def _order_title(e: OrderWanted | OrderSent | OrderRefused) -> str:
    leg = f" {leg_name(e.leg_id)}" if e.leg_id else ""
    again = f", attempt {e.attempt}" if e.attempt > 1 else ""
    what = {"tp": "take profit", "entry": "entry", "close": "close"}[e.purpose.value]
    return f"{what}{leg}: {order_words(e.request)}{again}"


def _causes_of_order(e: OrderWanted | OrderSent | OrderRefused, seen: Seen) -> tuple[str, ...]:
    group = f"group:{e.group_id}"
    if e.purpose is Purpose.TP:
        return (seen.last_fill(e.group_id, e.leg_id), seen.last_fill(e.group_id), group)
    if e.purpose is Purpose.CLOSE:
        return (f"close:{e.group_id}:{getattr(e, 'close', 0)}", seen.last_fill(e.group_id), group)
    pyramid = seen.story.pyramid_of(e.group_id, e.leg_id)
    return (f"pyramid:{e.group_id}:{pyramid}", group)


def _sent(e: OrderSent, seen: Seen) -> Iterable[Place]:
    ident = e.request.client_order_id
    permit = f" under permit {e.permit}" if e.purpose is Purpose.ENTRY else ""
    yield Place(f"order:{ident}", "order", ident, _order_title(e), _causes_of_order(e, seen), f"sent{permit}")


def _refused(e: OrderRefused, seen: Seen) -> Iterable[Place]:
    ident = e.request.client_order_id
    step = f"not sent: {e.code} {e.reason}".strip()
    yield Place(f"order:{ident}", "order", ident, _order_title(e), _causes_of_order(e, seen), step)


def _fill(e: FillRecorded, _: Seen) -> Iterable[Place]:
    title = (
        f"fill: {e.side.value} {number(e.qty)} {e.symbol} at {number(e.price)}, fee {number(e.fee)} {e.fee_currency}"
    )
    ident = f"{e.client_order_id}/{e.trade_id}"
    yield Place(f"fill:{ident}", "fill", e.trade_id, title, (f"order:{e.client_order_id}",))


def _booked(e: LegFilled | TargetFilled | CloseFilled, _: Seen) -> Iterable[Place]:
    title = f"fill: {number(e.qty)} at {number(e.price)}, fee {number(e.fee)} {e.fee_currency}"
    realized = sum((lot.realized for lot in getattr(e, "lots", ())), start=e.qty * 0)
    step = f"booked: realised {number(realized)}" if getattr(e, "lots", ()) else "booked"
    ident = f"{e.client_order_id}/{e.trade_id}"
    yield Place(f"fill:{ident}", "fill", e.trade_id, title, (f"order:{e.client_order_id}",), step)


def _close_started(e: CloseStarted, seen: Seen) -> Iterable[Place]:
    causes = ((f"signal:{e.signal_id}",) if e.signal_id else ()) + (f"group:{e.group_id}",)
    ident = f"{e.group_id}:{e.number}"
    last = () if e.signal_id else tuple(filter(None, (seen.last_fill(e.group_id),)))
    yield Place(f"close:{ident}", "close", ident, f"closing {scope_name(e.scope)}: {words(e.reason)}", (*last, *causes))


def _close_step(e: Any, _: Seen) -> Iterable[Place]:
    ident = f"{e.group_id}:{e.number}"
    step = _line(e) or words(type(e).__name__)
    yield Place(f"close:{ident}", "close", ident, step, (f"group:{e.group_id}",), step)


def _closed(e: GroupClosed, seen: Seen) -> Iterable[Place]:
    title = f"group closed: {words(e.reason)}, realised {number(e.realized_quote)} before fees"
    causes = (seen.last_fill(e.group_id), f"group:{e.group_id}")
    yield Place(f"closed:{e.group_id}", "closed", e.group_id, title, causes)


def _line(e: Event) -> str:
    line = line_of(e)
    return line.text if line is not None else ""


def _anything(e: Event, _: Seen) -> Iterable[Place]:
    """Hang an event that no row knows on the node of the most exact id it names."""
    name = type(e).__name__
    step = _line(e) or _spelled(name, e)
    ids = dict(reversed(list(mentions(e))))
    for kind, ident in (("order", order_of(e)), ("group", ids.get("group", "")), ("signal", ids.get("signal", ""))):
        if ident:
            above = (f"group:{ids['group']}",) if kind == "order" and ids.get("group") else ()
            yield Place(f"{kind}:{ident}", kind, ident, step, above, step)
            return
    yield Place(f"event:{name}", "event", "", step, (), step)


def _spelled(name: str, e: Event) -> str:
    """Return an event's name in words, with what it says of itself."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    code = getattr(e, "code", "") or getattr(e, "reason", "")
    return f"{spaced}: {words(code)}" if code else spaced


PLACES: Final[dict[str, _PlaceOf]] = {
    "CloseFilled": _booked,
    "CloseFinished": _close_step,
    "CloseStarted": _close_started,
    "EntryPromoted": _promoted,
    "FillRecorded": _fill,
    "GroupClosed": _closed,
    "GroupOpened": _opened,
    "LegFilled": _booked,
    "OrderRefused": _refused,
    "OrderSent": _sent,
    "OrderWanted": _wanted,
    "PyramidAdded": _pyramid,
    "QueueRemoved": _removed,
    "QueuedReplaced": _replaced,
    "SignalQueued": _queued,
    "SignalReceived": _received,
    "SignalRouted": _routed,
    "SlotFreed": _slot_freed,
    "SlotTaken": _slot_taken,
    "TargetFilled": _booked,
}
"""Event type -> its nodes."""
