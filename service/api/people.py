"""People and tokens over the API, for admins."""

from __future__ import annotations

from aiohttp import web

from protocol.codec import decode_json
from protocol.messages import Value
from service.access import commands
from service.access.answers import PersonShown, TokenShown
from service.access.roles import Role, Scope
from service.api.answers import answer
from service.api.peers import origin_of
from service.api.shared import Shared

__all__ = ["EndSessions", "NewPassword", "NewPerson", "NewRole", "NewToken", "PeopleAnswer", "TokensAnswer", "register"]


class NewPerson(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Somebody to let in."""

    name: str
    role: Role
    password: str


class NewRole(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """What somebody may do from now on."""

    role: Role


class NewPassword(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """What somebody logs in with from now on."""

    password: str


class EndSessions(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Whose sessions end; everybody's without a name."""

    name: str = ""


class NewToken(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A token to make; ``days`` 0: it counts until it is revoked."""

    name: str
    scope: Scope
    days: int = 0


class PeopleAnswer(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Everybody who may log in."""

    people: list[PersonShown]


class TokensAnswer(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """The tokens of programs."""

    tokens: list[TokenShown]


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""
    one = _People(shared)
    app.router.add_get("/v1/people", one.people)
    app.router.add_post("/v1/people", one.add)
    app.router.add_post("/v1/people/{name}/role", one.role)
    app.router.add_post("/v1/people/{name}/password", one.password)
    app.router.add_post("/v1/people/{name}/remove", one.remove)
    app.router.add_post("/v1/sessions/end", one.end_sessions)
    app.router.add_get("/v1/tokens", one.tokens)
    app.router.add_post("/v1/tokens", one.create)
    app.router.add_post("/v1/tokens/{name}/revoke", one.revoke)


class _People:
    def __init__(self, shared: Shared) -> None:
        self._access = shared.access
        self._host = shared.host

    async def people(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        now = self._access.now()
        return answer(PeopleAnswer(await self._access.change(lambda store: commands.everybody(store, now))))

    async def add(self, request: web.Request) -> web.Response:
        new, now = decode_json(await request.read(), NewPerson), self._access.now()
        return answer(
            await self._access.change(lambda store: commands.add(store, new.name, new.role, new.password, now))
        )

    async def role(self, request: web.Request) -> web.Response:
        new, name, now = decode_json(await request.read(), NewRole), request.match_info["name"], self._access.now()
        return answer(await self._access.change(lambda store: commands.role(store, name, new.role, now)))

    async def password(self, request: web.Request) -> web.Response:
        new, name, now = decode_json(await request.read(), NewPassword), request.match_info["name"], self._access.now()
        return answer(await self._access.change(lambda store: commands.password(store, name, new.password, now)))

    async def remove(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return answer(await self._access.change(lambda store: commands.remove(store, name)))

    async def end_sessions(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read() or b"{}", EndSessions)
        return answer(await self._access.end_sessions(wanted.name))

    async def tokens(self, request: web.Request) -> web.Response:
        everything = request.query.get("all") == "1"
        return answer(
            TokensAnswer(await self._access.change(lambda store: commands.tokens(store, everything=everything)))
        )

    async def create(self, request: web.Request) -> web.Response:
        new, now = decode_json(await request.read(), NewToken), self._access.now()
        by, _ = origin_of(request)
        return answer(
            await self._access.change(lambda store: commands.create(store, new.name, new.scope, by, new.days, now))
        )

    async def revoke(self, request: web.Request) -> web.Response:
        name, now = request.match_info["name"], self._access.now()
        return answer(await self._access.change(lambda store: commands.revoke(store, name, now)))
