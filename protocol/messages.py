"""The base of all messages and the registry that finds a message type by its name.

``Message`` is told; ``Request[R]`` is asked and answered with an ``R``; ``Event`` is a fact for the journal. All are
frozen, refuse unknown fields and carry their class name as tag, so that any of them can be decoded without knowing the
type beforehand.
"""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

import msgspec

__all__ = ["Event", "Message", "Request", "Value", "event_types", "injectable_types", "message_types"]

R = TypeVar("R")


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """An immutable value inside messages; compared by its fields."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Something one actor tells another. Never mutated; safe to share between threads.

    ``LANE`` is the mailbox lane (``control`` overtakes ``data``). ``OVERFLOW`` says what a full mailbox does:
    ``reject`` (commands: the sender hears ``MailboxFull``) or ``keep`` (facts: never dropped, the producer is slowed).
    ``CONFLATE_BY`` names the field by which a newer message replaces a waiting one of the same type; empty: never.
    ``REPLAYABLE`` false: no operator may send it, nor have a dead one told again.
    """

    LANE: ClassVar[str] = "data"
    OVERFLOW: ClassVar[str] = "reject"
    CONFLATE_BY: ClassVar[str] = ""
    REPLAYABLE: ClassVar[bool] = True


class Request(Message, Generic[R], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A message that is asked and answered with an ``R``."""


class Event(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A fact in the journal. A change of fields raises ``VERSION`` and adds an upcaster to ``store/upcasters``."""

    VERSION: ClassVar[int] = 1


def _subclasses(cls: type) -> list[type]:
    found: list[type] = []
    sub: type
    for sub in cls.__subclasses__():
        if "[" not in sub.__name__:
            found.append(sub)
        found.extend(_subclasses(sub))
    return found


def message_types() -> dict[str, type[Any]]:
    """Return every message type that is imported, by class name."""
    return {cls.__name__: cls for cls in _subclasses(Message) if cls not in (Request, Event)}


def event_types() -> dict[str, type[Any]]:
    """Return every journal event type that is imported, by class name."""
    return {cls.__name__: cls for cls in _subclasses(Event)}


def injectable_types() -> dict[str, type[Any]]:
    """Return the message types an operator may inject: all that are neither journal events nor kept from operators."""
    return {name: cls for name, cls in message_types().items() if not issubclass(cls, Event) and cls.REPLAYABLE}
