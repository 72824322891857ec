"""What bridge, notifier and event log decided is decided again from what they were given: the nightly check can follow."""

from __future__ import annotations

from actors.event_log import EventLog
from actors.notifier import Notifier
from actors.telegram.telling import TelegramBridge
from protocol.event_log import EVENT_LOG, LogEvent
from protocol.notifications import NOTIFIER
from protocol.telegram import Delivery
from runtime.durable import DurableActor
from runtime.recording import Recorder
from runtime.tape import LifeBegan
from runtime.verifying import Verifier
from tests.actors.cast import FailingJournal, Stage, play
from tests.actors.telegram_rig import BRIDGE, SETTINGS, WATCHER, WIRE, FakeSeat, Telegram, crash, house


def made(life: LifeBegan) -> DurableActor:
    """Make the actor of a life, as the recipes of the check do."""
    actors = {
        BRIDGE: lambda: TelegramBridge(SETTINGS, FakeSeat(), WIRE),
        NOTIFIER: lambda: Notifier(),
        EVENT_LOG: lambda: EventLog(),
    }
    return actors[life.path]()


def test_the_same_inputs_decide_the_same() -> None:
    """DS-720, ML-1082: commands, taps, alerts, trouble, a crash: replayed, every event is the journal's."""
    journal, recorder = FailingJournal(), Recorder()

    async def script(stage: Stage) -> None:
        recorder.attach(stage.system)
        telegram, seat = Telegram(), FakeSeat()
        house(stage, telegram, seat)
        await stage.passes(1)
        for text in ("/status", "/close g1", "nonsense", "/live"):
            telegram.write(text)
            await stage.passes(5)
        telegram.write("/pause", chat=WATCHER)
        telegram.write("/pause", chat=99)
        telegram.answers = [Delivery.UNKNOWN, Delivery.LATER]
        for number in range(30):
            stage.system.tell(EVENT_LOG, LogEvent(code=f"Down{number}", text="it is down", pinned=True))
            await stage.passes(20)
        crash(stage, BRIDGE)
        await stage.passes(2_000)
        telegram.write("/closeall")
        await stage.passes(3)
        telegram.tap(telegram.last().buttons[0].data)
        await stage.passes(3)
        assert seat.acts

    play(script, journal=journal)
    verifier = Verifier(journal, made, settled=True)
    for item in recorder.items:
        verifier.take(item)
    report = verifier.finish()
    assert report.divergence is None
    assert report.unverified == {}
    assert {BRIDGE, NOTIFIER, EVENT_LOG} <= report.streams
    assert report.events > 100
