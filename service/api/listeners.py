"""How many streams one caller has open: a door holds so many connections, and nobody takes all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from service.access.errors import AccessRefused
from service.access.roles import LOCAL, Caller

__all__ = ["HEARD_MOST", "LISTENERS_MOST", "Listeners"]

LISTENERS_MOST: Final = 64
"""Streams of one person or program at once; the owner on the socket has as many as he likes."""

HEARD_MOST: Final = 1_024
"""Bytes of a message that a listener may send: it has nothing to say, and each is kept until it is whole."""

_AGAIN_S: Final = 10.0


class Listeners:
    """Counts who listens."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    @contextmanager
    def one(self, caller: Caller) -> Iterator[None]:
        """Count one more for as long as the block lasts; raise ``AccessRefused`` when there are enough."""
        who = f"{caller.kind} {caller.name}"
        if caller is not LOCAL and self._of[who] >= LISTENERS_MOST:
            message = f"{caller.name} has {LISTENERS_MOST} streams open: close one"
            raise AccessRefused("TooManyRequests", message, retry_s=_AGAIN_S)
        self._of[who] += 1
        try:
            yield
        finally:
            self._of[who] -= 1
            self._of += Counter()  # those of nobody are forgotten
