"""The stage of the actors' tests: one actor under test, probes at the paths it talks to, a journal, virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any, TypeVar

from protocol.brackets import PlaceBracketAtVenue, SubmitBracket
from protocol.groups import (
    AddPyramid,
    CloseGroup,
    FreezeGroup,
    GroupChanged,
    ReduceGroup,
    RiskCloseEnded,
    SlotReleased,
    UnfreezeGroup,
)
from protocol.market import Bar, FeedStatus, PriceTick, SubscribeMarket
from protocol.messages import Event
from protocol.offset import TellStanding
from protocol.orders import (
    CancelAtVenue,
    CancelOrder,
    DeskUp,
    FillReport,
    FillReported,
    OrderReport,
    OrderUpdate,
    PlaceAtVenue,
    RetellOrders,
    SubmitOrder,
)
from protocol.pool import ContinuationReplaced, GroupMail, GroupsUp, PoolIdentities, StartGroup
from protocol.precision import NeedRules, RulesState
from protocol.risk import Permit, RenewPermit
from protocol.signals import EntryRequest, ExitRequest, ReduceRequest, RetellSignals, SignalOutcome
from protocol.venue import (
    BalancesChanged,
    FetchVenueState,
    FillsFrom,
    MarketsClosed,
    QueryAtVenue,
    ReconcileNow,
    SessionDown,
    SessionUp,
    VenueHealth,
    VenueSnapshot,
)
from protocol.webhook import NewestPrice, WebhookRequest
from runtime.actor import NO_ANSWER, Actor, handles
from runtime.clock import NANOS, VirtualClock
from runtime.errors import LiveLock
from runtime.journal import JournalUnavailable
from runtime.lifecycle import ChildExited
from runtime.loop import run_virtual
from runtime.memory_journal import MemoryJournal
from runtime.ref import ActorRef
from runtime.spec import Spec
from runtime.system import ActorSystem
from venues.paper.messages import BarInProgress

T = TypeVar("T")
D = Decimal
S = NANOS
START = 1_700_000_000 * S
NO_DISK = JournalUnavailable("the disk is full")


class Broken(Exception):
    """What an actor dies of when a test says so."""


class Probe(Actor):
    """Remembers what it is told; ``answers`` says what it answers to each type of request."""

    def __init__(self, log: list[Any], answers: dict[type, Callable[[Any], Any]], topics: tuple[str, ...]) -> None:
        self.log = log
        self.answers = answers
        self.topics = topics

    def started(self) -> None:
        for topic in self.topics:
            self.context.bus.subscribe(topic, self.ref)

    @handles
    def orders(
        self,
        msg: SubmitOrder
        | CancelOrder
        | RetellOrders
        | OrderUpdate
        | FillReported
        | PlaceAtVenue
        | PlaceBracketAtVenue
        | SubmitBracket
        | CancelAtVenue
        | QueryAtVenue
        | OrderReport
        | FillReport
        | DeskUp
        | ReconcileNow
        | VenueSnapshot
        | FetchVenueState
        | FillsFrom,
    ) -> Any:
        return self.heard(msg)

    @handles
    def groups(
        self,
        msg: GroupMail
        | StartGroup
        | GroupsUp
        | AddPyramid
        | CloseGroup
        | ReduceGroup
        | SlotReleased
        | GroupChanged
        | RiskCloseEnded
        | SignalOutcome
        | EntryRequest
        | ExitRequest
        | ReduceRequest,
    ) -> Any:
        return self.heard(msg)

    @handles
    def others(
        self,
        msg: Permit
        | RenewPermit
        | SessionUp
        | SessionDown
        | VenueHealth
        | BalancesChanged
        | RulesState
        | NeedRules
        | FreezeGroup
        | UnfreezeGroup
        | PriceTick
        | Bar
        | BarInProgress
        | FeedStatus
        | MarketsClosed
        | SubscribeMarket
        | NewestPrice
        | WebhookRequest
        | PoolIdentities
        | ContinuationReplaced
        | RetellSignals
        | TellStanding,
    ) -> Any:
        return self.heard(msg)

    def heard(self, msg: Any) -> Any:
        self.log.append(msg)
        answer = self.answers.get(type(msg))
        return answer(msg) if answer is not None else NO_ANSWER


class Nurse(Actor):
    """Gives each crashed child its next life at once."""

    @handles
    def exited(self, news: ChildExited) -> None:
        if news.exit.abnormal:
            self.context.respawn(news.name)
        else:
            self.context.forget(news.name)


class FailingJournal(MemoryJournal):
    """A memory journal that refuses to append while ``failing``, or ``fail_next`` times; ``commits`` lists the events."""

    def __init__(self) -> None:
        super().__init__()
        self.failing = False
        self.fail_next = 0
        self.commits: list[list[Event]] = []

    def append(self, entries: Any) -> int:
        if self.failing or self.fail_next:
            self.fail_next = max(0, self.fail_next - 1)
            raise NO_DISK
        self.commits.append([entry.event for entry in entries])
        return super().append(entries)


class Stage:
    """A system on the virtual clock whose actors live under ``/house``."""

    def __init__(self, system: ActorSystem, journal: MemoryJournal) -> None:
        self.system = system
        self.journal = journal
        self._home(Nurse)

    def _home(self, factory: Callable[[], Actor]) -> None:
        self.system.spawn(Spec("house", factory, stop_s=None))

    @property
    def now(self) -> int:
        return self.system.now()

    def add(self, name: str, factory: Callable[[], Actor], *, edge: bool = False, dispatch: Any = "task") -> ActorRef:
        """Start the actor ``/house/name``."""
        house = self.system.cell_of("/house")
        assert house is not None
        return house.spawn(Spec(name, factory, edge=edge, dispatch=dispatch))

    def probe(
        self,
        name: str,
        *,
        topics: tuple[str, ...] = (),
        edge: bool = False,
        answers: dict[type, Callable[[Any], Any]] | None = None,
    ) -> list[Any]:
        """Start a probe at ``/house/name``; return the list of what it hears."""
        log: list[Any] = []
        self.add(name, lambda: Probe(log, answers or {}, topics), edge=edge)
        return log

    def remove(self, name: str) -> None:
        """End an actor for good."""
        cell = self.system.cell_of(f"/house/{name}")
        assert cell is not None
        cell.stop_self()

    def actor(self, name: str) -> Any:
        """Return the object of the actor's present life."""
        cell = self.system.cell_of(f"/house/{name}")
        assert cell is not None
        return cell.actor

    def tell(self, name: str, *messages: Any) -> None:
        """Tell an actor some messages."""
        ref = self.system.lookup(f"/house/{name}")
        assert ref is not None
        for message in messages:
            ref.tell(message)

    async def ask(self, name: str, request: Any, timeout_s: float = 5.0) -> Any:
        """Ask an actor."""
        ref = self.system.lookup(f"/house/{name}")
        assert ref is not None
        return await ref.ask(request, timeout_s)

    async def told(self, name: str, *messages: Any) -> None:
        """Tell an actor some messages and let all consequences that need no time happen."""
        self.tell(name, *messages)
        await self.settle()

    async def crash(self, name: str) -> None:
        """End an actor's present life by an error; its next one begins."""
        cell = self.system.cell_of(f"/house/{name}")
        assert cell is not None
        cell.crash(Broken("by the test"), None)
        await self.settle()

    async def settle(self) -> None:
        """Let everything happen that needs no time."""
        await self.passes(0.000_001)

    async def passes(self, seconds: float) -> None:
        """Let virtual time pass (nothing sleeps: the clock jumps when everybody waits)."""
        loop = asyncio.get_running_loop()
        passed = loop.create_future()
        loop.call_later(seconds, passed.set_result, None)
        await passed

    def events(self, stream: str, kind: type[T] | None = None) -> list[Any]:
        """Return a stream's journalled events, all or those of a kind."""
        found = [record.event for record in self.journal.read(stream)]
        return found if kind is None else [event for event in found if isinstance(event, kind)]

    def letters(self) -> list[str]:
        """Return what became a dead letter: type and path."""
        return [f"{type(each.envelope.message).__name__} {each.path}" for each in self.system.dead_letters.all()]


def play(
    scenario: Callable[[Stage], Coroutine[Any, Any, T]],
    *,
    journal: MemoryJournal | None = None,
    start: int = START,
    **options: Any,
) -> T:
    """Run a scenario on a fresh system; one that is given the same journal again finds what the last one left."""
    kept = journal if journal is not None else FailingJournal()

    async def main(clock: VirtualClock) -> T:
        async with ActorSystem(clock=clock, journal=kept, **options) as system:
            return await _unless_time_stands_still(system, scenario(Stage(system, kept)))

    return run_virtual(main, start=start)


async def _unless_time_stands_still(system: ActorSystem, scenario: Coroutine[Any, Any, T]) -> T:
    """Await a scenario; raise when actors talk in a circle, which it would wait for without end."""
    played, failed = asyncio.ensure_future(scenario), asyncio.ensure_future(system.failed())
    try:
        await asyncio.wait({played, failed}, return_when=asyncio.FIRST_COMPLETED)
        if failed.done() and isinstance(failed.result(), LiveLock):
            raise failed.result()
        return await played
    finally:
        played.cancel()
        failed.cancel()


def of(log: list[Any], kind: type[T]) -> list[T]:
    """Return the messages of a kind."""
    return [each for each in log if type(each) is kind]


def kinds(log: list[Any]) -> list[str]:
    """Return the types of messages."""
    return [type(each).__name__ for each in log]
