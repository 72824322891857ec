"""Why a cache did not do what it was asked.

::

    BulkheadError
    ├─ BadFrame            bytes in the cache are not what we write; ignored and counted
    └─ CacheError
       ├─ CacheAway        the server cannot be reached, or did not answer in time
       └─ CacheRefused     the server answered no: read-only, out of memory, another kind of value under the key

Only ``redis_link`` raises the last two, and ``listen`` of channels: whoever reads or writes a cache never sees them.
"""

from __future__ import annotations

from protocol.errors import BulkheadError

__all__ = ["BadFrame", "CacheAway", "CacheError", "CacheRefused"]


class BadFrame(BulkheadError):
    """An empty frame, an unknown codec or a corrupt body (DS-712)."""


class CacheError(BulkheadError):
    """The cache did not do what it was asked."""


class CacheAway(CacheError):
    """The server cannot be reached, or did not answer in time: what was asked may have been done or not."""


class CacheRefused(CacheError):
    """The server is there and refuses: read-only, out of memory, another kind of value under the key."""
