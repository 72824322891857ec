"""When things may happen: never in the half hour before a rest, never at the very end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from runtime.clock import NANOS
from simulation.world.draw import Draw, stream

__all__ = ["QUIET_S", "Hours"]


QUIET_S: Final = 1_800
"""Nothing happens for so long before a rest, and nothing that lasts reaches into it."""
_AFTER_S: Final = 900
"""A house may take so long to come to rest and to be looked at."""
_TAIL_S: Final = 7_200
_DAY_S: Final = 86_400


class Hours:
    """A run of ``hours`` from ``start`` (nanoseconds) on with its rests, and the loud stretches between them.

    Short runs have shorter silences: a quarter of the run at its end, an eighth before a rest.
    """

    def __init__(self, seed: int, start: int, hours: float) -> None:
        self.start, self.hours = start, hours
        self.end = start + round(hours * 3_600 * NANOS)
        length_s = hours * 3_600
        self.quiet_s = min(QUIET_S, length_s / 8)
        self.tail_s = min(_TAIL_S, length_s / 4)
        self.rests = tuple(start + round(at * NANOS) for at in self._rests(stream(seed, "rests"), length_s))
        self._stretches = tuple(self._loud())
        self._begins = [begin for begin, _ in self._stretches]
        self.loud_s = sum(stop - begin for begin, stop in self._stretches) / NANOS

    def at(self, loud_s: float) -> int:
        """Return the instant at which ``loud_s`` seconds (below ``loud_s`` of all) of loud time have passed."""
        left = round(loud_s * NANOS)
        for begin, stop in self._stretches:
            if left < stop - begin:
                return begin + left
            left -= stop - begin
        return self._stretches[-1][1] - 1

    def is_loud(self, at: int) -> bool:
        """Whether something may happen at an instant."""
        return self.left_s(at) > 0

    def left_s(self, at: int) -> float:
        """Return the seconds from an instant to the next silence; 0 within one."""
        index = bisect_right(self._begins, at) - 1
        return max(self._stretches[index][1] - at, 0) / NANOS if index >= 0 else 0.0

    def later(self, at: int, draw: Draw) -> int | None:
        """Return a loud instant at or some minutes after one that need not be; None after the last."""
        if self.is_loud(at):
            return at
        index = bisect_right(self._begins, at)
        if index >= len(self._stretches):
            return None
        begin, stop = self._stretches[index]
        return begin + round(draw.random() * min(stop - begin, QUIET_S * NANOS))

    def within(self, at: int, seconds: float) -> float:
        """Return ``seconds`` (at most a bit less than what is left until the next silence)."""
        return round(min(seconds, max(self.left_s(at) - 1.0, 0.0)), 3)

    def _rests(self, draw: Draw, length_s: float) -> Iterable[float]:
        for day in range(int(length_s // _DAY_S) + 1):
            at = day * _DAY_S + draw.uniform(0.05, 0.95) * _DAY_S
            if at < length_s - self.tail_s - 2 * self.quiet_s:
                yield round(at)
        yield length_s - min(_AFTER_S, self.tail_s / 4)

    def _loud(self) -> Iterable[tuple[int, int]]:
        begin = self.start + round(min(_AFTER_S, self.quiet_s) * NANOS)
        for rest in self.rests[:-1]:
            stop = rest - round(self.quiet_s * NANOS)
            if stop > begin:
                yield begin, stop
            begin = rest + round(min(_AFTER_S, self.quiet_s) * NANOS)
        yield begin, self.end - round(self.tail_s * NANOS)
