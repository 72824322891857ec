"""Measure moves, rebuilds and backups of a store: ``python -m benchmarks.storage [--records N] [--url URL]``.

A journal of made-up trading goes from a SQLite file to PostgreSQL and back (every record checked against its chain on the
way, one transaction, the durability of the server as it is), read models are made from it in both places, it is backed up.
Without ``--url`` it starts the server of the tests (the wheel pgserver) in a temporary folder.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from itertools import islice
from pathlib import Path
from typing import Final

from benchmarks.journal_postgres import temporary_server
from benchmarks.log_search import made_up
from benchmarks.measure import Row, table
from runtime.journal import Entry
from service.backup import make_backup
from service.config import load
from service.journals import journal_of, views_of
from service.restoring import restore
from store.journals import Where, open_reader
from store.postgres.place import Place
from store.projector import Projector
from store.sqlite_journal import open_journal
from store.tables.contents import copy_rows
from store.transfer.ends import open_end
from store.transfer.moving import copy_journal

__all__ = ["main", "rows"]

RECORDS: Final = 100_000
_DIRECT: Final = 5_000
"""Records that are projected statement by statement: as much as a daemon writes in minutes."""

_KEY: Final = "correct horse battery staple"


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _write(path: Path, count: int) -> None:
    with closing(open_journal(path, durability="off")) as journal:
        records = made_up(count)
        while batch := list(islice(records, 1_000)):
            journal.append([Entry(r.stream, r.seq, r.event, r.at, r.message_id, r.correlation_id, 0) for r in batch])


def _copy(source: Where, target: Where) -> None:
    with closing(open_end(source, writes=False)) as one, closing(open_end(target, writes=True)) as other:
        copy_journal(one, other)


def _rebuild(journal: Where, views: Where) -> None:
    with closing(open_reader(journal, check=False)) as reader, closing(Projector(views)) as projector:
        projector.rebuild(reader)


def _direct(journal: Where, views: Where, count: int) -> None:
    with closing(open_reader(journal, check=False)) as reader, closing(Projector(views)) as projector:
        for start in range(0, count, 500):
            projector.apply(reader.read_all(start, limit=500))


def _copied(source: Where, target: Where) -> None:
    with closing(Projector(source)) as one, closing(Projector(target)) as other:
        copy_rows(one.database, other.database)


def rows(url: str, records: int = RECORDS) -> list[Row]:
    """Measure once each; a second or more every time, so that one round tells."""
    found = []
    with tempfile.TemporaryDirectory(prefix="bulkhead-storage-") as name:
        folder = Path(name)
        here = load(_written(folder / "here"), {})
        there = load(_written(folder / "there"), {"BULKHEAD_DATABASE_URL": url})
        place = journal_of(there)
        assert isinstance(place, Place)
        here.app.data_dir.mkdir()
        _write(here.journal_path, records)

        def timed(name: str, work: Callable[[], object], count: float, unit: str = "/s") -> None:
            found.append(Row(name, count / _seconds(work), unit))

        timed("move to PostgreSQL, journal", lambda: _copy(here.journal_path, place), records)
        timed("move back to SQLite, journal", lambda: _copy(place, folder / "back.db"), records)
        timed("read models made in SQLite", lambda: _rebuild(here.journal_path, views_of(here)), records)
        timed("read models made on PostgreSQL", lambda: _rebuild(place, place), records)
        other = Place(place.url, schema="bulkhead_direct")
        timed("read models on PostgreSQL, batch by batch", lambda: _direct(place, other, _DIRECT), _DIRECT)
        third = Place(place.url, schema="bulkhead_copied")
        timed("read models copied to PostgreSQL", lambda: _copied(views_of(here), third), records)
        for label, config in (("SQLite", here), ("PostgreSQL", there)):
            for sealed, key in (("", ""), (", encrypted", _KEY)):
                target = folder / f"{label}{sealed}"
                size = [0.0]

                def backed(config=config, target=target, key=key, size=size) -> None:  # type: ignore[no-untyped-def]
                    size[0] = make_backup(config, None, target, now=1, key=key).size / 1e6

                seconds = _seconds(backed)
                found.append(Row(f"backup of {label}{sealed}", size[0] / seconds, "MB/s"))
        fresh = load(_written(folder / "fresh"), {})
        timed("restore into SQLite", lambda: restore(folder / "SQLite", fresh, None, now=1), records)
    return found


def _written(folder: Path) -> Path:
    folder.mkdir()
    file = folder / "config.toml"
    file.write_text("")
    return file


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--url", default="")
    given = parser.parse_args(arguments)
    with temporary_server() if not given.url else nullcontext(given.url) as url:
        print(table(rows(url, given.records)))


if __name__ == "__main__":
    main()
