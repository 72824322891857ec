"""Projection of equity: what an account is worth at the marks noted, from what the read models know (EX-1705, EX-1715)."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any, Final

from protocol.performance import EquityMarked, Mark
from rules.precision import quotient
from store.views.exact import exact
from store.views.registry import Writer, insert, projection, run

__all__ = ["marked"]

_ZERO: Final = Decimal(0)
_UNFILLED: Final = """SELECT o.symbol, o.price, o.qty, o.filled_qty, g.quote FROM orders o
    JOIN groups g ON g.group_id = o.group_id WHERE g.account = ? AND o.purpose = 'entry' AND o.price IS NOT NULL
    AND o.state NOT IN ('filled', 'cancelled', 'rejected', 'expired')"""


@projection(EquityMarked)
def marked(writer: Writer, event: EquityMarked) -> None:
    """Write realized and total equity, what is deployed and what is locked, in USD.

    Total equity is empty when a price or rate of something open is missing.
    """
    marks = {mark.symbol: mark for mark in event.marks}
    realized = _realized(writer, event, marks)
    unrealized: Decimal | None = _ZERO
    deployed = _ZERO
    with localcontext(exact()):
        for row in _open_groups(writer, event.account):
            value = _value(writer, row, marks.get(row[1]))
            unrealized = None if value is None or unrealized is None else unrealized + value[0]
            deployed += value[1] if value is not None else _ZERO
        total = None if unrealized is None else realized + unrealized
        locked = sum((_locked(row, marks) for row in _fetch(writer, _UNFILLED, event.account)), _ZERO)
    insert(
        writer,
        "equity_snapshots",
        position=writer.record.position,
        account=event.account,
        scope=event.scope,
        realized_equity=_money(realized),
        total_equity=None if total is None else _money(total),
        flow=event.flow,
        deployed=_money(deployed),
        locked=_money(locked),
        at=event.at,
        note=event.note,
    )


def _fetch(writer: Writer, sql: str, *values: Any) -> list[Any]:
    return writer.database.fetch(sql, values)


def _realized(writer: Writer, event: EquityMarked, marks: dict[str, Mark]) -> Decimal:
    """Return starting equity and all that was realized: what the mark before knew, and what came since."""
    sql = "SELECT position, realized_exact FROM equity_accounts WHERE account = ?"
    before = _fetch(writer, sql, event.account)
    position, realized = (before[0][0], Decimal(before[0][1])) if before else (0, event.starting)
    sql = """SELECT g.symbol, g.quote, exact_sum(r.net_quote) FROM realizations r JOIN groups g ON g.group_id = r.group_id
        WHERE r.position > ? AND g.account = ? GROUP BY 1, 2"""
    with localcontext(exact()):
        for symbol, quote, net in _fetch(writer, sql, position, event.account):
            realized += Decimal(net) * _rate(symbol, quote, marks)
        realized += event.flow
    position = writer.record.position
    insert(writer, "equity_accounts", account=event.account, position=position, realized_exact=realized)
    return realized


def _rate(symbol: str, quote: str, marks: dict[str, Mark]) -> Decimal:
    """Return the worth of a quote currency at these marks; nothing where it is not known."""
    same = (mark.quote_usd for mark in marks.values() if mark.symbol.partition("/")[2].partition(":")[0] == quote)
    known = marks[symbol].quote_usd if symbol in marks else next(same, None)
    return known if known is not None else _ZERO


def _open_groups(writer: Writer, account: str) -> list[Any]:
    sql = """SELECT group_id, symbol, side, open_qty, open_cost_quote, worst_percent, best_percent FROM groups
        WHERE account = ? AND closed_at IS NULL AND open_qty <> '0' ORDER BY group_id"""
    return _fetch(writer, sql, account)


def _value(writer: Writer, row: Any, mark: Mark | None) -> tuple[Decimal, Decimal] | None:
    """Return unrealized result and exposure of a group in USD, and note its worst and best percent so far."""
    if mark is None or mark.quote_usd is None:
        return None
    group_id, _, side, qty, cost, worst, best = row
    price, sign = (mark.bid, 1) if side == "long" else (mark.ask, -1)
    worth = Decimal(qty) * price
    gained = (worth - Decimal(cost)) * sign
    if Decimal(cost) > 0:
        percent = quotient(gained * 100, Decimal(cost))
        lowest = percent if worst is None else min(percent, Decimal(worst))
        highest = percent if best is None else max(percent, Decimal(best))
        # Most marks widen nobody's range, and a mark is noted for all groups at each fill of any.
        if worst is None or best is None or lowest != Decimal(worst) or highest != Decimal(best):
            sql = "UPDATE groups SET worst_percent = ?, best_percent = ? WHERE group_id = ?"
            run(writer, sql, lowest, highest, group_id)
    return gained * mark.quote_usd, worth * mark.quote_usd


def _locked(row: Any, marks: dict[str, Mark]) -> Decimal:
    symbol, price, qty, filled, quote = row
    return (Decimal(qty) - Decimal(filled)) * Decimal(price) * _rate(symbol, quote, marks)


def _money(value: Decimal) -> Decimal:
    """Return USD at eighteen places: a curve needs no more."""
    return quotient(value, Decimal(1))
