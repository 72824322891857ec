"""Which critical notices are said again, and what is only counted (DK-261, ML-1083)."""

from __future__ import annotations

from itertools import takewhile
from typing import Final

import msgspec

from protocol.notifications import Notice
from rules.notices.shelf import Shelf

__all__ = ["AGAIN_NS", "REPEAT_NS", "Merger", "due_again", "next_due"]

REPEAT_NS: Final = 1_800 * 10**9
"""A critical notice that nobody has acknowledged is said again after so long."""

AGAIN_NS: Final = 900 * 10**9
"""The same words within so long are counted, not sent again."""


def due_again(shelf: Shelf, now: int) -> tuple[int, ...]:
    """Return the sequences of pinned notices that are due to be said again, oldest first."""
    return tuple(seq for seq, at in sorted(shelf.repeated.items()) if seq in shelf.notices and now - at >= REPEAT_NS)


def next_due(shelf: Shelf) -> int | None:
    """Return when the next one is due, None when none waits to be acknowledged."""
    return min((at + REPEAT_NS for seq, at in shelf.repeated.items() if seq in shelf.notices), default=None)


_OVER: Final = {"engine.running": "kill_switch.activated", "kill_switch.activated": "engine.running"}
"""Type -> what is over with it: stopped again after it ran is news, however soon."""


class Merger(msgspec.Struct):
    """Remembers what was sent lately, by its words, oldest first: when first, and how often it came again."""

    sent: dict[str, tuple[int, int]] = msgspec.field(default_factory=dict)

    def passes(self, notice: Notice) -> None:
        """Take in a notice that is not sent here: what is over with it is news when it comes again."""
        over = _OVER.get(notice.type)
        if over is not None:
            self.sent = {words: at for words, at in self.sent.items() if not words.startswith(f"{over}|")}

    def admit(self, notice: Notice) -> bool:
        """Take a notice in; return whether it is to be sent, and not only counted."""
        self.passes(notice)
        self._forget(notice.at)
        words = f"{notice.type}|{notice.link}|{notice.title}"
        first, count = self.sent.get(words, (notice.at - AGAIN_NS, 0))
        if 0 <= notice.at - first < AGAIN_NS:  # a clock that was put back makes nothing a repetition for hours
            self.sent[words] = (first, count + 1)
            return False
        self.sent.pop(words, None)  # what was sent last stands last
        self.sent[words] = (notice.at, 0)
        return True

    def _forget(self, now: int) -> None:
        """Drop what was sent too long ago; not a look at all of it for each notice, which come by thousands in a storm."""
        for words in list(takewhile(lambda each: now - self.sent[each][0] >= AGAIN_NS, self.sent)):
            del self.sent[words]
