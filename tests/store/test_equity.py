"""Equity from what the read models know and the prices that were noted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest

from protocol.performance import EquityMarked, Mark, MarkedFor
from protocol.values import Scope
from store.opening import MEMORY
from store.projector import Projector
from store.queries import Views
from store.sqlite_journal import open_journal
from store.tables.opening import Where
from tests.store.trading import ModelGroup, Script

D = Decimal
ONE = D(1)


class Desk:
    """A journal of one account and its read models."""

    def __init__(self, tables_at: Where = MEMORY) -> None:
        self.journal = open_journal(MEMORY)
        self.projector = Projector(tables_at)
        self.script = Script(self.journal)

    def mark(self, bid: str | None, *, rate: Decimal | None = ONE, **fields: Any) -> None:
        marks = () if bid is None else (Mark(symbol="BTC/USDT", bid=D(bid), ask=D(bid) + 1, quote_usd=rate),)
        given = {
            "account": "paper:main",
            "scope": Scope.PAPER,
            "reason": MarkedFor.FILL,
            "starting": D(1_000),
            **fields,
        }
        self.script.add("/store/equity", EquityMarked(marks=marks, at=self.script.at, **given))

    @property
    def views(self) -> Views:
        self.projector.catch_up(self.journal)
        return self.projector.views()


@pytest.fixture
def desk(tables_at: Where) -> Iterator[Desk]:
    made = Desk(tables_at)
    with closing(made.journal), closing(made.projector):
        yield made


def test_equity_is_what_was_begun_with_realized_and_open(desk: Desk) -> None:
    """EX-1705: realized equity is the start and all realizations; total adds what is open at the executable price."""
    group = ModelGroup(desk.script, "g1")
    group.buy("p0.l0", D(2), D(100))
    desk.mark("110")
    group.sell({"p0.l0": D(1)}, D(120))
    desk.mark("115")
    first, second = desk.views.equity()
    assert (first.realized_equity, first.total_equity, first.deployed) == (1_000, 1_020, 220)
    net = sum((row.net_quote for row in desk.views.realizations()), D(0))
    assert net > 0
    assert second.realized_equity == 1_000 + net
    assert second.total_equity == 1_000 + net + 15
    assert second.deployed == 115


def test_the_worst_and_the_best_of_a_group_are_kept(desk: Desk) -> None:
    """EX-1624: the lowest and highest unrealized percent while a group was open."""
    group = ModelGroup(desk.script, "g1")
    group.buy("p0.l0", D(1), D(100))
    for bid in ("90", "130", "120"):
        desk.mark(bid)
    row = desk.views.group("g1")
    assert row is not None
    assert (row.worst_percent, row.best_percent) == (-10, 30)


def test_without_a_price_total_equity_is_empty(desk: Desk) -> None:
    """EX-109: a missing price or rate leaves total equity empty, realized equity stands."""
    group = ModelGroup(desk.script, "g1")
    group.buy("p0.l0", D(1), D(100))
    desk.mark(None)
    desk.mark("100", rate=None)
    assert [(row.realized_equity, row.total_equity) for row in desk.views.equity()] == [(1_000, None), (1_000, None)]


def test_a_deposit_is_no_profit(desk: Desk) -> None:
    """EX-1705: a flow moves equity and stands beside it."""
    desk.mark(None)
    desk.mark(None, flow=D(500))
    assert [(row.total_equity, row.flow) for row in desk.views.equity()] == [(1_000, 0), (1_500, 500)]
    assert desk.views.equity(account="elsewhere") == []
