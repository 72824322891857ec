"""A dependency breaker: stop calling what is broken, try it again now and then, go on when it answers.

::

    CLOSED ──too many failures→ OPEN ──its delay is over→ HALF_OPEN ──enough successes→ CLOSED
                                  ↑──────a probe fails or never returns───┘

``admit``, ``succeeded`` and ``failed`` are pure: state in, state out, the instant and the random draw are arguments.
``Breaker`` keeps the state for one dependency. Outcomes that arrive for calls made before the breaker opened are ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from runtime.clock import NANOS
from supervision.backoff import Backoff

__all__ = [
    "CLOSED",
    "Breaker",
    "BreakerPhase",
    "BreakerPolicy",
    "BreakerState",
    "BreakerStats",
    "admit",
    "failed",
    "succeeded",
]


class BreakerPhase(StrEnum):
    """Whether calls pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens and closes.

    It opens at ``failures`` failures among the outcomes of the last ``window_s``, or when at least ``ratio_calls`` of them
    are known and the share ``ratio`` (0..1] failed; None switches one of the two off. Half-open it lets ``probes`` calls
    out at a time and closes after ``successes`` of them; a probe without an outcome for ``probe_s`` has failed. Only the
    newest ``samples`` outcomes are kept.
    """

    failures: int | None = 5
    ratio: float | None = 0.5
    ratio_calls: int = 20
    window_s: float = 30.0
    samples: int = 100
    probes: int = 1
    successes: int = 2
    probe_s: float = 30.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first_s=1.0, limit_s=60.0))

    def __post_init__(self) -> None:
        needed = 1 if self.failures is None else self.failures
        counts = (needed, self.ratio_calls, self.samples, self.probes, self.successes)
        if min(counts) < 1 or not (self.window_s > 0 and self.probe_s > 0):
            raise ValueError(f"a breaker policy needs counts of 1 or more and times above 0: {self!r}")
        if self.failures is None and self.ratio is None:
            raise ValueError("a breaker policy without failures and ratio would never open")
        if self.ratio is not None and not 0 < self.ratio <= 1:
            raise ValueError(f"ratio must be above 0 and at most 1: {self.ratio}")
        if self.samples < max(needed, self.ratio_calls):
            raise ValueError("samples must be at least as many as failures and ratio_calls")


@dataclass(frozen=True, slots=True)
class BreakerState:
    """Everything a breaker remembers. Instants in nanoseconds; ``trips`` counts openings since it was last closed."""

    phase: BreakerPhase = BreakerPhase.CLOSED
    since: int = 0
    outcomes: tuple[tuple[int, bool], ...] = ()
    """(instant, whether it succeeded) of recent calls, oldest first; only while closed."""
    trips: int = 0
    retry_at: int = 0
    probes_out: int = 0
    probed_at: int = 0
    successes: int = 0


CLOSED: Final = BreakerState()


def admit(policy: BreakerPolicy, state: BreakerState, now: int, draw: float) -> tuple[BreakerState, bool]:
    """Decide whether a call may be made at ``now``; one that is admitted owes an outcome."""
    if state.phase is BreakerPhase.CLOSED:
        return state, True
    if state.phase is BreakerPhase.OPEN:
        if now < state.retry_at:
            return state, False
        return BreakerState(BreakerPhase.HALF_OPEN, now, trips=state.trips, probes_out=1, probed_at=now), True
    if state.probes_out < policy.probes:
        return replace(state, probes_out=state.probes_out + 1, probed_at=now), True
    if now - state.probed_at >= round(policy.probe_s * NANOS):
        return _opened(policy, state, now, draw), False
    return state, False


def succeeded(policy: BreakerPolicy, state: BreakerState, now: int) -> BreakerState:
    """Take the success of an admitted call."""
    if state.phase is BreakerPhase.CLOSED:
        return replace(state, outcomes=_recent(policy, state, now, ok=True))
    if state.phase is BreakerPhase.OPEN or state.probes_out == 0:
        return state
    if state.successes + 1 >= policy.successes:
        return BreakerState(since=now)
    return replace(state, probes_out=state.probes_out - 1, successes=state.successes + 1)


def failed(policy: BreakerPolicy, state: BreakerState, now: int, draw: float) -> BreakerState:
    """Take the failure of an admitted call (an error, a timeout: anything that says the dependency is not well)."""
    if state.phase is BreakerPhase.OPEN or (state.phase is BreakerPhase.HALF_OPEN and state.probes_out == 0):
        return state
    if state.phase is BreakerPhase.HALF_OPEN:
        return _opened(policy, state, now, draw)
    outcomes = _recent(policy, state, now, ok=False)
    bad = sum(1 for _, ok in outcomes if not ok)
    too_many = policy.failures is not None and bad >= policy.failures
    too_often = policy.ratio is not None and len(outcomes) >= policy.ratio_calls and bad >= policy.ratio * len(outcomes)
    if too_many or too_often:
        return _opened(policy, state, now, draw)
    return replace(state, outcomes=outcomes)


def _opened(policy: BreakerPolicy, state: BreakerState, now: int, draw: float) -> BreakerState:
    retry_at = now + round(policy.backoff.delay_s(state.trips, draw) * NANOS)
    return BreakerState(BreakerPhase.OPEN, now, trips=state.trips + 1, retry_at=retry_at)


def _recent(policy: BreakerPolicy, state: BreakerState, now: int, *, ok: bool) -> tuple[tuple[int, bool], ...]:
    oldest = now - round(policy.window_s * NANOS)
    kept = [each for each in state.outcomes if each[0] >= oldest]
    return (*kept, (now, ok))[-policy.samples :]


@dataclass(frozen=True, slots=True)
class BreakerStats:
    """How a breaker stands; ``retry_at`` only while open, counts of calls since it was made."""

    name: str
    phase: BreakerPhase
    since: int
    retry_at: int | None
    trips: int
    recent_calls: int
    recent_failures: int
    admitted: int
    refused: int
    opened: int


class Breaker:
    """The breaker of one dependency. ``draw`` gives random numbers from [0, 1), for the jitter of its delays."""

    __slots__ = ("_admitted", "_draw", "_opened", "_refused", "name", "policy", "state")

    def __init__(self, name: str, policy: BreakerPolicy, draw: Callable[[], float]) -> None:
        self.name = name
        self.policy = policy
        self.state = CLOSED
        self._draw = draw
        self._admitted = self._refused = self._opened = 0

    def allow(self, now: int) -> bool:
        """Return whether a call may be made; if so, ``success`` or ``failure`` must follow."""
        state, allowed = admit(self.policy, self.state, now, self._draw())
        self._become(state)
        if allowed:
            self._admitted += 1
        else:
            self._refused += 1
        return allowed

    def success(self, now: int) -> bool:
        """Take a success; return whether it closed the breaker."""
        return self._become(succeeded(self.policy, self.state, now))

    def failure(self, now: int) -> bool:
        """Take a failure; return whether it opened the breaker."""
        return self._become(failed(self.policy, self.state, now, self._draw()))

    def _become(self, state: BreakerState) -> bool:
        changed = state.phase is not self.state.phase
        self.state = state
        self._opened += changed and state.phase is BreakerPhase.OPEN
        return changed

    def stats(self) -> BreakerStats:
        """Return how the breaker stands."""
        state = self.state
        return BreakerStats(
            name=self.name,
            phase=state.phase,
            since=state.since,
            retry_at=state.retry_at if state.phase is BreakerPhase.OPEN else None,
            trips=state.trips,
            recent_calls=len(state.outcomes),
            recent_failures=sum(1 for _, ok in state.outcomes if not ok),
            admitted=self._admitted,
            refused=self._refused,
            opened=self._opened,
        )
