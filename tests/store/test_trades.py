"""The history of closed groups, from journalled trading."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

from protocol.performance import EquityMarked, Mark, MarkedFor
from protocol.values import Scope
from store.opening import MEMORY
from store.performance import Wanted
from store.projector import Projector
from store.sqlite_journal import open_journal
from store.tables.opening import Where
from store.trades import all_trades, trade_rows
from tests.store.trading import ModelGroup, Script

D = Decimal


def mark(script: Script, bid: str) -> None:
    """Note a price while something is open."""
    marks = (Mark(symbol="BTC/USDT", bid=D(bid), ask=D(bid), quote_usd=D(1)),)
    marked = EquityMarked(
        account="paper:main", scope=Scope.PAPER, reason=MarkedFor.FILL, starting=D(1_000), marks=marks, at=script.at
    )
    script.add("/store/equity", marked)


def test_a_closed_group_is_a_line_of_history(tables_at: Where) -> None:
    """EX-1624: average entry and exit, why, result, fees, worst and best unrealized percent while it was open."""
    with closing(open_journal(MEMORY)) as journal, closing(Projector(tables_at)) as projector:
        script = Script(journal)
        group = ModelGroup(script, "g1")
        group.buy("p0.l0", D(1), D(100), D("0.1"))
        group.buy("p0.l1", D(1), D(98), D("0.1"))
        mark(script, "90")
        mark(script, "104")
        group.sell({"p0.l0": D(1), "p0.l1": D(1)}, D(103), D("0.2"))
        group.close(D(103))
        still_open = ModelGroup(script, "g2")
        still_open.buy("p0.l0", D(1), D(100))
        projector.catch_up(journal)
        views = projector.views()
        (row,) = trade_rows(views, Wanted(Scope.PAPER))
        assert trade_rows(views, Wanted(Scope.LIVE)) == []
        assert list(all_trades(views, Wanted(Scope.PAPER))) == [row]
        assert list(all_trades(views, Wanted(Scope.PAPER), text=f"btc/USDT Long {row.reason[:5]}")) == [row]
        assert list(all_trades(views, Wanted(Scope.PAPER), text="btc short")) == []
    assert (row.group_id, row.qty, row.entry_price, row.exit_price) == ("g1", 2, 99, 103)
    assert (row.realized_quote, row.fees_quote, row.net_quote) == (8, D("0.4"), D("7.6"))
    assert row.return_percent == 100 * 7.6 / 198
    assert round(row.worst_percent or 0, 6) == D("-9.090909")
    assert round(row.best_percent or 0, 6) == D("5.050505")
    assert row.closed_at > row.first_fill_at
