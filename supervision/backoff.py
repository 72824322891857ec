"""How long to wait before the next try: exponential, with jitter so that many who failed together do not return together."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Backoff"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """``first_s`` before the first try, ``factor`` times as long before each further one, never above ``limit_s``.

    ``jitter`` (0..1) is the share of each delay that is drawn: 0.2 spreads a delay of 10 s evenly over 8 to 10 s. Whoever
    has run for ``forget_s`` begins at ``first_s`` again.
    """

    first_s: float = 0.1
    factor: float = 2.0
    limit_s: float = 30.0
    jitter: float = 0.2
    forget_s: float = 60.0

    def __post_init__(self) -> None:
        if not (
            0 <= self.first_s <= self.limit_s and self.factor >= 1 and 0 <= self.jitter <= 1 and self.forget_s >= 0
        ):
            raise ValueError(
                f"a backoff needs 0 <= first_s <= limit_s, factor >= 1, jitter from 0 to 1, forget_s >= 0: {self!r}"
            )

    def delay_s(self, failures: int, draw: float) -> float:
        """Return the seconds to wait after ``failures`` failures in a row before this one; ``draw`` is from [0, 1)."""
        delay = self.first_s
        for _ in range(min(failures, 1_024)):
            if delay >= self.limit_s or delay == 0:
                break
            delay *= self.factor
        return min(delay, self.limit_s) * (1 - self.jitter * draw)
