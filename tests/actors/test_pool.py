"""The pool: who takes a slot, what reaches a live group, what is said about the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from actors.pool import group_name
from actors.session import session_topic
from protocol.groups import AddPyramid, CloseGroup, ReduceGroup, SlotReleased
from protocol.pool import GroupMail, GroupsUp, SlotFreed, SlotTaken, StartGroup
from protocol.signals import SignalOutcome
from protocol.venue import SessionUp
from runtime.spec import Spec
from tests.actors.cast import START, FailingJournal, Probe, Stage, kinds, of, play
from tests.actors.groups import opening, signal
from tests.actors.pool_rig import GROUPS, MARKETS, PATH, PoolRig, entry, exit_, path_of, reduce


def live(stage: Stage) -> list[Any]:
    """Have the group of s1 live at its path; return what it hears."""
    log: list[Any] = []
    house = stage.system.cell_of(GROUPS)
    assert house is not None
    house.spawn(Spec(group_name(opening(signal("s1"))), lambda: Probe(log, {}, ())))
    return log


# --- entries -----------------------------------------------------------------------------------------------------------


def test_an_entry_takes_a_slot() -> None:
    """The slot is journalled with the whole opening, the group is to be started, the gateway hears it (EX-901)."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry())
        (taken,) = stage.events(PATH)
        assert (taken.signal_id, taken.group_id, taken.occupied, taken.maximum) == ("s1", "gs1", 1, 2)
        assert of(rig.groups, StartGroup) == [StartGroup(taken.opening)]
        assert rig.outcomes() == [("s1", "opened")]

    play(script)


def test_slots_run_out() -> None:
    """No more groups than there are slots; the next waits, and is told how many are taken (EX-901, EX-910)."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry("s1"), entry("s2", symbol="ETH/USDT"), entry("s3", symbol="SOL/USDT"))
        assert rig.outcomes() == [("s1", "opened"), ("s2", "opened"), ("s3", "queued:q1:pool_full")]
        assert "2 of 2 slots are taken" in of(rig.gateway, SignalOutcome)[-1].reasons
        assert [event.occupied for event in stage.events(PATH, SlotTaken)] == [1, 2]

    play(script)


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        ({"symbol": "DOGE/USDT"}, "PrecisionMissing"),
        ({"side": "short"}, "ShortNotSupported"),
    ],
)
def test_refusals(refused: dict[str, str], code: str) -> None:
    """An unknown market and a short on a spot market are refused with their code (EX-429, EX-506)."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry("s1", symbol="BTC/USDT:USDT"), entry("s2", **refused))
        assert rig.outcomes()[-1] == ("s2", f"rejected:{code}")
        assert of(rig.gateway, SignalOutcome)[-1].reasons
        assert len(stage.events(PATH)) == 1

    play(script)


def test_a_decided_signal_is_not_decided_again() -> None:
    """A signal told again has the same outcome, although its slot is free by now; over restarts too."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry(), entry())
        await rig.told(SlotReleased(signal("s1").group_key, "gs1"))
        await rig.told(entry())
        assert rig.outcomes() == [("s1", "opened")] * 3
        assert kinds(stage.events(PATH)) == ["SlotTaken", "SlotFreed"]

    async def second(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry())
        assert rig.outcomes() == [("s1", "opened")]
        assert rig.started() == []

    play(first, journal=journal)
    play(second, journal=journal)


def test_a_refusal_is_remembered_for_its_own_signal_only() -> None:
    """A refusal is repeated when told again; another signal that got the same id (the journal lost the first) is not it."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        refused = entry("s1", symbol="DOGE/USDT")
        await rig.told(refused, refused)
        await rig.told(entry("s1", received_at=START + 1))
        assert [outcome for _, outcome in rig.outcomes()] == [*["rejected:PrecisionMissing"] * 2, "opened"]

    play(script)


def test_a_slot_that_is_not_kept_starts_nothing() -> None:
    """When the journal cannot keep the slot, the next life has it free and no outcome counts."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await stage.settle()
        journal.failing = True
        await rig.told(entry("s1"))
        journal.failing = False
        await rig.told(entry("s2"))
        assert [(event.signal_id, event.occupied) for event in stage.events(PATH)] == [("s2", 1)]

    play(script, journal=journal)


# --- what a live group gets --------------------------------------------------------------------------------------------


def test_a_live_group_gets_its_messages() -> None:
    """Pyramid, exit and reduction go to the group, which answers for itself."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry())
        group = live(stage)
        await rig.told(entry("s2"), reduce(fraction=Decimal("0.5")), exit_())
        rig.gateway.pop(0)
        assert rig.gateway == []
        pyramid, reduction, close = of(group, AddPyramid)[0], of(group, ReduceGroup)[0], of(group, CloseGroup)[0]
        assert (pyramid.group_id, pyramid.signal_id, pyramid.size) == ("gs1", "s2", Decimal(2))
        assert (reduction.group_id, reduction.fraction, reduction.signal_id) == ("gs1", Decimal("0.5"), "r1")
        assert (close.group_id, close.reason.value, close.signal_id) == ("gs1", "exit_signal", "x1")
        assert kinds(stage.events(PATH)) == ["SlotTaken", "PyramidAdmitted", "GroupCloseAsked"]

    play(script)


@pytest.mark.parametrize("message", [exit_(), reduce(fraction=Decimal(1))])
def test_nothing_to_exit(message: Any) -> None:
    """An exit or a reduction of what is not held is answered so."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(message)
        assert rig.outcomes() == [(message.signal.signal_id, "nothing_to_exit")]

    play(script)


def test_a_group_that_does_not_live_is_brought_back_for_it() -> None:
    """What concerns a group between two lives goes by way of its supervisor and is not lost."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry(), exit_())
        (mail,) = of(rig.groups, GroupMail)
        assert mail.group_path == path_of(signal("s1"))
        assert mail.message.signal_id == "x1"

    play(script)


def test_what_comes_before_the_groups_live_is_kept_for_them() -> None:
    """After a start the gateway may hand over an exit before any group lives: it follows once they are started (EX-253)."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry())

    async def second(stage: Stage) -> None:
        rig = PoolRig(stage, groups=False)
        await rig.told(exit_())
        groups = stage.probe("groups")
        await rig.told(GroupsUp(GROUPS))
        assert kinds(groups) == ["StartGroup", "GroupMail"]
        assert stage.letters() == []
        await rig.told(GroupsUp(GROUPS))
        assert kinds(groups) == ["StartGroup", "GroupMail"] * 2  # until it is closed; the group acts on it once

    play(first, journal=journal)
    play(second, journal=journal)


def test_an_entry_before_any_group_lives_is_started_with_the_others() -> None:
    """A signal that was stored over a crash may be admitted before the groups' supervisor is up: no dead letter (EX-253)."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, groups=False)
        await rig.told(entry())
        assert stage.letters() == []
        groups = stage.probe("groups")
        await rig.told(GroupsUp(GROUPS))
        assert kinds(groups) == ["StartGroup"]

    play(script)


# --- slots and lives ---------------------------------------------------------------------------------------------------


def test_a_slot_is_freed_once() -> None:
    """A release counts once, and only of the group that holds the slot: a late repeat never frees its successor's."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        release = SlotReleased(signal("s1").group_key, "gs1")
        for message in (entry("s1"), release, release, entry("s2"), release):
            await rig.told(message)
        assert kinds(stage.events(PATH)) == ["SlotTaken", "SlotFreed", "SlotTaken"]
        assert [event.occupied for event in stage.events(PATH)] == [1, 0, 1]
        assert rig.started() == ["gs1", "gs2"]

    play(script)


def test_every_held_slot_has_its_group_started() -> None:
    """When the groups' supervisor begins a life it is told every group that must live, also by a pool's next life."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry("s1"), entry("s2", symbol="ETH/USDT"))
        await rig.told(SlotReleased(signal("s1").group_key, "gs1"))
        await stage.crash("pool")
        rig.groups.clear()
        await rig.told(GroupsUp(GROUPS))
        assert rig.started() == ["gs2"]

    play(script)


def test_slots_are_rebuilt() -> None:
    """A new life counts the slots as the last one did."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry("s1"), entry("s2", symbol="ETH/USDT"))
        await rig.told(SlotReleased(signal("s1").group_key, "gs1"))

    async def second(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry("s3"), entry("s4", symbol="SOL/USDT"))
        assert rig.outcomes() == [("s3", "opened"), ("s4", "queued:q1:pool_full")]
        taken = stage.events(PATH, SlotTaken)
        assert [event.occupied for event in taken] == [1, 2, 2]
        assert len(stage.events(PATH, SlotFreed)) == 1

    play(first, journal=journal)
    play(second, journal=journal)


def test_a_new_life_knows_the_markets_before_the_signals_that_waited() -> None:
    """Signals that an earlier life left in the mailbox are judged with the account's markets."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await stage.settle()
        stage.tell("pool", entry())
        await stage.crash("pool")
        assert rig.outcomes() == [("s1", "opened")]

    play(script)


def test_without_a_session_an_entry_waits() -> None:
    """Without precision rules nothing can be opened; once the session is up what waited is let in (EX-506)."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage, up=False)
        await rig.told(entry("s1"))
        stage.system.bus.publish(session_topic("acc"), SessionUp("acc", MARKETS, stage.now), keep=True)
        await rig.told(entry("s2"))
        assert rig.outcomes() == [("s1", "queued:q1:precision_missing")]
        assert kinds(stage.events(PATH)) == ["SignalQueued", "EntryPromoted", "SlotTaken", "PyramidAdmitted"]

    play(script)
