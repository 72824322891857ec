"""What a connection remembers of orders and fills, bounded; nothing here must survive it."""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal
from typing import Final, Generic, TypeVar

from protocol.orders import OrderReport

__all__ = ["Bounded", "Memory"]

K = TypeVar("K")
V = TypeVar("V")

_MOST: Final = 50_000
"""Orders, and fills, that are remembered; the oldest go first."""


class Bounded(OrderedDict[K, V], Generic[K, V]):
    """A dictionary of the newest entries."""

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > _MOST:
            self.popitem(last=False)


class Memory:
    """``opened_at`` is when the connection was opened, by the venue's clock."""

    def __init__(self, opened_at: int) -> None:
        self.opened_at = opened_at
        self.sent: Bounded[str, int | None] = Bounded()
        """Client id -> until when (the venue's clock) its order may still arrive; None: for ever."""
        self.refused: Bounded[str, OrderReport] = Bounded()
        """What the venue refused: it does not remember that itself."""
        self.numbers: Bounded[str, str] = Bounded()
        """The venue's id of an order -> client id."""
        self.symbols: set[str] = set()
        """Markets in which there was an order or a fill."""
        self.told: Bounded[tuple[str, str], None] = Bounded()
        """Symbol and trade id of every fill that was told."""
        self.told_qty: Bounded[str, Decimal] = Bounded()
        """Client id -> the sum of its fills that were told."""
        self.newest_fill = 0
        """Instant of the newest fill, by the venue's clock."""
