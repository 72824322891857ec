"""A whole daemon with its door open: killed, asked again, and searched for secrets."""

from __future__ import annotations

import signal
import sqlite3
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from protocol.signals import SignalReceived
from service.api.client import Client, DaemonRefused
from service.config import WebhookSecrets
from tests.system.process import CONFIG, DaemonProcess, daemon_in
from tests.system.running import SECRETS

pytestmark = pytest.mark.slow

NETWORK: Final = """
[api]
enabled = true
port = 0
"""
ENTRY: Final = {
    "symbol": "BTC/USDT",
    "side": "long",
    "timeframe": "1h",
    "kind": "entry",
    "size": "100",
    "size_type": "quote",
}
PASSWORD: Final = "correct horse battery"


def received(daemon: DaemonProcess) -> int:
    return sum(isinstance(each.event, SignalReceived) for each in daemon.records())


def begun_only(path: Path) -> None:
    """Put every request back to where a daemon that was killed before its answer leaves it."""
    with sqlite3.connect(path) as connection:
        connection.execute("update requests set state = 'begun', answer = x''")
    connection.close()


def test_an_order_is_not_sent_twice_although_the_daemon_was_killed(tmp_path: Path) -> None:
    """The same request after kill -9 gets the first answer; one that was never answered is not tried again; no secret stays.

    The order is there once; what the daemon wrote is its owner's alone. Everything the daemon keeps and logs is searched for
    the password and the tokens that were used (EX-1508).
    """
    with daemon_in(tmp_path, CONFIG + NETWORK) as daemon:
        daemon.up()
        shown = [each.environ() for each in psutil.Process(daemon.process.pid).children()]
        assert shown, "the read models' process"
        assert found_among(SECRETS, [value for each in shown for value in each.values()]) == []
        owner = daemon.client
        owner.post("/v1/people", {"name": "ada", "role": "operator", "password": PASSWORD})
        token = owner.post("/v1/tokens", {"name": "desk", "scope": "trade"})["token"]
        first = sent(daemon, token, "order-1")
        assert first["outcome"] == "accepted"
        daemon.end(signal.SIGKILL)

        daemon.up()
        assert sent(daemon, token, "order-1") == first, "the token counts after the kill too"
        assert received(daemon) == 1
        daemon.end(signal.SIGKILL)

        begun_only(daemon.config.requests_path)
        daemon.up()
        with pytest.raises(DaemonRefused) as caught:
            sent(daemon, token, "order-1")
        assert caught.value.code == "OutcomeUnknown"
        assert received(daemon) == 1
        session = remote(daemon).post("/v1/login", {"name": "ada", "password": PASSWORD})
        assert remote(daemon, session["access_token"]).get("/v1/me")["name"] == "ada"
        assert daemon.end(signal.SIGTERM) == 0
        files = [each for each in daemon.config.app.data_dir.rglob("*") if each.is_file()]
        assert [each.name for each in files if each.stat().st_mode & 0o077] == [], "open to others"
        secrets = [token, session["access_token"], session["refresh_token"]]
        assert found_in(tmp_path, [PASSWORD, *secrets, *(each.partition("_")[2][13:] for each in secrets)]) == []


def remote(daemon: DaemonProcess, token: str = "") -> Client:
    return Client(Path(), url=daemon.status()["api_url"], token=token)


def sent(daemon: DaemonProcess, token: str, ident: str) -> Any:
    return remote(daemon, token).post("/v1/signal?wait=10", ENTRY, request_id=ident, reason="a test")


def found_among(secrets: WebhookSecrets, shown: list[str]) -> list[str]:
    """Return what of the environment of children is a secret of the daemon's own."""
    return [text for text in shown if any(secret in text for secret in secrets.shown_nowhere)]


def found_in(folder: Path, secrets: list[str]) -> list[tuple[str, str]]:
    """Return the files that hold a secret."""
    files = [each for each in folder.rglob("*") if each.is_file()]
    assert any(each.name == "log" for each in files)
    return [(each.name, text[:8]) for each in files for text in secrets if text.encode() in each.read_bytes()]
