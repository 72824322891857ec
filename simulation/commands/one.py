"""Run one scenario again, show what happened in it, shrink it."""

from __future__ import annotations

from pathlib import Path

from service.cli.codes import ExitCode
from service.cli.output import note, print_json, print_line
from service.cli.parts import usage
from simulation.campaign import Job
from simulation.campaign.jobs import scenario_of_job
from simulation.commands.showing import known_name, shown
from simulation.regression import read_scenario, write_regression
from simulation.run import run
from simulation.scenario import Scenario
from simulation.shrink import shrink as shrink_it
from simulation.timeline import timeline as lines_of
from simulation.verdict import Verdict
from simulation.world import PROFILES

__all__ = ["run_one", "scenario_wanted", "shrunk_and_written"]


def scenario_wanted(file: Path | None, seed: int | None, hours: float, profile: str) -> Scenario:
    """Return the scenario of a file or of a seed; refuse the command when neither or both are named."""
    if (file is None) == (seed is None):
        raise usage("name a file or a --seed", "for example: bulkhead simulate replay --seed 17 --timeline")
    if seed is not None:
        known_name(profile, list(PROFILES), "profile of faults")
        return scenario_of_job(Job(seed, hours, profile))
    assert file is not None
    try:
        return read_scenario(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise usage(str(error), "write one with: bulkhead simulate --shrink", path=str(file)) from error


def run_one(scenario: Scenario, *, timeline: bool, shrink: bool, out: Path, as_json: bool) -> ExitCode:
    """Run it and print what came of it; return the exit code."""
    verdict = run(scenario, keep_timeline=timeline)
    if as_json:
        print_json(_document(scenario, verdict))
    else:
        _print(scenario, verdict, timeline=timeline)
    if shrink and verdict.violations:
        shrunk_and_written(scenario, verdict.violations[0].invariant, out)
    return ExitCode.FAILED if verdict.failed else ExitCode.OK


def _print(scenario: Scenario, verdict: Verdict, *, timeline: bool) -> None:
    if timeline:
        print_line("\n".join(lines_of(scenario, verdict)))
    for each in verdict.violations:
        print_line(f"{each.invariant}: {each.message}")
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(verdict.counts.items()))
    print_line(f"seed {scenario.seed}: {len(verdict.violations)} violations in {verdict.seconds:.2f} s; {counts}")
    print_line(f"digest {verdict.digest}")


def _document(scenario: Scenario, verdict: Verdict) -> dict[str, object]:
    return {
        "seed": scenario.seed,
        "hours": verdict.hours,
        "seconds": round(verdict.seconds, 3),
        "digest": verdict.digest,
        "counts": dict(sorted(verdict.counts.items())),
        "violations": [
            {"invariant": each.invariant, "at": each.at, "message": each.message} for each in verdict.violations
        ],
        "timeline": [{"at": each.at, "kind": each.kind, "text": each.text} for each in verdict.timeline],
    }


def shrunk_and_written(scenario: Scenario, invariant: str, out: Path) -> None:
    """Shrink a failing scenario, print its timeline and write it as a test."""
    with shown(f"shrinking seed {scenario.seed}", None) as say:
        found = shrink_it(
            scenario,
            run,
            invariant=invariant,
            report=lambda now: say(now.runs, f"{now.items} items, {now.hours:.2f} h, {now.runs} runs"),
        )
    verdict = run(found.scenario, keep_timeline=True)
    left = "nothing more can go" if found.complete else "the budget ended"
    print_line("\n".join(lines_of(found.scenario, verdict)))
    note(f"{found.before} items to {found.after} in {found.runs} runs, {found.seconds:.1f} s: {left}")
    note(f"test: {write_regression(out / 'regressions', found.scenario, found.violation, verdict)}")
