"""Tell what a soak came to: a table in a terminal, a page with a picture for the documentation."""

from __future__ import annotations

import argparse
import os
import platform
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.soak.audit import Check
from benchmarks.soak.sampling import Sample
from benchmarks.soak.trend import Verdict, steady

__all__ = ["Report", "as_text", "picture", "write_page"]


class Report(NamedTuple):
    """Everything a soak has seen."""

    options: argparse.Namespace
    samples: list[Sample]
    verdicts: list[Verdict]
    checks: list[Check]
    made: Counter[str]
    refused: Counter[str]
    answers: Counter[str]
    starts: int
    commit: str
    incidents: Counter[str]

    @property
    def passed(self) -> bool:
        """Whether everything stayed flat and nothing was lost."""
        return all(each.passed for each in self.verdicts) and all(each.passed for each in self.checks)


_NAMES: Final = {
    "live_kblocks": "blocks of memory that are held, thousands",
    "rss_mb": "memory of the daemon",
    "children_mb": "memory of its helper processes",
    "fds": "open files and sockets",
    "threads": "threads",
    "tasks": "asyncio tasks",
    "timers": "timers",
    "actors": "actors",
    "asks": "questions under way",
    "subscriptions": "subscriptions",
    "waiting": "messages that wait",
}


def _rows(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for verdict in report.verdicts:
        unit = f" {verdict.flat.unit}" if verdict.flat.unit else ""
        allowed = max(verdict.flat.most, verdict.flat.share * verdict.first)
        rows.append(
            (
                _NAMES[verdict.flat.field],
                f"{verdict.first:.1f}{unit}",
                f"{verdict.last:.1f}{unit}",
                f"{verdict.slope.per_hour:+.1f} ± {verdict.slope.half_width:.1f}{unit}/h",
                f"+{allowed:.0f}{unit}",
                "flat" if verdict.passed else "GROWS",
            )
        )
    return rows


_HEAD: Final = ("figure", "first third", "last third", "slope (95 %)", "may grow by", "")


def _facts(report: Report) -> list[str]:
    seen = steady(report.samples, report.options.warm_up_s)
    last = report.samples[-1]
    lasted = max(1e-9, (seen[-1].at_s - seen[0].at_s) / 3600)
    grown = seen[-1].journal_mb - seen[0].journal_mb
    answers = ", ".join(f"{count} x {status}" for status, count in sorted(report.answers.items()))
    trouble = ", ".join(f"{count} x {name}" for name, count in sorted(report.made.items()))
    busy = (seen[-1].cpu_s - seen[0].cpu_s) / (seen[-1].at_s - seen[0].at_s)
    options, loop = report.options, f"p99 {last.lag_p99_ms:.1f} ms, worst {last.lag_worst_ms:.0f} ms"
    grows = f"journal: {last.journal_mb:.1f} MB, {grown / lasted:+.1f} MB/h; read models: {last.views_mb:.1f} MB"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return [
        f"{options.minutes:g} minutes, {options.rate:g} alerts a second, seed {options.seed}",
        f"judged: the last {lasted * 60:.0f} minutes, {len(seen)} looks",
        f"{machine}, commit {report.commit or 'unknown'}",
        f"starts of the daemon: {report.starts}, {report.starts - 1} of them after kill -9",
        f"answers to alerts: {answers}",
        f"trouble made: {trouble or 'none'}",
        f"messages handled: {last.handled:,}, restarts of actors: {last.restarts}, crashes: {last.failed}",
        f"incidents: {', '.join(f'{count} x {name}' for name, count in report.incidents.most_common()) or 'none'}",
        f"delay of the event loop: {loop}; processor: {100 * busy:.0f} % of a core",
        f"{grows} (they keep everything, so they grow with what happens)",
    ]


def as_text(report: Report) -> str:
    """Return the report for a terminal."""
    rows = [_HEAD, *_rows(report)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += ["", *_facts(report), ""]
    for check in report.checks:
        lines.append(f"{'ok   ' if check.passed else 'WRONG'} {check.looked_at:>8,} {check.name}")
        lines += [f"      {each}" for each in check.wrong[:5]]
    lines.append("PASSED" if report.passed else "FAILED")
    return "\n".join(lines)


_INTRO: Final = """# The soak

The real daemon in its own process, on the wall clock, under alerts over HTTP, a venue that misbehaves, actors that are
restarted and a process that is killed: does anything grow, is anything lost? Written by
`python -m benchmarks.soak --page docs/reference/soak.md`; five minutes of it are run in CI. This run {}."""

_FLAT: Final = """## What has to stay flat

The medians of the first and the last third of the judged time are compared. The slope is a least-squares line with its 95 %
interval, in which neighbouring looks that go together count as fewer than they are."""

_CHECKED: Final = """## What has to be true at the end

Read from the journal after a last `kill -9`, a start and an orderly stop."""


def write_page(report: Report, page: Path) -> None:
    """Write the page, and its picture into ``assets`` beside the folder of the page."""
    assets = page.parent.parent / "assets"
    assets.mkdir(parents=True, exist_ok=True)
    (assets / "soak.svg").write_text(picture(report.samples), encoding="utf-8")
    table = [" | ".join(_HEAD), " | ".join("---" for _ in _HEAD), *(" | ".join(row) for row in _rows(report))]
    checks = [f"| {each.name} | {each.looked_at:,} | {len(each.wrong)} |" for each in report.checks]
    parts = [_INTRO.format("passed" if report.passed else "**failed**")]
    parts += ["\n".join(f"- {fact}" for fact in _facts(report))]
    parts += [
        "![memory, files, tasks and actors over time](../assets/soak.svg)",
        _FLAT,
        "\n".join(f"| {row} |" for row in table),
    ]
    parts += [_CHECKED, "\n".join(["| what | looked at | wrong |", "| --- | --- | --- |", *checks])]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


# --- the picture -------------------------------------------------------------------------------------------------------

_WIDTH: Final = 760
_HEIGHT: Final = 110
_LEFT: Final = 70
_CURVES: Final = (
    ("rss_mb", "memory, MB", "#1f77b4"),
    ("live_kblocks", "blocks held, thousands", "#ff7f0e"),
    ("children_mb", "helper processes, MB", "#17becf"),
    ("fds", "files and sockets", "#2ca02c"),
    ("tasks", "tasks", "#9467bd"),
    ("actors", "actors", "#d62728"),
    ("journal_mb", "journal, MB", "#7f7f7f"),
)


def picture(samples: Sequence[Sample]) -> str:
    """Return one small plot a figure, above each other, as SVG."""
    total = len(_CURVES) * _HEIGHT + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {total}" font-family="sans-serif" font-size="11">',
        f'<rect width="{_WIDTH}" height="{total}" fill="#ffffff"/>',
    ]
    last_s = max(samples[-1].at_s, 1.0)
    for place, (field, title, colour) in enumerate(_CURVES):
        parts += _curve(samples, field, title, colour, place * _HEIGHT, last_s)
    for part in range(5):
        x = _LEFT + (_WIDTH - _LEFT - 20) * part / 4
        parts.append(f'<text x="{x:.0f}" y="{total - 10}" text-anchor="middle">{last_s * part / 240:.0f} min</text>')
    return "\n".join([*parts, "</svg>", ""])


def _curve(samples: Sequence[Sample], field: str, title: str, colour: str, top: int, last_s: float) -> list[str]:
    values = [float(getattr(each, field)) for each in samples]
    most = max(*values, 1.0) * 1.1
    bottom, height = top + _HEIGHT - 8, _HEIGHT - 30
    lines: dict[int, list[str]] = {}
    for each, value in zip(samples, values, strict=True):
        x = _LEFT + (_WIDTH - _LEFT - 20) * each.at_s / last_s
        lines.setdefault(each.pid, []).append(f"{x:.1f},{bottom - height * value / most:.1f}")
    return [
        f'<text x="8" y="{top + 16}" fill="{colour}">{title}</text>',
        f'<text x="{_LEFT - 6}" y="{top + 30}" text-anchor="end">{most:.0f}</text>',
        f'<text x="{_LEFT - 6}" y="{bottom}" text-anchor="end">0</text>',
        f'<line x1="{_LEFT}" y1="{bottom}" x2="{_WIDTH - 20}" y2="{bottom}" stroke="#cccccc"/>',
        *(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="1.4"/>'
            for points in lines.values()
        ),
    ]
