"""The process may die between any two journal writes: what is left goes on to the same end as an uninterrupted run.

The recorded days of April 2024 (a fall of a tenth, and the way back) with few slots: ladders, pyramids, every way of
taking profit, a queue that fills and empties, reversals and loss offsets. The journal is cut after a commit, and a new
house goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from actors.sender import Alert
from protocol.groups import RiskStepEnded
from protocol.offset import OffsetEnded, OffsetStarted, OffsetStepAsked, OffsetStepEnded
from runtime.journal import Entry, Record
from runtime.memory_journal import MemoryJournal
from service.replaying import ReplayResult, run_replay
from tests.system.accounts import cash_by_group, check_no_order_twice, trades_of
from tests.system.recorded import SECRETS, need_data
from tests.system.season import season_alerts, season_config

pytestmark = pytest.mark.slow(seconds=100)

BEGIN: Final = int(datetime(2024, 4, 9, tzinfo=UTC).timestamp()) * 10**9
END: Final = int(datetime(2024, 4, 19, tzinfo=UTC).timestamp()) * 10**9
CUTS_OF_A_KIND: Final = 2
"""How many commits with each type of event the run is cut after."""
SPREAD: Final = 20
"""Further cuts, spread evenly over the run."""
OFFSET_CUTS: Final = 24
"""Cuts in the first offsets."""


class CountingJournal(MemoryJournal):
    """Remembers where each commit ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[int] = []

    def append(self, entries: Sequence[Entry]) -> int:
        """Append, and note the position."""
        position = super().append(entries)
        self.ends.append(position)
        return position


def run(folder: Path, journal: MemoryJournal, alerts: Sequence[Alert], *, offset: bool) -> ReplayResult:
    """Run the days to their end, from wherever the journal stands."""
    config = season_config(folder, slots=5, offset=offset)
    return run_replay(config, alerts=alerts, secrets=SECRETS, journal=journal, since=BEGIN, until=END)


def cut_at(records: Sequence[Record], position: int) -> MemoryJournal:
    """Return a journal that ends at a position, as a dead process leaves it."""
    journal = MemoryJournal()
    journal.append([Entry(*record[1:]) for record in records[:position]])
    return journal


def places(journal: CountingJournal) -> list[int]:
    """Return the ends of commits to cut at: some with each type of event in them, and others spread over the run."""
    records = list(journal.read_all())
    found: set[int] = set()
    seen: dict[str, int] = {}
    start = 0
    for end in journal.ends:
        kinds = {type(record.event).__name__ for record in records[start:end]}
        if any(seen.get(kind, 0) < CUTS_OF_A_KIND for kind in kinds):
            found.add(end)
            for kind in kinds:
                seen[kind] = seen.get(kind, 0) + 1
        start = end
    stride = max(1, len(journal.ends) // SPREAD)
    return sorted(found | set(journal.ends[::stride]))


def days() -> list[Alert]:
    """Return the alerts of those days."""
    need_data()
    return [alert for alert in season_alerts() if BEGIN <= alert.at < END]


def test_a_cut_after_any_commit_changes_nothing(tmp_path: Path) -> None:
    """EX-1201, EX-1204, EX-1205: fills, results and outcomes equal those of the uninterrupted run; no order twice."""
    alerts = days()
    whole = CountingJournal()
    expected = run(tmp_path, whole, alerts, offset=False)
    records = list(whole.read_all())
    trades, cash = trades_of(records), cash_by_group(records)
    assert len(trades) > 50
    for position in places(whole):
        torn = cut_at(records, position)
        ended = run(tmp_path, torn, alerts, offset=False)
        after = list(torn.read_all())
        where = f"cut after {position}: {type(records[position - 1].event).__name__}"
        check_no_order_twice(after)
        assert trades_of(after) == trades, where
        assert cash_by_group(after) == cash, where
        assert ended.summary.outcomes == expected.summary.outcomes, where
        assert ended.dead_letters == 0, where


def test_a_plan_that_was_cut_short_is_carried_on(tmp_path: Path) -> None:
    """EX-1015, EX-1016, EX-1205: cut after any commit of an offset, each plan begun ends once, each step is asked once.

    When the house looks again after a restart is its own affair, so the fills need not equal those of the other run.
    """
    alerts = days()
    whole = CountingJournal()
    run(tmp_path, whole, alerts, offset=True)
    records = list(whole.read_all())
    for position in places_of_offsets(whole):
        torn = cut_at(records, position)
        ended = run(tmp_path, torn, alerts, offset=True)
        after = list(torn.read_all())
        where = f"cut after {position}: {type(records[position - 1].event).__name__}"
        check_no_order_twice(after)
        assert ended.dead_letters == 0, where
        check_plans(after, where)


def places_of_offsets(journal: CountingJournal) -> list[int]:
    """Return the ends of the first commits that carry on an offset, and of the one after each."""
    records = list(journal.read_all())
    found: set[int] = set()
    start = 0
    for place, end in enumerate(journal.ends):
        events = [record.event for record in records[start:end]]
        if any(
            isinstance(event, OffsetStarted | OffsetStepAsked | OffsetStepEnded | RiskStepEnded) for event in events
        ):
            found.update(journal.ends[place : place + 2])
        start = end
    assert found, "no offset in these days"
    return sorted(found)[:OFFSET_CUTS]


def check_plans(records: Sequence[Record], where: str) -> None:
    """Fail unless each plan ended once, after all of its steps, with what they booked."""
    begun = [each.event for each in records if isinstance(each.event, OffsetStarted)]
    ended = {each.event.plan_id: each.event for each in records if isinstance(each.event, OffsetEnded)}
    asked = [each.event.step_id for each in records if isinstance(each.event, OffsetStepAsked)]
    steps = [each.event for each in records if isinstance(each.event, OffsetStepEnded)]
    assert len({plan.plan_id for plan in begun}) == len(begun) == len(ended), where
    assert len(asked) == len(set(asked)), where
    assert {step.step_id for step in steps} == set(asked), where
    for plan_id, event in ended.items():
        assert event.booked_usd == sum(step.booked_usd for step in steps if step.plan_id == plan_id), where
