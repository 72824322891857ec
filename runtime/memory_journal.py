"""A journal in memory: for tests and for replays whose trail is not wanted on disk. Lost with the process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from protocol.codec import encode_msgpack
from runtime.journal import Entry, JournalUnavailable, Record, SequenceConflict, Snapshot

__all__ = ["MemoryJournal"]


class MemoryJournal:
    """Keeps the journal's promises but durability."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._streams: dict[str, list[Record]] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._starts = 0
        self._open = True

    def append(self, entries: Sequence[Entry]) -> int:
        """Append all or nothing."""
        self._check_open()
        expected = {entry.stream: len(self._streams.get(entry.stream, ())) for entry in entries}
        for entry in entries:
            expected[entry.stream] += 1
            if entry.seq != expected[entry.stream]:
                raise SequenceConflict(f"{entry.stream}: event {entry.seq} where {expected[entry.stream]} follows")
        for entry in entries:
            record = Record(len(self._records) + 1, *entry)
            self._records.append(record)
            self._streams.setdefault(entry.stream, []).append(record)
        return len(self._records)

    def stage(self, entries: Sequence[Entry]) -> Callable[[], int]:
        """Leave all of an append to the completion: nothing of it is worth doing before."""
        return lambda: self.append(entries)

    def reader(self) -> MemoryJournal:
        """Return this journal: nothing of it may be read while another thread appends."""
        return self

    def read(self, stream: str, after_seq: int = 0) -> Iterator[Record]:
        """Yield a stream's records in order."""
        self._check_open()
        yield from self._streams.get(stream, [])[after_seq:]

    def read_all(self, after_position: int = 0, *, limit: int | None = None) -> Iterator[Record]:
        """Yield all records in order."""
        self._check_open()
        end = None if limit is None else after_position + limit
        yield from self._records[after_position:end]

    def head(self) -> int:
        """Return the position of the newest record."""
        return len(self._records)

    def last_instant(self) -> int:
        """Return the instant of the newest record."""
        return self._records[-1].at if self._records else 0

    def streams(self, prefix: str = "") -> list[str]:
        """Return the streams that start with a prefix."""
        return [name for name in self._streams if name.startswith(prefix)]

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep the newest snapshot of a stream."""
        self._check_open()
        self._snapshots[snapshot.stream] = snapshot

    def load_snapshot(self, stream: str) -> Snapshot | None:
        """Return the newest snapshot of a stream."""
        return self._snapshots.get(stream)

    def start_number(self) -> int:
        """Count the systems that ran on this journal."""
        self._starts += 1
        return self._starts

    def digest(self) -> str:
        """Return a SHA-256 over all records."""
        sha = hashlib.sha256()
        for record in self._records:
            sha.update(encode_msgpack(list(record)))
        return sha.hexdigest()

    def close(self) -> None:
        """Refuse everything from now on."""
        self._open = False

    def _check_open(self) -> None:
        if not self._open:
            raise JournalUnavailable("the journal is closed")
