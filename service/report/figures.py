"""All figures and curves of one scope, range and filter, put together from the read models (EX-1701 to EX-1720).

What takes long with a long history is a ``History``: it changes only with a fill, a mark of equity or the calendar, and is
kept until then. What changes with each price is added to it at every look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from rules.performance import (
    BreakdownKey,
    Extremes,
    Open,
    PeriodUnit,
    Point,
    allocation,
    breakdown,
    monthly_returns,
    total_pnl_percent,
    with_open,
)
from service.api.answers import plain
from service.report.history import History, Terms
from store.performance import QuoteUsd, Wanted, positions, waiting_entries
from store.queries import Views
from store.views.rows import GroupRow

__all__ = ["CURVE_POINTS", "PARTS", "Live", "Month", "answer_of", "live", "months_of", "total_percent"]

CURVE_POINTS: Final = 600
"""Points of each curve of an answer unless another number is asked for: more than a screen has columns."""

PARTS: Final = ("breakdown", "periods", "curves", "falls", "months", "trades")
"""What an answer may be asked to leave out by naming the others."""

_MOST: Final = 1_000_000


class Month(NamedTuple):
    """What was realized in USD, and the compound return of the month's completed days; None without one."""

    year: int
    month: int
    realized: float
    return_percent: float | None


class Live(NamedTuple):
    """What is open at the prices of this moment; ``complete`` is whether all of them are known."""

    opened: list[Open]
    unrealized: float
    complete: bool
    occupied: int
    allocation: Callable[[float], Any]


# --- what is ------------------------------------------------------------------------------------------------------------


def live(
    views: Views, wanted: Wanted, terms: Terms, mark: Callable[[GroupRow], float | None], quote_usd: QuoteUsd
) -> Live:
    """Read what is open and value it at present prices (EX-1703, EX-1715)."""
    groups = [g for g in views.groups(open_only=True, scope=wanted.scope, limit=_MOST) if wanted.has(g)]
    opened = [_open(group, mark(group), quote_usd(group.quote)) for group in groups]
    held = positions(groups, mark, quote_usd)
    waiting = waiting_entries(views, groups, quote_usd)
    occupied = len({group.key for group in groups})

    def allocated(total_equity: float) -> Any:
        found = allocation(
            held,
            waiting,
            total_equity=total_equity,
            occupied=occupied,
            max_open_groups=terms.max_open_groups,
        )
        return plain(found)

    known = [each.unrealized for each in opened if each.unrealized is not None]
    return Live(opened, sum(known, 0.0), len(known) == len(opened), occupied, allocated)


def _open(group: GroupRow, mark: float | None, rate: float | None) -> Open:
    unrealized: float | None = 0.0
    if group.open_qty:
        unrealized = (
            None
            if mark is None or rate is None
            else (float(group.open_qty) * mark - float(group.open_cost_quote)) * group.side.sign * rate
        )
    return Open(
        symbol=group.symbol,
        timeframe=group.timeframe,
        strategy=group.strategy,
        side=group.side.value,
        account=group.account,
        venue=group.venue,
        unrealized=unrealized,
    )


# --- the answer ---------------------------------------------------------------------------------------------------------


def answer_of(
    past: History, present: Live, terms: Terms, *, points: int = CURVE_POINTS, parts: Iterable[str] = PARTS
) -> Any:
    """Return everything as plain JSON data; times are nanoseconds, a curve is a list of [time, value]."""
    answer = {
        "at": terms.now,
        "dashboard": _once(past, ("dashboard", points), lambda: _dashboard(past, points)),
        "equity_basis": "total" if past.total else "realized",
        "starting_equity": past.begun,
        "equity": past.newest,
        "net_flows": past.net_flows,
        "unvalued_fees": past.unvalued_fees,
        "unrealized": present.unrealized,
        "unrealized_complete": present.complete,
        "total_pnl": past.figures.pnl.all + present.unrealized,
        "total_pnl_percent": total_percent(past, present),
        "open_groups": len(present.opened),
        "allocation": present.allocation(past.newest),
    }
    wanted = frozenset(parts)
    made = {name: _once(past, (name, points), make) for name, make in _parts(past, points).items() if name in wanted}
    if "breakdown" in made:
        made["breakdown"] = {
            by.value: plain(with_open(made["breakdown"][by], present.opened, by)) for by in BreakdownKey
        }
    return answer | made


def total_percent(past: History, present: Live) -> float | None:
    """Return all that was earned, open or not, in percent of what was put in (EX-1720)."""
    return total_pnl_percent(
        realized=past.figures.pnl.all,
        unrealized=present.unrealized,
        starting_equity=past.begun,
        net_flows=past.net_flows,
    )


def _once(past: History, key: Any, make: Callable[[], Any]) -> Any:
    if key not in past.memo:
        past.memo[key] = make()
    return past.memo[key]


def _dashboard(past: History, points: int) -> Any:
    return plain(replace(past.figures, realized_curve=tuple(past.thinned("plain", points))))


def _parts(past: History, points: int) -> dict[str, Callable[[], Any]]:
    return {
        "breakdown": lambda: {by: breakdown(past.closed, past.earned, by) for by in BreakdownKey},
        "periods": lambda: {unit.value: plain(rows) for unit, rows in past.by_unit.items()},
        "curves": lambda: {
            **{name: _pairs(past.thinned(name, points)) for name in ("total", "drawdown")},
            **{name: _pairs(_from(past, past.thinned(name, points - 1))) for name in ("realized", "closed")},
            "flows": [[each.at, each.flow] for each in past.flows],
        },
        "falls": lambda: plain(past.falls),
        "months": lambda: [each._asdict() for each in months_of(past)],
        "trades": lambda: _extremes(past.closed.extremes),
    }


def _from(past: History, points: list[Point]) -> list[Point]:
    """Put before a curve of results where it begins, when something was realized after it."""
    total, realized = past.curves["total"], past.curves["realized"]
    begins = total.at[0] if total else realized.at[0] - 1 if realized else None
    if begins is None or (realized and realized.at[0] <= begins):
        return points
    return [Point(begins, past.start), *points]


def _pairs(curve: Sequence[Point]) -> list[list[float]]:
    return [[point.at, point.value] for point in curve]


def months_of(past: History) -> list[Month]:
    """Return each month in which something was realized or that has a completed day, oldest first."""
    grown = monthly_returns(past.returns)
    realized = {(int(row.key[:4]), int(row.key[5:])): row.realized for row in past.by_unit[PeriodUnit.MONTH]}
    return [
        Month(*month, realized.get(month, 0.0), None if month not in grown else 100 * grown[month])
        for month in sorted(grown.keys() | realized.keys())
    ]


def _extremes(found: Extremes) -> dict[str, Any]:
    """Return the best and the worst trades whole (EX-1710)."""
    lists = {"best": found.best, "worst": found.worst}
    return {
        name: [{**plain(each), "return_percent": each.return_percent} for each in trades]
        for name, trades in lists.items()
    }
