"""What stands at a group beside its legs: flags, timer, freezing, its settings, and that there is only one of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest

from protocol.configuration import ConfigApplied, ConfigRolledBack
from protocol.groups import CloseReason, GroupFrozen, GroupUnfrozen, TriggerSuperseded
from protocol.offset import RiskFlag, RiskFlagCleared, RiskFlagSet, RiskTimerCleared, RiskTimerStarted
from protocol.precision import RulesFetched
from runtime.journal import JournalUnavailable
from store.opening import MEMORY
from store.projector import Projector
from store.sqlite_journal import open_journal
from store.tables.opening import Where
from store.views.rows import GroupRow
from tests.store.trading import INSTRUMENT, ModelGroup, Script

D = Decimal


class Desk:
    """A journal with one group, and its read models."""

    def __init__(self, tables_at: Where = MEMORY) -> None:
        self.journal = open_journal(MEMORY)
        self.projector = Projector(tables_at)
        self.script = Script(self.journal)
        self.group = ModelGroup(self.script, "g1")

    def row(self) -> GroupRow:
        self.projector.catch_up(self.journal)
        found = self.projector.views().group("g1")
        assert found is not None
        return found


@pytest.fixture
def desk(tables_at: Where) -> Iterator[Desk]:
    made = Desk(tables_at)
    with closing(made.journal), closing(made.projector):
        yield made


def test_flags_and_timer_stand_at_the_group(desk: Desk) -> None:
    """EX-1202: blocked, skip once and the timer's end are columns of the group, set and cleared."""
    desk.group.tell(RiskFlagSet, flag=RiskFlag.BLOCKED)
    desk.group.tell(RiskFlagSet, flag=RiskFlag.SKIP_ONCE)
    desk.group.tell(RiskTimerStarted, expires_at=77)
    row = desk.row()
    assert (row.blocked, row.skip_once, row.risk_timer_expires) == (True, True, 77)
    desk.group.tell(RiskFlagCleared, flag=RiskFlag.SKIP_ONCE, cause="consumed")
    desk.group.tell(RiskTimerCleared)
    row = desk.row()
    assert (row.blocked, row.skip_once, row.risk_timer_expires) == (True, False, None)


def test_a_frozen_group_says_why(desk: Desk) -> None:
    """EX-1204: why a group is frozen stands at it until it goes on."""
    desk.group.tell(GroupFrozen, reason="short of 1 BTC")
    assert desk.row().frozen == "short of 1 BTC"
    desk.group.tell(GroupUnfrozen, reason="bought back")
    assert desk.row().frozen is None


def test_triggers_that_came_too_late_are_counted(desk: Desk) -> None:
    """EX-1202, EX-706: superseded triggers are counted at the group."""
    for _ in range(2):
        desk.group.tell(TriggerSuperseded, trigger=CloseReason.STOP, scope="group")
    assert desk.row().superseded == 2


def test_an_identity_has_one_live_group(desk: Desk) -> None:
    """EX-1203: a second live group of one mode and key is refused; nothing of the batch is kept."""
    key = f"ann|paper|BTC/USDT|1h|long|{desk.group.name}"
    assert desk.row().key == key
    before = desk.projector.position
    records = list(desk.journal.read_all())
    opened = next(each for each in records if type(each.event).__name__ == "GroupOpened")
    fields = {name: getattr(opened.event, name) for name in opened.event.__struct_fields__}
    desk.script.add("group:twin", type(opened.event)(**{**fields, "group_id": "g2"}))
    with pytest.raises(JournalUnavailable, match=r"UNIQUE|unique"):
        desk.projector.catch_up(desk.journal)
    assert desk.projector.position == before


def test_rules_and_versions_are_kept(desk: Desk) -> None:
    """EX-1202: trading rules by account and market, versions of the configuration with author and changes."""
    desk.script.add("/p", RulesFetched(account="paper", changed=(INSTRUMENT,), symbols=1, at=5))
    desk.script.add("/p", RulesFetched(account="paper", changed=(), gone=("BTC/USDT",), symbols=0, at=9))
    desk.script.add("/c", ConfigApplied(version=2, document="{}", author="ann", changes=(), at=5))
    desk.script.add("/c", ConfigRolledBack(version=2, back_to=1, actor="/risk", cause="no answer", at=6))
    desk.row()
    fetch = desk.projector.database.fetch
    rules = fetch("SELECT symbol, tick_size, step_size, min_notional, fetched_at, gone_at FROM precision_rules")
    assert [(name, *map(D, exact), *at) for name, *exact, at in [(*row[:4], row[4:]) for row in rules]] == [
        ("BTC/USDT", D("0.01"), D("0.001"), D(10), 5, 9)
    ]
    versions = fetch("SELECT version, author, changes, rolled_back FROM config_versions")
    assert [tuple(row) for row in versions] == [(2, "ann", "[]", "/risk: no answer")]
