"""The daemon in one look: who it is, what it trades on, whether entries are allowed, how full, how large."""

from __future__ import annotations

import os
import resource
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from actors.group_recovery import RUN
from protocol.configuration import ConfigAnswer
from protocol.groups.recovery import DaemonStarted
from protocol.risk import Permit
from protocol.self_check import SELF_CHECK, SelfChecked
from runtime.clock import WallClock
from runtime.system import ActorSystem
from service.account_paths import AccountPaths
from service.api.accounts import venue_standing
from service.api.host import Host
from service.api.nodes import cache_standing
from service.api.shared import Shared
from service.config_store import CONFIG_TOPIC
from service.journals import journal_of

__all__ = ["installed_version", "memory_bytes", "status_of"]

_NANOS: Final = 1_000_000_000


@cache
def installed_version() -> str:
    """Return the version of bulkhead that is installed."""
    try:
        return version("bulkhead")
    except PackageNotFoundError:
        return "unknown"


def memory_bytes() -> int:
    """Return the memory this process holds now (Linux), or the most it ever held (elsewhere)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return pages * resource.getpagesize()


async def status_of(shared: Shared) -> dict[str, Any]:
    """Return everything ``bulkhead status`` shows."""
    host, permit = shared.host, shared.newest_permit
    system, config = host.system, host.config
    durability = system.durability
    wall = WallClock().now()
    return {
        "version": installed_version(),
        "pid": os.getpid(),
        "scope": ", ".join(sorted({config.scope_of(account).value for account in config.accounts})),
        "mode": config.app.mode.value,
        "venues": [_venue(host, account.name) for account in config.accounts],
        "accounts": [account.name for account in config.accounts],
        "source": host.source_label,
        "feeds": _feeds(host),
        "engine": _engine(permit),
        "settings": _settings(system.bus.kept(CONFIG_TOPIC)),
        "start": _start(system.bus.kept(RUN)),
        "started_at": host.started_at,
        "uptime_s": (wall - host.started_at) / _NANOS,
        "now": system.now(),
        "journal": {
            "path": str(journal_of(config)),
            "head": system.journal.head(),
            "commits": durability.commits,
            "error": str(durability.error) if durability.error is not None else "",
        },
        "cache": cache_standing(system),
        "self_check": _self_check(system.bus.kept(SELF_CHECK)),
        "webhook_url": host.webhook_url,
        "socket": str(host.socket_path),
        "api_url": _network_url(system),
        "counts": {
            **(await shared.counted.newest())._asdict(),
            "unread_incidents": await shared.unread.count(),
            "slots": config.execution_pool.max_open_groups * len(config.accounts),
        },
        "dead_letters": {"kept": len(system.dead_letters), "total": system.dead_letters.total},
        "memory_bytes": memory_bytes(),
    }


def _network_url(system: ActorSystem) -> str:
    cell = system.cell_of("/operators/api")
    return str(getattr(cell.actor, "network_url", "")) if cell is not None else ""


def _feeds(host: Host) -> list[dict[str, str]]:
    """Return where the paper accounts' prices come from; an account that trades outside has no feed."""
    paths = (AccountPaths(account.name).feed for account in host.config.accounts)
    cells = ((path, host.system.cell_of(path)) for path in paths)
    return [{"path": path, "detail": getattr(cell.actor, "detail", "")} for path, cell in cells if cell is not None]


def _venue(host: Host, account: str) -> dict[str, Any]:
    config = host.config
    scope = next(config.scope_of(each).value for each in config.accounts if each.name == account)
    return {"account": account, "scope": scope, **venue_standing(host.system, account)}


def _start(run: DaemonStarted | None) -> dict[str, Any]:
    """Return how this run began; ``clean`` says that the one before ended in order."""
    if run is None:
        return {"run": 0, "clean": True, "down_s": 0}
    return {"run": run.run, "clean": run.clean, "down_s": run.down_s}


def _settings(said: ConfigAnswer | None) -> dict[str, Any]:
    """Return which version of the settings is in force, by whom, and which keys the draft changes."""
    if said is None:
        return {"version": 0, "author": "", "draft": []}
    return {"version": said.version, "author": said.author, "draft": [change.key for change in said.changes]}


def _self_check(said: SelfChecked | None) -> dict[str, Any]:
    """Return what the check of the newest day came to; all empty when none was checked."""
    if said is None:
        return {"day": "", "verdict": "", "text": ""}
    return {"day": said.day, "verdict": said.verdict, "text": said.text}


def _engine(permit: Permit | None) -> dict[str, Any]:
    if permit is None:
        return {
            "status": "unknown",
            "reason": "the risk coordinator has not said anything yet",
            "permit": 0,
            "held": [],
        }
    held = [{"account": account, **bar._asdict()} for account, bar in permit.held]
    return {"status": permit.status.value, "reason": permit.reason, "permit": permit.number, "held": held}
