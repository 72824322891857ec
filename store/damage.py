"""Find where a journal is damaged and whether the damage is only its tail.

A record is *good* when it continues the chain of the record before it. The damage begins at the first position that is
missing, unreadable or not good; it is a *tail* when no record after it continues the one before it either.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from runtime.journal import JournalCorrupt
from store.errors import is_damage
from store.rows import Head, Row, Rows

__all__ = ["Damage", "corrupt", "find_damage", "find_structural_damage"]


class Damage(NamedTuple):
    """The first bad position, whether all after it is bad too, and what is wrong with it."""

    position: int
    tail: bool
    what: str


def corrupt(damage: Damage) -> JournalCorrupt:
    """Return the error that tells an operator of the damage and of what can be done."""
    advice = "it is the tail and can be cut with the operator's word" if damage.tail else "it is not the tail"
    text = f"the journal is damaged at position {damage.position}: {damage.what}; {advice}"
    return JournalCorrupt(text, position=damage.position, tail=damage.tail)


def find_damage(rows: Rows, after: int = 0) -> Damage | None:
    """Check every record after position ``after`` and the head row; return the first damage, None when all is well."""
    last, what = _walk(rows, after)
    if what is None:
        return None
    return Damage(last.position + 1, not _any_good_after(rows, last.position + 1), what)


def _walk(rows: Rows, after: int) -> tuple[Head, str | None]:
    """Follow the chain as far as it is good; return the last good record and what is wrong with the next."""
    last = Head(after, b"")
    try:
        start = rows.checksum_at(after)
        if start is None:
            return Head(after - 1, b""), "the record is missing"
        last = Head(after, start)
        while page := rows.all_after(last.position):
            for row in page:
                if row[0] != last.position + 1:
                    return last, "the record is missing"
                if not rows.continues(row, last.checksum):
                    return last, "the record does not fit its checksum"
                last = Head(row[0], row[8])
        head = rows.head()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return _last_readable(rows, last), f"the record cannot be read ({error})"
    if head == last:
        return last, None
    missing = head.position > last.position
    return last, "the newest records are missing" if missing else "the head row does not name the newest record"


def _last_readable(rows: Rows, last: Head) -> Head:
    """Go on record by record where a whole page of records could not be read."""
    while (row := _get(rows, last.position + 1)) is not None and _good(rows, row, last.checksum):
        last = Head(row[0], row[8])
    return last


def _any_good_after(rows: Rows, bad: int) -> bool:
    """Whether any record after ``bad`` continues the one before it."""
    end = _end(rows)
    previous = _get(rows, bad)
    for position in range(bad + 1, end + 1):
        row = _get(rows, position)
        if row is not None and previous is not None and _good(rows, row, previous[8]):
            return True
        previous = row
    return False


def _end(rows: Rows) -> int:
    """Return the last position that exists or should exist, as far as the file can still tell."""
    ends = [0]
    for ask in (rows.last_position, lambda: rows.head().position):
        try:
            ends.append(ask())
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
    # A rotten number must not send us counting to 2^60: there is no room for more records than this.
    return min(max(ends), rows.room())


def _good(rows: Rows, row: Row, previous: bytes) -> bool:
    try:
        return rows.continues(row, previous)
    except sqlite3.DatabaseError as error:  # the dictionary of streams or types cannot be read
        if not is_damage(error):
            raise
        return False


def _get(rows: Rows, position: int) -> Row | None:
    try:
        return rows.get(position)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return None


def find_structural_damage(rows: Rows) -> Damage | None:
    """Let the store check its own structure; position 0 stands for the journal as a whole."""
    try:
        answer = rows.complaint()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        answer = str(error)
    return None if not answer else Damage(0, False, f"its structure is broken: {answer}")
