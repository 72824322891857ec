"""What happened just now, kept once for all who listen: each item is written out once, however many get it.

A listener has a place in the ring and takes what came after it. One that is too slow finds that its place is gone: what the
journal holds it reads there, and of what is in no journal it is told how much it missed.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from itertools import islice
from typing import Any, Final, NamedTuple

__all__ = ["PACE_S", "RING_ITEMS", "Place", "Ring", "Said", "Seat"]

RING_ITEMS: Final = 4_096
"""Newest items that are kept while anybody listens."""

PACE_S: Final = 0.02
"""Seconds between two wakings of those who listen."""


class Said(NamedTuple):
    """One item: its journal ``position``, 0 when it is in no journal, and its text."""

    position: int
    item: dict[str, Any]
    text: str


class Place(NamedTuple):
    """How far a listener is: the number of items that were ever said, and of those that are in no journal."""

    number: int
    fleeting: int


class Seat:
    """One listener: its place, and what wakes it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.news = asyncio.Event()


class Ring:
    """The newest items. It keeps none while nobody listens.

    Listeners are woken at most every ``pace_s`` seconds: a burst of commits reaches each of them at once. 0 wakes them at
    the end of each turn of the loop, as on a clock that may stand still.
    """

    def __init__(self, most: int = RING_ITEMS, *, pace_s: float = PACE_S) -> None:
        self._items: deque[Said] = deque(maxlen=most)
        self._pace_s = pace_s
        self._end = Place(0, 0)
        self._told_at = 0.0
        self._telling = False
        self.seats: set[Seat] = set()
        self.closed = False

    def join(self) -> Seat:
        """Have one more listener; it is at the end of the ring."""
        seat = Seat(self._end)
        self.seats.add(seat)
        return seat

    def leave(self, seat: Seat) -> None:
        """Have one listener less."""
        self.seats.discard(seat)
        if not self.seats:
            self._items.clear()

    def add(self, item: dict[str, Any]) -> None:
        """Say an item to all who listen; nothing is kept when nobody does."""
        if not self.seats:
            return
        position = int(item["position"])
        self._items.append(Said(position, item, json.dumps(item, ensure_ascii=False)))
        self._end = Place(self._end.number + 1, self._end.fleeting + (not position))
        if not self._telling:
            self._telling = True
            loop = asyncio.get_running_loop()
            wait_s = self._told_at + self._pace_s - loop.time() if self._pace_s else 0.0
            if wait_s > 0:
                loop.call_later(wait_s, self._tell)
            else:
                loop.call_soon(self._tell)

    def close(self) -> None:
        """Let every listener end."""
        self.closed = True
        self.wake()

    def wake(self) -> None:
        """Wake all who listen, whether or not there is anything to hear."""
        for seat in self.seats:
            seat.news.set()

    def take(self, seat: Seat) -> tuple[list[Said], int | None]:
        """Return what was said since a seat's place, and move it to the end.

        The second value is None while all of it is here; else nothing is returned, and it is the number of items among what
        is gone that are in no journal.
        """
        place, seat.place = seat.place, self._end
        missing = self._end.number - place.number
        if missing > len(self._items):
            return [], self._end.fleeting - place.fleeting
        return list(islice(self._items, len(self._items) - missing, None)), None

    def _tell(self) -> None:
        self._telling = False
        self._told_at = asyncio.get_running_loop().time()
        self.wake()
