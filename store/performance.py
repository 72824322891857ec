"""What performance figures are computed from, read from the read models (EX-1701, EX-1719).

Money in quote currency counts in USD by ``quote_usd``, which says what a unit of a currency is worth; what has no known
worth is left out. Scopes never mix: a figure is of one of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

from protocol.values import Instant, Scope, Side
from rules.performance import FillLine, OpenPosition, PendingEntry, Realization, Snapshot, Trade
from store.queries import Views
from store.views.rows import EquityRow, GroupRow

__all__ = ["Inputs", "QuoteUsd", "Wanted", "inputs", "positions", "waiting_entries"]

QuoteUsd: TypeAlias = Callable[[str], float | None]
"""Says what a unit of a currency is worth in USD; None where that is not known (EX-109)."""

_MOST: Final = 1_000_000


class Wanted(NamedTuple):
    """Which groups and times count; what is left empty does not narrow, ``until`` is exclusive."""

    scope: Scope
    account: str = ""
    symbol: str = ""
    timeframe: str = ""
    strategy: str = ""
    side: Side | None = None
    since: Instant | None = None
    until: Instant | None = None

    def has(self, group: GroupRow) -> bool:
        """Tell whether a group counts."""
        pairs = (
            (self.account, group.account),
            (self.symbol, group.symbol),
            (self.timeframe, group.timeframe),
            (self.strategy, group.strategy),
            (self.side, group.side),
        )
        return all(not wanted or wanted == found for wanted, found in pairs)


class Inputs(NamedTuple):
    """Trades, realizations, fills and snapshots of one scope, oldest first."""

    trades: list[Trade]
    realizations: list[Realization]
    fills: list[FillLine]
    snapshots: list[Snapshot]


def inputs(views: Views, wanted: Wanted, quote_usd: QuoteUsd) -> Inputs:
    """Read what the figures of a scope are made of."""
    groups = {g.group_id: g for g in views.groups(scope=wanted.scope, limit=_MOST) if wanted.has(g)}
    rates = {quote: quote_usd(quote) for quote in {g.quote for g in groups.values()}}
    realized: dict[str, float] = defaultdict(float)
    lines: list[Realization] = []
    for row in views.realizations(until=wanted.until):
        group = groups.get(row.group_id)
        rate = rates[group.quote] if group is not None else None
        if group is None or rate is None:
            continue
        usd = float(row.net_quote) * rate
        realized[row.group_id] += usd
        if wanted.since is None or row.at >= wanted.since:
            key = {"symbol": group.symbol, "timeframe": group.timeframe, "strategy": group.strategy}
            lines.append(Realization(at=row.at, pnl=usd, **key))
    trades = [_trade(views, g, realized[g.group_id], rates[g.quote]) for g in groups.values() if _closed(g, wanted)]
    trades.sort(key=lambda trade: (trade.closed_at, trade.id))
    fills = _fills(views, wanted, groups, rates)
    equity = views.equity(account=wanted.account, scope=wanted.scope, since=wanted.since, until=wanted.until)
    return Inputs(trades, lines, fills, _snapshots(equity))


def _closed(group: GroupRow, wanted: Wanted) -> bool:
    """Tell whether a group is a trade of the range: closed in it, with at least one fill."""
    at = group.closed_at
    if at is None or group.first_fill_at is None:
        return False
    return (wanted.since is None or at >= wanted.since) and (wanted.until is None or at < wanted.until)


def _trade(views: Views, group: GroupRow, net: float, rate: float | None) -> Trade:
    assert group.closed_at is not None, "asked before"
    cost = sum((float(leg.filled_quote) for leg in views.legs(group.group_id)), 0.0)
    return Trade(
        id=group.group_id,
        symbol=group.symbol,
        timeframe=group.timeframe,
        strategy=group.strategy,
        side=group.side,
        opened_at=group.opened_at,
        closed_at=group.closed_at,
        entry_cost=cost * (rate or 0.0),
        net_pnl=net,
    )


def _fills(views: Views, wanted: Wanted, groups: dict[str, GroupRow], rates: dict[str, float | None]) -> list[FillLine]:
    found: list[FillLine] = []
    for group in groups.values():
        rate = rates[group.quote]
        if rate is None:
            continue
        for fill in views.fills(group_id=group.group_id, limit=_MOST):
            late = wanted.until is not None and fill.at >= wanted.until
            if not late and (wanted.since is None or fill.at >= wanted.since):
                line = FillLine(
                    at=fill.at, symbol=fill.symbol, qty=float(fill.qty), price=float(fill.price), quote_usd=rate
                )
                found.append(line)
    return sorted(found, key=lambda fill: fill.at)


def _snapshots(rows: list[EquityRow]) -> list[Snapshot]:
    """Add up the accounts' equity: at each mark the newest of every account that has one."""
    newest: dict[str, float] = {}
    found: list[Snapshot] = []
    for row in rows:
        if row.total_equity is None:
            continue
        # An account that joins later brings its capital along: that is no profit.
        joined = float(row.total_equity) if row.account not in newest and newest else 0.0
        newest[row.account] = float(row.total_equity)
        flow = float(row.flow) + joined
        found.append(Snapshot(at=row.at, total_equity=sum(newest.values()), flow=flow))
    return found


def positions(
    views: Views, wanted: Wanted, mark: Callable[[GroupRow], float | None], quote_usd: QuoteUsd
) -> list[OpenPosition]:
    """Return what is open, at the marks given; what has no mark or rate is left out (EX-1715)."""
    found = []
    for group in views.groups(open_only=True, scope=wanted.scope, limit=_MOST):
        price, rate = mark(group), quote_usd(group.quote)
        if wanted.has(group) and group.open_qty and price is not None and rate is not None:
            qty = float(group.open_qty) * group.side.sign
            found.append(OpenPosition(symbol=group.symbol, qty=qty, mark=price, quote_usd=rate))
    return found


def waiting_entries(views: Views, wanted: Wanted, quote_usd: QuoteUsd) -> list[PendingEntry]:
    """Return the entry orders that work (EX-1715)."""
    groups = {g.group_id: g for g in views.groups(open_only=True, scope=wanted.scope, limit=_MOST) if wanted.has(g)}
    found = []
    for order in views.orders(open_only=True, limit=_MOST):
        group = groups.get(order.group_id)
        rate = quote_usd(group.quote) if group is not None else None
        if rate is not None and order.purpose == "entry" and order.price is not None:
            qty, filled = float(order.qty), float(order.filled_qty)
            price = float(order.price)
            found.append(PendingEntry(symbol=order.symbol, qty=qty, price=price, filled=filled, quote_usd=rate))
    return found
