"""Events that only the store's tests write."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from protocol.messages import Event
from runtime.journal import Entry, Journal


class StoreNoted(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A line of text and an exact amount."""

    text: str
    amount: Decimal = Decimal(0)


class StoreRevised(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An event in its third version: ``words`` was ``text``, ``count`` came with version 3."""

    VERSION: ClassVar[int] = 3

    words: list[str]
    count: int


def entry(stream: str, seq: int, text: str = "", at: int = 1_000) -> Entry:
    """Return an entry whose ids follow from its number."""
    return Entry(stream, seq, StoreNoted(text or f"{stream} {seq}", Decimal("0.10")), at + seq, seq * 10, seq, 0)


def fill(journal: Journal, stream: str, count: int, batch: int = 1) -> None:
    """Append ``count`` records to a new stream, ``batch`` at a time."""
    entries: Sequence[Entry] = [entry(stream, seq) for seq in range(1, count + 1)]
    for start in range(0, count, batch):
        journal.append(entries[start : start + batch])
