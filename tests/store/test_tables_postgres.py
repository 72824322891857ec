"""Read models on PostgreSQL: the rows that SQLite has, in parts by month, whole after whatever goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import store.projector
from protocol.event_log import EventLogged
from protocol.signals import Problem, SignalReceived
from runtime.journal import Entry, JournalTooNew, JournalUnavailable
from runtime.memory_journal import MemoryJournal
from store.errors import ViewsError
from store.postgres.place import Place
from store.projector import Projector
from store.queries import EventFilter, open_views
from store.sqlite_journal import MEMORY, SqliteJournal, open_journal
from store.tables import making
from store.tables.contents import copy_rows, digests
from store.tables.postgres import ServerTables, schema_of
from store.tables.series import month_of
from store.tables.spelling import numbered
from store.transfer.checking import check_views
from store.views.tables import names
from tests.examples import event_names, examples
from tests.servers.postgres import Server, sql
from tests.store.events import fill
from tests.store.test_projector import BEFORE
from tests.store.trading import random_trading

pytestmark = pytest.mark.slow(seconds=20)

MONTH_NS = 31 * 86_400_000_000_000


@pytest.fixture
def traded() -> Iterator[SqliteJournal]:
    """A journal in memory of some groups."""
    with closing(open_journal(MEMORY)) as journal:
        random_trading(journal, Random(7), 60)
        yield journal


def told(count: int, at: int = 1_000, text: str = "hello") -> MemoryJournal:
    """Return a journal of lines of the event log, a month apart."""
    journal = MemoryJournal()
    entries = []
    for seq in range(1, count + 1):
        event = EventLogged(source="system", severity="info", code="Told", text=f"{text} {seq}", at=seq)
        entries.append(Entry("log", seq, event, at + (seq - 1) * MONTH_NS, seq, seq, 0))
    journal.append(entries)
    return journal


def server_tables_of(projector: Projector) -> ServerTables:
    """Return the database of a projector, which is PostgreSQL."""
    assert isinstance(projector.database, ServerTables)
    return projector.database


@settings(max_examples=8, deadline=None)
@given(rng=st.randoms(use_true_random=False), steps=st.integers(1, 40), sizes=st.lists(st.integers(1, 40), min_size=1))
def test_both_databases_hold_the_same_rows(rng: Random, steps: int, sizes: list[int], shared_tables: Projector) -> None:
    """EX-1201: whatever happened and in whatever batches, every table has the digest it has in SQLite."""
    server = shared_tables
    server.database.make_tables()
    with closing(open_journal(MEMORY)) as journal, closing(Projector(MEMORY)) as local:
        random_trading(journal, rng, steps)
        local.catch_up(journal)
        turn = 0
        while server.position < journal.head():
            server.apply(journal.read_all(server.position, limit=sizes[turn % len(sizes)]))
            turn += 1
        assert digests(server.database) == digests(local.database)


@pytest.fixture(scope="module")
def shared_tables(request: pytest.FixtureRequest) -> Iterator[Projector]:
    """One projector on PostgreSQL for all examples of a property."""
    from tests.servers.postgres import shared_server

    with closing(Projector(shared_server().database())) as projector:
        yield projector


def test_every_event_is_projected_alike(server_tables: Place) -> None:
    """Whatever an event says and leaves out, PostgreSQL's types take it and keep what SQLite keeps."""
    wanted = [*(examples(each)[1] for each in BEFORE)]
    wanted += [event for name in event_names() if name not in BEFORE for event in examples(name)]
    journal = MemoryJournal()
    journal.append([Entry("s", seq, event, seq, 0, seq, 0) for seq, event in enumerate(wanted, 1)])
    with closing(Projector(server_tables)) as server, closing(Projector(MEMORY)) as local:
        assert server.catch_up(journal) == local.catch_up(journal) == len(wanted)
        assert digests(server.database) == digests(local.database)


def test_a_rebuild_by_copy_makes_the_same_rows(
    server_tables: Place, traded: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long journal is projected beside and copied: no row differs, words are found, and batches go on from there."""
    monkeypatch.setattr(store.projector, "BESIDE_FROM", 50)
    with closing(Projector(server_tables)) as server, closing(Projector(MEMORY)) as local:
        local.catch_up(traded)
        assert server.rebuild(traded) == traded.head()
        assert digests(server.database) == digests(local.database)
        found = EventFilter(text="btc/usdt")
        assert server.views().events(found) == local.views().events(found) != []
        fill(traded, "later", 3)
        server.catch_up(traded)
        local.catch_up(traded)
        assert digests(server.database) == digests(local.database)
        assert copy_rows(local.database, server.database) == 0, "never into tables that hold something"


def test_every_table_names_its_user(server_tables: Place) -> None:
    """DK-244: each table has ``user_id``, never empty, ``local`` unless said otherwise."""
    with closing(Projector(server_tables)):
        found = sql(
            server_tables.url,
            """SELECT table_name, is_nullable, column_default FROM information_schema.columns
            WHERE table_schema = $1 AND column_name = 'user_id'""",
            schema_of(server_tables),
        )
    assert {row[0] for row in found} >= {*names(), "event_words"}
    assert {row[1] for row in found} == {"NO"}
    assert all("'local'" in str(row[2]) for row in found if row[0] not in {"signals", "groups", "queue_entries"})


def test_exact_decimals_are_numbers(server_tables: Place) -> None:
    """DK-244: money is NUMERIC and documents are JSONB, so that other tools can count with them."""
    with closing(Projector(server_tables)):
        found = sql(
            server_tables.url,
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2",
            schema_of(server_tables),
            "groups",
        )
    types = {row[0]: row[1] for row in found}
    assert (types["realized_quote"], types["tp_settings"], types["blocked"]) == ("numeric", "jsonb", "boolean")


def test_zero_bytes_stop_nothing(server_tables: Place) -> None:
    """PostgreSQL keeps no zero byte: what a request smuggled in is shown as an unknown letter, the same in a digest."""
    event = SignalReceived(
        signal_id="s1",
        user="ann",
        received_at=5,
        source_address="x",
        body='a\0b "\\u0000"',
        problems=(Problem("UnknownField", "$.\0", "a\0\\u0000"),),
        outcome="rejected:UnknownField",
    )
    journal = MemoryJournal()
    journal.append([Entry("s", 1, event, 5, 0, 0, 0)])
    with closing(Projector(server_tables)) as server, closing(Projector(MEMORY)) as local:
        server.catch_up(journal)
        local.catch_up(journal)
        assert digests(server.database) == digests(local.database)
        row = server.views().signal("s1")
        assert row is not None
        assert row.body == 'a\ufffdb "\\u0000"'
        assert row.problems[0].message == "a\ufffd\\u0000"


WORDS = st.text(st.sampled_from("abÄßéЖ09 /-_:'\"\\*()&|!<>,.%\n\U0001f600"), max_size=12)


@settings(max_examples=12, deadline=None)
@given(texts=st.lists(WORDS, min_size=1, max_size=8), searched=st.lists(WORDS, min_size=1, max_size=8))
def test_words_are_found_alike(texts: list[str], searched: list[str], shared_tables: Projector) -> None:
    """EX-1410: a search finds the same lines on both databases, whatever letters it is made of."""
    journal = MemoryJournal()
    events = [EventLogged(source="system", severity="info", code="Told", text=text, at=1) for text in texts]
    journal.append([Entry("log", seq, event, seq, seq, seq, 0) for seq, event in enumerate(events, 1)])
    shared_tables.database.make_tables()
    with closing(Projector(MEMORY)) as local:
        shared_tables.catch_up(journal)
        local.catch_up(journal)
        for text in (*searched, *texts):
            wanted = EventFilter(text=text)
            assert shared_tables.views().events(wanted) == local.views().events(wanted)


def test_time_series_are_kept_by_month(server_tables: Place) -> None:
    """Lines stand in partitions by month, made ahead of their time; old months can be dropped and come back by a rebuild."""
    journal = told(3)
    with closing(Projector(server_tables)) as server, closing(Projector(MEMORY)) as local:
        server.catch_up(journal)
        local.catch_up(journal)
        database = server_tables_of(server)
        assert [part for _, part in database.parts("events")] == [f"events_1970_0{n}" for n in (1, 2, 3, 4)]
        gone = database.drop_before(month_of(1_000 + 2 * MONTH_NS).start)
        assert gone == ["events_1970_01", "events_1970_02"]
        assert [row.position for row in server.views().events()] == [3]
        assert [row.position for row in server.views().events(EventFilter(text="hello"))] == [3]
        assert check_views(database, journal).differing == (), "what was dropped on purpose is not missing"
        assert server.rebuild(journal) == 3
        assert digests(server.database) == digests(local.database)


def test_hypertables_where_the_server_has_them(server_tables: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """With TimescaleDB both time series become hypertables cut by their instant, and no partition is made by hand.

    The extension itself is stood in for: its functions note how they were called, and delete what they are to drop.
    """

    async def installed(connection: object) -> str:
        return "public"

    monkeypatch.setattr("store.tables.postgres.series_kind", installed)
    sql(server_tables.url, "CREATE TABLE IF NOT EXISTS public.made (name TEXT, cut TEXT, every BIGINT, plain BOOLEAN)")
    sql(server_tables.url, "TRUNCATE public.made")
    sql(
        server_tables.url,
        """CREATE OR REPLACE FUNCTION public.create_hypertable(name regclass, cut name, chunk_time_interval bigint,
        create_default_indexes boolean) RETURNS void LANGUAGE sql
        AS 'INSERT INTO public.made VALUES ($1::text, $2::text, $3, $4)'""",
    )
    sql(
        server_tables.url,
        """CREATE OR REPLACE FUNCTION public.drop_chunks(name regclass, older_than bigint) RETURNS SETOF text
        LANGUAGE plpgsql AS 'BEGIN EXECUTE format(''DELETE FROM %s WHERE at < %s'', name, older_than);
        RETURN NEXT ''_hyper_1''; END'""",
    )
    journal = told(3)
    with closing(Projector(server_tables)) as server, closing(Projector(MEMORY)) as local:
        server.catch_up(journal)
        local.catch_up(journal)
        assert digests(server.database) == digests(local.database)
        database = server_tables_of(server)
        assert database.parts("events") == []
        assert database.current
        assert database.drop_before(1_000 + MONTH_NS) == ["_hyper_1", "_hyper_1"]
        assert [row.position for row in server.views().events(EventFilter(text="hello"))] == [3, 2]
        assert check_views(database, journal).differing == ()
    made = sql(server_tables.url, "SELECT name, cut, every FROM public.made ORDER BY name")
    assert [(row[0].rpartition(".")[2], row[1]) for row in made] == [("equity_snapshots", "at"), ("events", "at")]
    assert {row[2] for row in made} == {30 * 86_400_000_000_000}


def test_two_projectors_write_each_record_once(server_tables: Place, traded: SqliteJournal) -> None:
    """A second daemon's projector waits for the first one's batch and passes over what that has projected."""
    with (
        closing(Projector(server_tables)) as one,
        closing(Projector(server_tables)) as other,
        closing(Projector(MEMORY)) as local,
    ):
        batch = list(traded.read_all(limit=40))
        one.apply(batch)
        assert other.apply(batch) == 40
        other.catch_up(traded)
        one.catch_up(traded)
        local.catch_up(traded)
        assert digests(one.database) == digests(local.database)


def test_a_failed_batch_leaves_the_one_before(server_tables: Place, traded: SqliteJournal) -> None:
    """A gap in the records undoes the whole transaction, rows and position alike."""
    with closing(Projector(server_tables)) as projector:
        projector.apply(traded.read_all(limit=10))
        before = digests(projector.database)
        records = list(traded.read_all(10, limit=10))
        with pytest.raises(ViewsError, match="are at 1"):
            projector.apply(records[:5] + records[6:])
        assert digests(projector.database) == before


def test_it_goes_on_after_the_server_was_away(server: Server, traded: SqliteJournal) -> None:
    """A server that crashes is an error while it is away; afterwards the same projector and reader go on."""
    place = Place(server.database(), connect_timeout_s=2)
    with closing(Projector(place)) as projector, closing(Projector(MEMORY)) as local:
        projector.apply(traded.read_all(limit=20))
        with closing(open_views(place)) as views:
            assert views.position() == 20
            server.stop("immediate")
            with pytest.raises(JournalUnavailable):
                projector.catch_up(traded)
            with pytest.raises(JournalUnavailable):
                views.position()
            server.start()
            assert projector.catch_up(traded) == traded.head()
            assert views.position() == traded.head()
        local.catch_up(traded)
        assert digests(projector.database) == digests(local.database)


def test_a_connection_lost_in_the_middle_of_a_batch_leaves_nothing_of_it(
    server_tables: Place, traded: SqliteJournal
) -> None:
    """What was sent before the connection broke is not there, and the batch can be sent again."""
    with closing(Projector(server_tables)) as projector:
        projector.apply(traded.read_all(limit=10))
        before = digests(projector.database)
        records = list(traded.read_all(10, limit=40))

        def breaking() -> Iterator[object]:
            yield from records[:30]
            kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%read models%'"
            sql(server_tables.url, kill)
            yield from records[30:]

        with pytest.raises(JournalUnavailable):
            projector.apply(breaking())  # type: ignore[arg-type]
        assert digests(projector.database) == before
        assert projector.apply(records) == 50


def test_readers_are_refused_what_is_not_theirs(server_tables: Place) -> None:
    """Without read models a reader is told so; it cannot write; a schema of something else is never dropped."""
    with pytest.raises(ViewsError, match="no read models"):
        open_views(server_tables)
    with (
        closing(Projector(server_tables)),
        closing(open_views(server_tables)) as views,
        pytest.raises(JournalUnavailable, match="read-only"),
    ):
        views._fetch("DELETE FROM groups", [])
    foreign = Place(server_tables.url, schema="theirs")
    sql(server_tables.url, f"CREATE SCHEMA {schema_of(foreign)}")
    with pytest.raises(JournalUnavailable, match="something else"):
        Projector(foreign)


def test_tables_of_an_older_schema_are_made_anew(server_tables: Place, traded: SqliteJournal) -> None:
    """As in SQLite: position 0 after the opening, then the same rows as ever."""
    with closing(Projector(server_tables)) as projector, closing(Projector(MEMORY)) as local:
        projector.catch_up(traded)
        local.catch_up(traded)
        expected = digests(local.database)
    sql(server_tables.url, f"COMMENT ON SCHEMA {schema_of(server_tables)} IS 'bulkhead read models 6 in partitions'")
    with pytest.raises(ViewsError):
        open_views(server_tables)
    with closing(Projector(server_tables)) as projector:
        assert projector.position == 0
        projector.catch_up(traded)
        assert digests(projector.database) == expected


def test_tables_made_anew_under_a_projector_are_noticed(server_tables: Place, traded: SqliteJournal) -> None:
    """A projector never writes into tables of another version; it says so, and one that is opened then goes on."""
    with closing(Projector(server_tables)) as older:
        older.apply(traded.read_all(limit=20))
        sql(
            server_tables.url,
            f"COMMENT ON SCHEMA {schema_of(server_tables)} IS 'bulkhead read models 99 in partitions'",
        )
        with pytest.raises(JournalUnavailable, match="made the read models anew"):
            older.catch_up(traded)
        assert older.position == 20


def test_of_two_that_start_one_makes_the_tables(server_tables: Place, traded: SqliteJournal) -> None:
    """Whoever comes second finds them made, and what the first has projected stays."""
    with closing(Projector(server_tables)) as one, closing(Projector(server_tables)) as other:
        one.catch_up(traded)
        server_tables_of(other).refuse_others()
        server_tables_of(other).make_unless_current()
        assert other.position == traded.head()


def test_tables_of_a_newer_schema_are_left_alone(server_tables: Place) -> None:
    """Of two daemons on one server the older one refuses, and does not take the newer one's tables away."""
    with closing(Projector(server_tables)):
        sql(
            server_tables.url,
            f"COMMENT ON SCHEMA {schema_of(server_tables)} IS 'bulkhead read models 99 in partitions'",
        )
    with pytest.raises(JournalTooNew, match="99"):
        Projector(server_tables)
    assert sql(server_tables.url, f"SELECT count(*) FROM {schema_of(server_tables)}.groups")[0][0] == 0


def test_placeholders_in_quotes_stay() -> None:
    """Only question marks outside of quotes are placeholders."""
    assert numbered("SELECT '?', a FROM t WHERE b = ? AND c <> 'it''s ?' AND d = ?") == (
        "SELECT '?', a FROM t WHERE b = $1 AND c <> 'it''s ?' AND d = $2"
    )


def test_without_timescaledb_months_are_made_by_hand(server_tables: Place, tmp_path: Path) -> None:
    """A server that does not offer the extension keeps native partitions, and says so in the schema's comment."""
    with closing(Projector(server_tables)) as projector:
        assert projector.database.current
    comment = sql(
        server_tables.url, "SELECT obj_description($1::regnamespace, 'pg_namespace')", schema_of(server_tables)
    )
    assert comment[0][0] == making.current_mark(hypertables=False)
    assert not list(tmp_path.iterdir())
