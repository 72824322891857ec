"""The faults of a run: for each kind its own chance, at the rate of the profile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from runtime.clock import NANOS
from simulation.scenario import Fault, FaultKind
from simulation.world.actors import ACTORS, DURABLE
from simulation.world.draw import Draw, between, log_between, stream, times
from simulation.world.profiles import SHAPES, Profile, Shape
from simulation.world.quiet import Hours

__all__ = ["faults_of"]

_STORM_CHANCE: Final = 0.06
"""How often an exception is the first of many in one actor: what a supervisor gives up at."""
_CODES: Final = (
    "InsufficientFunds",
    "PrecisionRejected",
    "MinNotional",
    "MarketHalted",
    "TooManyOrders",
    "PriceOutOfBand",
    "AccountRestricted",
)
_CALLS: Final = ("place", "place", "place", "cancel", "cancel", "query", "fetch")
"""Which calls lose their way: mostly those that move orders, though the others are many more."""
_RAISES: Final = (FaultKind.HANDLER_RAISES, FaultKind.HANDLER_RAISES_LATE)


def faults_of(seed: int, hours: Hours, profile: Profile) -> list[Fault]:
    """Return every fault of a run, in no order."""
    return [fault for kind in FaultKind for fault in _of_kind(seed, hours, kind, profile.rates.get(kind, 0.0))]


def _of_kind(seed: int, hours: Hours, kind: FaultKind, per_day: float) -> Iterator[Fault]:
    draw = stream(seed, f"fault {kind.value}")
    shape = SHAPES[kind]
    for begin in times(draw, per_day, hours.loud_s):
        fault = _fault(draw, hours, hours.at(begin), kind, shape)
        yield fault
        if kind in _RAISES and draw.random() < _STORM_CHANCE:
            yield from _storm(draw, hours, fault)


def _fault(draw: Draw, hours: Hours, at: int, kind: FaultKind, shape: Shape) -> Fault:
    seconds = log_between(draw, shape.seconds)
    count = draw.randint(*shape.counts)
    amount = round(between(draw, shape.amount), 3)
    # What is late or slow by seconds again and again lasts for all of them.
    times_s = hours.within(at, seconds * count)
    return Fault(at, kind, _target(draw, shape.aims), count, round(times_s / count, 3), amount)


def _target(draw: Draw, aims: str) -> str:
    match aims:
        case "actor":
            return draw.choice(ACTORS)
        case "durable":
            return draw.choice(DURABLE)
        case "code":
            return draw.choice(_CODES)
        case "call":
            return draw.choice(_CALLS)
        case _:
            return ""


def _storm(draw: Draw, hours: Hours, first: Fault) -> Iterator[Fault]:
    at = first.at
    for _ in range(draw.randint(4, 12)):
        at += round(draw.uniform(0.1, 15) * NANOS)
        if hours.is_loud(at):
            yield msgspec.structs.replace(first, at=at)
