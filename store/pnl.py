"""What was earned: realizations added up by any property of their group, by pyramid, leg, reason or day (EX-1704)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any, Final, NamedTuple

from protocol.values import Instant, Scope
from rules.performance import day_of
from store.event_search import Where
from store.tables.database import Row
from store.views.exact import exact
from store.views.rows import PnlRow

__all__ = ["PNL_KEYS", "OtherFee", "PnlFilter", "other_fees", "pnl"]

_OF_GROUP: Final = ("symbol", "timeframe", "strategy", "side", "venue", "account")
_KEYS: Final = {
    **{name: f"g.{name}" for name in _OF_GROUP},
    "user": "g.user_id",
    "group_id": "r.group_id",
    "reason": "r.reason",
    "pyramid": "r.group_id || ' p' || coalesce(CAST(l.pyramid AS TEXT), '?')",
    "leg": "r.group_id || ' ' || CASE r.leg_id WHEN '' THEN '?' ELSE r.leg_id END",
    "day": "r.at",
}
PNL_KEYS: Final = tuple(_KEYS)
"""What results may be added up by. ``?`` stands for fees that belong to no leg (those of dust)."""


class PnlFilter(NamedTuple):
    """Which realizations count; what is left empty does not narrow. ``until`` is exclusive."""

    scope: Scope | None = None
    account: str = ""
    group_id: str = ""
    since: Instant | None = None
    until: Instant | None = None


class OtherFee(NamedTuple):
    """Fees that were paid in a currency whose worth is not known here: in no sum."""

    currency: str
    scope: str
    amount: Decimal


def pnl(fetch: Callable[[str, Any], list[Row]], by: str, wanted: PnlFilter, zone: tzinfo = UTC) -> list[PnlRow]:
    """Add up realizations by a key of ``PNL_KEYS``, one quote currency and scope a row; days are those of ``zone``."""
    where = _where(wanted)
    joined = "realizations r JOIN groups g ON g.group_id = r.group_id"
    if by == "pyramid":
        joined += " LEFT JOIN legs l ON l.group_id = r.group_id AND l.leg_id = r.leg_id"
    sums = """count(*) AS realizations, exact_sum(r.realized_quote) AS realized_quote,
        exact_sum(r.fees_quote) AS fees_quote, exact_sum(r.net_quote) AS net_quote"""
    sql = f"""SELECT {_KEYS[by]} AS key, g.quote, g.scope, {sums} FROM {joined}{where}
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""  # noqa: S608 our own column names
    rows = [_row(found) for found in fetch(sql, where.values)]
    return _by_day(rows, zone) if by == "day" else rows


def other_fees(fetch: Callable[[str, Any], list[Row]], wanted: PnlFilter) -> list[OtherFee]:
    """Return fees in third currencies by currency and scope, of the groups that the filter lets through."""
    where = Where().add("g.scope = ?", wanted.scope, when=wanted.scope)
    where.add("g.account = ?", wanted.account, when=wanted.account)
    where.add("g.group_id = ?", wanted.group_id, when=wanted.group_id)
    where.add("f.currency <> g.base AND f.currency <> g.quote AND f.amount <> '0'")
    sql = f"""SELECT f.currency, g.scope, exact_sum(f.amount) FROM group_fees f
        JOIN groups g ON g.group_id = f.group_id{where} GROUP BY 1, 2 ORDER BY 1, 2"""  # noqa: S608 our own text
    return [OtherFee(row[0], row[1], Decimal(row[2])) for row in fetch(sql, where.values)]


def _where(wanted: PnlFilter) -> Where:
    where = Where().add("g.scope = ?", wanted.scope, when=wanted.scope)
    where.add("g.account = ?", wanted.account, when=wanted.account)
    where.add("r.group_id = ?", wanted.group_id, when=wanted.group_id)
    return where.add("r.at >= ?", wanted.since, when=wanted.since).add("r.at < ?", wanted.until, when=wanted.until)


def _row(found: Row) -> PnlRow:
    key, quote, scope, count, realized, fees, net = found
    return PnlRow(
        key=str(key),
        quote=quote,
        scope=Scope(scope),
        realizations=count,
        realized_quote=Decimal(realized),
        fees_quote=Decimal(fees),
        net_quote=Decimal(net),
    )


def _by_day(rows: Iterable[PnlRow], zone: tzinfo) -> list[PnlRow]:
    """Add up rows of single instants by calendar day."""
    days: dict[tuple[str, str, Scope], PnlRow] = {}
    for row in rows:
        day = str(day_of(int(row.key), zone))
        key = (day, row.quote, row.scope)
        before = days.get(key)
        days[key] = PnlRow(
            key=day,
            quote=row.quote,
            scope=row.scope,
            realizations=row.realizations + (before.realizations if before else 0),
            realized_quote=_sum(row.realized_quote, before.realized_quote if before else None),
            fees_quote=_sum(row.fees_quote, before.fees_quote if before else None),
            net_quote=_sum(row.net_quote, before.net_quote if before else None),
        )
    return [days[key] for key in sorted(days)]


def _sum(one: Decimal, other: Decimal | None) -> Decimal:
    return one if other is None else exact().add(one, other)
