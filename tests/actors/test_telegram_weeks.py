"""The bridge over weeks: numbers that begin anew, groups that move, chats that refuse, messages that are deleted."""

from __future__ import annotations

import pytest

from actors.telegram.outbox import WAITING_MOST
from protocol.telegram import (
    Delivery,
    OutKind,
    PhoneDropped,
    PhoneMoved,
    PhoneQueued,
    PhoneSending,
    PhoneUpdate,
)
from rules.event_log.classify import line_of
from tests.actors.cast import FailingJournal, Stage, play
from tests.actors.telegram_rig import ADMIN, BRIDGE, GROUP, WATCHER, FakeSeat, Telegram, alert, logged, ready

DAY_S = 86_400


def test_after_a_silent_week_updates_with_lower_numbers_count() -> None:
    """ML-1082: Telegram numbers anew after a week without updates; the phone is heard, and once, then as before."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram._next = 700_000
        number = telegram.write("/pause")
        await stage.passes(5 * DAY_S)
        telegram.tap("t:/pause")  # quiet, but not for a week: the next number is the next
        await stage.passes(7 * DAY_S)
        assert telegram.offsets[-1] == number + 2
        wire, telegram._wire = telegram._wire, None
        again = telegram.offsets[:]
        telegram._next = 40
        telegram.write("/pause")
        crashed = stage.system.cell_of("/operators/telegram/bridge")
        assert crashed is not None
        crashed.crash(RuntimeError("by the test"), None)
        await stage.passes(30)
        assert telegram.offsets[len(again)] == 0
        assert len(seat.acts) == 3
        assert telegram.offsets[-1] == 42
        telegram._wire = wire
        telegram.updates.insert(0, PhoneUpdate(update_id=41, chat=ADMIN, user=ADMIN, text="/pause"))
        telegram.write("/pause")
        await stage.passes(5)
        assert len(seat.acts) == 4

    play(script)


def test_the_phone_is_heard_in_the_middle_of_a_silence() -> None:
    """A bridge that runs through the whole week asks for whatever there is from then on, without a restart."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram._next = 700_000
        telegram.write("/pause")
        await stage.passes(7 * DAY_S)
        telegram.answer_empty()
        await stage.passes(1)
        assert telegram.offsets[-1] == 0
        telegram._next = 40
        telegram.write("/pause")
        await stage.passes(5)
        assert len(seat.acts) == 2
        assert telegram.offsets[-1] == 42

    play(script)


def test_another_bot_has_numbers_of_its_own() -> None:
    """A token of another bot: its first update counts although its number is lower, and counts once."""
    journal = FailingJournal()

    async def life(stage: Stage, bot: int, first: int, acts: int) -> None:
        telegram, seat = Telegram(), FakeSeat()
        telegram.bot, telegram._next = bot, first
        await ready(stage, telegram, seat)
        telegram.write("/pause")
        await stage.passes(5)
        assert len(seat.acts) == acts
        assert telegram.offsets[-1] == first + 2

    play(lambda stage: life(stage, 1, 700_000, 1), journal=journal)
    play(lambda stage: life(stage, 2, 40, 1), journal=journal)
    play(lambda stage: life(stage, 2, 41, 1), journal=journal)


@pytest.mark.parametrize("told_by", ["answer", "update"])
def test_a_group_that_became_a_supergroup_is_served_there(told_by: str) -> None:
    """ML-1083: what waited and what comes goes to the new id; its members are served there, after a restart as well."""
    journal, new = FailingJournal(), -100_005

    async def first(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        if told_by == "answer":
            telegram.moved = {GROUP: new}
            alert(stage, "One")
        else:
            telegram._add(chat=GROUP, user=1, moved_to=new)
            await stage.passes(1)
            alert(stage, "One")
        await stage.passes(10)
        assert [text for text in telegram.said(new) if "One happened" in text]
        assert telegram.said(GROUP) == []
        (event,) = stage.events(BRIDGE, PhoneMoved)
        line = line_of(event)
        assert line is not None
        assert (event.chat, event.to, line.code) == (GROUP, new, "TelegramMoved")

    async def second(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram._next = 5_000
        telegram.write("/pause", chat=new, user=70)
        telegram.write("/pause", chat=new, user=71)
        await stage.passes(5)
        assert [each[0] for each in seat.acts] == ["/pause"]

    play(first, journal=journal)
    play(second, journal=journal)


def test_a_chat_that_blocked_the_bot_is_told_of_once() -> None:
    """A chat that refuses every alert does not fill the log; once it takes one, the next refusal is told again."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.blocked = {WATCHER}
        for number in range(4):
            alert(stage, f"Trouble{number}")
            await stage.passes(70)
        assert len(logged(stage, "TelegramRefused")) == 1
        assert len([each for each in stage.events(BRIDGE, PhoneDropped) if each.chat == WATCHER]) >= 4
        telegram.blocked = set()
        alert(stage, "Four")
        await stage.passes(70)
        telegram.blocked = {WATCHER}
        alert(stage, "Five")
        await stage.passes(70)
        assert len(logged(stage, "TelegramRefused")) == 2
        assert "Five happened" in "\n".join(telegram.said(ADMIN))

    play(script)


def test_a_status_message_that_was_deleted_is_edited_no_more() -> None:
    """Somebody deletes the live status: one edit is refused, and none is tried again."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.write("/live")
        await stage.passes(5)
        telegram.answers = [Delivery.REFUSED]
        for number in range(5):
            seat.status = f"status {number}"
            await stage.passes(20)
        edits = [item for each in stage.events(BRIDGE, PhoneQueued) for item in each.items if item.kind is OutKind.EDIT]
        assert len(edits) == 1

    play(script)


def test_an_outage_of_days_leaves_a_bounded_queue_that_says_what_it_left_out() -> None:
    """ML-1083: only so many messages wait for a chat; the first that arrives says how many older ones are missing."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.away = True
        long = "x" * 3_000
        for number in range(4 * (WAITING_MOST + 10)):
            alert(stage, f"Trouble{number}{long}")
            await stage.passes(16)
        bridge = stage.system.cell_of(BRIDGE)
        assert bridge is not None
        waiting = bridge.actor._memory.waiting(WATCHER)  # type: ignore[attr-defined]
        assert len(waiting) <= WAITING_MOST
        dropped = [each for each in stage.events(BRIDGE, PhoneDropped) if each.chat == WATCHER]
        assert [item.left_out for item in waiting if item.left_out] == [len(dropped)]
        assert waiting[0].left_out == len(dropped)
        telegram.away = False
        await stage.passes(400)
        said = [item for item in telegram.seen if item.chat == WATCHER]
        assert any(f"Trouble{4 * (WAITING_MOST + 10) - 1}x" in item.text for item in said)
        assert sum(item.left_out for item in said) == len(dropped)

    play(script)


def test_one_chat_that_fails_does_not_hurry_because_another_works() -> None:
    """Each chat backs off by its own failures: one where nothing arrives is tried ever more slowly."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.failing = {WATCHER}
        for number in range(30):
            alert(stage, f"Trouble{number}")
            await stage.passes(10)
        tries = {each.id for each in stage.events(BRIDGE, PhoneSending)}
        watched = {
            item.id
            for each in stage.events(BRIDGE, PhoneQueued)
            for item in each.items
            if item.chat == WATCHER and item.id in tries
        }
        sent = [each for each in stage.events(BRIDGE, PhoneSending) if each.id in watched]
        assert len(sent) <= 12

    play(script)
