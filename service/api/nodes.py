"""The daemons that share a cache, and how the link to it stands."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from actors.cache_link import CACHE
from protocol.nodes import CacheHealth, CacheState, ListNodes, NodePresence, NodesAnswer
from runtime.system import ActorSystem
from service.api.answers import answer
from service.api.control import actor_at
from service.api.host import ASK_S
from service.api.shared import Shared

__all__ = ["cache_standing", "register"]

_LISTENER: Final = "/nodes/listener"
_LINK: Final = "/nodes/link"


def register(app: web.Application, shared: Shared) -> None:
    """Register the address of the nodes."""
    host = shared.host

    async def nodes(request: web.Request) -> web.Response:  # noqa: ARG001
        """Answer which nodes are alive; one alone says so, and so does a replay, which has no others."""
        if host.system.lookup(_LISTENER) is None:
            return answer({"node": "", "fresh": True, "cache": cache_standing(host.system), "nodes": []})
        found: NodesAnswer = await actor_at(host.system, _LISTENER).ask(ListNodes(), ASK_S)
        rows = [_row(each, found.node) for each in found.nodes]
        return answer({"node": found.node, "fresh": found.fresh, "cache": cache_standing(host.system), "nodes": rows})

    app.router.add_get("/v1/nodes", nodes)


def cache_standing(system: ActorSystem) -> dict[str, Any]:
    """Return how the link to the shared cache stands, as every screen shows it."""
    said: CacheHealth | None = system.bus.kept(CACHE)
    cell = system.cell_of(_LINK)
    return {
        "state": said.state.value if said is not None else CacheState.IN_PROCESS.value,
        "address": said.address if said is not None else "",
        "since": said.at if said is not None else None,
        "ping_ms": said.ping_ns / 1e6 if said is not None and said.ping_ns is not None else None,
        "attempts": said.attempts if said is not None else 0,
        "reason": said.reason if said is not None else "",
        "retry_at": said.retry_at if said is not None else None,
        "counts": getattr(cell.actor, "counts", {}) if cell is not None else {},
    }


def _row(presence: NodePresence, me: str) -> dict[str, Any]:
    return {
        "node": presence.node,
        "this": presence.node == me,
        "version": presence.version,
        "accounts": list(presence.accounts),
        "host": presence.host,
        "pid": presence.pid,
        "since": presence.since,
        "seen_at": presence.seen_at,
        "engine": presence.engine.value if presence.engine is not None else "unknown",
        "reason": presence.reason,
        "open_groups": presence.open_groups,
    }
