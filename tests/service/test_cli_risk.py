"""The loss offset against a real daemon: looked at, run, blocked, refused, remembered."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.cli.codes import ExitCode
from tests.service.command_line import until
from tests.service.test_cli_daemon import CONFIG, Operator

pytestmark = pytest.mark.slow

SETTINGS = """
[grid_strategy]
levels = [{ gap_percent = 0, weight_percent = 100, tp_percent = 50 }]
entry_order_type = "market"
[risk_engine]
required_pyramids_for_timer = 5
[[accounts]]
name = "paper"
slippage_bps = 200
balances = { USDT = 100000 }
"""


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    """Start a daemon with one group: bought at the market, it loses its slippage from the first moment on."""
    with tempfile.TemporaryDirectory(prefix="bh") as name:
        (Path(name) / "config.toml").write_text(CONFIG + SETTINGS)
        ready = Operator(Path(name))
        started = ready.process("up", "--detach", "--json")
        _, err = started.communicate(timeout=60)
        assert started.returncode == 0, err
        yield ready
        assert ready("down").exit_code == 0


@pytest.fixture(scope="module")
def group(operator: Operator) -> str:
    """Return the id of a group that is open."""
    answer = operator.sent("signal", "entry", "BTCUSDT", "--side", "long", "--size", "500")
    assert answer["routed"] == "opened"
    found: list[dict[str, Any]] = until(lambda: operator.json("risk")["accounts"][0]["losers"])
    return str(found[0]["group_id"])


def test_what_loses_is_shown_with_what_it_waits_for(operator: Operator, group: str) -> None:
    """EX-1615: loss, timer, pyramids, age, winners, projected plan in words and the first failing reason."""
    text = operator("risk").stdout
    assert group in text
    assert "no (1 / 5)" in text
    assert "not started" in text
    assert "nothing: no_winners" in text
    assert "pyramids_incomplete" in text
    [picture] = operator.json("risk")["accounts"]
    [row] = picture["losers"]
    assert (row["received"], row["required"], row["timer"], row["age_ok"]) == (1, 5, "not_started", None)
    assert float(row["loss_usd"]) < 0


def test_a_run_for_one_group_lists_what_it_passes_over(operator: Operator, group: str) -> None:
    """EX-1021, EX-1616: without a winner nothing is begun; with --json the question needs --yes."""
    assert operator("risk", "run-now", group, "--json").exit_code == ExitCode.USAGE
    asked = operator("risk", "run-now", group)
    assert asked.exit_code == ExitCode.OK
    assert "passed over: not all required pyramids have come in" in " ".join(asked.stdout.split())
    done = operator.json("risk", "run-now", group, "--yes")["runs"][0]
    assert (done["plan_id"], done["plan"]["reason"]) == ("", "no_winners")
    assert "pyramids_incomplete" in done["skipped"]
    assert "nothing was begun" in operator("risk", "run-now", "--yes").stdout


def test_flags_are_set_and_shown_and_refuse(operator: Operator, group: str) -> None:
    """EX-1021 to EX-1023: a blocked group is listed and refused with the way out; unblocked it is as before."""
    assert f"{group} is blocked" in operator("risk", "block", group).stdout
    assert f"blocked: {group}" in operator("risk").stdout
    refused = operator("risk", "run-now", group, "--yes")
    assert refused.exit_code == ExitCode.FAILED
    assert "GroupBlocked" in refused.stderr
    assert "bulkhead risk unblock" in refused.stderr
    assert operator("risk", "unblock", group).exit_code == ExitCode.OK
    assert "will be skipped once" in operator("risk", "skip-once", group).stdout
    [picture] = operator.json("risk")["accounts"]
    assert (picture["blocked"], picture["skip_once"]) == ([], [group])


def test_an_unknown_group_or_account_is_not_found(operator: Operator) -> None:
    """EX-110, EX-112: what is not there is NotFound in the one error shape."""
    for command in (("skip-once", "gnobody"), ("run-now", "gnobody", "--yes")):
        result = operator("risk", *command, "--json")
        assert result.exit_code == ExitCode.NOT_FOUND
        assert json.loads(result.stderr or result.stdout)["code"] == "NotFound"
    assert operator("risk", "--account", "nowhere").exit_code == ExitCode.NOT_FOUND


def test_decisions_are_listed_and_explained(operator: Operator, group: str) -> None:
    """EX-1025, EX-1616: the history of decisions with search; the story of the group tells them in sentences."""
    found = operator.json("risk", "decisions", "--group", group)["decisions"]
    assert found
    assert found[-1]["reasons"][group][0] == "pyramids_incomplete"
    assert group in operator("risk", "decisions", "--search", "pyramids_incomplete").stdout
    assert operator.json("risk", "decisions", "--plans")["decisions"] == []
    assert "nothing was decided yet" in operator("risk", "decisions", "--search", "no such word").stdout
    told = " ".join(operator("explain", group).stdout.split())
    assert "An operator blocked" in told
