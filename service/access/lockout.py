"""What guessing meets: five failures within fifteen minutes lock the name and the address for fifteen (EX-1507)."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque
from typing import Final

__all__ = ["FAILURES", "LOCKED_NS", "Lockout", "neighbourhood"]

FAILURES: Final = 5
LOCKED_NS: Final = 15 * 60 * 10**9

_MOST: Final = 10_000
"""Names and addresses that are remembered; a crowd of addresses pushes out those that failed longest ago."""

_OF_ONE_LINE: Final = 64


def neighbourhood(address: str) -> str:
    """Return what an address is counted by: of version 6 whoever has a line has the whole half of its bits to himself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _OF_ONE_LINE), strict=False))


class Lockout:
    """Counts failures by name and by address; both are keys of one kind. All instants are nanoseconds UTC."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[int]] = OrderedDict()
        self._locked: OrderedDict[str, int] = OrderedDict()

    def lock(self, key: str, until: int) -> None:
        """Lock a key, as one that was locked before a restart."""
        self._locked[key] = until
        while len(self._locked) > _MOST:
            self._locked.popitem(last=False)

    def failed(self, keys: tuple[str, ...], now: int) -> list[str]:
        """Note a failure under every key; return those that it locks."""
        locked = []
        for key in keys:
            failures = self._failures.setdefault(key, deque(maxlen=FAILURES))
            self._failures.move_to_end(key)
            failures.append(now)
            if len(failures) == FAILURES and now - failures[0] < LOCKED_NS:
                self.lock(key, now + LOCKED_NS)
                failures.clear()
                locked.append(key)
        while len(self._failures) > _MOST:
            self._failures.popitem(last=False)
        return locked

    def succeeded(self, key: str) -> None:
        """Forget the failures of a key: its owner is there."""
        self._failures.pop(key, None)

    def until(self, keys: tuple[str, ...], now: int) -> int:
        """Return until when any of the keys is locked, 0 when none is."""
        found = 0
        for key in keys:
            until = self._locked.get(key, 0)
            if until and until <= now:
                del self._locked[key]
            else:
                found = max(found, until)
        return found
