"""The waiting queue against a real daemon with one slot: looked at, let in, forced in, removed, explained."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.cli.codes import ExitCode
from tests.service.test_cli_daemon import CONFIG, Operator

pytestmark = pytest.mark.slow

PAIRS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    """Start a daemon with one slot; BTC holds it, ETH waits as q1, SOL as q2."""
    with tempfile.TemporaryDirectory(prefix="bh") as name:
        (Path(name) / "config.toml").write_text(CONFIG + "[execution_pool]\nmax_open_groups = 1\n")
        ready = Operator(Path(name))
        started = ready.process("up", "--detach", "--json")
        _, err = started.communicate(timeout=60)
        assert started.returncode == 0, err
        yield ready
        assert ready("down").exit_code == 0


@pytest.fixture(scope="module")
def signals(operator: Operator) -> list[dict[str, Any]]:
    """Return the answers to three entries, sent once the daemon knows a price of each."""
    return [operator.sent("signal", "entry", pair, "--side", "long", "--size", "500") for pair in PAIRS]


def test_the_queue_is_shown_ranked(operator: Operator, signals: list[dict[str, Any]]) -> None:
    """EX-1617: rank, reason, keys, prices and why; free slots and the order of the rules in the header."""
    assert [each["routed"] for each in signals] == ["opened", "queued:q1:pool_full", "queued:q2:pool_full"]
    text = operator("queue").stdout
    assert "0 of 1 slots free (1 / 1 taken), 2 of 100 waiting" in text
    assert "order: pyramid_continuation, highest_loss_percent" in text
    (report,) = operator.json("queue")["queues"]
    assert [entry["rank"] for entry in report["entries"]] == [1, 2]
    assert {entry["symbol"] for entry in report["entries"]} == {"ETH/USDT", "SOL/USDT"}
    for entry in report["entries"]:
        assert entry["queue_id"] in text
        assert entry["why"]
        assert float(entry["expected_profit"]) > 0


def test_commands_and_what_they_refuse(operator: Operator, signals: list[dict[str, Any]]) -> None:
    """EX-925 to EX-927: NoFreeSlot, NotQueued; force-add asks first and acts once a request id; remove deletes."""
    assert len(signals) == 3
    full = operator("queue", "promote", "q1")
    assert full.exit_code == ExitCode.FAILED
    assert "NoFreeSlot" in full.stderr
    assert "force-add" in full.stderr
    unknown = operator("queue", "remove", "q99")
    assert unknown.exit_code == ExitCode.NOT_FOUND
    assert "NotQueued" in unknown.stderr
    assert operator("queue", "force-add", "q1", "--json").exit_code == ExitCode.USAGE
    silent = operator("queue", "force-add", "q1")
    assert (silent.exit_code, "nobody answered, so nothing was done" in silent.stderr) == (ExitCode.FAILED, True)
    forced = operator.json("queue", "force-add", "q1", "--yes", "--request-id", "once")
    assert forced["outcome"] == "force_added:q1:opened"
    again = operator.json("queue", "force-add", "q1", "--yes", "--request-id", "once")
    assert again["outcome"] == "promoted:forced"
    removed = operator("queue", "remove", "q2")
    assert removed.stdout == "q2 is removed (paper)\n"
    assert operator.json("queue")["queues"][0]["entries"] == []
    assert operator.json("queue")["queues"][0]["occupied"] == 2


def test_the_story_of_what_waited(operator: Operator, signals: list[dict[str, Any]]) -> None:
    """EX-1202, EX-1401: history and explanation tell how each entry ended, by its signal's id."""
    history = {entry["queue_id"]: entry for entry in operator.json("queue", "--history")["entries"]}
    assert (history["q1"]["status"], history["q1"]["closed_reason"]) == ("entered", "forced")
    assert (history["q2"]["status"], history["q2"]["closed_reason"]) == ("removed", "operator")
    assert "entered" in operator("queue", "--history").stdout
    told = operator("explain", signals[1]["signal_id"]).stdout
    assert "It waits as q1: there was no free slot" in " ".join(told.split())
    assert "An operator let it in over the limit" in " ".join(told.split())
    gone = " ".join(operator("explain", signals[2]["signal_id"]).stdout.split())
    assert "q2 left the queue without entering, because an operator removed it" in gone


def test_the_chain_shows_the_wait(operator: Operator, signals: list[dict[str, Any]]) -> None:
    """The queue stands in the causal chain between the signal and its end."""
    chain = operator("trace", signals[2]["signal_id"]).stdout
    assert "waits as q2: pool full" in chain
    assert "removed: operator" in chain


def test_an_entry_of_the_queue_has_the_story_of_its_signal(operator: Operator, signals: list[dict[str, Any]]) -> None:
    """Its id as `bulkhead queue` shows it is enough, from the running daemon and from a journal; told once, not twice."""
    journal = ("--journal", str(operator.config.parent / "data" / "journal.db"))
    for where in ((), journal):
        told = " ".join(operator("explain", "q1", *where).stdout.split())
        assert told.count("there was no free slot") == 1, where
        assert "An operator let it in over the limit" in told
    assert signals[1]["signal_id"] in operator("trace", "q1").stdout
    assert operator("explain", "q77").exit_code == ExitCode.NOT_FOUND


def test_a_signal_that_took_anothers_place_has_its_whole_story(operator: Operator) -> None:
    """EX-911: the newer signal tells that it waits, in whose place, and how its wait ended."""
    first = operator.json("signal", "entry", "ETH/USDT", "--side", "long", "--size", "100", "-t", "4h")
    second = operator("signal", "entry", "ETH/USDT", "--side", "long", "--size", "100", "-t", "4h")
    name = first["routed"].split(":")[1]
    assert f"queued as {name}: in place of signal {first['signal_id']}, replacement 1" in second.stdout
    assert operator("queue", "remove", name).exit_code == 0
    told = " ".join(operator("explain", name).stdout.split())
    assert f"took the place of {first['signal_id']} as {name}" in told
    assert f"{name} left the queue without entering, because an operator removed it" in told
    chain = operator("trace", second.stdout.split()[0]).stdout
    assert f"waits as {name} in place of signal {first['signal_id']}" in chain


def test_another_account_is_not_found(operator: Operator) -> None:
    """EX-110: an account that is not there is named in the one error shape."""
    result = operator("queue", "--account", "nowhere", "--json")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert json.loads(result.stderr or result.stdout)["code"] == "NotFound"
