"""Keep the read models up with the journal, in a file of their own that can be thrown away and made anew.

Each batch of records is one transaction together with the position it reaches, so a crash leaves the read models at some
position and the next batch goes on from there. The journal stays the truth: nothing is decided from these tables.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, Final

from runtime.journal import Journal, Record
from store.errors import ViewsError, is_damage, unavailable
from store.opening import MEMORY
from store.queries import Views
from store.reading import JournalReader
from store.views import (
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
from store.views.exact import install
from store.views.log import write_line
from store.views.mentions import mentions
from store.views.registry import PROJECTIONS, Writer, insert, run
from store.views.tables import APPLICATION_ID, SCHEMA_VERSION, TABLES

__all__ = ["BATCH", "Projector"]

BATCH: Final = 500
"""Records projected in one transaction while catching up."""

_SUBJECTS: Final = (
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


class Projector:
    """The one writer of the read models. ``path`` may be ``":memory:"``. One thread at a time.

    Tables of an older schema are emptied at the opening, a damaged file is moved aside: ``position`` is then 0 and
    ``catch_up`` makes the read models anew.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        try:
            self._connection = self._open()
        except sqlite3.Error as error:
            if not is_damage(error) or self.path == MEMORY:
                raise unavailable(f"cannot open the read models {path}", error) from error
            self._set_aside()
            self._connection = self._open()

    @property
    def position(self) -> int:
        """The position of the newest record that is projected, 0 for none."""
        return int(self._fetch("SELECT coalesce(max(position), 0) FROM progress")[0][0])

    def apply(self, records: Iterable[Record]) -> int:
        """Project a batch in one transaction; return the position reached.

        Records that are already projected are passed over. Raises ``ViewsError`` at a gap and ``JournalUnavailable``
        when the file cannot be written; the read models are then as before.
        """
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            reached = self._project(records)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise unavailable(f"cannot write the read models {self.path}", error) from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return reached

    def catch_up(self, journal: Journal | JournalReader) -> int:
        """Project everything that is new in the journal; return the position reached.

        Raises ``ViewsError`` when the read models were made from another journal, or from records that this journal
        has lost.
        """
        self._must_belong_to(journal)
        records = journal.read_all(self.position)
        while batch := list(islice(records, BATCH)):
            self.apply(batch)
        return self.position

    def rebuild(self, journal: Journal | JournalReader) -> int:
        """Throw the read models away and make them anew from the whole journal; return the position reached."""
        try:
            self._make_tables(self._connection)
        except sqlite3.Error as error:
            if is_damage(error) and self.path != MEMORY:
                self._connection.close()
                self._set_aside()
                self._connection = self._open()
                return self.catch_up(journal)
            raise unavailable(f"cannot empty the read models {self.path}", error) from error
        return self.catch_up(journal)

    def unprojected(self) -> dict[str, int]:
        """Return how many records of each event type were met that no projection knows."""
        return dict(self._fetch("SELECT type, count FROM unprojected ORDER BY type"))

    def views(self) -> Views:
        """Return the queries on these read models; for other processes open ``Views`` by path."""
        return Views(self._connection)

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _fetch(self, sql: str) -> list[Any]:
        try:
            return self._connection.execute(sql).fetchall()
        except sqlite3.Error as error:
            raise unavailable(f"cannot read the read models {self.path}", error) from error

    def _project(self, records: Iterable[Record]) -> int:
        reached, newest = self.position, None
        for record in records:
            if record.position <= reached:
                continue
            if record.position != reached + 1:
                raise ViewsError(f"the read models are at {reached}, the next record is {record.position}")
            _project_one(Writer(self._connection, record))
            reached, newest = record.position, record
        if newest is not None:
            progress = {name: getattr(newest, name) for name in ("position", "stream", "seq", "at", "message_id")}
            insert(Writer(self._connection, newest), "progress", one=1, **progress)
        return reached

    def _must_belong_to(self, journal: Journal | JournalReader) -> None:
        """Compare the newest projected record with the journal's own."""
        found = self._fetch("SELECT position, stream, seq, at, message_id FROM progress")
        if not found:
            return
        mine = found[0]
        if (head := journal.head()) < mine[0]:
            raise ViewsError(f"the read models are at {mine[0]}, the journal only at {head}: it has lost records")
        record = next(iter(journal.read_all(mine[0] - 1, limit=1)))
        if (record.position, record.stream, record.seq, record.at, record.message_id) != tuple(mine):
            raise ViewsError("the read models were made from another journal")

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, cached_statements=256)
        try:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if application != APPLICATION_ID and _existing(connection):
                raise sqlite3.OperationalError("it is a database of something else")
            # Losing the newest transactions to a power loss is no loss: they are projected again.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            install(connection)
            if (application, version) != (APPLICATION_ID, SCHEMA_VERSION):
                self._make_tables(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    @staticmethod
    def _make_tables(connection: sqlite3.Connection) -> None:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for name in _existing(connection):
                # A full-text table takes its own tables along.
                connection.execute(f'DROP TABLE IF EXISTS "{name}"')
            for statement in TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _set_aside(self) -> None:
        """Move a damaged file away; its write-ahead file means nothing to the next one."""
        os.replace(self.path, self.path + ".damaged")
        for suffix in ("-wal", "-shm"):
            Path(self.path + suffix).unlink(missing_ok=True)


def _existing(connection: sqlite3.Connection) -> list[str]:
    sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY sql LIKE 'CREATE VIRTUAL%' DESC"
    found = connection.execute(sql).fetchall()
    return [name for (name,) in found]


def _project_one(writer: Writer) -> None:
    """Write everything that one record says."""
    record = writer.record
    name = type(record.event).__name__
    if project := PROJECTIONS.get(name):
        project(writer, record.event)
    told = write_line(writer, record.event)
    if project is None and not told:
        sql = "INSERT INTO unprojected VALUES (?, 1) ON CONFLICT (type) DO UPDATE SET count = count + 1"
        run(writer, sql, name)
    for kind, ident in mentions(record.event):
        run(writer, "INSERT OR IGNORE INTO mentions VALUES (?, ?, ?)", ident, record.position, kind)
    run(writer, "INSERT INTO correlations VALUES (?, ?)", record.correlation_id, record.position)
