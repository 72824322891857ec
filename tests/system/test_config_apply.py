"""Settings of a running daemon: a change reaches open groups' house without a restart, and a kill leaves one version."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protocol.pool import SlotTaken
from service.api.client import DaemonNotRunning, DaemonRefused
from service.cli.commands import app
from service.config.text import from_toml
from tests.service.command_line import CliRunner
from tests.system.process import CONFIG, DaemonProcess, daemon_in, entry
from tests.system.test_daemon import ORDERS, at_rest, eventually, post

pytestmark = pytest.mark.slow(seconds=60)

ONE_SLOT = f"""{CONFIG}
[execution_pool]
# One at a time.
max_open_groups = 1
"""
LEVELS = [{"gap_percent": "0", "weight_percent": "100", "tp_percent": "7"}]
OTHER = """
[grid_strategy]
max_pyramids_per_group = 2
max_dca_per_pyramid = 2
levels = [
  { gap_percent = 0, weight_percent = 50, tp_percent = 9 },
  { gap_percent = -3, weight_percent = 50, tp_percent = 9 },
]
tp_mode = "aggregate"
tp_aggregate_percent = 50
pyramid_tp_percents = { 0 = 30 }
pyramid_scope = "per_pyramid"
entry_order_type = "market"
price_rounding = "passive"
tp_trigger_price = "last"
when_flat_with_pending = "keep"
[risk_engine]
required_pyramids_for_timer = 2
[sizing]
source = "fixed_quote"
fixed_quote = 33
max_quote_per_pyramid = 40
[precision]
blocked_leg_policy = "reject_pyramid"
[signal]
honor_stop_loss = true
honor_take_profit = true
opposite_signal_policy = "reverse"
"""
"""Other values of every key that a group takes when it opens."""


@pytest.fixture
def daemon() -> Iterator[DaemonProcess]:
    """Return a daemon with one slot that is not started."""
    with tempfile.TemporaryDirectory(prefix="bh") as name, daemon_in(Path(name), ONE_SLOT) as found:
        yield found


def edit(daemon: DaemonProcess, **values: Any) -> dict[str, Any]:
    """Change the draft; ``__`` stands for the dot."""
    named = {name.replace("__", "."): value for name, value in values.items()}
    return dict(daemon.client.post("/v1/config/draft", {"values": named, "author": "anna"}))


def apply(daemon: DaemonProcess) -> dict[str, Any]:
    """Put the draft in force."""
    return dict(daemon.client.post("/v1/config/apply", {"author": "anna"}, timeout_s=60))


def opened(daemon: DaemonProcess) -> dict[str, Any]:
    """Return the openings of all groups by symbol."""
    events = [record.event for record in daemon.records()]
    return {event.opening.symbol: event.opening for event in events if isinstance(event, SlotTaken)}


def test_settings_change_while_groups_are_open(daemon: DaemonProcess) -> None:
    """More slots let the waiting signal in at once, under the new targets; the open group keeps its own (EX-1307)."""
    pid = daemon.up()["pid"]
    url = daemon.status()["webhook_url"]
    assert post(url, entry("t1", "BTC/USDT"))[0] == 200
    first = at_rest(daemon, ORDERS)
    assert post(url, entry("t2", "ETH/USDT"))[1]["outcome"] == "accepted"
    edit(daemon, execution_pool__max_open_groups=2, grid_strategy__levels=LEVELS)
    foreseen = daemon.client.post("/v1/config/preview", {})
    assert [key.split("|")[2] for key in foreseen["pools"][0]["entering"]] == ["ETH/USDT"]
    typed = daemon.client.post("/v1/config/preview", {"edits": {"execution_pool.max_open_groups": 0}})
    assert [error["path"] for error in typed["errors"]] == ["execution_pool.max_open_groups"]
    sample = {"symbol": "BTC/USDT", "edits": {"execution_pool.max_open_groups": None}}
    ((ladder,), layers) = (daemon.client.post("/v1/config/preview", sample)[each] for each in ("ladders", "layers"))
    assert (ladder["sample"]["entry_price"] > "0", [each["tp_percent"] for each in layers["0"]]) == (True, ["7"])
    assert daemon.client.get("/v1/config")["draft"]["execution_pool.max_open_groups"] == 2
    assert len(opened(daemon)) == 1
    assert apply(daemon)["version"] == 2
    eventually(lambda: set(opened(daemon)) == {"BTC/USDT", "ETH/USDT"}, "the waiting signal entered")
    targets = {symbol: {str(level.tp_percent) for level in one.config.levels} for symbol, one in opened(daemon).items()}
    assert targets["ETH/USDT"] == {"7"}
    assert targets["BTC/USDT"] == {"1", "0.5", "2", "1.5"}
    after = at_rest(daemon, ORDERS + 2)
    assert first["orders"].items() <= after["orders"].items()
    assert daemon.process.pid == pid
    assert "# One at a time." in daemon.file.read_text()
    assert from_toml(daemon.file.read_text())["execution_pool.max_open_groups"] == 2


def test_a_refused_apply_changes_nothing(daemon: DaemonProcess) -> None:
    """A listener that cannot take its new port takes the whole version back, by name (EX-1307)."""
    daemon.up()
    busy = daemon.status()["webhook_url"].split(":")[2].split("/")[0]
    edit(daemon, webhook__host="203.0.113.1", webhook__port=int(busy), execution_pool__max_open_groups=5)
    with pytest.raises(DaemonRefused) as refused:
        apply(daemon)
    assert (refused.value.code, refused.value.body["path"]) == ("ApplyFailed", "/operators/webhook")
    found = daemon.client.get("/v1/config")
    assert (found["version"], found["document"]["execution_pool.max_open_groups"]) == (1, 1)
    assert from_toml(daemon.file.read_text())["execution_pool.max_open_groups"] == 1
    eventually(lambda: post_works(daemon), "the listener is back")


def post_works(daemon: DaemonProcess) -> bool:
    """Tell whether an alert is taken."""
    url = daemon.status()["webhook_url"]
    return not url.split(":")[2].startswith("0/") and post(url, entry("t9", "BTC/USDT"))[0] == 200


def test_old_groups_fold_the_same_under_any_later_settings(daemon: DaemonProcess) -> None:
    """Every key that a group takes is changed while it is down: groups and orders are what they were (EX-326, EX-1202)."""
    daemon.up()
    assert post(daemon.status()["webhook_url"], entry("t1", "BTC/USDT"))[0] == 200
    before = at_rest(daemon, ORDERS)
    assert daemon.end(signal.SIGTERM) == 0
    daemon.file.write_text(ONE_SLOT.partition("[signal]")[0] + OTHER)
    daemon.up()
    assert daemon.client.get("/v1/config")["version"] == 2
    assert at_rest(daemon, ORDERS) == before


@pytest.mark.parametrize("wait_ms", [1, 6, 15, 40, 90, 160])
def test_killed_within_an_apply_one_version_is_in_force(daemon: DaemonProcess, wait_ms: int) -> None:
    """SIGKILL at any moment of an apply: afterwards n or n+1 is in force, in the pool and in config.toml alike (EX-1307)."""
    daemon.up()
    edit(daemon, execution_pool__max_open_groups=7)
    applying = threading.Thread(target=_apply_until_killed, args=(daemon,))
    killing = threading.Timer(wait_ms / 1000, daemon.process.kill)
    applying.start()
    killing.start()
    applying.join()
    killing.join()
    daemon.process.wait()
    daemon.up()
    found = daemon.client.get("/v1/config")
    slots = found["document"]["execution_pool.max_open_groups"]
    assert (found["version"], slots) in ((1, 1), (2, 7))
    eventually(lambda: from_toml(daemon.file.read_text()).get("execution_pool.max_open_groups") == slots, "file")
    rows = {row["path"]: row["detail"] for row in daemon.client.get("/v1/ps")["actors"]}
    assert f"/ {slots} slots" in rows["/risk/pool-paper"]
    assert found["draft"] is None or slots == 1


def _apply_until_killed(daemon: DaemonProcess) -> None:
    try:
        apply(daemon)
    except (DaemonNotRunning, DaemonRefused, ValueError):
        return


def bulkhead(daemon: DaemonProcess, *words: str, code: int = 0) -> str:
    """Run a command of ``bulkhead config`` and return what it prints."""
    done = CliRunner().invoke(app, ["config", *words, "--config", str(daemon.file)])
    assert done.exit_code == code, done.output
    return done.output


def test_the_commands(daemon: DaemonProcess) -> None:
    """Everything is done from the command line: edit, look, apply, go back, back up, restore (EX-1306, EX-1310, EX-1311)."""
    daemon.up()
    assert "no draft; version 1" in bulkhead(daemon, "diff")
    assert "1 -> 3" in bulkhead(daemon, "set", "execution_pool.max_open_groups", "3")
    assert "-7" in bulkhead(daemon, "set", "risk.loss_percent_trigger", "-7")
    assert "WrongType" in bulkhead(daemon, "set", "execution_pool.queue_limit", "many", code=1)
    assert "1 -> 3 (at once)" in bulkhead(daemon, "preview", "--symbol", "BTC/USDT", "--price", "60000")
    assert "version 2 is in force" in bulkhead(daemon, "apply")
    assert "NothingToApply" in bulkhead(daemon, "apply", code=1)
    assert "execution_pool.max_open_groups" in bulkhead(daemon, "versions")
    assert "3 -> 1" in bulkhead(daemon, "diff", "2", "1")
    backup = daemon.folder / "settings.json"
    bulkhead(daemon, "backup", str(backup))
    assert "3 -> 1" in bulkhead(daemon, "reapply", "1")
    assert "no draft" in bulkhead(daemon, "discard")
    assert "3 -> default" in bulkhead(daemon, "reset")
    assert "no draft" in bulkhead(daemon, "restore", str(backup))
    assert "UnknownKey" in bulkhead(daemon, "show", "execution_pol", code=2)
    assert bulkhead(daemon, "show", "execution_pool.max_open_groups").count("3") >= 1
    assert "3 -> default" in bulkhead(daemon, "unset", "execution_pool.max_open_groups")


def test_a_file_that_is_being_edited_does_not_keep_us_from_asking(daemon: DaemonProcess) -> None:
    """While config.toml holds mistakes the daemon is asked all the same, and says what is wrong (EX-1306)."""
    daemon.up()
    daemon.file.write_text(ONE_SLOT.replace("max_open_groups = 1", "max_open_groups = 0"))
    eventually(lambda: "OutOfRange" in bulkhead(daemon, "diff"), "the mistake is in the draft")
    assert "OutOfRange" in bulkhead(daemon, "apply", code=1)
