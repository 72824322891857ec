"""Numbers of one actor: counters and a histogram of handle times that cost one addition a message."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BUCKETS", "ActorStats", "quantile_ns"]

BUCKETS = 40
"""Bucket b of a histogram counts handle times of 2^(b-1) up to 2^b - 1 nanoseconds."""


class ActorStats(NamedTuple):
    """What an actor did so far, over all its lives. Ages and times in nanoseconds; ``histogram`` as in ``BUCKETS``."""

    path: str
    kind: str
    state: str
    handled: int
    failed: int
    restarts: int
    depth: int
    oldest_age_ns: int
    conflated: int
    rejected: int
    unhandled: int
    histogram: tuple[int, ...]
    dispatch: str
    parked: int
    detail: str

    def p(self, quantile: float) -> int:
        """Return an upper bound of the handle time at a quantile (0..1), nanoseconds; 0 when nothing was handled."""
        return quantile_ns(self.histogram, quantile)


def quantile_ns(histogram: tuple[int, ...] | list[int], quantile: float) -> int:
    """Return the upper edge of the bucket in which a quantile falls; 0 for an empty histogram."""
    total = sum(histogram)
    if not total:
        return 0
    seen = 0
    for bucket, count in enumerate(histogram):
        seen += count
        if seen >= quantile * total:
            return int(2**bucket)
    return int(2 ** len(histogram))
