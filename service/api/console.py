"""The system console: venues, trading rules, webhook, disk and process in figures (EX-1622)."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from actors.session import VenueSession
from actors.session_figures import figures_of_calls
from actors.session_topics import health_topic
from actors.topics import precision_topic
from protocol.precision import RulesState
from protocol.venue import VenueHealth
from runtime.system import ActorSystem
from service.api.accounts import account_names
from service.api.answers import answer
from service.api.shared import Shared
from service.api.status import installed_version, memory_bytes
from service.journals import journal_of, views_of
from service.logs import log_folder
from store.queries import Views
from store.views.rows import SignalRow

__all__ = ["HOURS", "activity", "register"]

HOURS: Final = 24
"""Hours of webhook activity that are shown."""

_HOUR_NS: Final = 3_600_000_000_000
_SIGNALS: Final = 5_000


def register(app: web.Application, shared: Shared) -> None:
    """Register the address."""
    one = _Console(shared)
    app.router.add_get("/v1/console", one.console)


class _Console:
    def __init__(self, shared: Shared) -> None:
        self._host = shared.host
        self._reading = shared.reading

    async def console(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        """Answer with everything of EX-1622 that is not the list of actors."""
        system, config = self._host.system, self._host.config
        now = system.now()
        hours = await self._reading.views(lambda views: activity(_signals(views), now))
        storage = await self._reading.beside(lambda: _storage(config.app.data_dir, self._places()))
        return answer(
            {
                "now": now,
                "version": installed_version(),
                "memory_bytes": memory_bytes(),
                "venues": [self._venue(account) for account in account_names(self._host)],
                "webhook": {"url": bool(self._host.webhook_url), "hours": hours},
                "storage": storage,
                "journal": {"head": system.journal.head(), "error": str(system.durability.error or "")},
            }
        )

    def _places(self) -> list[tuple[str, Any]]:
        config = self._host.config
        data = config.app.data_dir
        return [
            ("journal", journal_of(config)),
            ("read models", views_of(config)),
            ("log", log_folder(config)),
            ("inputs", data / "inputs"),
            ("incidents", data / "incidents"),
        ]

    def _venue(self, account: str) -> dict[str, Any]:
        host, kept = self._host, self._host.system.bus.kept
        health: VenueHealth | None = kept(health_topic(account))
        settings = next(each for each in host.config.accounts if each.name == account)
        access = getattr(host.config.exchange, settings.exchange, None)
        testnet = settings.testnet if settings.testnet is not None else bool(getattr(access, "testnet", False))
        return {
            "account": account,
            "venue": settings.exchange,
            "scope": host.config.scope_of(settings).value,
            "testnet": testnet,
            "status": health.status.value if health is not None else "connecting",
            "step": health.step if health is not None else "",
            "since": health.at if health is not None else None,
            "retry_at": health.retry_at if health is not None else None,
            "code": health.code if health is not None else "",
            "reason": health.reason if health is not None else "",
            "entries": health.entries if health is not None else False,
            "calls": figures_of_calls(host.system.black_box.calls(account))._asdict(),
            "session": _session(host.system, account),
            "rules": self._rules(kept(precision_topic(account))),
        }

    def _rules(self, state: RulesState | None) -> dict[str, Any]:
        if state is None:
            return {"symbols": 0, "fetched_at": None, "next_at": None, "error": "", "fetching": False}
        every = self._host.config.precision.refresh_seconds * 1_000_000_000
        return {
            "symbols": len(state.instruments),
            "fetched_at": state.fetched_at,
            "next_at": state.fetched_at + every if state.fetched_at is not None else None,
            "error": state.error,
            "fetching": state.fetching,
        }


def _session(system: ActorSystem, account: str) -> dict[str, Any] | None:
    cell = system.cell_of(f"/venues/{account}/session")
    actor = cell.actor if cell is not None else None
    figures = actor.figures if isinstance(actor, VenueSession) else None
    return figures._asdict() if figures is not None else None


def _signals(views: Views) -> list[SignalRow]:
    return views.signals(limit=_SIGNALS)


def activity(signals: Iterable[SignalRow], now: int) -> list[dict[str, Any]]:
    """Return the last hours, this one first: signals accepted, duplicates, and rejected ones by code."""
    counts: list[Counter[str]] = [Counter() for _ in range(HOURS)]
    for each in signals:
        ago = (now // _HOUR_NS) - (each.received_at // _HOUR_NS)
        if 0 <= ago < HOURS:
            counts[ago][each.outcome] += 1
    return [_hour((now // _HOUR_NS - ago) * _HOUR_NS, found) for ago, found in enumerate(counts)]


def _hour(at: int, found: Counter[str]) -> dict[str, Any]:
    rejected = {name.partition(":")[2] or name: count for name, count in found.items() if name.startswith("rejected")}
    return {
        "at": at,
        "accepted": found["accepted"] + found["replacement"],
        "duplicates": found["duplicate_ignored"],
        "rejected": sum(rejected.values()),
        "codes": rejected,
    }


def _storage(folder: Path, places: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    disk = shutil.disk_usage(folder if folder.exists() else folder.anchor or ".")
    parts = [{"name": name, "where": str(where), "bytes": _bytes(where)} for name, where in places]
    return {"parts": parts, "disk_free": disk.free, "disk_total": disk.total}


def _bytes(where: Any) -> int | None:
    """Return the size of a file with those that belong to it, or of a folder; None for what is on a server."""
    if not isinstance(where, Path):
        return None
    if where.is_dir():
        return sum(each.stat().st_size for each in where.rglob("*") if each.is_file())
    beside = (where, *(where.with_name(where.name + end) for end in ("-wal", "-shm")))
    return sum(each.stat().st_size for each in beside if each.exists())
