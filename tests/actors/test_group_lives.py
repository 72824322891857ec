"""A position group's actor from life to life: what it tells again, retries, and how it ends."""

from __future__ import annotations

from actors.desk import desk_topic
from actors.group import LINGER_S
from protocol.groups import (
    GroupClosed,
)
from protocol.orders import (
    CancelOrder,
    DeskUp,
    FillReported,
    Purpose,
    RetellOrders,
)
from tests.actors.cast import START, D, FailingJournal, S, Stage, kinds, of, play
from tests.actors.group_rig import GroupRig, lives


def test_a_restart_tells_again_what_has_no_outcome() -> None:
    """Orders nobody answered for and unanswered cancels are told again; what the desk knows is asked for (EX-1204)."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        first, second = rig.orders()
        await rig.told(rig.update(first, "open"))
        rig.desk.clear()
        await stage.crash("group")
        assert kinds(rig.desk) == ["RetellOrders", "SubmitOrder"]
        assert rig.desk[0] == RetellOrders("/house/group")
        assert rig.desk[1].request == second.request
        await rig.told(rig.close())
        rig.desk.clear()
        await stage.crash("group")
        assert {each.client_order_id for each in of(rig.desk, CancelOrder)} >= {first.request.client_order_id}

    play(script)


def test_a_desks_new_life_is_told_the_same() -> None:
    """When the desk begins a life the group tells it again what it waits for."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        rig.desk.clear()
        stage.system.bus.publish(desk_topic("acc"), DeskUp("acc"))
        await stage.settle()
        assert kinds(rig.desk) == ["RetellOrders", "SubmitOrder", "SubmitOrder"]

    play(script)


def test_a_retry_survives_a_restart() -> None:
    """A close that failed is tried again after its wait, also by a next life, with one timer and one order (EX-712)."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        for order in rig.orders():
            await rig.told(rig.update(order, "open"), rig.fill(order))
        await rig.told(rig.close())
        for order in rig.orders(Purpose.TP):
            await rig.told(rig.update(order, "cancelled"))
        (close,) = rig.orders(Purpose.CLOSE)
        await rig.told(rig.update(close, "rejected", reason="no"))
        assert len(rig.orders(Purpose.CLOSE)) == 1
        await stage.crash("group")
        await stage.passes(120)
        assert len(rig.orders(Purpose.CLOSE)) == 2
        assert len({order.attempt for order in rig.orders(Purpose.CLOSE)}) == 2

    play(script)


def test_a_snapshot_is_the_whole_state() -> None:
    """A group restored from its snapshot equals the one that made it."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        for order in rig.orders():
            await rig.told(rig.update(order, "open"), rig.fill(order))
        await rig.told(rig.close())
        group = stage.actor("group")
        twin = rig.make()
        state = group.snapshot()
        assert state is not None
        twin.restore(state)
        assert (twin._view, twin._acted, twin._watching) == (group._view, group._acted, group._watching)
        assert rig.make().snapshot() is None

    play(script)


def test_a_closed_group_lingers_and_leaves() -> None:
    """It stays for a while to deal with late fills itself, then ends in order."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        await rig.closed()
        await stage.passes(LINGER_S - 1)
        assert lives(stage)
        await stage.passes(2)
        assert not lives(stage)

    play(script)


def test_a_closed_group_that_is_brought_back() -> None:
    """It tells its release again, asks the desk for what it missed, deals with a late fill and leaves again (EX-705)."""
    journal = FailingJournal()
    late: list[FillReported] = []

    async def first(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        order, other = rig.orders()
        await rig.told(rig.update(order, "open"), rig.fill(order), rig.update(other, "open"))
        await rig.told(rig.close())
        for each in rig.orders(Purpose.TP):
            await rig.told(rig.update(each, "cancelled"))
        await rig.told(rig.update(other, "cancelled"))
        for each in rig.orders(Purpose.CLOSE):
            await rig.told(rig.fill(each))
        assert rig.events(GroupClosed)
        late.append(rig.fill(other, "late"))

    async def second(stage: Stage) -> None:
        rig = GroupRig(stage, opened=False)
        await stage.settle()
        assert kinds(rig.pool) == ["SlotReleased"]
        assert kinds(rig.desk) == ["RetellOrders"]
        await rig.told(late[0])
        (flatten,) = rig.orders(Purpose.CLOSE)
        assert flatten.request.qty == D(1)
        await rig.told(rig.fill(flatten, "t99"))
        await stage.passes(2 * LINGER_S)
        assert not lives(stage)
        assert [event.releases_slot for event in rig.events(GroupClosed)] == [True, False]
        assert kinds(rig.pool) == ["SlotReleased"]

    play(first, journal=journal)
    play(second, journal=journal, start=START + 100 * S)
