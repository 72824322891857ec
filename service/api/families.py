"""The addresses of each area of the house, one module an area: pool, risk, configuration, signals, groups, log."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from service.api import (
    approvals,
    backups,
    config,
    console,
    described,
    figures,
    groups,
    health,
    incidents,
    inspection,
    log,
    login,
    metrics,
    nodes,
    notifications,
    people,
    performance,
    pnl,
    queue,
    reports,
    risk,
    secrets,
    signals,
    stream,
    trials,
    venues,
)
from service.api.shared import Shared

__all__ = ["FAMILIES"]

FAMILIES: tuple[Callable[[web.Application, Shared], None], ...] = (
    approvals.register,
    backups.register,
    config.register,
    console.register,
    figures.register,
    groups.register,
    health.register,
    incidents.register,
    inspection.register,
    log.register,
    login.register,
    metrics.register,
    nodes.register,
    notifications.register,
    described.register,
    people.register,
    performance.register,
    pnl.register,
    queue.register,
    reports.register,
    risk.register,
    secrets.register,
    signals.register,
    stream.register,
    trials.register,
    venues.register,
)
"""Each registers the addresses of its area."""
