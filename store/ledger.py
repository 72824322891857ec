"""What figures are made of, read once and then added to: a history only grows (EX-1701, EX-1705).

Money counts in USD by the rates of the ledger's first day; whoever keeps one makes another when those have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from sys import intern
from typing import Any, Final, NamedTuple

from protocol.values import Instant, Side
from rules.performance import Realization, Snapshot, Trade
from store.event_search import Where
from store.performance import QuoteUsd, Rates, Wanted, of_accounts, of_groups, within
from store.queries import Views

__all__ = ["Inputs", "Ledger", "inputs"]

_OVERLAP: Final = 60_000_000_000
"""Nanoseconds before the newest close within which another close may still become known: many actors, one journal."""

_SIDES: Final = {each.value: each for each in Side}


class Inputs(NamedTuple):
    """Trades, realizations and snapshots of one scope, oldest first."""

    trades: list[Trade]
    realizations: list[Realization]
    snapshots: list[Snapshot]


def inputs(views: Views, wanted: Wanted, quote_usd: QuoteUsd) -> Inputs:
    """Read what the figures of a scope are made of."""
    ledger = Ledger(wanted, quote_usd)
    ledger.catch_up(views)
    return ledger.inputs


class Ledger:
    """Trades, realizations and snapshots of one filter. ``rates`` are those it has asked for."""

    def __init__(self, wanted: Wanted, quote_usd: QuoteUsd) -> None:
        self.inputs = Inputs([], [], [])
        self.rates = Rates(quote_usd)
        self._wanted = wanted
        self._known: set[str] = set()
        self._seen_to = self._lines_to = self._marks_to = -1
        self._worth: dict[str, float] | None = None
        self._waiting: dict[str, float] = {}

    @property
    def size(self) -> int:
        """How many rows it holds."""
        return len(self.inputs.trades) + len(self.inputs.realizations) + len(self.inputs.snapshots)

    def catch_up(self, views: Views) -> None:
        """Add what is new, in the order and with the sums of a ledger that is read from nothing."""
        late = self._late(views)
        self._add_lines(views)
        self._add_trades(views, late)
        self._add_marks(views)

    # --- realizations --------------------------------------------------------------------------------------------------

    def _late(self, views: Views) -> set[str]:
        """Return the known trades that something was realized of since, in or after the range."""
        if not self._known:
            return set()
        sql = "SELECT DISTINCT group_id FROM realizations WHERE position > ?"
        return self._known & {group_id for (group_id,) in views.database.fetch(sql, [self._seen_to])}

    def _add_lines(self, views: Views) -> None:
        self._seen_to = views.database.fetch("SELECT coalesce(max(position), -1) FROM realizations", [])[0][0]
        where = self._after(of_groups(self._wanted), "r", self._lines_to)
        sql = f"""SELECT r.at, g.symbol, g.timeframe, g.strategy, CAST(r.net_quote AS DOUBLE PRECISION), g.side,
            g.account, g.venue, r.group_id, g.quote, r.position FROM realizations r
            JOIN groups g ON g.group_id = r.group_id{where} ORDER BY r.position, r.lot"""  # noqa: S608 our own text
        add, rates = self.inputs.realizations.append, self.rates
        for row in views.database.fetch(sql, where.values):
            at, symbol, timeframe, strategy, net, side, account, venue, trade, quote, self._lines_to = row
            if (rate := rates[quote]) is None:
                continue
            add(
                Realization(
                    at=at,
                    symbol=intern(symbol),
                    timeframe=intern(timeframe),
                    strategy=intern(strategy),
                    pnl=net * rate,
                    side=_SIDES[side],
                    account=intern(account),
                    venue=intern(venue),
                    trade=trade,
                )
            )

    def _after(self, where: Where, table: str, reached: int) -> Where:
        """Add the range, and where it goes on; the plus keeps the database from looking for those few rows by time."""
        if reached < 0:
            return within(where, f"{table}.at", self._wanted)
        return within(where, f"+{table}.at", self._wanted).add(f"{table}.position > ?", reached)

    # --- trades --------------------------------------------------------------------------------------------------------

    def _add_trades(self, views: Views, late: set[str]) -> None:
        """Add the groups closed since, and take those anew that something was realized of after their close."""
        trades = self.inputs.trades
        if late:
            trades[:] = [each for each in trades if each.id not in late]
            self._known -= late
            for name in sorted(late):
                self._take(views, _closed(self._wanted).add("g.group_id = ?", name))
        where = _closed(self._wanted)
        newest = trades[-1].closed_at if trades and not late else max((each.closed_at for each in trades), default=None)
        where.add("g.closed_at >= ?", (newest or 0) - _OVERLAP, when=newest is not None)
        if self._take(views, where) or late:
            trades.sort(key=lambda each: (each.closed_at, each.id))

    def _take(self, views: Views, where: Where) -> int:
        """Add the trades that a query finds and that are not known; return how many."""
        sql = f"""SELECT g.group_id, g.symbol, g.timeframe, g.strategy, g.side, g.account, g.venue, g.quote, g.opened_at,
            g.closed_at, g.realized_quote, g.fees_quote, coalesce((SELECT sum(CAST(l.filled_quote AS DOUBLE PRECISION))
            FROM legs l WHERE l.group_id = g.group_id), 0.0) FROM groups g{where}"""  # noqa: S608 our own text
        before = len(self.inputs.trades)
        for row in views.database.fetch(sql, where.values):
            if row[0] not in self._known and (rate := self.rates[row[7]]) is not None:
                self._known.add(row[0])
                self.inputs.trades.append(_trade(row, rate))
        return len(self.inputs.trades) - before

    # --- equity --------------------------------------------------------------------------------------------------------

    def _add_marks(self, views: Views) -> None:
        """Add up the accounts' equity: at each mark the newest of every account that has one (EX-1705).

        Where the range has a beginning the first snapshot is what the accounts were worth then: the baseline of figures.
        """
        where, since = of_accounts(self._wanted), self._wanted.since
        if self._worth is None:
            self._worth = _worth_before(views, where, since)
            self._waiting = _waiting_before(views, where, since)
            if self._worth and since is not None:
                self.inputs.snapshots.append(Snapshot(at=since, total_equity=sum(self._worth.values())))
        self._after(where, "e", self._marks_to)
        # A deposit that was recorded while a price was missing counts all the same.
        where.add("(e.total_equity IS NOT NULL OR CAST(e.flow AS DOUBLE PRECISION) <> 0)")
        sql = f"""SELECT e.at, e.account, CAST(e.total_equity AS DOUBLE PRECISION), CAST(e.flow AS DOUBLE PRECISION),
            e.position FROM equity_snapshots e{where} ORDER BY e.position"""  # noqa: S608 our own text
        self._add_up(views.database.fetch(sql, where.values), self._worth)

    def _add_up(self, rows: Iterable[Sequence[Any]], worth: dict[str, float]) -> None:
        waiting, add = self._waiting, self.inputs.snapshots.append
        for at, account, equity, flow, self._marks_to in rows:
            if equity is None:
                waiting[account] = waiting.get(account, 0.0) + flow
                continue
            came = flow + waiting.pop(account, 0.0)
            if account not in worth:
                # What an account is worth at its first mark holds all that came to it until then; where it joins others
                # that is a flow and no profit, where it is the first the curve begins with it.
                came = equity if worth else 0.0
            worth[account] = equity
            total = equity if len(worth) == 1 else sum(worth.values())
            add(Snapshot(at=at, total_equity=total, flow=came))


def _closed(wanted: Wanted) -> Where:
    """Return the conditions on groups that are trades of the range: closed in it, with at least one fill."""
    where = of_groups(wanted).add("g.first_fill_at IS NOT NULL").add("g.closed_at IS NOT NULL")
    return within(where, "g.closed_at", wanted)


def _trade(row: Sequence[Any], rate: float) -> Trade:
    """Return a trade; its result is exact in its quote currency, as the sum of its realizations is (EX-1701)."""
    name, symbol, timeframe, strategy, side, account, venue, _, opened, closed, realized, fees, cost = row
    return Trade(
        id=name,
        symbol=intern(symbol),
        timeframe=intern(timeframe),
        strategy=intern(strategy),
        side=_SIDES[side],
        opened_at=opened,
        closed_at=closed,
        entry_cost=cost * rate,
        net_pnl=float(Decimal(realized) - Decimal(fees)) * rate,
        fees=float(fees) * rate,
        account=intern(account),
        venue=intern(venue),
    )


def _worth_before(views: Views, where: Where, since: Instant | None) -> dict[str, float]:
    """Return what each account was worth at its newest snapshot before an instant."""
    if since is None:
        return {}
    sql = f"""SELECT account, CAST(total_equity AS DOUBLE PRECISION) FROM equity_snapshots WHERE position IN
        (SELECT max(e.position) FROM equity_snapshots e{where} AND e.total_equity IS NOT NULL AND e.at < ?
        GROUP BY e.account)"""  # noqa: S608 our own text
    return dict(map(tuple, views.database.fetch(sql, [*where.values, since])))


def _waiting_before(views: Views, where: Where, since: Instant | None) -> dict[str, float]:
    """Return what came to each account before an instant and after what it was worth was last known until then."""
    if since is None:
        return {}
    sql = f"""SELECT e.account, sum(CAST(e.flow AS DOUBLE PRECISION)) FROM equity_snapshots e{where} AND e.at < ?
        AND e.position > (SELECT max(k.position) FROM equity_snapshots k
        WHERE k.account = e.account AND k.total_equity IS NOT NULL AND k.at < ?) GROUP BY 1"""  # noqa: S608 our own text
    return dict(map(tuple, views.database.fetch(sql, [*where.values, since, since])))
