"""Look for a planted bug: run seeds until a rule breaks, then shrink what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from runtime.clock import NANOS, WallClock
from simulation.defects.registry import DEFECTS
from simulation.run import run
from simulation.scenario import Scenario
from simulation.shrink import Budget, shrink
from simulation.world import scenario_of

__all__ = ["SHRINKING", "Found", "Hunt", "hunt", "lost", "scenario_for"]

SHRINKING: Final = Budget(runs=40, seconds=60.0)
"""What shrinking may cost for one bug of the table."""


class Hunt(NamedTuple):
    """A bug to look for, in at most so many seeds."""

    name: str
    seeds: int = 200
    budget: Budget = SHRINKING


@dataclass(frozen=True, slots=True)
class Found:
    """How a bug was found. ``seed`` 0: it was not, and ``message`` may say why.

    ``before`` and ``after`` are items of the scenario; ``scenario`` is
    the shrunk one. ``seconds`` until it was found, without the shrinking.
    """

    name: str
    seed: int = 0
    tried: int = 0
    invariant: str = ""
    message: str = ""
    before: int = 0
    after: int = 0
    seconds: float = 0.0
    scenario: Scenario | None = None


def scenario_for(name: str, seed: int) -> Scenario:
    """Return the scenario of a seed in which a bug is looked for, with the bug planted."""
    defect = DEFECTS[name]
    scenario = scenario_of(seed, hours=defect.hours, profile=defect.profile)
    return msgspec.structs.replace(scenario, defect=name)


def hunt(job: Hunt) -> Found:
    """Run seeds from 1 on until one breaks a rule that the bug should break."""
    defect, clock = DEFECTS[job.name], WallClock()
    since = clock.now()
    for seed in range(1, job.seeds + 1):
        scenario = scenario_for(job.name, seed)
        violation = next((each for each in run(scenario).violations if each.invariant in defect.found_by), None)
        if violation is None:
            continue
        seconds = (clock.now() - since) / NANOS
        small = shrink(scenario, run, invariant=violation.invariant, budget=job.budget)
        return Found(
            name=job.name,
            seed=seed,
            tried=seed,
            invariant=violation.invariant,
            message=small.violation.message,
            before=small.before,
            after=small.after,
            seconds=seconds,
            scenario=small.scenario,
        )
    return Found(job.name, tried=job.seeds, seconds=(clock.now() - since) / NANOS)


def lost(job: Hunt, why: str) -> Found:
    """Return that the process which looked for a bug did not come back."""
    return Found(job.name, message=why)
