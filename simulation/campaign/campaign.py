"""What came of many seeds: their sums, the ones that failed, and how long it took."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field

from runtime.clock import NANOS, WallClock
from simulation.campaign.jobs import Job, Outcome, broken_off, carry_out
from simulation.campaign.processes import on_processes
from simulation.campaign.ray_cluster import on_ray
from simulation.verdict import Coverage

__all__ = ["Campaign", "Seed", "run_campaign"]


@dataclass(frozen=True, slots=True)
class Seed:
    """The short form of one run: kept of every seed. ``done_s``: how long after the campaign's begin it was done."""

    seed: int
    hours: float
    seconds: float
    events: int
    digest: str
    failed: bool
    done_s: float


@dataclass(slots=True)
class Campaign:
    """The sums over all seeds that have run. ``interrupted``: it was ended before all had."""

    seeds: list[Seed] = field(default_factory=list)
    failures: list[Outcome] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)
    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    interrupted: bool = False

    def add(self, outcome: Outcome) -> None:
        """Take in what came of a seed."""
        verdict = outcome.verdict
        self.coverage.add(verdict.coverage)
        self.counts.update(verdict.counts)
        events = verdict.counts.get("events", 0)
        self.seeds.append(
            Seed(
                verdict.seed,
                verdict.hours,
                verdict.seconds,
                events,
                verdict.digest,
                failed=verdict.failed,
                done_s=self.seconds,
            )
        )
        if verdict.failed:
            self.failures.append(outcome)

    @property
    def hours(self) -> float:
        """Hours simulated."""
        return sum(each.hours for each in self.seeds)

    @property
    def injected(self) -> int:
        """Faults that happened."""
        return sum(self.coverage.injected.values())

    @property
    def violations(self) -> int:
        """Rules broken, over all seeds."""
        return sum(len(each.verdict.violations) for each in self.failures)

    @property
    def digest(self) -> str:
        """A SHA-256 over the journals of all seeds: equal for equal campaigns, in whatever order they ran."""
        ordered = sorted((each.seed, each.digest) for each in self.seeds)
        return hashlib.sha256("\n".join(f"{seed} {digest}" for seed, digest in ordered).encode()).hexdigest()


def run_campaign(
    jobs: Iterable[Job],
    *,
    workers: int = 1,
    ray: str = "",
    fail_fast: bool = False,
    work: Callable[[Job], Outcome] = carry_out,
    report: Callable[[Campaign, Outcome], None] = lambda _campaign, _outcome: None,
) -> Campaign:
    """Run all jobs and return their sums; ``report`` hears of each. Ctrl-C ends it with what is known so far.

    ``workers`` 0 runs them in this process, ``ray`` is the address of a cluster to run them on. Raises
    ExecutorUnavailable when that cannot be reached.
    """
    campaign, clock = Campaign(), WallClock()
    since = clock.now()
    try:
        with closing(_outcomes(jobs, work, workers, ray)) as outcomes:
            for outcome in outcomes:
                campaign.seconds = (clock.now() - since) / NANOS
                campaign.add(outcome)
                report(campaign, outcome)
                if fail_fast and campaign.failures:
                    break
    except KeyboardInterrupt:
        campaign.interrupted = True
    campaign.seconds = (clock.now() - since) / NANOS
    return campaign


def _outcomes(
    jobs: Iterable[Job], work: Callable[[Job], Outcome], workers: int, ray: str
) -> Generator[Outcome, None, None]:
    if ray:
        yield from on_ray(jobs, work, address=ray)
    elif workers > 0:
        yield from on_processes(jobs, work, lost=broken_off, workers=workers)
    else:
        yield from map(work, jobs)
