"""What whoever guesses meets: locks of names and addresses, and few passwords that are looked at at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import anyio
from anyio import CapacityLimiter

from service.access.errors import AccessRefused
from service.access.lockout import Lockout, neighbourhood

__all__ = ["GUESSES_MOST", "Guessing", "name_key"]

T = TypeVar("T")

GUESSES_MOST: Final = 16
"""Logins whose passwords wait to be looked at; each takes a core for a tenth of a second."""

_SECOND: Final = 10**9


def name_key(name: str) -> str:
    """Return what the failures of a name are counted under."""
    return f"name {name}"


class Guessing:
    """Counts failures. Instants are nanoseconds UTC; ``say`` hears what a log should know: code, severity, text."""

    def __init__(self, say: Callable[[str, str, str], None]) -> None:
        self._say = say
        # Two, because each remembers so many and no more: a crowd of strangers does not free a name that is locked.
        self._names, self._strangers = Lockout(), Lockout()
        self._hashing: CapacityLimiter | None = None
        self.waiting = 0

    def lock(self, key: str, until: int, *, known: bool) -> None:
        """Lock a key, as one that was locked before a restart; ``known`` for the name of somebody who is there."""
        (self._names if known else self._strangers).lock(key, until)

    def refuse_locked(self, address: str, now: int, about: str = "") -> None:
        """Raise ``AccessRefused`` while an address, or what is shown, is locked."""
        keys = (_from(address), about)
        until = max(self._names.until(keys, now), self._strangers.until(keys, now))
        if until:
            wait_s = (until - now) / _SECOND
            message = f"too many failures: locked for another {max(1, round(wait_s / 60))} min"
            raise AccessRefused("LockedOut", message, retry_s=wait_s)

    def failed(self, address: str, now: int, about: str, *, known: bool) -> list[str]:
        """Count a failure of an address and of what was shown; return the keys that it locks."""
        what = "password" if about.startswith(name_key("")) else "token"
        self._say("LoginFailed", "warning", f"a wrong {what} came from {address}")
        strange = (_from(address), *((about,) if about and not known else ()))
        locked = self._strangers.failed(strange, now) + (self._names.failed((about,), now) if known else [])
        for key in locked:
            # Who is nobody may have written anything as his name: a lie for the alert strip, or his password.
            shown = key if known or key != about or what == "token" else "a name that nobody has"
            self._say("LockedOut", "warning", f"{shown} is locked for 15 minutes after five failures")
        return locked

    def succeeded(self, about: str) -> None:
        """Forget the failures of somebody who is there."""
        self._names.succeeded(about)

    async def hashed(self, work: Callable[[], T]) -> T:
        """Hash a password beside all else, one at a time; of a crowd of logins most are asked to come again."""
        if self._hashing is None:
            self._hashing = CapacityLimiter(1)
        if self.waiting >= GUESSES_MOST:
            raise AccessRefused("TooManyRequests", "too many logins at once: try again", retry_s=1.0)
        self.waiting += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._hashing)
        finally:
            self.waiting -= 1


def _from(address: str) -> str:
    return f"address {neighbourhood(address)}"
