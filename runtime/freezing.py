"""Freezes the state of a living actor, memory that stands in no journal included, and thaws it in another process.

What belongs to the system (context, references, timers, callbacks of others) is left out and put in anew; settings and
whatever else an actor's factory gives it come from the actor made anew, which also keeps secrets out of what is written.
The bytes are a pickle that is only ever loaded by ``Thawing``, which makes nothing but values of our own rooms and of a few
plain types: a pickle that names anything else is refused.
"""

from __future__ import annotations

import builtins
import io
import pickle
import types
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from runtime.actor import Actor
from runtime.bus import Bus
from runtime.clock import VirtualClock, WallClock
from runtime.context import Context
from runtime.envelope import Envelope
from runtime.ref import ActorRef
from runtime.timers import Timer, Timers

if TYPE_CHECKING:
    from runtime.durable import DurableActor

__all__ = ["ROOMS", "Freezing", "Thawing", "freeze", "thaw"]

_NOT_STATE: Final = frozenset({"context", "now", "rolled_back"})
"""Attributes that belong to a life and not to its state."""

_PLAIN: Final[dict[str, frozenset[str]]] = {
    "builtins": frozenset({"set", "frozenset", "bytearray", "complex", "range", "slice", "getattr", "list", "dict"}),
    "collections": frozenset({"deque", "OrderedDict", "defaultdict", "Counter"}),
    "copyreg": frozenset({"_reconstructor"}),
    "datetime": frozenset({"date", "datetime", "time", "timedelta", "timezone"}),
    "decimal": frozenset({"Decimal"}),
    "fractions": frozenset({"Fraction"}),
    "functools": frozenset({"partial"}),
    "msgspec._utils": frozenset({"rebuild"}),
    "pathlib": frozenset({"Path", "PosixPath"}),
    "random": frozenset({"Random"}),
    "types": frozenset({"MappingProxyType"}),
}
ROOMS: Final = frozenset(
    {"protocol", "runtime", "supervision", "rules", "indicators", "store", "venues", "market", "models", "strategies"}
    | {"actors", "research", "service", "simulation", "tests"}
)
"""Top-level packages whose classes may be thawed."""


def freeze(actor: DurableActor) -> bytes | None:
    """Return an actor's whole state; None when something in it cannot be written down."""
    state = {name: value for name, value in vars(actor).items() if name not in _NOT_STATE}
    made = {id(state[name]): name for name in (*actor.MADE_WITH, *_given(state)) if name in state}
    buffer = io.BytesIO()
    try:
        Freezing(buffer, actor, made).dump(state)
    except Exception:  # noqa: BLE001 - what is only recorded must not bring down who trades
        return None
    return buffer.getvalue()


def _given(state: dict[str, Any]) -> list[str]:
    """Name the functions that an actor was given: they are found again in one made anew."""
    return [name for name, value in state.items() if isinstance(value, partial | types.FunctionType)]


def thaw(actor: DurableActor, state: bytes, outside: Callable[[str, Any], Any]) -> None:
    """Put a frozen state into an actor made anew; ``outside`` makes what stands for a part of the system.

    Raises pickle.UnpicklingError and what a damaged pickle raises.
    """
    vars(actor).update(Thawing(io.BytesIO(state), actor, outside).load())


class Freezing(pickle.Pickler):
    """Writes values; of what belongs to the system only what it is."""

    def __init__(self, file: io.BytesIO, actor: Actor | None, made: dict[int, str]) -> None:
        super().__init__(file, protocol=5)
        self._actor = actor
        self._made = made

    def persistent_id(self, obj: Any) -> Any:
        """Name what is not written; None for a value that is."""
        kind = type(obj)
        if kind in _VALUES:
            return None
        name = self._made.get(id(obj))
        if name is not None:
            return ("made", name)
        return self._outside(obj, kind)

    def _outside(self, obj: Any, kind: type) -> Any:
        if isinstance(obj, Actor):
            return ("self", "") if obj is self._actor else ("nothing", kind.__name__)
        if isinstance(obj, ActorRef) or kind.__name__ == "_RecordedRef":
            return ("ref", obj.path)
        if kind.__name__ == "Secret":
            return ("secret", "")
        if kind is Timer:
            return ("timer", obj.at if obj.alive else 0)
        if kind is Envelope:
            ids = (obj.sender, obj.message_id, obj.correlation_id, obj.causation_id, obj.enqueued_at)
            return ("envelope", (*ids, obj.reply is not None))
        if isinstance(obj, types.FunctionType) and "<" in obj.__qualname__:
            return ("callback", obj.__qualname__)
        if isinstance(obj, types.MethodType) and isinstance(obj.__self__, Actor) and obj.__self__ is not self._actor:
            return ("callback", obj.__qualname__)
        if isinstance(obj, str) and kind.__module__.partition(".")[0] not in ROOMS:
            return ("text", str(obj))  # a library's own kind of text, as the names of headers are
        part = _PARTS.get(kind.__name__) if kind.__module__.startswith("runtime.") else None
        return (part, "") if part is not None else None


_VALUES: Final = frozenset({str, bytes, int, float, bool, type(None), tuple, list, dict, set})
_PARTS: Final = {
    **{kind.__name__: "context" for kind in (Context,)},
    "RecordedContext": "context",
    "ReplayContext": "context",
    Timers.__name__: "timers",
    Bus.__name__: "bus",
    "_RecordedBus": "bus",
    "_RecordedSystem": "system",
    "ActorSystem": "system",
    VirtualClock.__name__: "clock",
    WallClock.__name__: "clock",
}
"""Parts of the system by the names of their classes."""


class Thawing(pickle.Unpickler):
    """Reads what ``Freezing`` wrote, and refuses every class that is neither ours nor plain."""

    def __init__(self, file: io.BytesIO, actor: Actor | None, outside: Callable[[str, Any], Any]) -> None:
        super().__init__(file)
        self._actor = actor
        self._outside = outside

    def persistent_load(self, pid: Any) -> Any:
        """Return what stands for a part of the system."""
        what, value = pid
        if what == "self":
            return self._actor
        if what == "made":
            return getattr(self._actor, value)
        return self._outside(what, value)

    def find_class(self, module: str, name: str) -> Any:
        """Return a class of ours or a plain one."""
        if module.partition(".")[0] in ROOMS or name in _PLAIN.get(module, ()):
            return super().find_class(module, name)
        if module == "builtins":
            error = getattr(builtins, name, None)
            if isinstance(error, type) and issubclass(error, Exception):
                return error
        raise pickle.UnpicklingError(f"{module}.{name} is not read from a record of inputs")
