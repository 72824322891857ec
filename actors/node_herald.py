"""Says to the other nodes who this one is and how its engine and groups stand.

What the house says is gathered and told beside the actor, at most once a second; what cannot leave waits in the channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from actors.desk import desk_topic
from actors.group import GROUPS
from actors.risk import PERMITS
from protocol.groups import GroupChanged, GroupState
from protocol.messages import Message
from protocol.nodes import EngineMoved, GroupMoved, NodeAlive, NodeFact, NodeLeft, NodePresence
from protocol.offset import TellStanding
from protocol.risk import Permit
from runtime.actor import Actor, handles
from store.cache.keys import NODE_CHANNEL, NODE_TTL_S, NODES, node_groups_key, node_key
from store.cache.opening import Shared

__all__ = ["BEAT_S", "GATHER_S", "NodeHerald", "SpeakAnew"]

BEAT_S: Final = 10.0
"""Seconds between two heartbeats (DS-710)."""

GATHER_S: Final = 1.0
"""Changes of groups are gathered so long: of many changes of one group only the last is told."""


class SpeakAnew(Message, frozen=True, tag=True):
    """Somebody may have missed something, or the cache lost everything: say all of it again."""


class _Beat(Message, frozen=True, tag=True):
    pass


class _Tell(Message, frozen=True, tag=True):
    pass


class _Told(Message, frozen=True, tag=True):
    pass


class _Speech(NamedTuple):
    """What is to be told in one go; ``groups`` are those to put into the map, ``gone`` those to take out."""

    presence: NodePresence | None
    facts: tuple[NodeFact, ...]
    groups: dict[str, GroupMoved]
    gone: tuple[str, ...]


class NodeHerald(Actor):
    """One a daemon. ``me`` is its presence without what changes; ``accounts`` are asked how their groups stand."""

    def __init__(self, shared: Shared, me: NodePresence, accounts: Sequence[str]) -> None:
        self._shared = shared
        self._me = me
        self._accounts = accounts
        self._groups: dict[str, GroupMoved] = {}
        self._changed: dict[str, GroupMoved] = {}
        self._engine: EngineMoved | None = None
        self._engine_changed = False
        self._beat_due = True
        self._armed = False
        self._telling = False
        self.told = 0

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Announce this node, and hear how the house stands."""
        bus = self.context.bus
        bus.subscribe(PERMITS, self.ref)
        bus.subscribe(GROUPS, self.ref, wanted=self._is_news)
        for account in self._accounts:
            bus.publish(desk_topic(account), TellStanding())
        self.timers.every(BEAT_S, _Beat())
        self._tell()

    async def stopping(self) -> None:
        """Take leave, as far as the cache is there to hear it."""
        await self._shared.cache.delete(node_key(self._me.node), node_groups_key(self._me.node))
        await self._shared.channels.publish(NODE_CHANNEL, NodeLeft(self.now()))

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{self._me.node}: {len(self._groups)} groups, {self.told} facts told"

    # --- the house -----------------------------------------------------------------------------------------------------

    def _is_news(self, fact: GroupChanged) -> bool:
        known = self._groups.get(fact.group_id)
        if known is None:
            return fact.state is not GroupState.CLOSED
        return (known.state, known.open_qty) != (fact.state, fact.open_qty)

    @handles
    def permit(self, msg: Permit) -> None:
        """Tell at once that the engine's status is another."""
        before = self._engine
        if before is not None and (before.status, before.reason) == (msg.status, msg.reason):
            return
        self._engine = EngineMoved(msg.number, msg.status, msg.reason, msg.at)
        self._engine_changed = self._beat_due = True
        self._tell()

    @handles
    def group(self, msg: GroupChanged) -> None:
        """Gather the change of a group."""
        moved = GroupMoved(
            account=msg.account,
            group_id=msg.group_id,
            symbol=msg.symbol,
            timeframe=msg.timeframe,
            side=msg.side,
            state=msg.state,
            open_qty=msg.open_qty,
            at=msg.at,
        )
        self._changed[msg.group_id] = moved
        if msg.state is GroupState.CLOSED:
            self._groups.pop(msg.group_id, None)
        else:
            self._groups[msg.group_id] = moved
        if not self._armed:
            self._armed = True
            self.timers.after(GATHER_S, _Tell())

    # --- telling -------------------------------------------------------------------------------------------------------

    @handles
    def beat(self, msg: _Beat) -> None:  # noqa: ARG002 - the type is the message
        """Say that this node lives."""
        self._beat_due = True
        self._tell()

    @handles
    def due(self, msg: _Tell) -> None:  # noqa: ARG002 - the type is the message
        """Tell what was gathered."""
        self._armed = False
        self._tell()

    @handles
    def anew(self, msg: SpeakAnew) -> None:  # noqa: ARG002 - the type is the message
        """Say all of it again."""
        self._changed = self._groups | self._changed
        self._beat_due, self._engine_changed = True, self._engine is not None
        self._tell()

    def _tell(self) -> None:
        if self._telling:
            return
        speech = self._speech()
        if speech is not None:
            self._telling = True
            self.context.pipe(self._speak(speech), lambda _: _Told(), real=True)

    def _speech(self) -> _Speech | None:
        """Take all that is to be told; None when that is nothing."""
        changed, self._changed = self._changed, {}
        beat, self._beat_due = self._beat_due, False
        engine, self._engine_changed = self._engine if self._engine_changed else None, False
        presence = self._presence() if beat else None
        facts = (*([engine] if engine else ()), *changed.values(), *([NodeAlive(presence)] if presence else ()))
        if not facts:
            return None
        groups = {each.group_id: each for each in changed.values() if each.state is not GroupState.CLOSED}
        return _Speech(presence, facts, groups, tuple(sorted(changed.keys() - groups.keys())))

    def _presence(self) -> NodePresence:
        engine = self._engine
        return msgspec.structs.replace(
            self._me,
            seen_at=self.now(),
            engine=engine.status if engine is not None else None,
            reason=engine.reason if engine is not None else "",
            open_groups=len(self._groups),
        )

    async def _speak(self, speech: _Speech) -> None:
        """Put what stands into the cache first: whoever hears of a change may read it there at once."""
        cache, channels, node = self._shared.cache, self._shared.channels, self._me.node
        if speech.presence is not None:
            await cache.set(node_key(node), speech.presence, NODE_TTL_S)
            await cache.set_in_map(NODES, {node: speech.presence.since})
        if speech.groups or speech.presence is not None:
            await cache.set_in_map(node_groups_key(node), speech.groups, NODE_TTL_S)
        if speech.gone:
            await cache.delete_in_map(node_groups_key(node), *speech.gone)
        for fact in speech.facts:
            await channels.publish(NODE_CHANNEL, fact)

    @handles
    def spoken(self, msg: _Told) -> None:  # noqa: ARG002 - the type is the message
        """Go on with what has come up meanwhile."""
        self._telling = False
        self.told += 1
        self._tell()
