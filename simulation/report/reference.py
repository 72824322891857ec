"""Write the reference page of the simulator from what its commands print with ``--json``.

``python -m simulation.report.reference FILE CAMPAIGN.json PLANTED.json``
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from inspect import cleandoc
from pathlib import Path
from typing import Any, Final

from simulation.defects import DEFECTS
from simulation.invariants import ALL

__all__ = ["simulation_page"]

_HEAD: Final = """\
# Simulation: what was run and what was found

<!-- Written by `python -m simulation.report.reference docs/reference/simulation.md CAMPAIGN.json PLANTED.json`. -->

How it works: [the simulator](../explanation/simulator.md). How to run it: [simulate](../how-to/simulate.md).
"""


def simulation_page(campaign: Mapping[str, Any], planted: Sequence[Mapping[str, Any]]) -> str:
    """Return the page as Markdown."""
    parts = [_HEAD, _run(campaign), _faults(campaign), _rules(campaign), _actors(campaign), _planted(planted)]
    return "\n".join(parts).rstrip() + "\n"


def _run(campaign: Mapping[str, Any]) -> str:
    seeds, hours, seconds = campaign["seeds"], campaign["simulated_hours"], campaign["seconds"]
    counts = campaign["counts"]
    shown = ("lives", "kills", "rests", "events", "OrderSent", "FillRecorded", "GroupOpened", "SignalReceived")
    facts = {
        "Seeds": f"{seeds:,} of {hours / seeds:g} simulated hours each" if seeds else "0",
        "Real time": f"{seconds:,.0f} s, {hours * 3_600 / seconds:,.0f} times as fast as life" if seconds else "0",
        "Seeds that broke a rule": str(len(campaign["failures"])),
        **{name: f"{counts.get(name, 0):,}" for name in shown},
        "Digest of all journals": f"`{campaign['digest'][:16]}…`",
    }
    return _table("## The run", ("", ""), facts.items())


def _faults(campaign: Mapping[str, Any]) -> str:
    rows = ((f"`{name}`", f"{times:,}" if times else "**never**") for name, times in campaign["faults"].items())
    return _table("## Faults", ("Fault", "Injected"), rows)


def _rules(campaign: Mapping[str, Any]) -> str:
    said = {rule.NAME: cleandoc(rule.__doc__ or "").splitlines()[0] for rule in ALL}
    rows = (
        (f"`{name}`", said.get(name, "The run itself."), f"{times:,}" if times else "**never**")
        for name, times in campaign["invariants"].items()
    )
    return _table("## Invariants", ("Rule", "What must hold", "Checked"), rows)


def _actors(campaign: Mapping[str, Any]) -> str:
    rows = (
        (
            f"`{kind}`",
            ", ".join(f"`{name}` {times:,}" for name, times in actor["handled"].items()),
            ", ".join(f"`{name}`" for name in actor["never"]),
        )
        for kind, actor in campaign["actors"].items()
    )
    return _table("## Messages", ("Actor", "Handled", "Never handled"), rows)


def _planted(planted: Sequence[Mapping[str, Any]]) -> str:
    rows = (
        (
            f"`{each['name']}`",
            DEFECTS[each["name"]].sentence,
            str(each["seeds"] or "**not found**"),
            f"`{each['invariant']}`",
            f"{each['items']} to {each['shrunk']}",
            f"{each['seconds']:.1f}",
        )
        for each in planted
    )
    columns = ("Bug", "What is wrong", "Seeds until found", "Rule that broke", "Items, shrunk", "Seconds")
    return _table("## Planted bugs", columns, rows)


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([title, "", *lines, ""])


if __name__ == "__main__":
    _target, *_sources = (Path(each) for each in sys.argv[1:])
    _read = [json.loads(each.read_text(encoding="utf-8")) for each in _sources]
    _target.write_text(simulation_page(*_read), encoding="utf-8")
