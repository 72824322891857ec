"""A daemon that trades at a venue through its library: nothing that it writes or says holds a credential (EX-1508)."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app
from store.inputs.files import segments
from tests.servers.venues.bybit import BybitServer
from tests.servers.venues.bybit_wire import bybit_markets
from tests.servers.venues.faults import Fault
from tests.servers.venues.hall import Hall
from tests.servers.venues.threaded import Threaded, on_a_thread
from tests.service.test_cli_daemon import Operator

pytestmark = pytest.mark.slow

KEY = "KeyOfNobodyThatMustShowNowhere1"
SIGNING = "SigningSecretThatMustShowNowhere2"
VARIABLES = {"BULKHEAD_ACCOUNTS__MAIN__API_KEY": KEY, "BULKHEAD_ACCOUNTS__MAIN__API_SECRET": SIGNING}
ENV = {**os.environ, **VARIABLES}
CONFIG = """
[app]
log_level = "debug"
[webhook]
port = 0
[[accounts]]
name = "main"
venue = "bybit"
symbols = ["BTC/USDT"]
url = "{url}"
stream_url = "{stream_url}"
"""
COMMANDS = (
    *(["status"], ["venue"], ["venue", "rules"], ["ps"], ["nodes"], ["config", "show"], ["config", "check", "--show"]),
    *(["log"], ["alerts"], ["incidents"], ["dead-letters"], ["group"], ["queue"], ["risk"], ["pnl", "--by", "day"]),
    *(["venue", "list"], ["venue", "test", "main"], ["venue", "symbols", "main"], ["venue", "audit", "main"]),
)
"""Whatever shows what a daemon knows; each is looked at for people and for programs."""


class Life:
    """One daemon at one server; ``said`` is everything that it and the commands printed."""

    def __init__(self, folder: Path, venue: Threaded) -> None:
        self.folder = folder
        self.venue = venue
        self.operator = Operator(folder)
        self.said: list[str] = []

    def run(self, *words: str) -> str:
        """Run a command with the credentials in its environment, as an operator's shell has them."""
        if words[0] in ("up", "down"):
            out, err = self.operator.process(*words, env=ENV).communicate(timeout=60)
        else:
            done = CliRunner().invoke(app, [*words, "--config", str(self.operator.config)], env=VARIABLES)
            out, err = done.stdout, done.stderr
        self.said += [out, err]
        return out

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait until something is so."""
        end = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < end, f"never: {what}; {self.operator('venue').output}"
            time.sleep(0.1)  # house: a process of its own has no event to wait for

    def standing(self) -> dict[str, Any]:
        """Return how the account's connection stands."""
        return dict(json.loads(self.run("venue", "--json"))["venues"][0])


@pytest.fixture(scope="module")
def life() -> Iterator[Life]:
    """Have a daemon trade, fail and end; return it with all that it left behind."""
    make = lambda: BybitServer(Hall("bybit", bybit_markets(), fee_in_base=True), KEY, SIGNING)  # noqa: E731
    with on_a_thread(make) as venue, tempfile.TemporaryDirectory(prefix="bh") as name:
        folder = Path(name)
        text = CONFIG.format(url=venue.server.url, stream_url=venue.server.stream_url)
        (folder / "config.toml").write_text(text)
        for symbol in ("BTC/USDT", "ETH/USDT"):
            venue.do(venue.server.hall.price, symbol, Decimal(100), Decimal(101))
        live = Life(folder, venue)
        live.run("up", "--detach", "--json")
        try:
            _trade_and_fail(live)
        finally:
            live.run("down")
        yield live


def _trade_and_fail(live: Life) -> None:
    live.until(lambda: live.standing()["step"] == "ready", "the account is connected and compared")
    live.run("signal", "entry", "BTC/USDT", "--side", "long", "--size", "500", "--price", "101", "--json")
    live.until(lambda: live.venue.server.hall.fills, "an order has filled at the venue")
    live.until(lambda: json.loads(live.run("group", "--json")), "a group is open")
    faults = live.venue.server.faults
    for fault in (Fault.TOO_MANY, Fault.SERVER_ERROR, Fault.MALFORMED):
        live.venue.do(faults.arm, fault, 3)
    for command in COMMANDS:
        live.run(*command)
        live.run(*command, "--json")
    live.run("tail", "--no-follow", "-n", "10000", "--json")
    live.venue.do(faults.clear)
    live.venue.server.key = "another"  # type: ignore[attr-defined] # the venue withdraws the key
    live.run("restart", "/venues/main/session")
    live.until(lambda: live.standing()["status"] == "stopped", "the venue refuses the key")
    for command in (["venue"], ["alerts"], ["log"], ["venue", "test", "main"], ["incidents"]):
        live.run(*command)


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield everything that lies in a folder, what is packed unpacked as well."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        yield str(path.relative_to(folder)), data
        if path.suffix == ".gz":
            yield f"{path.name} unpacked", gzip.decompress(data)
    for inputs in (each for each in folder.rglob("inputs") if each.is_dir()):
        for path in sorted(inputs.iterdir()):
            for number, segment in enumerate(segments(inputs, path.name.split(".")[0])):
                yield f"{path.name} segment {number}", segment.payload or b""


def test_it_has_traded_and_failed(life: Life) -> None:
    """What follows is worth something: orders filled at the venue, the log tells of them, and the venue refused the key."""
    telling = [name for name, data in contents(life.folder) if b"BTC/USDT" in data]
    for part in ("journal", "segment", "data/logs/"):
        assert any(part in name for name in telling), part
    said = "\n".join(life.said)
    assert "OrderSent" in said
    assert "AuthFailed" in said
    assert "********" in said


@pytest.mark.parametrize("secret", [KEY, SIGNING], ids=["key", "secret"])
def test_no_file_holds_a_credential(life: Life, secret: str) -> None:
    """EX-1503: journal, log segments, records of inputs, read models, whatever is there: not in any byte of it."""
    found = [name for name, data in contents(life.folder) if secret.encode() in data]
    assert found == []


@pytest.mark.parametrize("secret", [KEY, SIGNING], ids=["key", "secret"])
def test_no_output_holds_a_credential(life: Life, secret: str) -> None:
    """EX-1508: status, views, logs, traces, errors of the venue, the configuration as shown: none says it."""
    assert [text for text in life.said if secret in text] == []
