"""A daemon in a process of its own, started the way the product starts it, and what is left of one that has ended."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import psutil

from runtime.clock import WallClock
from runtime.journal import Record
from service.api.client import Client
from service.config import Config, WebhookSecrets, load
from service.journals import open_live_reader
from tests.house.sources import ROOT
from tests.system.running import SECRETS, alert

READY_S = 60.0
ENDED_S = 30.0
CONFIG = """
[app]
data_dir = "data"
log_level = "warning"
[market]
source = "synthetic"
liveliness = 0.0001
[webhook]
port = 0
[demo]
signals = false
[signal]
rate_limit_per_minute = 6000
"""
"""A market that hardly moves: what does not happen by itself can be compared before and after."""


class DaemonProcess:
    """One daemon's folder, and the process that runs in it."""

    def __init__(self, folder: Path, text: str = CONFIG) -> None:
        self.folder = folder
        self.file = folder / "config.toml"
        self.file.write_text(text)
        self.process: subprocess.Popen[bytes]
        self.log: IO[bytes]

    @property
    def config(self) -> Config:
        """What it is told to do."""
        return load(self.file, {})

    @property
    def secrets(self) -> WebhookSecrets:
        """What its alerts prove themselves with."""
        return SECRETS

    @property
    def environment(self) -> dict[str, str]:
        """The environment it runs in."""
        return {**os.environ, **{name: secret.reveal() for name, secret in zip(_NAMES, SECRETS, strict=False)}}

    @property
    def client(self) -> Client:
        """A client of its control socket."""
        return Client(self.config.socket_path)

    def start(self) -> dict[str, Any]:
        """Start and wait; return what it says when it is ready, or with ``failure`` why it cannot be."""
        read_end, write_end = os.pipe()
        command = [sys.executable, "-m", "service.cli", "up", "--no-view", "--config", str(self.file)]
        with (self.folder / "log").open("ab") as log, os.fdopen(read_end, "rb") as said:
            self.process = subprocess.Popen(
                [*command, "--ready-fd", str(write_end)],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[write_end],
            )
            os.close(write_end)
            assert select.select([said], [], [], READY_S)[0], "neither ready nor refused"
            found: dict[str, Any] = json.loads(said.readline() or b"{}")
        return found

    def up(self) -> dict[str, Any]:
        """Start; fail when it does not come up."""
        found = self.start()
        assert "pid" in found, f"{found}\n{(self.folder / 'log').read_text()[-3000:]}"
        return found

    def refused(self) -> dict[str, Any]:
        """Start what cannot be; return the failure it told. Nothing of it is left and its exit code says that it failed."""
        found = self.start()
        assert "failure" in found, found
        assert self.process.wait(ENDED_S) == found["failure"]["exit"] != 0
        return dict(found["failure"])

    def end(self, number: int) -> int:
        """Send a signal and wait for the end; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(ENDED_S)

    def status(self) -> dict[str, Any]:
        """Return what ``bulkhead status`` shows."""
        return dict(self.client.get("/v1/status"))

    def records(self) -> list[Record]:
        """Return the journal so far."""
        reader = open_live_reader(self.config)
        try:
            return list(reader.read_all())
        finally:
            reader.close()

    def left_behind(self) -> list[str]:
        """Return what an ended daemon left: a socket, a lock that is held, processes in its folder."""
        left = [str(self.config.socket_path)] if self.config.socket_path.exists() else []
        folder = str(self.config.app.data_dir)
        for process in psutil.process_iter(["cmdline", "open_files"]):
            named = any(folder in part for part in process.info["cmdline"] or ())
            holds = any(each.path.startswith(folder) for each in process.info["open_files"] or ())
            if (named or holds) and process.pid != os.getpid():
                left.append(f"process {process.pid}")
        return left


_NAMES = ("BULKHEAD_WEBHOOK__TOKEN", "BULKHEAD_SECURITY__WEBHOOK_SECRET", "BULKHEAD_SECURITY__WEBHOOK_HMAC_KEY")


@contextmanager
def daemon_in(folder: Path, text: str = CONFIG) -> Iterator[DaemonProcess]:
    """Have a daemon for the block; whatever a test forgets to end is killed, its helpers too: they write in the folder."""
    daemon = DaemonProcess(folder, text)
    try:
        yield daemon
    finally:
        process = getattr(daemon, "process", None)
        if process is not None and process.poll() is None:
            helpers = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.wait()
            for helper in helpers:
                with suppress(psutil.NoSuchProcess):
                    helper.kill()
            psutil.wait_procs(helpers, ENDED_S)


def entry(trade_id: str, symbol: str = "BTC/USDT") -> bytes:
    """Return an entry far above the market: its first order fills at once, the rest of its ladder waits or fills."""
    price = {"BTC/USDT": "60100", "ETH/USDT": "3005", "SOL/USDT": "150.2"}[symbol]
    return alert(symbol, price=Decimal(price), trade_id=trade_id, at=WallClock().now())
