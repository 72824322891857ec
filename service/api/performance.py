"""Performance figures over the API: dashboard, day, allocation, equity curve (EX-1701 to EX-1720)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aiohttp import web

from actors.session_topics import market_topic
from protocol.values import Scope, Side
from rules.performance import allocation, daily_summary, dashboard, day_of, day_start, total_pnl_percent
from rules.quote_usd import quote_usd, rate_symbol
from service.api.accounts import known_account
from service.api.answers import Refused, answer, plain
from service.api.host import Host
from store.performance import Wanted, inputs, positions, waiting_entries
from store.queries import Views
from store.views.rows import GroupRow

if TYPE_CHECKING:
    from service.api.server import ApiServer

__all__ = ["register", "wanted_of"]


def register(app: web.Application, server: ApiServer) -> None:
    """Register the addresses."""
    one = _Performance(server)
    app.router.add_get("/v1/performance", one.dashboard)
    app.router.add_get("/v1/performance/day", one.day)
    app.router.add_get("/v1/performance/equity", one.equity)


def wanted_of(query: Mapping[str, str], scope: str) -> Wanted:
    """Return which groups and times a query string asks for; raise ``Refused`` for a word that there is not."""
    given, side = query.get("scope", scope), query.get("side", "")
    for name, word, known in (("scope", given, list(Scope)), ("side", side, ["", *Side])):
        if word not in known:
            raise Refused(
                422, "InvalidEnum", f"{name} is one of {', '.join(filter(None, known))}", path=name, value=word
            )
    times = {name: query.get(name, "") for name in ("since", "until")}
    for name, text in times.items():
        if text and not (text.isascii() and text.isdigit() and len(text) < 20):
            raise Refused(422, "WrongType", f"{name} is an instant in nanoseconds", path=name, value=text)
    return Wanted(
        scope=Scope(given),
        account=query.get("account", ""),
        symbol=query.get("symbol", ""),
        timeframe=query.get("timeframe", ""),
        strategy=query.get("strategy", ""),
        side=Side(side) if side else None,
        since=int(times["since"]) if times["since"] else None,
        until=int(times["until"]) if times["until"] else None,
    )


class _Prices:
    """What is known of prices at this moment: read where they stand, nobody is asked."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def mark(self, group: GroupRow) -> float | None:
        """Return the price at which a group could be closed (EX-610)."""
        tick = self._host.system.bus.kept(market_topic(group.account, group.symbol))
        return None if tick is None else float(tick.bid if group.side is Side.LONG else tick.ask)

    def quote_usd(self, currency: str) -> float | None:
        """Return the worth of a quote currency, None where it is not known (EX-109)."""
        bus, now = self._host.system.bus, self._host.system.now()
        ticks = (bus.kept(market_topic(each.name, rate_symbol(currency))) for each in self._host.config.accounts)
        rate = quote_usd(currency, next((tick for tick in ticks if tick is not None), None), now)
        return None if rate is None else float(rate)


class _Performance:
    def __init__(self, server: ApiServer) -> None:
        self._host = server.host
        self._reading = server.reading
        self._prices = _Prices(server.host)

    @property
    def _zone(self) -> tzinfo:
        name = str(self._host.config.app.timezone)
        return UTC if name == "UTC" else ZoneInfo(name)

    async def _wanted(self, request: web.Request) -> Wanted:
        """Return the filter; without a scope it is that of the account asked for, else of the first: scopes never mix."""
        config, name = self._host.config, request.query.get("account", "")
        account = next((each for each in config.accounts if each.name == name), None)
        if account is not None or not name:
            return wanted_of(request.query, config.scope_of(account or config.accounts[0]).value)
        # One that is no longer configured has a record all the same.
        left = await self._reading.views(lambda views: views.groups(account=name, limit=1))
        if not left:
            known_account(self._host, name)
        return wanted_of(request.query, left[0].scope.value)

    async def dashboard(self, request: web.Request) -> web.Response:
        wanted = await self._wanted(request)
        return answer(await self._reading.views(lambda views: self._figures(views, wanted)))

    def _figures(self, views: Views, wanted: Wanted) -> dict[str, Any]:
        config, prices = self._host.config.performance, self._prices
        made = inputs(views, wanted, prices.quote_usd)
        start = float(config.starting_equity) if config.starting_equity is not None else None
        figures = dashboard(
            now=self._host.system.now(),
            zone=self._zone,
            trades=made.trades,
            realizations=made.realizations,
            snapshots=made.snapshots,
            starting_equity=start,
            histogram_bins=config.histogram_bins,
            risk_free_annual_percent=float(config.risk_free_annual_percent),
            annualization_days=config.annualization_days,
        )
        held = positions(views, wanted, prices.mark, prices.quote_usd)
        unrealized = self._unrealized(views, wanted)
        newest = made.snapshots[-1].total_equity if made.snapshots else start or 0.0
        occupied = len({group.key for group in views.groups(open_only=True, scope=wanted.scope) if wanted.has(group)})
        begun = start if start is not None else made.snapshots[0].total_equity if made.snapshots else 0.0
        return {
            "scope": wanted.scope.value,
            "dashboard": plain(figures),
            "unrealized": unrealized,
            "total_pnl_percent": total_pnl_percent(
                realized=figures.pnl.all,
                unrealized=unrealized,
                starting_equity=begun,
                net_flows=sum((each.flow for each in made.snapshots[1:]), 0.0),
            ),
            "allocation": plain(
                allocation(
                    held,
                    waiting_entries(views, wanted, prices.quote_usd),
                    total_equity=newest,
                    occupied=occupied,
                    max_open_groups=self._host.config.execution_pool.max_open_groups,
                )
            ),
        }

    def _unrealized(self, views: Views, wanted: Wanted) -> float:
        """Return the unrealized result of what is open, as far as prices and rates are known (EX-1703)."""
        total = 0.0
        for group in views.groups(open_only=True, scope=wanted.scope):
            mark, rate = self._prices.mark(group), self._prices.quote_usd(group.quote)
            if wanted.has(group) and mark is not None and rate is not None:
                total += (float(group.open_qty) * mark - float(group.open_cost_quote)) * group.side.sign * rate
        return total

    async def day(self, request: web.Request) -> web.Response:
        wanted, zone = await self._wanted(request), self._zone
        given = request.query.get("day", "")
        try:
            day = date.fromisoformat(given) if given else day_of(self._host.system.now(), zone)
        except ValueError as error:
            raise Refused(422, "WrongType", "day is a date like 2026-02-10", path="day", value=given) from error
        span = wanted._replace(since=day_start(day, zone), until=day_start(day + timedelta(days=1), zone))
        made = await self._reading.views(lambda views: inputs(views, span, self._prices.quote_usd))
        return answer(plain(daily_summary(day, zone, made.trades, made.fills, made.realizations)))

    async def equity(self, request: web.Request) -> web.Response:
        wanted = await self._wanted(request)
        rows = await self._reading.views(
            lambda views: views.equity(
                account=wanted.account, scope=wanted.scope, since=wanted.since, until=wanted.until
            )
        )
        return answer({"equity": rows})
