"""Equity as it is drawn: money that came or went moves no curve, for it is no profit (EX-1705)."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["without_flows"]


def without_flows(points: Sequence[Sequence[float]], flows: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Return a curve as it would be had all that came later been there from the beginning; the newest value stays."""
    to_come = sum(flow for _, flow in flows)
    following = iter(sorted((at, flow) for at, flow in flows))
    next_one = next(following, None)
    moved = []
    for at, value in points:
        while next_one is not None and next_one[0] <= at:
            to_come -= next_one[1]
            next_one = next(following, None)
        moved.append((at, value + to_come))
    return moved
