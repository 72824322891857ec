"""Invariants about closes find what they are for, and nothing in clean runs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from protocol.groups import (
    CloseEnded,
    CloseFinished,
    CloseReason,
    CloseStarted,
    GroupState,
    GroupStateChanged,
    LegClosed,
    LegState,
)
from protocol.orders import OrderState, Purpose
from protocol.values import OrderSide
from simulation.invariant import Invariant
from simulation.invariants.closes import ClosedIsClosed, ClosesGetThrough, FirstTriggerWins
from tests.simulation.invariants.recording import Replayed, Stage, name_of, order


@pytest.mark.parametrize("kind", [ClosedIsClosed, FirstTriggerWins, ClosesGetThrough])
def test_a_clean_run_shows_nothing(kind: type[Invariant], clean_runs: list[Replayed]) -> None:
    """No false alarm in twelve days of random markets and signals."""
    for run in clean_runs:
        assert run.run([kind()]) == []


def bought(stage: Stage) -> None:
    """Open a group that holds one."""
    stage.opened()
    stage.placed(order(name_of(), price=None))
    stage.state(name_of(), OrderState.FILLED)


def test_an_order_left_by_a_closed_group_is_found() -> None:
    """EX-703: after a full close no order rests."""
    stage = Stage(ClosedIsClosed())
    stage.opened()
    stage.placed(order(name_of(leg=1), price="90"))
    stage.closed()
    assert stage.found == [f"g1 is closed and its order {name_of(leg=1)} can still trade 1"]


def test_a_position_left_by_a_closed_group_is_found() -> None:
    """After a full close nothing is held but what was written off as dust."""
    stage = Stage(ClosedIsClosed())
    bought(stage)
    sell = order(name_of(purpose=Purpose.CLOSE), qty="0.9", price=None, side=OrderSide.SELL)
    stage.placed(sell, Purpose.CLOSE)
    stage.closed(dust="0.1")
    assert stage.found == []
    stage.closed()
    assert stage.found == ["g1 is closed with a dust of 0 and holds 0.1 at its exchange"]


def test_a_late_fill_of_a_closed_group_is_found_at_rest() -> None:
    """EX-705: a fill after the end is flattened; at rest nothing of it is left."""
    stage = Stage(ClosedIsClosed())
    stage.opened()
    stage.closed()
    stage.placed(order(name_of(), price=None))
    assert "holds 1 at its exchange" in stage.rest()[0]


def test_an_order_that_nobody_knows_is_found_at_rest() -> None:
    """An orphan of ours at the exchange has been cancelled by the time all is at rest."""
    stage = Stage(ClosedIsClosed())
    stage.opened()
    stage.exchange.place(order(name_of(leg=3), price="90"))
    assert stage.rest() == [f"{name_of(leg=3)} rests at paper and is in nobody's books"]


def started(number: int, scope: str, reason: CloseReason) -> CloseStarted:
    """Return the begin of a close."""
    return CloseStarted(group_id="g1", number=number, scope=scope, reason=reason, at=1)


def moved(old: GroupState, new: GroupState, reason: CloseReason | None) -> GroupStateChanged:
    """Return a group's move."""
    return GroupStateChanged(group_id="g1", old=old, new=new, cause="trigger", reason=reason, at=1)


@pytest.mark.parametrize(
    ("owner", "scope"),
    [("group", "group"), ("group", "partial"), ("pyramid:0", "leg:p0.l1"), ("leg:p0.l1", "leg:p0.l1")],
)
def test_a_second_owner_of_a_scope_is_found(owner: str, scope: str) -> None:
    """EX-701: the first trigger owns its scope until it lets go."""
    stage = Stage(FirstTriggerWins())
    stage.tell("group:g1", started(1, owner, CloseReason.STOP))
    stage.tell("group:g1", started(2, scope, CloseReason.EXIT_SIGNAL))
    assert stage.found == [f"g1: close 2 of {scope} while 1 owns {owner}"]


def test_owners_one_after_the_other_are_right() -> None:
    """A scope that was let go of may be owned again; two slices and two pyramids may run together."""
    stage = Stage(FirstTriggerWins())
    stage.tell("group:g1", started(1, "pyramid:0", CloseReason.PYRAMID_TP))
    stage.tell("group:g1", started(2, "pyramid:1", CloseReason.PYRAMID_TP))
    over = CloseFinished(group_id="g1", number=1, scope="pyramid:0", reason=CloseReason.PYRAMID_TP, at=1)
    stage.tell("group:g1", over)
    stage.tell("group:g1", started(3, "pyramid:0", CloseReason.PYRAMID_TP))
    stage.tell("group:g1", started(4, "partial", CloseReason.REDUCE))
    stage.tell("group:g1", started(5, "partial", CloseReason.REDUCE))
    assert stage.found == []


def test_a_changed_reason_is_found() -> None:
    """A group closes for the reason it began to close for."""
    stage = Stage(FirstTriggerWins())
    stage.tell("group:g1", moved(GroupState.ACTIVE, GroupState.CLOSING, CloseReason.STOP))
    stage.tell("group:g1", moved(GroupState.CLOSING, GroupState.CLOSED, CloseReason.AGGREGATE_TP))
    assert len(stage.found) == 1


def test_a_slot_given_back_twice_is_found() -> None:
    """EX-905: a group gives its slot back once."""
    stage = Stage(FirstTriggerWins())
    stage.tell("group:g1", moved(GroupState.LIVE, GroupState.CLOSED, CloseReason.OPERATOR))
    stage.closed()
    stage.closed()
    assert stage.found == ["g1 gives its slot back twice"]


def test_a_leg_that_closes_twice_is_found() -> None:
    """A leg ends once for what was filled of it."""
    stage = Stage(FirstTriggerWins())
    ended = LegClosed(group_id="g1", leg_id="p0.l0", reason=CloseReason.LEG_TP, leg_state=LegState.HIT_TP, at=1)
    stage.tell("group:g1", ended)
    stage.tell("group:g1", ended)
    assert stage.found == ["g1: leg p0.l0 closed again (leg_tp)"]


@pytest.mark.parametrize(("failures", "halted_s", "found"), [(14, 0, 0), (15, 0, 1), (15, 60, 0)])
def test_a_close_that_never_gets_through_is_found(failures: int, halted_s: int, found: int) -> None:
    """EX-712: tried for as long as it takes; but nothing refuses a right order for long, a halt aside."""
    stage = Stage(ClosesGetThrough())
    stage.exchange.halted_until = stage.now + halted_s * 1_000_000_000 if halted_s else 0
    ended = CloseEnded(
        group_id="g1",
        client_order_id=name_of(purpose=Purpose.CLOSE),
        number=1,
        state=OrderState.REJECTED,
        filled_qty=Decimal(0),
        rest={},
        failures=failures,
        caps=0,
        retry_after_s=60,
        reason="ReduceOnly",
        at=1,
    )
    stage.tell("group:g1", ended)
    assert len(stage.found) == found
