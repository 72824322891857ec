"""How an actor is to be made: its name, its class with arguments, where it runs, how much may wait."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runtime.errors import SpawnRefused
from runtime.mailbox import DEFAULT_CAPACITY

if TYPE_CHECKING:
    from runtime.actor import Actor

__all__ = ["DEFAULT_HANG_S", "DEFAULT_STOP_S", "Spec"]

DEFAULT_STOP_S = 5.0
"""Seconds an actor gets to end in order before it is abandoned."""

DEFAULT_HANG_S = 30.0
"""Seconds a handler may take before it counts as hung; what waits for the outside has shorter deadlines of its own."""

_NAME = re.compile(r"^[^/\s\x00-\x1f]{1,200}$")


@dataclass(frozen=True, slots=True)
class Spec:
    """Recipe of one actor; ``factory`` is called for each life.

    ``dispatch`` ``thread`` runs plain handlers in a thread of their own (blocking client libraries). An ``edge`` actor
    touches the outside world: messages to it are held until every event recorded before them is durable.
    ``stop_s`` None: it may take as long as its children need (supervisors). ``hang_s``: a handler that runs beside the
    pump (``async``, or in a thread) and has not returned by then has hung: it is ended as a crash. None: it may take for
    ever.
    """

    name: str
    factory: Callable[[], Actor]
    dispatch: Literal["task", "thread"] = "task"
    edge: bool = False
    capacity: int = DEFAULT_CAPACITY
    stop_s: float | None = DEFAULT_STOP_S
    hang_s: float | None = DEFAULT_HANG_S

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise SpawnRefused(f"an actor's name has 1 to 200 characters, no slash, no white space: {self.name!r}")
        if self.hang_s is not None and not self.hang_s > 0:
            raise SpawnRefused(f"{self.name}: hang_s is above 0, or None")
        if self.capacity < 1:
            raise SpawnRefused(f"{self.name}: the capacity of a mailbox is at least 1")
