"""What was, kept: figures over the histories that somebody looks at (EX-1701 to EX-1720)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from actors.session_topics import market_topic
from protocol.values import Side
from rules.performance import RangeName, day_of
from service.api.accounts import known_account
from service.api.host import Host
from service.api.reading import Reading
from service.api.wanted import parts_of, points_of, wanted_of
from service.journals import journal_of, views_of
from service.notices import rates_of, zone_of
from service.report.figures import answer_of, live
from service.report.history import Book, History, Terms
from store.performance import Wanted, progress_of
from store.queries import Views
from store.views.rows import GroupRow

__all__ = ["Figures", "Prices"]

_KEPT: Final = 6
"""Histories that are kept, those asked for last: a panel, the ranges it is switched between."""

_POINTS_KEPT: Final = 3_000_000
"""Points of their curves together, sixteen bytes each, above which those not asked for of late go."""

_PAUSES: Final = 3
"""How many times as long as it took a history stands before it is computed anew."""


class Prices:
    """What is known of prices at this moment: read where they stand, nobody is asked."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def mark(self, group: GroupRow) -> float | None:
        """Return the price at which a group could be closed (EX-610)."""
        tick = self._host.system.bus.kept(market_topic(group.account, group.symbol))
        return None if tick is None else float(tick.bid if group.side is Side.LONG else tick.ask)

    def quote_usd(self, currency: str) -> float | None:
        """Return the worth of a quote currency, None where it is not known (EX-109)."""
        return rates_of(self._host.config, self._host.system)(currency)


class _Kept:
    """A history, by what it was computed, when, and how long its first reading and the newest addition took (ns)."""

    __slots__ = ("added", "book", "key", "made_at", "past", "whole")

    def __init__(self, book: Book) -> None:
        self.book = book
        self.key: tuple[Any, ...] = ()
        self.past: History | None = None
        self.made_at = self.whole = self.added = 0


class Figures:
    """Answers for figures; reads with a connection and thread of its own, so that a long history holds up nobody else."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.prices = Prices(host)
        self.reading = Reading(journal_of(host.config), views_of(host.config))
        self._kept: dict[Wanted, _Kept] = {}

    def terms(self) -> Terms:
        """Return by what figures are computed at this moment."""
        config = self.host.config.performance
        return Terms(
            now=self.host.system.now(),
            zone=zone_of(self.host.config),
            starting_equity=float(config.starting_equity) if config.starting_equity is not None else None,
            histogram_bins=config.histogram_bins,
            risk_free_annual_percent=float(config.risk_free_annual_percent),
            annualization_days=config.annualization_days,
            max_open_groups=self.host.config.execution_pool.max_open_groups,
        )

    async def wanted(self, query: Mapping[str, str]) -> Wanted:
        """Return the filter; without a scope it is that of the account asked for, else of the first: scopes never mix."""
        config, name = self.host.config, query.get("account", "")
        now, zone = self.host.system.now(), zone_of(self.host.config)
        account = next((each for each in config.accounts if each.name == name), None)
        if account is not None or not name:
            return wanted_of(query, config.scope_of(account or config.accounts[0]).value, now, zone)
        # One that is no longer configured has a record all the same.
        left = await self.reading.views(lambda views: views.groups(account=name, limit=1))
        if not left:
            known_account(self.host, name)
        return wanted_of(query, left[0].scope.value, now, zone)

    async def answer(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return every figure and curve that a query string asks for (EX-1719)."""
        wanted, terms = await self.wanted(query), self.terms()
        points, parts = points_of(query), parts_of(query)

        def work(views: Views) -> Any:
            present = live(views, wanted, terms, self.prices.mark, self.prices.quote_usd)
            return answer_of(self.kept(views, wanted, terms), present, terms, points=points, parts=parts)

        return {**_about(query, wanted, terms), **await self.reading.views(work)}

    def kept(self, views: Views, wanted: Wanted, terms: Terms) -> History:
        """Return what was, for whoever reads already; on the thread of the reading.

        It is added to when something was realized, traded or marked since, and computed anew when a rate has moved or a
        closed trade had a fill; what takes long only when several times as long has passed, so that looking at it never
        takes more than a part of a processor.
        """
        progress = progress_of(views)
        key = (progress, day_of(terms.now, terms.zone), terms._replace(now=0))
        kept = self._kept.pop(wanted, None)
        begun = wanted.since is None or wanted.since <= terms.now
        if kept is None or not begun or kept.key[2].zone != terms.zone or _rebuilt(kept, progress):
            kept = _Kept(self._book(wanted, terms))
        past = self._newest(kept, key, views, wanted, terms)
        self._kept[wanted] = kept
        while len(self._kept) > 1 and self._too_much():
            del self._kept[next(iter(self._kept))]
        return past

    def _newest(self, kept: _Kept, key: tuple[Any, ...], views: Views, wanted: Wanted, terms: Terms) -> History:
        """Return the history as it is now, or as it was while its pause lasts."""
        revalued = self._revalued(kept.book)
        if kept.past is not None and kept.key == key and not revalued:
            return kept.past
        now = self.host.system.now()
        anew = kept.past is None or revalued or kept.book.ledger.is_outdated(views)
        if kept.past is not None:
            if now - kept.made_at < _PAUSES * (kept.whole if anew else kept.added):
                return kept.past
            if anew:
                kept.book = self._book(wanted, terms)
        kept.past, kept.key = kept.book.read(views, terms), key
        kept.made_at = self.host.system.now()
        took = kept.made_at - now
        kept.whole, kept.added = (took, 0) if anew else (kept.whole, took)
        return kept.past

    def _book(self, wanted: Wanted, terms: Terms) -> Book:
        return Book(wanted, self.prices.quote_usd, terms.zone)

    def _revalued(self, book: Book) -> bool:
        """Tell whether a currency is worth something else than what a book took it for: then it cannot be added to."""
        return any(self.prices.quote_usd(each) != rate for each, rate in book.rates.items())

    def _too_much(self) -> bool:
        points = sum(each.book.size for each in self._kept.values())
        return len(self._kept) > _KEPT or points > _POINTS_KEPT


def _rebuilt(kept: _Kept, progress: tuple[Any, ...]) -> bool:
    """Tell whether read models were made anew since: then nothing of what was read of them is true."""
    return any((new or 0) < (old or 0) for new, old in zip(progress, kept.key[0], strict=True))


def _about(query: Mapping[str, str], wanted: Wanted, terms: Terms) -> dict[str, Any]:
    """Return what an answer is about: its range as days of the calendar, and its filters."""
    last = terms.now if wanted.until is None else min(wanted.until - 1, terms.now)
    name = query.get("range", "") or (
        RangeName.ALL if (wanted.since, wanted.until) == (None, None) else RangeName.CUSTOM
    )
    filters = ("account", "venue", "symbol", "timeframe", "strategy", "side")
    return {
        "scope": wanted.scope.value,
        "range": {
            "name": str(name),
            "since": wanted.since,
            "until": wanted.until,
            "from": None if wanted.since is None else str(day_of(wanted.since, terms.zone)),
            "to": str(day_of(last, terms.zone)),
            "timezone": str(terms.zone),
        },
        "filters": {each: str(getattr(wanted, each) or "") for each in filters},
    }
