"""The cast of the runtime's tests: messages, actors that do what a test says, and a stage to play them on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

from protocol.messages import Event, Message, Request
from runtime.actor import Actor, Do, handles
from runtime.clock import VirtualClock
from runtime.durable import DurableActor
from runtime.journal import Entry, JournalUnavailable, Record
from runtime.lifecycle import ChildExited
from runtime.loop import run_virtual
from runtime.memory_journal import MemoryJournal
from runtime.ref import ActorRef
from runtime.spec import Spec
from runtime.system import ActorSystem

T = TypeVar("T")
Act = Callable[["Player", Any], Any]


class Line(Message, frozen=True):
    """An ordinary message: data lane, refused when the mailbox is full."""

    text: str


class Cue(Message, frozen=True):
    """A message on the control lane."""

    LANE: ClassVar[str] = "control"

    text: str


class Fact(Message, frozen=True):
    """A message that is never dropped."""

    OVERFLOW: ClassVar[str] = "keep"

    number: int


class Tick(Message, frozen=True):
    """A message that replaces a waiting one of the same symbol."""

    CONFLATE_BY: ClassVar[str] = "symbol"

    symbol: str
    price: int


class Stranger(Message, frozen=True):
    """A message nobody handles."""


class Question(Request[str], frozen=True):
    """A request."""

    text: str


class Blocking(Request[str], frozen=True):
    """A request for an actor on a thread."""

    text: str


class Said(Event, frozen=True):
    """An event."""

    text: str


class Broken(Exception):
    """What actors raise when a test says so."""


class Player(Actor):
    """Logs what it handles and does what the test says: ``act`` is called with the actor and each message."""

    def __init__(self, act: Act | None = None, log: list[Any] | None = None) -> None:
        self.act = act
        self.log = log if log is not None else []

    @handles
    def played(self, msg: Line | Cue | Fact | Tick | Question) -> Any:
        """Log the message, then act."""
        self.log.append(msg)
        return self.act(self, msg) if self.act is not None else None


class SlowPlayer(Actor):
    """A player whose act is awaited."""

    def __init__(self, act: Callable[[SlowPlayer, Any], Awaitable[Any]], log: list[Any] | None = None) -> None:
        self.act = act
        self.log = log if log is not None else []

    @handles
    async def played(self, msg: Line | Cue | Fact | Question) -> Any:
        """Log the message, then await the act."""
        self.log.append(msg)
        return await self.act(self, msg)


class Nurse(Actor):
    """A parent that gives each crashed child its next life at once and logs every exit."""

    def __init__(self, specs: Sequence[Spec], exits: list[ChildExited] | None = None, *, lives: int = 1_000) -> None:
        self.specs = specs
        self.exits = exits if exits is not None else []
        self.lives = lives

    def started(self) -> None:
        """Spawn the children."""
        for spec in self.specs:
            self.context.spawn(spec)

    @handles
    def exited(self, news: ChildExited) -> None:
        """Respawn after a crash, forget otherwise."""
        self.exits.append(news)
        if news.exit.abnormal and len(self.exits) < self.lives:
            self.context.respawn(news.name)
        else:
            self.context.forget(news.name)


class Teller(DurableActor):
    """Journals each line it hears as ``Said``; its state is the list of them. ``act`` may return more to do."""

    SNAPSHOT_EVERY: ClassVar[int] = 1_000_000

    def __init__(self, act: Callable[[Teller, Any], Any] | None = None) -> None:
        self.said: list[str] = []
        self.act = act
        self.recoveries = 0

    def apply(self, event: Event) -> None:
        """Take one line into the state; ``unsayable`` raises."""
        assert isinstance(event, Said)
        if event.text == "unsayable":
            raise Broken("this event cannot be applied")
        self.said.append(event.text)

    def recovered(self) -> None:
        """Count."""
        self.recoveries += 1

    @handles
    def heard(self, msg: Line | Question) -> Any:
        """Journal the line and answer with the whole state."""
        if self.act is not None:
            return self.act(self, msg)
        return Do([Said(msg.text)], answer=",".join([*self.said, msg.text]))


class TrackedJournal(MemoryJournal):
    """A memory journal that logs its commits and fails while ``failing`` is set."""

    def __init__(self, log: list[Any] | None = None) -> None:
        super().__init__()
        self.log = log if log is not None else []
        self.failing: Exception | None = None

    def append(self, entries: Sequence[Entry]) -> int:
        """Fail, or append and log the texts."""
        if self.failing is not None:
            raise self.failing
        position = super().append(entries)
        self.log.append(("commit", [getattr(entry.event, "text", None) for entry in entries]))
        return position

    def texts(self, stream: str | None = None) -> list[str]:
        """Return the texts of all events, or of one stream's."""
        records: Iterator[Record] = self.read_all() if stream is None else self.read(stream)
        return [record.event.text for record in records if isinstance(record.event, Said)]


NO_DISK = JournalUnavailable("the disk is full")


def play(
    scenario: Callable[[ActorSystem], Coroutine[Any, Any, T]], *, loop_seed: int | None = None, **options: Any
) -> T:
    """Run a scenario on a system on virtual time; ``options`` are the system's."""

    async def main(clock: VirtualClock) -> T:
        async with ActorSystem(clock=clock, **options) as system:
            return await scenario(system)

    return run_virtual(main, seed=loop_seed)


async def pass_s(seconds: float = 0.001) -> None:
    """Let virtual time pass (nothing sleeps: the clock jumps when everybody waits)."""
    await asyncio.sleep(seconds)  # house: passes virtual time


async def until(condition: Callable[[], bool]) -> None:
    """Give way until something is so; for what a thread does, which no clock of ours knows."""
    while not condition():
        await pass_s(0)


def under_nurse(
    system: ActorSystem, spec: Spec, exits: list[ChildExited] | None = None, *, lives: int = 1_000
) -> ActorRef:
    """Start an actor whose parent gives it another life after each crash."""
    system.spawn(Spec("nurse", lambda: Nurse([spec], exits, lives=lives), stop_s=None))
    ref = system.lookup(f"/nurse/{spec.name}")
    assert ref is not None
    return ref


def texts(log: Sequence[Any]) -> list[str]:
    """Return the texts of logged messages."""
    return [each.text for each in log]
