"""Running groups follow the slippage settings that are in force; what they follow stands in their own journal."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
import pytest

from actors.groups import GroupHouse
from actors.session import market_topic
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.groups import GroupAlert, SlippageAction, SlippageGuard
from protocol.groups.editing import EditGroup, GroupChanges
from protocol.groups.tolerance import TakeTolerance, Tolerance, ToleranceTaken
from protocol.market import PriceTick
from protocol.orders import Purpose
from protocol.pool import StartGroup
from protocol.values import OrderType
from rules.group import replay
from supervision.budget import Intensity
from tests.actors.cast import START, D, FailingJournal, S, Stage, play
from tests.actors.cuts import cut_after
from tests.actors.group_rig import STREAM, GroupRig
from tests.actors.groups import GRID, opening, signal
from tests.actors.orders import SYMBOL

OPENED = Tolerance(GRID.max_slippage_percent, GRID.slippage_action, GRID.slippage_guard)
CAPPED = Tolerance(D("0.5"), SlippageAction.REJECT, SlippageGuard.CAPPED)


async def filled(rig: GroupRig) -> None:
    """Have both layers filled, at a market of 100."""
    tick = PriceTick(SYMBOL, rig.stage.now, D(100), D(100), D(100))
    rig.stage.system.bus.publish(market_topic("acc", SYMBOL), tick, keep=True)
    await rig.stage.settle()
    for order in rig.orders():
        await rig.told(rig.update(order, "open"), rig.fill(order))


async def closing(rig: GroupRig) -> Any:
    """Close the group; return the request of its closing order."""
    await rig.told(rig.close())
    for order in rig.orders(Purpose.TP):
        await rig.told(rig.update(order, "cancelled"))
    return rig.orders(Purpose.CLOSE)[0].request


@pytest.mark.parametrize("told", [False, True], ids=["as it opened", "told"])
def test_the_next_market_order_goes_by_them(told: bool) -> None:
    """EX-1302, EX-724: from the message on, the close of a group that opened before is a capped order."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await filled(rig)
        if told:
            await rig.told(TakeTolerance(CAPPED))
        order = await closing(rig)
        assert (order.type, order.price) == ((OrderType.IOC, D("99.5")) if told else (OrderType.MARKET, None))

    play(script)


def test_an_excess_is_judged_by_what_is_in_force_when_it_fills() -> None:
    """EX-722: a fill that was fine before is an error by a narrower limit; told again nothing happens."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await filled(rig)
        narrow = Tolerance(D("0.1"), SlippageAction.REJECT, SlippageGuard.POST)
        await rig.told(TakeTolerance(narrow), TakeTolerance(narrow), TakeTolerance(OPENED), TakeTolerance(narrow))
        assert [each.limit_percent for each in rig.events(ToleranceTaken)] == [D("0.1"), D(1), D("0.1")]
        await closing(rig)
        sent = rig.orders(Purpose.CLOSE)[0]
        await rig.told(msgspec.structs.replace(rig.fill(sent), price=D("99.5")))
        assert "SlippageExceeded" in [each.code for each in rig.events(GroupAlert)]

    play(script)


def test_the_limit_that_an_operator_gave_a_group_stays_its_own() -> None:
    """EX-721: an edited limit is not overruled by the settings of all; action and guard follow."""

    async def script(stage: Stage) -> None:
        rig = GroupRig(stage)
        await filled(rig)
        changes = GroupChanges(max_slippage_percent=D(3))
        edit = EditGroup(group_id="gs1", changes=changes, preview=False, request_id="r1", operator="ann")
        await stage.ask("group", edit)
        await rig.told(TakeTolerance(CAPPED))
        assert [each.limit_percent for each in rig.events(ToleranceTaken)] == [D(3)]
        assert (await closing(rig)).price == D(97)

    play(script)


def test_a_group_that_was_away_follows_when_it_is_back() -> None:
    """EX-1302: settings that changed between two lives are taken at the next one's start, once, cut anywhere."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        await filled(GroupRig(stage, tolerance=OPENED))

    async def second(stage: Stage) -> None:
        rig = GroupRig(stage, opened=False, tolerance=CAPPED)
        await stage.settle()
        assert [each.tolerance for each in rig.events(ToleranceTaken)] == [CAPPED]

    play(first, journal=journal)
    for kept in range(1, journal.head() + 1):
        left = cut_after(journal, kept)
        play(second, journal=left, start=START + 60 * S)
        play(second, journal=left, start=START + 120 * S)


def test_an_old_journal_folds_as_it_did() -> None:
    """EX-1204: a journal without such an event gives the settings the group opened with."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        await filled(GroupRig(stage))

    play(first, journal=journal)
    view = replay(record.event for record in journal.read(STREAM))
    assert view is not None
    assert (view.config, view.tolerance, view.own_limit) == (GRID, None, False)


def test_the_house_tells_every_group_that_lives() -> None:
    """EX-1307: the supervisor of an account's groups hands on what is applied and takes the version at once."""

    async def script(stage: Stage) -> None:
        for name in ("desk", "pool", "gateway", "feed", "precision"):
            stage.probe(name)
        rig = GroupRig.__new__(GroupRig)
        rig.tolerance, rig.opening = None, opening(signal("s1"))
        intensity = Intensity(3, 60.0)
        make = partial(GroupHouse, pool="/house/pool", make=lambda _, __: rig.make(), intensity=intensity)
        stage.add("groups", make)
        await stage.told("groups", StartGroup(rig.opening))
        assert await stage.ask("groups", ApplySettings(2, CAPPED)) == SettingsTaken(2)
        await stage.settle()
        assert [each.tolerance for each in stage.events(STREAM, ToleranceTaken)] == [CAPPED]

    play(script)
