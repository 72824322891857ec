"""How many requests one caller gets answered: a bucket each, filled evenly."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

__all__ = ["Rates"]

_MINUTE: Final = 60 * 10**9
_MOST: Final = 10_000


class _Bucket(NamedTuple):
    left: float
    at: int


class Rates:
    """Buckets of ``per_minute`` requests; a caller who was quiet may send a minute's worth at once."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, key: str, per_minute: int, now: int) -> float:
        """Take one request from a bucket; return 0, or how many seconds the caller has to wait."""
        before = self._buckets.pop(key, _Bucket(float(per_minute), now))
        left = min(float(per_minute), before.left + max(0, now - before.at) * per_minute / _MINUTE)
        taken = left >= 1
        self._buckets[key] = _Bucket(left - 1 if taken else left, now)
        while len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - left) * 60 / per_minute
