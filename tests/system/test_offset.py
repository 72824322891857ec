"""The loss offset in a whole house on recorded days: losers really closed out of winners' profit, to the last cent."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pytest

from protocol.groups import GroupClosed, RiskStepEnded
from protocol.offset import OffsetDecided, OffsetEnded, OffsetStarted, OffsetStepAsked, OffsetStepEnded
from protocol.orders import FillRecorded, OrderSent
from runtime.journal import Record
from runtime.memory_journal import MemoryJournal
from service.replaying import run_replay
from tests.system.accounts import cash_by_group, check_no_order_twice
from tests.system.recorded import SECRETS, need_data
from tests.system.season import season_alerts, season_config

pytestmark = pytest.mark.slow

BEGIN: Final = int(datetime(2024, 4, 9, tzinfo=UTC).timestamp()) * 10**9
END: Final = int(datetime(2024, 4, 19, tzinfo=UTC).timestamp()) * 10**9


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """Run ten days of April 2024, a fall of a tenth and the way back, and return the journal."""
    need_data()
    journal = MemoryJournal()
    config = season_config(tmp_path_factory.mktemp("offset"))
    result = run_replay(config, alerts=season_alerts(), secrets=SECRETS, journal=journal, since=BEGIN, until=END)
    assert result.dead_letters == 0
    return list(journal.read_all())


def of(records: list[Record], kind: type) -> list[Any]:
    """Return the events of a kind."""
    return [record.event for record in records if isinstance(record.event, kind)]


def test_losers_are_closed_out_of_winners_profit(records: list[Record]) -> None:
    """EX-1001, EX-1015: plans run in these days: winners first, then the loser, every step asked and ended once."""
    plans = {each.plan_id: each for each in of(records, OffsetStarted)}
    asked, ended = of(records, OffsetStepAsked), of(records, OffsetStepEnded)
    assert len(plans) >= 3
    assert [each.step_id for each in asked] == [each.step_id for each in ended]
    assert sorted(each.plan_id for each in of(records, OffsetEnded)) == sorted(plans)
    for plan_id, started in plans.items():
        steps = [each for each in ended if each.plan_id == plan_id]
        assert [each.loser for each in steps] == sorted(each.loser for each in steps)
        assert {each.group_id for each in steps} <= {*(w.group_id for w in started.plan.winners), started.plan.loser}
    assert any(each.loser and each.qty > 0 for each in ended)
    check_no_order_twice(records)


def test_no_more_loss_is_closed_than_profit_was_booked(records: list[Record]) -> None:
    """EX-1016: at the loser's price of the moment, what was closed of it cost no more than the winners had booked."""
    decided = {each.plan_id: each for each in of(records, OffsetDecided)}
    ended = of(records, OffsetStepEnded)
    for asked in of(records, OffsetStepAsked):
        if not asked.loser or asked.qty is None:
            continue
        booked = sum((e.booked_usd for e in ended if e.plan_id == asked.plan_id and not e.loser), Decimal(0))
        plan = decided[asked.plan_id].plan
        unit = plan.required_usd / (plan.loser_close_qty if plan.loser_full else _whole(plan))
        assert asked.qty * unit <= booked * Decimal("1.02")  # the price moved a little between plan and step


def _whole(plan: Any) -> Decimal:
    """Return the loser's whole quantity: its part that was to be closed, scaled to the whole loss."""
    return plan.loser_close_qty * plan.required_usd / (plan.covered_usd - plan.net_usd)


def test_steps_book_what_the_fills_say(records: list[Record]) -> None:
    """EX-1016, EX-1701: a group that one step closed in full booked exactly its cash flow less all its fees."""
    group_of = {each.request.client_order_id: each.group_id for each in of(records, OrderSent)}
    fees: dict[str, Decimal] = defaultdict(Decimal)
    base_fees: set[str] = set()
    for fill in of(records, FillRecorded):
        group = group_of[fill.client_order_id]
        if fill.fee_currency in ("USDT", "USD"):
            fees[group] += fill.fee
        else:
            base_fees.add(group)
    cash, steps = cash_by_group(records), of(records, RiskStepEnded)
    closed = {each.group_id: each for each in of(records, GroupClosed)}
    checked = 0
    for step in steps:
        group = closed.get(step.group_id)
        alone = sum(1 for each in steps if each.group_id == step.group_id) == 1
        if group is None or not alone or step.group_id in base_fees or step.qty <= 0:
            continue
        if cash[step.group_id].left or group.reason.value not in ("risk_close", "risk_partial"):
            continue
        sold = sum(
            (
                fill.qty
                for fill in of(records, FillRecorded)
                if group_of[fill.client_order_id] == step.group_id and fill.side.value == "sell"
            ),
            Decimal(0),
        )
        if sold != step.qty:
            continue
        assert step.booked_quote == cash[step.group_id].realized - fees[step.group_id]
        checked += 1
    assert checked > 0
