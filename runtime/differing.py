"""Where a replay leaves the journal: the message that was handled, what the journal says, what the actor decides now."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from runtime.journal import Record

__all__ = ["Cause", "Divergence", "Report", "differing_fields", "is_same", "without_order"]


class Cause(NamedTuple):
    """The message that was handled, or which hook of a life ran (``message`` None)."""

    name: str
    message: Any
    message_id: int
    correlation_id: int
    causation_id: int
    sender: str


class Divergence(NamedTuple):
    """The first difference in one stream. ``expected`` stands in the journal, ``got`` is what the replay decided.

    Either is None when the other has no counterpart. ``position`` 0: the journal has nothing there.
    """

    why: str
    path: str
    stream: str
    seq: int
    position: int
    at: int
    cause: Cause
    expected: Any
    got: Any
    fields: tuple[tuple[str, Any, Any], ...]
    version: str = ""
    config: int = 0
    cause_journalled: int = 0
    """Id of the message that the journal's event came from."""

    @property
    def order(self) -> tuple[bool, int, int]:
        """The place in the journal; what has none there comes last, by instant."""
        return self.position == 0, self.position, self.at

    def __str__(self) -> str:
        return f"{self.stream} #{self.seq} on {self.cause.name} {self.cause.message_id}: {self.why}"


class Report:
    """What a check came to. ``lost`` are events of the replay that no journal kept: a crash took them.

    ``snapshots`` counts those of the journal that the state then was compared with.
    """

    def __init__(self) -> None:
        self.divergence: Divergence | None = None
        self.diverged: set[str] = set()
        self.streams: set[str] = set()
        self.lives = 0
        self.messages = 0
        self.events = 0
        self.lost = 0
        self.snapshots = 0
        self.gaps: list[str] = []
        self.unverified: dict[str, str] = {}
        """Why a life could not be followed, by path."""
        self.version = ""

    def found(self, divergence: Divergence) -> None:
        """Keep the divergence that stands first in the journal."""
        self.diverged.add(divergence.stream)
        if self.divergence is None or divergence.order < self.divergence.order:
            self.divergence = divergence


def differing_fields(expected: Any, got: Any) -> tuple[tuple[str, Any, Any], ...]:
    """Return the fields of two events that differ: name, as journalled, as decided now."""
    if type(expected) is not type(got):
        return ()
    names = expected.__struct_fields__ if isinstance(expected, msgspec.Struct) else ()
    pairs = ((name, getattr(expected, name), getattr(got, name)) for name in names)
    return tuple(each for each in pairs if each[1] != each[2])


def is_same(record: Record, event: Any) -> bool:
    """Whether the journal's event is this one: its type and every field."""
    return type(record.event) is type(event) and bool(record.event == event)


def without_order(state: bytes) -> Any:
    """Return an encoded state so that order does not count: a set is written in any order."""
    try:
        return _sorted(msgspec.msgpack.decode(state))
    except (msgspec.DecodeError, ValueError):
        return state


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((repr(key), _sorted(each)) for key, each in value.items())
    if isinstance(value, list):
        return sorted((_sorted(each) for each in value), key=repr)
    return value
