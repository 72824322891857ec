"""Does it grow? Pure arithmetic over samples: a least-squares slope with its confidence, and medians of windows."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from benchmarks.soak.sampling import Sample

__all__ = ["FLAT", "Flat", "Slope", "Verdict", "judged", "slope_of", "steady", "windows"]

HOUR_S: Final = 3_600.0


class Slope(NamedTuple):
    """Growth an hour, and half the width of its 95 % confidence interval."""

    per_hour: float
    half_width: float


class Flat(NamedTuple):
    """What a figure may grow by from the first third of the steady time to the last, medians compared.

    It passes within ``most``, or within ``share`` of the first median, whichever is more.
    """

    field: str
    unit: str
    most: float
    share: float


class Verdict(NamedTuple):
    """How one figure did."""

    flat: Flat
    first: float
    last: float
    slope: Slope
    passed: bool


FLAT: Final = (
    Flat("live_kblocks", "k", 15.0, 0.15),
    Flat("rss_mb", "MB", 32.0, 0.0),
    Flat("children_mb", "MB", 12.0, 0.0),
    Flat("fds", "", 8.0, 0.0),
    Flat("threads", "", 2.0, 0.0),
    Flat("tasks", "", 6.0, 0.25),
    Flat("timers", "", 20.0, 0.5),
    Flat("actors", "", 6.0, 0.25),
    Flat("asks", "", 5.0, 0.0),
    Flat("subscriptions", "", 20.0, 0.5),
    Flat("waiting", "", 20.0, 0.0),
)
"""The figures that have to stay flat. Actors, and what they hold, follow the number of open groups, so they may breathe.

What somebody holds is the sharp figure; in five minutes the books of the newest 5,000 orders and 10,000 fills are still
filling, and that is most of what it may grow by. The process's memory goes up and down by what lies around between two
collections (24 MB, ``service.housekeeper``) and by the copies that restarted actors leave.
"""


def steady(samples: Sequence[Sample], warm_up_s: float) -> list[Sample]:
    """Return the samples of the last process from ``warm_up_s`` after its first one."""
    if not samples:
        return []
    mine = [each for each in samples if each.pid == samples[-1].pid]
    return [each for each in mine if each.at_s - mine[0].at_s >= warm_up_s]


def windows(values: Sequence[float]) -> tuple[float, float]:
    """Return the medians of the first and of the last third; raise ValueError on fewer than six values."""
    if len(values) < 6:
        raise ValueError("six samples are the least that have a first and a last third")
    third = len(values) // 3
    return statistics.median(values[:third]), statistics.median(values[-third:])


def slope_of(at_s: Sequence[float], values: Sequence[float]) -> Slope:
    """Fit a line; the interval counts neighbouring residuals that go together as fewer samples than they are."""
    count = len(values)
    if count < 3:
        raise ValueError("a slope needs three samples")
    middle_t, middle_v = statistics.fmean(at_s), statistics.fmean(values)
    spread = sum((t - middle_t) ** 2 for t in at_s)
    if spread == 0:
        raise ValueError("all samples are of one moment")
    slope = sum((t - middle_t) * (v - middle_v) for t, v in zip(at_s, values, strict=True)) / spread
    rest = [v - middle_v - slope * (t - middle_t) for t, v in zip(at_s, values, strict=True)]
    free = max(1.0, _independent(rest) - 2)
    error = math.sqrt(sum(each * each for each in rest) / count * (count / free) / spread)
    return Slope(slope * HOUR_S, 1.96 * error * HOUR_S)


def _independent(rest: Sequence[float]) -> float:
    """Return how many independent samples these residuals are worth, by their correlation with the next one."""
    power = sum(each * each for each in rest)
    if power == 0:
        return len(rest)
    with_next = sum(a * b for a, b in pairwise(rest)) / power
    with_next = min(0.98, max(0.0, with_next))
    return len(rest) * (1 - with_next) / (1 + with_next)


def judged(samples: Sequence[Sample], warm_up_s: float) -> list[Verdict]:
    """Judge every figure that has to stay flat; raise ValueError when the steady time is too short to say anything."""
    seen = steady(samples, warm_up_s)
    at_s = [each.at_s for each in seen]
    found = []
    for flat in FLAT:
        values = [float(getattr(each, flat.field)) for each in seen]
        first, last = windows(values)
        allowed = max(flat.most, flat.share * first)
        found.append(Verdict(flat, first, last, slope_of(at_s, values), last - first <= allowed))
    return found
