"""Look for the planted bugs and show how each was found."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text

from service.cli.codes import ExitCode
from service.cli.output import print_json, print_line, show, table
from simulation.campaign.processes import on_processes
from simulation.commands.showing import cores, known_name, shown
from simulation.defects import DEFECTS
from simulation.defects.hunt import Found, Hunt, hunt, lost

__all__ = ["planted_view", "run_planted"]


def run_planted(names: Iterable[str], *, seeds: int, workers: int, as_json: bool) -> ExitCode:
    """Look for each bug; return the exit code."""
    wanted = [known_name(name, list(DEFECTS), "planted bug") for name in names] or list(DEFECTS)
    found: dict[str, Found] = {}
    jobs = [Hunt(name, seeds) for name in wanted]
    with shown("looking for planted bugs", len(wanted)) as say:
        for each in on_processes(jobs, hunt, lost=lost, workers=min(cores(workers), len(jobs))):
            found[each.name] = each
            say(len(found), each.name)
    ordered = [found[name] for name in wanted]
    if as_json:
        print_json([_document(each) for each in ordered])
    else:
        show(planted_view(ordered))
        print_line(f"{sum(bool(each.seed) for each in ordered)} of {len(ordered)} found")
    return ExitCode.OK if all(each.seed for each in ordered) else ExitCode.FAILED


def planted_view(found: Iterable[Found]) -> RenderableType:
    """Return the table: bug, seeds until found, the rule that broke, size before and after shrinking, seconds."""
    rows = [
        (
            each.name,
            str(each.seed) if each.seed else Text(f"not in {each.tried}", style="bold red"),
            each.invariant or each.message,
            str(each.before),
            str(each.after),
            f"{each.seconds:.1f}",
            DEFECTS[each.name].sentence,
        )
        for each in found
    ]
    columns = ("BUG", "SEEDS", "FOUND BY", "ITEMS", "SHRUNK", "SECONDS", "WHAT IS WRONG")
    return table(columns, rows, right=("SEEDS", "ITEMS", "SHRUNK", "SECONDS"))


def _document(found: Found) -> dict[str, object]:
    return {
        "name": found.name,
        "sentence": DEFECTS[found.name].sentence,
        "seeds": found.seed or None,
        "invariant": found.invariant,
        "message": found.message,
        "items": found.before,
        "shrunk": found.after,
        "seconds": round(found.seconds, 2),
    }
