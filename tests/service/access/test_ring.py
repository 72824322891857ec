"""The newest items, once for all who listen; whoever is too slow is told, and reads the rest in the journal."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protocol.event_log import EVENT_LOG, LogEvent
from service.access.roles import Scope
from service.api import stream as stream_module
from service.api.ring import Ring
from tests.service.access.network_rig import Network, network


def item(position: int, **more: Any) -> dict[str, Any]:
    return {"position": position, "kind": "event", **more}


def test_each_listener_gets_what_came_after_its_place() -> None:
    """Two who joined at different times hear different beginnings and the same end; nothing is kept for nobody."""

    async def work() -> None:
        ring = Ring(pace_s=0)
        ring.add(item(1))
        first = ring.join()
        ring.add(item(2))
        second = ring.join()
        ring.add(item(3))
        assert [each.position for each in ring.take(first)[0]] == [2, 3]
        assert [each.position for each in ring.take(second)[0]] == [3]
        assert ring.take(first) == ([], None)
        await first.news.wait()
        ring.leave(first)
        ring.leave(second)
        ring.add(item(4))
        third = ring.join()
        assert ring.take(third) == ([], None)

    asyncio.run(work())


def test_a_slow_listener_is_told_what_is_in_no_journal() -> None:
    """What fell out of the ring is not given in part; the number counts only what cannot be read anywhere else."""

    async def work() -> None:
        ring = Ring(most=3, pace_s=0)
        seat = ring.join()
        for position in (1, 0, 2, 0, 3):
            ring.add(item(position))
        assert ring.take(seat) == ([], 2)
        ring.add(item(4))
        assert [each.position for each in ring.take(seat)[0]] == [4]

    asyncio.run(work())


def test_a_burst_wakes_a_listener_once() -> None:
    """A hundred items of one turn of the loop are one waking."""

    async def work() -> None:
        ring = Ring(pace_s=0)
        seat = ring.join()
        for position in range(1, 101):
            ring.add(item(position))
        await seat.news.wait()
        seat.news.clear()
        assert len(ring.take(seat)[0]) == 100
        assert not seat.news.is_set()

    asyncio.run(work())


def test_a_listener_that_fell_behind_goes_on_without_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the ring has gone round it reads the journal, then goes on live: every record once, in order."""

    async def work(net: Network) -> None:
        net.shared.hub.ring = Ring(most=4)
        token = await net.token(Scope.READ)
        async with net.listening(token, after=0, severity="debug", bundle=1) as line:
            while not any(each["kind"] == "live" for each in await line.receive_json()):
                pass
            for number in range(40):
                net.rig.host.system.tell(EVENT_LOG, LogEvent(id=f"n{number}", code=f"noted{number}", text="a line"))
            seen: list[dict[str, Any]] = []
            while sum(each.get("type") == "EventLogged" for each in seen) < 40:
                seen += await line.receive_json()
        positions = [each["position"] for each in seen if each["kind"] in ("event", "notification")]
        assert positions == list(range(positions[0], positions[0] + len(positions)))

    network(work)


def test_a_listener_that_was_away_too_long_is_told_what_it_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Further back than so many records it is told which positions were left out."""
    monkeypatch.setattr(stream_module, "CATCH_UP_MOST", 2)

    async def work(net: Network) -> None:
        token = await net.token(Scope.READ)
        for _ in range(3):
            await net.rig.post("/v1/pause", {})
        head = net.rig.host.system.journal.head()
        async with net.listening(token, after=1, severity="debug") as line:
            said = [await line.receive_json() for _ in range(2)]
        assert said[1] == {"kind": "lost", "after": 1, "through": said[1]["through"], "count": said[1]["through"] - 1}
        assert said[1]["through"] >= head - 2

    network(work)
