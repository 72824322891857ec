"""All figures and curves of one scope, range and filter, put together from the read models (EX-1701 to EX-1720).

What takes long with a long history is a ``History``: it changes only with a fill, a mark of equity or the calendar, and is
kept until then. What changes with each price is added to it at every look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, tzinfo
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from protocol.values import Instant
from rules.performance import (
    BreakdownKey,
    Dashboard,
    Fall,
    Open,
    Period,
    PeriodUnit,
    Point,
    Realization,
    Snapshot,
    Trade,
    allocation,
    breakdown,
    closed_curve,
    dashboard,
    dated_returns,
    day_of,
    drawdown_curve,
    falls,
    flow_index,
    monthly_returns,
    periods,
    realized_curve,
    thinned,
    total_pnl_percent,
    with_flows,
    with_open,
)
from service.api.answers import plain
from store.ledger import Inputs, Ledger
from store.performance import QuoteUsd, Wanted, first_equity, flows_before, positions, realized_before, waiting_entries
from store.queries import Views
from store.views.rows import GroupRow

__all__ = ["CURVE_POINTS", "PARTS", "Book", "History", "Live", "Terms", "answer_of", "history", "live"]

CURVE_POINTS: Final = 600
"""Points of each curve of an answer unless another number is asked for: more than a screen has columns."""

PARTS: Final = ("breakdown", "periods", "curves", "falls", "months", "trades")
"""What an answer may be asked to leave out by naming the others."""

_MOST: Final = 1_000_000


class Terms(NamedTuple):
    """By what figures are computed (``performance.*``, ``app.timezone``, ``execution_pool.max_open_groups``)."""

    now: Instant
    zone: tzinfo
    starting_equity: float | None
    histogram_bins: int
    risk_free_annual_percent: float
    annualization_days: int
    max_open_groups: int


class History(NamedTuple):
    """What was: inputs, figures and curves. ``total`` is whether equity is that of whole accounts, else of these trades."""

    made: Inputs
    figures: Dashboard
    start: float
    """Where the realized curve begins."""
    begun: float
    """What results are measured by: equity at the beginning of the range."""
    net_flows: float
    total: bool
    realized: list[Point]
    closed: list[Point]
    equity: list[Point]
    under: list[Point]
    flows: list[Snapshot]
    falls: list[Fall]
    by_unit: dict[PeriodUnit, list[Period]]
    returns: list[tuple[date, float]]
    memo: dict[Any, Any]
    """What was made of it for an answer: a look that finds nothing new makes nothing again."""


class Live(NamedTuple):
    """What is open at the prices of this moment; ``complete`` is whether all of them are known."""

    opened: list[Open]
    unrealized: float
    complete: bool
    occupied: int
    allocation: Callable[[float], Any]


# --- what was -----------------------------------------------------------------------------------------------------------


class Book:
    """What one filter's figures are made of, kept from look to look; ``rates`` are those it was valued at."""

    def __init__(self, wanted: Wanted, quote_usd: QuoteUsd) -> None:
        self.ledger = Ledger(wanted, quote_usd)
        self._wanted = wanted
        self._first: float | None = None
        self._before: float | None = None

    @property
    def rates(self) -> dict[str, float | None]:
        """What each currency was taken for."""
        return self.ledger.rates

    def read(self, views: Views, terms: Terms) -> History:
        """Add what is new, and compute everything that does not depend on the prices of the moment."""
        self.ledger.catch_up(views)
        if self._first is None:
            self._first = first_equity(views, self._wanted)
        if self._before is None:  # what was realized and came before the range is not going to change
            realized = realized_before(views, self._wanted, self.ledger.rates.__getitem__)
            self._before = realized + flows_before(views, self._wanted)
        first = terms.starting_equity if terms.starting_equity is not None else self._first
        return _history(self.ledger.inputs, self._wanted, terms, first or 0.0, self._before)


def history(views: Views, wanted: Wanted, terms: Terms, quote_usd: QuoteUsd) -> History:
    """Read and compute everything that does not depend on the prices of the moment, from nothing."""
    return Book(wanted, quote_usd).read(views, terms)


def _history(made: Inputs, wanted: Wanted, terms: Terms, first: float, before: float) -> History:
    start = first + before
    begun = made.snapshots[0].total_equity if wanted.since is not None and made.snapshots else first
    whole = wanted.whole_accounts
    flows = [each for each in made.snapshots[1:] if each.flow]
    snapshots = made.snapshots if whole else _as_if_alone(made.realizations, made.snapshots, flows, begun)
    index = flow_index(snapshots)
    figures = dashboard(
        index=index,
        now=terms.now,
        zone=terms.zone,
        trades=made.trades,
        realizations=made.realizations,
        snapshots=snapshots,
        starting_equity=start,
        histogram_bins=terms.histogram_bins,
        risk_free_annual_percent=terms.risk_free_annual_percent,
        annualization_days=terms.annualization_days,
    )
    return History(
        made=made,
        figures=figures,
        start=start,
        begun=begun,
        net_flows=sum((each.flow for each in flows), 0.0),
        total=whole,
        realized=with_flows(figures.realized_curve, flows, start),
        closed=with_flows(closed_curve(made.trades, start), flows, start),
        equity=[Point(each.at, each.total_equity) for each in snapshots],
        under=drawdown_curve(snapshots, index),
        flows=flows,
        falls=falls(snapshots, index),
        by_unit={unit: periods(made.trades, made.realizations, terms.zone, unit) for unit in PeriodUnit},
        returns=dated_returns(snapshots, terms.now, terms.zone),
        memo={},
    )


def _as_if_alone(
    lines: Sequence[Realization], snapshots: Sequence[Snapshot], flows: Sequence[Snapshot], begun: float
) -> list[Snapshot]:
    """Return the equity of an account that made only these trades and had the same deposits.

    Accounts are marked as a whole and cannot be split.
    """
    if not lines or begun <= 0:
        return []
    points = with_flows(realized_curve(lines, begun), flows, begun)
    came: dict[Instant, float] = {}
    for each in flows:
        came[each.at] = came.get(each.at, 0.0) + each.flow
    first = min(points[0].at - 1, snapshots[0].at) if snapshots else points[0].at - 1
    made = (Snapshot(at=point.at, total_equity=point.value, flow=came.get(point.at, 0.0)) for point in points)
    return [Snapshot(at=first, total_equity=begun), *made]


# --- what is ------------------------------------------------------------------------------------------------------------


def live(
    views: Views, wanted: Wanted, terms: Terms, mark: Callable[[GroupRow], float | None], quote_usd: QuoteUsd
) -> Live:
    """Read what is open and value it at present prices (EX-1703, EX-1715)."""
    groups = [g for g in views.groups(open_only=True, scope=wanted.scope, limit=_MOST) if wanted.has(g)]
    opened = [_open(group, mark(group), quote_usd(group.quote)) for group in groups]
    held = positions(views, wanted, mark, quote_usd)
    waiting = waiting_entries(views, wanted, quote_usd)
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
        known = mark is not None and rate is not None
        unrealized = (
            (float(group.open_qty) * mark - float(group.open_cost_quote)) * group.side.sign * rate
            if known and mark is not None and rate is not None
            else None
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
    newest = past.made.snapshots[-1].total_equity if past.made.snapshots else past.begun
    realized = past.figures.pnl.all
    answer = {
        "at": terms.now,
        "dashboard": _once(past, ("dashboard", points), lambda: _dashboard(past, points)),
        "equity_basis": "total" if past.total else "realized",
        "starting_equity": past.begun,
        "equity": newest,
        "net_flows": past.net_flows,
        "unrealized": present.unrealized,
        "unrealized_complete": present.complete,
        "total_pnl": realized + present.unrealized,
        "total_pnl_percent": total_pnl_percent(
            realized=realized,
            unrealized=present.unrealized,
            starting_equity=past.begun,
            net_flows=past.net_flows,
        ),
        "open_groups": len(present.opened),
        "allocation": present.allocation(newest),
    }
    wanted = frozenset(parts)
    made = {
        name: _once(past, (name, points), make) for name, make in _parts(past, terms, points).items() if name in wanted
    }
    if "breakdown" in made:
        made["breakdown"] = {
            by.value: plain(with_open(made["breakdown"][by], present.opened, by)) for by in BreakdownKey
        }
    return answer | made


def _once(past: History, key: Any, make: Callable[[], Any]) -> Any:
    if key not in past.memo:
        past.memo[key] = make()
    return past.memo[key]


def _dashboard(past: History, points: int) -> Any:
    return plain(replace(past.figures, realized_curve=tuple(thinned(past.figures.realized_curve, points))))


def _parts(past: History, terms: Terms, points: int) -> dict[str, Callable[[], Any]]:
    made = past.made
    return {
        "breakdown": lambda: {by: breakdown(made.trades, made.realizations, by) for by in BreakdownKey},
        "periods": lambda: {unit.value: plain(rows) for unit, rows in past.by_unit.items()},
        "curves": lambda: {
            "total": _pairs(thinned(past.equity, points)),
            "realized": _pairs(thinned([*_from(past), *past.realized], points)),
            "closed": _pairs(thinned([*_from(past), *past.closed], points)),
            "drawdown": _pairs(thinned(past.under, points)),
            "flows": [[each.at, each.flow] for each in past.flows],
        },
        "falls": lambda: plain(past.falls),
        "months": lambda: _months(past, terms.zone),
        "trades": lambda: _extremes(past.figures, made.trades),
    }


def _from(past: History) -> list[Point]:
    """Return where the realized curves begin, when something was realized after it."""
    begins = past.equity[0].at if past.equity else past.realized[0].at - 1 if past.realized else None
    if begins is None or (past.realized and past.realized[0].at <= begins):
        return []
    return [Point(begins, past.start)]


def _pairs(curve: Sequence[Point]) -> list[list[float]]:
    return [[point.at, point.value] for point in curve]


def _months(past: History, zone: tzinfo) -> list[dict[str, Any]]:
    """Return each month with what was realized and the compound return of its completed days; None without any."""
    grown = monthly_returns(past.returns)
    realized = {
        (day.year, day.month): row.realized for row in past.by_unit[PeriodUnit.MONTH] for day in [_day(row, zone)]
    }
    return [
        {
            "year": year,
            "month": month,
            "realized": realized.get((year, month), 0.0),
            "return_percent": None if (year, month) not in grown else 100 * grown[year, month],
        }
        for year, month in sorted(grown.keys() | realized.keys())
    ]


def _day(row: Period, zone: tzinfo) -> date:
    return day_of(row.start, zone)


def _extremes(figures: Dashboard, trades: Sequence[Trade]) -> dict[str, Any]:
    """Return the best and the worst trades whole (EX-1710)."""
    known = {trade.id: trade for trade in trades}
    lists = {"best": figures.best_worst.best, "worst": figures.best_worst.worst}
    return {
        name: [{**plain(known[each]), "return_percent": known[each].return_percent} for each in ids]
        for name, ids in lists.items()
    }
