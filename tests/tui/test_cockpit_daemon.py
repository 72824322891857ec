"""The cockpit on a real daemon: it shows what trades, closes it, pauses and resumes, and lives through a restart."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from protocol.event_log import OperatorActed
from tests.system.process import CONFIG, daemon_in
from tests.tui.rig import Clock, Rig, cockpit
from tui.link import DaemonLink

pytestmark = [pytest.mark.anyio, pytest.mark.slow(seconds=20)]

SLOTS = "[execution_pool]\nmax_open_groups = 1\n"


class WallClock(Clock):
    """The clock of the wall: a daemon in a process of its own has no other."""

    def __call__(self) -> int:
        return time.time_ns()


async def entered(rig: Rig, symbol: str) -> None:
    """Send a signal by hand."""
    body = {"symbol": symbol, "kind": "entry", "side": "long", "size": "500", "size_type": "quote", "timeframe": "1h"}
    said = await rig.link.post("/v1/signal?wait=5", body)
    assert said["routed"].partition(":")[0] in ("opened", "queued"), said


def open_symbols(rig: Rig) -> set[str]:
    """Return what the open groups trade."""
    return {row["symbol"] for row in rig.app.state.rows("groups", "groups")}


async def test_a_daemon_is_steered_from_the_cockpit(tmp_path: Path) -> None:
    """Each panel shows the daemon's own answers; close, promote, pause and resume come about; a restart is survived."""
    with daemon_in(tmp_path, CONFIG + SLOTS) as daemon:
        daemon.up()
        link = DaemonLink(socket=daemon.config.socket_path)
        async with cockpit(link=link, clock=WallClock(), size=(140, 40)) as rig:
            for symbol in ("BTC/USDT", "ETH/USDT"):
                await entered(rig, symbol)
            await rig.press("2")
            await rig.sees("BTC/USDT")
            await rig.press("enter")
            await rig.sees("PYRAMIDS  1 of 5")
            await rig.sees("P0 DCA4")
            await rig.press("escape", "4")
            await rig.sees("pool full")
            await rig.press("3")
            await rig.sees("DECISIONS")
            await rig.press("1", "p")
            await rig.sees("Stop new entries?")
            await rig.press("y")
            await rig.sees("Ⅱ PAUSED")
            await rig.press("p")
            await rig.sees("Allow entries again?")
            await rig.press("y")
            await rig.sees("● RUNNING")
            await rig.press("2", "x")
            await rig.sees("Close the whole group?")
            await rig.press("y")
            await rig.sees("is being closed  →")
            await rig.until(lambda: open_symbols(rig) == {"ETH/USDT"}, "only the promoted one is left")
            await asyncio.to_thread(daemon.end, signal.SIGTERM)
            await rig.sees("NO CONNECTION")
            await asyncio.to_thread(daemon.up)
            await rig.until(lambda: "NO CONNECTION" not in rig.text, "it is back")
            await rig.sees("ETH/USDT")
        acted = [record.event for record in daemon.records() if isinstance(record.event, OperatorActed)]
    done = [event.command for event in acted if event.outcome == "done"]
    assert [each for each in ("pause", "resume", "close") if not any(each in command for command in done)] == []
