"""What days came to: as it was stored at midnight, else added up now (EX-1716)."""

from __future__ import annotations

from datetime import date, timedelta, tzinfo

from msgspec.structs import asdict

from protocol.values import Instant, Scope
from rules.performance import DailySummary, daily_summaries, daily_summary, day_of, day_start, next_day
from store.ledger import inputs
from store.performance import KeptDay, QuoteUsd, Wanted, fill_lines, kept_days
from store.queries import Views

__all__ = ["DayRow", "day_row", "day_rows", "summary_of_day"]


class DayRow(DailySummary, frozen=True, gc=False, kw_only=True):
    """One calendar day in USD. ``kept_at`` is when its figures were stored; None for those that are added up now."""

    scope: Scope
    kept_at: Instant | None


def day_rows(views: Views, wanted: Wanted, zone: tzinfo, rate: QuoteUsd, now: Instant, limit: int) -> list[DayRow]:
    """Return the newest days of a range on which anything happened, the newest first.

    A scope's days are those stored at midnight, where they were: a fill that came to light later changes them no more.
    """
    if wanted.since is None:  # the newest days are wanted, not all that there ever were
        wanted = wanted._replace(since=day_start(day_of(now, zone) - timedelta(days=limit - 1), zone))
    made = inputs(views, wanted, rate, marks=False)
    found = daily_summaries(zone, made.trades, fill_lines(views, wanted, rate), made.realizations)[:limit]
    kept = _kept(views, wanted, found[-1].day) if found else {}
    return [_row(each, wanted.scope, kept.get(each.day)) for each in found]


def day_row(views: Views, wanted: Wanted, zone: tzinfo, rate: QuoteUsd, day: date) -> DayRow:
    """Return what one day came to, whether anything happened in it or not."""
    return _row(summary_of_day(views, wanted, zone, rate, day), wanted.scope, _kept(views, wanted, day).get(day))


def summary_of_day(views: Views, wanted: Wanted, zone: tzinfo, rate: QuoteUsd, day: date) -> DailySummary:
    """Add a day up from what is known of it by now."""
    span = wanted._replace(since=day_start(day, zone), until=next_day(day, zone))
    made = inputs(views, span, rate, marks=False)
    return daily_summary(day, zone, made.trades, fill_lines(views, span, rate), made.realizations)


def _kept(views: Views, wanted: Wanted, first: date) -> dict[date, KeptDay]:
    """Return the days that were stored; of a scope they were, and not of a part of it."""
    narrowed = wanted.account or wanted.venue or not wanted.whole_accounts
    return {} if narrowed else kept_days(views, wanted.scope, first)


def _row(summary: DailySummary, scope: Scope, kept: KeptDay | None) -> DayRow:
    figures = kept._asdict() if kept is not None else {"kept_at": None}
    return DayRow(**{**asdict(summary), "scope": scope, **figures})
