"""The reconciler: when the books are compared, from which instant on, and what follows a silent venue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.desk_venue import OVERLAP_S
from actors.reconciler import RETRY_S, Reconciler
from actors.session import session_topic
from protocol.orders import FillReport
from protocol.venue import (
    FetchVenueState,
    FillsFrom,
    FillsKnown,
    ReconcileNow,
    SessionDown,
    SessionUp,
    VenueSnapshot,
)
from runtime.actor import NO_ANSWER, Actor, Do, handles
from tests.actors.cast import START, S, Stage, of, play
from tests.actors.orders import client_id, fill
from venues.errors import VenueDown


class Venue(Actor):
    """Stands for the session: answers each fetch by the next item of a script: fills, an error, or nothing at all."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig

    @handles
    def fetch(self, msg: FetchVenueState) -> Any:
        self.rig.asked.append(msg.since)
        said = self.rig.script.pop(0) if self.rig.script else ()
        if said is None:
            envelope = self.context.envelope
            assert envelope is not None
            self.rig.late.append(lambda: self.context.answer(envelope, self.rig.snapshot(())))
            return NO_ANSWER
        if isinstance(said, Exception):
            envelope = self.context.envelope
            assert envelope is not None
            self.context.answer(envelope, error=said)
            return NO_ANSWER
        return Do(answer=self.rig.snapshot(said))


class Rig:
    """The reconciler under test between a session and a desk."""

    def __init__(self, stage: Stage, *script: Any, every_s: float = 60.0) -> None:
        self.stage = stage
        self.script = list(script)
        self.asked: list[int] = []
        self.late: list[Callable[[], None]] = []
        self.known_from = START
        self.all_of_desk = stage.probe("desk", answers={FillsFrom: lambda _: FillsKnown(self.known_from)})
        stage.add("session", lambda: Venue(self))
        stage.add(
            "reconciler",
            lambda: Reconciler(account="acc", session="/house/session", desk="/house/desk", every_s=every_s),
        )

    def snapshot(self, fills: tuple[FillReport, ...]) -> VenueSnapshot:
        return VenueSnapshot(
            account="acc", open_orders=(), fills=fills, balances=(), positions=(), since=0, at=self.stage.now
        )

    @property
    def desk(self) -> list[Any]:
        """Return the snapshots that the desk heard."""
        return of(self.all_of_desk, VenueSnapshot)

    def up(self) -> None:
        self.stage.system.bus.publish(session_topic("acc"), SessionUp("acc", (), self.stage.now), keep=True)


def test_each_connection_ends_in_a_reconciliation() -> None:
    """The books are compared after every connect, and at once by a reconciler that starts after it (EX-1204)."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await stage.settle()
        assert rig.asked == []
        rig.up()
        await stage.settle()
        assert [type(each) for each in rig.desk] == [VenueSnapshot]
        await stage.crash("reconciler")
        assert len(rig.desk) == 2

    play(script)


def test_on_the_timer_and_on_demand() -> None:
    """Every minute, and whenever somebody asks; a timer of 0 is none (EX-1206)."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await stage.passes(181)
        assert len(rig.desk) == 3
        await stage.told("reconciler", ReconcileNow())
        assert len(rig.desk) == 4

    async def without(stage: Stage) -> None:
        rig = Rig(stage, every_s=0)
        await stage.passes(1_000)
        assert rig.desk == []
        await stage.told("reconciler", ReconcileNow())
        assert len(rig.desk) == 1

    play(script)
    play(without)


def test_fills_are_asked_for_with_an_overlap() -> None:
    """From a minute before the newest known fill, never back; a new life asks from where the desk's books end (EX-1204)."""

    async def script(stage: Stage) -> None:
        newest = fill(client_id(1), at=START)
        rig = Rig(stage, (fill(client_id(1), at=START - 90 * S), newest), (fill(client_id(1), at=START - 80 * S),))
        rig.known_from = START - 200 * S
        for _ in range(3):
            await stage.told("reconciler", ReconcileNow())
        assert rig.asked == [START - 200 * S, START - OVERLAP_S * S, START - OVERLAP_S * S]
        await stage.crash("reconciler")
        await stage.told("reconciler", ReconcileNow())
        assert rig.asked[-1] == START - 200 * S

    play(script)


def test_one_at_a_time() -> None:
    """What is asked for while one is under way leads to exactly one more after it."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, None, every_s=0)
        await stage.told("reconciler", *[ReconcileNow()] * 3)
        assert len(rig.asked) == 1
        rig.late[0]()
        await stage.settle()
        assert len(rig.asked) == 2
        assert len(rig.desk) == 2

    play(script)


def test_a_venue_that_fails_is_asked_again() -> None:
    """An error of the venue, or silence, is no crash: it is asked again soon, until it answers."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, VenueDown("stub", "503"), VenueDown("stub", "503"), (), every_s=0)
        await stage.told("reconciler", ReconcileNow())
        await stage.passes(RETRY_S)
        assert rig.desk == []
        await stage.passes(RETRY_S)
        assert len(rig.desk) == 1
        cell = stage.system.cell_of("/house/reconciler")
        assert cell is not None
        assert cell.lives == 1

    play(script)


def test_the_answer_of_a_lost_connection_does_not_count() -> None:
    """After the session went down only what the new connection says reaches the desk, once."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, None, every_s=0)
        await stage.told("reconciler", ReconcileNow())
        await stage.told("reconciler", SessionDown("acc", "gone", stage.now))
        rig.up()
        await stage.settle()
        assert len(rig.desk) == 1
        rig.late[0]()
        await stage.passes(2 * RETRY_S)
        assert len(rig.desk) == 1

    play(script)


def test_without_a_session_nothing_happens() -> None:
    """While no session lives there is nobody to ask; its connect will say so."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, every_s=0)
        stage.remove("session")
        await stage.settle()
        await stage.told("reconciler", ReconcileNow())
        assert rig.desk == []

    play(script)
