"""Records what durable actors are given: the seam between the runtime and a tape.

A life that is recorded gets a context whose clock, bus and system write down what they answer; its handlers are wrapped.
A system without a recorder has none of that and pays nothing. With one, a message costs a call and a tuple: encoding and
writing happen elsewhere (``sink``), after the commit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from runtime.clock import VirtualClock
from runtime.context import Context
from runtime.durable import DurableActor
from runtime.freezing import freeze
from runtime.tape import Item, LifeBegan, Mark, TapeItem

if TYPE_CHECKING:
    from runtime.cell import Cell
    from runtime.life import Life
    from runtime.ref import ActorRef
    from runtime.system import ActorSystem

__all__ = ["MOST_WAITING", "RecordedContext", "Recorder"]

MOST_WAITING: Final = 200_000
"""Items that may wait for whoever writes them; beyond it they are dropped and a gap is said."""

_MESSAGE: Final = int(Item.MESSAGE)
_NOW: Final = int(Item.NOW)
_READ: Final = int(Item.READ)


class Recorder:
    """The record of one system. ``items`` is the tape; whoever writes it takes it with ``take``."""

    def __init__(self, *, about: dict[str, Any] | None = None, limit: int | None = None) -> None:
        self.items: list[TapeItem] = []
        self.epoch = 0
        """Counts the moments from which on every life must say anew how it stands."""
        self._about = dict(about or {})
        self._standing: dict[str, Any] = {}
        self.limit = sys.maxsize if limit is None else limit
        """Items that may wait; beyond it they are dropped and a gap is said."""
        self._lives = 0
        self._system: ActorSystem | None = None

    def attach(self, system: ActorSystem) -> None:
        """Record what durable actors of a system are given from now on; before its first actor starts."""
        self._system = system
        system.recorder = self
        self._about |= {"seed": system.seed, "virtual": isinstance(system.clock, VirtualClock)}
        self.mark(Mark.OPENED, self._about)

    def stands(self, what: str, value: Any) -> None:
        """Note something that holds for every life from here on, and say it again wherever the record begins anew."""
        self._standing[what] = value
        self.mark(what, value)

    def mark(self, what: str, value: Any = None) -> None:
        """Note something that concerns every life from here on."""
        self.items.append((int(Item.MARK), 0, what, value))

    def take(self) -> list[TapeItem]:
        """Return what was recorded since the last time, and forget it."""
        taken = self.items[:]
        # In place: every life holds this list's append.
        self.items.clear()
        return taken

    def lose(self, why: str) -> None:
        """Say that something of the record is missing: each life says before its next message how it stands."""
        self.mark(Mark.GAP, why)
        self.anew()

    def turn(self) -> None:
        """End the record here in order, and begin another that is understood without it."""
        self.mark(Mark.TURNED)
        self.anew()

    def anew(self) -> None:
        """Begin anew: each life says before its next message how it stands, so that the past is not needed."""
        self.epoch += 1
        self.mark(Mark.OPENED, self._about)
        for what, value in self._standing.items():
            self.mark(what, value)

    def begin(self, cell: Life, actor: DurableActor) -> None:
        """Record a life whose state has just been rebuilt."""
        if not actor.REPLAYABLE or (cell.spec.dispatch == "thread" and not cell.system.inline_threads):
            return
        self._lives += 1
        life = _Taped(self, cell, actor, self._lives)
        self.items.append((int(Item.LIFE), life.number, life.began(_rebuilt_from(cell, actor))))
        life.dress()

    def end(self, cell: Life, *, crashed: bool) -> None:
        """Record that a life has ended."""
        taped = getattr(getattr(cell.actor, "context", None), "taped", None)
        if taped is not None:
            self.items.append((int(Item.ENDED), taped.number, crashed))

    def overflow(self) -> None:
        """Drop everything: whoever writes it does not keep up, or is down."""
        self.items.clear()
        self.lose("too much waited to be written")


def _rebuilt_from(cell: Life, actor: DurableActor) -> tuple[int, bytes] | None:
    """Return the snapshot that a state has just been rebuilt from, None when it was events alone."""
    seq, journal = actor.snapshot_kept[0], cell.system.durability.journal
    if seq == 0 or journal is None:
        return None
    found = journal.reader().load_snapshot(actor.stream)
    return (found.seq, found.state) if found is not None and found.seq == seq else None


class _Taped:
    """One recorded life."""

    __slots__ = ("actor", "add", "at", "cell", "epoch", "number", "path", "reads", "recorder", "system")

    def __init__(self, recorder: Recorder, cell: Life, actor: DurableActor, number: int) -> None:
        self.recorder = recorder
        self.cell = cell
        self.actor = actor
        self.number = number
        self.system = cell.system
        self.path = cell.path
        self.add = recorder.items.append
        self.epoch = recorder.epoch
        self.at = -1
        self.reads = 0

    def began(self, snapshot: tuple[int, bytes] | None = None) -> LifeBegan:
        """Say which life this is."""
        actor, kind = self.actor, type(self.actor)
        born = {name: getattr(actor, name) for name in kind.BORN_WITH}
        name = f"{kind.__module__}:{kind.__qualname__}"
        life = self.cell
        return LifeBegan(
            self.path, actor.stream, name, life.incarnation, actor.sequence, born, snapshot, life.spec.factory
        )

    def dress(self) -> None:
        """Give the life a clock and a context that write down what they answer."""
        actor = self.actor
        actor.now = self.clock()  # type: ignore[method-assign]
        actor.context = RecordedContext(self.cell, self)
        if type(actor).rolled_back is not DurableActor.rolled_back:
            actor.rolled_back = self.rolling_back(actor.rolled_back)  # type: ignore[method-assign]

    def clock(self) -> Callable[[], int]:
        """Return the clock of this life."""
        read, number, add, system, path = self.system.clock.now, self.number, self.add, self.system, self.path

        def now() -> int:
            at = read()
            if system.current_path == path:
                if at != self.at:
                    self.at = at
                    add((_NOW, number, self.reads, at))
                self.reads += 1
            return at

        return now

    def wrapped(self, handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return a handler that notes each message before it handles it."""
        number, add, system, recorder = self.number, self.add, self.system, self.recorder
        items, limit = recorder.items, recorder.limit

        def taped(message: Any) -> Any:
            if len(items) >= limit:
                recorder.overflow()
            if self.epoch != recorder.epoch:
                self.restate()
            self.reads = 0
            envelope = system.current
            assert envelope is not None, "a handler runs for a message"
            add(
                (
                    _MESSAGE,
                    number,
                    message,
                    envelope.message_id,
                    envelope.correlation_id,
                    envelope.causation_id,
                    envelope.sender,
                    envelope.reply is not None,
                )
            )
            return handler(message)

        return taped

    def restate(self) -> None:
        """Say how this life stands: what came before may be missing, or in another file."""
        self.epoch = self.recorder.epoch
        state = freeze(self.actor)
        self.add((int(Item.STATE), self.number, self.began(), self.at, state))

    def rolling_back(self, forget: Callable[[], None]) -> Callable[[], None]:
        """Return the hook that notes that a life was told to forget."""

        def rolled_back() -> None:
            self.reads = 0
            self.add((int(Item.ROLLED_BACK), self.number))
            forget()

        return rolled_back

    def read(self, what: str, name: Any, value: Any, *, raised: bool = False) -> None:
        """Note what this life was answered; when others look at it (a screen does) it reads nothing for itself."""
        if self.system.current_path == self.path:
            self.add((_READ, self.number, what, name, value, raised))


class RecordedContext(Context):
    """A context that writes down what it answers."""

    __slots__ = ("_bus", "_recorded", "taped")

    def __init__(self, cell: Life, taped: _Taped) -> None:
        super().__init__(cell)  # type: ignore[arg-type]
        self.taped = taped
        self._bus = _RecordedBus(taped)
        self._recorded = _RecordedSystem(taped)

    @property
    def bus(self) -> Any:
        """The bus, its answers written down."""
        return self._bus

    @property
    def system(self) -> Any:
        """The system, its answers written down."""
        return self._recorded


class _RecordedBus:
    """The bus as a recorded life sees it. What it tells others goes the usual way at no further cost."""

    __slots__ = ("_awaited", "_choosy", "_kept", "_taped", "drop", "publish", "subscribe", "topics", "unsubscribe")

    def __init__(self, taped: _Taped) -> None:
        bus = taped.system.bus
        self._taped = taped
        self._kept, self._choosy, self._awaited = bus.kept, bus.choosy, bus.awaited
        self.publish, self.subscribe, self.unsubscribe = bus.publish, bus.subscribe, bus.unsubscribe
        self.drop, self.topics = bus.drop, bus.topics

    def kept(self, topic: str) -> Any:
        value = self._kept(topic)
        self._taped.read("kept", topic, value)
        return value

    def choosy(self, topic: str) -> bool:
        value = self._choosy(topic)
        if value:
            self._taped.read("choosy", topic, value)
        return value

    def awaited(self, topic: str, fact: Any) -> bool:
        value = self._awaited(topic, fact)
        if value:
            self._taped.read("awaited", topic, value)
        return value


class _RecordedSystem:
    """The system as a recorded life sees it."""

    __slots__ = ("_system", "_taped", "durability")

    def __init__(self, taped: _Taped) -> None:
        self._taped = taped
        self._system = taped.system
        self.durability = _RecordedDurability(taped)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._system, name)

    def lookup(self, path: str) -> Any:
        ref = self._system.lookup(path)
        self._taped.read("lookup", path, ref is not None)
        return ref if ref is None else _RecordedRef(ref, self._taped)

    def is_up(self, path: str) -> bool:
        value = self._system.is_up(path)
        self._taped.read("is_up", path, value)
        return value

    def paths(self) -> list[str]:
        value = self._system.paths()
        self._taped.read("paths", "", value)
        return value


class _RecordedDurability:
    """The journal's writer as a recorded life sees it."""

    __slots__ = ("_durability", "_taped")

    def __init__(self, taped: _Taped) -> None:
        self._taped = taped
        self._durability = taped.system.durability

    def __getattr__(self, name: str) -> Any:
        return getattr(self._durability, name)

    @property
    def error(self) -> Any:
        value = self._durability.error
        self._taped.read("journal_error", "", None if value is None else str(value))
        return value


class _RecordedRef:
    """A reference whose answers to an async handler are written down."""

    __slots__ = ("_ref", "_taped")

    def __init__(self, ref: ActorRef, taped: _Taped) -> None:
        self._ref = ref
        self._taped = taped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ref, name)

    def __eq__(self, other: object) -> bool:
        return self._ref == other

    def __hash__(self) -> int:
        return hash(self._ref)

    def __repr__(self) -> str:
        return repr(self._ref)

    async def ask(self, request: Any, timeout_s: float = 5.0) -> Any:
        taped = self._taped
        cell: Cell = taped.cell  # type: ignore[assignment]
        # What is piped comes back as a message, which is noted as one; an async handler gets the answer itself.
        handled = cell.busy
        name = (self._ref.path, type(request).__name__)
        try:
            answer = await self._ref.ask(request, timeout_s)
        except Exception as error:
            if handled:
                taped.read("ask", name, error, raised=True)
            raise
        if handled:
            taped.read("ask", name, answer)
        return answer
