"""Several accounts in one curve: what each brings along is put in, never earned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.performance import EquityMarked, Mark, MarkedFor
from protocol.values import Scope
from rules.performance import flow_index
from store.ledger import inputs
from store.opening import MEMORY
from store.performance import Wanted, origin_of
from store.projector import Projector
from store.queries import Views
from store.sqlite_journal import open_journal
from store.tables.opening import Where
from tests.store.trading import Script

D = Decimal
PAPER = Wanted(Scope.PAPER)


class Noted(NamedTuple):
    """One mark: the account's starting equity counts at its first only; without a price its equity is not known."""

    account: str
    starting: int = 100
    flow: int = 0
    known: bool = True


def dollar(_: str) -> float:
    return 1.0


@contextmanager
def accounts(noted: Sequence[Noted], where: Where = MEMORY) -> Iterator[tuple[Views, list[int]]]:
    """Give the read models of accounts that were marked so, and the time of each mark."""
    with closing(open_journal(MEMORY)) as journal, closing(Projector(where)) as projector:
        script, times = Script(journal), list[int]()
        for each in noted:
            mark = EquityMarked(
                account=each.account,
                scope=Scope.PAPER,
                reason=MarkedFor.FLOW if each.flow else MarkedFor.FILL,
                starting=D(each.starting),
                marks=(Mark(symbol="BTC/USDT", bid=D(1), ask=D(1), quote_usd=D(1)),),
                flow=D(each.flow),
                at=script.at,
            )
            times.append(script.at)
            script.add("/store/equity", mark)
        projector.catch_up(journal)
        with projector.database.transaction():
            for at in (at for at, each in zip(times, noted, strict=True) if not each.known):
                projector.database.execute("UPDATE equity_snapshots SET total_equity = NULL WHERE at = ?", [at])
        yield projector.views(), times


@pytest.mark.parametrize(
    ("noted", "snapshots"),
    [
        ([Noted("a")], [(100, 0)]),
        ([Noted("a"), Noted("b", 50), Noted("a")], [(100, 0), (150, 50), (150, 0)]),
        ([Noted("b", 50), Noted("a"), Noted("c", 7)], [(50, 0), (150, 100), (157, 7)]),
        ([Noted("a"), Noted("a", flow=20), Noted("b", 50)], [(100, 0), (120, 20), (170, 50)]),
        # A first mark that is a deposit's holds that deposit already.
        ([Noted("a"), Noted("b", 50, flow=5)], [(100, 0), (155, 55)]),
        ([Noted("a", flow=20), Noted("a")], [(120, 0), (120, 0)]),
        # So does one before which a deposit came while a price was missing; after it such a deposit waits.
        ([Noted("a"), Noted("b", 50, 5, known=False), Noted("b")], [(100, 0), (155, 55)]),
        ([Noted("a", 100, 20, known=False), Noted("a")], [(120, 0)]),
        (
            [Noted("a"), Noted("a", flow=-30, known=False), Noted("b", 50), Noted("a")],
            [(100, 0), (150, 50), (120, -30)],
        ),
    ],
)
def test_what_accounts_bring_along(noted: list[Noted], snapshots: list[tuple[float, float]], tables_at: Where) -> None:
    """EX-1705, EX-1720: the first account begins the curve; whoever appears later is a flow at its first mark, once."""
    with accounts(noted, tables_at) as (views, _):
        made = inputs(views, PAPER, dollar).snapshots
        assert [(each.total_equity, each.flow) for each in made] == snapshots
        assert origin_of(views, PAPER, dollar) == (snapshots[0][0], 0)


_NOTED = st.builds(
    Noted,
    account=st.sampled_from("abc"),
    starting=st.just(100),
    flow=st.sampled_from([0, 0, 0, 25, -10]),
    known=st.sampled_from([True, True, True, False]),
)


@settings(max_examples=60, deadline=None)
@given(noted=st.lists(_NOTED, min_size=1, max_size=14), cut=st.integers(0, 13))
def test_nothing_traded_is_nothing_earned(noted: list[Noted], cut: int) -> None:
    """EX-1705, EX-1711, EX-1720: accounts that do nothing but join and deposit have a flat index, in any range of time.

    Where the curve began and what came are what they are worth, to the dollar: none counts twice, none is left out.
    """
    with accounts(noted) as (views, times):
        since = times[min(cut, len(times) - 1)]
        for wanted in (PAPER, PAPER._replace(since=since)):
            made = inputs(views, wanted, dollar).snapshots
            index = flow_index(made)
            assert index == pytest.approx([1.0] * len(index))
            assert not made or made[-1].total_equity == made[0].total_equity + sum(each.flow for each in made[1:])
        before = inputs(views, PAPER._replace(until=since), dollar).snapshots
        ranged = PAPER._replace(since=since)
        if before:
            began, came = origin_of(views, ranged, dollar)
            assert began == before[0].total_equity
            assert began + came == before[-1].total_equity + _not_marked_yet(noted[: times.index(since)])


def _not_marked_yet(noted: Sequence[Noted]) -> int:
    """Return the deposits that no known mark of their account came after, where it had one before."""
    waiting: dict[str, int] = {}
    for each in noted:
        if each.known:
            waiting[each.account] = 0
        elif each.account in waiting:
            waiting[each.account] += each.flow
    return sum(waiting.values())
