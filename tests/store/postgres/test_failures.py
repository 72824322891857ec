"""A server that is cut off, restarted or replaced: no event is lost, none is kept twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from runtime.journal import (
    CommitUnknown,
    JournalCorrupt,
    JournalUnavailable,
    SequenceConflict,
    Snapshot,
)
from store.postgres.journal import PostgresJournal, open_journal, open_reader
from store.postgres.link import ConnectionLost, ServerRefused
from store.postgres.place import Place
from tests.servers.cut_line import CutLine, Fault
from tests.servers.postgres import Server, shared_server, sql, until
from tests.store.events import entry, fill

pytestmark = pytest.mark.slow


@pytest.fixture
def line() -> Iterator[CutLine]:
    cut = CutLine(shared_server().socket)
    yield cut
    cut.close()


@pytest.fixture
def direct(postgres_url: str) -> Place:
    """The same database without the line."""
    return Place(postgres_url)


@pytest.fixture
def place(line: CutLine, direct: Place) -> Place:
    database = direct.url.partition("@/")[2].partition("?")[0]
    return Place(f"postgresql://postgres@127.0.0.1:{line.port}/{database}?sslmode=disable")


@pytest.fixture
def journal(place: Place) -> Iterator[PostgresJournal]:
    """A journal of two records whose commits outlast a lost connection."""
    yield from opened(place)


@pytest.fixture
def impatient(place: Place) -> Iterator[PostgresJournal]:
    """The same, which gives up at once."""
    yield from opened(replace(place, connect_timeout_s=1.0, command_timeout_s=1.0, commit_timeout_s=0.0))


def opened(place: Place) -> Iterator[PostgresJournal]:
    """Open a journal with records a 1 and a 2."""
    with closing(open_journal(place)) as journal:
        fill(journal, "a", 2)
        yield journal


def stands(direct: Place, *expected: tuple[str, int]) -> None:
    """See by a reader of its own that exactly these records follow the first two, and that the chain is whole."""
    with closing(open_reader(direct)) as reader:
        found = [(r.stream, r.seq) for r in reader.read_all()]
        assert found == [("a", 1), ("a", 2), *expected]
        assert reader.verify() == len(found)


@pytest.mark.parametrize("fault", ["request", "answer", "late"])
def test_a_commit_outlasts_a_lost_connection(
    journal: PostgresJournal, line: CutLine, direct: Place, fault: Fault
) -> None:
    """Whether the request or the answer was lost, the append returns and its records stand there once."""
    commit = journal.stage([entry("a", 3), entry("b", 1)])
    line.lose(fault)
    assert commit() == 4
    assert line.lost.is_set()
    assert journal.append([entry("b", 2)]) == 5
    stands(direct, ("a", 3), ("b", 1), ("b", 2))
    assert journal.digest() == journal.reader().digest()


def test_what_an_old_connection_still_sends_is_refused(journal: PostgresJournal, line: CutLine, direct: Place) -> None:
    """A request that comes to the server after its writer went on elsewhere changes nothing."""
    line.lose("late")
    assert journal.append([entry("a", 3)]) == 3
    assert b"BHH01" in line.deliver()
    assert journal.append([entry("a", 4)]) == 4
    stands(direct, ("a", 3), ("a", 4))


def test_an_unanswered_commit_is_looked_for_before_the_next_use(
    impatient: PostgresJournal, line: CutLine, direct: Place
) -> None:
    """While the server is away nobody can say what became of a commit; the next use finds it kept."""
    commit = impatient.stage([entry("a", 3), entry("b", 1)])
    line.lose("answer", then_down=True)
    with pytest.raises(CommitUnknown):
        commit()
    calls: list[Callable[[], object]] = [
        impatient.reader,
        lambda: impatient.append([entry("a", 3)]),
        lambda: list(impatient.read("a")),
        lambda: impatient.save_snapshot(Snapshot("a", 2, 1, b"")),
    ]
    for call in calls:
        with pytest.raises(JournalUnavailable):
            call()
    line.down = False
    until(lambda: works(impatient.reader))
    assert [r.seq for r in impatient.reader().read("a")] == [1, 2, 3]
    with pytest.raises(SequenceConflict):
        impatient.append([entry("a", 3)])
    assert impatient.append([entry("a", 4)]) == 5
    stands(direct, ("a", 3), ("b", 1), ("a", 4))


def test_a_commit_that_never_arrived_is_forgotten(impatient: PostgresJournal, line: CutLine, direct: Place) -> None:
    """The next use finds that nothing of it was kept, and its numbers are free again."""
    commit = impatient.stage([entry("a", 3), entry("b", 1)])
    line.lose("late", then_down=True)
    with pytest.raises(CommitUnknown):
        commit()
    line.down = False
    until(lambda: works(impatient.reader))
    assert [r.seq for r in impatient.read("a")] == [1, 2]
    assert b"BHH01" in line.deliver()
    assert impatient.append([entry("a", 3, text="anew"), entry("c", 1)]) == 4
    stands(direct, ("a", 3), ("c", 1))


def test_a_lost_connection_that_is_found_at_once_costs_no_more(
    impatient: PostgresJournal, line: CutLine, direct: Place
) -> None:
    """Without patience a batch that did not arrive is refused for certain: nothing of it is kept, nothing is in doubt."""
    line.lose("request")
    with pytest.raises(JournalUnavailable, match="nothing of it was kept") as caught:
        impatient.append([entry("a", 3)])
    assert not isinstance(caught.value, CommitUnknown)
    assert isinstance(caught.value.__cause__, ConnectionLost)
    assert impatient.append([entry("a", 3)]) == 3
    stands(direct, ("a", 3))


def test_a_server_that_falls_silent_is_not_waited_for(impatient: PostgresJournal, line: CutLine, direct: Place) -> None:
    """A partition that only swallows packets ends in CommitUnknown after the time a statement may take."""
    line.frozen.set()
    with pytest.raises(CommitUnknown):
        impatient.append([entry("a", 3)])
    line.frozen.clear()
    until(lambda: works(impatient.reader))
    seq = sum(1 for _ in impatient.read("a"))
    impatient.append([entry("a", seq + 1)])
    stands(direct, *(("a", number) for number in range(3, seq + 2)))


@pytest.mark.parametrize("staged", [True, False])
def test_a_killed_backend_loses_nothing(journal: PostgresJournal, direct: Place, staged: bool) -> None:
    """The server may end the connection at any moment: idle, or between the two halves of an append."""
    commit = journal.stage([entry("a", 3)]) if staged else None
    kill_backends(direct)
    if commit is not None:
        assert commit() == 3
        kill_backends(direct)
    else:
        assert journal.append([entry("a", 3)]) == 3
    assert [r.seq for r in journal.read("a")] == [1, 2, 3]
    assert journal.append([entry("a", 4)]) == 4
    stands(direct, ("a", 3), ("a", 4))


def test_a_lock_that_is_not_given_refuses_for_certain(impatient: PostgresJournal, direct: Place) -> None:
    """An answer that says no keeps nothing and leaves no doubt; the next append works."""
    with HeadLock(direct), pytest.raises(ServerRefused) as caught:
        impatient.append([entry("a", 3), entry("b", 1)])
    assert caught.value.sqlstate == "55P03"
    assert impatient.append([entry("a", 3), entry("b", 1)]) == 4
    stands(direct, ("a", 3), ("b", 1))


def test_a_standby_is_not_written(impatient: PostgresJournal, direct: Place) -> None:
    """A server that takes no writes counts as away; when it takes them again, work goes on."""
    name = sql(direct.url, "SELECT current_database()")[0][0]
    sql(direct.url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    kill_backends(direct)
    with pytest.raises(JournalUnavailable):
        impatient.append([entry("a", 3)])
    with closing(open_reader(direct)) as reader:
        assert reader.head() == 2
    sql(shared_server().url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = off')
    until(lambda: works(impatient.reader))
    assert impatient.append([entry("a", 3)]) == 3


@pytest.mark.parametrize("lost", [True, False])
def test_a_server_that_went_back_in_time_ends_the_writer(journal: PostgresJournal, direct: Place, lost: bool) -> None:
    """When a failover has lost committed records the writer stops for good instead of writing on over the gap."""
    journal.append([entry("a", 3)])
    last = "SELECT position, checksum FROM bulkhead.events ORDER BY position DESC LIMIT 1"
    sql(direct.url, "DELETE FROM bulkhead.events WHERE position = 3")
    sql(direct.url, f"UPDATE bulkhead.head SET (position, checksum) = ({last})")
    if lost:
        kill_backends(direct)
    for _ in range(2):
        with pytest.raises(JournalCorrupt, match="lost committed records") as caught:
            journal.append([entry("a", 4)])
        assert (caught.value.position, caught.value.tail) == (3, True)
    stands(direct)


def test_a_view_over_several_queries_ends_with_its_connection(direct: Place, journal: PostgresJournal) -> None:
    """A check that loses its connection half way fails; it must not go on with what another moment shows."""
    with closing(open_reader(direct)) as reader:
        with reader._rows.one_view():
            kill_backends(direct)
            until(lambda: not works(reader.head))
            with pytest.raises(ConnectionLost, match="in the middle"):
                reader.head()
        assert reader.verify() == 2


def test_appends_go_on_over_restarts_of_the_server(server: Server) -> None:
    """A thread appends one record after the other while the server is stopped, crashed and started: all are there, once."""
    place = replace(Place(server.database()), commit_timeout_s=0.2)
    errors: list[BaseException] = []
    done = threading.Event()
    with closing(open_journal(place)) as journal:
        writer = threading.Thread(target=append_until, args=(journal, done, errors))
        writer.start()
        for mode in ("fast", "immediate", "immediate", ""):
            before = journal.head()
            until(lambda before=before: journal.head() > before + 20 or bool(errors))  # type: ignore[misc]
            if mode:
                server.restart(mode)
        done.set()
        writer.join(timeout=30)
        assert not errors
        assert [r.seq for r in journal.read("a")] == list(range(1, journal.head() + 1))
        assert journal.verify() == journal.head()


def append_until(journal: PostgresJournal, done: threading.Event, errors: list[BaseException]) -> None:
    """Append as an actor does: after a failed commit, read where the stream is and go on from there."""
    idle, seq = threading.Event(), 1
    try:
        while not done.is_set():
            try:
                if seq == 0:
                    seq = 1 + sum(1 for _ in journal.read("a"))
                journal.append([entry("a", seq)])
                seq += 1
            except JournalUnavailable:
                seq = 0
                idle.wait(0.02)
    except BaseException as error:  # noqa: BLE001 - told to the test
        errors.append(error)


class HeadLock:
    """Another transaction that has the head's row, as a hanging writer would."""

    def __init__(self, place: Place) -> None:
        from store.postgres.link import Link

        self._link = Link(place, "test")

    def __enter__(self) -> None:
        self._link.fetch("BEGIN")
        self._link.fetch("SELECT * FROM bulkhead.head FOR UPDATE")

    def __exit__(self, *_: object) -> None:
        self._link.close()


def works(call: Callable[[], object]) -> bool:
    """Whether a call is not refused for a server that is away."""
    try:
        call()
    except JournalUnavailable:
        return False
    return True


def kill_backends(place: Place) -> None:
    """Have the server end every connection to the database but our own."""
    sql(
        place.url,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
        "pg_backend_pid()",
    )


def test_staging_asks_the_server_nothing(journal: PostgresJournal, line: CutLine, direct: Place) -> None:
    """A stream that is new, or was last written by an earlier opening, is staged while the server is away."""
    journal.append([entry("b", 1)])
    journal.close()
    with closing(open_journal(journal.place)) as later:
        line.down = True
        line.cut()
        assert list(later.reader().read("c")) == []
        assert later.reader().load_snapshot("c") is None
        commit = later.stage([entry("b", 2), entry("c", 1)])
        threading.Timer(0.2, lambda: setattr(line, "down", False)).start()
        assert commit() == 5
        assert [r.seq for r in later.reader().read("c")] == [1]
    stands(direct, ("b", 1), ("b", 2), ("c", 1))


def test_an_old_stream_is_asked_for(journal: PostgresJournal, direct: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more streams than an opening learns, the older ones are found when they are first written."""
    journal.append([entry("b", 1), entry("c", 1)])
    journal.close()
    monkeypatch.setattr("store.postgres.journal.STREAMS_KNOWN", 1)
    with closing(open_journal(direct)) as later:
        with pytest.raises(SequenceConflict, match="stream a is at 2"):
            later.append([entry("a", 2)])
        assert later.append([entry("a", 3), entry("d", 1)]) == 6
    stands(direct, ("b", 1), ("c", 1), ("a", 3), ("d", 1))


def test_what_the_server_asks_to_try_again_is_tried_again(journal: PostgresJournal, direct: Place) -> None:
    """A serialization failure keeps nothing: the append is sent again, and its records stand there once."""
    sql(direct.url, "CREATE SEQUENCE bulkhead.tries")
    sql(
        direct.url,
        "CREATE FUNCTION bulkhead.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('bulkhead.tries') < 3 THEN "
        "RAISE EXCEPTION USING ERRCODE = '40001'; END IF; RETURN NULL; END $$",
    )
    sql(direct.url, "CREATE TRIGGER fail AFTER INSERT ON bulkhead.events EXECUTE FUNCTION bulkhead.fail()")
    assert journal.append([entry("a", 3), entry("b", 1)]) == 4
    assert sql(direct.url, "SELECT last_value FROM bulkhead.tries")[0][0] == 3
    stands(direct, ("a", 3), ("b", 1))


@pytest.mark.parametrize(("durability", "expected"), [("full", "on"), ("normal", "off"), ("off", "off")])
def test_an_append_waits_for_the_disk_as_told(direct: Place, durability: str, expected: str) -> None:
    """Full durability holds also where the database's own setting does not wait for the disk."""
    name = sql(direct.url, "SELECT current_database()")[0][0]
    sql(direct.url, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    with closing(open_journal(direct, durability=durability)) as journal:
        assert journal._link.fetch("SHOW synchronous_commit")[0][0] == expected
