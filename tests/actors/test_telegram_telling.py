"""What the bridge to Telegram tells: alerts, prompts, status and pictures; nothing is lost, nothing sent twice unsaid."""

from __future__ import annotations

import msgspec
import pytest

from actors.telegram.outbox import LONGEST, fitting
from actors.telegram.words import LEFT_OUT_MARK, REPEAT_MARK
from protocol.approvals import APPROVALS, ApprovalEnded, ApprovalList, ApprovalPrompt, ListApprovals
from protocol.telegram import Delivery, OutKind, PhoneDropped, PhoneQueued, WireTrouble
from runtime.actor import Actor, handles
from supervision.child import ChildSpec
from supervision.tree import supervisor
from tests.actors.cast import FailingJournal, Stage, play
from tests.actors.telegram_rig import (
    ADMIN,
    BRIDGE,
    WATCHER,
    FakeSeat,
    Telegram,
    alert,
    crash,
    logged,
    ready,
)
from tests.examples import example


@pytest.mark.parametrize("text", ["x" * 4_001, "\U0001f600" * 2_001, "a" + "\U0001f600" * 2_000])
def test_what_is_too_long_is_cut_as_telegram_counts(text: str) -> None:
    """A message has at most 4096 units of UTF-16, of which a smiley takes two; it is cut between characters."""
    cut = fitting(text)
    assert len(cut.encode("utf-16-le")) // 2 <= LONGEST
    assert cut.endswith("\u2026")
    assert text.startswith(cut[:-1])
    assert len(REPEAT_MARK + LEFT_OUT_MARK.format(99_999)) + LONGEST <= 4_096
    assert fitting(text[:1_949]) == text[:1_949]


def test_alerts_wait_while_telegram_is_away_and_come_as_few_messages() -> None:
    """ML-1083: nothing is lost while Telegram is away; what came meanwhile is one message, each alert once."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.away = True
        for number in range(40):
            alert(stage, f"Trouble{number}")
            await stage.passes(2)
        assert telegram.seen == []
        telegram.away = False
        await stage.passes(130)
        text = "\n".join(telegram.said(WATCHER))
        assert [text.count(f"Trouble{number} happened") for number in range(40)] == [1] * 40
        assert len(telegram.said(WATCHER)) <= 3

    play(script)


def test_alerts_survive_a_restart_while_telegram_is_away() -> None:
    """ML-1083: the queue is durable: what was not delivered before the end of a run is delivered in the next."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        telegram = Telegram()
        await ready(stage, telegram, FakeSeat())
        telegram.away = True
        alert(stage, "One")
        await stage.passes(5)

    async def second(stage: Stage) -> None:
        telegram = Telegram()
        await ready(stage, telegram, FakeSeat())
        alert(stage, "Two")
        await stage.passes(30)
        text = "\n".join(telegram.said(ADMIN))
        assert text.count("One happened") == text.count("Two happened") == 1

    play(first, journal=journal)
    play(second, journal=journal)


def test_telegram_is_obeyed_when_it_asks_to_wait() -> None:
    """ML-1083: after 429 the chat waits as long as Telegram asks for; the message is sent once."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.answers, telegram.retry_after_s = [Delivery.LATER], 17.0
        telegram.write("/status")
        await stage.passes(16)
        assert telegram.seen == []
        await stage.passes(2)
        assert telegram.said() == ["all is well"]

    play(script)


def test_a_storm_while_a_chat_must_wait_leaves_one_timer() -> None:
    """What comes while Telegram makes a chat wait adds words to what waits there, and no timer each."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.answers, telegram.retry_after_s = [Delivery.LATER] * 3, 600.0

        def living() -> int:
            return sum(timer.alive for _, _, timer in stage.system.timers._heap)

        alert(stage, "First")
        await stage.passes(5)
        before = living()
        for number in range(50):
            alert(stage, f"Trouble{number}")
            await stage.passes(1)
        assert living() - before < 10

    play(script)


def test_a_lost_answer_repeats_alerts_and_says_so_and_never_repeats_replies() -> None:
    """At least once for alerts, marked; at most once for replies: Telegram knows no idempotency key."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.answers = [Delivery.UNKNOWN] * 3
        telegram.write("/status")
        await stage.passes(5)
        assert telegram.said() == ["all is well"]
        assert len(stage.events(BRIDGE, PhoneDropped)) == 1
        telegram.answers = [Delivery.UNKNOWN, Delivery.DELIVERED, Delivery.DELIVERED]
        alert(stage, "Down")
        await stage.passes(20)
        both = [item for item in telegram.seen if item.kind is OutKind.ALERT]
        assert {(item.chat, item.repeats) for item in both if item.chat in (ADMIN, WATCHER)} >= {(ADMIN, False)}
        assert sum(item.repeats for item in both) == 1

    play(script)


def test_critical_alerts_are_repeated_until_the_phone_says_seen() -> None:
    """DK-261: again every 30 min until acknowledged; the button acknowledges once."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        alert(stage, "Down")
        await stage.passes(1_900)
        assert "still not acknowledged" in telegram.said()[-1]
        telegram.tap(telegram.last().buttons[0].data)
        await stage.passes(1)
        assert seat.acts[0][:2] == ("/ack", ("1",))

    play(script)


def test_the_same_alert_within_a_quarter_hour_is_counted_not_sent() -> None:
    """DK-261, ML-1083: identical alerts are merged."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        for _ in range(3):
            alert(stage, "Down")
            await stage.passes(70)
        assert "\n".join(telegram.said()).count("Down happened") == 1

    play(script)


def test_one_live_status_is_edited() -> None:
    """ML-1083: /live is one message that is edited when something changes, and only then."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.write("/live")
        await stage.passes(20)
        for text in ("better", "better", "best"):
            seat.status = text
            await stage.passes(60)
        assert telegram.said() == ["best"]
        assert len(telegram.seen) == 1

    play(script)


@pytest.mark.parametrize(("code", "pinned"), [("TelegramConflict", True), ("TelegramAway", False)])
def test_trouble_with_telegram_is_told_once_and_so_is_its_end(code: str, pinned: bool) -> None:
    """ML-1083: losing Telegram is a line of the log, what an operator must mend is pinned; its end says TelegramBack."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        for _ in range(3):
            stage.system.tell(BRIDGE, WireTrouble(code, "it does not answer"))
            await stage.passes(1)
        assert [each.pinned for each in logged(stage, code)] == [pinned]
        telegram.write("/status")
        await stage.passes(120)
        assert len(logged(stage, "TelegramBack")) == 1

    play(script)


def test_what_telegram_refuses_is_given_up_and_told() -> None:
    """A message that Telegram refuses as it is (the bot was blocked) does not keep others waiting."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.answers = [Delivery.REFUSED]
        telegram.write("/status")
        telegram.write("/news")
        await stage.passes(10)
        assert telegram.said() == ["/news"]
        assert len(logged(stage, "TelegramRefused")) == 1

    play(script)


def test_a_picture_that_cannot_be_drawn_is_answered() -> None:
    """Whoever asked for a picture is told why there is none; what was refused is not tried again."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.answers = [Delivery.REFUSED]
        telegram.write("/chart")
        await stage.passes(5)
        assert telegram.said() == ["There is no picture: x"]

    play(script)


def test_no_alert_waits_for_a_picture() -> None:
    """ML-1083: a picture takes seconds to draw; what is told meanwhile is told, also while another is asked for."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        await ready(stage, telegram, seat)
        telegram.drawing = True
        telegram.write("/chart")
        telegram.write("/chart pnl")
        await stage.passes(2)
        alert(stage, "Down")
        telegram.write("/status")
        await stage.passes(5)
        assert sorted(telegram.said()) == ["all is well", "\u203c Down happened"]

    play(script)


class Desk(Actor):
    """Stands for the approval desk."""

    def __init__(self, prompts: list[ApprovalPrompt]) -> None:
        self.prompts = prompts

    @handles
    def listed(self, msg: ListApprovals) -> ApprovalList:
        return ApprovalList(tuple(self.prompts))


def test_a_prompt_that_ended_while_nobody_listened_loses_its_buttons() -> None:
    """DK-155: after a restart what ended meanwhile is closed in the chat, once; what still waits keeps its buttons."""

    async def script(stage: Stage) -> None:
        telegram, seat = Telegram(), FakeSeat()
        prompts = [
            msgspec.structs.replace(example(ApprovalPrompt), prompt_id=f"a{number}", title=f"Enter {number}")
            for number in (1, 2, 3)
        ]
        stage.system.spawn(supervisor("risk", ChildSpec("approvals", lambda: Desk(prompts))))
        await ready(stage, telegram, seat)
        await stage.passes(10)
        assert [item.buttons != () for item in telegram.seen if item.chat == ADMIN] == [True, True, True]
        stage.system.bus.publish(APPROVALS, msgspec.structs.replace(example(ApprovalEnded), prompt_id="a3"))
        await stage.passes(5)
        del prompts[1:]
        for _ in range(2):
            crash(stage, BRIDGE)
            await stage.passes(60)
            said = telegram.said()
            assert said[0].startswith("Approve? Enter 1")
            assert said[1].startswith("What waited here was dealt with")
            assert "approved" in said[2]
        edits = [item for item in stage.events(BRIDGE, PhoneQueued) for item in item.items if item.edits]
        assert len([item for item in edits if item.chat == ADMIN]) == 2

    play(script)
