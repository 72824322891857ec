"""Copy a journal into another store bit for bit: the same positions, checksums, snapshots and numbers.

A target that already holds a beginning of the same journal gets the rest, so a move that was broken off is finished by doing
it again, and an installation can go back to where it came from. A target that holds anything else is refused.

::

    JournalError
    └─ MoveRefused      the target holds another journal, or more than the source: nothing was changed
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from runtime.journal import JournalCorrupt, JournalError
from store.rows import Head, Row, Rows
from store.transfer.ends import End

__all__ = ["AT_ONCE", "MoveRefused", "Moved", "copy_journal", "same_journal"]

AT_ONCE: Final = 5_000
"""Records read and written at a time; all of them are one transaction of the target."""


class MoveRefused(JournalError):
    """The target cannot take this journal; nothing was changed."""


class Moved(NamedTuple):
    """What a copy came to; ``records`` are those that were not there before."""

    head: Head
    records: int
    snapshots: int
    openings: int


def _silent(done: int, of: int) -> None:
    """Tell nobody."""


def copy_journal(source: End, target: End, told: Callable[[int, int], None] = _silent) -> Moved:
    """Write everything of the source that the target lacks, in one transaction; ``told`` hears (position, of how many).

    Every record is checked against the chain as it passes. Raises ``JournalCorrupt`` for a damaged source, ``MoveRefused``,
    ``JournalUnavailable``: then the target is as it was.
    """
    with source.rows.one_view():
        return _copy_rest(source, target, told)


def _copy_rest(source: End, target: End, told: Callable[[int, int], None]) -> Moved:
    head, there = source.rows.head(), target.rows.head()
    _must_continue(source, target, there)
    known = {each.id for each in target.rows.streams()}, {each.id for each in target.rows.types()}
    streams = [each for each in source.rows.streams() if each.id not in known[0]]
    types = [each for each in source.rows.types() if each.id not in known[1]]
    snapshots, openings = source.snapshots(), source.openings()
    position = there.position
    with target.transaction():
        target.put_dictionary(streams, types)
        for page in _checked(source.rows, there):
            target.put_rows(page)
            position = page[-1][0]
            told(position, head.position)
        if position != head.position:
            raise JournalCorrupt(
                f"{source.name}: records after {position} are missing", position=position + 1, tail=True
            )
        target.put_end(head, snapshots, openings)
    return Moved(head, position - there.position, len(snapshots), len(openings))


def same_journal(one: End, other: End) -> list[str]:
    """Return in what two journals differ: records with their chain, snapshots, openings; empty when they are equal."""
    found = []
    if one.rows.head() != other.rows.head() or one.rows.last_position() != other.rows.last_position():
        found.append(f"head: {one.rows.head().position} and {other.rows.head().position}")
    if [(each.id, each.name) for each in one.rows.streams()] != [(each.id, each.name) for each in other.rows.streams()]:
        found.append("names of streams")
    if one.snapshots() != other.snapshots():
        found.append("snapshots")
    if max(one.openings(), default=None) != max(other.openings(), default=None):
        found.append("openings")
    pages = zip(_checked(one.rows, _START), _checked(other.rows, _START), strict=False)
    if differing := next((page[0][0][0] for page in pages if page[0] != page[1]), None):
        found.append(f"records from {differing} on")
    return found


_START: Final = Head(0, bytes(32))


def _must_continue(source: End, target: End, there: Head) -> None:
    """Raise ``MoveRefused`` unless the target holds a beginning of the source."""
    if there.position == 0 and target.rows.last_position() == 0:
        return
    if source.rows.checksum_at(there.position) != there.checksum:
        text = f"{target.name} holds another journal of {there.position} records: name an empty place"
        raise MoveRefused(text)
    newest = max((each.number for each in target.openings()), default=0)
    if newest > max((each.number for each in source.openings()), default=0):
        raise MoveRefused(f"{target.name} was opened for writing after it was copied: it is not what {source.name} was")


def _checked(rows: Rows, after: Head) -> Iterator[list[Row]]:
    """Yield pages of records after one, each record compared with the chain."""
    position, previous = after
    while page := rows.all_after(position, AT_ONCE):
        for row in page:
            position += 1
            if row[0] != position or not rows.continues(row, previous):
                text = f"record {position} is missing or does not fit its checksum: see `bulkhead journal verify`"
                raise JournalCorrupt(text, position=position, tail=False)
            previous = row[8]
        yield page
