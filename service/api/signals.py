"""An operator's signal: asked of the gateway, answered with what became of it when that is known soon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from aiohttp import web
from msgspec import structs

from protocol.codec import decode_json, encode_json
from protocol.errors import ValidationError
from protocol.incidents import ListIncidents
from protocol.messages import Value
from protocol.signals import CheckSignal, InjectSignal, Problem, ReplayMode, ReplaySignal, SignalReport
from service.api.answers import Refused, answer, plain
from service.api.control import actor_at
from service.api.host import ASK_S, GATEWAY, Host
from service.api.hub import Hub
from service.api.markets import Markets
from service.api.peers import author_of
from service.api.shared import Shared
from service.config import Config

__all__ = ["WAIT_MOST_S", "Replay", "inject", "register"]

WAIT_MOST_S: Final = 30.0
"""Longest wait for the outcome of a signal that was accepted."""


async def inject(host: Host, hub: Hub, markets: Markets, body: bytes, query: Mapping[str, str]) -> web.Response:
    """Ask the gateway; ``wait`` is how many seconds to wait for the outcome (0: none)."""
    wait_s = _wait_s(query)
    signal = _signal_of(host, markets, body)
    said = await actor_at(host.system, GATEWAY).ask(signal, ASK_S)
    found = {**plain(said), "routed": None, "reasons": []}
    if said.status >= 400:
        problems = said.problems or (Problem(said.outcome, message=said.outcome),)
        if signal.price is None and any(each.path == "tv.entry_price" for each in problems):
            problems = (
                Problem("NoPrice", "price", f"there is no price of {signal.symbol} yet: give one, or try again"),
            )
        return answer({**found, "problems": problems, **plain(problems[0])}, status=said.status)
    if wait_s and said.outcome in ("accepted", "replacement"):
        routed = await hub.routed(said.signal_id, wait_s)
        if routed is not None:
            found |= {"routed": routed.outcome, "reasons": list(routed.reasons)}
    return answer(found)


def _signal_of(host: Host, markets: Markets, body: bytes) -> InjectSignal:
    signal = decode_json(_with_defaults(body, host.config), InjectSignal)
    accounts = [each.name for each in host.config.accounts if each.exchange == signal.venue.lower()]
    # The newest price is asked for under the unified name. Of several accounts of a venue each may have other markets.
    for last, account in enumerate(accounts, 1 - len(accounts)):
        try:
            return structs.replace(signal, symbol=markets.canonical(signal.symbol, account))
        except Refused:
            if last == 0:
                raise
    return signal


class Replay(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """How a stored signal is sent again."""

    mode: ReplayMode = ReplayMode.DRY
    reprice: bool = False
    operator: str = ""
    confirm: str = ""


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses that check, replay and list."""
    area = _Signals(shared)
    app.router.add_post("/v1/signals/check", area.check)
    app.router.add_post("/v1/signals/{id}/replay", area.replay)
    app.router.add_get("/v1/signals/missed", area.missed)


class _Signals:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def _ask(self, request: Any) -> Any:
        return await actor_at(self._shared.host.system, GATEWAY).ask(request, ASK_S)

    async def check(self, request: web.Request) -> web.Response:
        signal = _signal_of(self._shared.host, self._shared.markets, await request.read())
        return _report(await self._ask(CheckSignal(signal)))

    async def replay(self, request: web.Request) -> web.Response:
        how = decode_json(await request.read() or b"{}", Replay)
        wanted = ReplaySignal(
            signal_id=request.match_info["id"],
            mode=how.mode,
            reprice=how.reprice,
            operator=author_of(request, how.operator),
            confirm=how.confirm,
        )
        return _report(await self._ask(wanted))

    async def missed(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        return answer(await self._ask(ListIncidents("SignalMissed")))


def _report(report: SignalReport) -> web.Response:
    """Answer with the report; a refusal in the one shape of errors as well."""
    if not report.problems:
        return answer(report)
    return answer({**plain(report), "problems": report.problems, **plain(report.problems[0])}, status=report.status)


def _wait_s(query: Mapping[str, str]) -> float:
    text = query.get("wait", "0")
    try:
        wait_s = float(text)
    except ValueError:
        wait_s = -1.0
    if not 0 <= wait_s <= WAIT_MOST_S:
        raise Refused(422, "OutOfRange", f"wait is a number of seconds up to {WAIT_MOST_S}", path="wait", value=text)
    return wait_s


def _with_defaults(body: bytes, config: Config) -> bytes:
    """Put the configured user and the only exchange where the operator names none."""
    # The fields stay as they were written: a number must not lose digits on its way through a float.
    fields: dict[str, Any] = decode_json(body, dict[str, msgspec.Raw])
    exchanges = sorted({account.exchange for account in config.accounts})
    if "venue" not in fields and len(exchanges) > 1:
        raise ValidationError("$.venue", f"is one of {', '.join(exchanges)}", code="MissingField")
    return encode_json({"user": config.webhook.user, "venue": exchanges[0], **fields})
