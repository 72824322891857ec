"""The venue's answers around a crash stand in its incident."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from actors.call_log import CallLog
from protocol.incident_files import IncidentFile
from protocol.venue import QueryAtVenue
from tests.actors.cast import Stage, play
from tests.actors.orders import SYMBOL, report
from tests.actors.stub_venue import Later, StubVenue
from tests.actors.test_session_venue import KEY, OPEN, Rig
from venues.errors import NetworkTimeout


def test_a_session_that_crashes_leaves_what_it_asked_and_heard() -> None:
    """Answers, errors and the call that crashed it, oldest first; the ring outlives the session."""

    async def script(stage: Stage) -> None:
        found: list[IncidentFile] = []
        stage.system.black_box.sink = found.append
        answers = [OPEN, NetworkTimeout("stub", "no answer"), KeyError("orderId")]
        Rig(stage, query=answers)
        await stage.settle()
        for _ in range(3):
            await stage.told("session", QueryAtVenue(KEY, SYMBOL))
        # The account's name is no part of this stage's path: read the ring as an incident of its desk would.
        calls = stage.system.black_box._calls("/venues/acc/desk")
        assert [(call["call"], call["failed"]) for call in calls] == [
            ("query", False),
            ("query", True),
            ("query", True),
        ]
        assert calls[0]["asked"] == [KEY, SYMBOL]
        assert calls[0]["answer"]["client_order_id"] == KEY
        assert calls[1]["answer"] == "NetworkTimeout: stub: no answer"
        assert calls[2]["answer"] == "KeyError: 'orderId'"
        stage.system.black_box.flush()  # the stage's own house decides without saying so
        assert [(each.path, each.error.type) for each in found] == [("/house/session", "KeyError")]

    play(script)


def test_a_call_without_an_answer_says_so() -> None:
    """What is under way when somebody looks is shown as that; the venue stays who it is."""

    async def script(stage: Stage) -> None:
        answer = Later(OPEN)
        Rig(stage, query=[answer])
        await stage.settle()
        await stage.told("session", QueryAtVenue(KEY, SYMBOL))
        (call,) = stage.system.black_box.ring("acc")
        assert call.shown()["answer"] == "no answer yet"
        answer.come()
        await stage.settle()
        assert call.shown()["answer"]["state"] == "open"

    play(script)
    venue = StubVenue({}, [])
    heard = CallLog(deque(), lambda: 5).seen(venue)
    assert heard == venue
    assert heard.name == "stub"


def test_an_answer_is_made_plain_only_when_it_is_read() -> None:
    """The ring keeps the answer itself: a call costs the session next to nothing."""
    ring: deque[Any] = deque(maxlen=2)
    heard = CallLog(ring, lambda: 5).seen(StubVenue({"query": [report(KEY, "open")]}, []))
    for _ in range(5):
        with pytest.raises(StopIteration):
            heard.query(KEY, SYMBOL).send(None)  # type: ignore[attr-defined]
    assert len(ring) == 2
    assert ring[-1].shown()["answer"]["state"] == "open"
