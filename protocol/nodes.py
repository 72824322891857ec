"""What daemons that share a cache say of themselves to each other, and how the link to that cache stands.

Nothing here decides anything: a node that hears nothing of the others trades on as if it were alone.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, TypeAlias

from protocol.groups import GroupState
from protocol.messages import Message, Request, Value
from protocol.risk import EngineStatus
from protocol.values import Instant, Name, Side, Text

__all__ = [
    "CacheFailed",
    "CacheHealth",
    "CacheState",
    "EngineMoved",
    "FromNode",
    "GroupMoved",
    "ListNodes",
    "MessagesMissed",
    "NodeAlive",
    "NodeFact",
    "NodeLeft",
    "NodePresence",
    "NodesAnswer",
    "Quote",
]


class CacheState(StrEnum):
    """How the link to the shared cache stands; ``in_process``: none is configured (DS-710)."""

    IN_PROCESS = "in_process"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    RECONNECTING = "reconnecting"


class CacheHealth(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """How the link stands since ``at``; ``ping_ns`` is the median of the last pings, ``retry_at`` the next attempt."""

    OVERFLOW: ClassVar[str] = "keep"
    CONFLATE_BY: ClassVar[str] = "address"

    address: Text
    """Host, port or socket; never a password."""
    state: CacheState
    at: Instant
    ping_ns: int | None = None
    attempts: int = 0
    reason: Text = ""
    retry_at: Instant | None = None


class CacheFailed(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """To the link: somebody's call has just failed, look now and not at the next ping."""

    CONFLATE_BY: ClassVar[str] = "kind"

    reason: Text
    kind: Name = "call"


class Quote(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """The newest quote of one account's symbol as the cache keeps it; ``source`` is what screens call its prices."""

    source: Name
    at: Instant
    bid: Decimal
    ask: Decimal
    last: Decimal


class NodePresence(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A daemon that lives: who it is and how its engine stands. ``since`` is when it started, and its epoch (RG-1209)."""

    node: Name
    version: Name
    accounts: tuple[Name, ...]
    host: Name
    pid: int
    since: Instant
    seen_at: Instant
    engine: EngineStatus | None = None
    reason: Text = ""
    open_groups: int = 0


class NodeAlive(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A node's heartbeat."""

    INFORMATIONAL: ClassVar[bool] = True

    presence: NodePresence


class NodeLeft(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A node has ended in order."""

    INFORMATIONAL: ClassVar[bool] = False

    at: Instant


class EngineMoved(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A node's engine changed its status: running, paused, error."""

    INFORMATIONAL: ClassVar[bool] = False

    number: int
    status: EngineStatus
    reason: Text
    at: Instant


class GroupMoved(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Where a group of a node stands; ``open_qty`` in base units."""

    INFORMATIONAL: ClassVar[bool] = True

    account: Name
    group_id: Name
    symbol: Name
    timeframe: Name
    side: Side
    state: GroupState
    open_qty: Decimal
    at: Instant


NodeFact: TypeAlias = NodeAlive | NodeLeft | EngineMoved | GroupMoved
"""What nodes tell each other. ``INFORMATIONAL`` ones are the first to go when too many wait for the cache (DS-711)."""


class FromNode(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A fact of another node; its ``seq`` counts what that node published on this channel since its ``epoch``."""

    channel: Name
    node: Name
    epoch: Instant
    seq: int
    fact: NodeFact


class MessagesMissed(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Something on a channel was, or may have been, missed: read again what stands in the cache.

    ``node`` empty: of any node, because the subscription begins here or was broken.
    """

    OVERFLOW: ClassVar[str] = "keep"

    channel: Name
    node: str
    reason: Text


class NodesAnswer(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The nodes that are alive, by name; ``node`` is who answers, ``fresh`` whether the cache itself was read."""

    node: Name
    cache: CacheHealth
    nodes: tuple[NodePresence, ...]
    fresh: bool


class ListNodes(Request[NodesAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Ask which nodes are alive."""
