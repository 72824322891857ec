"""The webhook listener: HTTP in, the gateway's answer out. No other route is served here (tradingview.md 7.11).

It authenticates nobody and decides nothing: it bounds what it reads, passes it on, and translates the answer. A request
that takes longer than a sender waits is still worked on; only its answer is lost.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from actors.http_door import Door, Guests
from protocol.codec import encode_json
from protocol.risk import EngineTrouble, EngineTroubleOver
from protocol.signals import SignalAnswer
from protocol.webhook import WebhookRequest
from rules.forwarded import forwarded, is_within
from runtime.actor import Actor
from runtime.errors import ActorError, AskTimeout, MailboxFull
from runtime.journal import JournalError
from runtime.system import ActorSystem

__all__ = ["ANSWER_WITHIN_S", "BODY_WITHIN_S", "GUESTS", "RISK", "WebhookListener", "hand_over"]

ANSWER_WITHIN_S = 2.5
"""The sender gives up after 3 s (EX-251)."""

BODY_WITHIN_S = 10.0
"""A body that is not complete by then is given up: its sender has gone, or means harm."""

GUESTS = Guests(most=256, most_each=64)
"""Connections at once; one address alone, a proxy included, does not keep all others out."""

RISK = "/risk/coordinator"

log = logging.getLogger("bulkhead.webhook")


class WebhookListener(Actor):
    """Serves ``POST /webhook/<token>`` and ``GET /health`` on ``host:port``; port 0 takes a free one (see ``port``)."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        token: str,
        user: str,
        gateway: str,
        max_body_bytes: int,
        risk: str = RISK,
        trusted_proxies: tuple[str, ...] = (),
    ) -> None:
        self._host = host
        self._port = port
        self._token = token.encode()
        self._user = user
        self._gateway = gateway
        self._risk = risk
        self._trusted = trusted_proxies
        self._in_trouble = False
        self._max_body = max_body_bytes
        self._runner: web.AppRunner | None = None
        self._door: Door | None = None
        self.port = 0

    async def started(self) -> None:
        """Listen; an address that is in use crashes this life with the system's reason."""
        app = web.Application(client_max_size=self._max_body)
        app.router.add_post("/webhook/{token}", self._post)
        app.router.add_get("/health", self._health)
        runner = self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        self._door = await Door.open(runner, self._host, self._port, guests=GUESTS)
        self.port = self._door.port

    async def let_go(self) -> None:
        """Stop listening, so that the next life can; requests under way are answered first."""
        if self._door is not None:
            await self._door.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"http://{self._host}:{self.port}" if self.port else "starting"

    async def _health(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        return web.json_response({"status": "ok"})

    async def _post(self, request: web.Request) -> web.Response:
        given = request.match_info["token"].encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._token):
            return _answer(SignalAnswer(404, "NotFound"))
        try:
            with self.context.system.hold():
                async with asyncio.timeout(BODY_WITHIN_S):
                    body = await self._body(request)
        except TimeoutError:
            return _answer(SignalAnswer(408, "BodyLate"))
        except (OSError, web.HTTPException, web.RequestPayloadError, HttpProcessingError):
            return _answer(SignalAnswer(400, "BodyIncomplete"))
        if len(body) > self._max_body:
            return _answer(SignalAnswer(413, "BodyTooLarge"))
        return _answer(await self._ask(request, body))

    async def _body(self, request: web.Request) -> bytes:
        """Return the body, or one byte more than is allowed of it."""
        body = b""
        while len(body) <= self._max_body and not request.content.at_eof():
            body += await request.content.read(self._max_body + 1 - len(body))
        return body

    async def _ask(self, request: web.Request, body: bytes) -> SignalAnswer:
        headers = tuple((str(name), value) for name, value in request.headers.items())
        mapping = request.query.get("mapping", "")[:64]
        message = WebhookRequest(self._user, self._address(request), headers, body, mapping)
        system = self.context.system
        with system.hold():
            said, error = await hand_over(system, self._gateway, message)
        if error is not None:
            self._journal_failed(str(error))
        elif said.status < 500:
            self._journal_works()
        return said

    def _address(self, request: web.Request) -> str:
        """Return who sends it; of what came through a proxy of ours, who it came from."""
        remote = request.remote or ""
        if not is_within(remote, self._trusted):
            return remote
        return forwarded(remote, request.headers.getall("X-Forwarded-For", []), self._trusted)

    def _journal_failed(self, why: str) -> None:
        """Have the engine stand in Error while signals cannot be kept (EX-252)."""
        self._in_trouble = True
        self.context.system.tell(self._risk, EngineTrouble("journal", f"a signal could not be journalled: {why}"))

    def _journal_works(self) -> None:
        if self._in_trouble:
            self._in_trouble = False
            self.context.system.tell(self._risk, EngineTroubleOver("journal"))


async def hand_over(
    system: ActorSystem, gateway: str, message: WebhookRequest
) -> tuple[SignalAnswer, JournalError | None]:
    """Have the gateway take a request; return what its sender is told, and the journal's error when that was in the way."""
    found = system.lookup(gateway)
    if found is None:
        return SignalAnswer(503, "GatewayDown"), None
    if system.durability.error is not None and not system.is_up(gateway):
        # It fell over the journal and is not back; it could not keep this one either.
        return SignalAnswer(503, "JournalUnavailable"), None
    try:
        return await found.ask(message, ANSWER_WITHIN_S), None
    except JournalError as error:
        return SignalAnswer(503, "JournalUnavailable"), error
    except MailboxFull:
        return SignalAnswer(503, "Overloaded"), None
    except AskTimeout:
        # Not an error of the sender's: a 5xx makes TradingView send it again, which the duplicate memory takes.
        return SignalAnswer(503, "AnswerLate"), None
    except ActorError as error:
        log.warning("a webhook was not handled: %r", error)
        return SignalAnswer(503, "GatewayDown"), None


def _answer(answer: SignalAnswer) -> web.Response:
    """Answer in one shape; problems only where the sender proved who it is."""
    body: dict[str, Any] = {"outcome": answer.outcome}
    if answer.signal_id:
        body["signal_id"] = answer.signal_id
    if answer.problems:
        body["errors"] = json.loads(encode_json(answer.problems))
    return web.json_response(body, status=answer.status)
