"""A trader with nothing but a phone, against a running daemon and a local Bot API server; killed in the middle, too."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from protocol.event_log import OperatorActed
from protocol.groups import CloseStarted, GroupOpened
from protocol.risk import EngineStatus, EngineStatusChanged
from protocol.telegram import PhoneTaken
from tests.servers.telegram import TOKEN, Shown, TelegramServer
from tests.system.process import CONFIG, DaemonProcess, daemon_in

pytestmark = pytest.mark.slow(seconds=30)

PHONE = 7
WATCHER = 8
STRANGER = 9
TABLET = 10
MORE = """
[telegram]
enabled = true
url = "{url}"
pace_ms = 20
[[telegram.members]]
chat = 7
user = 7
role = "admin"
[[telegram.members]]
chat = 10
role = "admin"
[[telegram.members]]
chat = 8
role = "watch"
"""
HELD = """
[approvals]
entries = true
"""


class Phone:
    """What a person does with the phone, and the daemon on the other side."""

    def __init__(self, server: TelegramServer, daemon: DaemonProcess) -> None:
        self.server = server
        self.daemon = daemon

    async def up(self) -> None:
        await asyncio.to_thread(self.daemon.up)

    async def see(self, words: str, *, chat: int = PHONE, after: int = 0) -> Shown:
        """Wait until a message that says this stands in a chat."""

        def found() -> Shown | None:
            return next((each for each in self.server.chats.get(chat, [])[after:] if words in each.text), None)

        try:
            shown: Shown = await self.server.until(found, 40.0)
        except TimeoutError:
            pytest.fail(f"nothing says {words!r}: {self.server.seen(chat)[after:]}")
        return shown

    async def say(self, text: str, words: str, *, chat: int = PHONE) -> Shown:
        """Write a command and wait for the answer that says this."""
        after = len(self.server.seen(chat))
        self.server.write(chat, text)
        return await self.see(words, chat=chat, after=after)

    async def tap(self, shown: Shown, label: str, words: str) -> Shown:
        """Tap a button and wait for what it leads to."""
        after = len(self.server.seen(shown.chat))
        self.server.tap(shown, label)
        return await self.see(words, chat=shown.chat, after=after)

    async def enter(self, symbol: str) -> None:
        """Have a strategy enter a market, as an alert would."""
        body = {"kind": "entry", "venue": "binance", "symbol": symbol, "timeframe": "1h", "side": "long", "size": "500"}
        await asyncio.to_thread(self.daemon.client.post, "/v1/signal", {**body, "size_type": "quote", "user": "trader"})

    async def get(self, path: str) -> Any:
        return await asyncio.to_thread(self.daemon.client.get, path)

    async def until(self, path: str, holds: Callable[[Any], Any]) -> Any:
        async with asyncio.timeout(40):
            while not holds(found := await self.get(path)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # house: another process has no clock of ours
        return found

    def events(self, kind: type) -> list[Any]:
        return [record.event for record in self.daemon.records() if isinstance(record.event, kind)]


@asynccontextmanager
async def phone(folder: Path, more: str = "") -> AsyncIterator[Phone]:
    """Have a daemon that serves a phone, ready for commands."""
    async with TelegramServer() as server:
        with daemon_in(folder, CONFIG + MORE.format(url=server.url) + more) as daemon:
            os.environ["BULKHEAD_TELEGRAM__TOKEN"] = TOKEN
            one = Phone(server, daemon)
            await one.up()
            yield one
            assert await asyncio.to_thread(daemon.end, signal.SIGTERM) == 0
            assert daemon.left_behind() == []
            assert TOKEN not in (folder / "log").read_text()


def play(
    folder: Path, monkeypatch: pytest.MonkeyPatch, script: Callable[[Phone], Awaitable[None]], more: str = ""
) -> None:
    monkeypatch.setenv("BULKHEAD_TELEGRAM__TOKEN", TOKEN)

    async def main() -> None:
        async with phone(folder, more) as one:
            await script(one)

    asyncio.run(main())


async def approving(one: Phone) -> str:
    """Approve two entries and reject one; return the group of the first."""
    await one.enter("BTC/USDT")
    prompt = await one.see("Approve? entry long BTC/USDT")
    tapped = prompt.buttons["Approve"]
    await one.tap(prompt, "Approve", "approved: entry long BTC/USDT")
    await one.see("approved by telegram:7")
    assert not prompt.buttons
    one.server.tap(prompt, "", data=tapped)  # the same tap again changes nothing
    await one.see("Nothing was done")
    await one.enter("ETH/USDT")
    await one.tap(await one.see("Approve? entry long ETH/USDT"), "Reject", "rejected: entry long ETH/USDT")
    groups = (await one.until("/v1/groups?open=1", lambda said: said["groups"]))["groups"]
    assert [each["symbol"] for each in groups] == ["BTC/USDT"]
    await one.enter("SOL/USDT")
    await one.tap(await one.see("Approve? entry long SOL/USDT"), "Approve", "approved: entry long SOL/USDT")
    groups = (await one.until("/v1/groups?open=1", lambda said: len(said["groups"]) == 2))["groups"]
    return next(str(each["group_id"]) for each in groups if each["symbol"] == "BTC/USDT")


async def closing(one: Phone, first: str) -> None:
    """Close one group, pause, close all that is left: only with the right code."""
    await one.say("/close nonsense", "UnknownTicket")
    asked = await one.say(f"/close {first}", "Tap Confirm")
    assert first in asked.text
    assert "BTC/USDT" in asked.text
    await one.tap(asked, "Confirm", "Closing")
    await one.until("/v1/groups?open=1", lambda said: len(said["groups"]) == 1)
    assert "SOL/USDT" in (await one.say("/positions", "SOL/USDT")).text
    await one.say("/pause", "Paused")
    await one.say("/pause", "You may not", chat=WATCHER)
    asked = await one.say("/closeall", "Close 1 groups")
    code = asked.text.rpartition("/confirm ")[2][:6]
    await one.say("/closeall 000000" if code != "000000" else "/closeall 000001", "code is wrong")
    await one.say(f"/closeall {code}", "no such code")
    asked = await one.say("/closeall", "Close 1 groups")
    await one.say(f"/closeall {asked.text.rpartition('/confirm ')[2][:6]}", "Closing")
    await one.until("/v1/groups?open=1", lambda said: not said["groups"])
    assert "closed" in (await one.say("/pnl", "net")).text


async def looking_around(one: Phone) -> None:
    """Stop and arm the account, and use every other command once, from another chat: one has 20 commands a minute."""
    await one.say("/stop", "is stopped until an admin arms it", chat=TABLET)
    assert "STOPPED" in (await one.say("/status", "STOPPED", chat=TABLET)).text
    await one.tap(await one.say("/arm", "Tap Confirm", chat=TABLET), "Confirm", "is armed")
    for command, words in (
        ("/queue", "slots free"),
        ("/risk", "paper:"),
        ("/latency", "paper:"),
        ("/approvals", "Nothing waits"),
        ("/news", "no calendar"),
        ("/alerts", "alert"),
        ("/help", "/closeall"),
        ("/promote q9", "NotQueued"),
        ("/ack", "Acknowledged"),
    ):
        await one.say(command, words, chat=TABLET)
    await one.tap(await one.say("/run", "Tap Confirm", chat=TABLET), "Confirm", "done")


def test_the_phone_is_enough_to_steer_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1504, EX-1611, ML-1082, DK-155: approve, reject, pause, close one or all, status, P&L; each is in the audit log."""

    async def script(one: Phone) -> None:
        assert "engine running" in (await one.say("/status", "engine")).text
        await closing(one, await approving(one))
        await looking_around(one)
        one.server.write(STRANGER, "/closeall")
        await one.say("/status", "engine paused")
        assert one.server.seen(STRANGER) == []

    play(tmp_path, monkeypatch, script, HELD)
    daemon = DaemonProcess.__new__(DaemonProcess)
    daemon.folder, daemon.file = tmp_path, tmp_path / "config.toml"
    acted = [record.event for record in daemon.records() if isinstance(record.event, OperatorActed)]
    mine = [(each.command, each.outcome.partition(":")[0]) for each in acted if each.operator == "telegram:7"]
    assert all(each.origin == "telegram chat 7" for each in acted if each.operator == "telegram:7")
    assert {("/status", "done"), ("/approve", "done"), ("/close", "done"), ("/pause", "done"), ("/pnl", "done")} <= {
        *mine
    }
    assert mine.count(("/closeall", "done")) == 1
    assert ("/pause", "refused") in [
        (e.command, e.outcome.partition(":")[0]) for e in acted if e.operator == "telegram:8"
    ]


def test_killed_in_the_middle_nothing_acts_twice_and_no_alert_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ML-1082, DK-155: kill -9 after a confirmation while Telegram fails: one close, one pause, every alert is told."""

    async def script(one: Phone) -> None:
        await one.enter("BTC/USDT")
        await one.until("/v1/groups?open=1", lambda said: said["groups"])
        await one.see("buy")
        asked = await one.say("/closeall", "Close 1 groups")
        one.server.fail("sendMessage", "broken", times=3)
        one.server.tap(asked, "Confirm")
        await one.until("/v1/groups", lambda said: said["groups"][0]["state"] in ("closing", "closed"))
        await asyncio.to_thread(one.daemon.end, signal.SIGKILL)
        one.server.write(PHONE, "/pause")
        one.server.write(PHONE, "/pause")
        await one.up()
        await one.see("Paused")
        await one.until("/v1/groups?open=1", lambda said: not said["groups"])
        await one.say("/status", "engine paused")
        closed = await one.until(
            "/v1/notifications", lambda said: any(e["type"] == "group.closed" for e in said["notifications"])
        )
        for each in closed["notifications"]:
            if each["severity"] == "critical" or each["type"] == "group.closed":
                await one.see(each["title"])

    play(tmp_path, monkeypatch, script)
    daemon = DaemonProcess.__new__(DaemonProcess)
    daemon.folder, daemon.file = tmp_path, tmp_path / "config.toml"
    records = [record.event for record in daemon.records()]
    assert sum(isinstance(each, CloseStarted) for each in records) == 1
    assert sum(isinstance(each, GroupOpened) for each in records) == 1
    paused = [each for each in records if isinstance(each, EngineStatusChanged) and each.status is EngineStatus.PAUSED]
    assert len(paused) == 1
    taken = [each.update_id for each in records if isinstance(each, PhoneTaken)]
    assert len(taken) == len(set(taken))
