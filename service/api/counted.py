"""How much there is of what, for those who look often: counted anew only once there may be something to count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from runtime.journal import JournalError
from service.api.reading import Reading
from service.incidents import unread
from store.queries import Views

__all__ = ["UNREAD_NS", "Amounts", "Counted", "Unread"]

UNREAD_NS: Final = 1_000_000_000
"""How long the number of unread incident files stands; their folder belongs to a thread, and to command lines."""


class Amounts(NamedTuple):
    """What the read models hold; ``position`` is how far they are."""

    signals: int
    open_groups: int
    closed_groups: int
    working_orders: int
    incidents: int
    slots_taken: int
    position: int


class Counted:
    """Counts once a position; ``head`` is the journal's: while nothing is written, nothing changes."""

    def __init__(self, reading: Reading, head: Callable[[], int]) -> None:
        self._reading = reading
        self._head = head
        self._known: Amounts | None = None

    async def amounts(self) -> Amounts:
        """Return the newest amounts; raise JournalError when the read models cannot be read."""
        known = self._known
        if known is not None and known.position == self._head():
            return known
        return await self._reading.views(self._counted)

    async def newest(self) -> Amounts:
        """Return what is known: while the read models cannot be read what they held before, at the ``position`` of then.

        Raises JournalError when they never could be.
        """
        try:
            return await self.amounts()
        except JournalError:
            if self._known is None:
                raise
            return self._known

    def _counted(self, views: Views) -> Amounts:
        """Count on the thread of the reading, where one comes after the other: whoever waited there finds it done."""
        position = views.position()  # before what is counted: should that be newer, it is counted once more
        if self._known is None or self._known.position != position:
            self._known = Amounts(
                **views.counts()._asdict(),
                incidents=len(views.incidents()),
                slots_taken=sum(pool.occupied for pool in views.pools()),
                position=position,
            )
        return self._known


class Unread:
    """How many incident files nobody has looked at, as it was at most ``UNREAD_NS`` ago."""

    def __init__(self, reading: Reading, data_dir: Path, now: Callable[[], int]) -> None:
        self._reading = reading
        self._data_dir = data_dir
        self._now = now
        self._count = 0
        self._looked_at: int | None = None

    async def count(self) -> int:
        """Return how many."""
        now = self._now()
        if self._looked_at is None or not 0 <= now - self._looked_at < UNREAD_NS:
            self._count = len(await self._reading.beside(lambda: unread(self._data_dir)))
            self._looked_at = now
        return self._count

    def look_again(self) -> None:
        """Have the next count look: somebody has just marked some as seen."""
        self._looked_at = None
