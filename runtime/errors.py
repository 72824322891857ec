"""What can go wrong between actors.

::

    BulkheadError
    └─ ActorError
       ├─ AskTimeout       no answer in time: the outcome is unknown
       ├─ ActorStopped     the target has stopped for good; the request was not handled
       ├─ ActorCrashed     the target crashed while it handled the request; ``cause`` is its error
       ├─ MailboxFull      the target's mailbox is full and the message type may be refused
       ├─ Unhandled        the target has no handler for this type
       ├─ NotReplayable    a message of this type is never told again by an operator
       ├─ SpawnRefused     the name is taken, malformed, or the parent is stopping
       ├─ LiveLock         actors tell each other messages without end while virtual time stands still (our bug)
       └─ HandlerMistake   a handler breaks the rules of the runtime (our bug)
"""

from __future__ import annotations

from protocol.errors import BulkheadError

__all__ = [
    "ActorCrashed",
    "ActorError",
    "ActorStopped",
    "AskTimeout",
    "HandlerMistake",
    "LiveLock",
    "MailboxFull",
    "NotReplayable",
    "SpawnRefused",
    "Unhandled",
]


class ActorError(BulkheadError):
    """Base of the runtime's errors."""


class AskTimeout(ActorError):
    """No answer came in time; whether the request was handled is unknown."""


class ActorStopped(ActorError):
    """The target has stopped for good; the request was not handled."""


class ActorCrashed(ActorError):
    """The target crashed while it handled the request."""

    def __init__(self, path: str, cause: BaseException) -> None:
        super().__init__(f"{path} crashed: {cause!r}")
        self.cause = cause


class MailboxFull(ActorError):
    """The target's mailbox is full and this message may be refused."""


class Unhandled(ActorError):
    """The target has no handler for this message type."""


class NotReplayable(ActorError):
    """An operator must not tell this message: its type says ``REPLAYABLE = False``."""


class SpawnRefused(ActorError):
    """A child cannot be made: its name is taken or malformed, or the parent is stopping."""


class LiveLock(ActorError):
    """Actors go on telling each other something at one instant of virtual time, which therefore never passes."""


class HandlerMistake(ActorError):
    """A handler breaks the runtime's rules; the message says which and how to mend it."""
