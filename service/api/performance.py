"""Performance figures over the API: dashboard, days, allocation, equity curve (EX-1701 to EX-1720)."""

from __future__ import annotations

from decimal import Decimal

from aiohttp import web

from protocol.codec import decode_json
from protocol.messages import Value
from protocol.performance import EQUITY, RecordFlow
from rules.performance import day_of
from service.api.accounts import known_account
from service.api.answers import Refused, answer
from service.api.control import actor_at
from service.api.host import ASK_S
from service.api.peers import origin_of
from service.api.rows import limit_of
from service.api.shared import Shared
from service.api.wanted import day_named
from service.notices import zone_of
from service.report.days import day_row, day_rows
from store.performance import recorded_flows

__all__ = ["Flow", "register"]


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""
    one = _Routes(shared)
    app.router.add_get("/v1/performance", one.dashboard)
    app.router.add_get("/v1/performance/day", one.day)
    app.router.add_get("/v1/performance/days", one.days)
    app.router.add_get("/v1/performance/equity", one.equity)
    app.router.add_get("/v1/performance/flows", one.flows)
    app.router.add_post("/v1/performance/flows", one.record)


class Flow(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """A deposit (above zero) or withdrawal (below) in USD; without an account that of the only one."""

    amount: Decimal
    account: str = ""
    note: str = ""


class _Routes:
    def __init__(self, shared: Shared) -> None:
        self._figures = shared.figures
        self._host = shared.host

    async def dashboard(self, request: web.Request) -> web.Response:
        return answer(await self._figures.answer(request.query))

    async def day(self, request: web.Request) -> web.Response:
        wanted, zone = await self._figures.wanted(request.query), zone_of(self._host.config)
        day = day_named(request.query, "day") or day_of(self._host.system.now(), zone)
        rate = self._figures.prices.quote_usd
        return answer(await self._figures.reading.views(lambda views: day_row(views, wanted, zone, rate, day)))

    async def equity(self, request: web.Request) -> web.Response:
        wanted = await self._figures.wanted(request.query)
        rows = await self._figures.reading.views(
            lambda views: views.equity(
                account=wanted.account, scope=wanted.scope, since=wanted.since, until=wanted.until
            )
        )
        return answer({"equity": rows})

    async def days(self, request: web.Request) -> web.Response:
        wanted, zone, limit = (
            await self._figures.wanted(request.query),
            zone_of(self._host.config),
            limit_of(request.query),
        )
        rate, now = self._figures.prices.quote_usd, self._host.system.now()
        rows = await self._figures.reading.views(lambda views: day_rows(views, wanted, zone, rate, now, limit))
        return answer({"days": rows})

    # --- deposits and withdrawals ----------------------------------------------------------------------------------------

    async def flows(self, request: web.Request) -> web.Response:
        wanted = await self._figures.wanted(request.query)
        found = await self._figures.reading.views(lambda views: recorded_flows(views, wanted))
        return answer({"scope": wanted.scope.value, "flows": found})

    async def record(self, request: web.Request) -> web.Response:
        given = decode_json(await request.read(), Flow)
        accounts = [each.name for each in self._host.config.accounts]
        if not given.account and len(accounts) > 1:
            raise Refused(422, "MissingValue", f"name one of {', '.join(accounts)}", path="account")
        name = given.account or accounts[0]
        known_account(self._host, name)
        operator, _ = origin_of(request)
        ask = RecordFlow(account=name, amount=given.amount, note=given.note, operator=operator)
        said = await actor_at(self._host.system, EQUITY).ask(ask, ASK_S)
        return answer({"account": name, "amount": format(said.flow, "+f"), "at": said.at, "note": said.note})
