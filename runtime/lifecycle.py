"""What an actor hears about the lives of others: its children's starts and exits, and those it watches.

The words are Erlang/OTP's: *normal* (it was done), *shutdown* (it was told to), *crash* (it raised), *killed* (it did not
stop by its deadline and was abandoned).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final, NamedTuple

__all__ = ["NEWS", "ChildExited", "ChildStarted", "Exit", "ExitKind", "LifeState", "Terminated"]


class ExitKind(StrEnum):
    """Why an actor ended."""

    NORMAL = "normal"
    SHUTDOWN = "shutdown"
    CRASH = "crash"
    KILLED = "killed"


class LifeState(StrEnum):
    """Where an actor stands in its life."""

    NEW = "new"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    DOWN = "down"
    """Between two lives: it ended, its mailbox is kept, its parent decides."""
    STOPPED = "stopped"


class Exit(NamedTuple):
    """How an actor ended; ``error`` only after a crash, ``envelope`` the message it crashed on (None: start, timer...)."""

    kind: ExitKind
    error: BaseException | None = None
    envelope: Any = None

    @property
    def abnormal(self) -> bool:
        """Whether OTP calls this exit abnormal (a transient child is restarted)."""
        return self.kind in (ExitKind.CRASH, ExitKind.KILLED)

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.error!r}" if self.error is not None else self.kind.value


@dataclass(frozen=True, slots=True)
class ChildStarted:
    """To a parent: this child is up and handles messages."""

    LANE: ClassVar[str] = "system"

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class ChildExited:
    """To a parent: this child has ended; ``starting`` when it never came up."""

    LANE: ClassVar[str] = "system"

    path: str
    name: str
    exit: Exit
    starting: bool


@dataclass(frozen=True, slots=True)
class Terminated:
    """To a watcher: the actor at ``path`` has ended for good."""

    LANE: ClassVar[str] = "system"

    path: str
    exit: Exit


NEWS: Final = (ChildStarted, ChildExited, Terminated)
"""What the runtime itself tells; nobody has to handle it, and unread it is no dead letter."""
