"""Chance of a world: a stream of its own for each concern, so that a change of one does not shift the others."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["Draw", "between", "log_between", "normal", "stream", "times"]

Draw = random.Random  # house: seeded on purpose: a world is a function of its seed

_SQRT3: Final = 3**0.5


def stream(seed: int, concern: str) -> Draw:
    """Return the chance of one concern of one seed."""
    return Draw(f"{seed}/{concern}")


def between(draw: Draw, bounds: tuple[float, float]) -> float:
    """Draw a number between two bounds, each as likely."""
    return draw.uniform(*bounds)


def log_between(draw: Draw, bounds: tuple[float, float]) -> float:
    """Draw a number between two positive bounds, each order of magnitude as likely."""
    low, high = bounds
    return float(low * (high / low) ** draw.random()) if low < high else float(low)


def normal(draw: Any) -> float:
    """Draw from (nearly) a standard normal, by additions only: every machine rounds them alike."""
    one = draw.random
    return float((one() + one() + one() + one() - 2) * _SQRT3)


def times(draw: Draw, per_day: float, seconds: float) -> Iterator[float]:
    """Yield the instants (seconds from 0) of something that happens ``per_day`` times a day on average, in order."""
    if per_day <= 0:
        return
    at = draw.expovariate(per_day / 86_400)
    while at < seconds:
        yield at
        at += draw.expovariate(per_day / 86_400)
