"""Two exponential moving averages: be long while the fast one is above the slow one.

The plainest trend rule there is. It shows how signals travel; nobody should expect it to earn money.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Self

__all__ = ["Crossing", "Wish"]


class Wish(StrEnum):
    """What a strategy would like."""

    ENTER = "enter"
    EXIT = "exit"
    NOTHING = "nothing"


class Crossing(NamedTuple):
    """State of one symbol: both averages and how many prices they have seen. Lengths count prices."""

    fast_length: int = 12
    slow_length: int = 48
    fast: float = 0.0
    slow: float = 0.0
    seen: int = 0

    def heard(self, price: float) -> Self:
        """Return the state after one more price."""
        if not self.seen:
            return self._replace(fast=price, slow=price, seen=1)
        fast = self.fast + (price - self.fast) * 2 / (self.fast_length + 1)
        slow = self.slow + (price - self.slow) * 2 / (self.slow_length + 1)
        return self._replace(fast=fast, slow=slow, seen=self.seen + 1)

    def wish(self, *, long: bool) -> Wish:
        """Return what the rule wants given whether we are long; nothing before the slow average is full."""
        if self.seen < self.slow_length:
            return Wish.NOTHING
        if not long and self.fast > self.slow:
            return Wish.ENTER
        if long and self.fast < self.slow:
            return Wish.EXIT
        return Wish.NOTHING
