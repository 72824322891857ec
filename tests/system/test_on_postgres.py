"""The daemon as a process on a PostgreSQL server: killed, cut off from it, and back."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

import pytest

from service.api.client import DaemonNotRunning
from service.journals import open_live_reader
from tests.servers.postgres import Server
from tests.system.accounts import check_no_order_twice
from tests.system.process import CONFIG, DaemonProcess, daemon_in, entry
from tests.system.test_daemon import ORDERS, at_rest, eventually, post

pytestmark = pytest.mark.slow(seconds=20)


def test_it_outlasts_its_server_and_itself(server: Server) -> None:
    """A crash of the server, an outage longer than a commit waits, and SIGKILL: nothing is lost, nothing is sent twice."""
    database = f"[database]\nurl = '{server.database()}'\ncommit_timeout_ms = 2000\nlease_s = 5\n"
    with tempfile.TemporaryDirectory(prefix="bh") as name, daemon_in(Path(name), CONFIG + database) as daemon:
        daemon.up()
        url = daemon.status()["webhook_url"]
        enters(daemon, url, "BTC/USDT")
        at_rest(daemon, ORDERS)
        server.restart("immediate")
        enters(daemon, url, "ETH/USDT")
        before = at_rest(daemon, 2 * ORDERS)
        outlasts_an_outage(daemon, server, url)
        assert at_rest(daemon, 2 * ORDERS) == before
        assert daemon.end(signal.SIGKILL) == -signal.SIGKILL
        daemon.up()
        eventually(lambda: answers(daemon), "the lease of the killed one has run out, this one has taken over")
        assert at_rest(daemon, 2 * ORDERS) == before
        enters(daemon, daemon.status()["webhook_url"], "SOL/USDT")
        at_rest(daemon, 3 * ORDERS)
        assert daemon.end(signal.SIGTERM) == 0
        assert daemon.left_behind() == []
        assert not (daemon.config.app.data_dir / "journal.db").exists()
        check_no_order_twice(daemon.records())
        verified(daemon)


def enters(daemon: DaemonProcess, url: str, symbol: str) -> None:
    """Have an entry accepted, once the engine runs: it stands in Error while the journal cannot be written."""
    eventually(lambda: daemon.status()["engine"]["status"] == "running", "the engine runs")
    assert post(url, entry("t1", symbol))[1]["outcome"] == "accepted"


def outlasts_an_outage(daemon: DaemonProcess, server: Server, url: str) -> None:
    """Stop the server until an alert is refused for it, start it, and wait until the house takes questions again."""
    server.stop("immediate")
    assert post(url, entry("t2", "SOL/USDT"))[0] == 503
    server.start()
    eventually(lambda: answers(daemon), "the daemon answers again")


def answers(daemon: DaemonProcess) -> bool:
    """Whether it serves, and every actor is up."""
    try:
        tree = daemon.client.get("/v1/ps")
    except DaemonNotRunning:
        return False
    return all(each["state"] == "running" for each in tree["actors"])


def verified(daemon: DaemonProcess) -> None:
    """See that every record of the journal is good."""
    reader = open_live_reader(daemon.config)
    assert reader.verify() == reader.head()
    reader.close()
