"""The table of addresses and what each answers with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from protocol.codec import decode_json
from protocol.messages import Value
from protocol.risk import PauseEngine, ResumeEngine
from rules.security import HIDDEN
from runtime.clock import VirtualClock
from service.access.roles import LOCAL
from service.api import control, rows
from service.api.accounts import known_account
from service.api.answers import answer, not_found, plain
from service.api.equity import equity_of
from service.api.families import FAMILIES
from service.api.host import ASK_S, RISK
from service.api.items import letter_item, report_item
from service.api.peers import caller_of, is_local
from service.api.shared import Shared
from service.api.signals import inject
from service.api.status import status_of
from service.api.stories import explain_answer, trace_answer
from service.api.stream import HEARTBEAT_S
from service.api.tailing import tail
from supervision.tree import describe, recent_reports

__all__ = ["MAX_BODY_BYTES", "Path", "Pause", "Resume", "SendTo", "add_routes"]

MAX_BODY_BYTES: Final = 1_048_576

_EVENTS_IN_VIEW: Final = 50


class Path(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """An actor, by its path."""

    path: str


class Pause(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Why entries are stopped, and whose: those of one account, or all."""

    reason: str = ""
    account: str = ""


class Resume(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Whose pause ends: that of one account, or the engine's."""

    account: str = ""


class SendTo(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """A message for an actor; ``message`` is an object whose ``type`` names its type."""

    path: str
    message: msgspec.Raw


def add_routes(app: web.Application, shared: Shared) -> None:
    """Register every address."""
    one = _Routes(shared)
    for path, get in one.gets().items():
        app.router.add_get(path, get)
    for path, post in one.posts().items():
        app.router.add_post(path, post)
    for family in FAMILIES:
        family(app, shared)


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Routes:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._host = shared.host
        self._reading = shared.reading
        self._results = rows.Results()

    def gets(self) -> dict[str, _Handler]:
        return {
            "/v1/status": self.status,
            "/v1/overview": self.overview,
            "/v1/ps": self.ps,
            "/v1/groups": self.groups,
            "/v1/orders": self.orders,
            "/v1/fills": self.fills,
            "/v1/signals": self.signals,
            "/v1/positions": self.positions,
            "/v1/events": self.events,
            "/v1/trace/{id:.+}": self.trace,
            "/v1/explain/{id:.+}": self.explain,
            "/v1/dead-letters": self.dead_letters,
            "/v1/reports": self.reports,
            "/v1/tail": self.tail,
        }

    def posts(self) -> dict[str, _Handler]:
        return {
            "/v1/dead-letters/{id}/replay": self.replay_letter,
            "/v1/send": self.send,
            "/v1/signal": self.signal,
            "/v1/release": self.release,
            "/v1/restart": self.restart,
            "/v1/pause": self.pause,
            "/v1/resume": self.resume,
            "/v1/stop": self.stop,
        }

    # --- looking -------------------------------------------------------------------------------------------------------

    async def status(self, request: web.Request) -> web.Response:
        return answer(await self._status(request))

    async def _status(self, request: web.Request) -> dict[str, Any]:
        """Return the status; the address of alerts holds a secret, which the machine's owner alone is shown (EX-1503)."""
        found = await status_of(self._shared)
        if caller_of(request) is not LOCAL:
            found["webhook_url"] = f"{found['webhook_url'].rpartition('/')[0]}/{HIDDEN}"
        return found

    async def overview(self, request: web.Request) -> web.Response:
        limit = rows.limit_of({"limit": str(_EVENTS_IN_VIEW), **request.query})
        found = await self._reading.views(lambda views: rows.overview_rows(views, limit))
        found["pnl"] = await self._reading.views(self._results.newest)
        found["groups"] = await rows.groups_with_prices(self._host.system, found["groups"])
        found["equity"] = await equity_of(self._host.system, [each.name for each in self._host.config.accounts])
        found["status"] = await self._status(request)
        found["ps"] = describe(self._host.system)
        return answer(found)

    async def ps(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        return answer({"actors": describe(self._host.system)})

    async def groups(self, request: web.Request) -> web.Response:
        limit, open_only = rows.limit_of(request.query), request.query.get("open") == "1"
        account, scope = request.query.get("account", ""), rows.scope_of(request.query)
        found = await self._reading.views(
            lambda views: rows.group_rows(views, open_only=open_only, limit=limit, account=account, scope=scope)
        )
        if account and not found:
            known_account(self._host, account)
        return answer({"groups": await rows.groups_with_prices(self._host.system, found)})

    async def orders(self, request: web.Request) -> web.Response:
        limit, query = rows.limit_of(request.query), request.query
        group, open_only = query.get("group", ""), query.get("open") == "1"
        ask = self._reading.views
        return answer({"orders": await ask(lambda v: v.orders(group_id=group, open_only=open_only, limit=limit))})

    async def fills(self, request: web.Request) -> web.Response:
        limit, query = rows.limit_of(request.query), request.query
        order, group, symbol = (query.get(name, "") for name in ("client_order_id", "group_id", "symbol"))
        ask = self._reading.views
        found = await ask(lambda v: v.fills(client_order_id=order, group_id=group, symbol=symbol, limit=limit))
        return answer({"fills": found})

    async def signals(self, request: web.Request) -> web.Response:
        limit = rows.limit_of(request.query)
        return answer({"signals": await self._reading.views(lambda views: views.signals(limit=limit))})

    async def positions(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return answer({"positions": await self._reading.views(lambda views: views.positions())})

    async def events(self, request: web.Request) -> web.Response:
        limit, query = rows.limit_of(request.query), dict(request.query)
        return answer({"events": await self._reading.views(lambda views: rows.events(views, query, limit))})

    async def trace(self, request: web.Request) -> web.Response:
        return answer(await trace_answer(self._reading, request.match_info["id"]))

    async def explain(self, request: web.Request) -> web.Response:
        return answer(await explain_answer(self._host.system, self._reading, request.match_info["id"]))

    async def dead_letters(self, request: web.Request) -> web.Response:  # noqa: ARG002
        letters = self._host.system.dead_letters
        return answer({"total": letters.total, "dead_letters": [letter_item(each) for each in letters.all()]})

    async def reports(self, request: web.Request) -> web.Response:
        limit = rows.limit_of(request.query)
        return answer({"reports": [report_item(each) for each in recent_reports(self._host.system, limit)]})

    async def tail(self, request: web.Request) -> web.StreamResponse:
        caller = caller_of(request)
        # On a virtual clock time flies, and nobody could answer a heartbeat in time.
        wall = not is_local(request) and not isinstance(self._host.system.clock, VirtualClock)
        beat = HEARTBEAT_S if wall else None
        with self._shared.listeners.one(caller):
            return await tail(request, self._shared.hub, self._reading, lambda: self._shared.access.still(caller), beat)

    # --- acting --------------------------------------------------------------------------------------------------------

    async def replay_letter(self, request: web.Request) -> web.Response:
        ident = request.match_info["id"]
        try:
            path = self._host.system.replay_dead_letter(int(ident))
        except (KeyError, ValueError) as error:
            what = error.args[0] if error.args and isinstance(error.args[0], str) else "no such dead letter is kept"
            raise not_found(what if isinstance(error, KeyError) else "ids are numbers", value=ident) from error
        return answer({"replayed": ident, "to": path})

    async def send(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read(), SendTo)
        return answer(await control.send(self._host.system, wanted.path, bytes(wanted.message)))

    async def signal(self, request: web.Request) -> web.Response:
        shared = self._shared
        return await inject(self._host, shared.hub, shared.markets, await request.read(), request.query)

    async def release(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read(), Path)
        return answer(await control.release(self._host.system, wanted.path))

    async def restart(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read(), Path)
        return answer(await control.restart(self._host.system, wanted.path))

    async def pause(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read() or b"{}", Pause)
        return await self._switch(PauseEngine(wanted.reason, wanted.account))

    async def resume(self, request: web.Request) -> web.Response:
        return await self._switch(ResumeEngine(decode_json(await request.read() or b"{}", Resume).account))

    async def _switch(self, wanted: PauseEngine | ResumeEngine) -> web.Response:
        if wanted.account:
            known_account(self._host, wanted.account)
        said = await control.actor_at(self._host.system, RISK).ask(wanted, ASK_S)
        return answer({**plain(said), "told": RISK})

    async def stop(self, request: web.Request) -> web.Response:  # noqa: ARG002
        # Told before the answer is out: the end waits for requests under way, so this one is still answered.
        self._host.stop()
        return answer({"stopping": True})
