"""The figures of a recorded run, from its read models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date
from decimal import Decimal

import pytest

from protocol.values import Scope, Side
from rules.performance import daily_summary, dashboard
from store.ledger import inputs
from store.opening import MEMORY
from store.performance import Wanted, fill_lines, positions, waiting_entries
from store.projector import Projector
from store.queries import Views
from store.sqlite_journal import open_journal
from store.tables.opening import Where
from tests.service import recorded
from tests.store.trading import ModelGroup, Script

D = Decimal


def dollar(_: str) -> float:
    return 1.0


@pytest.fixture
def run(tables_at: Where) -> Iterator[Views]:
    with closing(Projector(tables_at)) as projector:
        projector.catch_up(recorded.journal())
        yield projector.views()


def scope(views: Views) -> Scope:
    return views.groups()[0].scope


def test_a_dashboard_of_a_run(run: Views) -> None:
    """EX-1701: a trade is a closed group with a fill; its realizations sum to its net result, as the books have it."""
    made = inputs(run, Wanted(scope(run)), dollar)
    assert {trade.id for trade in made.trades} == {group.group_id for group in run.groups() if group.first_fill_at}
    net = {row.key: float(row.net_quote) for row in run.pnl("group_id")}
    assert {trade.id: trade.net_pnl for trade in made.trades} == pytest.approx(net)
    now = made.realizations[-1].at
    found = dashboard(
        now=now,
        zone=UTC,
        trades=made.trades,
        realizations=made.realizations,
        snapshots=made.snapshots,
        starting_equity=1000,
    )
    assert found.pnl.all == pytest.approx(sum(net.values()))
    assert found.stats.net_pnl == pytest.approx(found.pnl.all)
    assert found.realized_curve[-1].value == pytest.approx(1000 + found.pnl.all)


def test_a_day_of_a_run(run: Views) -> None:
    """EX-1716: groups closed, fills and volume of a day, both sides of the market."""
    made = inputs(run, Wanted(scope(run)), dollar)
    summary = daily_summary(
        date(2024, 1, 1), UTC, made.trades, fill_lines(run, Wanted(scope(run)), dollar), made.realizations
    )
    assert summary.groups_closed == len(made.trades)
    assert summary.fills == len(run.fills())
    assert summary.volume_usd == pytest.approx(float(sum(fill.qty * fill.price for fill in run.fills())))


def test_filters_and_scopes_hold_for_everything(run: Views) -> None:
    """EX-1719: another scope, side or pair has nothing of it; what has no rate is left out, not counted as nothing."""
    other = next(each for each in Scope if each is not scope(run))
    wanted = [Wanted(other), Wanted(scope(run), side=Side.SHORT), Wanted(scope(run), symbol="DOGE/USDT")]
    for each in wanted:
        assert inputs(run, each, dollar)[:2] == ([], [])
        assert fill_lines(run, each, dollar) == []
    assert inputs(run, Wanted(scope(run)), lambda _: None).realizations == []


def test_open_positions_and_waiting_entries(tables_at: Where) -> None:
    """EX-1715: what is open at its mark, shorts below zero, and what of the entries is unfilled."""
    with closing(open_journal(MEMORY)) as journal, closing(Projector(tables_at)) as projector:
        group = ModelGroup(Script(journal), "g1")
        group.buy("p0.l0", D(2), D(100))
        projector.catch_up(journal)
        views = projector.views()
        opened = views.groups(open_only=True)
        assert [(each.qty, each.mark) for each in positions(opened, lambda _: 110.0, dollar)] == [(2.0, 110.0)]
        assert positions(opened, lambda _: None, dollar) == []
        assert waiting_entries(views, opened, lambda _: None) == []
