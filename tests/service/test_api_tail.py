"""Following events: what is committed arrives, narrowed as asked, and a slow follower loses items but is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import anyio
import pytest

from protocol.risk import EngineStatus, EngineStatusChanged
from runtime.journal import Entry
from service.api.answers import Refused
from service.api.filters import ItemFilter, filter_of
from service.api.follow import follow
from service.api.hub import QUEUE_ITEMS, Follower, Hub
from service.api.reading import Reading
from store.errors import ViewsError
from tests.service.api_rig import Rig, run

ENTRY = {"symbol": "BTC/USDT", "side": "long", "timeframe": "1h", "kind": "entry", "size": "100", "price": "50000"}


def item(**changes: Any) -> dict[str, Any]:
    """Return an item as followers get it."""
    plain = {"type": "OrderSent", "group_id": "g1", "symbol": "BTC/USDT", "severity": "info", "position": 1}
    return {**plain, "client_order_id": "", **changes}


async def items(rig: Rig, query: dict[str, str], count: int, act: Any) -> list[dict[str, Any]]:
    """Follow with a query, act once connected, return the first items."""
    connector = aiohttp.UnixConnector(path=str(rig.host.socket_path))
    found = []
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.ws_connect("http://bulkhead/v1/tail", params=query) as line,
    ):
        await rig.until("/v1/ps", lambda said: any("1 following" in row["detail"] for row in said["actors"]))
        await act()
        with anyio.fail_after(10):
            while len(found) < count:
                found.append(await line.receive_json())
    return found


def test_events_arrive_as_they_are_committed() -> None:
    """A follower hears of each commit, in order, with positions, text and the whole event."""

    async def work(rig: Rig) -> None:
        found = await items(rig, {}, 2, lambda: rig.post("/v1/signal", ENTRY))
        assert [each["type"] for each in found] == ["SignalReceived", "SignalRouted"]
        assert [each["position"] for each in found] == [2, 3], "the notifier wrote the first"
        assert found[0]["event"]["signal"]["symbol"] == found[0]["symbol"] == "BTC/USDT"

    run(work)


def test_events_are_heard_while_nothing_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: who came while the read models were made anew was let in and closed on at once.

    Nor is a journal read for who wants nothing of the past: what was committed meanwhile counted as past, and was not told.
    """

    async def broken(*_: Any) -> None:
        raise ViewsError("they are being made anew")

    async def work(rig: Rig) -> None:
        monkeypatch.setattr(Reading, "views", broken)
        monkeypatch.setattr(Reading, "journal", broken)
        found = await items(rig, {}, 2, lambda: rig.post("/v1/signal", ENTRY))
        assert [each["type"] for each in found] == ["SignalReceived", "SignalRouted"]

    run(work)


def test_the_past_comes_first_and_nothing_twice() -> None:
    """History and present meet without a gap and without a repeat."""

    async def work(rig: Rig) -> None:
        await rig.post("/v1/signal?wait=10", ENTRY)
        again = {**ENTRY, "price": "51000"}
        found = await items(rig, {"last": "100"}, 4, lambda: rig.post("/v1/signal", again))
        assert [each["position"] for each in found] == [2, 3, 4, 5]

    run(work)


def test_supervisors_are_heard_too() -> None:
    """Restarts arrive beside the journal's events."""

    async def work(rig: Rig) -> None:
        found = await items(
            rig, {"type": "SupervisorReport"}, 1, lambda: rig.post("/v1/restart", {"path": "/risk/coordinator"})
        )
        assert found[0]["kind"] == "supervision"
        assert "/risk/coordinator" in found[0]["text"]

    run(work)


def test_only_the_past_is_sent_when_that_is_all_that_is_wanted() -> None:
    """Without following, the connection ends after the past."""

    async def work(rig: Rig) -> None:
        await rig.post("/v1/signal?wait=10", ENTRY)
        found: list[dict[str, Any]] = []
        past = {"last": 1, "type": "SignalReceived,SignalRouted"}
        path = rig.host.socket_path
        await anyio.to_thread.run_sync(lambda: follow(path, past, found.append, on=False))
        assert [each["type"] for each in found] == ["SignalRouted"]

    run(work)


def test_followers_end_with_the_daemon() -> None:
    """A daemon that stops lets its followers go: their call returns."""

    async def work(rig: Rig) -> asyncio.Future[None]:
        path = rig.host.socket_path
        waiting = asyncio.ensure_future(anyio.to_thread.run_sync(lambda: follow(path, {}, lambda _: None)))
        await rig.until("/v1/ps", lambda said: any("1 following" in row["detail"] for row in said["actors"]))
        rig.host.system.cell_of("/operators/api").actor.shared.hub.close()  # type: ignore[union-attr]
        with anyio.fail_after(10):
            await waiting
        return waiting

    assert run(work).done()


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, True),
        ({"type": "OrderSent"}, True),
        ({"type": "GroupClosed,OrderSent"}, True),
        ({"type": "GroupClosed"}, False),
        ({"group": "g1"}, True),
        ({"group": "g2"}, False),
        ({"symbol": "btcusdt"}, True),
        ({"symbol": "BTC-USDT"}, True),
        ({"symbol": "BTC"}, False),
        ({"symbol": "ETH/USDT"}, False),
        ({"severity": "warning"}, False),
    ],
)
def test_filters_narrow(query: dict[str, str], wanted: bool) -> None:
    """Type, group, symbol in any spelling and severity each narrow what is sent."""
    assert filter_of(query).wants(item()) is wanted


@pytest.mark.parametrize(("severity", "least"), [("error", "error"), ("warning", "warning"), ("order", "info")])
def test_severity_is_a_least_one(severity: str, least: str) -> None:
    """What is as severe as asked passes, what is one step less does not."""
    assert ItemFilter(severity=least).wants(item(severity=severity))
    steps = ["debug", "info", "warning", "error"]
    stricter = steps[steps.index(least) + 1 :]
    assert not any(ItemFilter(severity=each).wants(item(severity=severity)) for each in stricter)


def test_an_unknown_severity_is_refused() -> None:
    """The words are listed when none of them was used."""
    with pytest.raises(Refused, match="debug, info, warning, error"):
        filter_of({"severity": "loud"})


def entries(count: int) -> Iterator[Entry]:
    """Yield records to be committed."""
    for number in range(1, count + 1):
        event = EngineStatusChanged(number, EngineStatus.PAUSED, "x", number)
        yield Entry("/risk", number, event, number, number, number, 0)


def test_a_slow_follower_loses_items_and_is_told_how_many() -> None:
    """The queue of a follower is bounded; what was dropped is counted in what it gets next."""

    async def work() -> None:
        hub = Hub(lambda: QUEUE_ITEMS + 5)
        follower = Follower(ItemFilter())
        hub.followers.add(follower)
        hub.committed(list(entries(QUEUE_ITEMS + 5)))
        texts = follower.take()
        assert len(texts) == QUEUE_ITEMS + 1
        assert json.loads(texts[-1]) == {"kind": "dropped", "count": 5}
        assert follower.take() == []

    asyncio.run(work())


def test_what_history_showed_is_not_repeated() -> None:
    """Items at or before the position that history reached are left out."""

    async def work() -> None:
        hub = Hub(lambda: 3)
        follower = Follower(ItemFilter())
        hub.followers.add(follower)
        hub.committed(list(entries(3)))
        follower.after = 2
        assert [json.loads(text)["position"] for text in follower.take()] == [3]

    asyncio.run(work())
