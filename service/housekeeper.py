"""Collects the rubbish when nobody trades.

Python stops everything while it looks through all objects for cycles that nobody holds: with a thousand live groups for
70 ms and more, at a moment of its own choosing. So the daemon chooses: what is there at the start is set aside, young
objects are collected as always, and the whole is looked through in a quiet moment, or when there has been none for long.
"""

from __future__ import annotations

import gc
from typing import Final

from protocol.messages import Message
from runtime.actor import Actor, handles
from runtime.clock import NANOS

__all__ = ["LONGEST_S", "LOOK_S", "SHORTEST_S", "Housekeeper"]

LOOK_S: Final = 5.0
"""Seconds between two looks; without a commit between them the house is quiet."""

SHORTEST_S: Final = 60
"""Least seconds between two collections."""

LONGEST_S: Final = 3_600
"""Seconds after which it collects even when the house is never quiet."""

_YOUNG: Final = 1_000
_MIDDLE: Final = 5
_NEVER: Final = 1_000_000


class _Look(Message, frozen=True, tag=True):
    pass


class Housekeeper(Actor):
    """Takes over when objects are collected for as long as it lives."""

    def __init__(self) -> None:
        self._before = gc.get_threshold()
        self._commits = 0
        self._collected_at = 0

    def started(self) -> None:
        """Set aside what is there, and keep Python from looking through everything by itself."""
        self._collected_at = self.now()
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
        self.timers.every(LOOK_S, _Look())

    def let_go(self) -> None:
        """Give it back to Python."""
        gc.set_threshold(*self._before)
        gc.unfreeze()

    @handles
    def look(self, msg: _Look) -> None:  # noqa: ARG002 - the type is the message
        """Collect when the house is quiet and it is time, or when it is high time."""
        commits, self._commits = self._commits, self.context.system.durability.commits
        waited = (self.now() - self._collected_at) / NANOS
        if waited >= LONGEST_S or (waited >= SHORTEST_S and commits == self._commits):
            self._collected_at = self.now()
            gc.collect()
