"""Collects the rubbish when nobody trades.

Python stops everything while it looks through all objects for cycles that nobody holds: with a thousand live groups for
70 ms and more, at a moment of its own choosing. So the daemon chooses: what is there at the start is set aside, young
objects are collected as always, and the whole is looked through in a quiet moment, or when there has been none for long,
or when memory has grown: what closed groups leave behind in a house that is never quiet is a hundred megabytes an hour.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Final

from protocol.control import SupervisorReport
from protocol.messages import Message
from runtime.actor import Actor, handles
from runtime.clock import NANOS
from service.api.status import memory_bytes
from supervision.keeper import TOPIC

__all__ = ["GROWN_BYTES", "LONGEST_S", "LOOK_S", "SHORTEST_S", "Housekeeper"]

LOOK_S: Final = 5.0
"""Seconds between two looks; without a commit between them the house is quiet."""

SHORTEST_S: Final = 60
"""Least seconds between two collections."""

LONGEST_S: Final = 3_600
"""Seconds after which it collects even when the house is never quiet."""

GROWN_BYTES: Final = 24 * 1_048_576
"""Growth of memory since the last collection after which it collects although the house is busy."""

_YOUNG: Final = 1_000
_MIDDLE: Final = 5
_NEVER: Final = 1_000_000


class _Look(Message, frozen=True, tag=True):
    pass


class Housekeeper(Actor):
    """Takes over when objects are collected for as long as it lives."""

    def __init__(self, memory: Callable[[], int] = memory_bytes) -> None:
        self._memory = memory
        self._least = 0
        self._ended = False
        self._before = gc.get_threshold()
        self._commits = 0
        self._collected_at = 0

    def started(self) -> None:
        """Set aside what is there, and keep Python from looking through everything by itself."""
        self._collected_at = self.now()
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
        self._least = self._memory()
        self.context.bus.subscribe(TOPIC, self.ref)
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
        quiet, grown = commits == self._commits, self._memory() - self._least >= GROWN_BYTES
        if waited >= LONGEST_S or (waited >= SHORTEST_S and (quiet or grown or self._ended)):
            self._collected_at, self._ended = self.now(), False
            gc.collect()
            self._least = self._memory()

    @handles
    def ended(self, msg: SupervisorReport) -> None:  # noqa: ARG002 - the type is the message
        """Collect before long: a life that ended leaves all that it knew, and the next one knows it too."""
        self._ended = True
