"""The command line against a real daemon in a process of its own, on the synthetic market."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.cli import app
from service.cli.codes import ExitCode
from service.cli.stopping import lives
from tests.house.sources import ROOT
from tests.service.command_line import CliRunner, until

pytestmark = pytest.mark.slow(seconds=40)

CONFIG = """
[market]
source = "synthetic"
[webhook]
port = 0
[demo]
signals = false
"""


class Operator:
    """Types commands in the folder of one daemon."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "config.toml"

    def __call__(self, *arguments: str) -> Any:
        return CliRunner().invoke(app, [*arguments, "--config", str(self.config)], env={"COLUMNS": "200"})

    def json(self, *arguments: str) -> Any:
        """Return the JSON a command prints."""
        result = self(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def sent(self, *entry: str) -> Any:
        """Send a signal as soon as the daemon knows a price for it; return what it says."""
        until(lambda: "NoPrice" not in self(*entry, "--check").stderr)
        return self.json(*entry)

    def process(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        """Run a command as a process of its own."""
        command = [sys.executable, "-m", "service.cli", *arguments, "--config", str(self.config)]
        return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder with a configuration, short enough for a socket path."""
    with tempfile.TemporaryDirectory(prefix="bh") as name:
        (Path(name) / "config.toml").write_text(CONFIG)
        yield Path(name)


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    """Start a daemon in the background for the tests of this module, and stop it after them."""
    with tempfile.TemporaryDirectory(prefix="bh") as name:
        (Path(name) / "config.toml").write_text(CONFIG)
        ready = Operator(Path(name))
        started = ready.process("up", "--detach", "--json")
        out, err = started.communicate(timeout=60)
        assert started.returncode == 0, err
        pid = json.loads(out)["pid"]
        yield ready
        result = ready("down")
        assert result.exit_code == 0, result.stderr
        assert not lives(pid)


@pytest.fixture(scope="module")
def entered(operator: Operator) -> dict[str, Any]:
    """Return the answer to an entry that opened a group."""
    said: dict[str, Any] = operator.sent("signal", "entry", "BTCUSDT", "--side", "long", "--size", "500")
    return said


def test_status_is_loud_about_a_made_up_market(operator: Operator) -> None:
    """Status says SYNTHETIC, the engine's state and where alerts go."""
    text = operator("status").stdout
    for word in ("SYNTHETIC", "running", "http://127.0.0.1", "process"):
        assert word in text
    assert operator.json("status")["source"] == "SYNTHETIC"


def test_an_entry_without_a_price_is_made_at_the_market(operator: Operator, entered: dict[str, Any]) -> None:
    """The newest price stands in, whatever the spelling of the symbol, and the outcome is told at once."""
    assert entered["routed"] == "opened"
    told = operator("signal", "exit", "ETH/USDT", "--side", "long")
    assert told.exit_code == 0
    assert "nothing to exit" in told.stdout


def test_a_wrong_symbol_names_near_ones(operator: Operator) -> None:
    """A symbol the venue does not have is refused with what was probably meant; exit code 1."""
    result = operator("signal", "entry", "BTC/USTD", "--side", "long", "--size", "500")
    assert result.exit_code == ExitCode.FAILED
    assert "did you mean BTC/USDT" in result.stderr


def test_ps_draws_the_tree(operator: Operator, entered: dict[str, Any]) -> None:
    """The tree shows every branch with state letters; one branch can be asked for."""
    text = operator("ps").stdout
    for name in ("gateway", "coordinator", "desk", "projector", "binance:BTCUSDT:1h:long"):
        assert f"R {name}" in text
    branch = operator.json("ps", "/risk")
    assert {row["path"].split("/")[1] for row in branch} == {"risk"}
    assert operator("ps", "/nowhere").exit_code == ExitCode.NOT_FOUND


def test_tail_shows_the_past_and_narrows(operator: Operator, entered: dict[str, Any]) -> None:
    """Events can be narrowed by type, symbol and severity; JSON is one event a line."""
    lines = operator("tail", "--no-follow", "-n", "1000", "--type", "OrderSent", "--json").stdout.splitlines()
    assert {json.loads(line)["type"] for line in lines} == {"OrderSent"}
    assert sum(json.loads(line)["event"]["purpose"] == "entry" for line in lines) == 5
    assert "entry P0 DCA0 sent" in operator("tail", "--no-follow", "--symbol", "btc-usdt", "-n", "1000").stdout
    assert operator("tail", "--no-follow", "--severity", "error").stdout == ""
    assert "OrderSent" not in operator("tail", "--no-follow", "--symbol", "SOL/USDT").stdout
    assert operator("tail", "--no-follow", "--since", "1h", "--type", "SlotTaken").stdout.count("\n") == 1
    assert operator("tail", "--since", "sometime").exit_code == ExitCode.USAGE


def test_trace_and_explain_ask_the_daemon(operator: Operator, entered: dict[str, Any]) -> None:
    """The chain and the sentences of a signal come from the running daemon; an unknown id is exit code 4."""
    assert "slot 1 of 10 taken" in operator("trace", entered["signal_id"]).stdout
    assert "The pool admitted it" in operator("explain", entered["signal_id"]).stdout
    assert "It runs and handles messages" in operator("explain", "/trading/gateway").stdout
    assert operator("explain", "nothing").exit_code == ExitCode.NOT_FOUND
    assert operator("explain", "/nowhere").exit_code == ExitCode.NOT_FOUND


def test_pause_and_resume(operator: Operator) -> None:
    """Entries can be stopped with a reason and allowed again."""
    assert operator("pause", "--reason", "news at two").exit_code == 0
    engine = {"status": "paused", "reason": "news at two", "permit": 1, "held": []}
    assert operator.json("status")["engine"] == engine
    said = operator("pause", "--account", "paper", "--reason", "funding")
    assert said.stdout.strip() == "entries of paper are stopped; go on with: bulkhead resume --account paper"
    assert operator("resume").exit_code == 0
    assert operator.json("status")["engine"]["status"] == "running"
    assert "paused: funding" in operator("status").stdout
    assert operator("resume", "--account", "paper").stdout.strip() == "entries of paper are allowed"
    assert operator.json("status")["engine"]["held"] == []
    assert operator("pause", "--account", "papier").exit_code == ExitCode.NOT_FOUND


def test_send_asks_and_tells(operator: Operator) -> None:
    """Any message of the protocol reaches any actor; near paths and types are named."""
    asked = operator("send", "/venues/paper/exchange", '{"type": "NewestPrice", "symbol": "BTC/USDT"}')
    assert json.loads(asked.stdout)["tick"]["symbol"] == "BTC/USDT"
    assert operator("send", "/venues/paper/reconciler", '{"type": "ReconcileNow"}').exit_code == 0
    wrong = operator("send", "/venues/paper/exchang", '{"type": "ReconcileNow"}')
    assert wrong.exit_code == ExitCode.NOT_FOUND
    assert "/venues/paper/exchange" in wrong.stderr


def test_restart_release_and_dead_letters(operator: Operator) -> None:
    """Actors are restarted by path; what is not quarantined is not released; dead letters are listed."""
    assert "is up" in operator("restart", "/operators/webhook").stdout
    refused = operator("release", "/trading/gateway")
    assert refused.exit_code == ExitCode.FAILED
    assert "NotQuarantined" in refused.stderr
    assert operator.json("dead-letters")["dead_letters"] == []
    assert operator("dead-letters", "replay", "1").exit_code == ExitCode.NOT_FOUND


def test_a_second_daemon_is_refused(operator: Operator) -> None:
    """The journal has one writer: a second start says who holds it and what to do, in two lines."""
    result = operator("up", "--detach")
    assert result.exit_code == ExitCode.FAILED
    assert "JournalLocked" in result.stderr
    assert "bulkhead down" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_running_journal_can_be_verified_and_read(operator: Operator, entered: dict[str, Any]) -> None:
    """Reading the journal file disturbs nobody, also while the daemon writes it."""
    assert operator.json("journal", "verify")["records"] > 0
    file = str(operator.config.parent / "data" / "journal.db")
    assert "slot 1 of 10" in CliRunner().invoke(app, ["trace", entered["signal_id"], "--journal", file]).stdout


# --- ways to start and stop -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_in_the_foreground_ends_in_order(folder: Path, number: int) -> None:
    """Without a terminal ``up`` logs, says when it is ready, and ends with exit code 0 and no socket left."""
    process = Operator(folder).process("up", "--json", stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert ready["pid"] == process.pid
    assert Path(ready["socket"]).exists()
    process.send_signal(number)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 0, log
    assert "bulkhead is ready" in log
    assert not Path(ready["socket"]).exists()


def test_a_daemon_ends_with_the_view_that_started_it(folder: Path) -> None:
    """When whoever started the daemon is gone, however that came, the daemon stops in order."""
    read_end, write_end = os.pipe()
    operator = Operator(folder)
    process = operator.process(
        "up", "--no-view", "--with-parent", "--ready-fd", str(write_end), stdin=subprocess.PIPE, pass_fds=[write_end]
    )
    os.close(write_end)
    with os.fdopen(read_end) as ready:
        assert json.loads(ready.readline())["pid"] == process.pid
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert operator("status").exit_code == ExitCode.NOT_RUNNING


def test_a_port_in_use_is_told_in_two_lines(folder: Path) -> None:
    """A start that cannot be says why and what to do; nothing of it is left."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        text = CONFIG.replace("port = 0", f"port = {taken.getsockname()[1]}")
        (folder / "config.toml").write_text(text)
        result = Operator(folder)("up", "--detach")
    assert result.exit_code == ExitCode.FAILED
    assert result.stderr.startswith("error: ")
    assert "in use" in result.stderr
    assert Operator(folder)("status").exit_code == ExitCode.NOT_RUNNING
