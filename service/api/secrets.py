"""Secrets over the API, for admins: masks go out, values come in; only a secret that was just made is shown, that once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from aiohttp import web

from protocol.codec import decode_json
from protocol.configuration import CONFIG_STORE
from protocol.errors import BulkheadError
from protocol.messages import Value
from protocol.webhook import RotateSecret
from service.api.answers import Refused, answer, plain
from service.api.control import actor_at
from service.api.host import ASK_S
from service.api.shared import Shared
from service.config import ConfigError, open_webhook_secrets
from service.config.secret_files import ROTATED
from service.config_store import DraftConfigs, GetDraftConfigs
from service.credentials import KeyRotated, SecretsShown, listed, put, rotate_key, take_away
from service.taking_secrets import SECRET_KEEPER, beside
from service.vault.errors import MasterKeyFixed, SecretsNotDecryptable, UnknownSecret, VaultUnwritable

__all__ = ["DropSecret", "KeyRotated", "PutSecret", "Rotate", "SecretsShown", "register"]

T = TypeVar("T")

_STATUS: Final = {SecretsNotDecryptable: 409, MasterKeyFixed: 409, UnknownSecret: 404, VaultUnwritable: 503}


class PutSecret(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A secret to keep; ``new_vault`` sets a vault aside that does not open, and begins a new one."""

    holder: str
    field: str
    value: str
    new_vault: bool = False

    def __repr__(self) -> str:
        return f"PutSecret(holder={self.holder!r}, field={self.field!r})"


class DropSecret(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A secret to keep no longer."""

    holder: str
    field: str


class Rotate(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Which secret of alerts is made anew: ``webhook`` or ``hmac``."""

    which: str


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""
    one = _Secrets(shared)
    app.router.add_get("/v1/secrets", one.listed)
    app.router.add_post("/v1/secrets/set", one.put)
    app.router.add_post("/v1/secrets/remove", one.remove)
    app.router.add_post("/v1/secrets/rotate", one.rotate)
    app.router.add_post("/v1/secrets/rotate-key", one.rotate_key)


class _Secrets:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def listed(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        host = self._shared.host
        return answer(await self._done(partial(listed, host.config, host.sources)))

    async def put(self, request: web.Request) -> web.Response:
        wanted, host = decode_json(await request.read(), PutSecret), self._shared.host
        now, afresh = self._shared.access.now(), wanted.new_vault
        given = (host.config, host.sources, wanted.holder, wanted.field, wanted.value)
        drafted = await self._drafted()
        done = await self._done(lambda: put(*given, now=now, afresh=afresh, drafted=drafted))
        restarted = await host.take_secrets(wanted.holder)
        return answer({**plain(done), "restarted": restarted})

    async def remove(self, request: web.Request) -> web.Response:
        wanted, host = decode_json(await request.read(), DropSecret), self._shared.host
        done = await self._done(partial(take_away, host.config, host.sources, wanted.holder, wanted.field))
        restarted = await host.take_secrets(wanted.holder)
        return answer({**plain(done), "restarted": restarted})

    async def rotate_key(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return answer(await self._done(partial(rotate_key, self._shared.host.config)))

    async def rotate(self, request: web.Request) -> web.Response:
        wanted, host = decode_json(await request.read(), Rotate), self._shared.host
        if wanted.which not in ROTATED:
            known = ", ".join(ROTATED)
            raise Refused(422, "InvalidEnum", f"what can be rotated is: {known}", path="which", value=wanted.which)
        try:
            said = await actor_at(host.system, SECRET_KEEPER).ask(RotateSecret(wanted.which), ASK_S)
        except ConfigError as error:
            problem = error.problems[0]
            raise Refused(409, problem.code, problem.message, path=problem.path) from error
        except tuple(_STATUS) as error:
            raise _refused(error) from error
        made = await beside(host.system, lambda: open_webhook_secrets(host.config))
        return answer({**plain(said), "secret": getattr(made, ROTATED[wanted.which].field).reveal()})

    async def _drafted(self) -> tuple[str, ...]:
        """Return the accounts of the draft: what they log in with may be kept before they are in force."""
        store = self._shared.host.system.lookup(CONFIG_STORE)
        if store is None:
            return ()
        found: DraftConfigs = await store.ask(GetDraftConfigs(), ASK_S)
        return tuple(each.name for each in found.draft.accounts)

    async def _done(self, work: Callable[[], T]) -> T:
        try:
            return await beside(self._shared.host.system, work)
        except tuple(_STATUS) as error:
            raise _refused(error) from error


def _refused(error: BulkheadError) -> Refused:
    status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
    return Refused(status, type(error).__name__, str(error))
