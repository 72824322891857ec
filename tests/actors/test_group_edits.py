"""A position group's actor between an operator and the daemon's last end: edits, its recovery contract, adoption."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.group import PositionGroup
from actors.group_recovery import RUN, compared_topic
from protocol.groups import CloseReason, GroupClosed, GroupState, GroupStateChanged, RecoveryPolicy
from protocol.groups.adoption import Adopted, PositionAdopted
from protocol.groups.editing import EditGroup, GroupChanges, GroupEdited, LayerChange
from protocol.groups.recovery import AccountCompared, DaemonStarted, GroupFell, GroupRecovered
from protocol.orders import CancelOrder, Purpose
from runtime.clock import NANOS
from tests.actors.cast import START, D, FailingJournal, S, Stage, of, play
from tests.actors.group_rig import GroupRig
from tests.actors.groups import GRID

FLATTEN = msgspec.structs.replace(GRID, on_recovery=RecoveryPolicy.FLATTEN)


def edit(preview: bool = False, request_id: str = "r1", **changes: Any) -> EditGroup:
    """Return an edit by an operator."""
    wanted = GroupChanges(**changes)
    return EditGroup(group_id="gs1", changes=wanted, preview=preview, request_id=request_id, operator="ann")


def run(number: int, *, clean: bool, at: int = START + 10 * S) -> DaemonStarted:
    """Return how a daemon began."""
    return DaemonStarted(run=number, clean=clean, down_s=30, at=at)


def test_an_edit_is_shown_then_made_then_only_answered() -> None:
    """A preview journals nothing; the edit is one event more and its orders; asked again only the version is repeated."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        for order in rig.orders():
            await rig.told(rig.update(order, "open"))
        count = len(rig.events())
        shown = await stage.ask("group", edit(preview=True, layers={"p0.l1": LayerChange(price=D(98))}))
        assert (shown.applied, shown.version, [each.step for each in shown.effects]) == (False, 1, ["cancel", "place"])
        assert len(rig.events()) == count
        wanted = msgspec.structs.replace(edit(layers={"p0.l1": LayerChange(price=D(98))}), digest=shown.digest)
        made = await stage.ask("group", wanted)
        assert (made.applied, made.version) == (True, 2)
        assert of(rig.desk, CancelOrder)[-1].client_order_id == rig.orders()[1].request.client_order_id
        again = await stage.ask("group", wanted)
        assert (again.applied, again.version, again.effects) == (True, 2, ())
        assert len(rig.events(GroupEdited)) == 1
        await rig.told(rig.update(rig.orders()[1], "cancelled"))
        assert rig.orders()[-1].request.price == 98

    play(script)


def test_an_edit_that_cannot_be_is_answered_with_its_problems() -> None:
    """A conflict or mistake is an answer, not a crash, and journals nothing."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        await stage.ask("group", edit(max_pyramids=3))
        late = msgspec.structs.replace(edit(max_pyramids=4, request_id="r2"), expected_version=1)
        said = await stage.ask("group", late)
        assert [problem.code for problem in said.problems] == ["EditConflict"]
        assert len(rig.events(GroupEdited)) == 1

    play(script)


def test_a_crash_after_every_commit_of_an_edit_goes_on() -> None:
    """Whichever commit is the last one of a life, the next life ends at the same legs and orders (EX-1205)."""

    async def whole(stage: Stage, lives: int) -> Any:
        rig = GroupRig(stage)
        await stage.settle()
        steps = 0

        async def step(*messages: Any) -> None:
            nonlocal steps
            await rig.told(*messages)
            steps += 1
            if steps == lives:
                await stage.crash("group")

        for order in rig.orders():
            await step(rig.update(order, "open"))
        await step(edit(layers={"p0.l1": LayerChange(price=D(98))}, stop_price=D(50)))
        await step(edit(layers={"p0.l1": LayerChange(price=D(98))}, stop_price=D(50)))
        await step(rig.update(rig.orders()[1], "cancelled"))
        await step(rig.update(rig.orders()[2], "open"), rig.fill(rig.orders()[2], "t1"))
        view = stage.actor("group")._view
        return view.legs, view.watches, view.version, [order.request for order in rig.orders()]

    runs = [play(lambda stage, lives=lives: whole(stage, lives)) for lives in range(8)]
    assert all(found == runs[0] for found in runs)


def test_an_unclean_end_flattens_once_the_books_are_compared() -> None:
    """A next run after an unclean end: the contract is journalled, the close follows the comparison (EX-1204)."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = GroupRig(stage, config=FLATTEN)
        await stage.settle()
        for order in rig.orders():
            await rig.told(rig.update(order, "open"), rig.fill(order))

    async def second(stage: Stage) -> None:
        stage.system.bus.publish(RUN, run(2, clean=False), keep=True)
        rig = GroupRig(stage, opened=False)
        await stage.settle()
        (back,) = rig.events(GroupRecovered)
        assert (back.flattens, back.down_s) == (True, 30)
        assert stage.actor("group")._view.state is GroupState.ACTIVE
        await stage.crash("group")
        stage.system.bus.publish(compared_topic("acc"), AccountCompared("acc", stage.now), keep=True)
        await stage.settle()
        assert rig.events(GroupStateChanged)[-1].reason is CloseReason.RECOVERY
        for order in rig.orders(Purpose.TP):
            await rig.told(rig.update(order, "cancelled"))
        for order in rig.orders(Purpose.CLOSE):
            await rig.told(rig.fill(order, "t9"))
        assert rig.events(GroupClosed)[0].reason is CloseReason.RECOVERY
        assert len(rig.events(GroupRecovered)) == 1

    play(first, journal=journal)
    play(second, journal=journal, start=START + 10 * S)


def test_a_clean_start_says_nothing_to_groups() -> None:
    """After an orderly end, and where there is no daemon, nothing is journalled and nothing closes."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        GroupRig(stage, config=FLATTEN)
        await stage.settle()

    async def second(stage: Stage) -> None:
        stage.system.bus.publish(RUN, run(2, clean=True), keep=True)
        rig = GroupRig(stage, opened=False)
        await stage.settle()
        assert rig.events(GroupRecovered) == []

    play(first, journal=journal)
    play(second, journal=journal, start=START + 10 * S)


def test_a_group_of_this_run_is_not_concerned() -> None:
    """A group that was opened after the unclean end resumes from a crash of its own as ever."""

    async def script(stage: Stage) -> None:
        stage.system.bus.publish(RUN, run(2, clean=False, at=START - S), keep=True)
        rig = GroupRig(stage, config=FLATTEN)
        await stage.settle()
        await stage.crash("group")
        assert rig.events(GroupRecovered) == []

    play(script)


def test_an_absence_of_its_actor_alone_counts_when_it_was_long() -> None:
    """With a longest gap, a group whose actor was down longer closes itself; a shorter absence is nothing."""
    config = msgspec.structs.replace(FLATTEN, recovery_max_gap_s=60)

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage, config=config)
        await stage.settle()
        stage.system.bus.publish("fell:gs1", GroupFell("gs1", stage.now - 60 * NANOS), keep=True)
        await stage.crash("group")
        assert rig.events(GroupRecovered) == []
        stage.system.bus.publish("fell:gs1", GroupFell("gs1", stage.now - 62 * NANOS), keep=True)
        await stage.crash("group")
        (back,) = rig.events(GroupRecovered)
        assert (back.absence, back.flattens) == ("actor", True)

    play(script)


class AdoptedRig(GroupRig):
    """The group begins with 2 BTC that were bought by hand at 90."""

    def make(self) -> PositionGroup:
        assert self.opening is not None
        adopted = Adopted(qty=D(2), avg_price=D(90), tp_percent=D(10))
        self.opening = msgspec.structs.replace(self.opening, adopted=adopted)
        return super().make()


def test_an_adopted_position_is_a_group_without_an_entry() -> None:
    """Its opening sends no entry; its target goes to the desk, and a next life knows the position (EX-604, EX-1204)."""

    async def script(stage: Stage) -> None:
        rig = AdoptedRig(stage)
        await stage.settle()
        assert rig.orders() == []
        (target,) = rig.orders(Purpose.TP)
        assert (target.request.qty, target.request.price) == (2, 99)
        await stage.crash("group")
        assert len(rig.events(PositionAdopted)) == 1
        await rig.told(rig.update(target, "open"), rig.fill(target))
        assert rig.events(GroupClosed)[0].realized_quote == 18

    play(script)
