"""The bridge to Telegram: commands act once, nothing is lost or sent twice unsaid, strangers get nothing."""

from __future__ import annotations

import asyncio

import pytest

from protocol.event_log import OperatorActed
from protocol.telegram import Button, PhoneTaken
from tests.actors.cast import FailingJournal, Stage, play
from tests.actors.telegram_rig import (
    ADMIN,
    BRIDGE,
    GROUP,
    SETTINGS,
    WATCHER,
    WIRE,
    FakeSeat,
    Telegram,
    crash,
    house,
    logged,
    ready,
)


def acted(stage: Stage) -> list[tuple[str, str, str]]:
    return [(each.operator, each.command, each.outcome) for each in stage.events("/store/events", OperatorActed)]


def test_a_command_is_carried_out_answered_and_in_the_audit_log() -> None:
    """ML-1082: a command becomes the house's act, its result is reported back, who asked from where is in the log."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        number = telegram.write("/PAUSE@bot")
        await stage.passes(1)
        assert seat.acts == [("/pause", (), f"tg{number}")]
        assert telegram.said() == ["did /pause"]
        assert acted(stage) == [("telegram:7", "/pause", "done: did /pause")]
        assert telegram.offsets[-1] == number + 1

    play(script)


def test_strangers_get_no_reply_and_raise_one_alert_an_hour() -> None:
    """ML-1080, DK-155: no reply, no effect, one alert an hour; a known chat's unknown user is a stranger too."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        for _ in range(3):
            telegram.write("/closeall", chat=99)
            telegram.write("/pause", chat=GROUP, user=71)
            telegram.tap("c:123", chat=99)
            await stage.passes(600)
        assert seat.acts == []
        assert [
            item for item in telegram.seen if item.chat != ADMIN and item.chat != WATCHER and item.chat != GROUP
        ] == []
        assert len(logged(stage, "TelegramStranger")) == 1
        await stage.passes(3_600)
        telegram.write("/pause", chat=99)
        await stage.passes(1)
        assert len(logged(stage, "TelegramStranger")) == 2

    play(script)


def test_talk_in_a_group_is_left_alone() -> None:
    """ML-1081: what is no command is told so to one person, and in a group to nobody."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.write("lunch?", chat=GROUP, user=70)
        telegram.write("lunch?")
        await stage.passes(5)
        assert telegram.said(GROUP) == []
        assert telegram.said() == ["Commands begin with /. /help lists them."]

    play(script)


def test_what_trades_is_named_and_confirmed_once() -> None:
    """EX-1504, EX-1603, DK-155: the effect is named, the button acts once, a second tap and an old one change nothing."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.write("/close g1")
        await stage.passes(1)
        assert seat.acts == []
        asked = telegram.last()
        assert asked.text.startswith("do it")
        confirm, cancel = (each.data for each in asked.buttons)
        for data in (confirm, confirm, cancel):
            telegram.tap(data)
            await stage.passes(1)
        assert [each[:2] for each in seat.acts] == [("/close", ("g1",))]
        assert telegram.toasts[1].startswith("This was dealt with")

    play(script)


def test_what_is_closed_is_what_was_shown() -> None:
    """EX-1603: confirming closes the groups that were named, not those that there are by then."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        seat.naming = seat.naming._replace(args=("g1", "g2"))
        await ready(stage, telegram, seat)
        telegram.write("/closeall")
        await stage.passes(1)
        seat.naming = seat.naming._replace(args=("g3",))
        telegram.tap(telegram.last().buttons[0].data)
        await stage.passes(1)
        assert [each[:2] for each in seat.acts] == [("/closeall", ("g1", "g2"))]

    play(script)


def test_a_button_types_a_command_and_is_judged_like_one() -> None:
    """EX-1504, EX-1614: a tap below a list is what it types: confirmed, refused to a watcher, counted, acknowledged."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        seat.buttons = (Button("Close BTC/USDT", "t:/close g1"),)
        await ready(stage, telegram, seat)
        telegram.write("/positions")
        await stage.passes(1)
        assert telegram.last().buttons == seat.buttons
        telegram.tap("t:/close g1", chat=WATCHER)
        telegram.tap("t:/close g1")
        await stage.passes(1)
        assert telegram.said(WATCHER) == ["You may not do this from here."]
        assert seat.acts == []
        telegram.tap(telegram.last().buttons[0].data)
        await stage.passes(1)
        assert [each[:2] for each in seat.acts] == [("/close", ("g1",))]
        assert telegram.toasts[:2] == ["", ""]

    play(script)


def test_codes_are_made_of_the_chance_that_came_with_the_mail() -> None:
    """EX-1504: who knows the code and every earlier message cannot tell the next code; two lives have different ones."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        codes = []
        for salt in ("one", "two", "one"):
            telegram.salt = salt
            telegram.write("/closeall")
            await stage.passes(2)
            codes.append(telegram.last().text.rpartition("/confirm ")[2][:6])
        assert len(set(codes)) == 3
        assert all(len(code) == 6 and code.isdigit() for code in codes)

    play(script)


def test_a_command_that_needs_an_account_is_answered_with_the_lines_to_write() -> None:
    """ML-1082: where there are several accounts a command that acts needs one; the answer says how it is written."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        house(stage, telegram, seat, SETTINGS._replace(accounts=("main", "acct2")))
        await stage.passes(1)
        telegram.write("/close g1")
        telegram.write("/status acct2")
        await stage.passes(3)
        assert "/close main g1\n/close acct2 g1" in telegram.said()[0]

    play(script)


def test_a_watcher_may_only_look() -> None:
    """EX-1505: what a role may not do is refused, said and in the audit log."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.write("/pause", chat=WATCHER)
        telegram.write("/status", chat=WATCHER)
        await stage.passes(3)
        assert seat.acts == []
        assert telegram.said(WATCHER) == ["You may not do this from here.", "all is well"]
        assert ("telegram:8", "/pause", "refused: NotAllowed") in acted(stage)

    play(script)


@pytest.mark.parametrize("whom", [BRIDGE, WIRE])
def test_a_crash_makes_no_command_act_twice(whom: str) -> None:
    """ML-1082: an update that Telegram brings again after a crash of bridge or wire is known."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.write("/pause")
        kept = list(telegram.updates)
        await stage.passes(1)
        crash(stage, whom)
        await stage.passes(5)
        telegram.updates[:0] = kept
        telegram.write("/status")
        await stage.passes(5)
        assert len(seat.acts) == 1
        assert len(stage.events(BRIDGE, PhoneTaken)) == 2

    play(script)


def test_what_was_begun_is_gone_on_with_after_a_restart_under_the_same_id() -> None:
    """ML-1082: a command without an outcome is carried out again under its request id; a run of the offset never is."""
    journal = FailingJournal()

    async def stuck(_: str) -> None:
        await asyncio.get_running_loop().create_future()

    async def first(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        seat.act_now = stuck
        await ready(stage, telegram, seat)
        telegram.write("/pause")
        telegram.write("/run")
        await stage.passes(2)
        telegram.tap(telegram.last().buttons[0].data)
        await stage.passes(2)
        assert [each[0] for each in seat.acts] == ["/pause", "/run"]
        ids.extend(each[2] for each in seat.acts)

    async def second(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        await stage.passes(3)
        assert [each[2] for each in seat.acts] == ids[:1]
        assert any("went down while it carried out /run" in text for text in telegram.said())
        assert "did /pause" in telegram.said()

    ids: list[str] = []
    play(first, journal=journal)
    play(second, journal=journal)


def test_a_batch_of_commands_is_answered_whole() -> None:
    """ML-1081: what came in one poll is answered in order, each once."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        house(stage, telegram, seat)
        for text in ("/status", "hello", "/buy", "/pnl year", "/news"):
            telegram.write(text)
        await stage.passes(15)
        said = telegram.said()
        assert len(said) == 5
        assert said[0:1] == ["Commands begin with /. /help lists them."] or "all is well" in said
        assert any("Write it so: /pnl" in text for text in said)
        assert "/news" in said

    play(script)


def test_a_journal_that_fails_lets_no_command_act() -> None:
    """What could not be journalled is not told to Telegram as taken: it comes again and acts once."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        before = len(telegram.offsets)
        journal.fail_next = 1
        number = telegram.write("/pause")
        await stage.passes(0.000_001)
        assert all(offset <= number for offset in telegram.offsets[before:])
        await stage.passes(120)
        assert len(stage.events(BRIDGE, PhoneTaken)) == 1
        assert telegram.said().count("did /pause") == 1

    play(script, journal=journal)
