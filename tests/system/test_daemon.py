"""The daemon as a process: comes up, takes alerts, ends in order or not, comes back, refuses what cannot be."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import socket
import sqlite3
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from protocol.signals import SignalReceived
from runtime.clock import WallClock
from tests.system.accounts import check_no_order_twice
from tests.system.process import CONFIG, DaemonProcess, daemon_in, entry
from venues.ccxt_public import probe

pytestmark = pytest.mark.slow(seconds=40)

WITHIN_NS = 60_000_000_000
ORDERS = 6
"""Orders of one entry: five layers, of which the first fills at once, and its target."""


@pytest.fixture
def daemon() -> Iterator[DaemonProcess]:
    """Return a daemon that is not started, in a folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="bh") as name, daemon_in(Path(name)) as found:
        yield found


def post(url: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Post an alert; return status and answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Ask until something is so; each look is a request, which takes its time."""
    clock = WallClock()
    until = clock.now() + WITHIN_NS
    while not condition():
        assert clock.now() < until, f"not within {WITHIN_NS / 1e9} s: {what}"


def at_rest(daemon: DaemonProcess, orders: int) -> dict[str, Any]:
    """Wait until this many orders are open or filled and everything is projected; return how all stands."""

    def rests() -> bool:
        status = daemon.status()
        everything = status["counts"]["position"] == status["journal"]["head"]
        stood = standing(daemon)["orders"]
        return everything and len(stood) == orders and all(state in ("open", "filled") for state, _ in stood.values())

    eventually(rests, f"{orders} orders, open or filled, and read models up to date")
    return standing(daemon)


def standing(daemon: DaemonProcess) -> dict[str, Any]:
    """Return what is open: groups with their legs' state, orders with theirs."""
    groups = daemon.client.get("/v1/groups", open=1)["groups"]
    orders = daemon.client.get("/v1/orders")["orders"]
    return {
        "groups": {each["group_id"]: (each["state"], each["open_qty"]) for each in groups},
        "orders": {each["client_order_id"]: (each["state"], each["filled_qty"]) for each in orders},
    }


def test_it_serves_and_ends_in_order(daemon: DaemonProcess) -> None:
    """Ready, it takes an alert and trades it; on SIGTERM it ends with 0 and leaves no socket, lock or process."""
    ready = daemon.up()
    status = daemon.status()
    assert status["source"] == ready["source"] == "SYNTHETIC"
    assert post(status["webhook_url"], entry("t1"))[1]["outcome"] == "accepted"
    stood = at_rest(daemon, ORDERS)
    assert len(stood["groups"]) == 1
    assert daemon.end(signal.SIGTERM) == 0
    assert daemon.left_behind() == []
    check_no_order_twice(daemon.records())


def test_a_second_one_is_refused_by_name(daemon: DaemonProcess) -> None:
    """On the same folder a second daemon is refused, naming the process that runs; that one does not notice."""
    daemon.up()
    second = DaemonProcess(daemon.folder)
    failure = second.refused()
    assert failure["code"] == "JournalLocked"
    assert str(daemon.process.pid) in failure["message"]
    assert "bulkhead down" in failure["advice"]
    assert post(daemon.status()["webhook_url"], entry("t1"))[0] == 200
    assert daemon.end(signal.SIGTERM) == 0


def test_killed_it_goes_on_where_it_was(daemon: DaemonProcess) -> None:
    """After SIGKILL open groups and orders are what they were, nothing is sent again, and the next alert is taken."""
    daemon.up()
    url = daemon.status()["webhook_url"]
    for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT"):
        assert post(url, entry("t1", symbol))[0] == 200
    before = at_rest(daemon, 3 * ORDERS)
    assert len(before["groups"]) == 3
    assert daemon.end(signal.SIGKILL) == -signal.SIGKILL
    daemon.up()
    assert at_rest(daemon, 3 * ORDERS) == before
    duplicate = post(daemon.status()["webhook_url"], entry("t1"))
    assert duplicate[1]["outcome"] in ("duplicate_ignored", "accepted")
    assert post(daemon.status()["webhook_url"], entry("t2"))[0] == 200
    assert daemon.end(signal.SIGTERM) == 0
    assert daemon.left_behind() == []
    check_no_order_twice(daemon.records())


def test_it_does_not_change_its_market(daemon: DaemonProcess) -> None:
    """An account that was opened on one source's prices is not started on another's; on its own it is."""
    daemon.up()
    assert daemon.end(signal.SIGTERM) == 0
    daemon.file.write_text(CONFIG.replace('"synthetic"', '"binance"'))
    failure = daemon.refused()
    assert failure["code"] == "MarketRefused"
    assert "synthetic" in failure["message"]
    assert "binance" in failure["message"]
    assert daemon.left_behind() == []
    daemon.file.write_text(CONFIG)
    daemon.up()


def test_a_port_in_use(daemon: DaemonProcess) -> None:
    """A port that somebody else has ends the start with that reason; nothing is left and the next start succeeds."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        daemon.file.write_text(CONFIG.replace("port = 0", f"port = {taken.getsockname()[1]}"))
        failure = daemon.refused()
        assert failure["code"] == "EADDRINUSE"
        assert failure["path"] == "/operators/webhook"
        assert "in use" in failure["message"]
        assert "webhook.port" in failure["advice"]
    assert daemon.left_behind() == []
    daemon.up()


@pytest.mark.parametrize("sql", ["UPDATE events SET payload = x'00' WHERE position = 3", "DELETE FROM events"])
def test_a_damaged_journal(daemon: DaemonProcess, sql: str) -> None:
    """A journal that is not what was written is not traded on: the start says so, and changes nothing."""
    daemon.up()
    assert post(daemon.status()["webhook_url"], entry("t1"))[0] == 200
    at_rest(daemon, ORDERS)
    assert daemon.end(signal.SIGTERM) == 0
    with closing(sqlite3.connect(daemon.config.journal_path)) as connection:
        connection.execute(sql)
        connection.commit()
    damaged = daemon.config.journal_path.read_bytes()
    failure = daemon.refused()
    assert failure["code"] == "JournalCorrupt"
    assert "journal verify" in failure["advice"]
    assert daemon.config.journal_path.read_bytes() == damaged
    assert daemon.left_behind() == []


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_a_full_disk(daemon: DaemonProcess) -> None:
    """EX-252, EX-111: while nothing can be written alerts get 503 and the engine is in Error; with space it goes on."""
    daemon.up()
    url = daemon.status()["webhook_url"]
    assert post(url, entry("t1"))[0] == 200
    before = at_rest(daemon, ORDERS)
    head = daemon.status()["journal"]["head"]
    usual = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (1, usual[1]))
    for number in range(10):
        assert post(url, entry(f"full{number}", "ETH/USDT")) == (503, {"outcome": "JournalUnavailable"})
    status = daemon.status()
    assert status["journal"]["head"] == head
    assert status["journal"]["error"]
    assert status["engine"]["status"] == "error"
    # The journal and the door tell of the same trouble; whoever told it last is shown.
    told = ("the journal cannot be written", "a signal could not be journalled")
    assert any(each in status["engine"]["reason"] for each in told)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, usual)
    eventually(lambda: daemon.status()["engine"]["status"] == "running", "the engine leaves Error by itself")
    eventually(lambda: post(url, entry("full3", "ETH/USDT"))[0] == 200, "the alert is taken")
    after = at_rest(daemon, 2 * ORDERS)
    assert before["orders"].items() <= after["orders"].items()
    assert len(after["groups"]) == 2
    assert daemon.status()["journal"]["error"] == ""
    assert daemon.end(signal.SIGTERM) == 0
    records = daemon.records()
    check_no_order_twice(records)
    signals = [record.event.signal for record in records if isinstance(record.event, SignalReceived)]
    assert {each.trade_id for each in signals if each} == {"t1", "full3"}


def test_without_network_and_recordings_it_says_synthetic(daemon: DaemonProcess) -> None:
    """Nothing configured and nothing to be reached: made-up prices, and every status says so."""
    if asyncio.run(probe(1.0)):
        pytest.skip("there is a network here")
    daemon.file.write_text(CONFIG.replace('source = "synthetic"', ""))
    assert daemon.up()["source"] == "SYNTHETIC"
    status = daemon.status()
    assert status["source"] == "SYNTHETIC"
    assert all("SYNTHETIC" in feed["detail"] for feed in status["feeds"])
