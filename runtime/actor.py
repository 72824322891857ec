"""What an actor is: a class whose handlers are found by the annotation of their one argument.

::

    class OrderDesk(Actor):
        @handles
        def submitted(self, msg: SubmitOrder) -> Do | None: ...

Plain ``def`` handlers are the hot path: the pump calls them directly. ``async def`` handlers are for what truly waits;
while one waits its actor handles nothing else. Either may return a ``Do``: what to journal, then what to tell, then the
answer to the asker. Any other value that is not None is the answer itself.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from protocol.messages import Event, Message, Request, Value
from runtime.errors import HandlerMistake

if TYPE_CHECKING:
    from runtime.context import Context
    from runtime.ref import ActorRef
    from runtime.timers import Timers

__all__ = ["NO_ANSWER", "Actor", "Do", "handles"]

H = TypeVar("H", bound=Callable[..., Any])
NO_ANSWER: Final[Any] = object()
"""Stands for "no answer yet": the asker keeps waiting until ``Context.answer``."""

_TOO_WIDE: Final[frozenset[Any]] = frozenset({object, Any, Message, Request, Event, Value})


class Do:
    """What a handler decided: events to journal, then messages to tell, then the answer to the asker.

    A message is told to a reference or to whoever lives at a path at that moment (nobody: a dead letter).
    ``correlation_id`` puts the events into an older causal chain (a fill belongs to its order's signal). ``then`` is
    called when the events are applied and the messages told; what it returns is carried out in place of ``answer``.
    """

    __slots__ = ("answer", "correlation_id", "events", "tells", "then")

    def __init__(
        self,
        events: Sequence[Event] = (),
        tells: Sequence[tuple[ActorRef | str, Any]] = (),
        answer: Any = None,
        *,
        correlation_id: int | None = None,
        then: Callable[[], Do | None] | None = None,
    ) -> None:
        self.events = events
        self.tells = tells
        self.answer = answer
        self.correlation_id = correlation_id
        self.then = then


def handles(method: H) -> H:
    """Mark a method as the handler of the message type that its argument is annotated with."""
    method.__handles__ = True  # type: ignore[attr-defined]
    return method


class Actor:
    """State that only its own handlers touch, one message at a time.

    ``started`` runs before the first message, ``stopping`` after the last; both may be ``async``. Raising in any of
    them, or in a handler, ends this life of the actor; its supervisor decides what follows. ``let_go`` runs in any case.
    """

    HANDLERS: ClassVar[dict[type, str]] = {}
    context: Context

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        found: dict[type, str] = {}
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            if getattr(method, "__handles__", False):
                for kind in _annotated_types(cls, name, method):
                    if kind in found:
                        raise HandlerMistake(f"{cls.__name__}: {name} and {found[kind]} both handle {kind.__name__}")
                    found[kind] = name
            elif name in cls.HANDLERS.values():
                raise HandlerMistake(f"{cls.__name__}.{name} replaces a handler: mark it with @handles too")
        cls.HANDLERS = found

    def started(self) -> Awaitable[None] | Do | None:
        """Run once before the first message of each life."""
        return None

    def stopping(self) -> Awaitable[None] | None:
        """Run once after the last message of a life that ends in order (not after a crash)."""
        return None

    def let_go(self) -> Awaitable[None] | None:
        """Let go of what this life holds outside the system (sockets, files): runs at the end of every life, once.

        After ``stopping``, or after a crash, also one in ``started``. The next life waits for it until the deadline of its
        spec. What it raises is reported.
        """
        return None

    def rolled_back(self) -> None:
        """Forget what was taken in lately and stands in memory only: the journal could not keep what it came from.

        Called on every living actor that had no events in the lost batch; those that had are rebuilt.
        """

    @property
    def ref(self) -> ActorRef:
        """The reference under which others reach this actor."""
        return self.context.ref

    @property
    def timers(self) -> Timers:
        """Timers of this life; they end with it."""
        return self.context.timers

    def now(self) -> int:
        """Return the instant on the injected clock (nanoseconds)."""
        return self.context.system.clock.now()


def _annotated_types(cls: type, name: str, method: Callable[..., Any]) -> tuple[type, ...]:
    parameters = list(inspect.signature(method).parameters)
    if len(parameters) != 2:
        raise HandlerMistake(f"{cls.__name__}.{name}: a handler takes self and one message")
    try:
        kind = typing.get_type_hints(method).get(parameters[1])
    except NameError as error:
        # Annotations are read while the class is made: a type imported for type checkers only is not there.
        raise HandlerMistake(f"{cls.__name__}.{name}: {error}; import it at run time") from error
    union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    kinds = typing.get_args(kind) if union else (kind,)
    if not all(isinstance(each, type) and typing.get_origin(each) is None for each in kinds):
        raise HandlerMistake(f"{cls.__name__}.{name}: annotate `{parameters[1]}` with the message type it handles")
    for each in kinds:
        if each in _TOO_WIDE:
            # Dispatch is by exact type: such a handler would never be called.
            raise HandlerMistake(f"{cls.__name__}.{name}: {each.__name__} is a base of messages, name the messages")
    return tuple(kinds)
