"""Run many seeds, show what they tried, and shrink what failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from runtime.clock import NANOS, WallClock
from service.cli.codes import ExitCode
from service.cli.output import note, print_json, print_line, show
from simulation.campaign import Campaign, Job, Outcome, run_campaign
from simulation.campaign.jobs import RUN_ENDS, SAME_RUN, scenario_of_job
from simulation.commands.one import shrunk_and_written
from simulation.commands.showing import Say, cores, known_name, shown
from simulation.invariants import ALL
from simulation.report import (
    as_document,
    coverage_table,
    coverage_views,
    failure_views,
    headline,
    write_page,
)
from simulation.report.coverage import CoverageTable
from simulation.world import PROFILES

__all__ = ["Wanted", "run_many"]

_SHRUNK_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a campaign was called with. ``minutes``: go on with new seeds for so long instead of ``seeds`` of them."""

    first: int
    seeds: int
    hours: float
    profile: str
    twice: bool
    minutes: float | None
    workers: int
    ray: str
    fail_fast: bool
    shrink: bool
    out: Path | None


def run_many(wanted: Wanted, *, as_json: bool) -> ExitCode:
    """Run the seeds, print what came of them; return the exit code."""
    known_name(wanted.profile, list(PROFILES), "profile of faults")
    total = None if wanted.minutes is not None else wanted.seeds
    with shown("simulating", total) as say:
        found = run_campaign(
            _jobs(wanted),
            workers=cores(wanted.workers),
            ray=wanted.ray,
            fail_fast=wanted.fail_fast,
            report=lambda campaign, _: _say(say, campaign),
        )
    table = _table(wanted, found)
    if as_json:
        print_json(as_document(found, table))
    else:
        _print(found, table)
    if wanted.out is not None:
        title = f"{len(found.seeds)} seeds of {wanted.hours:g} hours, faults: {wanted.profile}"
        note(f"page: {write_page(wanted.out, found, table, title=title)}")
    if wanted.shrink:
        _shrink(found.failures, wanted.out or Path("simulation-out"))
    return ExitCode.FAILED if found.failures else ExitCode.OK


def _jobs(wanted: Wanted) -> Iterator[Job]:
    from simulation.world import have_recordings

    clock, recorded = WallClock(), have_recordings()
    end = clock.now() + round(wanted.minutes * 60 * NANOS) if wanted.minutes is not None else None
    for number in count():
        if number >= wanted.seeds if end is None else clock.now() >= end:
            return
        yield Job(wanted.first + number, wanted.hours, wanted.profile, twice=wanted.twice, recorded=recorded)


def _say(say: Say, campaign: Campaign) -> None:
    speed = campaign.hours * 3_600 / campaign.seconds if campaign.seconds else 0.0
    text = (
        f"{len(campaign.seeds):,} seeds, {campaign.hours:,.0f} h ({speed:,.0f} times real time), {campaign.injected:,} "
        f"faults, {campaign.violations} violations"
    )
    say(len(campaign.seeds), text)


def _table(wanted: Wanted, found: Campaign) -> CoverageTable:
    rules = [*(each.NAME for each in ALL), RUN_ENDS, *([SAME_RUN] if wanted.twice else [])]
    found.coverage.checked[RUN_ENDS] = len(found.seeds)
    if wanted.twice:
        found.coverage.checked[SAME_RUN] = len(found.seeds)
    return coverage_table(
        found.coverage,
        faults=[kind.value for kind, rate in PROFILES[wanted.profile].rates.items() if rate],
        invariants=rules,
    )


def _print(found: Campaign, table: CoverageTable) -> None:
    for view in (*coverage_views(table), *failure_views(found.failures)):
        show(view)
    for what, names in (("never injected", table.never_injected), ("never checked", table.never_checked)):
        if names:
            print_line(f"{what.upper()}: {', '.join(names)}")
    print_line(headline(found))
    print_line(f"digest {found.digest}")


def _shrink(failures: list[Outcome], out: Path) -> None:
    """Shrink the first seed of each rule that was broken."""
    firsts: dict[str, Outcome] = {}
    for outcome in failures:
        firsts.setdefault(outcome.verdict.violations[0].invariant, outcome)
    for invariant, outcome in list(firsts.items())[:_SHRUNK_AT_MOST]:
        if invariant in (RUN_ENDS, SAME_RUN):
            note(f"seed {outcome.job.seed}: {invariant} is not shrunk")
            continue
        shrunk_and_written(scenario_of_job(outcome.job), invariant, out)
