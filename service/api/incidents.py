"""Incidents: what stands until it is over, and the files that crashes left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from aiohttp import web

from protocol.codec import decode_json
from protocol.incidents import ClearIncident
from protocol.messages import Value
from service.api.answers import answer, not_found
from service.api.control import actor_at
from service.api.host import ASK_S, GATEWAY
from service.api.peers import author_of
from service.api.rows import limit_of
from service.api.shared import Shared
from service.incidents import incidents_folder
from store.incident_folder import IncidentFolder, IncidentLine

__all__ = ["Clear", "Seen", "register"]

T = TypeVar("T")


class Clear(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Which incident is over."""

    kind: str
    subject: str
    operator: str = ""


class Seen(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Which incident files were looked at; none named: all of them."""

    ids: tuple[str, ...] = ()


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""
    area = _Incidents(shared)
    app.router.add_get("/v1/incidents", area.incidents)
    app.router.add_post("/v1/incidents/clear", area.clear)
    app.router.add_post("/v1/incidents/seen", area.seen)
    app.router.add_get("/v1/incidents/{id}", area.one)


class _Incidents:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def _files(self, work: Callable[[IncidentFolder], T]) -> T:
        folder = IncidentFolder(incidents_folder(self._shared.host.config.app.data_dir))
        return await self._shared.reading.beside(lambda: work(folder))

    async def incidents(self, request: web.Request) -> web.Response:
        query = request.query
        kind, path, everything = query.get("kind", ""), query.get("under", ""), query.get("all") == "1"
        limit = limit_of(query)
        standing = await self._shared.reading.views(lambda views: views.incidents(kind=kind, standing=not everything))
        lines = await self._files(lambda folder: folder.lines())
        wanted = [each for each in lines if (everything or each.unread) and _fits(each, kind, path)]
        shown = standing if not path else []
        return answer({"incidents": shown, "files": wanted[:limit], "read": sum(not each.unread for each in lines)})

    async def one(self, request: web.Request) -> web.Response:
        ident = request.match_info["id"]
        found = await self._files(lambda folder: folder.get(ident))
        if found is None:
            raise not_found(
                f"there is no incident file {ident}", value=ident, hint="; bulkhead incidents --all lists them"
            )
        return answer(found)

    async def seen(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read() or b"{}", Seen)

        def mark(folder: IncidentFolder) -> int:
            folder.mark_seen(list(wanted.ids) or folder.unread())
            return len(folder.unread())

        left = await self._files(mark)
        self._shared.unread.look_again()
        return answer({"unread": left})

    async def clear(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read(), Clear)
        ask = ClearIncident(wanted.kind, wanted.subject, author_of(request, wanted.operator))
        return answer(await actor_at(self._shared.host.system, GATEWAY).ask(ask, ASK_S))


def _fits(line: IncidentLine, kind: str, path: str) -> bool:
    return (not kind or line.kind == kind) and line.path.startswith(path)
