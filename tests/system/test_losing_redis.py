"""A loaded house while its Redis server is killed, comes back empty, stops, goes on and is full: orders go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

import actors.cache_link
import store.cache.redis_link
from actors.cache_link import CACHE
from protocol.nodes import CacheHealth, EngineMoved, FromNode, GroupMoved, ListNodes, MessagesMissed, NodesAnswer, Quote
from protocol.risk import PauseEngine, ResumeEngine
from runtime.clock import WallClock
from service.config import Config, Secret
from service.house import RISK
from service.nodes import HERALD, LINK, LISTENER, QUOTES, node_children
from store.cache.keys import NODE_CHANNEL, quote_key
from store.cache.opening import Shared, open_shared
from supervision.child import ChildSpec
from tests.servers.redis import RedisServer, redis_server, server_of_module
from tests.system.load import LoadTrader, Pace
from tests.system.running import House, eventually, house_config, running_house
from tests.system.sabotage import LOAD, holding
from tests.system.wholeness import check_whole

__all__ = ["redis_server", "server_of_module"]

pytestmark = pytest.mark.slow

MORE = 40
"""Orders that have to leave in each phase."""

BOTH_NODES = 2


class Fleet:
    """A loaded house that is node ``a``, and a second node that only listens and reads."""

    def __init__(self, house: House, other: Shared, server: RedisServer) -> None:
        self.house = house
        self.other = other
        self.server = server
        self.heard: list[Any] = []

    @property
    def state(self) -> str:
        """How the house's link stands."""
        said: CacheHealth = self.house.system.bus.kept(CACHE)
        return said.state.value

    def orders(self) -> int:
        """Return how many orders the desk knows."""
        return len(self.house.actor("/venues/paper/desk")._book.orders)

    async def trades_on(self, when: str) -> None:
        """Wait until many more orders have left and been accepted, whatever the cache does."""
        before, load = self.orders(), self.house.actor(LOAD)
        answered = load.answers.get(200, 0) + load.answers.get(202, 0)
        await eventually(lambda: self.orders() >= before + MORE, f"{MORE} orders while the cache {when}")
        assert load.answers.get(200, 0) + load.answers.get(202, 0) > answered
        assert set(load.answers) <= {200, 202}, f"{when}: {load.answers}"

    async def stands(self, *states: str) -> None:
        """Wait until the link is in one of these states."""
        await eventually(lambda: self.state in states, f"the link is {' or '.join(states)}, not {self.state}")

    def facts(self, kind: type) -> list[Any]:
        """Return the facts of a kind that the second node heard."""
        return [each.fact for each in self.heard if isinstance(each, FromNode) and isinstance(each.fact, kind)]

    async def listen(self) -> None:
        """Hear as another node would: again and again."""
        while True:
            try:
                await self.other.channels.listen([NODE_CHANNEL], self.heard.append)
            except Exception:  # noqa: BLE001 - whatever it was, it listens again
                await asyncio.sleep(0.05)  # house: the server is in another process


def config(folder: Path, server: RedisServer) -> Config:
    """Return a loaded house's configuration with a server."""
    plain = house_config(folder)
    redis = msgspec.structs.replace(plain.redis, url=Secret(server.url), node="a")
    return msgspec.structs.replace(plain, redis=redis)


@asynccontextmanager
async def sailing(folder: Path, server: RedisServer) -> AsyncIterator[Fleet]:
    """Run a house under load beside a second node."""
    houses: list[House] = []
    load = ChildSpec("load", lambda: LoadTrader(lambda: houses[0].url))
    other = open_shared(server.url, now=WallClock().now, node="b", epoch=1)
    async with running_house(
        config(folder, server), step_ns=20_000_000, operators=(load,), nodes=node_children
    ) as house:
        houses.append(house)
        house.system.tell(LOAD, Pace(30))
        await eventually(lambda: holding(house), "groups hold something")
        fleet = Fleet(house, other, server)
        listening = asyncio.create_task(fleet.listen())
        try:
            yield fleet
            house.system.tell(LOAD, Pace(0))
            await check_whole(house)
            assert {each.path: each.restarts for each in house.system.stats() if each.restarts} == {}
            assert len(house.system.dead_letters) == 0
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    assert other.link is not None
    await other.link.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten what a test would wait for: a ping's time-out and the pause after a failed one."""
    monkeypatch.setattr(store.cache.redis_link, "PING_S", 0.3)
    monkeypatch.setattr(actors.cache_link, "AGAIN_S", 0.1)
    monkeypatch.setattr(actors.cache_link, "reconnect_delay_s", lambda attempt, draw: 0.1 + 0.1 * draw)
    monkeypatch.setattr("actors.node_listener.reconnect_delay_s", lambda attempt, draw: 0.1)


def sail(folder: Path, server: RedisServer, scenario: Callable[[Fleet], Any]) -> None:
    """Run a scenario."""

    async def main() -> None:
        async with asyncio.timeout(90), sailing(folder, server) as fleet:
            await scenario(fleet)

    asyncio.run(main())


def listeners(server: RedisServer) -> int:
    """Count who listens to what nodes tell: what is published before somebody does is lost to him."""
    found = server.ask("PUBSUB", "CHANNELS", f"*{NODE_CHANNEL}*").split(b"\r\n")
    if len(found) < 3:
        return 0
    return int(server.ask("PUBSUB", "NUMSUB", found[2].decode()).split(b":")[-1])


async def hears_the_house(fleet: Fleet, reason: str) -> None:
    """Wait until the second node hears of a pause and of groups, and reads newest quotes."""
    await eventually(lambda: listeners(fleet.server) >= BOTH_NODES, f"both nodes listen ({reason})")
    engine, groups = len(fleet.facts(EngineMoved)), len(fleet.facts(GroupMoved))
    system = fleet.house.system
    system.tell(RISK, PauseEngine(reason))
    await eventually(lambda: fleet.facts(EngineMoved)[engine:], f"the pause is heard ({reason})")
    system.tell(RISK, ResumeEngine())
    await eventually(lambda: fleet.facts(EngineMoved)[-1].status.value == "running", f"going on is heard ({reason})")
    await eventually(lambda: fleet.facts(GroupMoved)[groups:], f"groups are heard of ({reason})")
    async with asyncio.timeout(10):
        while await fleet.other.cache.get(quote_key("paper", "BTC/USDT"), Quote) is None:
            assert fleet.other.link is not None
            await asyncio.gather(fleet.other.link.ping(), return_exceptions=True)


@pytest.mark.usefixtures("impatient")
def test_orders_go_on_whatever_becomes_of_redis(tmp_path: Path, redis_server: RedisServer) -> None:
    """Killed, empty, stopped, full, read-only: alerts are answered, orders leave, nobody crashes, all is heard again."""

    async def scenario(fleet: Fleet) -> None:
        await fleet.stands("healthy")
        await hears_the_house(fleet, "at first")

        redis_server.kill()
        await fleet.trades_on("is killed")
        await fleet.stands("reconnecting")
        await fleet.trades_on("is gone")
        gaps = len([each for each in fleet.heard if isinstance(each, MessagesMissed)])
        redis_server.start()
        await fleet.stands("healthy", "degraded")
        await eventually(
            lambda: len([each for each in fleet.heard if isinstance(each, MessagesMissed)]) > gaps,
            "the gap is announced",
        )
        await hears_the_house(fleet, "after it was killed")
        await fleet.trades_on("is back, empty")

        redis_server.pause()
        await fleet.trades_on("is stopped")
        await fleet.stands("reconnecting")
        redis_server.go_on()
        await fleet.stands("healthy", "degraded")
        await hears_the_house(fleet, "after it was stopped")

        redis_server.ask("CONFIG", "SET", "maxmemory", "1")
        await fleet.trades_on("is full")
        assert fleet.state in ("healthy", "degraded"), "a server that refuses is not away"
        redis_server.ask("CONFIG", "SET", "maxmemory", "0")
        redis_server.ask("REPLICAOF", "127.0.0.1", "1")
        await fleet.trades_on("is read-only")
        redis_server.ask("REPLICAOF", "NO", "ONE")
        await hears_the_house(fleet, "after it took no writes")

        answer: NodesAnswer = await fleet.house.system.lookup(LISTENER).ask(ListNodes())  # type: ignore[union-attr]
        assert [each.node for each in answer.nodes] == ["a"]
        for path in (LINK, QUOTES, HERALD, LISTENER):
            assert fleet.house.up(path)

    sail(tmp_path, redis_server, scenario)


def test_a_house_starts_without_its_redis(tmp_path: Path, redis_server: RedisServer) -> None:
    """A server that is not there when the house starts delays nothing; it is joined when it comes."""

    async def scenario(fleet: Fleet) -> None:
        assert fleet.state == "reconnecting"
        await fleet.trades_on("was never there")
        redis_server.start()
        await fleet.stands("healthy", "degraded")
        await hears_the_house(fleet, "after it came late")
        redis_server.pause()  # nor does it delay the end

    redis_server.kill()
    sail(tmp_path, redis_server, scenario)
