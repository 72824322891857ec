"""Each crash is described once, with what was decided; storms are counted; nothing it does reaches the run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from protocol.incident_files import IncidentFile, IncidentKind
from protocol.messages import Event
from runtime.actor import Do, handles
from runtime.black_box import SAME_MOST, SAME_WINDOW_S
from runtime.clock import VirtualClock
from runtime.durable import DurableActor
from runtime.journal import Entry, JournalUnavailable
from runtime.loop import run_virtual
from runtime.memory_journal import MemoryJournal
from runtime.system import ActorSystem
from supervision.backoff import Backoff
from supervision.budget import Intensity
from supervision.child import ChildSpec
from supervision.tree import supervisor

QUICK = Backoff(first_s=1.0, factor=1.0, jitter=0.0)


class _Add(Event, frozen=True, tag=True):
    amount: int
    password: str = ""


class _Added(Event, frozen=True, tag=True):
    amount: int


class _Sum(DurableActor):
    """Adds; refuses the number 13 by raising."""

    def __init__(self) -> None:
        self.total = 0

    def apply(self, event: Event) -> None:
        """Add."""
        assert isinstance(event, _Added)
        self.total += event.amount

    def snapshot(self) -> bytes:
        """Return the sum."""
        return msgspec.msgpack.encode({"total": self.total})

    def restore(self, state: bytes) -> None:
        """Take a sum."""
        self.total = msgspec.msgpack.decode(state)["total"]

    @handles
    def add(self, msg: _Add) -> Do:
        """Add a number."""
        if msg.amount == 13:
            try:
                raise KeyError("thirteen")
            except KeyError as error:
                raise ValueError("no luck") from error
        return Do([_Added(msg.amount)])


class _Unwritable(MemoryJournal):
    """A journal that can refuse."""

    refuses = False

    def append(self, entries: Any) -> int:
        """Append unless it refuses."""
        if self.refuses:
            raise JournalUnavailable("the disk is full")
        return super().append(entries)


Script = Callable[[ActorSystem], Awaitable[Any]]


def watched(script: Script, *, intensity: Intensity | None = None) -> tuple[list[IncidentFile], list[tuple[str, int]]]:
    """Run a script under a supervisor of one sum; return its incidents, and what was only counted."""
    found: list[IncidentFile] = []
    counted: list[tuple[str, int]] = []

    async def main(clock: VirtualClock) -> None:
        async with ActorSystem(clock=clock, journal=_Unwritable()) as system:
            box = system.black_box
            box.prefix, box.sink, box.more = "i1-", found.append, lambda ident, more: counted.append((ident, more))
            system.durability.listeners.append(box.committed)
            child = ChildSpec("sum", _Sum, backoff=QUICK)
            system.start_root(supervisor("root", child, intensity=intensity or Intensity(1_000, 60)))
            await system.ready()
            await script(system)

    run_virtual(main)
    return found, counted


async def passes(seconds: float) -> None:
    """Let virtual time pass."""
    passed = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(seconds, passed.set_result, None)
    await passed


def test_an_incident_tells_everything_about_a_crash() -> None:
    """Message and its fate, state before it, error with its causes, decision, newest events, the account's calls."""

    async def script(system: ActorSystem) -> None:
        system.black_box.ring("sum").append({"call": "place", "answer": "no"})
        for amount in (1, 2, 13):
            system.tell("/sum", _Add(amount, "hidden"))
        await passes(0.5)

    (incident,), _ = watched(script)
    assert (incident.id, incident.kind, incident.path, incident.actor) == ("i1-1", IncidentKind.CRASH, "/sum", "_Sum")
    assert incident.message is not None
    assert incident.message.fields == {"type": "_Add", "amount": 13, "password": "***"}
    assert incident.message.outcome == "handled once more in the next life"
    assert (incident.state_from, incident.state) == ("snapshot", {"total": 3})
    assert (incident.error.type, incident.error.text) == ("ValueError", "no luck")
    assert incident.error.causes == ("KeyError: 'thirteen'",)
    assert any("in add" in line for line in incident.error.trace)
    assert incident.decision is not None
    assert incident.decision.said == "restart 1 after 1 s"
    assert [each["event"]["amount"] for each in incident.events] == [1, 2]
    assert incident.calls == ({"call": "place", "answer": "no"},)


def test_the_second_crash_on_a_message_says_that_it_is_parked() -> None:
    """Poison: the incident of the second life says where the message went."""

    async def script(system: ActorSystem) -> None:
        system.tell("/sum", _Add(13))
        await passes(5)

    (_, second), _ = watched(script)
    assert second.life == 2
    assert second.message is not None
    assert second.message.outcome == "parked as a dead letter: it crashed its actor twice"


def test_a_storm_is_described_a_few_times_and_then_counted() -> None:
    """The same mistake at the same place leaves ``SAME_MOST`` incidents in ten minutes, and new ones after that."""

    async def script(system: ActorSystem) -> None:
        for _ in range(20):
            system.tell("/sum", _Add(13))
        await passes(60)
        await passes(SAME_WINDOW_S)
        system.tell("/sum", _Add(13))
        await passes(1)

    found, counted = watched(script)
    assert [incident.id for incident in found] == ["i1-1", "i1-2", "i1-3", "i1-4", "i1-5"]
    assert len(found) == SAME_MOST + 2, "three of the storm, and both lives of the last message"
    assert counted == [("i1-3", number) for number in range(1, 40 - SAME_MOST + 1)]


def test_a_used_up_budget_is_an_incident_of_the_supervisor_and_then_of_the_system() -> None:
    """Crash, escalation, failure of the system: three incidents, each with its own decision."""

    async def script(system: ActorSystem) -> None:
        system.tell("/sum", _Add(13))
        await passes(5)

    found, _ = watched(script, intensity=Intensity(0, 60))
    assert [(each.kind, each.path) for each in found] == [
        (IncidentKind.CRASH, "/sum"),
        (IncidentKind.ESCALATION, "/"),
        (IncidentKind.SYSTEM, "/"),
    ]
    assert found[0].decision is not None
    assert found[0].decision.action == "escalate"


def test_a_commit_that_fails_is_one_incident_however_many_are_rebuilt() -> None:
    """Who is rebuilt stands in it; their own ends are no further incidents."""

    async def script(system: ActorSystem) -> None:
        journal = system.journal
        assert isinstance(journal, _Unwritable)
        journal.refuses = True
        system.tell("/sum", _Add(1))
        await passes(0.1)
        journal.refuses = False
        await passes(5)

    (incident,), _ = watched(script)
    assert incident.kind is IncidentKind.JOURNAL
    assert incident.facts == {"events_lost": 1, "rebuilt": ["/sum"], "rebuilt_count": 1}
    assert incident.error.type == "JournalUnavailable"


def test_whatever_the_sink_does_the_run_goes_on() -> None:
    """A sink that raises is logged; actors are restarted as if nobody had listened."""

    async def script(system: ActorSystem) -> None:
        def refuse(incident: IncidentFile) -> None:
            raise OSError(incident.id)

        system.black_box.sink = refuse
        system.tell("/sum", _Add(13))
        await passes(5)
        assert system.is_up("/sum")

    watched(script)


def test_without_a_sink_nothing_is_kept() -> None:
    """A system that nobody listens to gathers nothing."""

    async def script(system: ActorSystem) -> None:
        system.black_box.sink = None
        system.tell("/sum", _Add(13))
        await passes(5)
        assert not system.black_box.undecided("/sum")

    assert watched(script) == ([], [])


def test_only_the_newest_events_are_at_hand() -> None:
    """What is kept for an incident is bounded."""

    async def script(system: ActorSystem) -> None:
        entries = [Entry("other", number, _Added(1), 0, 0, 0, 0) for number in range(5_000)]
        system.black_box.committed(entries)
        system.tell("/sum", _Add(13))
        await passes(0.5)

    (incident,), _ = watched(script)
    assert incident.events == ()
