"""Closed groups as a history of trades: entry, exit, why, how long, result, fees, worst and best while open (EX-1624)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Any, Final

from protocol.messages import Value
from protocol.values import Instant, Scope, Side
from rules.notation import plain
from rules.precision import quotient
from store.event_search import Where
from store.performance import Wanted, of_groups
from store.queries import Views
from store.views.exact import exact

__all__ = ["TradeRow", "all_trades", "trade_rows"]

_PAGE: Final = 2_000


class TradeRow(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One closed group that had a fill. ``*_quote`` and prices are in its quote currency, percentages percent points.

    ``exit_price`` is the average of what closed it, None when nothing did (dust, or handed over). ``worst_percent`` and
    ``best_percent`` are of its unrealized result while it was open, as far as equity was noted.
    """

    group_id: str
    position: int
    scope: Scope
    account: str
    venue: str
    symbol: str
    timeframe: str
    side: Side
    strategy: str
    quote: str
    reason: str
    pyramids: int
    opened_at: Instant
    first_fill_at: Instant
    closed_at: Instant
    qty: Decimal
    entry_price: Decimal | None
    exit_price: Decimal | None
    entry_cost_quote: Decimal
    realized_quote: Decimal
    fees_quote: Decimal
    net_quote: Decimal
    return_percent: float | None
    worst_percent: Decimal | None
    best_percent: Decimal | None


_SAID: Final = ("symbol", "timeframe", "side", "account", "venue", "strategy", "reason", "group_id")

_COLUMNS: Final = (
    *(
        "group_id",
        "position",
        "scope",
        "account",
        "venue",
        "symbol",
        "timeframe",
        "side",
        "strategy",
        "quote",
        "reason",
    ),
    *(
        "pyramids",
        "opened_at",
        "first_fill_at",
        "closed_at",
        "realized_quote",
        "fees_quote",
        "worst_percent",
        "best_percent",
    ),
)


def trade_rows(
    views: Views,
    wanted: Wanted,
    *,
    reason: str = "",
    text: str = "",
    limit: int = _PAGE,
    before: tuple[Instant, str] | None = None,
) -> list[TradeRow]:
    """Return closed trades of a range, the newest first; ``before`` (closed at, id) goes on where a page ended.

    Each word of ``text`` is looked for in who it was (pair, timeframe, side, account, venue), strategy, reason and id.
    """
    where = of_groups(wanted).add("g.first_fill_at IS NOT NULL").add("g.closed_at IS NOT NULL")
    where.add("g.closed_at >= ?", wanted.since, when=wanted.since is not None)
    where.add("g.closed_at < ?", wanted.until, when=wanted.until is not None)
    where.add("g.reason = ?", reason, when=reason)
    said = views.database.contains_condition([f"coalesce(g.{name}, '') || ' '" for name in _SAID])
    for word in text.split():
        where.add(said, word)
    if before is not None:
        where.add("(g.closed_at < ? OR (g.closed_at = ? AND g.group_id > ?))", before[0], before[0], before[1])
    return [_row(found) for found in views.database.fetch(_sql(where), [*where.values, limit])]


def all_trades(views: Views, wanted: Wanted, *, reason: str = "", text: str = "") -> Iterator[TradeRow]:
    """Yield all trades of a range, the newest first, a page at a time."""
    before: tuple[Instant, str] | None = None
    while rows := trade_rows(views, wanted, reason=reason, text=text, before=before):
        yield from rows
        before = rows[-1].closed_at, rows[-1].group_id


def _sql(where: Where) -> str:
    columns = ", ".join(f"g.{name}" for name in _COLUMNS)
    of_legs = "FROM legs l WHERE l.group_id = g.group_id"
    closings = "FROM realizations r WHERE r.group_id = g.group_id"
    return f"""SELECT {columns}, (SELECT exact_sum(l.filled_qty) {of_legs}), (SELECT exact_sum(l.filled_quote) {of_legs}),
        (SELECT exact_sum(r.qty) {closings}), (SELECT exact_sum(r.cost_quote) {closings})
        FROM groups g{where} ORDER BY g.closed_at DESC, g.group_id LIMIT ?"""  # noqa: S608 our own text


def _row(found: Any) -> TradeRow:
    known: dict[str, Any] = dict(zip(_COLUMNS, found, strict=False))
    qty, cost, closed_qty, closed_cost = (Decimal(each or 0) for each in found[len(_COLUMNS) :])
    for name in ("realized_quote", "fees_quote", "worst_percent", "best_percent"):
        known[name] = None if known[name] is None else Decimal(known[name])
    known |= {"scope": Scope(known["scope"]), "side": Side(known["side"]), "reason": known["reason"] or ""}
    with localcontext(exact()):
        # What was closed went for its cost and what it earned; a short earned by buying back below.
        closed_quote = closed_cost + known["side"].sign * known["realized_quote"]
        net = known["realized_quote"] - known["fees_quote"]
    return TradeRow(
        **known,
        qty=qty,
        entry_price=_price(cost, qty),
        exit_price=_price(closed_quote, closed_qty),
        entry_cost_quote=cost,
        net_quote=net,
        return_percent=100 * float(net) / float(cost) if cost > 0 else None,
    )


def _price(quote: Decimal, qty: Decimal) -> Decimal | None:
    """Return an average price at eighteen places, without needless zeros."""
    return Decimal(plain(quotient(quote, qty))) if qty else None
