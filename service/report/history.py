"""What was: the figures and curves of one scope, range and filter, added to from look to look (EX-1701 to EX-1720)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, tzinfo
from typing import Any, Final, NamedTuple

from protocol.values import Instant
from rules.performance import (
    ClosedTrades,
    Curve,
    Dashboard,
    EquityCourse,
    Fall,
    Period,
    PeriodUnit,
    Point,
    Realization,
    Realized,
    Snapshot,
    Stepped,
    Trade,
    dashboard_of,
    periods,
)
from store.ledger import Ledger
from store.performance import QuoteUsd, Wanted, origin_of, unvalued_fees
from store.queries import Views

__all__ = ["Book", "History", "Terms", "history"]

_AS_IT_WAS: Final = ("total", "drawdown")
"""Curves whose values are what they are; others are kept from zero and lifted by where they begin."""


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
    """What was: figures and curves. ``total`` is whether equity is that of whole accounts, else of these trades."""

    closed: ClosedTrades
    earned: Realized
    figures: Dashboard
    """Every figure; its realized curve stands in ``curves``."""
    start: float
    """Where the realized curves begin."""
    begun: float
    """What results are measured by: equity at the beginning of the range."""
    newest: float
    """Equity at the last mark."""
    total: bool
    curves: dict[str, Curve]
    """``total`` and ``drawdown`` as they were; ``realized``, ``closed`` and ``plain`` (no flows) less ``start``."""
    flows: list[Snapshot]
    falls: list[Fall]
    by_unit: dict[PeriodUnit, list[Period]]
    returns: list[tuple[date, float]]
    unvalued_fees: dict[str, str]
    """Fees by currency that no result holds, since their worth is not known."""
    memo: dict[Any, Any]
    """What was made of it for an answer: a look that finds nothing new makes nothing again."""

    @property
    def net_flows(self) -> float:
        """What came in the range, less what went."""
        return sum((each.flow for each in self.flows), 0.0)

    def curve(self, name: str) -> Iterator[Point]:
        """Yield all points of a curve: ``total``, ``drawdown``, ``realized``, ``closed`` or ``plain``."""
        return self.curves[name].lifted(self._lift(name))

    def thinned(self, name: str, most: int) -> list[Point]:
        """Return a curve in at most so many points."""
        lift = self._lift(name)
        return [Point(each.at, each.value + lift) for each in self.curves[name].thinned(most)]

    def _lift(self, name: str) -> float:
        return 0.0 if name in _AS_IT_WAS else self.start


class Book:
    """What one filter's figures are made of, added to from look to look; ``rates`` are those it was valued at."""

    def __init__(self, wanted: Wanted, quote_usd: QuoteUsd, zone: tzinfo) -> None:
        self.ledger = Ledger(wanted, quote_usd)
        self._wanted = wanted
        self._zone = zone
        self._closed = ClosedTrades(zone)
        self._earned = Realized(zone)
        self._course = EquityCourse(zone)
        self._lifted = {"realized": Stepped(), "closed": Stepped()}
        self._origin: tuple[float | None, float] | None = None

    @property
    def rates(self) -> dict[str, float | None]:
        """What each currency was taken for."""
        return self.ledger.rates

    @property
    def size(self) -> int:
        """How many points of curves it keeps."""
        curves = self._course.total, self._earned.steps.curve, self._closed.steps.curve
        return sum(map(len, curves))

    # --- what its ledger reads -----------------------------------------------------------------------------------------

    def realizations(self, realizations: Sequence[Realization]) -> None:
        """Add realizations."""
        self._earned.extend(realizations)
        for each in realizations:
            self._lifted["realized"].add(each.at, each.pnl)

    def trades(self, trades: Sequence[Trade]) -> None:
        """Add trades."""
        self._closed.extend(trades)
        for each in trades:
            self._lifted["closed"].add(each.closed_at, each.net_pnl)

    def snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        """Add marks of equity; a deposit lifts the curves of results as well."""
        known = len(self._course.flows)
        self._course.extend(snapshots)
        for each in self._course.flows[known:]:
            for stepped in self._lifted.values():
                stepped.add(each.at, each.flow)

    # --- what it comes to ----------------------------------------------------------------------------------------------

    def read(self, views: Views, terms: Terms) -> History:
        """Add what is new, and compute everything that does not depend on the prices of the moment."""
        self.ledger.catch_up(views, self)
        if self._wanted.since is None:
            self._origin = self._course.begun, 0.0
        elif self._origin is None or self._origin[0] is None:
            self._origin = origin_of(views, self._wanted, self.ledger.rates.__getitem__)
        first = terms.starting_equity if terms.starting_equity is not None else self._origin[0]
        return self._history(terms, first or 0.0, self._origin[1], unvalued_fees(views, self._wanted))

    def _history(self, terms: Terms, first: float, before: float, fees: dict[str, str]) -> History:
        accounts = self._course
        begun = first if self._wanted.since is None or accounts.begun is None else accounts.begun
        whole = self._wanted.whole_accounts
        course = accounts if whole else EquityCourse(self._zone, self._as_if_alone(begun))
        figures = dashboard_of(
            self._closed,
            self._earned,
            course,
            now=terms.now,
            histogram_bins=terms.histogram_bins,
            risk_free_annual_percent=terms.risk_free_annual_percent,
            annualization_days=terms.annualization_days,
        )
        return History(
            closed=self._closed,
            earned=self._earned,
            figures=figures,
            start=first + before,
            begun=begun,
            newest=begun if accounts.newest is None else accounts.newest,
            total=whole,
            curves={
                "total": course.total,
                "drawdown": course.under,
                "plain": self._earned.steps.curve,
                **{name: stepped.curve for name, stepped in self._lifted.items()},
            },
            flows=list(accounts.flows),
            falls=course.falls,
            by_unit={unit: periods(self._closed, self._earned, terms.zone, unit) for unit in PeriodUnit},
            returns=course.returns(terms.now),
            unvalued_fees=fees,
            memo={},
        )

    def _as_if_alone(self, begun: float) -> list[Snapshot]:
        """Return the equity of an account that made only these trades and had the same deposits.

        Accounts are marked as a whole and cannot be split.
        """
        curve, marks = self._lifted["realized"].curve, self._course.total
        if not self._earned.steps.curve or begun <= 0:
            return []
        came: dict[Instant, float] = {}
        for each in self._course.flows:
            came[each.at] = came.get(each.at, 0.0) + each.flow
        first = min(curve.at[0] - 1, marks.at[0]) if marks else curve.at[0] - 1
        made = (Snapshot(at=at, total_equity=begun + value, flow=came.get(at, 0.0)) for at, value in curve.pairs())
        return [Snapshot(at=first, total_equity=begun), *made]


def history(views: Views, wanted: Wanted, terms: Terms, quote_usd: QuoteUsd) -> History:
    """Read and compute everything that does not depend on the prices of the moment, from nothing."""
    return Book(wanted, quote_usd, terms.zone).read(views, terms)
