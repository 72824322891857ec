"""A disk that is full, failing or locked: nothing of the batch is kept, and the next append works again."""

from __future__ import annotations

import contextlib
import os
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from runtime.journal import JournalUnavailable, SequenceConflict, Snapshot
from store.sqlite_journal import SqliteJournal, open_journal, open_reader
from tests.store.events import entry, fill


def refused(journal: SqliteJournal, text_bytes: int = 60_000) -> None:
    """Append a batch that cannot be written, and see that nothing of it is there."""
    head, streams = journal.head(), journal.streams()
    with pytest.raises(JournalUnavailable):
        journal.append([entry("a", 11), *(entry("new", n, text="x" * text_bytes) for n in range(1, 21))])
    assert journal.head() == head
    with closing(open_reader(journal.path)) as reader:
        assert (reader.head(), reader.streams()) == (head, streams)


def works_again(journal: SqliteJournal) -> None:
    """Append the same records, smaller, and see that they and the chain are good."""
    assert journal.append([entry("a", 11), entry("new", 1)]) == 12
    assert [r.seq for r in journal.read("a", 10)] == [11]
    assert journal.verify() == 12


@contextmanager
def largest_file(limit: int) -> Iterator[None]:
    """Let the system refuse every write beyond ``limit`` bytes of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_refused_write_keeps_nothing(journal: SqliteJournal, path: Path) -> None:
    """When the system fails a write in the middle of a batch, the batch is gone and the next one is kept."""
    fill(journal, "a", 10)
    written = path.with_name(path.name + "-wal").stat().st_size
    with largest_file(written + 300_000):
        refused(journal)
        refused(journal)
    works_again(journal)


def test_sqlite_full_keeps_nothing(journal: SqliteJournal) -> None:
    """When SQLite itself finds no room, the same holds."""
    fill(journal, "a", 10)
    pages = journal._rows.one("PRAGMA page_count")[0]
    journal._rows.connection.execute(f"PRAGMA max_page_count = {pages + 20}")
    refused(journal)
    works_again(journal)


def test_a_snapshot_that_cannot_be_written_keeps_the_old_one(journal: SqliteJournal, path: Path) -> None:
    """A failed snapshot raises JournalUnavailable; the older snapshot stays and appends go on."""
    fill(journal, "a", 10)
    journal.save_snapshot(Snapshot("a", 5, 1, b"old"))
    written = path.with_name(path.name + "-wal").stat().st_size
    with largest_file(written + 50_000), pytest.raises(JournalUnavailable):
        journal.save_snapshot(Snapshot("a", 10, 1, b"x" * 500_000))
    assert journal.load_snapshot("a") == Snapshot("a", 5, 1, b"old")
    works_again(journal)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MB; skipped where mounting is not allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_keeps_nothing(small_disk: Path) -> None:
    """On a disk that is really full appends fail whole; after room was made the next one works, without reopening."""
    ballast = small_disk / "ballast"
    journal = open_journal(small_disk / "journal.db")
    fill(journal, "a", 10)
    fill_disk(ballast)
    for _ in range(3):
        refused(journal)
    ballast.unlink()
    works_again(journal)
    journal.close()
    with closing(open_journal(small_disk / "journal.db")) as again:
        assert again.verify() == 12


def fill_disk(ballast: Path) -> None:
    """Write until nothing more fits."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            continue
    assert os.statvfs(ballast).f_bavail == 0


def test_a_foreign_lock_keeps_nothing(path: Path) -> None:
    """While another program holds SQLite's write lock, appends fail after the timeout; then they work again."""
    journal = open_journal(path, busy_timeout_s=0.01)
    fill(journal, "a", 10)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused(journal, text_bytes=1)
        other.execute("ROLLBACK")
    works_again(journal)
    journal.close()


def test_a_writer_whose_file_was_changed_is_stopped(path: Path) -> None:
    """When the file moved on under a writer, nothing is written on top: it must be reopened."""
    journal = open_journal(path, busy_timeout_s=0.01)
    fill(journal, "a", 2)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("INSERT INTO events SELECT 3, 1, 3, type, at, 1, 1, 1, checksum, payload FROM events LIMIT 1")
        other.execute("UPDATE head SET position = 3")
    with pytest.raises(SequenceConflict):
        journal.append([entry("a", 3)])
    for _ in range(2):
        with pytest.raises(JournalUnavailable, match="reopen"):
            journal.append([entry("b", 1)])
    journal.close()


def test_a_journal_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    """A path below a file, or of a folder, says so as JournalUnavailable; so does a missing file for a reader."""
    (tmp_path / "file").write_text("x")
    attempts: list[Callable[[], object]] = [
        lambda: open_journal(tmp_path / "file" / "journal.db"),
        lambda: open_journal(tmp_path),
        lambda: open_reader(tmp_path / "none.db"),
    ]
    for attempt in attempts:
        with pytest.raises(JournalUnavailable):
            attempt()


def test_a_commit_that_fails_keeps_nothing_of_its_stage(path: Path) -> None:
    """What was staged is gone when its completion fails: no reader sees it, and the next append takes its place."""
    with closing(open_journal(path)) as journal:
        fill(journal, "a", 1)
        beside = journal.reader()
        commit = journal.stage([entry("a", 2, text="lost")])
        assert [record.seq for record in beside.read("a")] == [1]
        journal._rows.connection.execute("ROLLBACK")  # so that the commit has nothing to commit
        with pytest.raises(JournalUnavailable):
            commit()
        assert journal.append([entry("a", 2, text="kept")]) == 2
        assert [getattr(record.event, "text", "") for record in journal.reader().read("a", 1)] == ["kept"]


class Forgetful:
    """A connection whose commit is done and then said to have failed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, *parameters: object) -> object:
        """Commit and fail; do anything else as told."""
        done = self._connection.execute(sql, *parameters)
        if sql == "COMMIT":
            raise sqlite3.OperationalError("disk I/O error")
        return done

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


def test_a_commit_that_happened_after_all_is_found(path: Path) -> None:
    """A commit that failed after it was written stands there at the next use: its numbers are taken, work goes on."""
    with closing(open_journal(path)) as journal:
        fill(journal, "a", 1)
        journal._rows.connection = Forgetful(journal._rows.connection)  # type: ignore[assignment]
        with pytest.raises(JournalUnavailable):
            journal.append([entry("a", 2), entry("b", 1)])
        with pytest.raises(SequenceConflict, match="stream a is at 2"):
            journal.append([entry("a", 2)])
        assert journal.append([entry("a", 3)]) == 4
        assert [(r.stream, r.seq) for r in journal.read_all()] == [("a", 1), ("a", 2), ("b", 1), ("a", 3)]
        assert journal.verify() == 4
