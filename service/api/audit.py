"""What operators do: every command that changes something is journalled, and refused while the engine is read only.

One middleware for all addresses (EX-1405, EX-1506): who sent the command, from where, with what (secrets taken out), and
what came of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import unquote

from aiohttp import web
from aiohttp.typedefs import Middleware

from protocol.configuration import CONFIG_STORE, GetConfig
from protocol.errors import ValidationError
from protocol.event_log import EVENT_LOG, NoteCommand
from rules.signals.redaction import REDACTED, redact_text
from service.access.roles import OPEN, Scope
from service.api.answers import Refused
from service.api.host import ASK_S, Host
from service.api.peers import caller_of, origin_of
from service.api.table.routes import Route, route_of
from store.log.lines import without_secrets

__all__ = [
    "ARGUMENTS_KEPT",
    "CREDENTIALS",
    "IDS",
    "allowed_when_read_only",
    "arguments_of",
    "audit",
    "fields_of",
    "note",
    "origin_of",
]

ARGUMENTS_KEPT: Final = 40
"""Most arguments of one command that are written down; an argument is cut at ``_LONGEST`` characters."""

_LONGEST: Final = 300
_LOOKING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CREDENTIALS: Final = re.compile(r"secret|vault|credential|session|login|refresh|people|tokens", re.IGNORECASE)
_NAMES_KEPT: Final = frozenset({"name", "field", "venue", "account", "user", "operator", "role"})

IDS: Final = ("X-Request-Id", "Idempotency-Key")
"""Headers that name a request: the first that is there counts."""

_ALLOWED: Final = frozenset(
    {"/v1/pause", "/v1/accounts/{account}/stop", "/v1/config/discard", "/v1/group/{id}/close", "/v1/logout"}
)
_SWITCH: Final = "app.read_only"
"""The one key that may be changed while it is on; else it could never be switched off."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def audit(host: Host) -> Middleware:
    """Return the middleware."""

    @web.middleware
    async def middleware(request: web.Request, handler: _Handler) -> web.StreamResponse:
        route = route_of(request)
        if request.method in _LOOKING or caller_of(request) is OPEN or (route.scope is None and not route.knows):
            # Who is let in by a login, and who is not, the gate itself says; a browser's comes by the owner's socket.
            return await handler(request)
        body = await request.read()
        if _only_looks(route, body):
            return await handler(request)  # nothing is done, and whoever only looks fills no journal
        outcome = "unknown: it was broken off"
        try:
            if host.config.app.read_only and not await _allowed(host, request, body):
                raise _read_only(request.path)
            response = await handler(request)
            outcome = "done" if response.status < 400 else f"answered {response.status}"
        except (Refused, ValidationError) as error:
            outcome = f"refused: {error.code}"
            raise
        except Exception as error:
            outcome = f"failed: {type(error).__name__}"
            raise
        else:
            return response
        finally:
            note(host, request, body, outcome)

    return middleware


async def _allowed(host: Host, request: web.Request, body: bytes) -> bool:
    """Tell whether a command works in read-only mode; applying a draft does when the mode is all that it changes."""
    if request.path != "/v1/config/apply":
        return allowed_when_read_only(route_of(request), body)
    store = host.system.lookup(CONFIG_STORE)
    if store is None:
        return False
    return {each.key for each in (await store.ask(GetConfig(), ASK_S)).changes} == {_SWITCH}


def _only_looks(route: Route, body: bytes) -> bool:
    """Tell whether a command changes nothing: a preview, a check, a dry run."""
    return route.scope is Scope.READ or (route.dry is not None and route.dry(fields_of(body)))


def _read_only(path: str) -> Refused:
    message = "the engine is read only: pausing and closing a group still work; an admin sets app.read_only to false"
    return Refused(403, "ReadOnlyMode", message, path=path)


def allowed_when_read_only(route: Route, body: bytes) -> bool:
    """Tell whether a command works in read-only mode: pause, closing a group, and what changes nothing (EX-1506)."""
    given = fields_of(body)
    if route.path in _ALLOWED or route.scope is Scope.READ:
        return True
    if route.path == "/v1/config/draft":
        return isinstance(given.get("values"), dict) and set(given["values"]) == {_SWITCH}
    if route.path == "/v1/signal":
        return given.get("kind") == "exit"
    return route.dry is not None and route.dry(given)


def fields_of(body: bytes) -> dict[str, Any]:
    """Return the fields of a JSON object, none of anything else."""
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def arguments_of(request: web.Request, body: bytes) -> dict[str, str]:
    """Return what a command was given, as texts without secrets."""
    given = {**request.match_info, **request.query, **fields_of(body)}
    if body and not fields_of(body) and body.strip() != b"{}":
        given["body"] = f"{len(body)} bytes"
    if CREDENTIALS.search(request.path):
        given = {name: value if name in _NAMES_KEPT else REDACTED for name, value in given.items()}
    plain = without_secrets(given)
    return {
        str(name)[:64]: redact_text(value if isinstance(value, str) else json.dumps(value))[:_LONGEST]
        for name, value in list(plain.items())[:ARGUMENTS_KEPT]
    }


def note(host: Host, request: web.Request, body: bytes, outcome: str) -> None:
    """Have the command journalled; a command that came too early for the log or too late is in the daemon's own log."""
    log = host.system.lookup(EVENT_LOG)
    if log is None or not host.config.logging.audit_log_enabled:
        return
    operator, origin = origin_of(request, host.config.api.trusted_proxies)
    command = f"{request.method} {request.path}"
    log.tell(
        NoteCommand(
            operator=operator,
            origin=origin,
            command=command[:256],
            arguments=arguments_of(request, body),
            outcome=outcome,
            reason=redact_text(unquote(request.headers.get("X-Reason", "")))[:_LONGEST],
            request_id=next((found for name in IDS if (found := request.headers.get(name))), "")[:128],
        )
    )
