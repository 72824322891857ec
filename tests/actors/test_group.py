"""A position group's actor: what it opens, fills, closes, and how it answers signals."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from actors.desk import desk_topic
from actors.group import PositionGroup
from actors.session import market_topic
from protocol.groups import (
    AddPyramid,
    GroupChanged,
    GroupOpened,
    LegFilled,
    Level,
    OrderWanted,
    PyramidAdded,
    ReduceGroup,
    SlotReleased,
    TpMode,
)
from protocol.market import PriceTick, SubscribeMarket
from protocol.orders import (
    Purpose,
)
from protocol.pool import SignalActedOn
from tests.actors.cast import D, FailingJournal, Stage, kinds, of, play
from tests.actors.group_rig import GroupRig
from tests.actors.groups import GRID, opening, signal
from tests.actors.orders import SYMBOL

# --- opening -----------------------------------------------------------------------------------------------------------


def test_a_group_opens_once() -> None:
    """Its opening is journalled with its orders before the desk hears of them; later lives do not open it again."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        await stage.crash("group")
        assert len(rig.events(GroupOpened)) == 1
        assert [event.request for event in rig.events(OrderWanted)] == [order.request for order in rig.orders()]
        assert len(rig.orders()) == 2

    play(script, journal=journal)


def test_an_opening_that_is_not_kept_opens_in_the_next_life() -> None:
    """When the journal refuses the opening, the next life opens the group with the very same orders."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        journal.fail_next = 1
        rig = GroupRig(stage)
        await stage.settle()
        assert len(rig.events(GroupOpened)) == 1
        assert len(rig.orders()) == 2

    play(script, journal=journal)


def test_a_group_listens_to_its_desk() -> None:
    """Its symbol is asked of the feed; a group that stands says so to everybody."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        assert rig.feed == [SubscribeMarket(SYMBOL)]
        assert kinds(rig.news) == ["GroupChanged"]
        assert stage.system.bus.topics()[desk_topic("acc")] == 1

    play(script)


@pytest.mark.parametrize(("mode", "listeners"), [(TpMode.PER_LEG, 0), (TpMode.AGGREGATE, 1)])
def test_only_a_group_that_watches_a_price_hears_prices(mode: TpMode, listeners: int) -> None:
    """A group whose orders do everything at the venue is told no price; one with a target of its own is, in each life."""
    config = msgspec.structs.replace(GRID, tp_mode=mode)

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage, config=config)
        await stage.settle()
        assert market_topic("acc", SYMBOL) not in stage.system.bus.topics()
        for order in rig.orders():
            await rig.told(rig.update(order, "open"), rig.fill(order))
        assert stage.system.bus.topics().get(market_topic("acc", SYMBOL), 0) == listeners
        await stage.crash("group")
        assert stage.system.bus.topics().get(market_topic("acc", SYMBOL), 0) == listeners

    play(script)


def test_a_group_without_opening_and_journal_cannot_live() -> None:
    """There is nothing it could be: it crashes rather than hold an empty position."""
    group = PositionGroup("gs9", None, desk="/d", pool="/p", gateway="/g", feed="/f", precision="/r")
    with pytest.raises(LookupError):
        group.started()


# --- fills and targets -------------------------------------------------------------------------------------------------


def test_a_fill_places_its_target() -> None:
    """A filled layer is journalled and its target goes to the desk; a repeat of the fill changes nothing (EX-604)."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        first = rig.orders()[0]
        fill = rig.fill(first)
        await rig.told(rig.update(first, "open"), fill, fill)
        (target,) = rig.orders(Purpose.TP)
        assert (target.request.price, target.request.qty, target.adds_risk) == (D(101), D(1), False)
        assert len(rig.events(LegFilled)) == 1
        await stage.crash("group")
        await rig.told(fill)
        assert len(rig.events(LegFilled)) == 1
        assert len(rig.orders(Purpose.TP)) == 1

    play(script)


def test_a_watched_target_closes_at_its_price() -> None:
    """An aggregate target is watched by the group: only a price that reaches it does anything (EX-606)."""
    config = msgspec.structs.replace(GRID, tp_mode=TpMode.AGGREGATE)

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage, config=config)
        await stage.settle()
        for order in rig.orders():
            await rig.told(rig.update(order, "open"), rig.fill(order))
        before = len(rig.events())
        stage.system.bus.publish(market_topic("acc", SYMBOL), PriceTick(SYMBOL, 1, D(100), D(100), D(100)))
        await stage.settle()
        assert len(rig.events()) == before
        stage.system.bus.publish(market_topic("acc", SYMBOL), PriceTick(SYMBOL, 2, D(102), D(102), D(102)))
        await stage.settle()
        (close,) = rig.orders(Purpose.CLOSE)
        assert close.request.qty == D(2)

    play(script)


# --- signals -----------------------------------------------------------------------------------------------------------


def test_an_exit_signal_closes_and_is_answered_once_it_is_recorded() -> None:
    """Orders are cancelled, what is open is sold, and the gateway hears the outcome (EX-703)."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        await rig.closed()
        assert rig.outcomes() == [("x1", "closing")]
        assert of(rig.pool, SlotReleased) == [SlotReleased(signal("s1").group_key, "gs1")]
        changed = of(rig.news, GroupChanged)[-1]
        assert (changed.state.value, changed.open_qty) == ("closed", D(0))

    play(script)


def test_a_signal_acts_once() -> None:
    """Told again (the gateway heard no answer) only the outcome is repeated, over restarts too."""
    journal = FailingJournal()

    def pyramid(stage: Stage) -> AddPyramid:
        wanted = opening(signal("s2", entry_price=D(95)))
        return AddPyramid(
            group_id="gs1",
            signal_id="s2",
            entry_price=wanted.entry_price,
            size=wanted.size,
            size_type=wanted.size_type,
            config=wanted.config,
            instrument=wanted.instrument,
            at=stage.now,
        )

    async def first(stage: Stage) -> None:
        rig = GroupRig(stage)
        await rig.told(pyramid(stage), pyramid(stage))
        assert rig.outcomes() == [("s2", "pyramid_added:1")] * 2
        assert [event.signal_id for event in rig.events(PyramidAdded)] == ["s1", "s2"]
        assert len(rig.events(SignalActedOn)) == 1

    async def second(stage: Stage) -> None:
        rig = GroupRig(stage, opened=False)
        await rig.told(pyramid(stage))
        assert rig.outcomes() == [("s2", "pyramid_added:1")]
        assert len(rig.events(PyramidAdded)) == 2

    play(first, journal=journal)
    play(second, journal=journal)


@pytest.mark.parametrize("kept", [True, False])
def test_a_signal_is_answered_only_when_it_is_kept(kept: bool) -> None:
    """When the journal refuses, nothing happened: told again the signal acts."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        journal.failing = not kept
        await rig.told(rig.close())
        journal.failing = False
        await rig.told(rig.close())
        assert len(rig.events(SignalActedOn)) == 1

    play(script, journal=journal)


def test_a_second_exit_and_a_reduction_while_closing() -> None:
    """A group that is closing says so; what came too late changes nothing, and is not said to have (EX-706, EX-715)."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await stage.settle()
        order = rig.orders()[0]
        await rig.told(rig.update(order, "open"), rig.fill(order))
        await rig.told(rig.close("x1"))
        await rig.told(rig.close("x2"))
        reduce = ReduceGroup(group_id="gs1", fraction=Decimal("0.5"), signal_id="r1", at=stage.now)
        await rig.told(reduce)
        assert rig.outcomes() == [("x1", "closing"), ("x2", "already_closing"), ("r1", "already_closing")]

    play(script)


def test_levels_decide_the_orders() -> None:
    """Each layer of the configuration becomes one entry at its gap."""
    config = msgspec.structs.replace(GRID, levels=tuple(Level(Decimal(-n), Decimal(25), Decimal(1)) for n in range(4)))

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage, config=config)
        await stage.settle()
        assert [order.request.price for order in rig.orders()] == [D(100), D(99), D(98), D(97)]
        assert all(order.adds_risk and order.owner == "/house/group" for order in rig.orders())

    play(script)
