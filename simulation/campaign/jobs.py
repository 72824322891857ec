"""One seed of a campaign: what is to be run, and what came of it, in a form that crosses processes."""

from __future__ import annotations

import traceback
from typing import Final, NamedTuple

import msgspec

from simulation.scenario import Scenario
from simulation.verdict import Verdict, Violation

__all__ = ["RUN_ENDS", "SAME_RUN", "Job", "Outcome", "broken_off", "carry_out", "scenario_of_job"]

RUN_ENDS: Final = "the-run-goes-on"
"""The rule that every run comes to its end: the simulator itself raises nothing and is not killed."""

SAME_RUN: Final = "same-seed-same-run"
"""The rule that a seed gives one journal, however often it is run."""


class Job(NamedTuple):
    """One seed to run. ``twice`` compares two runs of it; ``defect`` plants a bug.

    ``recorded`` as in ``scenario_of``: said once for a campaign: a seed is the same on every machine of it.
    """

    seed: int
    hours: float = 24.0
    profile: str = "all"
    defect: str = ""
    twice: bool = False
    recorded: bool | None = None


class Outcome(NamedTuple):
    """What came of a job."""

    job: Job
    verdict: Verdict


def scenario_of_job(job: Job) -> Scenario:
    """Return the scenario that a job runs."""
    from simulation.world import PROFILES, scenario_of

    scenario = scenario_of(job.seed, hours=job.hours, profile=PROFILES[job.profile], recorded=job.recorded)
    return msgspec.structs.replace(scenario, defect=job.defect) if job.defect else scenario


def carry_out(job: Job) -> Outcome:
    """Run a job; whatever the simulator itself raises is a violation of this seed and of no other."""
    from simulation.run import run

    try:
        scenario = scenario_of_job(job)
        verdict = run(scenario)
        if job.twice and (again := run(scenario).digest) != verdict.digest:
            message = f"digest {verdict.digest[:12]} at first, {again[:12]} the second time"
            verdict.violations.append(Violation(SAME_RUN, scenario.end_at, message))
    except Exception as error:  # noqa: BLE001 - the outermost edge of a run: the campaign goes on with the next seed
        last = traceback.extract_tb(error.__traceback__)[-1:]
        where = "".join(f" at {each.filename.rpartition('/')[2]}:{each.lineno}" for each in last)
        return broken_off(job, f"{error!r}{where}")
    verdict.timeline = []
    return Outcome(job, verdict)


def broken_off(job: Job, why: str) -> Outcome:
    """Return the outcome of a job that did not come to its end."""
    return Outcome(job, Verdict(job.seed, violations=[Violation(RUN_ENDS, 0, why)]))
