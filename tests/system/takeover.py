"""Two daemons on one database and the exchange outside of both; what must be true of them in the end."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from protocol.groups import PyramidAdded
from protocol.orders import FillRecorded, OrderSent, OrderState, OrderStateChanged, Purpose
from protocol.paper import PaperOrderAccepted, PaperOrderFilled
from runtime.clock import WallClock
from tests.house.sources import ROOT
from tests.servers.netns import Host
from tests.servers.practice import Practice
from tests.system.process import READY_S, DaemonProcess
from tests.system.running import alert

__all__ = ["LEASE_S", "Books", "Node", "alerts", "books_of", "post", "post_all"]

LEASE_S = 3
MARKETS = {"BTC/USDT": "60100", "ETH/USDT": "3005", "SOL/USDT": "150.2"}
CONFIG = """
[app]
data_dir = "data"
log_level = "info"
[database]
url = "{database}"
lease_s = {lease_s}
[market]
source = "synthetic"
[webhook]
host = "{webhook_host}"
port = 0
[demo]
signals = false
[signal]
rate_limit_per_minute = 6000
max_age_seconds = 300
ip_allowlist = ["127.0.0.1", "10.213.0.0/16"]
[execution_pool]
max_open_groups = 100
[[accounts]]
name = "paper"
venue = "practice"
url = "{exchange}"
"""


class Node(DaemonProcess):
    """A daemon that may have to wait for its turn."""

    def __init__(self, folder: Path, *, database: str, exchange: str, host: Host | None = None) -> None:
        folder.mkdir()
        webhook_host = host.inside if host is not None else "127.0.0.1"
        text = CONFIG.format(database=database, exchange=exchange, lease_s=LEASE_S, webhook_host=webhook_host)
        super().__init__(folder, text)
        self._prefix = host.prefix if host is not None else ()
        self._said = -1

    def launch(self) -> None:
        """Start it without waiting."""
        self._said, write_end = os.pipe()
        command = [*self._prefix, sys.executable, "-m", "service.cli", "up", "--no-view", "--config", str(self.file)]
        with (self.folder / "log").open("ab") as log:
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

    def await_ready(self) -> float:
        """Wait until it trades; return the instant (monotonic seconds)."""
        while True:
            assert select.select([self._said], [], [], READY_S)[0], f"not ready\n{self.log_text()[-3000:]}"
            found = json.loads(os.read(self._said, 65_536).splitlines()[-1])
            assert "pid" in found, found
            if "standing_by" not in found:
                return time.monotonic()

    def log_text(self) -> str:
        """Return what it has logged."""
        return (self.folder / "log").read_text()

    def end_for_good(self) -> None:
        """Kill whatever is left of it."""
        if getattr(self, "process", None) is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def webhook(self) -> str:
        """Where it takes alerts."""
        return str(self.status()["webhook_url"])


def alerts(count: int, first: int = 0) -> list[bytes]:
    """Return entries of different groups: each fills its first layer at once, the rest of its ladder waits."""
    found = []
    for number in range(first, first + count):
        symbol = list(MARKETS)[number % 3]
        price = Decimal(MARKETS[symbol])
        trade, timeframe = f"take-{number}", str(1 + number // 3)
        found.append(alert(symbol, price=price, trade_id=trade, at=WallClock().now(), timeframe=timeframe))
    return found


def post(url: str, body: bytes) -> int:
    """Post an alert; return the status, 0 when nobody answered in time."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=3) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return 0


def post_all(url: str, bodies: Iterable[bytes]) -> list[bytes]:
    """Post alerts at once; return those that were not taken, which their sender would post again."""
    bodies = list(bodies)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: post(url, body), bodies))
    return [body for body, status in zip(bodies, answers, strict=True) if status != 200]


class Books(NamedTuple):
    """What the journal and the exchange say of each other; each list is empty in the end."""

    doubled: list[str]
    """Legs with more than one order that works or has filled, ids that were decided or taken twice."""
    lost: list[str]
    """Legs without any order at the exchange, orders that were decided and whose end nobody knows."""
    unknown: list[str]
    """Orders and fills at the exchange that the journal does not know, and the other way round."""
    legs: int

    @property
    def balance(self) -> bool:
        """Whether all is in order."""
        return not (self.doubled or self.lost or self.unknown)


def books_of(node: DaemonProcess, practice: Practice) -> Books:
    """Compare the journal with the exchange."""
    history = practice.history()
    accepted = Counter(each.request.client_order_id for each in history if isinstance(each, PaperOrderAccepted))
    at_venue = {each.trade_id for each in history if isinstance(each, PaperOrderFilled)}
    events = [record.event for record in node.records()]
    sent = Counter(each.request.client_order_id for each in events if isinstance(each, OrderSent))
    states = {each.client_order_id: each.state for each in events if isinstance(each, OrderStateChanged)}
    booked = Counter(each.trade_id for each in events if isinstance(each, FillRecorded))
    entries: Counter[tuple[str, str]] = Counter()
    for each in events:
        if isinstance(each, OrderSent) and each.purpose is Purpose.ENTRY:
            key = each.request.client_order_id
            entries[each.group_id, each.leg_id] += key in accepted and states.get(key) is not OrderState.CANCELLED
    legs = {(each.group_id, leg.leg_id) for each in events if isinstance(each, PyramidAdded) for leg in each.legs}
    open_ended = [key for key in sent if states.get(key, OrderState.UNKNOWN) is OrderState.UNKNOWN]
    return Books(
        doubled=[
            *(f"leg {leg}" for leg, count in entries.items() if count > 1),
            *(f"order {key}" for counted in (sent, accepted) for key, count in counted.items() if count > 1),
            *(f"fill {trade}" for trade, count in booked.items() if count > 1),
        ],
        lost=[*(f"leg {leg}" for leg in legs if not entries[leg]), *(f"order {key}" for key in open_ended)],
        unknown=[*(f"order {key}" for key in accepted if key not in sent), *sorted(at_venue ^ set(booked))],
        legs=len(legs),
    )
