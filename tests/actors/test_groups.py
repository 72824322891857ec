"""The groups' supervisor: starts what the pool admits, brings back what ended, quarantines what keeps failing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from actors.group import LINGER_S, PositionGroup
from actors.group_recovery import fell_topic
from actors.groups import GroupHouse
from actors.pool import group_name
from protocol.control import ReleaseActor
from protocol.groups import CloseGroup, CloseReason, OpenGroup
from protocol.messages import Message
from protocol.orders import FillReported
from protocol.pool import GroupMail, StartGroup
from protocol.values import OrderSide
from runtime.actor import handles
from runtime.journal import JournalUnavailable, Record, Snapshot
from runtime.spec import Spec
from supervision.budget import Intensity
from tests.actors.cast import Broken, D, FailingJournal, Stage, kinds, play
from tests.actors.groups import opening, signal
from tests.actors.orders import SYMBOL, client_id

HOUSE = "/house/groups"


class Leave(Message, frozen=True, tag=True):
    """End in order."""


class Group(PositionGroup):
    """A group that remembers its lives and does what a test says."""

    def __init__(self, rig: Rig, group_id: str, opened: OpenGroup | None) -> None:
        super().__init__(
            group_id,
            opened,
            desk="/house/desk",
            pool="/house/pool",
            gateway="/house/gw",
            feed="/house/feed",
            precision="/house/precision",
        )
        self.rig = rig
        rig.lives.append((group_id, opened is not None))

    @handles
    def go(self, msg: Leave) -> None:
        self.context.stop()

    @handles
    def close(self, msg: CloseGroup) -> None:
        self.rig.heard.append(msg)

    @handles
    def fill(self, msg: FillReported) -> None:
        self.rig.heard.append(msg)


class Rig:
    """The house ``/house/groups`` with a budget of two restarts a group."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.lives: list[tuple[str, bool]] = []
        self.heard: list[Any] = []
        self.desk = stage.probe("desk")
        self.pool = stage.probe("pool")
        stage.probe("gw")
        stage.probe("feed")
        parent = stage.system.cell_of("/house")
        assert parent is not None
        parent.spawn(Spec("groups", self.make, stop_s=None))

    def make(self) -> GroupHouse:
        return GroupHouse(
            pool="/house/pool",
            make=lambda group_id, opened: Group(self, group_id, opened),
            intensity=Intensity(2, 60.0),
        )

    async def told(self, *messages: Any) -> None:
        await self.stage.told("groups", *messages)

    def phases(self) -> dict[str, str]:
        """Return the phase of each group by its id."""
        return {view.name.rpartition("~")[2]: view.phase.value for view in self.stage.actor("groups").view()}

    def sink(self, path: str) -> None:
        """End a group's present life by an error."""
        cell = self.stage.system.cell_of(path)
        assert cell is not None
        cell.crash(Broken("by the test"), None)

    def tell(self, path: str, message: Any) -> None:
        self.stage.system.tell(path, message)


def start(number: int = 1) -> StartGroup:
    """Return the pool's word that a group must live."""
    return StartGroup(opening(signal(f"s{number}")))


def path(number: int = 1) -> str:
    """Return where a group lives."""
    return f"{HOUSE}/{group_name(opening(signal(f's{number}')))}"


def fill(trade_id: str = "t1") -> FillReported:
    """Return a fill."""
    return FillReported(
        client_order_id=client_id(1),
        trade_id=trade_id,
        symbol=SYMBOL,
        side=OrderSide.BUY,
        qty=D(1),
        price=D(100),
        fee=D(0),
        fee_currency="USDT",
        at=1,
    )


def test_each_life_asks_which_groups_must_live() -> None:
    """The pool is asked at the start and after every crash of the house."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await stage.settle()
        await stage.crash("groups")
        assert kinds(rig.pool) == ["GroupsUp", "GroupsUp"]
        assert rig.pool[0].path == HOUSE

    play(script)


def test_a_group_is_started_once() -> None:
    """A group that lives is not started again, however often the pool says that it must."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.told(start(1), start(1), start(2))
        await rig.told(start(1))
        assert rig.lives == [("gs1", True), ("gs2", True)]
        assert stage.system.lookup(path(1)) is not None

    play(script)


def test_a_group_that_crashes_is_restarted_from_its_journal() -> None:
    """Its next life follows after the backoff; the others are not touched, and its desk is told no order anew."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.told(start(1), start(2))
        wanted = [each.request for each in rig.desk if type(each).__name__ == "SubmitOrder"]
        rig.sink(path(1))
        await stage.passes(5)
        assert rig.lives == [("gs1", True), ("gs2", True), ("gs1", True)]
        again = [each.request for each in rig.desk if type(each).__name__ == "SubmitOrder"]
        assert all(request in wanted for request in again)

    play(script)


def test_a_group_that_keeps_failing_is_quarantined() -> None:
    """It stays down with its mailbox while the others trade on; an operator's release brings it back with its mail."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.told(start(1), start(2))
        for _ in range(3):
            rig.sink(path(1))
            await stage.passes(10)
        assert rig.phases() == {"gs1": "quarantined", "gs2": "up"}
        before = len(rig.lives)
        await rig.told(GroupMail(path(1), fill()), start(1))
        await stage.passes(100)
        assert len(rig.lives) == before
        assert rig.heard == []
        await stage.ask("groups", ReleaseActor(path(1)))
        await stage.settle()
        assert rig.heard == [fill()]
        assert rig.phases() == {"gs1": "up", "gs2": "up"}

    play(script)


def test_a_group_that_ended_is_forgotten() -> None:
    """A year of closed groups leaves nothing behind in the house."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        for number in range(1, 6):
            await rig.told(start(number))
            rig.sink(path(number))
            await stage.passes(5)
            assert stage.system.bus.kept(fell_topic(f"gs{number}")) is not None
            rig.tell(path(number), Leave())
            await stage.settle()
        assert rig.phases() == {}
        assert [stage.system.bus.kept(fell_topic(f"gs{number}")) for number in range(1, 6)] == [None] * 5
        assert [each for each in stage.system.paths() if each.startswith(HOUSE + "/")] == []

    play(script)


def test_mail_brings_a_group_back() -> None:
    """A fill for a group that has ended starts it from its journal alone and reaches it, each once (EX-705)."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.told(start(1))
        rig.tell(path(1), Leave())
        await stage.settle()
        await rig.told(GroupMail(path(1), fill("t1")), GroupMail(path(1), fill("t2")))
        assert rig.lives == [("gs1", True), ("gs1", False)]
        assert rig.heard == [fill("t1"), fill("t2")]
        assert stage.letters() == []

    play(script)


def test_what_comes_while_a_group_is_ending_brings_it_back() -> None:
    """Regression: a fill behind the end of a closed group, in one mailbox with it, ended as a dead letter (EX-705)."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.told(start(1))
        rig.tell(path(1), Leave())
        rig.tell(path(1), fill("late"))
        await stage.settle()
        assert rig.heard == [fill("late")]
        assert stage.letters() == []
        assert rig.phases() == {"gs1": "up"}
        rig.tell(path(1), Leave())
        await stage.settle()
        assert rig.phases() == {}

    play(script)


def test_mail_for_a_group_that_lives_is_delivered() -> None:
    """It reaches the group as if it had been told to it."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        close = CloseGroup(group_id="gs1", reason=CloseReason.EXIT_SIGNAL, signal_id="x1", at=1)
        await rig.told(start(1), GroupMail(path(1), close))
        assert rig.heard == [close]
        assert len(rig.lives) == 1

    play(script)


def test_mail_waits_for_a_group_between_two_lives() -> None:
    """What comes while a crashed group waits for its next life is handled by that life."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.told(start(1))
        rig.sink(path(1))
        await stage.settle()
        await rig.told(GroupMail(path(1), fill()))
        await stage.passes(10)
        assert rig.heard == [fill()]

    play(script)


def test_the_house_keeps_its_groups_over_its_own_crash() -> None:
    """A crash of the house restarts the groups from their journals; none is doubled."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.told(start(1), start(2))
        await stage.crash("groups")
        await stage.passes(LINGER_S / 10)
        await rig.told(start(1), start(2))
        assert rig.phases() == {"gs1": "up", "gs2": "up"}
        assert sorted(rig.lives) == [("gs1", True)] * 2 + [("gs2", True)] * 2
        assert len([each for each in stage.system.paths() if each.startswith(HOUSE + "/")]) == 2

    play(script)


class AwayJournal(FailingJournal):
    """A journal on a server: while it is ``away`` nothing is written and nothing is read."""

    away = False

    def append(self, entries: Any) -> int:
        self._ask()
        return super().append(entries)

    def read(self, stream: str, after_seq: int = 0) -> Iterator[Record]:
        self._ask()
        return super().read(stream, after_seq)

    def load_snapshot(self, stream: str) -> Snapshot | None:
        self._ask()
        return super().load_snapshot(stream)

    def _ask(self) -> None:
        if self.away:
            raise JournalUnavailable("the server is away")


def test_a_group_is_not_opened_by_itself_after_an_outage() -> None:
    """A group whose journal cannot be read waits for the pool's word: its admission may not have been kept either."""
    journal = AwayJournal()

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.told(start(1))
        journal.away = True
        await rig.told(start(2))
        rig.sink(path(1))
        await stage.passes(5)
        await stage.crash("groups")
        await stage.passes(5)
        asked = len(rig.pool)
        await rig.told(start(1))
        await stage.passes(5)
        assert len(rig.pool) == asked + 1
        journal.away = False
        await stage.passes(5)
        assert (journal.streams(), rig.phases()) == (["group:gs1"], {})
        await rig.told(start(1))
        assert rig.phases() == {"gs1": "up"}

    play(script, journal=journal)


def test_mail_waits_until_the_journal_can_be_read() -> None:
    """What concerns a group that has ended is kept while nobody can say whether it was ever there."""
    journal = AwayJournal()

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.told(start(1))
        rig.tell(path(1), Leave())
        await stage.settle()
        journal.away = True
        await rig.told(GroupMail(path(1), fill()))
        await stage.passes(5)
        assert rig.heard == []
        journal.away = False
        await stage.passes(5)
        assert rig.heard == [fill()]

    play(script, journal=journal)
