"""Shrink a failing scenario: leave out and make smaller whatever is not needed for the same rule to be broken.

Delta debugging over the items (whole kinds first, then halves, quarters, single ones), then the length of the run, the
prices, the settings and the numbers of what is left, again and again until nothing more can go or the budget is used up.
Equal scenarios and equal budgets of runs shrink equally.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from protocol.codec import encode_json
from runtime.clock import NANOS, WallClock
from simulation.scenario import Scenario
from simulation.smaller import PASSES, until
from simulation.verdict import Verdict, Violation

__all__ = ["Budget", "NotFailing", "Progress", "Run", "Shrunk", "shrink"]

Run: TypeAlias = Callable[[Scenario], Verdict]
"""Runs a scenario; the same scenario gives the same verdict."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much shrinking may cost: ``runs`` of scenarios, ``seconds`` of real time. What is found by then is returned."""

    runs: int = 400
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far shrinking is."""

    runs: int
    items: int
    hours: float


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The smallest scenario found that still breaks ``violation.invariant``.

    ``complete`` says that nothing more could be left out; False: the budget ended first.
    """

    scenario: Scenario
    violation: Violation
    before: int
    runs: int
    seconds: float
    complete: bool

    @property
    def after(self) -> int:
        """How many items are left."""
        return len(self.scenario.items)


class NotFailing(ValueError):
    """The scenario to shrink breaks nothing."""


_NO_REPORT: Final[Callable[[Progress], None]] = lambda _: None  # noqa: E731 - a default that is compared with nothing


def shrink(
    scenario: Scenario,
    run: Run,
    *,
    invariant: str = "",
    budget: Budget | None = None,
    report: Callable[[Progress], None] = _NO_REPORT,
) -> Shrunk:
    """Return the smallest scenario found that breaks ``invariant`` (empty: the first rule it breaks).

    Raises NotFailing when the scenario does not break it.
    """
    return _Shrinker(run, budget or Budget(), report).shrink(scenario, invariant)


class _Shrinker:
    def __init__(self, run: Run, budget: Budget, report: Callable[[Progress], None]) -> None:
        self._run = run
        self._budget = budget
        self._report = report
        self._tried: set[bytes] = set()
        self._clock = WallClock()
        self._since = self._clock.now()
        self._runs = 0
        self._invariant = ""
        self._best: Scenario
        self._found: Violation

    def shrink(self, scenario: Scenario, invariant: str) -> Shrunk:
        """Make passes until one changes nothing."""
        self._best, self._invariant = scenario, invariant
        first = self._broken(scenario)
        if first is None:
            raise NotFailing(f"seed {scenario.seed} does not break {invariant or 'anything'}")
        self._found, self._invariant = first, first.invariant
        self.keeps(until(scenario, first.at))
        changed = True
        while changed and not self.spent:
            before = self._best
            for one_pass in PASSES:
                one_pass(self)
            changed = self._best != before
        return Shrunk(self._best, self._found, len(scenario.items), self._runs, self._seconds(), not self.spent)

    @property
    def best(self) -> Scenario:
        """The smallest failing scenario so far."""
        return self._best

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        return self._runs >= self._budget.runs or self._seconds() >= self._budget.seconds

    def keeps(self, candidate: Scenario) -> bool:
        """Try a smaller scenario; keep it when it breaks the same rule."""
        if candidate == self._best or self.spent:
            return False
        mark = encode_json(candidate)
        if mark in self._tried:
            return False
        self._tried.add(mark)
        violation = self._broken(candidate)
        if violation is None:
            return False
        self._best, self._found = candidate, violation
        self._report(Progress(self._runs, len(candidate.items), candidate.hours))
        return True

    def _broken(self, scenario: Scenario) -> Violation | None:
        self._runs += 1
        violations = self._run(scenario).violations
        return next((each for each in violations if self._invariant in ("", each.invariant)), None)

    def _seconds(self) -> float:
        return (self._clock.now() - self._since) / NANOS
