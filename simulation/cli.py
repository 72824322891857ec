"""``bulkhead simulate``: many seeds, one seed again, the planted bugs. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from service.cli.codes import epilog
from service.cli.parts import Json

__all__ = ["campaign", "planted", "register", "replay"]

_simulate = typer.Typer(
    invoke_without_command=True,
    epilog=epilog(),
    help="Run the whole system under faults, on virtual time, from seeds, and look whether any rule is ever broken.",
)

_Hours = Annotated[float, typer.Option("--hours", min=0.1, help="Simulated hours a seed.")]
_Faults = Annotated[str, typer.Option("--faults", metavar="PROFILE", help="Which faults, and how many.")]
_Workers = Annotated[int, typer.Option("--workers", min=0, help="Processes; 0 is one for each core.")]

_OUT: Final = Path("simulation-out")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _simulate.callback()(campaign)
    for command in (replay, planted):
        _simulate.command(epilog=epilog())(command)
    app.add_typer(_simulate, name="simulate")


def campaign(
    context: typer.Context,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds.")] = 20,
    seed: Annotated[int | None, typer.Option("--seed", help="This seed alone.")] = None,
    first: Annotated[int, typer.Option("--first", help="The first seed.")] = 1,
    hours: _Hours = 24.0,
    faults: _Faults = "all",
    workers: _Workers = 0,
    shrink: Annotated[bool, typer.Option("--shrink", help="Shrink what fails and write it as tests.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write a page, and tests of what fails, here.")
    ] = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="End with the first seed that fails.")] = False,
    minutes: Annotated[
        float | None, typer.Option("--until-minutes", metavar="M", help="Go on with new seeds for M minutes.")
    ] = None,
    twice: Annotated[
        bool, typer.Option("--check-determinism", help="Run each seed twice and compare the journals.")
    ] = False,
    ray: Annotated[str, typer.Option("--ray", metavar="ADDRESS", help="Run on this Ray cluster.")] = "",
    as_json: Json = False,
) -> None:
    """Run many seeds. Ends with exit code 1 when any of them broke a rule."""
    if context.invoked_subcommand is not None:
        return
    from simulation.commands.many import Wanted, run_many

    wanted = Wanted(
        first=first if seed is None else seed,
        seeds=seeds if seed is None else 1,
        hours=hours,
        profile=faults,
        twice=twice,
        minutes=minutes,
        workers=workers,
        ray=ray,
        fail_fast=fail_fast,
        shrink=shrink,
        out=out,
    )
    raise typer.Exit(run_many(wanted, as_json=as_json))


def replay(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A scenario as JSON, or a regression test file.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Or the seed to run.")] = None,
    hours: _Hours = 24.0,
    faults: _Faults = "all",
    timeline: Annotated[bool, typer.Option("--timeline", help="Print all that happened.")] = False,
    shrink: Annotated[bool, typer.Option("--shrink", help="Shrink it, when it fails, and write it as a test.")] = False,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the test is written.")] = _OUT,
    as_json: Json = False,
) -> None:
    """Run one seed, or the scenario of a file, once more. Ends with exit code 1 when it broke a rule."""
    from simulation.commands.one import run_one, scenario_wanted

    scenario = scenario_wanted(file, seed, hours, faults)
    raise typer.Exit(run_one(scenario, timeline=timeline, shrink=shrink, out=out, as_json=as_json))


def planted(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these bugs; without a name all of them.")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Most seeds for each bug.")] = 200,
    workers: _Workers = 0,
    as_json: Json = False,
) -> None:
    """Plant bugs in the system, one at a time, and look how many seeds it takes to find each.

    Ends with exit code 1 when one is not found.
    """
    from simulation.commands.planting import run_planted

    raise typer.Exit(run_planted(names or [], seeds=seeds, workers=workers, as_json=as_json))
