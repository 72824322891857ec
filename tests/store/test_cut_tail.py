"""A damaged tail is cut only with the operator's word, and never anything else."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from runtime.journal import JournalCorrupt, Snapshot
from store.errors import CutRefused, JournalLocked
from store.journal_repair import confirmation, cut_tail, verify
from store.sqlite_journal import open_journal, open_reader
from tests.store.events import entry
from tests.store.test_journal_damage import tamper


@pytest.fixture
def torn(path: Path) -> Path:
    """A journal of 40 records in two streams, opened twice, whose records from 37 on are damaged."""
    open_journal(path).close()
    journal = open_journal(path)
    for seq in range(1, 19):
        journal.append([entry("a", seq), entry("b", seq)])
    journal.save_snapshot(Snapshot("a", 18, 1, b"good"))
    journal.append([entry("late", 1), entry("b", 19), entry("a", 19), entry("a", 20)])
    journal.save_snapshot(Snapshot("b", 19, 1, b"after the cut"))
    journal.close()
    tamper(path, "UPDATE events SET at = 1 WHERE position >= 37")
    return path


def test_a_torn_tail_is_cut_after_it_was_copied(torn: Path) -> None:
    """What is before the damage stays with its snapshots and openings; the whole damaged file stands beside it."""
    damaged = torn.read_bytes()
    cut = cut_tail(torn, 37, confirm=confirmation(torn, 37))
    assert cut.kept == 36
    assert cut.side_file.read_bytes() == damaged
    assert verify(torn) == 36
    journal = open_journal(torn)
    assert journal.head() == 36
    assert journal.streams() == ["a", "b"]
    assert journal.load_snapshot("a") == Snapshot("a", 18, 1, b"good")
    assert journal.load_snapshot("b") is None
    assert journal.start_number() == 3
    assert journal.append([entry("new", 1), entry("b", 19)]) == 38
    assert journal.verify() == 38
    journal.close()


def test_nothing_is_cut_without_the_words(torn: Path) -> None:
    """A missing, wrong or stale confirmation is refused and tells the words."""
    before = torn.read_bytes()
    for words in ("", "yes", confirmation(torn, 36)):
        with pytest.raises(CutRefused, match=r"cut journal\.db from 37"):
            cut_tail(torn, 37, confirm=words)
    assert torn.read_bytes() == before


@pytest.mark.parametrize("position", [1, 36, 38, 41])
def test_the_cut_must_be_where_the_damage_begins(torn: Path, position: int) -> None:
    """Neither good records nor only a part of the bad ones can be cut."""
    before = torn.read_bytes()
    with pytest.raises(CutRefused, match="begins at 37"):
        cut_tail(torn, position, confirm=confirmation(torn, position))
    assert torn.read_bytes() == before


def test_damage_in_the_middle_is_not_cut(torn: Path) -> None:
    """Where good records follow the damage, cutting would lose them: refused with JournalCorrupt."""
    tamper(torn, "UPDATE events SET at = 1 WHERE position = 10")
    with pytest.raises(JournalCorrupt) as caught:
        cut_tail(torn, 10, confirm=confirmation(torn, 10))
    assert (caught.value.position, caught.value.tail) == (10, False)


def test_a_good_journal_is_not_cut(path: Path) -> None:
    """Without damage there is nothing to cut."""
    journal = open_journal(path)
    journal.append([entry("a", 1), entry("a", 2)])
    journal.close()
    with pytest.raises(CutRefused, match="every record is good"):
        cut_tail(path, 2, confirm=confirmation(path, 2))
    assert verify(path) == 2


def test_a_journal_in_use_is_not_cut(torn: Path, path: Path) -> None:
    """A writer's lock keeps the file from being replaced under it, and so does a reader."""
    with closing(open_reader(torn, check=False)) as reader:
        reading = reader.read_all()
        next(reading)
        side = cut_tail(torn, 37, confirm=confirmation(torn, 37)).side_file
    assert side.exists()
    journal = open_journal(path)
    with pytest.raises(JournalLocked):
        cut_tail(path, 37, confirm=confirmation(path, 37))
    journal.close()


def test_lost_newest_records_can_be_accepted(torn: Path) -> None:
    """Where the newest records are gone, the cut settles the head on what is there; side files never overwrite."""
    tamper(torn, "DELETE FROM events WHERE position >= 37")
    first = cut_tail(torn, 37, confirm=confirmation(torn, 37)).side_file
    tamper(torn, "UPDATE head SET position = 99")
    second = cut_tail(torn, 37, confirm=confirmation(torn, 37)).side_file
    assert first != second
    assert verify(torn) == 36
