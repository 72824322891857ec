"""The notifier of a daemon: what it reads of the journal, and the day's summary (EX-1716)."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, tzinfo
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from anyio import to_thread

from actors.notifier import Backlog, Notifier, drafts_of
from actors.session_topics import market_topic
from protocol.notifications import DayFigures
from protocol.values import Scope
from rules.performance import DailySummary
from rules.quote_usd import quote_usd, rate_symbol
from runtime.clock import VirtualClock
from runtime.system import ActorSystem
from service.active import ActiveConfig
from service.config import Config
from service.journals import open_live_reader, views_of
from service.report.days import summary_of_day
from store.performance import QuoteUsd, Wanted
from store.queries import open_views
from supervision.child import ChildSpec

__all__ = ["day_summed", "notifier_child", "rates_of", "said_of_day", "zone_of"]


def notifier_child(active: ActiveConfig, system: ActorSystem) -> ChildSpec:
    """Return the recipe of the notifier; on a virtual clock no day is summed up."""
    summary = None if isinstance(system.clock, VirtualClock) else partial(day_summed, active, system)
    return ChildSpec("notifier", lambda: Notifier(partial(_backlog, active), summary, zone_of(active.config)))


def zone_of(config: Config) -> tzinfo:
    """Return the operator's time zone."""
    name = str(config.app.timezone)
    return UTC if name == "UTC" else ZoneInfo(name)


async def _backlog(active: ActiveConfig, after: int) -> Backlog:
    return await to_thread.run_sync(_read_backlog, active.config, after)


def _read_backlog(config: Config, after: int) -> Backlog:
    """Read what was committed after a position; of what was before the first start ever nothing is told."""
    reader = open_live_reader(config, check=False)
    try:
        head = reader.head()
        if after < 0 or head <= after:
            return Backlog((), head)
        records = reader.read_all(after, limit=head - after)
        return drafts_of([(each.position, each.at, each.event) for each in records], head)
    finally:
        reader.close()


async def day_summed(active: ActiveConfig, system: ActorSystem, day: str) -> tuple[str, tuple[DayFigures, ...]]:
    """Say what a day came to, a line a scope, and in figures."""
    config = active.config
    rates, zone = rates_of(config, system), zone_of(config)

    def read() -> list[tuple[Scope, DailySummary]]:
        with closing(open_views(views_of(config))) as views:
            scopes = dict.fromkeys(config.scope_of(account) for account in config.accounts)
            return [
                (each, summary_of_day(views, Wanted(each), zone, rates, date.fromisoformat(day))) for each in scopes
            ]

    found = await to_thread.run_sync(read)
    text = "\n".join(said_of_day(scope, summary) for scope, summary in found)
    return text, tuple(_figures(scope, summary) for scope, summary in found)


def _figures(scope: Scope, summary: DailySummary) -> DayFigures:
    return DayFigures(
        scope=scope,
        groups_closed=summary.groups_closed,
        fills=summary.fills,
        volume_usd=Decimal(repr(summary.volume_usd)),
        net_pnl=Decimal(repr(summary.net_pnl)),
        best_symbol=summary.best_symbol,
        worst_symbol=summary.worst_symbol,
    )


def said_of_day(scope: Scope, summary: DailySummary) -> str:
    """Say a day's figures in one line."""
    best = f", best {summary.best_symbol}, worst {summary.worst_symbol}" if summary.best_symbol else ""
    return (
        f"{scope.value}: {summary.groups_closed} groups closed, {summary.fills} fills, volume "
        f"{summary.volume_usd:,.2f} USD, net P&L {summary.net_pnl:+,.2f} USD{best}"
    )


def rates_of(config: Config, system: ActorSystem) -> QuoteUsd:
    """Return what knows the worth of a currency in USD at the newest prices."""
    bus, accounts = system.bus, [account.name for account in config.accounts]
    now = system.now

    def rate(currency: str) -> float | None:
        ticks = (bus.kept(market_topic(name, rate_symbol(currency))) for name in accounts)
        found = quote_usd(currency, next((tick for tick in ticks if tick is not None), None), now())
        return None if found is None else float(found)

    return rate
