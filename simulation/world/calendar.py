"""When a run begins, and what the calendar and the machine's clock do during it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from runtime.clock import NANOS
from simulation.scenario import Turn, TurnKind
from simulation.world.draw import Draw, log_between, stream, times
from simulation.world.quiet import Hours

__all__ = ["DAYS", "start_of", "turns_of"]

_HOUR_S: Final = 3_600
_WEEK_H: Final = 168
_DAY: Final = 86_400 * NANOS


def _days(*texts: str) -> tuple[datetime, ...]:
    return tuple(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in texts)


DAYS: Final = _days(
    "2025-03-30T01:00",  # European summer time begins
    "2025-10-26T01:00",  # and ends
    "2025-03-09T07:00",  # that of New York begins
    "2025-11-02T06:00",  # and ends
    "2024-12-31T23:00",
    "2026-01-01T00:00",
    "2024-02-29T12:00",
    "2016-12-31T23:00",  # the last leap second so far
)
"""Instants that some runs contain: changes of the clocks, ends of years, a day that is not in every year."""

_FIRST_SATURDAY: Final = datetime(2024, 1, 6, tzinfo=UTC)
_WEEKS: Final = 104


def start_of(seed: int, hours: float) -> int:
    """Return the instant at which a run begins, at a full hour: midnights always, week ends in every week, more sometimes.

    Runs shorter than a day contain a midnight between Friday and Saturday, or one of ``DAYS``.
    """
    draw = stream(seed, "calendar")
    weekend = _FIRST_SATURDAY + timedelta(weeks=draw.randrange(_WEEKS))
    special = draw.choice(DAYS)
    within = weekend if draw.random() < 0.5 else special
    before_h = draw.uniform(0.15, 0.7) * min(hours, _WEEK_H)
    begin = int(within.timestamp()) - round(before_h * _HOUR_S)
    return (begin - begin % _HOUR_S) * NANOS


def turns_of(seed: int, hours: Hours, per_day: float) -> list[Turn]:
    """Return what the calendar and the clock do, ``per_day`` times a day and some week ends besides."""
    if per_day <= 0:
        return []
    draw = stream(seed, "turns")
    turns = list(_weekends(draw, hours))
    for at in times(draw, per_day, hours.loud_s):
        turns.extend(_turn(draw, hours, hours.at(at)))
    return turns


def _turn(draw: Draw, hours: Hours, at: int) -> Iterator[Turn]:
    match draw.choices(("small", "large", "leap", "halt"), (6, 2, 1, 2))[0]:
        case "small":
            yield Turn(at, TurnKind.CLOCK_STEP, _signed(draw, (0.2, 5.0)))
        case "large":
            # Somebody or something sets it right again, before anybody rests.
            amount = _signed(draw, (5.0, 7_200.0))
            right_after = hours.within(at, log_between(draw, (10, 5_400)))
            yield Turn(at, TurnKind.CLOCK_STEP, amount)
            yield Turn(at + round(right_after * NANOS), TurnKind.CLOCK_STEP, -amount)
        case "leap":
            midnight = at - at % _DAY + _DAY
            yield Turn(midnight if hours.is_loud(midnight) else at, TurnKind.LEAP_SECOND)
        case _:
            yield Turn(at, TurnKind.HALT, hours.within(at, log_between(draw, (60, 14_400))))


def _signed(draw: Draw, bounds: tuple[float, float]) -> float:
    return round(draw.choice((-1, 1)) * log_between(draw, bounds), 3)


def _weekends(draw: Draw, hours: Hours) -> Iterator[Turn]:
    """Yield halts that last from Friday evening on for as long as nobody rests."""
    first = datetime.fromtimestamp(hours.start // NANOS, UTC)
    friday = first.replace(hour=21) + timedelta(days=(4 - first.weekday()) % 7)
    while (at := int(friday.timestamp()) * NANOS) < hours.end:
        if draw.random() < 0.5 and hours.left_s(at) > _HOUR_S:
            yield Turn(at, TurnKind.HALT, hours.within(at, 48 * _HOUR_S))
        friday += timedelta(weeks=1)
