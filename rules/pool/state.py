"""What a pool knows: which groups are live, which entries wait (EX-901, EX-903, EX-910)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec import field

from protocol.groups import AddPyramid, OpenGroup
from protocol.messages import Value
from protocol.pool import HoldReason
from protocol.signals import Signal
from protocol.values import Instant
from rules.identity import netted_with, opposite_key
from rules.pool.settings import PoolSettings

__all__ = ["Commitment", "LiveGroup", "PoolState", "QueuedEntry", "free_slots", "occupancy"]


class LiveGroup(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A group that holds a slot. ``received`` counts its pyramids; ``closing_by`` is the signal that closes it.

    ``adds`` are pyramids it may not have heard of yet, by signal; ``changed_at`` is when we last told it one.
    """

    key: str
    group_id: str
    opening: OpenGroup
    received: int = 1
    dca_legs: int = 0
    closing: bool = False
    closing_by: str = ""
    changed_at: Instant = 0
    adds: dict[str, AddPyramid] = field(default_factory=dict)


class QueuedEntry(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """An entry that waits. ``reason`` is why it was queued; what holds it now is asked of the present state.

    ``expected_profit`` is in USD, None while unknown. ``inherits``: the group it reverses has closed since.
    """

    queue_id: str
    key: str
    signal: Signal
    entry_price: Decimal
    reason: HoldReason
    reverse: bool = False
    inherits: bool = False
    expected_profit: Decimal | None = None
    replacements: int = 0
    queued_at: Instant
    updated_at: Instant


class Commitment(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Quote currency that an admission binds and a balance of before it does not show."""

    at: Instant
    currency: str
    amount: Decimal


class PoolState(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """All of it. ``live`` is by identity, ``queue`` by queue id in the order of queueing, ``answered`` by request id."""

    live: dict[str, LiveGroup] = field(default_factory=dict)
    queue: dict[str, QueuedEntry] = field(default_factory=dict)
    next_queue: int = 1
    committed: tuple[Commitment, ...] = ()
    answered: dict[str, str] = field(default_factory=dict)

    def queued_of(self, key: str) -> QueuedEntry | None:
        """Return the entry that waits under an identity."""
        return next((entry for entry in self.queue.values() if entry.key == key), None)

    def opposite_of(self, key: str) -> LiveGroup | None:
        """Return the live group of the other side of this identity: what a reversal turns (EX-919)."""
        return self.live.get(opposite_key(key))

    def barred_by(self, key: str) -> LiveGroup | None:
        """Return the live group of the other side that keeps this identity out (EX-913).

        A venue nets the two sides of a perpetual, so that the other side of it bars in any timeframe; spot is not netted.
        """
        opposite = self.opposite_of(key)
        netted = netted_with(key) if opposite is None else None
        if netted is None:
            return opposite
        begins, ends = netted
        return next((self.live[each] for each in self.live if each.startswith(begins) and each.endswith(ends)), None)

    def continues(self, key: str) -> bool:
        """Whether an entry of this identity continues a live group that is not closing."""
        group = self.live.get(key)
        return group is not None and not group.closing


def occupancy(live: Iterable[LiveGroup], *, count_pyramids: bool, count_dca: bool) -> int:
    """Return how many slots are taken (EX-903): 1 a group, with the switches more."""
    return sum(
        1 + (group.received - 1 if count_pyramids else 0) + (group.dca_legs if count_dca else 0) for group in live
    )


def free_slots(state: PoolState, settings: PoolSettings) -> int:
    """Return how many slots are free; negative when more is taken than there is. O(1) unless pyramids or layers count."""
    if not settings.count_pyramids and not settings.count_dca:
        return settings.max_open_groups - len(state.live)
    taken = occupancy(state.live.values(), count_pyramids=settings.count_pyramids, count_dca=settings.count_dca)
    return settings.max_open_groups - taken
