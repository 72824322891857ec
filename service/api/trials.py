"""Tests of accounts over the API: can it be reached, does it let us in, what may the key do (EX-1620). Nothing is traded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from protocol.codec import decode_json
from protocol.configuration import CONFIG_STORE
from protocol.messages import Value
from runtime.clock import WallClock
from service.api.answers import Refused, answer, not_found, plain
from service.api.control import actor_at, near
from service.api.host import ASK_S
from service.config import Config
from service.config.market import Account
from service.config_store import DraftConfigs, GetDraftConfigs
from service.taking_secrets import beside
from service.vault.errors import UnknownSecret
from service.venue_trial import tried, with_credentials
from service.venues import is_outside

if TYPE_CHECKING:
    from service.api.server import ApiServer

__all__ = ["TestCredentials", "TestVenue", "register"]

_PAPER: Final = "trades on paper inside the daemon: there is nothing to reach"


class TestVenue(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Whose venue; ``draft``: as the draft has it, instead of as it is in force."""

    __test__ = False  # pytest collects classes by the prefix "Test"

    account: str
    draft: bool = False


class TestCredentials(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Whose venue, and credentials to log in with that are kept nowhere."""

    __test__ = False

    account: str
    credentials: dict[str, str]
    draft: bool = False

    def __repr__(self) -> str:
        return f"TestCredentials(account={self.account!r}, credentials={sorted(self.credentials)})"


def register(app: web.Application, server: ApiServer) -> None:
    """Register the addresses."""
    one = _Trials(server)
    app.router.add_post("/v1/venues/test", one.kept)
    app.router.add_post("/v1/venues/test-credentials", one.given)


class _Trials:
    """One test an account at a time: each costs of the limit that the account's own session lives on."""

    def __init__(self, server: ApiServer) -> None:
        self._host = server.host
        self._running: set[str] = set()

    async def kept(self, request: web.Request) -> web.Response:
        """Test an account with the credentials that are kept."""
        wanted = decode_json(await request.read(), TestVenue)
        return await self._tried(*await self._account(wanted.account, draft=wanted.draft))

    async def given(self, request: web.Request) -> web.Response:
        """Test an account with credentials that came with the request."""
        wanted = decode_json(await request.read(), TestCredentials)
        config, account = await self._account(wanted.account, draft=wanted.draft)
        try:
            config, account = with_credentials(config, account, wanted.credentials)
        except UnknownSecret as error:
            raise Refused(404, "UnknownSecret", str(error), path="credentials") from error
        return await self._tried(config, account)

    async def _account(self, name: str, *, draft: bool) -> tuple[Config, Account]:
        config = await self._draft() if draft else self._host.config
        found = next((each for each in config.accounts if each.name == name), None)
        if found is None:
            names = [each.name for each in config.accounts]
            raise not_found(f"there is no account {name}", value=name, hint=near(name, names))
        if not is_outside(found):
            raise Refused(422, "NothingToTest", f"account {name} {_PAPER}", path="account", value=name)
        return config, found

    async def _draft(self) -> Config:
        found: DraftConfigs = await actor_at(self._host.system, CONFIG_STORE).ask(GetDraftConfigs(), ASK_S)
        for error in found.errors:
            if error.path.startswith(("accounts", "exchange")) and error.code != "MissingCredential":
                raise Refused(422, error.code, error.message, path=error.path)
        return self._host.sources.completed(found.draft)

    async def _tried(self, config: Config, account: Account) -> web.Response:
        if account.name in self._running:
            text = f"account {account.name} is being tested: wait for its answer"
            raise Refused(409, "TestUnderWay", text, value=account.name)
        self._running.add(account.name)
        try:
            now = WallClock().now  # a venue's clock is compared with that of the world
            return answer(plain(await beside(self._host.system, lambda: tried(config, account, now))))
        finally:
            self._running.discard(account.name)
