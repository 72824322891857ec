"""Facts that wait for the cache, in the order they were said (DS-711)."""

from __future__ import annotations

from collections import deque
from typing import Final

from protocol.nodes import FromNode

__all__ = ["MAX_WAITING", "Waiting"]

MAX_WAITING: Final = 10_000
"""Facts kept; beyond it the oldest informational one is dropped, and where there is none the oldest of all."""


class Waiting:
    """A queue with an end: what is dropped is counted in ``overflowed`` (CacheOverflow) and heard of as missed."""

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._limit = limit
        self._facts: deque[FromNode] = deque()
        self.overflowed = 0

    def __len__(self) -> int:
        return len(self._facts)

    def add(self, said: FromNode) -> None:
        """Keep a fact."""
        if len(self._facts) >= self._limit:
            self._drop_one()
        self._facts.append(said)

    def _drop_one(self) -> None:
        self.overflowed += 1
        for index, said in enumerate(self._facts):
            if said.fact.INFORMATIONAL:
                del self._facts[index]
                return
        self._facts.popleft()

    def first(self, count: int) -> list[FromNode]:
        """Return the oldest facts without taking them."""
        return [self._facts[index] for index in range(min(count, len(self._facts)))]

    def sent(self, said: list[FromNode]) -> None:
        """Forget facts that have left. What was dropped meanwhile is not there any more."""
        gone = {(each.channel, each.seq) for each in said}
        while self._facts and (self._facts[0].channel, self._facts[0].seq) in gone:
            self._facts.popleft()
