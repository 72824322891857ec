"""One turn of the pool: the state as it changes, the events so far, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from protocol.messages import Event
from protocol.pool import HoldReason, QueueAnswer
from protocol.risk import Bar
from protocol.signals import Signal
from protocol.values import Instant
from rules.pool.admission import EntryPlan
from rules.pool.evolve import evolve
from rules.pool.markets import RulesFound
from rules.pool.ranking import Contender
from rules.pool.settings import PoolSettings
from rules.pool.state import LiveGroup, PoolState, QueuedEntry, free_slots

__all__ = ["TO_GO_ON", "Decision", "Surroundings", "Turn"]

TO_GO_ON: Final[Mapping[str, str]] = {
    "EnginePaused": "resume the engine",
    "AccountPaused": "resume the account",
    "AccountStopped": "arm the account",
}
"""What bars entries -> what an operator does about it."""


class Surroundings(NamedTuple):
    """What the pool's rules see of the world, as pure functions of one instant.

    ``barred`` says why no entry may enter, None while they may. ``price`` is the last trade of a symbol, ``market_price``
    what an entry of this side would pay; both None when unknown. ``rules`` are the trading rules of a signal, ``plan`` what
    it would place as the pyramid of this index, ``most_pyramids`` what a live group may have.
    """

    now: Instant
    settings: PoolSettings
    barred: Bar | None
    price: Callable[[str], Decimal | None]
    market_price: Callable[[Signal], Decimal | None]
    rules: Callable[[Signal], RulesFound]
    plan: Callable[[Signal, int, RulesFound, PoolState], EntryPlan]
    most_pyramids: Callable[[LiveGroup], int]


class Decision(NamedTuple):
    """What came of a command. ``outcomes`` are in the words of the specification, in order.

    ``said`` is what the command's own signal came to, None when a group will answer for it; ``answer`` what an operator
    is told.
    """

    events: tuple[Event, ...] = ()
    outcomes: tuple[str, ...] = ()
    said: tuple[str, tuple[str, ...]] | None = None
    answer: QueueAnswer | None = None


class Turn:
    """Collects events; the state always includes those so far."""

    __slots__ = ("answer", "events", "outcomes", "said", "state", "world")

    def __init__(self, state: PoolState, world: Surroundings) -> None:
        self.state = state
        self.world = world
        self.events: list[Event] = []
        self.outcomes: list[str] = []
        self.said: tuple[str, tuple[str, ...]] | None = None
        self.answer: QueueAnswer | None = None

    def emit(self, event: Event, outcome: str = "") -> None:
        """Record an event; ``outcome`` is its word in the specification."""
        self.events.append(event)
        self.state = evolve(self.state, event)
        if outcome:
            self.outcomes.append(outcome)

    def refuse(self, code: str, *reasons: str) -> None:
        """Reject the command's signal."""
        self.outcomes.append(f"rejected:{code}")
        self.said = (f"rejected:{code}", reasons)

    def decision(self) -> Decision:
        """Return all of it."""
        return Decision(tuple(self.events), tuple(self.outcomes), self.said, self.answer)

    # --- questions -----------------------------------------------------------------------------------------------------

    @property
    def free(self) -> int:
        """How many slots are free, negative when more is taken than there is."""
        return free_slots(self.state, self.world.settings)

    @property
    def occupied(self) -> int:
        """How many slots are taken."""
        return self.world.settings.max_open_groups - self.free

    def hold_of(self, key: str, signal: Signal) -> HoldReason | None:
        """Return what keeps an entry from entering whatever the number of slots, now (EX-916)."""
        if self.state.barred_by(key) is not None:
            return HoldReason.OPPOSITE_SIDE
        group = self.state.live.get(key)
        if group is not None and group.closing:
            return HoldReason.CLOSING
        return HoldReason.PRECISION_MISSING if self.world.rules(signal).held else None

    def may_enter(self, key: str) -> bool:
        """Whether there is a place: a free slot, or a continuation that passes the limit (EX-904)."""
        return self.free > 0 or (self.world.settings.same_pair_timeframe and self.state.continues(key))

    def contender(self, entry: QueuedEntry) -> Contender:
        """Return what the ranking looks at in an entry."""
        return Contender(
            entry.queue_id,
            entry.signal.side,
            entry.entry_price,
            self.world.price(entry.signal.symbol),
            entry.replacements,
            entry.expected_profit,
            entry.queued_at,
            self.state.continues(entry.key),
        )
