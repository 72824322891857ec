"""What keeps entries of one account back although its connection stands: failures in a row, silence, maintenance.

Decides and remembers; the session acts. Exits, cancels and questions are never held here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final, NamedTuple

from actors.session_topics import SessionSettings
from protocol.market import FeedState
from rules.windows import Window, inside
from runtime.clock import NANOS

__all__ = ["LOOK_S", "PAUSED_AFTER", "PROBE_S", "Found", "Watch"]

PAUSED_AFTER: Final = 3
"""Failures in a row after which entries wait until the venue answers."""

PROBE_S: Final = 2.0
"""Seconds between two questions to a venue that fails."""

LOOK_S: Final = 15.0
"""Longest time between two looks at who is mute, and whether a window of maintenance has begun."""

_NAMED: Final = 3
"""Most symbols that a notice names."""


class Found(NamedTuple):
    """What a look came to: symbols to subscribe again, and whether the connection itself is deaf."""

    ask_again: tuple[str, ...] = ()
    is_deaf: bool = False


class Watch:
    """One account's silence and windows. ``row`` is how many calls failed one after the other."""

    def __init__(self, settings: SessionSettings) -> None:
        self.row = 0
        self._why = ""
        self._since = 0
        self._heard: dict[str, int] = {}
        self._asked: set[str] = set()
        self._mute: set[str] = set()
        self._degraded_at: int | None = None
        self.use(settings)

    def use(self, settings: SessionSettings) -> None:
        """Go on under other settings."""
        self._deadline = round(settings.mute_after_s * NANOS)
        self._windows = tuple(Window.of(each) for each in settings.maintenance)

    @property
    def look_every_s(self) -> float:
        """Seconds until the next look; 0: there is nothing to look for."""
        if self._deadline:
            return min(LOOK_S, max(0.25, self._deadline / NANOS / 4))
        return LOOK_S if self._windows else 0.0

    # --- calls ---------------------------------------------------------------------------------------------------------

    @property
    def failing(self) -> bool:
        """Whether the venue has failed too often to be given entries."""
        return self.row >= PAUSED_AFTER

    def failed(self, reason: str) -> bool:
        """Take a call that failed; return whether it is the one after which entries wait."""
        self.row, self._why = self.row + 1, reason
        return self.row == PAUSED_AFTER

    def answered(self) -> bool:
        """Take a call that the venue answered; return whether entries waited for it."""
        before, self.row = self.failing, 0
        return before

    # --- prices --------------------------------------------------------------------------------------------------------

    def connected(self, now: int) -> None:
        """Begin anew with a connection; who was mute stays so until it speaks."""
        self._since, self._degraded_at = now, None
        self._asked.clear()

    def heard(self, symbol: str, now: int) -> bool:
        """Take a price; return whether its market was mute."""
        return self._spoke(symbol, now)

    def _spoke(self, symbol: str, now: int) -> bool:
        self._heard[symbol] = now
        self._asked.discard(symbol)
        if symbol in self._mute:
            self._mute.discard(symbol)
            return True
        return False

    def feed(self, state: FeedState, now: int) -> None:
        """Take what the adapter says of its stream; prices that come all the same (polled) count."""
        self._degraded_at = now if state in (FeedState.DEGRADED, FeedState.DOWN) else None

    def look(self, wanted: Collection[str], is_open: Callable[[str], bool], now: int) -> Found:
        """Find who is quiet: asked again after half of the deadline, mute after it; all mute for twice as long is deaf."""
        if not self._deadline:
            return Found()
        ask_again, quietest = [], []
        for symbol in sorted(wanted):
            if not is_open(symbol):
                self._spoke(symbol, now)  # a closed market says nothing, and has its whole time when it opens
                continue
            quiet = now - max(self._since, self._heard.get(symbol, 0))
            quietest.append(quiet)
            if quiet >= self._deadline // 2 and symbol not in self._asked:
                self._asked.add(symbol)
                ask_again.append(symbol)
            if quiet >= self._deadline:
                self._mute.add(symbol)
        return Found(tuple(ask_again), bool(quietest) and min(quietest) >= 2 * self._deadline)

    # --- what follows --------------------------------------------------------------------------------------------------

    def maintained(self, now: int) -> int | None:
        """Return when the window of maintenance ends that now lies in, None outside."""
        return inside(self._windows, now)

    def holds(self, symbol: str, now: int) -> tuple[str, str] | None:
        """Return code and reason why an entry in a market waits, None when it may leave."""
        if (until := self.maintained(now)) is not None:
            return "Maintenance", f"in its window of maintenance for another {(until - now) // (60 * NANOS)} min"
        if self.failing:
            return "VenueFailing", f"{self.row} calls failed in a row, the last: {self._why}"
        return self._silent(symbol, now)

    def _silent(self, symbol: str, now: int) -> tuple[str, str] | None:  # noqa: ARG002 - others go by the instant
        deaf = self._degraded_at is not None and self._heard.get(symbol, 0) < self._degraded_at
        if symbol in self._mute or deaf:
            return "MarketMute", f"no price of {symbol} although its market is open"
        return None

    def notice(self, now: int) -> tuple[str, str]:
        """Return code and reason of what an operator is to know while the connection stands; empty when nothing is."""
        if self.maintained(now) is not None or self.failing:
            code, reason = self.holds("", now) or ("", "")
            return code, f"{reason}: entries wait"
        if not self._mute:
            return "", ""
        return self._mute_notice(_listed(self._mute))

    def _mute_notice(self, symbols: str) -> tuple[str, str]:
        return "MarketMute", f"no price of {symbols} although open: entries wait, subscribed again"


def _listed(symbols: Iterable[str]) -> str:
    names = sorted(symbols)
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
