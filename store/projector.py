"""Keep the read models up with the journal, in tables of their own that can be thrown away and made anew.

Each batch of records is one transaction together with the position it reaches, so a crash leaves the read models at some
position and the next batch goes on from there. The journal stays the truth: nothing is decided from these tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

from runtime.journal import Record
from store.errors import ViewsError
from store.queries import Views
from store.tables.contents import copy_rows
from store.tables.database import Row
from store.tables.opening import Where, write_tables
from store.views import (
    days,
    equity,
    group_edits,
    groups,
    incidents,
    log,
    orders,
    queue,
    risk_decisions,
    settings,
    signals,
    steering,
    system,
)
from store.views.log import write_line
from store.views.mentions import mentions
from store.views.registry import PROJECTIONS, Writer, insert, run

__all__ = ["BATCH", "BESIDE_FROM", "Projector", "RecordSource"]

BESIDE_FROM: Final = 5_000
"""From so many records on, read models on a server are first made in a file and then copied."""

BATCH: Final = 500
"""Records projected in one transaction while catching up."""

_SUBJECTS: Final = (
    days,
    equity,
    group_edits,
    groups,
    incidents,
    log,
    orders,
    queue,
    risk_decisions,
    settings,
    signals,
    steering,
    system,
)  # importing them filled PROJECTIONS

_MOST_FACTS: Final = 20_000
"""Answers that are remembered, so that the database is not asked for the same group at each of its events."""

_MENTION: Final = ("id", "position", "kind")
_CORRELATION: Final = ("correlation_id", "position")
_UNPROJECTED: Final = """INSERT INTO unprojected (type, count) VALUES (?, 1)
    ON CONFLICT (type) DO UPDATE SET count = unprojected.count + 1"""


def _silent(position: int) -> None:
    """Tell nobody."""


class RecordSource(Protocol):
    """A journal, or a reader of one."""

    def read_all(self, after_position: int = 0, *, limit: int | None = None) -> Iterator[Record]:
        """Yield all records in order."""
        ...

    def head(self) -> int:
        """Return the position of the newest record."""
        ...


class Projector:
    """The one writer of the read models in a file, in memory (``":memory:"``) or on PostgreSQL. One thread at a time.

    Tables of an older schema are emptied at the opening, a damaged file is moved aside: ``position`` is then 0 and
    ``catch_up`` makes the read models anew.
    """

    def __init__(self, where: Where) -> None:
        self.database = write_tables(where)
        self._facts: dict[tuple[Any, ...], Row] = {}
        self.at_work: Record | None = None
        """The record that is being projected, and, after an error, the one that could not be."""

    @property
    def position(self) -> int:
        """The position of the newest record that is projected, 0 for none."""
        return int(self.database.fetch("SELECT coalesce(max(position), 0) FROM progress")[0][0])

    def apply(self, records: Iterable[Record]) -> int:
        """Project a batch in one transaction; return the position reached.

        Records that are already projected are passed over. Raises ``ViewsError`` at a gap and ``JournalUnavailable``
        when the database cannot be written; the read models are then as before.
        """
        try:
            with self.database.transaction():
                return self._project(records)
        except BaseException:
            self._facts.clear()
            raise

    def catch_up(
        self, journal: RecordSource, told: Callable[[int], None] = _silent, *, until: int | None = None
    ) -> int:
        """Project everything that is new in the journal, at most ``until``; return the position reached.

        ``told`` hears the position of each batch.

        Raises ``ViewsError`` when the read models were made from another journal, or from records that this journal
        has lost.
        """
        self._must_belong_to(journal)
        if self.database.backend != "sqlite" and self.position == 0 and journal.head() >= BESIDE_FROM:
            self._make_beside(journal, told)
        position = self.position
        limit = None if until is None else max(0, until - position)
        records = journal.read_all(position, limit=limit)
        while batch := list(islice(records, BATCH)):
            told(self.apply(batch))
        return self.position

    def rebuild(self, journal: RecordSource, told: Callable[[int], None] = _silent) -> int:
        """Throw the read models away and make them anew from the whole journal; return the position reached."""
        self._facts.clear()
        self.database.make_tables()
        return self.catch_up(journal, told)

    def _make_beside(self, journal: RecordSource, told: Callable[[int], None]) -> None:
        """Project into a file on this machine and copy its rows: statement by statement a server takes far longer."""
        folder = TemporaryDirectory(prefix="bulkhead-views-")
        with folder, closing(Projector(Path(folder.name) / "views.db")) as beside:
            beside.catch_up(journal, told)
            copy_rows(beside.database, self.database)

    def unprojected(self) -> dict[str, int]:
        """Return how many records of each event type were met that no projection knows."""
        rows = self.database.fetch("SELECT type, count FROM unprojected ORDER BY type")
        return {name: count for name, count, *_ in rows}

    def views(self) -> Views:
        """Return the queries on these read models; for other processes open ``Views`` by path or address."""
        return Views(self.database)

    def close(self) -> None:
        """Release the database."""
        self.database.close()

    def _project(self, records: Iterable[Record]) -> int:
        reached, newest = self.position, None
        for record in records:
            if record.position <= reached:
                continue
            if record.position != reached + 1:
                raise ViewsError(f"the read models are at {reached}, the next record is {record.position}")
            self.at_work = record
            _project_one(Writer(self.database, record, self._facts))
            reached, newest = record.position, record
        self.at_work = None
        if len(self._facts) > _MOST_FACTS:
            self._facts.clear()
        if newest is not None:
            progress = {name: getattr(newest, name) for name in ("position", "stream", "seq", "at", "message_id")}
            insert(Writer(self.database, newest, self._facts), "progress", one=1, **progress)
        return reached

    def _must_belong_to(self, journal: RecordSource) -> None:
        """Compare the newest projected record with the journal's own."""
        found = self.database.fetch("SELECT position, stream, seq, at, message_id FROM progress")
        if not found:
            return
        mine = found[0]
        if (head := journal.head()) < mine[0]:
            raise ViewsError(f"the read models are at {mine[0]}, the journal only at {head}: it has lost records")
        record = next(iter(journal.read_all(mine[0] - 1, limit=1)))
        if (record.position, record.stream, record.seq, record.at, record.message_id) != tuple(mine):
            raise ViewsError("the read models were made from another journal")


def _project_one(writer: Writer) -> None:
    """Write everything that one record says."""
    record = writer.record
    name = type(record.event).__name__
    if project := PROJECTIONS.get(name):
        project(writer, record.event)
    told = write_line(writer, record.event)
    if project is None and not told:
        run(writer, _UNPROJECTED, name)
    append, position = writer.database.append, record.position
    for kind, ident in dict.fromkeys(mentions(record.event)):
        append("mentions", _MENTION, (ident, position, kind))
    append("correlations", _CORRELATION, (record.correlation_id, position))
