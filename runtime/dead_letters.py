"""Dead letters: every message that could not be handled, with its reason, kept for an operator."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from runtime.envelope import Envelope

__all__ = ["DEAD_LETTERS_KEPT", "DeadLetter", "DeadLetters"]

DEAD_LETTERS_KEPT: Final = 1_000
"""Newest dead letters that are kept; parked poison messages count and are the last to go."""

log = logging.getLogger("bulkhead")


class DeadLetter(NamedTuple):
    """One message that found no end: where it was bound for, why it failed, whether it is *poison* (parked)."""

    id: int
    path: str
    envelope: Envelope
    reason: str
    error: str
    poison: bool
    at: int


class DeadLetters:
    """The newest dead letters; counts all of them.

    ``listener`` hears of each letter. What it raises is logged, and letters that it causes itself are kept but not told to
    it: else one full mailbox on the way to the operator would turn one letter into an endless chain.
    """

    __slots__ = ("_kept", "_telling", "listener", "total")

    def __init__(self) -> None:
        self._kept: OrderedDict[int, DeadLetter] = OrderedDict()
        self._telling = False
        self.total = 0
        self.listener: Callable[[DeadLetter], None] = lambda _: None

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, letter: DeadLetter) -> None:
        """Keep a letter; the oldest ordinary one goes when there are too many."""
        self.total += 1
        self._kept[letter.id] = letter
        if len(self._kept) > DEAD_LETTERS_KEPT:
            oldest = next((key for key, each in self._kept.items() if not each.poison), next(iter(self._kept)))
            del self._kept[oldest]
        if self._telling:
            return
        self._telling = True
        try:
            self.listener(letter)
        except Exception:
            log.exception("the listener of dead letters failed on %s", letter.path)
        finally:
            self._telling = False

    def all(self) -> list[DeadLetter]:
        """Return the kept letters, oldest first."""
        return list(self._kept.values())

    def get(self, letter_id: int) -> DeadLetter:
        """Return a letter; raise KeyError when it is not kept."""
        return self._kept[letter_id]

    def take(self, letter_id: int) -> DeadLetter:
        """Remove a letter so that it can be told again; raise KeyError when it is not kept."""
        return self._kept.pop(letter_id)
