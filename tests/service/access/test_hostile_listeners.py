"""What a listener may do with the stream: it may listen."""

from __future__ import annotations

from contextlib import AsyncExitStack

import aiohttp
import pytest

from service.access.roles import Scope
from service.api import listeners as listeners_module
from service.api import stream as stream_module
from tests.service.access.network_rig import Network, network


def test_nobody_takes_every_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """One program has so many streams and no more, on either address; another one, and the owner, get theirs."""
    monkeypatch.setattr(listeners_module, "LISTENERS_MOST", 2)

    async def work(net: Network) -> None:
        greedy, other = await net.token(Scope.READ, "greedy"), await net.token(Scope.READ, "other")
        async with AsyncExitStack() as open_ones:
            for _ in range(2):
                await open_ones.enter_async_context(net.listening(greedy))
            for path in ("/v1/stream", "/v1/tail"):
                refused = await net.ask("GET", path, greedy)
                assert (refused.status, refused.code) == (429, "TooManyRequests")
            await open_ones.enter_async_context(net.listening(other))
        await net.rig.until("/v1/status", lambda _: not net.shared.listeners._of)
        async with net.listening(greedy) as line:
            assert (await line.receive_json())["kind"] == "hello"

    network(work)


@pytest.mark.parametrize("path", ["/v1/stream", "/v1/tail"])
def test_what_a_listener_sends_is_not_gathered(path: str) -> None:
    """A long message ends the connection, whole or not: each would be kept until it is."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.READ)
        async with net.session.ws_connect(net.url + path, headers={"Authorization": f"Bearer {token}"}) as line:
            await line.send_str("x" * 2_000)
            while (heard := await line.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
            assert heard.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG

    network(work)


def test_who_is_no_longer_let_in_is_not_told_the_past_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener that catches up is asked for its right before each piece: a long past is no way to stay (EX-1505)."""
    monkeypatch.setattr(stream_module, "PIECE", 1)

    async def work(net: Network) -> None:
        trader, asked = await net.token(Scope.TRADE), 0
        for _ in range(3):
            assert (await net.ask("POST", "/v1/pause", trader, json={"reason": "news"})).status == 200
            assert (await net.ask("POST", "/v1/resume", trader, json={})).status == 200
        assert net.rig.host.system.journal.head() > 3

        def still(_: object) -> bool:
            nonlocal asked
            asked += 1
            return asked < 2

        monkeypatch.setattr(net.shared.access, "still", still)
        async with net.listening(trader, after=0) as line:
            told = []
            while (heard := await line.receive()).type is aiohttp.WSMsgType.TEXT:
                told.append(heard.json()["kind"])
            assert heard.data == aiohttp.WSCloseCode.POLICY_VIOLATION
        assert told.count("event") <= 1

    network(work)
