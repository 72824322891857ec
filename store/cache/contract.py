"""What a cache, locks and channels promise, whoever keeps them.

None of it is ever the only copy of anything (DK-251), and none of it raises when its server is away: a read answers what
is known in the process or nothing, a write is held back or dropped, a lock is not given. Only ``listen`` ends with an error,
so that whoever listens knows that it must read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, TypeVar

from protocol.messages import Value
from protocol.nodes import FromNode, MessagesMissed, NodeFact
from protocol.values import Instant, Name

__all__ = ["ANSWER_S", "Cache", "CacheStats", "ChannelStats", "Channels", "Fence", "Locks", "Sink"]

T = TypeVar("T")

ANSWER_S: Final = 0.25
"""Longest wait for a server's answer; past it it counts as away."""


class CacheStats(NamedTuple):
    """Counts since the start. ``held``: writes that wait for the server now; ``dropped``: writes nobody will see."""

    hits: int = 0
    misses: int = 0
    undecodable: int = 0
    """Values that are not of the type that was asked for, or no frames at all; read as nothing."""
    fallbacks: int = 0
    """Reads that the process answered because the server was away."""
    refused: int = 0
    """Calls that the server itself refused."""
    held: int = 0
    dropped: int = 0


class Cache(Protocol):
    """Newest values by key, and maps of them. A value is anything msgspec can write; it is read as the type it was."""

    async def get(self, key: str, of: type[T], *, within_s: float | None = None) -> T | None:
        """Return the value under a key; None when there is none of that type, or within ``within_s`` no answer."""
        ...

    async def get_many(self, keys: Sequence[str], of: type[T]) -> list[T | None]:
        """Return the values under several keys, in their order, at the price of one."""
        ...

    async def set(self, key: str, value: Any, ttl_s: float | None = None) -> bool:
        """Put a value under a key for ``ttl_s`` seconds (None: for ever); tell whether others can see it now."""
        ...

    async def set_many(self, values: Mapping[str, Any], ttl_s: float | None = None) -> bool:
        """Put several values; tell whether others can see all of them now."""
        ...

    async def delete(self, *keys: str) -> None:
        """Take away values or whole maps."""
        ...

    async def get_map(self, key: str, of: type[T]) -> dict[str, T]:
        """Return what stands in a map; what is not of that type is left out."""
        ...

    async def set_in_map(self, key: str, values: Mapping[str, Any], ttl_s: float | None = None) -> bool:
        """Put values into a map, leaving the others; the whole map stands ``ttl_s`` seconds from now (None: for ever)."""
        ...

    async def delete_in_map(self, key: str, *fields: str) -> None:
        """Take values out of a map."""
        ...

    def stats(self) -> CacheStats:
        """Return the counts."""
        ...


class Fence(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """A lock that is held: whoever acts under it hands ``token`` on, and no receiver takes an older one than it has seen.

    ``token`` grows with every acquisition of the same name, also over restarts of a server that has lost everything.
    ``until`` is on the holder's own clock: past it the lock may be somebody else's.
    """

    name: Name
    owner: Name
    token: int
    until: Instant

    def holds(self, now: Instant) -> bool:
        """Whether it certainly still holds at an instant of the holder's clock."""
        return now < self.until


class Locks(Protocol):
    """Locks by name, each held by one owner at a time until it ends by itself (DK-159)."""

    async def acquire(self, name: str, owner: str, ttl_s: float) -> Fence | None:
        """Take a lock; None when anybody holds it, also the same owner, or when the server is away."""
        ...

    async def renew(self, fence: Fence, ttl_s: float) -> Fence | None:
        """Hold on for ``ttl_s`` seconds from now; None when it is not this fence's any more, or nobody can tell."""
        ...

    async def release(self, fence: Fence) -> bool:
        """Let go; tell whether it was still this fence's. Another owner's lock is never touched."""
        ...


Sink: TypeAlias = Callable[[FromNode | MessagesMissed], None]


class ChannelStats(NamedTuple):
    """Counts since the start. ``waiting``: published while away, to be sent; ``overflowed``: too many of them."""

    published: int = 0
    heard: int = 0
    unreadable: int = 0
    """Frames that hold no fact; the subscription goes on."""
    gaps: int = 0
    """How often something was, or may have been, missed."""
    waiting: int = 0
    overflowed: int = 0


class Channels(Protocol):
    """Facts between nodes, in the order each node published them."""

    async def publish(self, channel: str, fact: NodeFact) -> bool:
        """Tell the other nodes; while the server is away it waits, in order. Tell whether it has left."""
        ...

    async def listen(self, channels: Iterable[str], sink: Sink) -> None:
        """Tell ``sink`` what other nodes publish, from now until cancelled; raise CacheAway when the connection is lost.

        ``MessagesMissed`` of each channel comes first, when the subscription stands: nothing after it is missed unseen.
        """
        ...

    async def flush(self) -> int:
        """Send what waits; return how many have left."""
        ...

    def stats(self) -> ChannelStats:
        """Return the counts."""
        ...
