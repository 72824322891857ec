"""One actor looked at closely, what can be sent to it, and its quarantine by an operator."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from protocol.codec import decode_json
from protocol.control import QuarantineActor
from protocol.messages import Value
from runtime.cell import Cell
from runtime.durable import DurableActor
from service.api.answers import Refused, answer, not_found, plain
from service.api.control import CONTROL_S, actor_at, near
from service.api.items import letter_item, report_item
from service.api.shared import Shared
from service.incidents import incidents_folder
from service.message_types import catalogue
from store.incident_folder import IncidentFolder, IncidentLine
from store.views.lines import line_of
from supervision.tree import describe, recent_reports, supervisor_of

__all__ = ["SHOWN", "Held", "register"]

SHOWN: Final = 20
"""Newest events, reports, dead letters and incident files that are shown of an actor."""

_API: Final = "/operators/api"
_REPORTS: Final = 10_000


class Held(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """An actor that is to stand still, by its path."""

    path: str


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""
    one = _Inspection(shared)
    app.router.add_get("/v1/actor", one.actor)
    app.router.add_get("/v1/messages", one.messages)
    app.router.add_post("/v1/quarantine", one.quarantine)


class _Inspection:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._system = shared.host.system

    def _cell(self, path: str) -> Cell:
        cell = self._system.cell_of(path)
        if cell is None:
            raise not_found(f"no actor lives at {path}", value=path, hint=near(path, self._system.paths()))
        return cell

    async def actor(self, request: web.Request) -> web.Response:
        """Answer with how an actor stands, what waits for it, what it wrote last, and every failure that is known."""
        path = request.query.get("actor", "")
        cell = self._cell(path)
        row = next(each for each in describe(self._system) if each.path == path)
        letters = [each for each in self._system.dead_letters.all() if each.path == path]
        reports = [each for each in recent_reports(self._system, _REPORTS) if each.offender == path]
        files = await self._files(path)
        return answer(
            {
                "actor": row,
                "waiting": self._waiting(cell),
                "events": self._events(cell),
                "takes": sorted(catalogue(self._handled(cell))),
                "letters": [letter_item(each) for each in letters[-SHOWN:][::-1]],
                "reports": [report_item(each) for each in reports[-SHOWN:][::-1]],
                "incidents": [plain(each) for each in files],
            }
        )

    async def _files(self, path: str) -> list[IncidentLine]:
        folder = IncidentFolder(incidents_folder(self._shared.host.config.app.data_dir))
        found = await self._shared.reading.beside(folder.lines)
        return [each for each in found if each.path == path][:SHOWN]

    @staticmethod
    def _waiting(cell: Cell) -> list[str]:
        return [type(each.message).__name__ for each, _ in zip(cell.mailbox.data, range(SHOWN), strict=False)]

    def _events(self, cell: Cell) -> list[dict[str, Any]]:
        """Return the newest events that a durable actor wrote, newest first."""
        if not isinstance(cell.actor, DurableActor):
            return []
        found = []
        for entry in self._system.black_box.recent(cell.actor.stream, SHOWN):
            line = line_of(entry.event)
            kind = type(entry.event).__name__
            found.append({"at": entry.at, "type": kind, "text": line.text if line is not None else kind})
        return found

    @staticmethod
    def _handled(cell: Cell) -> frozenset[type[Any]] | None:
        """Return what an actor has handlers for; None for one that is down: nobody knows, all of it can be sent."""
        return None if cell.actor is None else frozenset(cell.actor.HANDLERS)

    async def messages(self, request: web.Request) -> web.Response:
        """Answer with the types an operator can send, with their fields; of one actor those that it takes."""
        path = request.query.get("actor", "")
        found = catalogue(self._handled(self._cell(path)) if path else None)
        return answer({"messages": [each.as_dict() for each in found.values()]})

    async def quarantine(self, request: web.Request) -> web.Response:
        """Stop an actor in order and keep it down until it is released."""
        path = decode_json(await request.read(), Held).path
        actor_at(self._system, path)
        above = supervisor_of(self._system, path)
        if above is None or f"{_API}/".startswith(f"{path.rstrip('/')}/"):
            text = f"{path} carries the API: nobody could release it again; stop the daemon instead"
            raise Refused(409, "NoSupervisor", text, path="path", value=path)
        return answer(await above.ask(QuarantineActor(path), CONTROL_S))
