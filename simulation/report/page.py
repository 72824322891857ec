"""A campaign as one page that needs nothing beside it: no script, no font, no file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import accumulate
from pathlib import Path
from typing import Final

from simulation.campaign import Campaign
from simulation.report.coverage import CoverageTable
from simulation.report.plots import bars, curve, histogram
from simulation.report.terminal import headline, replay_command

__all__ = ["page", "write_page"]

_FAILURES_SHOWN: Final = 50

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2430; --dim: #5d6b7c; --paper: #fff; --line: #d7dde5;
  --bar: #3b76c4; --bad: #b3261e; --good: #2b7a3d }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ef; --dim: #93a1b1; --paper: #141a21; --line: #2c3641;
  --bar: #6fa3e6; --bad: #ff8a80; --good: #7fd08f } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 820px; margin: 40px auto; padding: 0 20px }
h1 { font-size: 24px; margin: 0 0 4px }
h2 { font-size: 17px; margin: 36px 0 10px; border-bottom: 1px solid var(--line); padding-bottom: 4px }
.verdict { font-weight: 600 } .bad, .never { color: var(--bad) } .good { color: var(--good) } .dim { color: var(--dim) }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px; margin: 20px 0 }
.facts div { border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px }
.facts b { display: block; font-size: 20px }
svg { width: 100%; font: 12px system-ui, sans-serif; fill: var(--ink) }
svg .l { text-anchor: end } svg .n { fill: var(--dim) }
svg .never { font-weight: 700; fill: var(--bad) } svg rect { fill: var(--bar) }
svg .line { fill: none; stroke: var(--bar); stroke-width: 2 } svg .axis { fill: none; stroke: var(--line) }
table { border-collapse: collapse; width: 100%; font-size: 13px }
td, th { text-align: left; vertical-align: top; padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line) }
code { font: 12px ui-monospace, monospace; word-break: break-all }
"""


def write_page(folder: Path, campaign: Campaign, table: CoverageTable, *, title: str) -> Path:
    """Write the page into a folder, which is made when it is not there; return where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "simulation.html"
    path.write_text(page(campaign, table, title=title), encoding="utf-8")
    return path


def page(campaign: Campaign, table: CoverageTable, *, title: str) -> str:
    """Return the page."""
    failed = len(campaign.failures)
    word = f'<span class="bad">{failed} seeds failed</span>' if failed else '<span class="good">nothing violated</span>'
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="verdict">{word}</p><p class="dim">{escape(headline(campaign))}</p>',
        _facts(campaign),
        *_failures(campaign),
        "<h2>Simulated hours</h2>" + curve(_hours(campaign), x="s", y="hours simulated"),
        "<h2>Faults injected</h2>" + bars(table.faults, none="NEVER INJECTED"),
        "<h2>Invariants checked</h2>" + bars(table.invariants, none="NEVER CHECKED"),
        "<h2>Real time a seed</h2>" + histogram([each.seconds for each in campaign.seeds], unit="s"),
        "<h2>Messages handled</h2>" + _actors(table),
        f'<p class="dim">digest of all journals: <code>{campaign.digest}</code></p>',
    ]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return head + "\n".join(body) + "</html>\n"


def _facts(campaign: Campaign) -> str:
    facts = {
        "seeds": len(campaign.seeds),
        "simulated hours": round(campaign.hours),
        "faults": campaign.injected,
        "checks": sum(campaign.coverage.checked.values()),
        "violations": campaign.violations,
        **dict(sorted(campaign.counts.items())),
    }
    cells = "".join(f"<div><b>{value:,}</b>{escape(name)}</div>" for name, value in facts.items())
    return f'<div class="facts">{cells}</div>'


def _failures(campaign: Campaign) -> Iterator[str]:
    if not campaign.failures:
        return
    rows = [
        (str(outcome.job.seed), violation.invariant, violation.message, f"<code>{replay_command(outcome.job)}</code>")
        for outcome in campaign.failures[:_FAILURES_SHOWN]
        for violation in outcome.verdict.violations[:1]
    ]
    cells = [(seed, escape(name), escape(message), command) for seed, name, message, command in rows]
    yield "<h2>Failures</h2>" + _table(("seed", "invariant", "what was seen", "again"), cells)


def _actors(table: CoverageTable) -> str:
    rows = [
        (
            escape(actor.kind),
            f"{actor.total:,}",
            ", ".join(f"{escape(row.name)} {row.times:,}" for row in actor.handled),
            f'<span class="never">{escape(", ".join(actor.never))}</span>',
        )
        for actor in table.actors
    ]
    return _table(("actor", "messages", "handled", "never handled"), rows)


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{each}</th>" for each in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _hours(campaign: Campaign) -> list[tuple[float, float]]:
    sums = accumulate(each.hours for each in campaign.seeds)
    return [(each.done_s, hours) for each, hours in zip(campaign.seeds, sums, strict=True)]
