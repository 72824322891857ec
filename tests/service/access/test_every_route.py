"""Every address, as the table names it: shut without a token, with one that is over, and with one that reaches less far."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from service.access.keeper import ACCESS_NS
from service.access.roles import Role, Scope
from service.api.table.everything import ROUTES
from service.api.table.routes import Route
from store.opening import open_reader
from tests.service.access.network_rig import Answer, Network, network

BELOW: Final = {Scope.READ: Scope.METRICS, Scope.TRADE: Scope.READ, Scope.ADMIN: Scope.TRADE}
MANY: Final = {"BULKHEAD_API__REQUESTS_PER_MINUTE": "100000"}

NOT_DRY: Final = {"preview": False, "check": False, "mode": "live", "changes": {}}
"""So given, no command is a preview or a dry run."""


def guarded() -> Iterator[Route]:
    return (each for each in ROUTES if each.scope is not None)


def address(route: Route) -> str:
    return re.sub(r"\{[a-z]+\}", "x1", route.path)


async def ask(net: Network, route: Route, token: str = "", **more: Any) -> Answer:
    if route.method == "POST":
        more = {"json": NOT_DRY, **more}
    return await net.ask(route.method, address(route), token, **more)


async def wrong(net: Network, token: str, status: int, code: str) -> list[str]:
    """Return the addresses that answer otherwise."""
    found = []
    for route in guarded():
        said = await ask(net, route, token)
        if (said.status, said.code if isinstance(said.body, dict) else "") != (status, code):
            found.append(f"{route.method} {route.path}: {said.status} {str(said.body)[:100]}")
    return found


def test_every_address_is_shut_without_a_token() -> None:
    """Whoever shows nothing is asked to log in, and nothing is done (EX-1504)."""

    async def work(net: Network) -> None:
        assert await wrong(net, "", 401, "NotAuthenticated") == []
        assert (await net.ask("GET", "/v1/no-such-address")).code == "NotAuthenticated", (
            "what is there is nobody's business"
        )
        journal = open_reader(net.rig.host.config.journal_path)
        assert not [each for each in journal.read_all() if each.stream != "/operators/notifier"]
        journal.close()

    network(work, **MANY)


def test_every_address_is_shut_with_a_token_that_is_over() -> None:
    """An access token that has had its time opens nothing; showing it counts as no guess (EX-1507)."""

    async def work(net: Network) -> None:
        await net.person("root", Role.ADMIN)
        token = (await net.login("root")).body["access_token"]
        assert (await net.ask("GET", "/v1/me", token)).status == 200
        later = net.shared.access.now() + ACCESS_NS + 1
        net.shared.access.now = lambda: later
        assert await wrong(net, token, 401, "TokenExpired") == []
        assert (await net.login("root")).status == 200, "it was no guess: nothing is locked"

    network(work, **MANY)


def test_every_address_is_shut_with_a_revoked_token() -> None:
    """A token that was taken away opens nothing."""

    async def work(net: Network) -> None:
        admin = await net.token(Scope.ADMIN, "gone")
        assert (await net.ask("POST", "/v1/tokens/gone/revoke", admin)).status == 200
        assert await wrong(net, admin, 401, "TokenRevoked") == []

    network(work, **MANY)


def test_every_address_is_shut_for_a_lesser_scope() -> None:
    """Who reads figures does not look, who looks does not act, who acts does not administer; it is journalled (EX-1505)."""

    async def work(net: Network) -> None:
        tokens = {scope: await net.token(scope) for scope in (Scope.METRICS, Scope.READ, Scope.TRADE)}
        found = []
        for route in guarded():
            if route.scope is not None and route.scope is not Scope.METRICS:
                said = await ask(net, route, tokens[BELOW[route.scope]])
                if (said.status, said.code) != (403, "NotAllowed"):
                    found.append(f"{route.method} {route.path}: {said.status} {said.body}")
        assert found == []
        lines = await net.rig.until("/v1/log?code=OperatorActed&text=NotAllowed", lambda said: said["events"])
        assert "refused: NotAllowed" in lines["events"][0]["text"]

    network(work, **MANY)


def test_a_reader_may_send_what_changes_nothing() -> None:
    """A viewer previews and tries dry; the same for real is refused (EX-1506)."""

    async def work(net: Network) -> None:
        reader = await net.token(Scope.READ)
        for body, allowed in (({"preview": True}, True), ({}, False), ({"preview": "true"}, False)):
            said = await net.ask("POST", "/v1/log/prune", reader, json=body)
            assert (said.status == 200) is allowed, said

    network(work)
