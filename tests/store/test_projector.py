"""Read models: made batch by batch or anew, they hold the same rows, and a crash leaves them at a whole batch."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.journal import Entry, JournalError, JournalUnavailable
from runtime.memory_journal import MemoryJournal
from store.errors import ViewsError
from store.projector import Projector
from store.queries import open_views
from store.sqlite_journal import MEMORY, SqliteJournal, open_journal
from store.views.tables import names
from tests.examples import event_names, examples
from tests.store.events import StoreNoted, entry, fill
from tests.store.trading import random_trading


@pytest.fixture
def views_path(tmp_path: Path) -> Path:
    return tmp_path / "views.db"


@pytest.fixture
def traded() -> Iterator[SqliteJournal]:
    """A journal in memory of some groups."""
    journal = open_journal(MEMORY)
    random_trading(journal, Random(7), 60)
    yield journal
    journal.close()


def contents(projector: Projector) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, as it is stored."""
    fetch = projector.database.connection.execute
    return {name: sorted(fetch(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names()}


@settings(max_examples=40, deadline=None)
@given(rng=st.randoms(use_true_random=False), steps=st.integers(1, 40), sizes=st.lists(st.integers(1, 40), min_size=1))
def test_batches_and_a_rebuild_make_the_same_rows(rng: Random, steps: int, sizes: list[int]) -> None:
    """Whatever the batches, the read models are byte for byte those of a rebuild from zero."""
    with closing(open_journal(MEMORY)) as journal:
        random_trading(journal, rng, steps)
        one, other = Projector(MEMORY), Projector(MEMORY)
        turn = 0
        while one.position < journal.head():
            one.apply(journal.read_all(one.position, limit=sizes[turn % len(sizes)]))
            turn += 1
        assert other.rebuild(journal) == journal.head()
        assert contents(one) == contents(other)
        one.rebuild(journal)
        assert contents(one) == contents(other)
        one.close()
        other.close()


BEFORE = ("SignalReceived", "GroupOpened", "PyramidAdded", "OrderSent", "FillRecorded", "LegFilled")
"""Events of a group that any other may be about."""


@pytest.mark.parametrize("name", [each for each in event_names() if each not in BEFORE])
def test_every_event_can_be_projected(name: str) -> None:
    """Whatever an event of a known group says and leaves out, the read models take it, the same each time."""
    events = [*(examples(each)[1] for each in BEFORE), *examples(name)]
    journal, projector = MemoryJournal(), Projector(MEMORY)
    journal.append([Entry("s", seq, event, seq, 0, seq, 0) for seq, event in enumerate(events, 1)])
    assert projector.catch_up(journal) == len(events)
    once = contents(projector)
    projector.rebuild(journal)
    assert contents(projector) == once
    projector.close()


def test_catching_up_goes_on_where_it_ended(views_path: Path, traded: SqliteJournal) -> None:
    """After a restart only what is new is projected; the rows are those of one run."""
    projector = Projector(views_path)
    projector.apply(traded.read_all(limit=50))
    projector.close()
    projector = Projector(views_path)
    assert projector.position == 50
    assert projector.catch_up(traded) == traded.head()
    assert projector.catch_up(traded) == traded.head()
    whole = Projector(MEMORY)
    whole.catch_up(traded)
    assert contents(projector) == contents(whole)
    projector.close()
    whole.close()


def test_records_are_projected_once(traded: SqliteJournal) -> None:
    """Records that come again are passed over, alone or before new ones."""
    one, other = Projector(MEMORY), Projector(MEMORY)
    one.apply(traded.read_all(limit=30))
    one.apply(traded.read_all(limit=30))
    assert one.apply(traded.read_all(10, limit=40)) == 50
    other.apply(traded.read_all(limit=50))
    assert contents(one) == contents(other)
    one.close()
    other.close()


def test_a_gap_is_refused_whole(traded: SqliteJournal) -> None:
    """A batch with a missing record changes nothing: neither rows nor the position."""
    projector = Projector(MEMORY)
    projector.apply(traded.read_all(limit=10))
    before = contents(projector)
    records = list(traded.read_all(10, limit=10))
    for batch in (records[1:], records[:5] + records[6:]):
        with pytest.raises(ViewsError, match="are at 1"):
            projector.apply(batch)
        assert contents(projector) == before
    projector.close()


def test_a_failed_write_leaves_the_batch_before(traded: SqliteJournal) -> None:
    """When the disk gives out in the middle of a batch the read models stand where they stood, and go on later."""
    projector = Projector(MEMORY)
    projector.apply(traded.read_all(limit=10))
    before = contents(projector)
    pages = projector.database.connection.execute("PRAGMA page_count").fetchone()[0]
    projector.database.connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(JournalUnavailable):
        projector.apply(traded.read_all(10))
    assert contents(projector) == before
    projector.database.connection.execute("PRAGMA max_page_count = 1000000")
    assert projector.catch_up(traded) == traded.head()
    projector.close()


def test_unknown_events_are_counted() -> None:
    """An event without projection and sentence is counted by type, still traced by its ids, and never fatal."""
    with closing(open_journal(MEMORY)) as journal, closing(Projector(MEMORY)) as projector:
        fill(journal, "a", 3)
        projector.catch_up(journal)
        assert projector.unprojected() == {StoreNoted.__name__: 3}
        assert projector.position == 3


def test_another_journal_is_noticed(views_path: Path, traded: SqliteJournal) -> None:
    """Read models of another journal, or of records the journal has lost, are refused until rebuilt."""
    with closing(Projector(views_path)) as projector, closing(open_journal(MEMORY)) as other:
        projector.catch_up(traded)
        with pytest.raises(ViewsError, match="lost records"):
            projector.catch_up(other)
        for seq in range(1, traded.head() + 1):
            other.append([entry("a", seq)])
        with pytest.raises(ViewsError, match="another journal"):
            projector.catch_up(other)
        assert projector.rebuild(other) == other.head()
        assert projector.unprojected() == {StoreNoted.__name__: other.head()}


@pytest.mark.parametrize("damage", ["garbage", "old schema", "torn"])
def test_broken_or_old_read_models_are_made_anew(views_path: Path, traded: SqliteJournal, damage: str) -> None:
    """A damaged file is moved aside and tables of an older schema are emptied: both begin at 0 and catch up."""
    with closing(Projector(views_path)) as projector:
        projector.catch_up(traded)
        expected = contents(projector)
    if damage == "garbage":
        views_path.write_bytes(b"garbage" * 1_000)
    elif damage == "torn":
        views_path.write_bytes(views_path.read_bytes()[:4096] + b"\xff" * 4096)
    else:
        with closing(sqlite3.connect(views_path)) as older:
            older.execute("PRAGMA user_version = 0")
            older.execute("CREATE TABLE gone (x)")
    with closing(Projector(views_path)) as projector:
        assert projector.catch_up(traded) == traded.head()
        assert contents(projector) == expected


def test_a_rebuild_helps_where_a_table_is_damaged(views_path: Path, traded: SqliteJournal) -> None:
    """Damage that is met only later stops the projection with JournalUnavailable until a rebuild."""
    with closing(Projector(views_path)) as projector:
        projector.catch_up(traded)
        expected = contents(projector)
        sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'progress'"
        root = projector.database.connection.execute(sql).fetchone()[0]
    with views_path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    with closing(Projector(views_path)) as projector:
        with pytest.raises(JournalUnavailable, match="malformed"):
            projector.catch_up(traded)
        assert projector.rebuild(traded) == traded.head()
        assert contents(projector) == expected


def test_a_database_of_something_else_is_not_touched(views_path: Path) -> None:
    """A path that names another program's database is refused."""
    with closing(sqlite3.connect(views_path)) as theirs:
        theirs.execute("CREATE TABLE theirs (x)")
    before = views_path.read_bytes()
    with pytest.raises(JournalError, match="something else"):
        Projector(views_path)
    with pytest.raises(ViewsError):
        open_views(views_path)
    assert views_path.read_bytes() == before


def test_another_process_reads_while_we_project(views_path: Path, traded: SqliteJournal) -> None:
    """A reader sees whole batches, and cannot write; without read models it is told so."""
    with pytest.raises(JournalUnavailable):
        open_views(views_path)
    with closing(Projector(views_path)) as projector:
        projector.apply(traded.read_all(limit=20))
        with closing(open_views(views_path)) as views:
            assert views.position() == 20
            projector.catch_up(traded)
            assert views.position() == traded.head()
            assert views.groups() == projector.views().groups()
            with pytest.raises(JournalUnavailable, match="readonly"):
                views._fetch("DELETE FROM groups", [])
