"""A trader with nothing but a phone, against a running daemon and a local Bot API server; killed in the middle, too."""

from __future__ import annotations

import asyncio
import signal
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from protocol.configuration import ConfigApplied
from protocol.event_log import OperatorActed
from protocol.groups import CloseStarted, GroupOpened
from protocol.risk import AccountPaused, EngineStatus, EngineStatusChanged
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


@asynccontextmanager
async def phone(folder: Path) -> AsyncIterator[Phone]:
    """Have a daemon that serves a phone and asks before it enters, ready for commands."""
    async with TelegramServer() as server:
        with daemon_in(folder, CONFIG + MORE.format(url=server.url)) as daemon:
            one = Phone(server, daemon)
            await one.up()
            yield one
            assert await asyncio.to_thread(daemon.end, signal.SIGTERM) == 0
            assert server.last(PHONE).text.startswith("bulkhead stops now")
            assert daemon.left_behind() == []
            log = (folder / "log").read_text()
            assert TOKEN not in log
            assert "Unclosed" not in log, "the line to Telegram is closed, not only dropped"


async def approving(one: Phone) -> str:
    """Approve two entries and reject one; return the group of the first."""
    await one.enter("BTC/USDT")
    prompt = await one.see("Approve? Enter long BTC/USDT 1h at")
    assert ", 500 USDT" in prompt.text
    tapped = prompt.buttons["Approve"]
    await one.tap(prompt, "Approve", "approved: Enter long BTC/USDT")
    await one.see("approved by Telegram user 7")
    assert not prompt.buttons
    one.server.tap(prompt, "", data=tapped)  # the same tap again changes nothing
    await one.see("Nothing was done")
    await one.enter("ETH/USDT")
    await one.tap(await one.see("Approve? Enter long ETH/USDT"), "Reject", "rejected: Enter long ETH/USDT")
    groups = (await one.until("/v1/groups?open=1", lambda said: said["groups"]))["groups"]
    assert [each["symbol"] for each in groups] == ["BTC/USDT"]
    await one.enter("SOL/USDT")
    await one.see("Approve? Enter long SOL/USDT")
    asked = await one.tap(await one.say("/approvals", "a3: Enter long", chat=TABLET), "Approve a3", "Tap Confirm")
    await one.tap(asked, "Confirm", "approved: Enter long SOL/USDT")
    groups = (await one.until("/v1/groups?open=1", lambda said: len(said["groups"]) == 2))["groups"]
    return next(str(each["group_id"]) for each in groups if each["symbol"] == "BTC/USDT")


async def closing(one: Phone, first: str) -> None:
    """Close one group from the list of them, pause; a wrong code closes nothing."""
    await one.say("/close nonsense", "UnknownTicket")
    listed = await one.say("/positions", first)
    assert "SOL/USDT 1h long: " in listed.text
    asked = await one.tap(listed, "Close BTC/USDT long", "Tap Confirm")
    assert first in asked.text
    await one.tap(asked, "Confirm", "Closing BTC/USDT 1h long")
    await one.until("/v1/groups?open=1", lambda said: len(said["groups"]) == 1)
    await one.see("BTC/USDT 1h long closed by an operator: -")
    await one.say("/pause", "Paused: paper")
    await one.say("/pause", "You may not", chat=WATCHER)
    asked = await one.say("/closeall", "Close 1 group")
    code = asked.text.rpartition("/confirm ")[2][:6]
    await one.say("/closeall 000000" if code != "000000" else "/closeall 000001", "code is wrong")
    await one.say(f"/closeall {code}", "no such code")


async def looking_around(one: Phone) -> None:
    """Stop and arm the account, apply a draft, and use every other command once, from another chat."""
    await one.say("/stop", "is stopped until an admin arms it", chat=TABLET)
    assert "STOPPED" in (await one.say("/status", "STOPPED", chat=TABLET)).text
    await one.tap(await one.say("/arm", "Tap Confirm", chat=TABLET), "Confirm", "is armed")
    edit = {"values": {"execution_pool.max_open_groups": 7}, "author": "ann"}
    await asyncio.to_thread(one.daemon.client.post, "/v1/config/draft", edit)
    await one.say("/draft", "max_open_groups: default -> 7", chat=TABLET)
    asked = await one.say("/apply", "Put these settings in force", chat=TABLET)
    await one.tap(asked, "Confirm", "are in force")
    for command, words in (
        ("/queue", "6 of 7 slots free"),
        ("/risk", "paper:"),
        ("/latency", "signal to order: p50"),
        ("/news", "No economic calendar"),
        ("/alerts", "alert"),
        ("/help", "/closeall"),
        ("/promote q9", "NotQueued"),
        ("/ack", "Acknowledged"),
        ("/pnl", "1 closed"),
    ):
        await one.say(command, words, chat=TABLET)
    await one.tap(await one.say("/run", "Tap Confirm", chat=TABLET), "Confirm", "done")
    await one.tap(await one.say("/resume", "Tap Confirm", chat=TABLET), "Confirm", "Resumed: paper")


async def killed(one: Phone) -> None:
    """Close all, and kill the daemon while Telegram fails."""
    asked = await one.say("/closeall", "Close 1 group")
    one.server.fail("sendMessage", "broken")
    one.server.tap(asked, "Confirm")
    await one.until("/v1/groups", lambda said: said["groups"][0]["state"] in ("closing", "closed"))
    await asyncio.to_thread(one.daemon.end, signal.SIGKILL)
    one.server.write(PHONE, "/pause")
    one.server.write(PHONE, "/pause")
    after = len(one.server.seen(PHONE))
    await one.up()
    await one.see("Paused", after=after)
    await one.until("/v1/groups?open=1", lambda said: not said["groups"])
    closed = await one.until(
        "/v1/notifications", lambda said: sum(e["type"] == "group.closed" for e in said["notifications"]) == 2
    )
    for each in closed["notifications"]:
        if each["severity"] == "critical" or each["type"] == "group.closed":
            await one.see(each["title"])
    status = await one.say("/status", "PAUSED until resumed: by Telegram user 7")
    assert "engine running" in status.text
    assert "model: none" in status.text
    await one.say("/pause all", "Paused: no new entries of any account", chat=TABLET)
    await one.tap(
        await one.say("/resume", "Tap Confirm"), "Confirm", "the engine is paused: by Telegram user 10: /resume all"
    )
    await one.say("/resume", "paper is not paused by itself. Its entries still wait, the engine is paused")
    await one.tap(await one.say("/resume all", "Tap Confirm"), "Confirm", "Resumed: the engine is running")


def test_the_phone_is_enough_to_steer_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1504, EX-1611, ML-1082, DK-155: approve, reject, pause, close one or all, settings, status, P&L, pictures.

    Killed in the middle, each command acts once and no alert is lost; the audit log has all of them.
    """
    monkeypatch.setenv("BULKHEAD_TELEGRAM__TOKEN", TOKEN)

    async def main() -> None:
        async with phone(tmp_path) as one:
            assert "engine running" in (await one.say("/status", "engine")).text
            first = await approving(one)
            one.server.write(PHONE, "/chart")
            await closing(one, first)
            await looking_around(one)
            picture = await one.see("Equity, the last 30 days")
            assert struct.unpack(">4xII", picture.photo[12:24]) == (1_600, 900)
            one.server.write(STRANGER, "/closeall")
            await killed(one)
            assert one.server.seen(STRANGER) == []

    asyncio.run(main())
    daemon = DaemonProcess.__new__(DaemonProcess)
    daemon.folder, daemon.file = tmp_path, tmp_path / "config.toml"
    audited([record.event for record in daemon.records()])


def audited(events: list[Any]) -> None:
    """The audit log says who did what from where; what was asked for once was done once."""
    acted = [each for each in events if isinstance(each, OperatorActed)]
    mine = [each for each in acted if each.operator == "telegram:7"]
    assert {each.origin for each in mine} == {"telegram chat 7"}
    done = [each.command for each in mine if each.outcome.startswith("done")]
    assert {"/status", "/approve", "/close", "/pause", "/positions", "/chart"} <= {*done}
    assert done.count("/closeall") == 1
    assert "refused" in next(each.outcome for each in acted if each.operator == "telegram:8")
    assert "/apply" in [each.command for each in acted if each.operator == "telegram:10"]
    assert [each.author for each in events if isinstance(each, ConfigApplied)][-1] == "telegram:10"
    assert sum(isinstance(each, CloseStarted) for each in events) == 2
    assert sum(isinstance(each, GroupOpened) for each in events) == 2
    paused = [each for each in events if isinstance(each, EngineStatusChanged) and each.status is EngineStatus.PAUSED]
    assert len(paused) == 1
    assert [each.account for each in events if isinstance(each, AccountPaused)] == ["paper", "paper"]
    taken = [each.update_id for each in events if isinstance(each, PhoneTaken)]
    assert len(taken) == len(set(taken))
