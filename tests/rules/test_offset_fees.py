"""The offset counts what the venue takes: closing a winner whose profit the fees use up would only cost."""

from __future__ import annotations

from decimal import Decimal

from protocol.groups import GroupState
from protocol.offset import PlanStatus
from protocol.values import Side
from rules.offset import Candidate, OffsetSettings, plan_offset, rank_winners

D = Decimal


def group(name: str, mark: str, *, fee_rate: str = "0", qty: str = "10", entry: str = "100") -> Candidate:
    """Return a long group."""
    return Candidate(
        name,
        Side.LONG,
        GroupState.ACTIVE,
        D(entry),
        D(mark),
        D(qty),
        D(1),
        D("0.001"),
        D("0.001"),
        D(5),
        fee_rate=D(fee_rate),
    )


def test_a_winner_whose_profit_the_fees_use_up_pays_for_nothing() -> None:
    """EX-1009, EX-1016: 0.15 of profit a unit is less than 0.2 of fees; the plan does not close it."""
    loser = group("L", "90", fee_rate="0.001")
    thin = group("thin", "100.15", fee_rate="0.001")
    assert [each.group.group_id for each in rank_winners([thin], "L")] == []
    assert [each.group.group_id for each in rank_winners([thin._replace(fee_rate=D(0))], "L")] == ["thin"]
    plan = plan_offset(loser, [loser, thin], OffsetSettings())
    assert (plan.status, plan.reason, plan.winners) == (PlanStatus.NOT_EXECUTABLE, "no_winners", ())


def test_profit_and_loss_of_a_plan_are_after_fees() -> None:
    """EX-1001: a winner at 102 brings 2 - 0.202 a unit, a loser at 98 costs 2 + 0.198: the plan books no net loss."""
    loser = group("L", "98", fee_rate="0.001")
    winner = group("W", "102", fee_rate="0.001", qty="20")
    plan = plan_offset(loser, [loser, winner], OffsetSettings())
    assert plan.required_usd == D("21.98")
    (closed,) = plan.winners
    assert closed.qty == D("12.225"), "21.98 / 1.798, up to the step"
    assert closed.profit_usd == D("12.225") * D("1.798")
    assert plan.net_usd is not None
    assert plan.net_usd >= 0
