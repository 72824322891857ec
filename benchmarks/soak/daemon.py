"""The daemon under test, started as the product starts it, killed and started again in the same folder."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import psutil

from service.api.client import Client
from service.config import Config, load, open_webhook_secrets

__all__ = ["ACCOUNT", "SYMBOLS", "SoakDaemon"]

ROOT: Final = Path(__file__).resolve().parents[2]
ACCOUNT: Final = "paper"
SYMBOLS: Final = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
_READY_S: Final = 120.0
_END_S: Final = 60.0

# Duplicates are remembered for ten minutes instead of a day: an hour here has as many alerts as a month of a trader's, and
# what has to be remembered for a day would still be growing after two hours.
CONFIG: Final = """
[app]
data_dir = "data"
log_level = "info"
[market]
source = "synthetic"
liveliness = 4
[webhook]
port = 0
[demo]
signals = false
[signal]
rate_limit_per_minute = 6000
near_duplicate_window_seconds = 0
dedupe_window_seconds = 600
[execution_pool]
max_open_groups = 12
[waiting_rule]
max_queue_minutes = 10
[grid_strategy]
levels = [
  { gap_percent = 0, weight_percent = 40, tp_percent = 0.08 },
  { gap_percent = -0.05, weight_percent = 30, tp_percent = 0.08 },
  { gap_percent = -0.1, weight_percent = 30, tp_percent = 0.1 },
]
overrides = [
  { match = { symbol = "ETH/USDT" }, tp_mode = "aggregate", tp_aggregate_percent = 0.1 },
  { match = { symbol = "SOL/USDT" }, tp_mode = "hybrid", tp_aggregate_percent = 0.15 },
]
[logging]
max_files = 20
[[accounts]]
name = "paper"
latency_ms = 20
jitter_ms = 40
smallest_share = 0.4
balances = { USDT = 100000000 }
"""
"""A lively market, tight ladders, partial fills: groups live for seconds to minutes."""


class SoakDaemon:
    """One folder and the process that runs in it at present."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.file = folder / "config.toml"
        self.file.write_text(CONFIG, encoding="utf-8")
        self.config: Config = load(self.file, {})
        self.client = Client(self.config.socket_path, timeout_s=20.0)
        self.process: subprocess.Popen[bytes]
        self.url = ""
        self.secret = ""
        self.starts = 0

    async def start(self) -> None:
        """Start it and wait until it is ready; raise RuntimeError with the end of its log when it does not come up."""
        read_end, write_end = os.pipe()
        command = [sys.executable, "-m", "service.cli", "up", "--no-view", "--config", str(self.file)]
        with (self.folder / "log").open("ab") as log, os.fdopen(read_end, "rb") as said:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - our own program; starting it blocks for a moment
                [*command, "--ready-fd", str(write_end)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[write_end],
            )
            os.close(write_end)
            async with asyncio.timeout(_READY_S):
                found: dict[str, Any] = json.loads(await asyncio.to_thread(said.readline) or b"{}")
        if "pid" not in found:
            raise RuntimeError(f"the daemon did not come up: {found}\n{self.log_end()}")
        self.starts += 1
        self.secret = open_webhook_secrets(self.config).secret.reveal()
        self.url = (await self.get("/v1/status"))["webhook_url"]

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; return the exit code."""
        self.process.send_signal(number)
        return await asyncio.to_thread(self.process.wait, _END_S)

    def kill_left_over(self) -> None:
        """Kill it if it still runs; its own helpers end by themselves."""
        if getattr(self, "process", None) is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(_END_S)

    async def get(self, path: str, **query: Any) -> Any:
        """Ask its control socket."""
        return await asyncio.to_thread(self.client.get, path, **query)

    async def post(self, path: str, body: Any) -> Any:
        """Tell its control socket."""
        return await asyncio.to_thread(self.client.post, path, body)

    def main_process(self) -> psutil.Process:
        """Return the daemon's own process."""
        return psutil.Process(self.process.pid)

    def log_end(self, size: int = 3_000) -> str:
        """Return the end of its log."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-size:]
