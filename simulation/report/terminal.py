"""A campaign on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from service.cli.output import table
from simulation.campaign import Campaign, Job, Outcome
from simulation.report.coverage import CoverageTable, Row

__all__ = ["coverage_views", "failure_views", "headline", "replay_command"]

_LOUD = "bold red"


def headline(campaign: Campaign) -> str:
    """Say in one line what was run and what came of it."""
    speed = campaign.hours * 3_600 / campaign.seconds if campaign.seconds else 0.0
    ended = ", interrupted" if campaign.interrupted else ""
    return (
        f"{len(campaign.seeds):,} seeds, {campaign.hours:,.0f} simulated hours in {campaign.seconds:,.1f} s ({speed:,.0f} "
        f"times real time), {campaign.injected:,} faults, {sum(campaign.coverage.checked.values()):,} checks, "
        f"{len(campaign.failures)} seeds failed{ended}"
    )


def coverage_views(table_: CoverageTable) -> Iterator[RenderableType]:
    """Yield the tables of faults, rules and actors; what was never tried stands out."""
    yield table(("FAULT", "INJECTED"), _counted(table_.faults, "never injected"), right=("INJECTED",))
    yield table(("INVARIANT", "CHECKED"), _counted(table_.invariants, "never checked"), right=("CHECKED",))
    rows = [
        (
            actor.kind,
            f"{actor.total:,}",
            ", ".join(f"{row.name} {row.times:,}" for row in actor.handled),
            Text(", ".join(actor.never), style="yellow"),
        )
        for actor in table_.actors
    ]
    yield table(("ACTOR", "MESSAGES", "HANDLED", "NEVER HANDLED"), rows, right=("MESSAGES",))


def _counted(rows: Sequence[Row], never: str) -> list[tuple[str | Text, str | Text]]:
    return [
        (row.name, f"{row.times:,}") if row.times else (Text(row.name, style=_LOUD), Text(never.upper(), style=_LOUD))
        for row in rows
    ]


def failure_views(failures: Sequence[Outcome], *, most: int = 20) -> Iterator[RenderableType]:
    """Yield what each failed seed broke first and how to look at it."""
    for outcome in failures[:most]:
        for violation in outcome.verdict.violations[:3]:
            line = Text.assemble((f"seed {outcome.job.seed}: ", _LOUD), (violation.invariant, "bold"), ": ")
            yield line.append(violation.message)
        yield Text(f"  {replay_command(outcome.job)}", style="cyan")
    if len(failures) > most:
        yield Text(f"and {len(failures) - most} more seeds", style=_LOUD)


def replay_command(job: Job) -> str:
    """Return what is typed to see one seed again."""
    return f"bulkhead simulate replay --seed {job.seed} --hours {job.hours:g} --faults {job.profile} --timeline"
