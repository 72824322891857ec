"""What the phone sees of the house, and what it says of pausing and resuming."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from protocol.risk import EngineStatus, Permit, StatusAnswer
from service.telegram.pausing import paused_said, resumed_said, resuming_named
from service.telegram.timing import NO_CALENDAR, NO_MODEL
from service.telegram.views import PhoneViews


class Groups:
    """Read models with many open groups."""

    def __init__(self, count: int) -> None:
        self.count = count

    async def views(self, read: Callable[[Any], Any]) -> list[Any]:
        read(self)
        return []

    def groups(self, *, limit: int, **_: Any) -> list[Any]:
        assert limit > self.count, "the oldest would stay open"
        return []


def test_everything_is_closed_however_much_is_open() -> None:
    """EX-1504: what ``/closeall`` names is every open group, not the newest so many."""
    views: Any = PhoneViews.__new__(PhoneViews)
    views.reading, views._host = Groups(5_000), type("Host", (), {"system": None})
    assert asyncio.run(views.open_groups()) == []


def permit(status: EngineStatus = EngineStatus.RUNNING, reason: str = "", **held: Any) -> Permit:
    return Permit(number=1, status=status, reason=reason, at=1, **held)


def test_resuming_an_account_says_what_still_holds_it() -> None:
    """ML-1080, ML-1082: nothing is confirmed that would do nothing; the way on is named, but none out of an Error."""
    paused = (("a", "news"),)
    assert "End the pause of a" in resuming_named("a", permit(paused=paused)).text
    assert resuming_named("b", permit(paused=paused)).error == "b is not paused by itself."
    engine = permit(EngineStatus.PAUSED, "lunch")
    assert resuming_named("a", engine).error.endswith("the engine is paused: lunch: /resume all")
    assert (
        resuming_named("", permit(paused=paused)).error == "The engine is not paused.\na is PAUSED until resumed: news"
    )
    assert "accounts that are not paused by themselves" in resuming_named("", engine).text
    said = StatusAnswer(EngineStatus.PAUSED, "account stopped: odd", 1, "a")
    assert resumed_said(said, permit(stopped=(("a", "odd"),))).endswith("account stopped: odd: /arm a")
    said = StatusAnswer(EngineStatus.ERROR, "error: x", 1, "a")
    assert resumed_said(said, permit(EngineStatus.ERROR, "x")).endswith("the engine is error: x")
    assert resumed_said(StatusAnswer(EngineStatus.RUNNING, "", 1, "a"), permit()) == "Resumed: a takes entries again."


def test_pausing_and_resuming_all_say_who_stays_paused() -> None:
    """ML-1080: the engine's pause is of all accounts; an account's own outlasts it, and the answer says so."""
    assert "/resume a" in paused_said(StatusAnswer(EngineStatus.PAUSED, "x", 1, "a"))
    assert "of any account" in paused_said(StatusAnswer(EngineStatus.PAUSED, "x", 1))
    said = resumed_said(StatusAnswer(EngineStatus.RUNNING, "", 1), permit(paused=(("a", "news"),)))
    assert said == "Resumed: the engine is running.\na stays PAUSED until resumed: news"


def test_what_is_not_there_is_said_plainly() -> None:
    """ML-1081: no model version and no calendar: the phone says so instead of showing nothing."""
    assert NO_MODEL.startswith("model: none")
    assert NO_CALENDAR.startswith("No economic calendar is connected")
