"""One process writes a journal; others are told which, and may read."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from runtime.journal import JournalUnavailable
from store.errors import JournalLocked
from store.sqlite_journal import SqliteJournal, open_journal, open_reader
from tests.store.events import entry, fill
from tests.store.test_journal_crash import REPOSITORY


def child(path: Path) -> subprocess.Popen[bytes]:
    """Start a process that opens the journal for writing and says what came of it."""
    command = [sys.executable, "-m", "tests.store.lock_child", str(path)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_a_second_process_is_refused_with_our_process_id(journal: SqliteJournal, path: Path) -> None:
    """Another process that opens for writing hears JournalLocked and who holds the journal."""
    fill(journal, "a", 1)
    with child(path) as second:
        said, _ = second.communicate()
    assert said.split() == [b"locked", str(os.getpid()).encode()]
    assert journal.append([entry("a", 2)]) == 2


def test_the_lock_dies_with_its_process(path: Path) -> None:
    """While a child writes we are refused with its process id; once it is killed we may open at once."""
    with child(path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(JournalLocked, match=str(holder.pid)) as caught:
            open_journal(path)
        assert caught.value.pid == holder.pid
        assert isinstance(caught.value, JournalUnavailable)
        holder.kill()
        holder.wait()
    open_journal(path).close()


def test_a_second_opening_in_one_process_is_refused(journal: SqliteJournal, path: Path) -> None:
    """The lock holds within a process too, and closing gives it back."""
    with pytest.raises(JournalLocked):
        open_journal(path)
    journal.close()
    open_journal(path).close()


def test_a_failed_opening_gives_the_lock_back(path: Path) -> None:
    """A journal that could not be opened is not left locked."""
    path.write_bytes(b"garbage" * 1_000)
    for _ in range(2):
        with pytest.raises(Exception, match="damaged"):
            open_journal(path)


def test_readers_see_what_is_committed_while_the_writer_runs(journal: SqliteJournal, path: Path) -> None:
    """A reader opens beside the writer, follows its appends, and cannot write."""
    fill(journal, "a", 3)
    with closing(open_reader(path)) as reader:
        assert reader.head() == 3
        journal.append([entry("a", 4), entry("b", 1)])
        assert [r.position for r in reader.read_all(2)] == [3, 4, 5]
        assert reader.last_instant() == journal.last_instant()
        assert (reader.start_number(), reader.streams(), reader.digest()) == (1, ["a", "b"], journal.digest())
        assert not hasattr(reader, "append")
        with pytest.raises(Exception, match="readonly"):
            reader._rows.connection.execute("DELETE FROM events")
