"""Eight recorded months, about 2,400 signals, ten slots: every mechanism of the engine is used, and the books add up."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from protocol.groups import GroupClosed
from protocol.offset import OffsetEnded, OffsetStepEnded
from protocol.pool import EntryPromoted, QueueRemoved, SignalQueued, SlotFreed, SlotTaken
from runtime.journal import Record
from service.cli.commands import app
from service.replaying import ReplayResult, run_replay
from store.sqlite_journal import Durability, open_journal
from tests.service.command_line import CliRunner
from tests.system.accounts import cash_by_group, check_no_order_twice
from tests.system.recorded import SECRETS, need_data
from tests.system.season import season_alerts, season_config

pytestmark = pytest.mark.slow(seconds=90)

USED = (
    "pyramids: first",
    "pyramids: further",
    "take profit: leg target filled",
    "take profit: pyramid closed alone",
    "closes: aggregate_tp of a group",
    "closes: exit_signal of a group",
    "closes: reduce of a partial",
    "closes: risk_close of a group",
    "closes: risk_partial of a partial",
    "queue: pool_full",
    "queue: opposite_side",
    "queue: ranked",
    "queue: inherited",
    "queue: replaced by a newer signal",
    "queue: removed, exit_signal",
    "queue: removed, expired",
    "offset: timer started",
    "offset: plan decided",
    "offset: winner closed",
    "offset: loser closed",
)
"""Mechanisms that the season must show."""


class Season:
    """One run of the season, read from its journal on disk."""

    def __init__(self, path: Path, result: ReplayResult, records: list[Record]) -> None:
        self.path = path
        self.result = result
        self.records = records


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    """Run the season once, into a journal on disk."""
    need_data()
    folder = tmp_path_factory.mktemp("season")
    path = folder / "journal.db"
    journal = open_journal(path, durability=Durability.OFF)
    try:
        result = run_replay(season_config(folder), alerts=season_alerts(), secrets=SECRETS, journal=journal)
        records = list(journal.read_all())
    finally:
        journal.close()
    return Season(path, result, records)


def test_every_mechanism_is_used(season: Season) -> None:
    """EX-101, EX-102: ladders, pyramids, all ways of taking profit, queue and offset all happen, and are counted."""
    used = season.result.summary.mechanisms
    assert season.result.summary.signals > 2_000
    assert [name for name in USED if not used[name]] == []
    assert season.result.dead_letters == 0


def test_profit_equals_cash_flows(season: Season) -> None:
    """P&L of every closed group is what its fills paid and earned; no order is sent twice."""
    check_no_order_twice(season.records)
    cash = cash_by_group(season.records)
    for record in season.records:
        event = record.event
        if isinstance(event, GroupClosed) and event.group_id in cash and not event.dust:
            assert cash[event.group_id].left == 0
            assert cash[event.group_id].realized == event.realized_quote


def test_slots_and_queue_never_lose_count(season: Season) -> None:
    """EX-901, EX-905, EX-917: occupancy follows from slots taken and freed; an entry leaves the queue exactly once."""
    live: set[str] = set()
    waiting: set[str] = set()
    for record in season.records:
        match record.event:
            case SlotTaken() as event:
                assert event.group_key not in live, "two groups of one identity"
                live.add(event.group_key)
                assert len(live) == event.occupied <= event.maximum
            case SlotFreed() as event:
                live.remove(event.group_key)
                assert len(live) == event.occupied
            case SignalQueued() as event:
                assert event.queue_id not in waiting
                waiting.add(event.queue_id)
                assert len(waiting) == event.waiting
            case EntryPromoted() | QueueRemoved() as event:
                waiting.remove(event.queue_id)
                assert len(waiting) == event.waiting


def test_an_offset_never_books_more_loss_than_profit(season: Season) -> None:
    """EX-1015, EX-1016: the loss closed by a plan is covered by what its winners really booked."""
    booked: dict[str, Decimal] = {}
    plans = 0
    for record in season.records:
        match record.event:
            case OffsetStepEnded() as event:
                booked[event.plan_id] = booked.get(event.plan_id, Decimal(0)) + event.booked_usd
            case OffsetEnded() as event:
                plans += 1
                assert event.booked_usd == booked.get(event.plan_id, Decimal(0))
    assert plans > 0


def test_a_person_can_follow_a_group_from_signal_to_close(season: Season) -> None:
    """`bulkhead trace` and `bulkhead explain` tell the story of a group that waited in the queue and closed."""
    opened = {each.event.signal_id: each.event for each in season.records if isinstance(each.event, SlotTaken)}
    closed = {each.event.group_id for each in season.records if isinstance(each.event, GroupClosed)}
    promoted = [each.event for each in season.records if isinstance(each.event, EntryPromoted)]
    entry = next(each for each in promoted if each.signal_id in opened and opened[each.signal_id].group_id in closed)
    group = opened[entry.signal_id].group_id
    runner = CliRunner()
    traced = runner.invoke(app, ["trace", group, "--journal", str(season.path)])
    told = runner.invoke(app, ["explain", group, "--journal", str(season.path)])
    assert traced.exit_code == 0, traced.output
    assert told.exit_code == 0, told.output
    for word in ("webhook", "signal: entry", "order", "fill", "to closed"):
        assert word in traced.output
    asked = runner.invoke(app, ["explain", entry.signal_id, "--journal", str(season.path)])
    assert asked.exit_code == 0, asked.output
    assert "queue" in asked.output
