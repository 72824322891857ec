"""What performance figures are computed from, read from the read models (EX-1701, EX-1719).

Money in quote currency counts in USD by ``quote_usd``, which says what a unit of a currency is worth; what has no known
worth is left out. Scopes never mix: a figure is of one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from protocol.values import Instant, Scope, Side
from rules.performance import FillLine, OpenPosition, PendingEntry
from store.event_search import Where
from store.queries import Views
from store.views.rows import GroupRow

__all__ = [
    "KeptDay",
    "QuoteUsd",
    "Rates",
    "Wanted",
    "fill_lines",
    "kept_days",
    "of_accounts",
    "of_groups",
    "origin_of",
    "positions",
    "progress_of",
    "recorded_flows",
    "unvalued_fees",
    "waiting_entries",
    "within",
]

QuoteUsd: TypeAlias = Callable[[str], float | None]
"""Says what a unit of a currency is worth in USD; None where that is not known (EX-109)."""

_FIELDS: Final = ("account", "venue", "symbol", "timeframe", "strategy", "side")


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
    venue: str = ""

    def has(self, group: GroupRow) -> bool:
        """Tell whether a group counts."""
        pairs = ((getattr(self, name), getattr(group, name)) for name in _FIELDS)
        return all(not wanted or wanted == found for wanted, found in pairs)

    @property
    def whole_accounts(self) -> bool:
        """Whether all of an account counts or nothing: what accounts are worth is noted for the whole of them."""
        return not (self.symbol or self.timeframe or self.strategy or self.side)


class Rates(dict[str, float | None]):
    """Asks for each currency once."""

    def __init__(self, quote_usd: QuoteUsd) -> None:
        super().__init__()
        self._ask = quote_usd

    def __missing__(self, currency: str) -> float | None:
        self[currency] = found = self._ask(currency)
        return found


def of_groups(wanted: Wanted) -> Where:
    """Return the conditions on groups, called ``g`` in the query."""
    where = Where().add("g.scope = ?", wanted.scope)
    for name in _FIELDS:
        value = getattr(wanted, name)
        where.add(f"g.{name} = ?", value, when=value)
    return where


def within(where: Where, column: str, wanted: Wanted) -> Where:
    """Add that an instant is within the range."""
    where.add(f"{column} >= ?", wanted.since, when=_given(wanted.since))
    return where.add(f"{column} < ?", wanted.until, when=_given(wanted.until))


def _given(at: Instant | None) -> bool:
    return at is not None


def progress_of(views: Views) -> tuple[Any, ...]:
    """Return what changes when something was realized, marked or traded: figures are the same while it is the same."""
    sql = """SELECT (SELECT max(position) FROM realizations), (SELECT max(position) FROM equity_snapshots),
        (SELECT max(traded_position) FROM groups)"""
    return tuple(views.database.fetch(sql, [])[0])


def _realized_before(views: Views, wanted: Wanted, quote_usd: QuoteUsd) -> float:
    """Return what was realized before the range begins, in USD."""
    if wanted.since is None:
        return 0.0
    where = of_groups(wanted).add("r.at < ?", wanted.since)
    sql = f"""SELECT g.quote, sum(CAST(r.net_quote AS DOUBLE PRECISION)) FROM realizations r
        JOIN groups g ON g.group_id = r.group_id{where} GROUP BY 1"""  # noqa: S608 our own text
    known = ((quote_usd(quote), net) for quote, net in views.database.fetch(sql, where.values))
    return sum((net * rate for rate, net in known if rate is not None), 0.0)


def unvalued_fees(views: Views, wanted: Wanted) -> dict[str, str]:
    """Return fees that are in no result, exactly, by currency: paid in one that is neither base nor quote of its pair.

    Those of groups that were open in the range: when within it each was paid is not kept.
    """
    where = of_groups(wanted).add("f.currency <> g.base AND f.currency <> g.quote AND f.amount <> '0'")
    where.add("g.first_fill_at < ?", wanted.until, when=_given(wanted.until))
    where.add("coalesce(g.closed_at, ?) >= ?", wanted.since, wanted.since, when=_given(wanted.since))
    sql = f"""SELECT f.currency, exact_sum(f.amount) FROM group_fees f
        JOIN groups g ON g.group_id = f.group_id{where} GROUP BY 1 ORDER BY 1"""  # noqa: S608 our own text
    return {currency: format(Decimal(amount), "f") for currency, amount in views.database.fetch(sql, where.values)}


def fill_lines(views: Views, wanted: Wanted, quote_usd: QuoteUsd) -> list[FillLine]:
    """Return the fills of the range, oldest first."""
    rates, where = Rates(quote_usd), within(of_groups(wanted), "f.at", wanted)
    sql = f"""SELECT f.at, f.symbol, CAST(f.qty AS DOUBLE PRECISION), CAST(f.price AS DOUBLE PRECISION), g.quote
        FROM fills f JOIN orders o ON o.client_order_id = f.client_order_id JOIN groups g ON g.group_id = o.group_id{where}
        ORDER BY f.at, f.position"""  # noqa: S608 our own text
    return [
        FillLine(at=at, symbol=symbol, qty=qty, price=price, quote_usd=rate)
        for at, symbol, qty, price, quote in views.database.fetch(sql, where.values)
        if (rate := rates[quote]) is not None
    ]


class KeptDay(NamedTuple):
    """What was stored of a day at midnight (EX-1716), in USD."""

    groups_closed: int
    fills: int
    volume_usd: float
    net_pnl: float
    best_symbol: str | None
    worst_symbol: str | None
    kept_at: Instant


def kept_days(views: Views, scope: Scope, first: date) -> dict[date, KeptDay]:
    """Return the days of a scope that were stored, from a first one on."""
    sql = """SELECT day, groups_closed, fills, CAST(volume_usd AS DOUBLE PRECISION), CAST(net_pnl AS DOUBLE PRECISION),
        best_symbol, worst_symbol, kept_at FROM day_summaries WHERE scope = ? AND day >= ?"""
    return {date.fromisoformat(day): KeptDay(*row) for day, *row in views.database.fetch(sql, [scope, str(first)])}


# --- equity -------------------------------------------------------------------------------------------------------------


def recorded_flows(views: Views, wanted: Wanted) -> list[dict[str, Any]]:
    """Return deposits and withdrawals as they were recorded, the newest first."""
    where = within(of_accounts(wanted), "e.at", wanted).add("CAST(e.flow AS DOUBLE PRECISION) <> 0")
    sql = f"SELECT e.at, e.account, e.flow, e.note FROM equity_snapshots e{where} ORDER BY e.position DESC"  # noqa: S608 our own text
    rows = views.database.fetch(sql, where.values)
    return [
        {"at": at, "account": name, "amount": format(Decimal(flow), "+f"), "note": note}
        for at, name, flow, note in rows
    ]


def origin_of(views: Views, wanted: Wanted, quote_usd: QuoteUsd) -> tuple[float | None, float]:
    """Return where the curves begin, and how much higher they are where the range does; all of it before the range.

    They begin with the first known equity of the account that has one first, None without one. Until the range begins
    they were lifted by what was realized, by deposits, and by the capital of accounts that joined the first one.
    """
    firsts = _firsts(views, wanted)
    first = firsts[0][2] if firsts else None
    if wanted.since is None:
        return first, 0.0
    came: float = sum(equity for _, _, equity, at in firsts[1:] if at < wanted.since)
    begun = {account: position for account, position, _, _ in firsts}
    where = of_accounts(wanted).add("e.at < ?", wanted.since).add("CAST(e.flow AS DOUBLE PRECISION) <> 0")
    sql = f"SELECT e.account, e.position, CAST(e.flow AS DOUBLE PRECISION) FROM equity_snapshots e{where}"  # noqa: S608 our own text
    for account, position, flow in views.database.fetch(sql, where.values):
        if account in begun and position > begun[account]:
            came += flow
    return first, came + _realized_before(views, wanted, quote_usd)


def _firsts(views: Views, wanted: Wanted) -> list[tuple[str, int, float, Instant]]:
    """Return account, position, equity and time of the first known equity of each account, oldest first."""
    found = []
    for (account,) in views.database.fetch("SELECT account FROM equity_accounts", []):
        where = of_accounts(wanted).add("e.account = ?", account).add("e.total_equity IS NOT NULL")
        sql = f"""SELECT e.account, e.position, CAST(e.total_equity AS DOUBLE PRECISION), e.at FROM equity_snapshots e{where}
            ORDER BY e.position LIMIT 1"""  # noqa: S608 our own text
        found += [
            (name, position, equity, at) for name, position, equity, at in views.database.fetch(sql, where.values)
        ]
    return sorted(found, key=lambda each: each[1])


def of_accounts(wanted: Wanted) -> Where:
    """Return the conditions on equity snapshots, called ``e`` in the query."""
    where = Where().add("e.scope = ?", wanted.scope).add("e.account = ?", wanted.account, when=wanted.account)
    of_venue = "e.account IN (SELECT account FROM groups WHERE venue = ?)"
    return where.add(of_venue, wanted.venue, when=wanted.venue)


# --- what is open -------------------------------------------------------------------------------------------------------


def positions(
    groups: Iterable[GroupRow], mark: Callable[[GroupRow], float | None], quote_usd: QuoteUsd
) -> list[OpenPosition]:
    """Return what is open of groups, at the marks given; what has no mark or rate is left out (EX-1715)."""
    found = []
    for group in groups:
        price, rate = mark(group), quote_usd(group.quote)
        if group.open_qty and price is not None and rate is not None:
            qty = float(group.open_qty) * group.side.sign
            found.append(OpenPosition(symbol=group.symbol, qty=qty, mark=price, quote_usd=rate))
    return found


def waiting_entries(views: Views, groups: Iterable[GroupRow], quote_usd: QuoteUsd) -> list[PendingEntry]:
    """Return the entry orders of groups that work (EX-1715)."""
    rates = {group.group_id: quote_usd(group.quote) for group in groups}
    sql = """SELECT group_id, symbol, CAST(qty AS DOUBLE PRECISION), CAST(price AS DOUBLE PRECISION),
        CAST(filled_qty AS DOUBLE PRECISION) FROM orders WHERE purpose = 'entry' AND price IS NOT NULL
        AND state NOT IN ('filled', 'cancelled', 'rejected', 'expired') ORDER BY position DESC"""
    return [
        PendingEntry(symbol=symbol, qty=qty, price=price, filled=filled, quote_usd=rate)
        for group_id, symbol, qty, price, filled in views.database.fetch(sql, [])
        if (rate := rates.get(group_id)) is not None
    ]
