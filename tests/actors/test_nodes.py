"""Nodes among others: what they say of themselves, hear of each other, miss and read again."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.cache_link import CACHE
from actors.desk import desk_topic
from actors.group import GROUPS
from actors.node_herald import NodeHerald
from actors.node_listener import OTHER_NODES, NodeListener
from actors.risk import PERMITS
from protocol.event_log import LogEvent
from protocol.groups import GroupState
from protocol.nodes import (
    CacheHealth,
    CacheState,
    EngineMoved,
    FromNode,
    GroupMoved,
    ListNodes,
    MessagesMissed,
    NodeAlive,
    NodeLeft,
    NodePresence,
    NodesAnswer,
)
from protocol.offset import TellStanding
from protocol.risk import EngineStatus, Permit
from runtime.actor import Actor, handles
from store.cache.keys import node_groups_key, node_key
from store.cache.memory import MemoryCache
from store.cache.memory_channels import MemoryChannels, MemoryHub
from store.cache.memory_locks import MemoryLocks
from store.cache.opening import Shared
from tests.actors.cast import D, Stage, play
from tests.actors.groups import group_fact
from tests.actors.nodes import presence


class Ear(Actor):
    """Remembers what is heard of other nodes."""

    def __init__(self, said: list[Any]) -> None:
        self.said = said

    def started(self) -> None:
        self.context.bus.subscribe(OTHER_NODES, self.ref)

    @handles
    def fact(self, msg: FromNode) -> None:
        self.said.append(msg)

    @handles
    def gap(self, msg: MessagesMissed) -> None:
        self.said.append(msg)

    @handles
    def line(self, msg: LogEvent) -> None:
        self.said.append(msg)


class Rig:
    """Two nodes on one cache and hub; ``b`` is only heard, by the bus of the house that both live in."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.hub = MemoryHub()
        self.cache = MemoryCache(stage.system.clock.now)
        self.said: list[Any] = []
        stage.add("ear", lambda: Ear(self.said))
        self.asked = stage.probe("groups", topics=(desk_topic("paper"),))

    def shared(self, node: str) -> Shared:
        """Return what a node shares."""
        channels = MemoryChannels(self.hub, node=node, epoch=self.stage.now)
        return Shared(self.cache, MemoryLocks(self.stage.system.clock.now), channels, None, channels.flush)

    def herald(self, node: str) -> None:
        """Start a node's herald."""
        me = msgspec.structs.replace(presence(node), since=self.stage.now, seen_at=self.stage.now)
        shared = self.shared(node)
        self.stage.add(f"herald-{node}", lambda: NodeHerald(shared, me, ["paper"]))

    def listener(self, node: str) -> None:
        """Start a node's listener."""
        shared = self.shared(node)
        me = msgspec.structs.replace(presence(node), since=self.stage.now, seen_at=self.stage.now)
        self.stage.add(
            "listener", lambda: NodeListener(shared, me, herald=f"/house/herald-{node}", events="/house/ear")
        )

    def permit(self, status: EngineStatus, reason: str = "") -> None:
        """Let the risk coordinator speak."""
        permit = Permit(number=1, status=status, reason=reason, at=self.stage.now)
        self.stage.system.bus.publish(PERMITS, permit, keep=True)

    def facts(self, kind: type) -> list[Any]:
        """Return the facts of a kind that were heard."""
        return [each.fact for each in self.said if isinstance(each, FromNode) and isinstance(each.fact, kind)]


def test_a_node_announces_itself_and_beats() -> None:
    """DS-710: every 10 s a node says that it lives; it stands in the cache for 30 s after its last word."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        rig.listener("a")
        await stage.settle()
        rig.permit(EngineStatus.RUNNING)
        rig.herald("b")
        await stage.passes(35)
        assert len(rig.facts(NodeAlive)) in (4, 5)
        assert rig.facts(NodeAlive)[-1].presence.engine is EngineStatus.RUNNING
        answer: NodesAnswer = await stage.ask("listener", ListNodes())
        assert [(each.node, each.engine) for each in answer.nodes] == [("b", EngineStatus.RUNNING)]
        assert answer.fresh
        await stage.crash("herald-b")
        stage.remove("herald-b")
        await stage.passes(60)
        answer = await stage.ask("listener", ListNodes())
        assert answer.nodes == ()

    play(script)


def test_a_node_takes_leave() -> None:
    """A node that ends in order is gone at once and says so."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        rig.listener("a")
        rig.herald("b")
        await stage.passes(5)
        cell = stage.system.cell_of("/house/herald-b")
        assert cell is not None
        cell.begin_stop()
        await stage.passes(1)
        assert len(rig.facts(NodeLeft)) == 1
        answer: NodesAnswer = await stage.ask("listener", ListNodes())
        assert answer.nodes == ()

    play(script)


def test_the_engine_is_told_at_once_and_once() -> None:
    """A pause of one node is heard by the others without waiting; a renewed permit that says the same is no news."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        rig.listener("a")
        rig.permit(EngineStatus.RUNNING)
        rig.herald("b")
        await stage.passes(3)
        rig.permit(EngineStatus.PAUSED, "news at two")
        await stage.settle()
        assert [(each.status.value, each.reason) for each in rig.facts(EngineMoved)] == [
            ("running", ""),
            ("paused", "news at two"),
        ]
        rig.permit(EngineStatus.PAUSED, "news at two")
        await stage.settle()
        assert len(rig.facts(EngineMoved)) == 2
        answer: NodesAnswer = await stage.ask("listener", ListNodes())
        assert answer.nodes[0].reason == "news at two"

    play(script)


def test_groups_are_gathered_and_only_news_is_told() -> None:
    """Of many changes of a group within a second the last is told; what others need not know is no message at all."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        rig.listener("a")
        rig.herald("b")
        await stage.passes(2)
        assert any(isinstance(each, TellStanding) for each in rig.asked), "whoever begins asks how groups stand"
        bus = stage.system.bus
        for qty in range(1, 6):
            bus.publish(GROUPS, group_fact("g1", state=GroupState.PARTIALLY_FILLED, open_qty=D(qty)))
        bus.publish(GROUPS, group_fact("g2", state=GroupState.CLOSED, open_qty=D(0)))
        await stage.passes(2)
        moved = rig.facts(GroupMoved)
        assert [(each.group_id, each.open_qty) for each in moved] == [("g1", D(5))]
        handled = stage.system.cell_of("/house/herald-b")
        assert handled is not None
        count = handled.handled
        bus.publish(GROUPS, group_fact("g1", state=GroupState.PARTIALLY_FILLED, open_qty=D(5)))
        await stage.settle()
        assert handled.handled == count
        assert await rig.cache.get_map(node_groups_key("b"), GroupMoved) == {"g1": moved[0]}
        bus.publish(GROUPS, group_fact("g1", state=GroupState.CLOSED, open_qty=D(0)))
        await stage.passes(2)
        assert rig.facts(GroupMoved)[-1].state is GroupState.CLOSED
        assert await rig.cache.get_map(node_groups_key("b"), GroupMoved) == {}

    play(script)


def test_a_lost_hub_is_listened_to_again() -> None:
    """After a cut the listener tries again, hears of the gap, reads what stands, and its own node says all of it again."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        rig.permit(EngineStatus.RUNNING)
        rig.herald("a")
        rig.listener("a")
        await stage.passes(5)
        before = [each for each in rig.said if isinstance(each, MessagesMissed)]
        assert len(before) == 1, "a first subscription begins with the word to read"
        rig.hub.cut()
        await rig.cache.delete(node_key("a"))
        await rig.cache.set(node_key("c"), presence("c"), 30)
        await rig.cache.set_in_map("nodes", {"c": 1})
        await stage.passes(5)
        assert "attempt" in stage.actor("listener").detail
        rig.hub.come_back()
        await stage.passes(30)
        assert len([each for each in rig.said if isinstance(each, MessagesMissed)]) == 2
        assert rig.hub.listeners == 1
        answer: NodesAnswer = await stage.ask("listener", ListNodes())
        assert "a" in [each.node for each in answer.nodes], "what the cache lost is there again"
        assert await rig.cache.get(node_key("a"), NodePresence) is not None

    play(script)


def test_it_listens_at_once_when_the_link_is_back() -> None:
    """Waits grow to half a minute; the word that the link is back ends them."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        rig.listener("a")
        await stage.passes(1)
        rig.hub.cut()
        await stage.passes(300)
        bus = stage.system.bus
        bus.publish(CACHE, CacheHealth(address="x", state=CacheState.RECONNECTING, at=stage.now), keep=True)
        await stage.settle()
        rig.hub.come_back()
        bus.publish(CACHE, CacheHealth(address="x", state=CacheState.HEALTHY, at=stage.now), keep=True)
        await stage.settle()
        assert rig.hub.listeners == 1

    play(script)


def test_a_crashed_listener_leaves_no_second_one() -> None:
    """A subscription ends with its life; the next life has one of its own and hears everything once."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        rig.listener("a")
        await stage.passes(1)
        await stage.crash("listener")
        await stage.passes(1)
        assert rig.hub.listeners == 1
        rig.herald("b")
        await stage.passes(1)
        assert len(rig.facts(NodeAlive)) == 1

    play(script)


def test_a_namesake_is_noticed_and_an_earlier_life_is_none() -> None:
    """Two daemons of one name are a warning, once; what the own earlier life left in the cache is not."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        before = msgspec.structs.replace(presence("a"), since=stage.now - 9, seen_at=stage.now - 1)
        await rig.cache.set(node_key("a"), before, 3_600)
        await rig.cache.set_in_map("nodes", {"a": 1})
        rig.listener("a")
        await stage.passes(100)
        lines = [each for each in rig.said if isinstance(each, LogEvent)]
        assert lines == []
        namesake = msgspec.structs.replace(before, seen_at=stage.now, host="other-box")
        await rig.cache.set(node_key("a"), namesake, 3_600)
        await stage.passes(100)
        lines = [each for each in rig.said if isinstance(each, LogEvent)]
        assert [(each.code, "other-box" in each.text) for each in lines] == [("NodeNameTaken", True)]
        assert "another daemon has this name" in stage.actor("listener").detail

    play(script)


def test_garbage_in_the_cache_harms_nobody() -> None:
    """What others wrote under our keys and is none of ours is nothing: the list is answered, nobody crashes."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.cache.set_in_map("nodes", {"b": 1, "c": "no instant", "d": 1})
        await rig.cache.set(node_key("b"), {"node": "b"})
        await rig.cache.set_in_map(node_key("d"), {"a": "map"})
        await rig.cache.set(node_groups_key("a"), "no map")
        rig.herald("a")
        rig.listener("a")
        await stage.passes(100)
        answer: NodesAnswer = await stage.ask("listener", ListNodes())
        assert [each.node for each in answer.nodes] == ["a"]
        assert all(each.failed == 0 for each in stage.system.stats())

    play(script)
