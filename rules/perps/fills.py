"""Read a venue's fills page by page, each fill once, from where the last cycle ended (PF-216, PF-217)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from msgspec.structs import replace

from protocol.messages import Value
from protocol.values import Instant

__all__ = [
    "MAX_PAGES",
    "OVERLAP_NS",
    "Fill",
    "Page",
    "ReadMode",
    "Reading",
    "StoredFills",
    "cursor_unknown",
    "read_page",
    "start_reading",
]

MAX_PAGES: Final = 20
"""Pages of one cycle."""

OVERLAP_NS: Final = 600_000_000_000
"""How far before the newest stored fill a reading without cursor begins."""


class ReadMode(StrEnum):
    """From where a cycle reads: its stored cursor, or a time because there is none or the venue does not know it."""

    CURSOR = "cursor"
    TIMESTAMP = "timestamp"
    TIMESTAMP_FALLBACK = "timestamp_fallback"


class Fill(NamedTuple):
    """One fill of a venue: its entry id is unique there; ``qty`` in base units."""

    entry_id: str
    at: Instant
    order_id: str = ""
    qty: Decimal = Decimal(0)


class Page(NamedTuple):
    """Fills of one answer and the cursor of the next; empty: there is none."""

    fills: tuple[Fill, ...]
    next: str = ""


class StoredFills(NamedTuple):
    """What storage holds when a cycle begins: the cursor of the last one (empty is none) and the newest fill's time."""

    cursor: str | None = None
    newest_at: Instant | None = None


class Reading(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One cycle as far as it got.

    ``ask`` is the cursor to ask for next (empty: the start), None when the cycle has ended. ``cursor``, ``newest_at``
    and ``new`` are to be committed together: a crash before repeats the reads and loses nothing (PF-217).
    ``warning`` is empty, CursorLoop or CursorMissing. ``since`` is None while a cursor is followed.
    """

    mode: ReadMode
    ask: str | None
    cursor: str
    since: Instant | None = None
    newest_at: Instant | None = None
    new: tuple[Fill, ...] = ()
    duplicates: int = 0
    skipped: int = 0
    asked: frozenset[str] = frozenset()
    warning: str = ""

    @property
    def pages(self) -> int:
        """How many pages were read."""
        return len(self.asked)


def start_reading(stored: StoredFills) -> Reading:
    """Begin a cycle at the stored cursor; without one, a little before the newest stored fill (PF-216)."""
    if stored.cursor:
        return Reading(mode=ReadMode.CURSOR, ask=stored.cursor, cursor=stored.cursor, newest_at=stored.newest_at)
    return _by_time(ReadMode.TIMESTAMP, stored.newest_at)


def cursor_unknown(reading: Reading) -> Reading:
    """Go on after the venue did not know the cursor asked for: by time when it was the stored one, else end the cycle."""
    if reading.mode is ReadMode.CURSOR and not reading.asked:
        return _by_time(ReadMode.TIMESTAMP_FALLBACK, reading.newest_at)
    return replace(reading, ask=None, warning="CursorMissing")


def read_page(reading: Reading, page: Page, seen: AbstractSet[str]) -> Reading:
    """Take the answer to ``reading.ask`` in; ``seen`` are the entry ids in storage.

    Fills before ``since`` are skipped, known ones are duplicates; both are counted.
    """
    if reading.ask is None:
        raise ValueError("the cycle has ended: nothing was asked for")
    known = {each.entry_id for each in reading.new}
    new, duplicates, skipped = list(reading.new), reading.duplicates, reading.skipped
    for fill in page.fills:
        if reading.since is not None and fill.at < reading.since:
            skipped += 1
        elif fill.entry_id in seen or fill.entry_id in known:
            duplicates += 1
        else:
            known.add(fill.entry_id)
            new.append(fill)
    times = [each.at for each in new]
    if reading.newest_at is not None:
        times.append(reading.newest_at)
    return _turned(
        replace(
            reading,
            new=tuple(new),
            duplicates=duplicates,
            skipped=skipped,
            newest_at=max(times, default=None),
            asked=reading.asked | {reading.ask},
        ),
        page.next,
    )


def _turned(reading: Reading, following: str) -> Reading:
    """Move to the next cursor; the last one told is where the next cycle begins."""
    if not following:
        return replace(reading, ask=None)
    if following in reading.asked:
        return replace(reading, ask=None, cursor=following, warning="CursorLoop")
    return replace(reading, ask=following if reading.pages < MAX_PAGES else None, cursor=following)


def _by_time(mode: ReadMode, newest_at: Instant | None) -> Reading:
    since = 0 if newest_at is None else max(0, newest_at - OVERLAP_NS)
    return Reading(mode=mode, ask="", cursor="", since=since, newest_at=newest_at)
