"""What figures are made of, added to step by step."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from protocol.performance import EquityMarked, Mark, MarkedFor
from protocol.values import Scope, Side
from rules.performance import Realization, Snapshot, Trade
from store.ledger import Inputs, Ledger, inputs
from store.opening import MEMORY
from store.performance import Wanted
from store.projector import Projector
from store.queries import Views
from store.sqlite_journal import open_journal
from store.tables.opening import Where
from tests.store.trading import ModelGroup, Script

D = Decimal


def dollar(_: str) -> float:
    return 1.0


def mark(script: Script, rng: Random, account: str = "paper:main") -> None:
    """Note a price, now and then without one, now and then with a deposit."""
    price = D(rng.randrange(90, 115))
    marks = (Mark(symbol="BTC/USDT", bid=price, ask=price, quote_usd=D(1)),) if rng.random() < 0.8 else ()
    fields: dict[str, Any] = {"flow": D(rng.choice([500, -100]))} if rng.random() < 0.2 else {}
    marked = EquityMarked(
        account=account,
        scope=Scope.PAPER,
        reason=MarkedFor.FILL,
        starting=D(1_000),
        marks=marks,
        at=script.at,
        **fields,
    )
    script.add("/store/equity", marked)


def act(script: Script, groups: list[ModelGroup], closed: list[ModelGroup], rng: Random) -> None:
    """Let anything happen: a group opens, buys, sells, closes, has fills after its close, a price is noted."""
    choice = rng.random()
    if choice < 0.25 or not groups:
        groups.append(ModelGroup(script, f"g{len(groups) + len(closed)}"))
        groups[-1].buy("p0.l0", D(2), D(rng.randrange(95, 105)), D("0.1"))
    elif choice < 0.45:
        group = rng.choice(groups)
        if held := {leg: qty for leg, qty in group.open.items() if qty > 1}:
            group.sell(dict.fromkeys(held, D(1)), D(rng.randrange(90, 115)), D("0.05"))
    elif choice < 0.65:
        group = groups.pop(rng.randrange(len(groups)))
        group.close(D(rng.randrange(90, 115)))
        closed.append(group)
    elif choice < 0.75 and closed:
        late = rng.choice(closed)  # what it sells again may become known later than what it bought
        late.buy("p0.l1", D(1), D(100), D("0.1"))
        if rng.random() < 0.5:
            late.sell({"p0.l1": late.open["p0.l1"]}, D(90), D("0.02"))
    elif choice < 0.8:
        script.at = max(script.at - 30, min(script.at, 1_041))  # a clock is put back
    else:
        mark(script, rng, rng.choice(["paper:main", "paper:main", "paper:other"]))


class Kept:
    """A ledger and all that it gave so far; begun anew when that is true no more."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.begin()

    def begin(self) -> None:
        self.ledger = Ledger(self.wanted, dollar)
        self.rows = Inputs([], [], [])

    def caught_up(self, views: Views) -> Inputs:
        if self.ledger.is_outdated(views):
            self.begin()
        self.ledger.catch_up(views, self)
        return self.rows._replace(trades=list(self.rows.trades))

    def trades(self, trades: Sequence[Trade]) -> None:
        self.rows.trades.extend(trades)

    def realizations(self, realizations: Sequence[Realization]) -> None:
        self.rows.realizations.extend(realizations)

    def snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        self.rows.snapshots.extend(snapshots)


@pytest.mark.parametrize("seed", range(8))
def test_a_ledger_that_is_added_to_is_one_read_from_nothing(
    seed: int, tables_at: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EX-1719: whatever happens between two looks, late fills and missing prices too, both ways give the same rows."""
    rng = Random(seed)
    monkeypatch.setattr("store.ledger._PAGE", 3)  # a history of many pages
    with closing(open_journal(MEMORY)) as journal, closing(Projector(tables_at)) as projector:
        script = Script(journal)
        groups: list[ModelGroup] = []
        closed: list[ModelGroup] = []
        views = projector.views()
        wanted = [
            Wanted(Scope.PAPER),
            Wanted(Scope.PAPER, since=1_040),
            Wanted(Scope.PAPER, side=Side.LONG, until=1_090),
        ]
        kept = [Kept(each) for each in wanted]
        while script.at < 1_040:  # a range that has not begun is nobody's to keep
            act(script, groups, closed, rng)
        for _ in range(12):
            for _ in range(rng.randrange(1, 5)):
                act(script, groups, closed, rng)
            projector.catch_up(journal)
            for each, one in zip(wanted, kept, strict=True):
                assert one.caught_up(views) == inputs(views, each, dollar)
        assert len(kept[0].rows.trades) > len(kept[2].rows.trades) > 0


def test_results_of_trades_are_exact_before_they_are_floats(tables_at: Where) -> None:
    """EX-1706: a trade whose parts sum to nothing is breakeven, not a win of a millionth of a cent."""
    with closing(open_journal(MEMORY)) as journal, closing(Projector(tables_at)) as projector:
        group = ModelGroup(Script(journal), "g1")
        group.buy("p0.l0", D("0.3"), D(100))
        group.sell({"p0.l0": D("0.1")}, D(101))
        group.sell({"p0.l0": D("0.1")}, D(102))
        group.close(D(97))
        projector.catch_up(journal)
        made = inputs(projector.views(), Wanted(Scope.PAPER), dollar)
    assert [each.net_pnl for each in made.trades] == [0.0]
