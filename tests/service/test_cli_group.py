"""The commands about one group, against a daemon in a process of its own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.cli import app
from service.cli.codes import ExitCode
from tests.service.command_line import CliRunner, until
from tests.system.process import CONFIG, DaemonProcess, daemon_in

pytestmark = pytest.mark.slow

ENTRY = ("signal", "entry", "BTC/USDT", "--side", "long", "--size", "1000", "--price", "60100")
HELD = '[[accounts]]\nname = "paper"\nexchange = "binance"\nbalances = { USDT = 100000, BTC = 2 }\n'


class Operator:
    """Types commands in the folder of one daemon."""

    def __init__(self, daemon: DaemonProcess) -> None:
        self.daemon = daemon

    def __call__(self, *arguments: str, answer: str = "") -> Any:
        typed = [*arguments, "--config", str(self.daemon.file)]
        return CliRunner().invoke(app, typed, input=answer, env={"COLUMNS": "200"})

    def json(self, *arguments: str) -> Any:
        """Return the JSON a command prints."""
        result = self(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def group(self) -> str:
        """Open a group and wait until its first layer is filled; return its id."""
        self.until(lambda: self(*ENTRY).exit_code == 0)
        self.until(lambda: self.daemon.client.get("/v1/groups", open=1)["groups"])
        ident = str(self.daemon.client.get("/v1/groups", open=1)["groups"][0]["group_id"])
        self.until(lambda: self.json("group", "show", ident)["group"]["state"] == "partially_filled")
        return ident

    def until(self, holds: Any) -> None:
        """Look until something is so; each look is a request, which takes its time."""
        until(holds)


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    """Return an operator of a daemon that runs, whose account holds two bitcoin."""
    with tempfile.TemporaryDirectory(prefix="bh") as name, daemon_in(Path(name), CONFIG + HELD) as daemon:
        daemon.up()
        yield Operator(daemon)


def test_a_group_is_shown_edited_and_closed(operator: Operator) -> None:
    """The preview is shown and asked about; no changes nothing, yes makes the version; history tells both (EX-716)."""
    ident = operator.group()
    shown = operator("group", "show", ident)
    assert shown.exit_code == 0
    assert all(word in shown.stdout for word in ("version 1", "P0 DCA0", "by reason"))
    change = ("group", "edit", ident, "--tp-mode", "aggregate", "--cancel-layers", "p0.l4", "--stop", "100")
    refused = operator(*change, answer="n\n")
    assert refused.exit_code == 0
    assert "cancel" in refused.stdout
    assert operator.json("group", "show", ident)["group"]["version"] == 1
    seen = operator.json(*change, "--preview")
    assert seen["effects"][0]["step"] == "cancel"
    made = operator(*change, answer="y\n")
    assert (made.exit_code, f"{ident} is version 2" in made.stdout) == (0, True)
    history = operator("group", "history", ident)
    assert "tp_mode: per_leg -> aggregate" in history.stdout
    moved = operator("group", "edit", ident, "--leg", "p0.l3", "--gap", "-9", "--tp", "all=2", "--yes")
    assert moved.exit_code == 0, moved.stderr
    closed = operator("group", "close", ident, answer="y\n")
    assert (closed.exit_code, f"close all of {ident} at the market (long BTC/USDT 1h on" in closed.stdout) == (0, True)
    assert operator("group", "close", "gabc123", answer="y\n").exit_code == ExitCode.NOT_FOUND, "before it asks"
    operator.until(lambda: operator.json("group", "show", ident)["group"]["state"] == "closed")
    [trigger] = operator.json("group", "history", ident)["triggers"]
    assert (trigger["trigger"], trigger["scope"], trigger["came"]) == ("operator", "group", "finished")
    late = operator("group", "close", ident, "--yes")
    assert (late.exit_code, "GroupClosing" in late.stderr) == (ExitCode.FAILED, True)


def test_the_open_groups_are_listed_and_found_by_what_they_trade(operator: Operator) -> None:
    """Pair and timeframe name the one open group; an empty list says how to open one."""
    ident = operator.group()
    listed = operator("group").stdout
    assert ident in listed
    assert "BTC/USDT 1h" in listed
    assert operator.json("group", "show", "btc/usdt 1h long")["group"]["group_id"] == ident
    assert operator("group", "show", "BTC/USDT 4h").exit_code == ExitCode.NOT_FOUND
    assert operator("group", "close", "BTC/USDT", "--yes").exit_code == 0
    operator.until(lambda: not operator.json("group")["groups"])
    assert "bulkhead signal entry" in operator("group").stderr
    assert "take profit" not in operator("group", "--all").stderr
    assert ident in operator("group", "--all").stdout


def test_mistakes_are_told_with_code_and_advice(operator: Operator) -> None:
    """Wrong words end with the usage code, an unknown group with not found, an impossible edit with its problems."""
    assert operator("group", "show", "g-none").exit_code == ExitCode.NOT_FOUND
    alone = operator("group", "edit", "g", "--price", "5")
    assert (alone.exit_code, "--leg p0.l3" in alone.stderr) == (ExitCode.USAGE, True)
    assert operator("group", "edit", "g", "--tp", "all").exit_code == ExitCode.USAGE


def test_a_position_is_adopted_by_hand(operator: Operator) -> None:
    """Both numbers are shown before it is asked; what is not there is refused; the adopted group closes like any."""
    adopt = ("group", "adopt", "BTC/USDT", "--price", "59000", "--timeframe", "4h", "--tp", "40", "--reason", "mine")
    greedy = operator(*adopt, "--qty", "50", "--yes")
    assert (greedy.exit_code, "PositionNotThere" in greedy.stderr) == (ExitCode.FAILED, True)
    done = operator(*adopt, "--qty", "0.5", answer="y\n")
    assert (done.exit_code, "the account holds" in done.stdout) == (0, True)
    ident = done.stdout.split("adopted as ")[1].split(";")[0]
    operator.until(lambda: operator("group", "history", ident).exit_code == 0)
    assert "adopted 0.5 at 59000: mine" in operator("group", "history", ident).stdout
    assert operator("group", "close", ident, "--leg", "P0 DCA0", "--yes").exit_code == 0
    operator.until(lambda: operator.json("group", "show", ident)["group"]["state"] == "closed")
