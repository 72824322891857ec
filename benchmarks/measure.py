"""What every measurement shares: rows of the table, medians, percentiles, rounds in turns, one core."""

from __future__ import annotations

import gc
import math
import os
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

__all__ = ["Row", "in_turns", "on_one_core", "percentile", "row_of", "spread_percent", "table"]


class Row(NamedTuple):
    """One line of the table. ``ratio`` is the figure divided by that of ``against``, measured in the same run."""

    name: str
    figure: float
    unit: str
    spread_percent: float | None = None
    ratio: float | None = None
    against: str = ""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` (0..1) of the values do not exceed; raise ValueError on none."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def spread_percent(values: Sequence[float]) -> float:
    """Return half the range between the quartiles in percent of the median; 0 for less than two values."""
    if len(values) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return 50 * (high - low) / middle if middle else 0.0


def row_of(name: str, values: Sequence[float], unit: str, *, against: tuple[str, Sequence[float]] | None = None) -> Row:
    """Return the row of several rounds: median, spread, and the ratio to the median of ``against`` (name, rounds)."""
    middle = statistics.median(values)
    peer, ratio = "", None
    if against is not None:
        peer, ratio = against[0], middle / statistics.median(against[1])
    return Row(name, middle, unit, spread_percent(values), ratio, peer)


def in_turns(rounds: int, work: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Run every piece of work once a round, beginning with another one each round; return the figures of each by name.

    Taking turns lets a slow moment of the machine hit all of them alike. Rubbish is collected before each piece.
    """
    names = list(work)
    figures: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            gc.collect()
            figures[name].append(work[name]())
    return figures


@contextmanager
def on_one_core() -> Iterator[bool]:
    """Keep this process on one core inside the block; yield whether the system lets us choose."""
    if not hasattr(os, "sched_setaffinity"):
        yield False
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield True
    finally:
        os.sched_setaffinity(0, allowed)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text."""
    width = max((len(row.name) for row in rows), default=4)
    unit = max((len(row.unit) for row in rows), default=4)
    lines = [f"{'what':<{width}} {'figure':>12} {'unit':<{unit}} {'±%':>5}  ratio"]
    for row in rows:
        spread = "" if row.spread_percent is None else f"{row.spread_percent:.0f}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f} x {row.against}"
        lines.append(f"{row.name:<{width}} {_figure(row.figure):>12} {row.unit:<{unit}} {spread:>5}  {ratio}".rstrip())
    return "\n".join(lines)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.2f}"
