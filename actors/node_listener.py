"""Hears what the other nodes say, and knows who is alive.

What it hears is for people and for whoever subscribes to ``OTHER_NODES``; nothing that trades asks it. After anything that
may have been missed it reads again what stands in the cache, and says that on the bus too.
"""

from __future__ import annotations

from typing import Any, Final

from actors.cache_link import CACHE
from actors.node_herald import SpeakAnew
from protocol.event_log import LogEvent
from protocol.messages import Message
from protocol.nodes import (
    CacheHealth,
    CacheState,
    FromNode,
    ListNodes,
    MessagesMissed,
    NodeAlive,
    NodeLeft,
    NodePresence,
    NodesAnswer,
)
from runtime.actor import NO_ANSWER, Actor, handles
from runtime.envelope import Envelope
from store.cache.health import reconnect_delay_s
from store.cache.keys import NODE_CHANNEL, NODES, node_key
from store.cache.opening import Shared

__all__ = ["LOOK_S", "OTHER_NODES", "NodeListener"]

LOOK_S: Final = 30.0
"""Seconds between two looks at who is there."""

OTHER_NODES: Final = "other-nodes"
"""Bus topic of what other nodes say (``FromNode``) and of what was missed (``MessagesMissed``)."""


class _Lost(Message, frozen=True, tag=True):
    reason: str


class _Listen(Message, frozen=True, tag=True):
    pass


class _Look(Message, frozen=True, tag=True):
    pass


class _Read(Message, frozen=True, tag=True):
    asked: Any
    fresh: bool
    nodes: tuple[NodePresence, ...]


class NodeListener(Actor):
    """One a daemon. ``me`` is the own presence, ``herald`` says again what this node is when somebody may have missed it.

    Another daemon under the own name is a line in the log at ``events``, once: the others would take both for one.
    """

    def __init__(self, shared: Shared, me: NodePresence, *, herald: str, events: str) -> None:
        self._shared = shared
        self._me = me
        self._herald = herald
        self._events = events
        self._namesake = False
        self._nodes: dict[str, NodePresence] = {}
        self._listening = False
        self._attempts = 0
        self._health = CacheState.IN_PROCESS
        self.heard = 0
        self.missed = 0

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Begin to listen; a cache that is away is tried again."""
        self.context.bus.subscribe(CACHE, self.ref)
        self.timers.every(LOOK_S, _Look())
        self._listen()

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        how = "listening" if self._listening else f"attempt {self._attempts}"
        how += ", another daemon has this name" if self._namesake else ""
        return f"{how}, {len(self._nodes)} nodes, {self.heard} facts heard, {self.missed} gaps"

    def _listen(self) -> None:
        if self._listening:
            return
        self._listening = True
        sink = self.context.callback(self.ref.tell)
        # Not held: it lasts as long as this life, and a virtual clock would stand still for ever.
        self.context.pipe(
            self._shared.channels.listen([NODE_CHANNEL], sink),
            lambda _: _Lost("the subscription has ended"),
            lambda error: _Lost(str(error)),
        )

    @handles
    def lost(self, msg: _Lost) -> None:  # noqa: ARG002 - the type is the message
        """Listen again after a while that grows."""
        self._listening = False
        self._attempts += 1
        self.timers.after(reconnect_delay_s(self._attempts, self.context.random.random()), _Listen())

    @handles
    def again(self, msg: _Listen) -> None:  # noqa: ARG002 - the type is the message
        """Try to listen."""
        self._listen()

    @handles
    def health(self, msg: CacheHealth) -> None:
        """Listen at once when the link is back."""
        before, self._health = self._health, msg.state
        if before is CacheState.RECONNECTING and msg.state is not before:
            self._listen()

    # --- what is heard -------------------------------------------------------------------------------------------------

    @handles
    def fact(self, msg: FromNode) -> None:
        """Pass on what another node says."""
        self.heard += 1
        if isinstance(msg.fact, NodeAlive):
            self._nodes[msg.node] = msg.fact.presence
        elif isinstance(msg.fact, NodeLeft):
            self._nodes.pop(msg.node, None)
        self.context.bus.publish(OTHER_NODES, msg)

    @handles
    def gap(self, msg: MessagesMissed) -> None:
        """Read again what stands; where the subscription itself broke, the others may have missed what we said too."""
        self.missed += 1
        self._read(None)
        if not msg.node:
            self._attempts = 0
            self.context.system.tell(self._herald, SpeakAnew())
        self.context.bus.publish(OTHER_NODES, msg)

    @handles
    def look(self, msg: _Look) -> None:  # noqa: ARG002 - the type is the message
        """Read who is there: one that was killed says no word of leave."""
        self._read(None)

    # --- who is alive --------------------------------------------------------------------------------------------------

    @handles
    def list(self, msg: ListNodes) -> Any:  # noqa: ARG002 - the type is the message
        """Answer with the nodes that the cache knows, or those heard of last while it is away."""
        self._read(self.context.envelope)
        return NO_ANSWER

    def _read(self, asked: Envelope | None) -> None:
        self.context.pipe(self._alive(), lambda found: _Read(asked, *found), real=True)

    async def _alive(self) -> tuple[bool, tuple[NodePresence, ...]]:
        cache = self._shared.cache
        before = cache.stats().fallbacks
        names = sorted(await cache.get_map(NODES, int))
        found = await cache.get_many([node_key(name) for name in names], NodePresence)
        fresh = cache.stats().fallbacks == before
        gone = [name for name, presence in zip(names, found, strict=True) if presence is None]
        if fresh and gone:
            # One that is only late puts its name back with its next beat.
            await cache.delete_in_map(NODES, *gone)
        return fresh, tuple(each for each in found if each is not None)

    @handles
    def read(self, msg: _Read) -> None:
        """Take over what stands in the cache, and answer whoever asked."""
        if msg.fresh:
            self._nodes = {each.node: each for each in msg.nodes}
            self._beware_of_namesake(self._nodes.get(self._me.node))
        if msg.asked is not None:
            nodes = {**self._nodes, **{each.node: each for each in msg.nodes}}
            said: CacheHealth | None = self.context.bus.kept(CACHE)
            cache = said or CacheHealth(address="", state=CacheState.IN_PROCESS, at=self.now())
            answer = NodesAnswer(self._me.node, cache, tuple(nodes[name] for name in sorted(nodes)), msg.fresh)
            self.context.answer(msg.asked, answer)

    def _beware_of_namesake(self, seen: NodePresence | None) -> None:
        """Say once when somebody else speaks under our name; what an earlier life of ours left there is nobody."""
        taken = seen is not None and seen.since != self._me.since and seen.seen_at > self._me.since
        if taken and not self._namesake and seen is not None:
            text = (
                f"another daemon (host {seen.host}, process {seen.pid}) is on the shared cache as {seen.node} too: "
                "the others take both for one"
            )
            events = self.context.system.lookup(self._events)
            if events is not None:
                events.tell(LogEvent(severity="warning", code="NodeNameTaken", text=text, about=self.context.path))
        self._namesake = taken
