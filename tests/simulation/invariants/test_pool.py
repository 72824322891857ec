"""Invariants about the pool and the life of groups find what they are for, and nothing in clean runs."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from protocol.groups import GroupState, GroupStateChanged
from protocol.pool import EntryPromoted, Promotion, QueueRemoved, SignalQueued, SlotFreed, SlotTaken
from simulation.invariant import Invariant
from simulation.invariants.lives import GroupLife
from simulation.invariants.pool import PoolLimit, QueueLeavesOnce, SlotsAreGroups
from tests.simulation.invariants.recording import Replayed, Stage

POOL = "/risk/pool-paper"
LIMIT = "[execution_pool]\nmax_open_groups = 2"


@pytest.mark.parametrize("kind", [PoolLimit, SlotsAreGroups, QueueLeavesOnce, GroupLife])
def test_a_clean_run_shows_nothing(kind: type[Invariant], clean_runs: list[Replayed]) -> None:
    """No false alarm in twelve days of random markets and signals."""
    for run in clean_runs:
        assert run.run([kind()]) == []


@pytest.fixture
def taken(clean_runs: list[Replayed]) -> SlotTaken:
    """A slot that a real run took."""
    return next(each.event for each in clean_runs[0].records if isinstance(each.event, SlotTaken))


def slot(like: SlotTaken, number: int, **changes: Any) -> SlotTaken:
    """Return the slot of another group."""
    fields = {"group_key": f"me|x|C{number}/USDT|1h|long", "group_id": f"g{number}", "signal_id": f"s{number}"}
    return replace(like, **{**fields, "occupied": number, "maximum": 2, **changes})


def test_a_group_beyond_the_limit_is_found(taken: SlotTaken) -> None:
    """EX-901: the third group of two slots."""
    stage = Stage(PoolLimit(), settings=LIMIT)
    for number in (1, 2):
        stage.tell(POOL, slot(taken, number))
    assert stage.found == []
    stage.tell(POOL, slot(taken, 3))
    assert stage.found == ["g3 is let in when 2 of 2 slots are taken"]


@pytest.mark.parametrize("how", [Promotion.FORCED, Promotion.INHERITED])
def test_an_override_that_is_recorded_is_right(taken: SlotTaken, how: Promotion, clean_runs: list[Replayed]) -> None:
    """EX-926, EX-919: an operator's force, and the slot of the group that is reversed."""
    like = next(each.event for each in clean_runs[0].records if isinstance(each.event, EntryPromoted))
    stage = Stage(PoolLimit(), settings=LIMIT)
    for number in (1, 2):
        stage.tell(POOL, slot(taken, number))
    stage.tell(POOL, replace(like, signal_id="s3", how=how))
    stage.tell(POOL, slot(taken, 3))
    assert stage.found == []


def test_a_slot_that_leaks_is_found(taken: SlotTaken) -> None:
    """A slot that the pool still counts although its group has given it back."""
    stage = Stage(PoolLimit(), settings=LIMIT)
    stage.tell(POOL, slot(taken, 1))
    stage.tell(POOL, SlotFreed(group_key="k", group_id="g1", occupied=0, maximum=2, at=1))
    stage.tell(POOL, slot(taken, 2))
    assert stage.found == ["g2 is counted as 2 of 2 slots, 1 groups are live"]


def test_a_limit_that_was_never_configured_is_found(taken: SlotTaken) -> None:
    """The pool goes by the configuration in force."""
    stage = Stage(PoolLimit(), settings=LIMIT)
    stage.tell(POOL, slot(taken, 1, maximum=9))
    assert stage.found == ["g1 is judged by a limit of 9, never was it but [2]"]


def test_two_groups_of_one_identity_are_found(taken: SlotTaken) -> None:
    """EX-913: one group an identity, and never both of its sides."""
    stage = Stage(SlotsAreGroups())
    stage.tell(POOL, slot(taken, 1))
    stage.tell(POOL, slot(taken, 1, group_id="g2"))
    stage.tell(POOL, slot(taken, 2, group_key="me|x|C1/USDT|1h|short"))
    assert len(stage.found) == 2


def test_both_sides_of_a_perpetual_are_found(taken: SlotTaken) -> None:
    """EX-913: a venue nets them in whatever timeframes; nothing of a spot market, another symbol or pool is netted."""
    stage = Stage(SlotsAreGroups())
    stage.tell(POOL, slot(taken, 1, group_key="me|x|C1/USDT:USDT|1h|long"))
    stage.tell(POOL, slot(taken, 2, group_key="me|x|C2/USDT:USDT|4h|short"))
    stage.tell("/risk/pool-other", slot(taken, 3, group_key="me|x|C1/USDT:USDT|4h|short"))
    stage.tell(POOL, slot(taken, 4, group_key="me|x|C1/USDT|4h|short"))
    assert stage.found == []
    stage.tell(POOL, slot(taken, 5, group_key="me|x|C1/USDT:USDT|4h|short"))
    assert len(stage.found) == 1


def test_a_slot_without_a_group_is_found_at_rest(taken: SlotTaken) -> None:
    """EX-905: a rejected or closed group gives its slot back; a living one has one."""
    stage = Stage(SlotsAreGroups())
    stage.tell(POOL, slot(taken, 1))
    stage.opened("g2")
    assert stage.rest() == ["g1 has a slot and does not live", "g2 lives and has no slot"]


def test_an_entry_that_leaves_the_queue_twice_is_found(clean_runs: list[Replayed]) -> None:
    """EX-917: what waits enters or is removed, once."""
    records = [each.event for run in clean_runs for each in run.records]
    queued = replace(next(each for each in records if isinstance(each, SignalQueued)), queue_id="q1", waiting=1)
    removed = replace(next(each for each in records if isinstance(each, QueueRemoved)), queue_id="q1", waiting=0)
    stage = Stage(QueueLeavesOnce())
    for event in (queued, removed, removed):
        stage.tell(POOL, event)
    assert stage.found == ["q1 leaves a queue that it is not in"]
    stage.tell(POOL, replace(queued, waiting=4))
    assert stage.found[1:] == ["after q1 4 are said to wait, and 1 do"]


def test_an_illegal_move_of_a_group_is_found() -> None:
    """EX-803: the table, and from where the group really was."""
    stage = Stage(GroupLife())
    stage.opened()
    for old, new, cause in (
        (None, GroupState.LIVE, "entry_admitted"),
        (GroupState.ACTIVE, GroupState.CLOSING, "trigger"),
        (GroupState.CLOSING, GroupState.LIVE, "close_complete"),
    ):
        moved = GroupStateChanged(group_id="g1", old=old, new=new, cause=cause, reason=None, at=1)
        stage.tell("group:g1", moved)
    assert len(stage.found) == 2
