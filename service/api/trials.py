"""Tests of accounts over the API: can it be reached, does it let us in, what may the key do (EX-1620). Nothing is traded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from msgspec import field

from protocol.codec import decode_json
from protocol.configuration import CONFIG_STORE
from protocol.messages import Value
from runtime.clock import WallClock
from service.access.roles import Scope
from service.api.answers import Refused, answer, not_found, plain
from service.api.control import actor_at, near
from service.api.host import ASK_S
from service.api.peers import CALLER
from service.api.shared import Shared
from service.config import Config
from service.config.market import Account
from service.config_store import DraftConfigs, GetDraftConfigs
from service.taking_secrets import beside
from service.vault.errors import UnknownSecret
from service.venue_trial import tried, with_credentials
from service.venues import is_outside

__all__ = ["TestCredentials", "TestVenue", "register"]

_ADDRESS: Final = ("venue", "url", "stream_url", "host", "port", "keys_dir")
_PAPER: Final = "trades on paper inside the daemon: there is nothing to reach"


class TestVenue(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Whose venue; ``draft``: as the draft has it, with ``edits`` over it as somebody is typing them.

    What is not in force sends what the vault keeps to an address that nobody has let it go to: that is for admins.
    """

    __test__ = False  # pytest collects classes by the prefix "Test"

    account: str
    draft: bool = False
    edits: dict[str, Any] = field(default_factory=dict)


class TestCredentials(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Whose venue, and credentials to log in with that are kept nowhere."""

    __test__ = False

    account: str
    credentials: dict[str, str]
    draft: bool = False
    edits: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"TestCredentials(account={self.account!r}, credentials={sorted(self.credentials)})"


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""
    one = _Trials(shared)
    app.router.add_post("/v1/venues/test", one.kept)
    app.router.add_post("/v1/venues/test-credentials", one.given)


class _Trials:
    """One test an account at a time: each costs of the limit that the account's own session lives on."""

    def __init__(self, shared: Shared) -> None:
        self._host = shared.host
        self._running: set[str] = set()

    async def kept(self, request: web.Request) -> web.Response:
        """Test an account with the credentials that are kept."""
        wanted = decode_json(await request.read(), TestVenue)
        config, account = await self._account(wanted)
        if not request[CALLER].may(Scope.ADMIN) and _goes_elsewhere(self._host.config, account):
            text = f"account {account.name} is not in force as it is to be tested: its credentials are for admins"
            raise Refused(403, "NotAllowed", text, value=account.name)
        return await self._tried(config, account)

    async def given(self, request: web.Request) -> web.Response:
        """Test an account with credentials that came with the request."""
        wanted = decode_json(await request.read(), TestCredentials)
        config, account = await self._account(wanted)
        try:
            config, account = with_credentials(config, account, wanted.credentials)
        except UnknownSecret as error:
            raise Refused(404, "UnknownSecret", str(error), path="credentials") from error
        return await self._tried(config, account)

    async def _account(self, wanted: TestVenue | TestCredentials) -> tuple[Config, Account]:
        name = wanted.account
        config = await self._draft(wanted.edits) if wanted.draft else self._host.config
        found = next((each for each in config.accounts if each.name == name), None)
        if found is None:
            names = [each.name for each in config.accounts]
            raise not_found(f"there is no account {name}", value=name, hint=near(name, names))
        if not is_outside(found):
            raise Refused(422, "NothingToTest", f"account {name} {_PAPER}", path="account", value=name)
        return config, found

    async def _draft(self, edits: Mapping[str, Any]) -> Config:
        found: DraftConfigs = await actor_at(self._host.system, CONFIG_STORE).ask(GetDraftConfigs(edits), ASK_S)
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


def _goes_elsewhere(config: Config, account: Account) -> bool:
    """Tell whether what an account logs in with would go where it does not go as things stand."""
    now = next((each for each in config.accounts if each.name == account.name), None)
    return now is None or any(getattr(now, each) != getattr(account, each) for each in _ADDRESS)
