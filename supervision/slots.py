"""A supervisor's view of its children, and which of them a failure takes along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

from supervision.child import ChildSpec

if TYPE_CHECKING:
    from runtime.envelope import Envelope
    from runtime.timers import Timer

__all__ = ["LIVE", "ChildView", "Phase", "Slot", "Strategy", "affected"]

Strategy = Literal["one_for_one", "one_for_all", "rest_for_one"]
"""A failure takes along: nobody, everybody, everybody who was started later."""


class Phase(StrEnum):
    """Where a child stands for its supervisor."""

    DOWN = "down"
    """To be started when its turn comes."""
    STARTING = "starting"
    UP = "up"
    STOPPING = "stopping"
    WAITING = "waiting"
    """It failed and waits for its backoff."""
    QUARANTINED = "quarantined"
    DONE = "done"
    """A transient child that ended in order; its spec is kept."""


LIVE: Final = (Phase.STARTING, Phase.UP)
"""Phases in which a child has to be stopped before it can be started."""


@dataclass(slots=True, eq=False)
class Slot:
    """One child. ``doomed``: it is to be stopped so that it can be started again in order with others."""

    spec: ChildSpec
    static: bool
    phase: Phase = Phase.DOWN
    doomed: bool = False
    removing: bool = False
    once_up: bool = False
    overdue: bool = False
    again: bool = False
    """It is started again after its stop whatever its restart type, because an operator said so."""
    held: bool = False
    """It stays down after its stop, because an operator said so."""
    up_since: int | None = None
    failures: int = 0
    restarts: int = 0
    history: tuple[int, ...] = ()
    """Its own restarts that still count; used by children that end in quarantine."""
    token: int = 0
    timer: Timer | None = None
    asker: Envelope | None = None

    @property
    def name(self) -> str:
        """Return the child's name."""
        return self.spec.name

    def cancel_timer(self) -> None:
        """Forget what this child waits for."""
        self.token = 0
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


@dataclass(frozen=True, slots=True)
class ChildView:
    """How a child stands, for a reader; ``due_at`` is the instant of a pending restart (one_for_one)."""

    name: str
    phase: Phase
    restart: str
    restarts: int
    due_at: int | None


def affected(strategy: Strategy, slots: Sequence[Slot], failed: Slot) -> list[Slot]:
    """Return the children that are taken down and started again when one fails, in start order, itself included."""
    if strategy == "one_for_one":
        return [failed]
    return list(slots if strategy == "one_for_all" else slots[slots.index(failed) :])
