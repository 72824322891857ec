"""What was earned, added up by anything: the same money each time, and the money that came in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal, localcontext
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.opening import MEMORY
from store.pnl import PNL_KEYS, PnlFilter
from store.projector import Projector
from store.queries import Views
from store.sqlite_journal import open_journal
from store.tables.opening import Where
from store.views.rows import PnlRow
from tests.service import recorded
from tests.store.trading import random_trading


@pytest.fixture
def run(tables_at: Where) -> Iterator[Views]:
    """The read models of a recorded run."""
    with closing(Projector(tables_at)) as projector:
        projector.catch_up(recorded.journal())
        yield projector.views()


def total(rows: list[PnlRow], name: str = "net_quote") -> Decimal:
    with localcontext(prec=130):
        return sum((getattr(row, name) for row in rows), Decimal(0))


def test_the_result_is_the_cash_flow_of_the_fills(run: Views) -> None:
    """EX-1202, EX-1701: what the closed groups of a run earned is what their fills brought in, less every fee."""
    assert all(group.state == "closed" for group in run.groups())
    with localcontext(prec=130):
        cash = Decimal(0)
        for fill in run.fills():
            assert fill.fee_currency == "USDT"
            amount = fill.qty * fill.price
            cash += (amount if fill.side == "sell" else -amount) - fill.fee
    assert run.fills() != []
    assert total(run.pnl("group_id")) == cash


def test_every_way_of_adding_up_gives_the_same(run: Views) -> None:
    """EX-1704: by group, pyramid, leg, reason, pair, timeframe, strategy or day, the sums are equal to the last digit."""
    for name in ("realized_quote", "fees_quote", "net_quote"):
        sums = {by: total(run.pnl(by), name) for by in PNL_KEYS}
        assert len(set(sums.values())) == 1, (name, sums)


@settings(max_examples=20, deadline=None)
@given(rng=st.randoms(use_true_random=False), steps=st.integers(1, 40))
def test_random_trading_adds_up_too(rng: Random, steps: int) -> None:
    """EX-1704: whatever is traded, every way of adding up gives the same."""
    with closing(open_journal(MEMORY)) as journal, closing(Projector(MEMORY)) as projector:
        random_trading(journal, rng, steps)
        projector.catch_up(journal)
        views = projector.views()
        assert len({total(views.pnl(by)) for by in PNL_KEYS}) == 1


def test_a_run_by_pyramid_leg_and_reason(run: Views) -> None:
    """EX-1202: realizations carry leg and reason: targets by leg, the exit by its reason, days by the calendar."""
    assert {row.key for row in run.pnl("reason")} == {"leg_tp", "exit_signal"}
    legs = [row.key.partition(" ")[2] for row in run.pnl("leg")]
    assert "p0.l0" in legs
    assert {row.key.partition(" ")[2] for row in run.pnl("pyramid")} == {"p0"}
    assert {row.key for row in run.pnl("day")} == {"2024-01-01"}
    assert {row.key for row in run.pnl("day", zone=ZoneInfo("Pacific/Honolulu"))} == {"2023-12-31"}


def test_filters_narrow(run: Views) -> None:
    """EX-1719: an account, a group and a span of time narrow the sums; nothing is counted twice at the seam."""
    rows = run.realizations()
    seam = rows[len(rows) // 2].at
    early, late = (run.pnl("account", PnlFilter(until=seam)), run.pnl("account", PnlFilter(since=seam)))
    assert total(early + late) == total(run.pnl("account"))
    group = run.groups()[0].group_id
    assert [row.key for row in run.pnl("group_id", PnlFilter(group_id=group))] == [group]
    assert run.pnl("group_id", PnlFilter(account="elsewhere")) == []
