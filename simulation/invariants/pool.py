"""The pool: its limit holds, a slot is a live group, and what waits leaves the queue once."""

from __future__ import annotations

from collections.abc import Iterator

from protocol.groups import GroupClosed, GroupOpened, GroupState, GroupStateChanged
from protocol.pool import (
    EntryPromoted,
    Promotion,
    QueueRemoved,
    SignalQueued,
    SlotFreed,
    SlotTaken,
)
from rules.identity import netted_with, opposite_key
from runtime.journal import Entry
from simulation.invariant import Invariant, Scene
from simulation.invariants.journal import parked_groups

__all__ = ["PoolLimit", "QueueLeavesOnce", "SlotsAreGroups"]


class PoolLimit(Invariant):
    """No group is let in beyond the limit, but by an operator's force or with the slot of the group it reverses (EX-901)."""

    NAME = "pool-limit-holds"
    WANTS = (SlotTaken, SlotFreed, EntryPromoted)

    def __init__(self) -> None:
        self._live: dict[str, set[str]] = {}
        self._beyond: set[str] = set()
        self._limits: set[int] = set()
        self._counts_dca = self._counts_more = False

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Count with the pool."""
        event, live = entry.event, self._live.setdefault(entry.stream, set())
        pool = scene.config.execution_pool
        # A pool hears of new settings within the turn after they came into force: the ones before may still hold.
        self._limits.add(pool.max_open_groups)
        self._counts_dca |= pool.count_dca_toward_pool
        self._counts_more |= pool.count_pyramids_toward_pool or pool.count_dca_toward_pool
        if isinstance(event, EntryPromoted):
            if event.how in (Promotion.FORCED, Promotion.INHERITED):
                self._beyond.add(event.signal_id)
            return
        if isinstance(event, SlotFreed):
            live.discard(event.group_id)
            return
        assert isinstance(event, SlotTaken)
        live.add(event.group_id)
        # One free slot lets a group in, whatever its layers then count for (EX-903).
        before = event.occupied - 1 - (event.dca_legs if self._counts_dca else 0)
        if before >= event.maximum and event.signal_id not in self._beyond and event.opening.adopted is None:
            yield f"{event.group_id} is let in when {before} of {event.maximum} slots are taken"
        if event.occupied < len(live) or (event.occupied > len(live) and not self._counts_more):
            yield f"{event.group_id} is counted as {event.occupied} of {event.maximum} slots, {len(live)} groups are live"
        if event.maximum not in self._limits:
            yield f"{event.group_id} is judged by a limit of {event.maximum}, never was it but {sorted(self._limits)}"


class SlotsAreGroups(Invariant):
    """One slot an identity, never both sides of it or of a perpetual; at rest slots are living groups (EX-905, EX-913)."""

    NAME = "slots-are-live-groups"
    WANTS = (SlotTaken, SlotFreed, GroupOpened, GroupClosed, GroupStateChanged)

    def __init__(self) -> None:
        self._slots: dict[tuple[str, str], str] = {}
        self._open: set[str] = set()

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - the journal alone says it
        """Follow slots and groups."""
        match entry.event:
            case SlotTaken() as event:
                for key in (
                    event.group_key,
                    opposite_key(event.group_key),
                    *self._netted(entry.stream, event.group_key),
                ):
                    if (holder := self._slots.get((entry.stream, key))) is not None:
                        yield f"{event.group_id} gets the slot of {event.group_key} while {holder} has that of {key}"
                self._slots[entry.stream, event.group_key] = event.group_id
            case SlotFreed() as event:
                if self._slots.pop((entry.stream, event.group_key), "") != event.group_id:
                    yield f"{event.group_id} gives a slot back that it does not have"
            case GroupOpened() as event:
                if event.group_id in self._open:
                    yield f"{event.group_id} opens twice"
                self._open.add(event.group_id)
            case GroupClosed() as event:
                self._open.discard(event.group_id)
            case GroupStateChanged() as event if event.old is GroupState.CLOSED:
                # A late fill that is sold again; its slot was given back.
                self._open.add(event.group_id)

    def _netted(self, stream: str, key: str) -> list[str]:
        """Return the slots of other timeframes that hold the other side of the same perpetual: a venue nets them."""
        begins, ends = netted_with(key) or ("", "")
        held = (each for pool, each in self._slots if begins and pool == stream and each != opposite_key(key))
        return [each for each in held if each.startswith(begins) and each.endswith(ends)]

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Compare slots and groups."""
        holders = set(self._slots.values())
        leaked = holders - self._open
        for group_id in sorted(leaked - parked_groups(scene) if leaked else ()):
            yield f"{group_id} has a slot and does not live"
        for group_id in sorted(self._open - holders):
            yield f"{group_id} lives and has no slot"


class QueueLeavesOnce(Invariant):
    """What waits was queued once, leaves once, and is counted as it is (EX-910, EX-917)."""

    NAME = "queue-leaves-once"
    WANTS = (SignalQueued, EntryPromoted, QueueRemoved)

    def __init__(self) -> None:
        self._waiting: dict[str, set[str]] = {}

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - the journal alone says it
        """Follow the queue."""
        event, waiting = entry.event, self._waiting.setdefault(entry.stream, set())
        assert isinstance(event, SignalQueued | EntryPromoted | QueueRemoved)
        if isinstance(event, SignalQueued):
            if event.queue_id in waiting:
                yield f"{event.queue_id} is queued twice"
            waiting.add(event.queue_id)
        elif event.queue_id in waiting:
            waiting.remove(event.queue_id)
        else:
            yield f"{event.queue_id} leaves a queue that it is not in"
        if event.waiting != len(waiting):
            yield f"after {event.queue_id} {event.waiting} are said to wait, and {len(waiting)} do"
