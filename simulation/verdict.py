"""What a run came to: violations, coverage, counts and the timeline."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from protocol.messages import Value

__all__ = ["Coverage", "Moment", "Verdict", "Violation"]


class Violation(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Something that must never be: which invariant, when, and what was seen."""

    invariant: str
    at: int
    message: str


class Moment(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """A line of the timeline: an instant and what happened (an item injected, a kill, an order, a restart)."""

    at: int
    kind: str
    text: str


@dataclass(slots=True)
class Coverage:
    """How often each fault was injected, each invariant checked, each message type handled (by kind of actor)."""

    injected: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    handled: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: Coverage) -> None:
        """Take another run's counts in."""
        self.injected.update(other.injected)
        self.checked.update(other.checked)
        self.handled.update(other.handled)


@dataclass(slots=True)
class Verdict:
    """The end of one run. ``crash`` is the error that kept it from ending, empty when it ended."""

    seed: int
    violations: list[Violation] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)
    counts: Counter[str] = field(default_factory=Counter)
    """Events, orders, fills, groups, alerts, lives, kills, restarts, prices."""
    timeline: list[Moment] = field(default_factory=list)
    hours: float = 0.0
    """Simulated."""
    seconds: float = 0.0
    """Real."""
    digest: str = ""
    """SHA-256 of the journal: equal for equal scenarios."""

    @property
    def failed(self) -> bool:
        """Whether anything was violated."""
        return bool(self.violations)
