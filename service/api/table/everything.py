"""Every address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from service.access.roles import Scope
from service.api.table.routes import Route

__all__ = ["ROUTES", "TABLE"]


def _wants_preview(given: Mapping[str, Any]) -> bool:
    return given.get("preview") is True


def _wants_edit_preview(given: Mapping[str, Any]) -> bool:
    return given.get("preview", True) is True


def _wants_check(given: Mapping[str, Any]) -> bool:
    return given.get("check") is True


def _wants_dry(given: Mapping[str, Any]) -> bool:
    return bool(given.get("mode", "dry") == "dry")


def _all(method: str, scope: Scope | None, *paths: str) -> list[Route]:
    return [Route(method, path, scope) for path in paths]


ROUTES: Final[Iterable[Route]] = (
    Route("GET", "/health/live", None),
    Route("GET", "/health/ready", None),
    Route("POST", "/v1/login", None),
    Route("POST", "/v1/refresh", None),
    Route("POST", "/v1/logout", None, knows=True),
    Route("GET", "/v1/me", Scope.METRICS),
    Route("GET", "/metrics", Scope.METRICS),
    *_all(
        "GET",
        Scope.READ,
        "/v1/health",
        "/v1/status",
        "/v1/overview",
        "/v1/ps",
        "/v1/groups",
        "/v1/orders",
        "/v1/fills",
        "/v1/signals",
        "/v1/positions",
        "/v1/events",
        "/v1/trace/{id}",
        "/v1/explain/{id}",
        "/v1/dead-letters",
        "/v1/reports",
        "/v1/tail",
        "/v1/stream",
        "/v1/config",
        "/v1/config/versions",
        "/v1/config/versions/{version}",
        "/v1/figures",
        "/v1/group/{id}",
        "/v1/group/{id}/history",
        "/v1/incidents",
        "/v1/incidents/{id}",
        "/v1/log",
        "/v1/log/export",
        "/v1/log/segments",
        "/v1/alerts",
        "/v1/nodes",
        "/v1/performance",
        "/v1/performance/day",
        "/v1/performance/equity",
        "/v1/pnl",
        "/v1/queue",
        "/v1/queue/history",
        "/v1/risk",
        "/v1/risk/decisions",
        "/v1/signals/missed",
        "/v1/venues",
        "/v1/venues/rules",
        "/v1/venues/chain",
    ),
    *_all("POST", Scope.READ, "/v1/signals/check", "/v1/config/preview"),
    *_all(
        "POST",
        Scope.TRADE,
        "/v1/dead-letters/{id}/replay",
        "/v1/signal",
        "/v1/release",
        "/v1/restart",
        "/v1/pause",
        "/v1/resume",
        "/v1/config/draft",
        "/v1/config/load",
        "/v1/config/discard",
        "/v1/group/{id}/close",
        "/v1/adopt",
        "/v1/incidents/clear",
        "/v1/incidents/seen",
        "/v1/alerts/ack",
        "/v1/queue/{id}/promote",
        "/v1/queue/{id}/force-add",
        "/v1/queue/{id}/remove",
        "/v1/risk/skip-once",
        "/v1/risk/block",
        "/v1/risk/unblock",
        "/v1/venues/refresh",
        "/v1/venues/reconcile",
        "/v1/venues/allow-entries",
    ),
    Route("POST", "/v1/group/{id}/edit", Scope.TRADE, dry=_wants_edit_preview),
    Route("POST", "/v1/risk/run-now", Scope.TRADE, dry=_wants_check),
    Route("POST", "/v1/signals/{id}/replay", Scope.TRADE, dry=_wants_dry),
    Route("POST", "/v1/tokens", Scope.ADMIN, secret=True),
    Route("POST", "/v1/log/prune", Scope.ADMIN, dry=_wants_preview),
    *_all("POST", Scope.ADMIN, "/v1/send", "/v1/stop", "/v1/config/apply", "/v1/log/keep", "/v1/secrets/rotate"),
    *_all("GET", Scope.ADMIN, "/v1/people", "/v1/tokens"),
    *_all(
        "POST",
        Scope.ADMIN,
        "/v1/people",
        "/v1/people/{name}/role",
        "/v1/people/{name}/password",
        "/v1/people/{name}/remove",
        "/v1/tokens/{name}/revoke",
    ),
)

TABLE: Final[Mapping[tuple[str, str], Route]] = {(each.method, each.path): each for each in ROUTES}
