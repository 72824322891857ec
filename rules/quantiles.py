"""Quantiles of few values, by nearest rank."""

from __future__ import annotations

from collections.abc import Collection
from math import ceil

__all__ = ["nearest_rank"]


def nearest_rank(values: Collection[float], percent: int) -> float | None:
    """Return the least of the values that at least ``percent`` (1 to 100) of them do not exceed; None of no values."""
    return sorted(values)[ceil(len(values) * percent / 100) - 1] if values else None
