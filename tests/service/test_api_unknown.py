"""What is not this user's is not there: every address that takes a name answers NotFound for an unknown one (EX-112)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from aiohttp import web

from service.api.client import DaemonRefused
from service.api.routes import add_routes
from tests.service.api_rig import Rig, run

THEIRS: Final = "theirs"
ADOPTION: Final = {
    "account": THEIRS,
    "symbol": "BTC/USDT",
    "side": "long",
    "timeframe": "1h",
    "qty": "1",
    "avg_price": "5",
    "request_id": "r1",
}
GETS: Final = {
    "/v1/group/{id}": {},
    "/v1/group/{id}/history": {},
    "/v1/trace/{id}": {},
    "/v1/explain/{id}": {},
    "/v1/incidents/{id}": {},
    "/v1/backups/{name}": {},
    "/v1/performance/export/{what}": {},
    "/v1/groups": {"account": THEIRS},
    "/v1/queue": {"account": THEIRS},
    "/v1/risk": {"account": THEIRS},
    "/v1/risk/decisions": {"account": THEIRS},
    "/v1/performance": {"account": THEIRS},
    "/v1/performance/day": {"account": THEIRS},
    "/v1/performance/equity": {"account": THEIRS},
    "/v1/venues/rules": {"account": THEIRS},
    "/v1/venues/chain": {"account": THEIRS},
    "/v1/pnl": {"account": THEIRS},
}
POSTS: Final = {
    "/v1/group/{id}/edit": {"changes": {"max_pyramids": 3}},
    "/v1/group/{id}/close": {},
    "/v1/adopt": ADOPTION,
    "/v1/queue/{id}/promote": {"account": THEIRS},
    "/v1/queue/{id}/force-add": {"account": THEIRS},
    "/v1/queue/{id}/remove": {"account": THEIRS},
    "/v1/risk/run-now": {"group": THEIRS},
    "/v1/risk/skip-once": {"group": THEIRS},
    "/v1/risk/block": {"group": THEIRS},
    "/v1/risk/unblock": {"group": THEIRS},
    "/v1/signals/{id}/replay": {},
    "/v1/dead-letters/{id}/replay": {},
    "/v1/approvals/{id}/approve": {},
    "/v1/approvals/{id}/reject": {},
    "/v1/accounts/{account}/stop": {},
    "/v1/accounts/{account}/arm": {},
    "/v1/venues/refresh": {"account": THEIRS},
    "/v1/venues/reconcile": {"account": THEIRS},
    "/v1/venues/allow-entries": {"account": THEIRS},
    "/v1/release": {"path": "/theirs"},
    "/v1/restart": {"path": "/theirs"},
    "/v1/send": {"path": "/theirs", "message": {"type": "PauseEngine"}},
}
NO_ONES: Final = {
    "/v1/config/versions/{version}": "the configuration is the installation's",
    "/v1/performance/picture/{chart}": "charts are the product's: an unknown one is a word that there is not",
    "/v1/people/{name}/role": "people are the installation's, and an admin's alone",
    "/v1/people/{name}/password": "people are the installation's, and an admin's alone",
    "/v1/people/{name}/remove": "people are the installation's, and an admin's alone",
    "/v1/tokens/{name}/revoke": "tokens are the installation's, and an admin's alone",
}
"""Addresses with a name that is nobody's own."""


def test_every_address_that_takes_a_name_is_asked() -> None:
    """EX-112: an address that is added with a name in it has to say here what it answers for an unknown one."""

    async def work(rig: Rig) -> None:
        app = web.Application()
        server = rig.host.system.cell_of("/operators/api")
        assert server is not None
        add_routes(app, server.actor.shared)
        paths = {str(each.resource.canonical) for each in app.router.routes() if each.resource is not None}
        assert {path for path in paths if "{" in path} == {path for path in (*GETS, *POSTS, *NO_ONES) if "{" in path}
        assert set(GETS) | set(POSTS) | set(NO_ONES) <= paths

    run(work)


def test_unknown_names_are_not_found() -> None:
    """EX-112, EX-110: 404 with code NotFound, never Forbidden, in the one shape of errors, naming what was asked for."""

    async def work(rig: Rig) -> None:
        answers: dict[str, tuple[int, str]] = {}
        for path, query in GETS.items():
            answers[path] = await refused(lambda p=path, q=query: rig.get(named(p), **q))
        for path, body in POSTS.items():
            answers[path] = await refused(lambda p=path, b=body: rig.post(named(p), b))
        assert {path: said for path, said in answers.items() if said != (404, "NotFound")} == {}

    run(work)


def named(path: str) -> str:
    """Return an address with an unknown name in it."""
    return re.sub(r"\{[a-z]+\}", THEIRS, path)


async def refused(ask: Callable[[], Any]) -> tuple[int, str]:
    """Return status and code of a refusal."""
    with pytest.raises(DaemonRefused) as caught:
        await ask()
    assert THEIRS in (caught.value.body["value"] or str(caught.value))
    return caught.value.status, caught.value.code


def test_nobody_acts_for_another_user() -> None:
    """EX-112: a signal that names another user is this user's own: there is no door to anybody else's groups."""

    async def work(rig: Rig) -> None:
        entry = {
            "symbol": "BTC/USDT",
            "side": "long",
            "timeframe": "1h",
            "kind": "entry",
            "size": "100",
            "price": "50000.5",
        }
        await rig.post("/v1/signal?wait=10", {**entry, "user": THEIRS})
        listed = await rig.until("/v1/signals", lambda found: len(found["signals"]) == 1)
        assert listed["signals"][0]["user"] == "trader"

    run(work)
