"""What goes wrong while it runs: the venue's faults (EX-1107), restarts of actors, at seeded moments."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any, Final

from benchmarks.soak.daemon import ACCOUNT, SoakDaemon
from protocol.errors import BulkheadError

__all__ = ["Trouble"]

_EXCHANGE: Final = f"/venues/{ACCOUNT}/exchange"
_SESSION: Final = f"/venues/{ACCOUNT}/session"
_FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"fault": "disconnect", "seconds": 3},
    {"fault": "rate_limit", "seconds": 3},
    {"fault": "rate_limit", "seconds": 4, "count": 0},
    {"fault": "lose_answer", "count": 3},
    {"fault": "reject", "count": 3, "code": "InsufficientFunds"},
    {"fault": "partial", "count": 3, "share": "0.3"},
    {"fault": "delay", "seconds": 6, "delay_ms": 1_500},
    {"fault": "delay", "seconds": 15, "delay_ms": 12_000},
    {"fault": "refuse_key", "seconds": 2},
)
_RESTARTED: Final = (
    _EXCHANGE,
    f"/venues/{ACCOUNT}/desk",
    _SESSION,
    f"/venues/{ACCOUNT}/feed",
    f"/venues/{ACCOUNT}/reconciler",
    f"/venues/{ACCOUNT}/precision",
    "/trading/gateway",
    "/risk/coordinator",
    f"/risk/pool-{ACCOUNT}",
    f"/risk/offset-{ACCOUNT}",
    "/store/projector",
    "/store/events",
)


class Trouble:
    """Makes trouble every ``every_s`` seconds on average; ``made`` counts it by kind."""

    def __init__(self, daemon: SoakDaemon, every_s: float, seed: int) -> None:
        self._daemon = daemon
        self._every_s = every_s
        self._random = random.Random(seed + 1)
        self.made: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    async def run(self) -> None:
        """Go on until cancelled; what the daemon refuses (it is down for a restart) is counted and left."""
        while True:
            await asyncio.sleep(self._random.uniform(0.5, 1.5) * self._every_s)
            draw = self._random.random()
            name, action = self._venue_fault() if draw < 0.6 else await self._restart()
            try:
                await action
                self.made[name] += 1
            except BulkheadError as error:
                self.refused[f"{name}: {type(error).__name__}"] += 1

    def _venue_fault(self) -> tuple[str, Any]:
        fault = self._random.choice(_FAULTS)
        script = {"path": _EXCHANGE, "message": {"type": "ScriptVenue", **fault}}
        if fault["fault"] == "refuse_key":
            return "venue refuse_key", self._refused_key(script, float(fault["seconds"]))
        return f"venue {fault['fault']}", self._daemon.post("/v1/send", script)

    async def _refused_key(self, script: dict[str, Any], seconds: float) -> None:
        """Refuse the key, then restart the session as an operator would: it stays stopped by itself."""
        await self._daemon.post("/v1/send", script)
        await asyncio.sleep(seconds + 1)
        await self._daemon.post("/v1/restart", {"path": _SESSION})

    async def _restart(self) -> tuple[str, Any]:
        path = self._random.choice(_RESTARTED)
        name = f"restart {path}"
        if self._random.random() < 0.25:
            group = await self._some_group()
            path, name = (group, "restart of a group") if group else (path, name)
        return name, self._daemon.post("/v1/restart", {"path": path})

    async def _some_group(self) -> str:
        try:
            rows = (await self._daemon.get("/v1/ps"))["actors"]
        except BulkheadError:
            return ""
        groups = [row["path"] for row in rows if row["path"].startswith(f"/trading/groups/{ACCOUNT}/")]
        return self._random.choice(groups) if groups else ""
