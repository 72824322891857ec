"""Whether it lives, whether it is ready, and how each compartment stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from aiohttp import web

from protocol.control import ActorRow
from protocol.messages import Value
from runtime.system import ActorSystem
from service.api.answers import answer
from service.api.shared import Shared
from supervision.tree import describe

__all__ = ["Compartment", "HealthAnswer", "StandingAnswer", "Trouble", "compartments", "is_ready", "register"]

_RUNNING: Final = "running"
_NEEDED: Final = ("store", "risk", "venues", "trading")
"""Compartments without which nothing is traded."""


class StandingAnswer(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """One word, for whoever asks without a token."""

    status: str


class Trouble(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """An actor that does not run."""

    path: str
    state: str
    detail: str


class Compartment(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A supervisor and everything below it: ``ok`` when all of it runs, ``degraded`` when some does not, else ``down``."""

    name: str
    path: str
    status: str
    actors: int
    restarts: int
    waiting: int
    oldest_ms: float
    trouble: list[Trouble]


class HealthAnswer(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The worst of all compartments, and each of them; ``journal`` is why nothing can be written, empty while it can."""

    status: str
    ready: bool
    journal: str
    compartments: list[Compartment]


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""
    system = shared.host.system

    async def live(request: web.Request) -> web.Response:  # noqa: ARG001 - aiohttp passes it
        return answer(StandingAnswer("ok"))

    async def ready(request: web.Request) -> web.Response:  # noqa: ARG001
        good = is_ready(system)
        return answer(StandingAnswer("ready" if good else "not ready"), status=200 if good else 503)

    async def health(request: web.Request) -> web.Response:  # noqa: ARG001
        found = compartments(describe(system))
        order = ("ok", "degraded", "down")
        worst = max((order.index(each.status) for each in found), default=0)
        error = system.durability.error
        said = HealthAnswer(
            status=order[worst] if error is None else "down",
            ready=is_ready(system),
            journal=str(error) if error is not None else "",
            compartments=found,
        )
        return answer(said)

    app.router.add_get("/health/live", live)
    app.router.add_get("/health/ready", ready)
    app.router.add_get("/v1/health", health)


def is_ready(system: ActorSystem) -> bool:
    """Tell whether the journal can be written and every compartment that trading needs is up."""
    return system.durability.error is None and all(system.is_up(f"/{name}") for name in _NEEDED)


def compartments(rows: Iterable[ActorRow]) -> list[Compartment]:
    """Return how each child of the root stands, and each account's venue, in the order of the tree."""
    rows = list(rows)
    tops = [row for row in rows if row.path.count("/") == 1 and row.path != "/"]
    venues = [row for row in rows if row.path.startswith("/venues/") and row.path.count("/") == 2]
    return [_of(top, rows) for top in (*tops, *venues)]


def _of(top: ActorRow, rows: list[ActorRow]) -> Compartment:
    below = [row for row in rows if row.path == top.path or row.path.startswith(top.path + "/")]
    trouble = [Trouble(row.path, row.state, row.detail) for row in below if row.state != _RUNNING]
    status = "down" if top.state != _RUNNING else "degraded" if trouble else "ok"
    return Compartment(
        name=top.path[1:],
        path=top.path,
        status=status,
        actors=len(below),
        restarts=sum(row.restarts for row in below),
        waiting=sum(row.mailbox for row in below),
        oldest_ms=max((row.oldest_ms for row in below), default=0.0),
        trouble=trouble,
    )
