"""A daemon whose config.toml became invalid while it was down: positions are managed, nothing enters (EX-111)."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from protocol.groups import GroupClosed
from protocol.risk import EngineStatusChanged
from runtime.clock import WallClock
from service.api.client import Client
from service.cli.codes import ExitCode
from tests.system.process import CONFIG, ENDED_S, DaemonProcess, daemon_in, entry
from tests.system.running import alert
from tests.system.test_daemon import ORDERS, at_rest, eventually, post

pytestmark = pytest.mark.slow

BROKEN = {
    "no TOML": CONFIG.replace("[market]", "[market"),
    "out of range": CONFIG.replace("rate_limit_per_minute = 6000", "rate_limit_per_minute = 0"),
}


@pytest.fixture
def daemon() -> Iterator[DaemonProcess]:
    """Return a daemon that is not started, in a folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="bh") as name, daemon_in(Path(name)) as found:
        yield found


def newest_signal(client: Client) -> str:
    """Return what became of the newest signal."""
    return str(client.get("/v1/signals")["signals"][0]["routed"])


def test_the_first_start_is_refused(daemon: DaemonProcess) -> None:
    """EX-111: with no version in force there is nothing to stand on; the start is refused with the key."""
    daemon.file.write_text(BROKEN["out of range"])
    assert daemon.start() == {}
    assert daemon.process.wait(ENDED_S) == ExitCode.USAGE
    assert "signal.rate_limit_per_minute" in (daemon.folder / "log").read_text()


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_open_groups_are_managed_and_nothing_enters(daemon: DaemonProcess, broken: str) -> None:
    """EX-111: it starts under the version in force in Error; entries are refused, an exit closes; a valid file ends it."""
    daemon.up()
    client = Client(daemon.config.socket_path)
    assert post(client.get("/v1/status")["webhook_url"], entry("t1"))[0] == 200
    at_rest(daemon, ORDERS)
    assert daemon.end(signal.SIGTERM) == 0
    daemon.file.write_text(broken)

    ready = daemon.up()
    assert "is invalid" in ready["trouble"]
    status = client.get("/v1/status")
    assert (status["engine"]["status"], status["engine"]["reason"]) == ("error", ready["trouble"])
    assert post(status["webhook_url"], entry("t2", "ETH/USDT"))[0] == 200
    eventually(lambda: newest_signal(client) == "rejected:EnginePaused", "the entry is refused")
    leave = alert("BTC/USDT", price=Decimal(60_000), trade_id="x1", at=WallClock().now(), enter=False)
    assert post(status["webhook_url"], leave)[0] == 200
    eventually(lambda: client.get("/v1/groups", open=1)["groups"] == [], "the exit closes the group")

    daemon.file.write_text(CONFIG)
    eventually(lambda: client.get("/v1/status")["engine"]["status"] == "running", "the engine leaves Error by itself")
    assert post(status["webhook_url"], entry("t3", "SOL/USDT"))[0] == 200
    eventually(lambda: len(client.get("/v1/groups", open=1)["groups"]) == 1, "entries are taken again")
    assert daemon.end(signal.SIGTERM) == 0
    events = [record.event for record in daemon.records()]
    assert [each.status.value for each in events if isinstance(each, EngineStatusChanged)] == ["error", "running"]
    assert len([each for each in events if isinstance(each, GroupClosed)]) == 1
