"""What an operator may do to a damaged journal: check it in full and, on their word, cut a damaged tail."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from store.damage import corrupt, find_damage
from store.errors import CutRefused, JournalLocked, unavailable
from store.lock import WriterLock
from store.opening import connect, open_reader
from store.schema import create
from store.sqlite_rows import SqliteRows

__all__ = ["Cut", "confirmation", "cut_tail", "verify"]


class Cut(NamedTuple):
    """What a cut did: ``kept`` records stay; the whole damaged journal stands in ``side_file``."""

    kept: int
    side_file: Path


def verify(path: str | Path) -> int:
    """Check every record of a journal file; return how many are good, raise ``JournalCorrupt``."""
    with closing(open_reader(path, check=False)) as reader:
        return reader.verify()


def confirmation(path: str | Path, position: int) -> str:
    """Return the words an operator must type to have the tail cut."""
    return f"cut {Path(path).name} from {position}"


def cut_tail(path: str | Path, position: int, *, confirm: str) -> Cut:
    """Cut a damaged tail: keep the records before ``position``, put the journal as it was into a side file first.

    Refuses (``CutRefused``) without the words of ``confirmation``, or when the damage begins elsewhere; raises
    ``JournalCorrupt`` when the damage is not a tail. After a crash in between, either the old or the cut journal is
    there.
    """
    path = Path(path)
    if confirm != confirmation(path, position):
        raise CutRefused(f"to cut, confirm with the words: {confirmation(path, position)}")
    lock = WriterLock(path)
    try:
        _must_be_tail(path, position)
        _fold_write_ahead(path)
        side_file = _copy_aside(path, position)
        _replace_with_prefix(path, position)
    except (sqlite3.Error, OSError) as error:
        raise unavailable(f"cannot cut {path}", error) from error
    finally:
        lock.release()
    return Cut(position - 1, side_file)


def _must_be_tail(path: Path, position: int) -> None:
    with closing(connect(str(path), read_only=True)) as connection:
        found = find_damage(SqliteRows(connection))
    if found is None or found.position != position:
        where = f"begins at {found.position}" if found else "is not there: every record is good"
        raise CutRefused(f"nothing was cut: the damage {where}")
    if not found.tail:
        raise corrupt(found)


def _fold_write_ahead(path: Path) -> None:
    """Bring everything into the one file: a write-ahead file left behind would be played into the new journal."""
    with closing(connect(str(path))) as connection:
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise JournalLocked(f"nothing was cut: another process reads {path}", pid=0)


def _copy_aside(path: Path, position: int) -> Path:
    number, side_file = 1, path.with_name(f"{path.name}.damaged-{position}")
    while side_file.exists():
        number, side_file = number + 1, path.with_name(f"{path.name}.damaged-{position}.{number}")
    partial = side_file.with_name(side_file.name + ".partial")
    shutil.copyfile(path, partial)
    _sync(partial)
    partial.replace(side_file)
    _sync(path.parent)
    return side_file


def _replace_with_prefix(path: Path, position: int) -> None:
    """Build the cut journal beside the old one and put it in its place in one step."""
    partial = path.with_name(path.name + ".cut")
    partial.unlink(missing_ok=True)
    with closing(connect(str(partial))) as connection:
        create(connection)
        connection.execute("ATTACH ? AS old", (str(path),))
        _copy_prefix(connection, position)
        damage = find_damage(SqliteRows(connection))
        assert damage is None, damage
    _sync(partial)
    partial.replace(path)
    _sync(path.parent)


def _copy_prefix(connection: sqlite3.Connection, position: int) -> None:
    """Copy what belongs to the records before ``position``; openings all, so that no message id is given twice."""
    kept = (position,)
    with connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO openings SELECT * FROM old.openings")
        connection.execute("INSERT INTO events SELECT * FROM old.events WHERE position < ? ORDER BY position", kept)
        connection.execute("INSERT INTO streams SELECT * FROM old.streams WHERE id IN (SELECT stream FROM events)")
        connection.execute("INSERT INTO types SELECT * FROM old.types WHERE id IN (SELECT type FROM events)")
        connection.execute(
            "INSERT INTO snapshots SELECT s.* FROM old.snapshots s WHERE EXISTS "
            "(SELECT 1 FROM events e WHERE e.stream = s.stream AND e.seq = s.seq)"
        )
        connection.execute(
            "UPDATE head SET (position, checksum) = (SELECT position, checksum FROM events ORDER BY position DESC LIMIT 1)"
            " WHERE EXISTS (SELECT 1 FROM events)"
        )


def _sync(path: Path) -> None:
    """Make a file or a folder survive a power loss."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
