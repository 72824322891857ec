"""A journal goes to another store and back: bit for bit, all or nothing, never onto something else."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.journal import JournalCorrupt, JournalUnavailable, Snapshot
from store.errors import JournalLocked
from store.journals import Where, open_reader
from store.postgres.journal import open_journal as open_on_server
from store.postgres.leases import LeaseStore
from store.postgres.place import Place
from store.projector import Projector
from store.sqlite_journal import MEMORY, open_journal
from store.tables.contents import digests
from store.transfer.checking import check_views
from store.transfer.ends import open_end
from store.transfer.moving import Moved, MoveRefused, copy_journal, same_journal
from tests.servers.postgres import sql
from tests.store.events import entry, fill
from tests.store.trading import random_trading


def written(path: Path, rng: Random, steps: int) -> str:
    """Write a journal with snapshots; return its digest."""
    with closing(open_journal(path, durability="off")) as journal:
        random_trading(journal, rng, steps)
        for stream in journal.streams()[:3]:
            seq = sum(1 for _ in journal.read(stream))
            journal.save_snapshot(Snapshot(stream, seq, 2, rng.randbytes(40)))
        return journal.digest()


def moved(source: Where, target: Where) -> Moved:
    """Copy one journal into another and compare them."""
    with closing(open_end(source, writes=False)) as one, closing(open_end(target, writes=True)) as other:
        done = copy_journal(one, other)
        assert same_journal(one, other) == []
        return done


def digest(where: Where) -> str:
    """Return the digest of a journal, after checking every link."""
    with closing(open_reader(where)) as reader:
        return reader.digest()


@pytest.fixture(scope="module")
def place() -> Place:
    """One database for all examples of a property."""
    from tests.servers.postgres import shared_server

    return Place(shared_server().database())


@settings(max_examples=6, deadline=None)
@given(rng=st.randoms(use_true_random=False), steps=st.integers(1, 25))
def test_there_and_back_is_the_same(
    rng: Random, steps: int, place: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite to PostgreSQL to another SQLite file: equal digests, snapshots, openings and read models."""
    folder = tmp_path_factory.mktemp("moving")
    sql(place.url, f"DROP SCHEMA IF EXISTS {place.schema} CASCADE")
    before = written(folder / "journal.db", rng, steps)
    there = moved(folder / "journal.db", place)
    assert (there.head.position, there.snapshots, there.openings) == (there.records, 3, 1)
    assert digest(place) == before
    moved(place, folder / "back.db")
    assert digest(folder / "back.db") == before
    found = []
    for where in (folder / "journal.db", place, folder / "back.db"):
        with closing(open_reader(where)) as reader, closing(Projector(MEMORY)) as projector:
            projector.catch_up(reader)
            found.append(digests(projector.database))
    assert found[0] == found[1] == found[2]


def test_what_was_moved_goes_on(tmp_path: Path, server_tables: Place) -> None:
    """The new home appends where the old one ended, with numbers of openings never given; the way back is short."""
    path = tmp_path / "journal.db"
    with closing(open_journal(path)) as journal:
        fill(journal, "a", 5)
    moved(path, server_tables)
    with closing(open_on_server(server_tables)) as journal:
        assert (journal.head(), journal.start_number()) == (5, 2)
        journal.append([entry("a", 6), entry("b", 1)])
    done = moved(server_tables, path)
    assert (done.records, done.head.position) == (2, 7)
    with closing(open_journal(path)) as journal:
        assert journal.start_number() == 3
        journal.append([entry("b", 2)])
        assert journal.verify() == 8


def test_doing_it_again_changes_nothing(tmp_path: Path, server_tables: Place) -> None:
    """A second move of the same journal writes no record."""
    written(tmp_path / "journal.db", Random(3), 10)
    first = moved(tmp_path / "journal.db", server_tables)
    assert first.records > 0
    assert moved(tmp_path / "journal.db", server_tables).records == 0


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_another_journal_is_never_overwritten(kind: str, tmp_path: Path, server_tables: Place) -> None:
    """A target with other records, or with more than the source, is refused and stays as it is."""
    target: Where = tmp_path / "theirs.db" if kind == "sqlite" else server_tables
    theirs = open_journal(tmp_path / "theirs.db") if kind == "sqlite" else open_on_server(server_tables)
    with closing(theirs):
        fill(theirs, "z", 3)
    before = digest(target)
    with closing(open_journal(tmp_path / "ours.db")) as journal:
        fill(journal, "a", 5)
    with pytest.raises(MoveRefused, match="another journal of 3 records"):
        moved(tmp_path / "ours.db", target)
    assert digest(target) == before


class _Breaking(Exception):
    """Stands for whatever ends a move in the middle."""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_move_that_breaks_off_leaves_nothing(kind: str, tmp_path: Path, server_tables: Place) -> None:
    """Until the last record is there, none is; doing it again finishes it."""
    source, target = tmp_path / "journal.db", tmp_path / "new.db" if kind == "sqlite" else server_tables
    before = written(source, Random(5), 20)

    def breaks(done: int, of: int) -> None:
        raise _Breaking

    with closing(open_end(source, writes=False)) as one, closing(open_end(target, writes=True)) as other:
        with pytest.raises(_Breaking):
            copy_journal(one, other, breaks)
        assert (other.rows.head().position, other.rows.last_position(), list(other.rows.streams())) == (0, 0, [])
    moved(source, target)
    assert digest(target) == before


def test_a_connection_lost_on_the_way_leaves_nothing(tmp_path: Path, server_tables: Place) -> None:
    """The server undoes what came before the connection broke."""
    written(tmp_path / "journal.db", Random(5), 20)

    def cut(done: int, of: int) -> None:
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'bulkhead move%'"
        sql(server_tables.url, kill)

    source, target = open_end(tmp_path / "journal.db", writes=False), open_end(server_tables, writes=True)
    with closing(source), closing(target):
        with pytest.raises(JournalUnavailable):
            copy_journal(source, target, cut)
        assert target.rows.last_position() == 0


def test_a_damaged_source_is_not_copied(tmp_path: Path, server_tables: Place) -> None:
    """A record that does not fit its checksum stops the copy; the target stays empty."""
    path = tmp_path / "journal.db"
    written(path, Random(5), 10)
    with closing(open_end(path, writes=True)) as end:
        end.connection.execute("UPDATE events SET at = at + 1 WHERE position = 9")  # type: ignore[attr-defined]
    with pytest.raises(JournalCorrupt) as refused:
        moved(path, server_tables)
    assert refused.value.position == 9
    with closing(open_end(server_tables, writes=True)) as target:
        assert target.rows.last_position() == 0


def test_a_daemon_that_runs_keeps_a_move_out(tmp_path: Path, server_tables: Place) -> None:
    """The writer's lock and held leases refuse a move, on either end."""
    path = tmp_path / "journal.db"
    with closing(open_journal(path)), pytest.raises(JournalLocked):
        open_end(path, writes=False)
    with closing(open_on_server(server_tables)), pytest.raises(JournalLocked):
        open_end(server_tables, writes=False)
    leased = Place(server_tables.url, schema=f"{server_tables.schema}_leased")
    with closing(LeaseStore(leased)) as leases:
        assert leases.acquire("house", "other-node", 60.0)
        with pytest.raises(JournalLocked, match="other-node"):
            open_end(leased, writes=True)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_mark_says_where_it_went(kind: str, tmp_path: Path, server_tables: Place) -> None:
    """What is left behind says where the installation is now, until it comes back."""
    where: Where = tmp_path / "journal.db" if kind == "sqlite" else server_tables
    with closing(open_end(where, writes=True)) as end:
        assert end.moved_to() == ""
        end.mark("postgresql://it's/there")
        assert end.moved_to() == "postgresql://it's/there"
        end.mark("")
        assert end.moved_to() == ""


def test_read_models_are_compared_with_a_rebuild(tmp_path: Path, tables_at: Where) -> None:
    """Equal rows are found equal at whatever position; a changed cell names its table."""
    path = tmp_path / "journal.db"
    written(path, Random(11), 30)
    with closing(open_reader(path)) as reader, closing(Projector(tables_at)) as projector:
        projector.apply(reader.read_all(limit=60))
        checked = check_views(projector.database, reader)
        assert (checked.position, checked.differing) == (60, ())
        with projector.database.transaction():
            projector.database.execute("UPDATE groups SET realized_quote = exact_add(realized_quote, ?)", ["0.1"])
        assert check_views(projector.database, reader).differing == ("groups",)
