"""Fold the pool's events, and take in what groups say of themselves. No decision is made here."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from protocol.groups import GroupChanged, GroupState
from protocol.messages import Event
from protocol.pool import (
    EntryPromoted,
    GroupCloseAsked,
    PyramidAdmitted,
    QueuedReplaced,
    QueueRemoved,
    SignalQueued,
    SlotFreed,
    SlotTaken,
)
from rules.identity import opposite_key
from rules.pool.state import Commitment, LiveGroup, PoolState, QueuedEntry

__all__ = ["ANSWERS_KEPT", "COMMITMENTS_KEPT", "evolve", "fold", "learn", "settle_funds"]

COMMITMENTS_KEPT: Final = 64
"""Newest admissions whose funds are remembered until a balance shows them."""

ANSWERS_KEPT: Final = 1_000
"""Newest operator requests that are only answered again when they are repeated."""


def fold(state: PoolState, events: Iterable[Event]) -> PoolState:
    """Return the state after some events."""
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: PoolState, event: Event) -> PoolState:
    """Return the state after one event; an event of another kind changes nothing."""
    match event:
        case SlotTaken():
            return _taken(state, event)
        case PyramidAdmitted():
            return _pyramid(state, event)
        case GroupCloseAsked():
            return _with_group(state, event.group_key, event.group_id, closing=True, closing_by=event.signal_id)
        case SlotFreed():
            return _freed(state, event)
        case SignalQueued():
            return _queued(state, event)
        case QueuedReplaced():
            return _replaced(state, event)
        case EntryPromoted():
            return _answered(state, event.request_id, f"promoted:{event.how.value}")
        case QueueRemoved():
            queue = {queue_id: entry for queue_id, entry in state.queue.items() if queue_id != event.queue_id}
            return _answered(replace(state, queue=queue), event.request_id, f"removed:{event.reason}")
    return state


def _taken(state: PoolState, event: SlotTaken) -> PoolState:
    group = LiveGroup(
        key=event.group_key,
        group_id=event.group_id,
        opening=event.opening,
        dca_legs=event.dca_legs,
        changed_at=event.at,
    )
    committed = _committed(state, event.at, event.opening.instrument.quote, event.funds)
    live, queue = {**state.live, event.group_key: group}, _without(state, event.signal_id)
    return replace(state, live=live, queue=queue, committed=committed)


def _pyramid(state: PoolState, event: PyramidAdmitted) -> PoolState:
    group = state.live.get(event.group_key)
    if group is None or group.group_id != event.group_id:
        return state
    grown = replace(
        group,
        received=event.pyramid + 1,
        dca_legs=group.dca_legs + event.dca_legs,
        changed_at=event.at,
        adds={**group.adds, event.signal_id: event.add},
    )
    committed = _committed(state, event.at, event.add.instrument.quote, event.funds)
    live, queue = {**state.live, event.group_key: grown}, _without(state, event.signal_id)
    return replace(state, live=live, queue=queue, committed=committed)


def _committed(state: PoolState, at: int, currency: str, amount: Decimal) -> tuple[Commitment, ...]:
    if not amount:
        return state.committed
    return (*state.committed, Commitment(at, currency, amount))[-COMMITMENTS_KEPT:]


def _freed(state: PoolState, event: SlotFreed) -> PoolState:
    group = state.live.get(event.group_key)
    if group is None or group.group_id != event.group_id:
        return state
    live = {key: each for key, each in state.live.items() if key != event.group_key}
    heir = state.queued_of(opposite_key(event.group_key))
    queue = state.queue
    if heir is not None and heir.reverse:
        queue = {**queue, heir.queue_id: replace(heir, inherits=True)}
    return replace(state, live=live, queue=queue)


def _queued(state: PoolState, event: SignalQueued) -> PoolState:
    assert event.signal.entry_price is not None, "an entry has a price"
    entry = QueuedEntry(
        queue_id=event.queue_id,
        key=event.group_key,
        signal=event.signal,
        entry_price=event.signal.entry_price,
        reason=event.reason,
        reverse=event.reverse,
        expected_profit=event.expected_profit,
        queued_at=event.at,
        updated_at=event.at,
    )
    return replace(
        state,
        queue={**state.queue, event.queue_id: entry},
        next_queue=max(state.next_queue, _number(event.queue_id)) + 1,
    )


def _number(queue_id: str) -> int:
    return int(queue_id[1:])


def _replaced(state: PoolState, event: QueuedReplaced) -> PoolState:
    entry = state.queue.get(event.queue_id)
    if entry is None:
        return state
    assert event.signal.entry_price is not None, "an entry has a price"
    newer = replace(
        entry,
        signal=event.signal,
        entry_price=event.signal.entry_price,
        reverse=event.reverse,
        expected_profit=event.expected_profit,
        replacements=event.replacements,
        updated_at=event.at,
    )
    return replace(state, queue={**state.queue, event.queue_id: newer})


def _answered(state: PoolState, request_id: str, outcome: str) -> PoolState:
    if not request_id:
        return state
    return replace(state, answered=dict([*state.answered.items(), (request_id, outcome)][-ANSWERS_KEPT:]))


def _without(state: PoolState, signal_id: str) -> dict[str, QueuedEntry]:
    """Return the queue without the entry that has entered: it leaves with its admission, never before."""
    if all(entry.signal.signal_id != signal_id for entry in state.queue.values()):
        return state.queue
    return {queue_id: entry for queue_id, entry in state.queue.items() if entry.signal.signal_id != signal_id}


# --- what is learned, not journalled -----------------------------------------------------------------------------------


def learn(state: PoolState, fact: GroupChanged) -> PoolState:
    """Take in how a live group stands; the same state when it says nothing new.

    A group that was told a pyramid at the same instant may not have known of it: then the larger count holds. What a
    signal told to close counts as closing until it is closed.
    """
    group = state.live.get(fact.key)
    if group is None or group.group_id != fact.group_id:
        return state
    newer = fact.at > group.changed_at
    received = fact.received if newer else max(group.received, fact.received)
    dca_legs = fact.placed_dca_legs if newer else max(group.dca_legs, fact.placed_dca_legs)
    stands_closing = fact.state in (GroupState.CLOSING, GroupState.CLOSED)
    closing = stands_closing or bool(group.closing_by) or (group.closing and not newer)
    heard = fact.received >= group.received and bool(group.adds)
    if (received, dca_legs, closing) == (group.received, group.dca_legs, group.closing) and not heard:
        return state
    adds = {} if heard else group.adds
    return _with_group(state, fact.key, fact.group_id, received=received, dca_legs=dca_legs, closing=closing, adds=adds)


def settle_funds(state: PoolState, balance_at: int) -> PoolState:
    """Forget admissions that a balance of this instant shows."""
    if not state.committed or state.committed[0].at >= balance_at:
        return state
    return replace(state, committed=tuple(each for each in state.committed if each.at >= balance_at))


def _with_group(state: PoolState, key: str, group_id: str, **changes: object) -> PoolState:
    group = state.live.get(key)
    if group is None or group.group_id != group_id:
        return state
    return replace(state, live={**state.live, key: replace(group, **changes)})
