"""The disk: the real journal file in a folder that outlives the process, and what can go wrong with a commit."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from runtime.journal import Entry, JournalUnavailable, Record, Snapshot
from simulation.outside.weather import Weather
from simulation.scenario import FaultKind
from store.reading import JournalReader
from store.sqlite_journal import SqliteJournal, open_journal

__all__ = ["Dies", "Disk", "DiskJournal"]

Dies = Callable[[], None]
"""Kills the process: does not return."""

_PAGE: Final = 4_096
_REASONS: Final = {
    FaultKind.DISK_FULL: "database or disk is full (SQLITE_FULL)",
    FaultKind.DISK_LOCKED: "database is locked (SQLITE_BUSY)",
    FaultKind.DISK_IO_ERROR: "disk I/O error (SQLITE_IOERR_WRITE)",
}


class Disk:
    """Where the journal lies. A life opens it, and its end, orderly or not, closes it."""

    def __init__(self, folder: Path, weather: Weather, committed: Callable[[Sequence[Entry]], None]) -> None:
        self.folder = folder
        self._weather = weather
        self._committed = committed
        self._generation = 0
        self._told = 0
        self._journal: SqliteJournal | None = None

    @property
    def path(self) -> Path:
        """The journal's file."""
        return self.folder / f"journal-{self._generation}.db"

    def open(self, at: int, dies: Dies) -> DiskJournal:
        """Open the journal for a life."""
        journal = self._journal = open_journal(self.path, durability="off", opened_at=at)
        # A commit that the process died in may have reached the disk whole: nobody was told of it until now.
        late = [Entry(*record[1:]) for record in journal.read_all(self._told)]
        if late:
            self.told(late)
        return DiskJournal(journal, self._weather, self.told, dies, self)

    def told(self, entries: Sequence[Entry]) -> None:
        """Tell that entries have reached the disk."""
        self._told += len(entries)
        self._committed(entries)

    def let_go(self) -> None:
        """Close what a life had open; an open transaction is gone, as when the process dies."""
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()

    def tear(self, commit: Callable[[], int]) -> None:
        """Commit so that only a part of it reaches the disk: the write-ahead file changes only up to a place within it."""
        torn = self.folder / f"journal-{self._generation + 1}.db"
        shutil.copyfile(self.path, torn)  # before: a checkpoint that the commit sets off comes after its sync
        log = self.path.with_name(f"{self.path.name}-wal")
        before = log.read_bytes() if log.exists() else b""
        commit()
        after = log.read_bytes() if log.exists() else b""
        same = _alike(before, after)
        kept = same + int((len(after) - same) * self._weather.between(0, 0.99))
        torn.with_name(f"{torn.name}-wal").write_bytes(after[:kept] + before[kept:])
        self.let_go()
        self._drop(self.path)
        self._generation += 1

    def damage_snapshot(self) -> bool:
        """Damage one stream's newest snapshot; return whether there was one. Only while no life has the journal open."""
        with sqlite3.connect(self.path) as connection:
            rows = connection.execute("SELECT stream, state FROM snapshots ORDER BY stream").fetchall()
            if rows:
                stream, state = rows[int(self._weather.between(0, len(rows) - 0.001))]
                at = int(self._weather.between(0, len(state) - 0.001))
                damaged = state[:at] + bytes([state[at] ^ 0x5A]) + state[at + 1 :]
                connection.execute("UPDATE snapshots SET state = ? WHERE stream = ?", (damaged, stream))
        connection.close()
        return bool(rows)

    def _drop(self, path: Path) -> None:
        for each in path.parent.glob(f"{path.name}*"):
            each.unlink()


def _alike(before: bytes, after: bytes) -> int:
    """Return how many bytes at the beginning are equal."""
    longest = min(len(before), len(after))
    for page in range(0, longest, _PAGE):
        if before[page : page + _PAGE] != after[page : page + _PAGE]:
            ends = range(page, min(page + _PAGE, longest))
            return next((at for at in ends if before[at] != after[at]), longest)
    return longest


class DiskJournal:
    """The journal as a life sees it; commits may fail, and the process may die around one."""

    def __init__(
        self,
        journal: SqliteJournal,
        weather: Weather,
        committed: Callable[[Sequence[Entry]], None],
        dies: Dies,
        disk: Disk,
    ) -> None:
        self._journal = journal
        self._weather = weather
        self._committed = committed
        self._dies = dies
        self._disk = disk

    def append(self, entries: Sequence[Entry]) -> int:
        """Append all or nothing, or fail, or die."""
        return self.stage(entries)()

    def stage(self, entries: Sequence[Entry]) -> Callable[[], int]:
        """Stage an append, or fail."""
        weather = self._weather
        if fault := weather.any_of(*_REASONS):
            raise JournalUnavailable(f"cannot append to {self._disk.path.name}: {_REASONS[fault.kind]}")
        if weather.next_of(FaultKind.KILL_BEFORE_COMMIT):
            self._dies()
        commit = self._journal.stage(entries)

        def complete() -> int:
            if weather.next_of(FaultKind.TORN_TAIL):
                self._disk.tear(commit)
                self._dies()
            position = commit()
            self._committed(entries)
            if weather.next_of(FaultKind.KILL_AFTER_COMMIT):
                self._dies()
            if weather.next_of(FaultKind.COMMIT_ANSWER_LOST):
                raise JournalUnavailable(f"cannot append to {self._disk.path.name}: the answer was lost")
            return position

        return complete

    # --- as it is ------------------------------------------------------------------------------------------------------

    def reader(self) -> JournalReader:
        """Return the journal's own reader."""
        return self._journal.reader()

    def read(self, stream: str, after_seq: int = 0) -> Iterator[Record]:
        """Yield a stream's records."""
        return self._journal.read(stream, after_seq)

    def read_all(self, after_position: int = 0, *, limit: int | None = None) -> Iterator[Record]:
        """Yield all records."""
        return self._journal.read_all(after_position, limit=limit)

    def head(self) -> int:
        """Return the position of the newest record."""
        return self._journal.head()

    def last_instant(self) -> int:
        """Return the instant of the newest record."""
        return self._journal.last_instant()

    def streams(self, prefix: str = "") -> list[str]:
        """Return the names of streams."""
        return self._journal.streams(prefix)

    def load_snapshot(self, stream: str) -> Snapshot | None:
        """Return the newest snapshot of a stream."""
        return self._journal.load_snapshot(stream)

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot."""
        self._journal.save_snapshot(snapshot)

    def start_number(self) -> int:
        """Return which opening this is."""
        return self._journal.start_number()

    def digest(self) -> str:
        """Return the digest of all records."""
        return self._journal.digest()

    def close(self) -> None:
        """Close the file."""
        self._disk.let_go()
