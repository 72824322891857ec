"""What a record of inputs consists of, in the order it happened.

The journal says what was decided; a tape says from what: which message each durable actor handled, what it read of the
outside while it handled it (the clock, standing facts, answers), and when its lives began. Fed with it, the same actors
decide the same: ``runtime.verifying`` compares that with the journal.

An item is a tuple, because one is made for every message: its kind (``Item``), the number of the life it belongs to (0:
of none), then what the kind says.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any, ClassVar, NamedTuple, TypeAlias

__all__ = ["Item", "LifeBegan", "Mark", "Replayable", "TapeItem", "Unreadable"]


class Item(IntEnum):
    """Kinds of items, and what follows their kind and the number of their life."""

    LIFE = 0
    """A life began: ``LifeBegan``."""
    MESSAGE = 1
    """A message was handled: it, its id, correlation, causation, sender, whether somebody waits for an answer."""
    NOW = 2
    """The clock was read: how many times before since the message, the instant. Left out while it stood still."""
    READ = 3
    """Something else was read: what, of which name, the value, whether the value is an error that was raised."""
    STATE = 4
    """How a life that goes on stands: ``LifeBegan``, instant, its frozen state (None: it cannot be frozen)."""
    ROLLED_BACK = 5
    """The journal could not keep a batch; this life had no events in it and was told to forget."""
    MARK = 6
    """Something that concerns all: what, and a value."""
    ENDED = 7
    """A life ended: whether it crashed, so that what it decided last may be in no journal."""


TapeItem: TypeAlias = tuple[Any, ...]


class Mark(StrEnum):
    """Marks of the tape itself; others are those of whoever records."""

    OPENED = "opened"
    """A process begins to record; the value says which (version, seed, whether time is virtual)."""
    CLOSED = "closed"
    """The process stopped in order, nothing of it is missing."""
    TURNED = "turned"
    """What follows stands in the next day's file."""
    GAP = "gap"
    """Something is missing here; the value says why."""


class Unreadable(NamedTuple):
    """Stands where a value was recorded that cannot be read again; ``why`` says why not."""

    why: str


class LifeBegan(NamedTuple):
    """A life: where, of which class, the number of its stream's newest event then, what no configuration says of it.

    ``born`` are the attributes named by the class's ``BORN_WITH``. ``snapshot`` is what its state was rebuilt from, with the
    number of its event: it may hold what was heard and stands in no event, and is overwritten by the next one.
    ``factory`` stands in memory only.
    """

    path: str
    stream: str
    kind: str
    incarnation: int
    sequence: int
    born: dict[str, Any] | Unreadable
    snapshot: tuple[int, bytes] | None = None
    factory: Any = None


class Replayable:
    """What a durable actor's class says of how its inputs are recorded and replayed."""

    REPLAYABLE: ClassVar[bool] = True
    """Whether its decisions follow from its messages and from what its context answers: no files, no sockets."""

    BORN_WITH: ClassVar[tuple[str, ...]] = ()
    """Attributes that the maker of this one actor gave it and no configuration says."""

    MADE_WITH: ClassVar[tuple[str, ...]] = ("_settings", "settings")
    """Attributes that follow from the configuration in force: never written down, they may hold secrets."""
