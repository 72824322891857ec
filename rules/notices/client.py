"""What one screen shows of the notices, and what it is told again when it was away (DS-723, DS-725)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from protocol.notifications import Notice, NoticeSeverity

__all__ = ["FRESH_NS", "Screen", "received", "shown"]

FRESH_NS: Final = 300 * 10**9
"""Age up to which a critical notice that comes late still raises a toast."""


class Screen(msgspec.Struct):
    """A screen: what it has received, in order, and what it raised as toasts."""

    connected: bool = True
    last_seq: int = 0
    known: list[int] = msgspec.field(default_factory=list)
    toasts: list[int] = msgspec.field(default_factory=list)

    @property
    def indicator(self) -> str:
        """The bell's mark."""
        return "connected" if self.connected else "reconnecting"


def received(screen: Screen, notices: Iterable[Notice], now: int) -> None:
    """Take notices in, oldest first: those it has not had; critical ones that are fresh become toasts."""
    for notice in notices:
        if notice.seq <= screen.last_seq:
            continue
        screen.last_seq = notice.seq
        screen.known.append(notice.seq)
        if notice.severity is NoticeSeverity.CRITICAL and now - notice.at <= FRESH_NS:
            screen.toasts.append(notice.seq)


def shown(screen: Screen, visible: Iterable[Notice]) -> list[Notice]:
    """Return which of the visible notices this screen has received."""
    known = set(screen.known)
    return [each for each in visible if each.seq in known]
