"""Notifications as this screen knows them: which came, which still show as toasts (DS-720 to DS-725)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["FRESH_S", "STACKED", "TOAST_S", "Notices"]

TOAST_S: Final = 8.0
"""Seconds that a toast stays."""

STACKED: Final = 4
"""Toasts above each other; the rest is a counter."""

FRESH_S: Final = 300.0
"""Age in seconds up to which a critical notification that was missed is still shown as a toast."""

_FILL: Final = "order.filled"

_NANOS: Final = 1_000_000_000


class Notices:
    """Takes the daemon's list each time it comes; remembers the last sequence, so that nothing is shown twice."""

    def __init__(self) -> None:
        self.last_seq = 0
        self._shown_at: dict[int, int] = {}
        self._toasts: dict[int, Mapping[str, Any]] = {}

    def take(self, found: Sequence[Mapping[str, Any]], now: int, clock: int) -> None:
        """Raise a toast for each critical one that is new and not older than five minutes (``now`` is the daemon's time)."""
        there = {int(each["seq"]): each for each in found if not each["dismissed"] and not each["read"]}
        newest = max((int(each["seq"]) for each in found), default=self.last_seq)
        if newest < self.last_seq:
            self.last_seq = 0  # another house, or a shelf that began anew; read ones count: else they were told again
        for seq, each in sorted(there.items()):
            fresh = now - int(each["at"]) <= FRESH_S * _NANOS
            if seq > self.last_seq and each["severity"] == "critical" and fresh:
                self._toasts[seq] = each
                self._shown_at[seq] = clock
        self.last_seq = max(self.last_seq, newest)
        for seq in [seq for seq in self._toasts if seq not in there]:
            self.drop(seq)

    def drop(self, seq: int) -> None:
        """Take a toast away."""
        self._toasts.pop(seq, None)
        self._shown_at.pop(seq, None)

    def drop_all(self) -> None:
        """Take every toast away."""
        self._toasts.clear()
        self._shown_at.clear()

    def toasts(self, clock: int) -> tuple[list[Mapping[str, Any]], int]:
        """Return the toasts to be seen now, newest first, and how many others there are.

        Fills come last: a ladder that fills must not push a failing exit into the counter.
        """
        for seq in [seq for seq, at in self._shown_at.items() if clock - at >= TOAST_S * _NANOS]:
            self.drop(seq)
        seen = sorted(self._toasts.values(), key=lambda each: (each["type"] != _FILL, each["seq"]), reverse=True)
        return seen[:STACKED], max(0, len(seen) - STACKED)
