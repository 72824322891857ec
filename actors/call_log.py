"""The last calls of an account to its venue and what came of them, kept in the black box for incident files."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

from protocol.options import OptionChain
from runtime.plainly import plainly
from venues.contract import Venue

__all__ = ["CallLog"]

_SHOWN: Final = 3
_MS: Final = 1_000_000


class CallLog:
    """Writes each call into a bounded ring; what was asked and answered is made plain only when somebody reads it."""

    def __init__(self, ring: deque[Any], now: Callable[[], int]) -> None:
        self._ring = ring
        self._now = now

    def seen(self, venue: Venue) -> Venue:
        """Return the venue with an ear at its methods."""
        return cast("Venue", _Heard(venue, self))

    async def hear(
        self, name: str, call: Callable[..., Coroutine[Any, Any, Any]], asked: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        """Make a call and note how it went."""
        line = _Call(name, self._now(), (*asked, *named.values()))
        self._ring.append(line)
        try:
            answer = await call(*asked, **named)
        except BaseException as error:
            line.answer = error
            raise
        else:
            line.answer = _brief(answer)
        finally:
            line.took = self._now() - line.at
        return answer


class _Call:
    __slots__ = ("answer", "asked", "at", "name", "took")

    def __init__(self, name: str, at: int, asked: tuple[Any, ...]) -> None:
        self.name = name
        self.at = at
        self.asked = asked
        self.answer: Any = None
        self.took = -1

    def shown(self) -> dict[str, Any]:
        """Return the call as an incident file shows it; ``ms`` below 0: it was still under way."""
        asked = [plainly(each, _SHOWN) for each in self.asked]
        return {
            "at": self.at,
            "call": self.name,
            "asked": asked,
            "answer": plainly(self.answer, _SHOWN) if self.took >= 0 else "no answer yet",
            "failed": isinstance(self.answer, BaseException),
            "ms": self.took / _MS if self.took >= 0 else -1.0,
        }


class _Heard:
    __slots__ = ("_log", "_venue")

    def __init__(self, venue: Venue, log: CallLog) -> None:
        self._venue = venue
        self._log = log

    def __eq__(self, other: object) -> bool:
        """Be the venue that is listened to."""
        return other is self._venue or (isinstance(other, _Heard) and other._venue is self._venue)

    def __hash__(self) -> int:
        return id(self._venue)

    def __getattr__(self, name: str) -> Any:
        method, log = getattr(self._venue, name), self._log
        if not callable(method):
            return method
        return lambda *asked, **named: log.hear(name, method, asked, named)


def _brief(answer: Any) -> Any:
    """Return what is kept of an answer: a chain is hundreds of contracts, and the ring would hold many."""
    return f"{len(answer.contracts)} contracts" if isinstance(answer, OptionChain) else answer
