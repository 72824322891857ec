"""What figures are made of, read once and then added to: a history only grows (EX-1701, EX-1705).

Money counts in USD by the rates of the ledger's first day; whoever keeps one makes another when those have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, Protocol

from protocol.values import Instant, Side
from rules.performance import Realization, Snapshot, Trade
from store.event_search import Where
from store.performance import QuoteUsd, Rates, Wanted, of_accounts, of_groups, progress_of, within
from store.queries import Views

__all__ = ["Inputs", "Ledger", "Sink", "inputs"]

_PAGE: Final = 20_000
"""Rows read at a time."""

_SIDES: Final = {each.value: each for each in Side}


class Inputs(NamedTuple):
    """Trades, realizations and snapshots of one scope, oldest first."""

    trades: list[Trade]
    realizations: list[Realization]
    snapshots: list[Snapshot]


class Sink(Protocol):
    """Takes what a ledger reads, some at a time."""

    def trades(self, trades: Sequence[Trade]) -> None:
        """Take further trades, in order of the journal."""
        ...

    def realizations(self, realizations: Sequence[Realization]) -> None:
        """Take further realizations, in order of the journal."""
        ...

    def snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        """Take further snapshots, in order of the journal."""
        ...


class _Lists:
    """Keeps everything."""

    def __init__(self) -> None:
        self.made = Inputs([], [], [])
        self.trades = self.made.trades.extend
        self.realizations = self.made.realizations.extend
        self.snapshots = self.made.snapshots.extend


def inputs(views: Views, wanted: Wanted, quote_usd: QuoteUsd, *, marks: bool = True) -> Inputs:
    """Read what the figures of a scope are made of; without ``marks`` no snapshots of equity."""
    lists = _Lists()
    Ledger(wanted, quote_usd).catch_up(views, lists, marks=marks)
    return lists.made


class Ledger:
    """How far the trades, realizations and snapshots of one filter were read. ``rates`` are those it has asked for."""

    def __init__(self, wanted: Wanted, quote_usd: QuoteUsd) -> None:
        self.rates = Rates(quote_usd)
        self._wanted = wanted
        self._known: set[str] = set()
        self._seen_to = self._lines_to = self._trades_to = self._marks_to = -1
        self._worth: dict[str, float] | None = None
        self._waiting: dict[str, float] = {}

    def is_outdated(self, views: Views) -> bool:
        """Tell whether a trade that was read is another one now: it had a fill after its close."""
        sql = "SELECT group_id FROM groups WHERE traded_position > ?"
        return any(group_id in self._known for (group_id,) in views.database.fetch(sql, [self._seen_to]))

    def catch_up(self, views: Views, sink: Sink, *, marks: bool = True) -> None:
        """Read what is new, a page at a time: a long history is never held as a whole."""
        realized, _, traded = progress_of(views)
        self._seen_to = max(-1 if each is None else each for each in (realized, traded))
        while (lines := self._lines(views)) is not None:
            sink.realizations(lines)
        while (trades := self._trades(views)) is not None:
            sink.trades(trades)
        if marks:
            self._begin_marks(views, sink)
            while (some := self._marks(views)) is not None:
                sink.snapshots(some)

    # --- realizations --------------------------------------------------------------------------------------------------

    def _lines(self, views: Views) -> list[Realization] | None:
        """Return a page of realizations; one of its last record may be in the next page as well, and is left to it."""
        where = self._after(of_groups(self._wanted), "r.at", "r.position", self._lines_to)
        where.add("r.position <= ?", self._seen_to)
        sql = f"""SELECT r.at, g.symbol, g.timeframe, g.strategy, CAST(r.net_quote AS DOUBLE PRECISION), g.side,
            g.account, g.venue, r.group_id, g.quote, r.position FROM realizations r
            JOIN groups g ON g.group_id = r.group_id{where} ORDER BY r.position, r.lot LIMIT {_PAGE}"""  # noqa: S608 our own text
        rows = views.database.fetch(sql, where.values)
        if len(rows) == _PAGE and rows[0][10] != rows[-1][10]:
            cut = rows[-1][10]
            rows = [row for row in rows if row[10] != cut]
        if not rows:
            return None
        self._lines_to = rows[-1][10]
        rated = ((row, self.rates[row[9]]) for row in rows)
        return [_realization(row, rate) for row, rate in rated if rate is not None]

    def _after(self, where: Where, at: str, position: str, reached: int) -> Where:
        """Add the range, and where it goes on; the plus keeps the database from looking for those few rows by time."""
        if reached < 0:
            return within(where, at, self._wanted)
        return within(where, f"+{at}", self._wanted).add(f"{position} > ?", reached)

    # --- trades --------------------------------------------------------------------------------------------------------

    def _trades(self, views: Views) -> list[Trade] | None:
        """Return a page of the trades there are by now: when a group was closed says nothing of when that became known."""
        where = of_groups(self._wanted).add("g.first_fill_at IS NOT NULL").add("g.closed_at IS NOT NULL")
        where = self._after(where, "g.closed_at", "g.traded_position", self._trades_to)
        where.add("g.traded_position <= ?", self._seen_to)
        sql = f"""SELECT g.group_id, g.symbol, g.timeframe, g.strategy, g.side, g.account, g.venue, g.quote,
            g.opened_at, g.closed_at, g.realized_quote, g.fees_quote, coalesce((SELECT
            sum(CAST(l.filled_quote AS DOUBLE PRECISION)) FROM legs l WHERE l.group_id = g.group_id), 0.0),
            g.traded_position FROM groups g{where} ORDER BY g.traded_position LIMIT {_PAGE}"""  # noqa: S608 our own text
        rows = views.database.fetch(sql, where.values)
        if not rows:
            return None
        self._trades_to = rows[-1][13]
        return [_trade(row, rate) for row, rate in self._unknown(rows)]

    def _unknown(self, rows: Iterable[Sequence[Any]]) -> Iterator[tuple[Sequence[Any], float]]:
        """Yield the rows that were not read before, with what their currency is worth."""
        for row in rows:
            if row[0] not in self._known and (rate := self.rates[row[7]]) is not None:
                self._known.add(row[0])
                yield row, rate

    # --- equity --------------------------------------------------------------------------------------------------------

    def _begin_marks(self, views: Views, sink: Sink) -> None:
        """Learn what the accounts were worth where the range begins: the baseline of figures is its first snapshot."""
        if self._worth is not None:
            return
        where, since = of_accounts(self._wanted), self._wanted.since
        self._worth, self._waiting = _worth_before(views, where, since)
        if self._worth and since is not None:
            sink.snapshots([Snapshot(at=since, total_equity=sum(self._worth.values()))])

    def _marks(self, views: Views) -> list[Snapshot] | None:
        """Add up a page of the accounts' equity: at each mark the newest of every account that has one (EX-1705)."""
        where = self._after(of_accounts(self._wanted), "e.at", "e.position", self._marks_to)
        # A deposit that was recorded while a price was missing counts all the same.
        where.add("(e.total_equity IS NOT NULL OR CAST(e.flow AS DOUBLE PRECISION) <> 0)")
        sql = f"""SELECT e.at, e.account, CAST(e.total_equity AS DOUBLE PRECISION), CAST(e.flow AS DOUBLE PRECISION),
            e.position FROM equity_snapshots e{where} ORDER BY e.position LIMIT {_PAGE}"""  # noqa: S608 our own text
        rows = views.database.fetch(sql, where.values)
        return self._add_up(rows) if rows else None

    def _add_up(self, rows: Iterable[Sequence[Any]]) -> list[Snapshot]:
        worth, waiting = self._worth, self._waiting
        assert worth is not None, "marks begin before they go on"
        found: list[Snapshot] = []
        for at, account, equity, flow, self._marks_to in rows:
            if equity is None:
                waiting[account] = waiting.get(account, 0.0) + flow
                continue
            came = flow + waiting.pop(account, 0.0) if waiting else flow
            if account not in worth:
                # What an account is worth at its first mark holds all that came to it until then; where it joins others
                # that is a flow and no profit, where it is the first the curve begins with it.
                came = equity if worth else 0.0
            worth[account] = equity
            total = equity if len(worth) == 1 else sum(worth.values())
            found.append(Snapshot(at=at, total_equity=total, flow=came))
        return found


def _realization(row: Sequence[Any], rate: float) -> Realization:
    at, symbol, timeframe, strategy, net, side, account, venue, trade, _, _ = row
    return Realization(
        at=at,
        symbol=symbol,
        timeframe=timeframe,
        strategy=strategy,
        pnl=net * rate,
        side=_SIDES[side],
        account=account,
        venue=venue,
        trade=trade,
    )


def _trade(row: Sequence[Any], rate: float) -> Trade:
    """Return a trade; its result is exact in its quote currency, as the sum of its realizations is (EX-1701)."""
    name, symbol, timeframe, strategy, side, account, venue, _, opened, closed, realized, fees, cost, _ = row
    return Trade(
        id=name,
        symbol=symbol,
        timeframe=timeframe,
        strategy=strategy,
        side=_SIDES[side],
        opened_at=opened,
        closed_at=closed,
        entry_cost=cost * rate,
        net_pnl=float(Decimal(realized) - Decimal(fees)) * rate,
        fees=float(fees) * rate,
        account=account,
        venue=venue,
    )


def _worth_before(views: Views, where: Where, since: Instant | None) -> tuple[dict[str, float], dict[str, float]]:
    """Return what each account was worth at its newest snapshot before an instant, and what came between the two."""
    worth: dict[str, float] = {}
    waiting: dict[str, float] = {}
    if since is None:
        return worth, waiting
    for (account,) in views.database.fetch("SELECT account FROM equity_accounts", []):
        values = [*where.values, account, since]
        sql = f"""SELECT e.position, CAST(e.total_equity AS DOUBLE PRECISION) FROM equity_snapshots e{where}
            AND e.account = ? AND e.at < ? AND e.total_equity IS NOT NULL ORDER BY e.at DESC, e.position DESC LIMIT 1"""  # noqa: S608 our own text
        for position, worth[account] in views.database.fetch(sql, values):
            sql = f"""SELECT sum(CAST(e.flow AS DOUBLE PRECISION)) FROM equity_snapshots e{where}
                AND e.account = ? AND e.at < ? AND e.position > ?"""  # noqa: S608 our own text
            waiting[account] = views.database.fetch(sql, [*values, position])[0][0] or 0.0
    return worth, {account: flow for account, flow in waiting.items() if flow}
