"""A mailbox: three lanes and a stated overflow policy.

``system`` (stop, failures of children) before ``control`` (operators, risk) before ``data``. System messages are never
refused. On the other lanes the message type decides what happens at ``capacity``: ``reject``, ``keep`` (a fact is
never dropped; its producer is slowed instead) or conflation (a waiting message of the same type and key is replaced, so
that a slow reader sees the newest and the mailbox cannot grow beyond the number of keys).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import IntEnum
from operator import attrgetter
from typing import Any, Final, NamedTuple

from runtime.envelope import Envelope
from runtime.lifecycle import ChildExited, ChildStarted

__all__ = ["DEFAULT_CAPACITY", "LONE", "PLAIN", "Mailbox", "Put", "Route", "route_of"]

DEFAULT_CAPACITY: Final = 10_000
"""Messages that may wait in the control and data lanes together before the overflow policy acts."""


class Put(IntEnum):
    """What became of a message that was put into a mailbox."""

    QUEUED = 0
    CONFLATED = 1
    CONGESTED = 2
    REJECTED = 3


class Route(NamedTuple):
    """How messages of one type travel: lane (0 system, 1 control, 2 data), whether kept, by what they conflate."""

    lane: int
    keep: bool
    key: Any


_LANES: Final = {"system": 0, "control": 1, "data": 2}
_routes: dict[type, Route] = {}
PLAIN: Final[set[type]] = set()
"""Types seen so far that travel the plainest way: data lane, refused when full, not conflated."""

LONE: Final[set[type]] = set()
"""Types seen so far of the data lane: alone in an empty mailbox every policy comes to the same."""


def route_of(kind: type) -> Route:
    """Return how messages of this type travel (stated by LANE, OVERFLOW and CONFLATE_BY on the type)."""
    try:
        return _routes[kind]
    except KeyError:
        field = getattr(kind, "CONFLATE_BY", "")
        made = Route(
            _LANES[getattr(kind, "LANE", "data")],
            getattr(kind, "OVERFLOW", "reject") == "keep",
            attrgetter(field) if field else None,
        )
        _routes[kind] = made
        if made == (2, False, None):
            PLAIN.add(kind)
        if made.lane == 2:
            LONE.add(kind)
        return made


class Mailbox:
    """Messages that wait for one actor."""

    __slots__ = ("capacity", "conflated", "control", "data", "rejected", "replaceable", "sealed", "system")

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self.capacity = capacity
        self.system: deque[Envelope] = deque()
        self.control: deque[Envelope] = deque()
        self.data: deque[Envelope] = deque()
        self.replaceable: dict[tuple[type, Any], Envelope] = {}
        """What a newer message of the same type and key would replace."""
        self.conflated = 0
        self.rejected = 0
        self.sealed = False
        """Refuses at capacity whatever the type: its reader is away for long, producers must not wait for it."""

    def begin_life(self) -> None:
        """Unseal, and drop the news of children that was meant for an earlier life of the reader."""
        self.sealed = False
        news = (ChildStarted, ChildExited)
        self.system = deque(each for each in self.system if not isinstance(each.message, news))

    def __len__(self) -> int:
        return len(self.system) + len(self.control) + len(self.data)

    def put(self, envelope: Envelope, route: Route) -> Put:
        """Put a message into its lane, or say why not."""
        if route.key is not None and envelope.reply is None:
            # A request never conflates: each asker waits for the answer to its own.
            return self._conflate(envelope, route)
        if route.lane == 2:
            lane = self.data
        elif route.lane == 1:
            lane = self.control
        else:
            self.system.append(envelope)
            return Put.QUEUED
        if len(self.data) + len(self.control) >= self.capacity:
            if self.sealed or not route.keep:
                self.rejected += 1
                return Put.REJECTED
            lane.append(envelope)
            return Put.CONGESTED
        lane.append(envelope)
        return Put.QUEUED

    def _conflate(self, envelope: Envelope, route: Route) -> Put:
        if not self.data:
            self.data.append(envelope)
            return Put.QUEUED
        self._register_head()
        message = envelope.message
        key = (type(message), route.key(message))
        waiting = self.replaceable.get(key)
        if waiting is not None:
            waiting.message = message
            waiting.message_id = envelope.message_id
            waiting.correlation_id = envelope.correlation_id
            waiting.causation_id = envelope.causation_id
            waiting.sender = envelope.sender
            waiting.attempts = 0
            self.conflated += 1
            return Put.CONFLATED
        self.replaceable[key] = envelope
        self.data.append(envelope)
        return Put.QUEUED

    def _register_head(self) -> None:
        """Remember the head as waiting: whoever came into an empty lane was not worth remembering before."""
        head = self.data[0]
        key = route_of(type(head.message)).key
        if key is not None and head.reply is None:
            self.replaceable.setdefault((type(head.message), key(head.message)), head)

    def take(self) -> Envelope:
        """Take the next message; raise IndexError when none waits."""
        if not (self.replaceable or self.control or self.system):
            return self.data.popleft()
        if self.system:
            return self.system.popleft()
        envelope = self.control.popleft() if self.control else self.data.popleft()
        if self.replaceable:
            key = _routes[type(envelope.message)].key
            if key is not None:
                slot = (type(envelope.message), key(envelope.message))
                if self.replaceable.get(slot) is envelope:
                    del self.replaceable[slot]
        return envelope

    def put_back(self, envelope: Envelope, route: Route) -> None:
        """Put a message that is to be handled again before all others of its lane."""
        if self.data:
            self._register_head()
        if route.key is not None and envelope.reply is None:
            self.replaceable.setdefault((type(envelope.message), route.key(envelope.message)), envelope)
        (self.system, self.control, self.data)[route.lane].appendleft(envelope)

    def drain(self) -> list[Envelope]:
        """Take everything that waits, in the order it would have been handled."""
        everything = [*self.system, *self.control, *self.data]
        for lane in (self.system, self.control, self.data):
            lane.clear()
        self.replaceable.clear()
        return everything

    def withdraw(self, unwanted: Callable[[Envelope], bool]) -> list[Envelope]:
        """Take out what is unwanted of all that waits."""
        gone: list[Envelope] = []
        for lane in (self.system, self.control, self.data):
            found = [envelope for envelope in lane if unwanted(envelope)]
            if found:
                ids = {envelope.message_id for envelope in found}
                kept = [envelope for envelope in lane if envelope.message_id not in ids]
                lane.clear()
                lane.extend(kept)
                gone += found
        if gone:
            ids = {envelope.message_id for envelope in gone}
            self.replaceable = {key: each for key, each in self.replaceable.items() if each.message_id not in ids}
        return gone

    def oldest_at(self) -> int | None:
        """Return since when the oldest message waits (nanoseconds), None when empty."""
        heads = [lane[0].enqueued_at for lane in (self.system, self.control, self.data) if lane]
        return min(heads, default=None)
