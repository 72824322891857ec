"""Paper and simulation in one daemon as an operator sees them: lists by account and scope, and one venue that goes away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.cli.codes import ExitCode
from tests.service.test_cli_group import Operator
from tests.system.process import CONFIG, daemon_in

pytestmark = pytest.mark.slow

TWO = """
[execution_pool]
max_open_groups = 1
[[accounts]]
name = "desk"
scope = "paper"
[[accounts]]
name = "lab"
scope = "simulation"
"""


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    """Start a daemon with two accounts on one exchange; one signal opened a group in each, a second one waits in each."""
    with tempfile.TemporaryDirectory(prefix="bh") as name, daemon_in(Path(name), CONFIG + TWO) as daemon:
        daemon.up()
        ready = Operator(daemon)
        for pair, price in (("BTC/USDT", "60100"), ("ETH/USDT", "3005")):
            typed = ("signal", "entry", pair, "--side", "long", "--size", "1000", "--price", price)
            ready.until(lambda typed=typed: ready(*typed).exit_code == 0)
        ready.until(lambda: {each["state"] for each in groups(ready)} == {"partially_filled"})
        ready.until(lambda: len(groups(ready)) == 2)
        yield ready


def groups(operator: Operator, *more: str) -> list[dict[str, Any]]:
    """Return the open groups that a command lists."""
    return list(operator.json("group", *more)["groups"])


def test_groups_are_listed_by_account_and_scope(operator: Operator) -> None:
    """EX-113: one alert opened a group in each scope; each list shows its own."""
    found = {each["account"]: (each["scope"], each["symbol"]) for each in groups(operator)}
    assert found == {"desk": ("paper", "BTC/USDT"), "lab": ("simulation", "BTC/USDT")}
    text = operator("group").stdout
    assert all(word in text for word in ("account", "scope", "desk", "lab", "simulation"))
    for more in (("--account", "lab"), ("--scope", "simulation")):
        assert [each["account"] for each in groups(operator, *more)] == ["lab"]


def test_queue_risk_and_profit_by_account(operator: Operator) -> None:
    """EX-113: queue, loss offset and profit of one account are asked for by its name; ids in two queues need it."""
    for account in ("desk", "lab"):
        (queue,) = operator.json("queue", "--account", account)["queues"]
        assert (queue["account"], queue["occupied"], queue["maximum"]) == (account, 1, 1)
        assert [each["symbol"] for each in queue["entries"]] == ["ETH/USDT"]
        (picture,) = operator.json("risk", "--account", account)["accounts"]
        assert picture["account"] == account
        assert operator.json("pnl", "--account", account)["rows"] == []
    several = operator("queue", "remove", "q1")
    assert "desk and lab" in several.stderr
    assert operator("queue", "remove", "q1", "--account", "lab").exit_code == 0
    assert [len(each["entries"]) for each in operator.json("queue")["queues"]] == [1, 0]


@pytest.mark.parametrize("command", [("group",), ("queue",), ("risk",), ("pnl",), ("venue", "rules")], ids=" ".join)
def test_an_account_that_is_not_this_users_is_not_found(operator: Operator, command: tuple[str, ...]) -> None:
    """EX-112: an unknown account is not there, as one of somebody else would be."""
    refused = operator(*command, "--account", "theirs")
    assert (refused.exit_code, "NotFound" in refused.stderr) == (ExitCode.NOT_FOUND, True)


def test_dry_run_is_switched_on_and_off_while_it_runs(operator: Operator) -> None:
    """EX-113, EX-1307: in dry_run a signal is told what it would be at each account and nothing follows; paper ends it."""
    entry = ("signal", "entry", "SOL/USDT", "--side", "long", "--size", "1000", "--price", "150.2")
    before = [each["group_id"] for each in groups(operator)]
    assert operator("config", "set", "app.mode", "dry_run").exit_code == 0
    assert operator("config", "apply").exit_code == 0
    assert "app.mode is dry_run" in operator("status").stdout
    told = operator(*entry)
    assert "dry run, it would be queued:q2:pool full" in told.stdout
    assert "slot: none free (1 of 1 slots are taken)" in told.stdout
    ident = told.stdout.split()[0]
    assert "app.mode is dry_run, so nothing was done" in operator("explain", ident).stdout
    left = operator("signal", "exit", "BTC/USDT", "--side", "long")
    assert "dry run, it would be closing" in left.stdout
    assert [each["group_id"] for each in groups(operator)] == before
    assert sum(len(each["entries"]) for each in operator.json("queue")["queues"]) == 1
    assert operator("config", "set", "app.mode", "paper").exit_code == 0
    assert operator("config", "apply").exit_code == 0
    assert "dry_run" not in operator("status").stdout
    assert {each["state"] for each in groups(operator)} == {"partially_filled"}


def test_a_venue_that_goes_away_is_shown_where_its_groups_are(operator: Operator) -> None:
    """EX-106, EX-1207: groups of an account whose connection is down say so; the other account's do not."""
    script = {"type": "ScriptVenue", "fault": "disconnect", "seconds": 3_600}
    operator.daemon.client.post("/v1/send", {"path": "/venues/lab/exchange", "message": script})

    def shown() -> dict[str, str]:
        return {each["account"]: each["venue_trouble"] for each in groups(operator)}

    operator.until(lambda: shown() == {"desk": "", "lab": "venue down"})
    lab = next(each["group_id"] for each in groups(operator) if each["account"] == "lab")
    assert "venue down" in operator("group", "show", lab).stdout
    assert operator.json("group", "show", lab)["venue"]["status"] == "down"
    assert operator("group").stdout.count("venue down") == 1
    assert "lab (simulation) venue down" in operator("status").stdout
    assert "desk (paper)," in operator("status").stdout
    assert operator.json("status")["engine"]["status"] == "running"
