"""The log, console, tree, notifications, injection, traces and settings on a real daemon."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from protocol.event_log import OperatorActed
from tests.system.process import CONFIG, daemon_in
from tests.tui.rig import Rig, cockpit
from tests.tui.test_cockpit_daemon import WallClock
from tests.tui.test_settings import choose
from tui.link import DaemonLink
from tui.panels import PANELS

pytestmark = [pytest.mark.anyio, pytest.mark.slow(seconds=25)]


async def test_a_daemon_is_looked_into_from_the_cockpit(tmp_path: Path) -> None:
    """A signal is injected, traced and found in the log; an actor is quarantined and released; the console has figures."""
    with daemon_in(tmp_path, CONFIG) as daemon:
        daemon.up()
        link = DaemonLink(socket=daemon.config.socket_path)
        async with cockpit(link=link, clock=WallClock(), size=(150, 44), panels=PANELS) as rig:
            await rig.press("i")
            await rig.until(lambda: rig.app.query("#fields Input"), "the fields are there")
            texts = {"symbol": "BTC/USDT", "timeframe": "1h", "side": "long", "size": "500", "size_type": "quote"}
            for field in rig.app.query("#fields Input").results(Input):
                field.value = texts.get(str(field.name), "")
            await rig.press("f9")
            await rig.sees("checked: nothing was sent")
            await rig.sees("paper slot")
            await rig.press("ctrl+s")
            await rig.sees("Send this?")
            await rig.press("y")
            await rig.sees('"routed": "opened')
            rig.app.set_focus(None)
            await rig.press("2")
            await rig.sees("BTC/USDT")
            await rig.press("t")
            await rig.sees("signal")
            await rig.sees("WHY")
            await rig.until(lambda: len(rig.app.state.rows("explain", "sentences")) > 2, "the sentences")
            await rig.press("5")
            await rig.until(lambda: rig.app.state.rows("log", "events"), "lines of the log")
            await rig.type("log category order")
            await rig.until(
                lambda: {row["source"] for row in rig.app.state.rows("log", "events")} == {"order"}, "orders only"
            )
            file = tmp_path / "log.csv"
            rig.app.run_text(f"log-export {file}")
            await rig.until(file.exists, "the export")
            await rig.press("7")
            await rig.sees("STORAGE")
            await rig.sees("● up")
            await rig.press("0")
            rig.app.panel().search("coordinator")
            await rig.sees("RiskCoordinator")
            await rig.press("enter")
            await rig.sees("PauseEngine")
            await rig.press("Q")
            await rig.sees("Quarantine this actor?")
            await rig.press("y")
            await rig.sees("✖ quarantined")
            await rig.press("l")
            await rig.sees("Release this actor?")
            await rig.press("y")
            await rig.until(lambda: "✖ quarantined" not in rig.text, "it runs again")
            await rig.press("n")
            await rig.sees("notifications")
            await _settings(rig)
        assert len(list((daemon.config.app.data_dir / "backups").iterdir())) == 1
        acted = [record.event for record in daemon.records() if isinstance(record.event, OperatorActed)]
    done = [event.command for event in acted if event.outcome == "done"]
    asked = ("signal", "quarantine", "release", "config/apply", "backups")
    assert [each for each in asked if not any(each in name for name in done)] == []


async def _settings(rig: Rig) -> None:
    """Write layers and an override as the daemon has them, look at the ladder it reckons, apply, back everything up."""
    await rig.press("escape", "6")
    await choose(rig, "grid_strategy", "grid_strategy.levels")
    await rig.sees("BTC/USDT long at")
    await rig.press("f2", "f8")
    await rig.sees("dca gap percent")
    await rig.press("2", "down", "1", "down", "3")
    await rig.sees("3 layers less")
    await rig.press("ctrl+s")
    await rig.sees("default → 2")
    await choose(rig, "grid_strategy.overrides")
    await rig.press("down", *"BTC/USDT", "down", "down", *"tp_percent", "down", "2", "ctrl+s")
    await rig.until(lambda: len(rig.app.state.get("config")["changes"]) == 4, "all of it is in the draft")
    await rig.press("A")
    await rig.sees("Put 4 changes in force?")
    await rig.press("y")
    await rig.until(lambda: rig.app.state.get("config")["version"] == 2, "it is in force")
    await rig.press("B")
    await rig.sees("Back up the whole installation?")
    await rig.press("y")
    await rig.until(lambda: "files read back and right" in rig.said, "the manifest's answer")
