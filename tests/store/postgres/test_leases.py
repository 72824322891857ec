"""Leases: one holder at a time by the server's clock, greater tokens at each change, and what a journal makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from runtime.journal import Fenced
from store.errors import JournalLocked
from store.postgres.journal import open_journal, open_reader
from store.postgres.leases import HOUSE, LeaseStore, account_lease
from store.postgres.place import Place
from tests.servers.postgres import sql
from tests.store.events import entry, fill

A = account_lease("a")


def lease_of(stream: str) -> str | None:
    """Streams below /a need the account's lease, all others that of the house."""
    return A if stream.startswith("/a") else HOUSE


@pytest.fixture
def place(postgres_url: str) -> Place:
    return Place(postgres_url)


@pytest.fixture
def leases(place: Place) -> Iterator[LeaseStore]:
    store = LeaseStore(place)
    yield store
    store.close()


def expire(place: Place, name: str) -> None:
    """Let a lease run out as if its time had passed."""
    sql(place.url, "UPDATE bulkhead.leases SET expires_at = clock_timestamp() WHERE name = $1", name)


def test_a_held_lease_is_refused_and_a_free_one_taken(leases: LeaseStore, place: Place) -> None:
    """Nobody gets a lease that another holds; run out or given back, it goes to the next with a greater token."""
    assert leases.acquire("x", "one", 60) == 1
    assert leases.acquire("x", "two", 60) is None
    assert leases.acquire("y", "two", 60) == 1
    expire(place, "x")
    assert leases.acquire("x", "two", 60) == 2
    assert leases.release("x", "two", 2)
    assert leases.acquire("x", "one", 60) == 3
    found = leases.find("x")
    assert found is not None
    assert (found.holder, found.token, found.held) == ("one", 3, True)
    assert 50 < found.left_s <= 60
    assert [lease.name for lease in leases.leases()] == ["x", "y"]
    assert leases.find("z") is None


def test_a_holder_that_starts_again_gets_a_greater_token(leases: LeaseStore) -> None:
    """A process that comes back under its name does not wait for its own lease, and fences its former life off."""
    assert leases.acquire("x", "one", 60) == 1
    assert leases.acquire("x", "one", 60) == 2
    assert not leases.renew("x", "one", 1, 60)
    assert leases.renew("x", "one", 2, 60)


def test_only_the_newest_token_renews_and_releases(leases: LeaseStore, place: Place) -> None:
    """Who was overtaken can neither renew nor release; who ran out but was not overtaken can."""
    assert leases.acquire("x", "one", 60) == 1
    expire(place, "x")
    assert leases.renew("x", "one", 1, 60)
    assert leases.acquire("x", "two", 60) is None
    expire(place, "x")
    assert leases.acquire("x", "two", 60) == 2
    assert not leases.renew("x", "one", 1, 60)
    assert not leases.release("x", "one", 1)
    assert not leases.renew("x", "one", 2, 60)
    assert leases.acquire("x", "three", 60) is None


def test_of_many_at_once_one_gets_it(place: Place) -> None:
    """However many ask in the same moment, one is the holder and tokens never repeat."""
    stores = [LeaseStore(place) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        for round_ in range(1, 6):
            asked = [pool.submit(store.acquire, "x", f"{n}", 60) for n, store in enumerate(stores)]
            assert [got for got in (each.result() for each in asked) if got is not None] == [round_]
            expire(place, "x")
    for store in stores:
        store.close()


def test_a_journal_writes_while_its_tokens_are_the_newest(leases: LeaseStore, place: Place) -> None:
    """After a takeover of one of its leases the old journal keeps nothing and refuses everything from then on."""
    held = {name: leases.acquire(name, "one", 60) for name in (HOUSE, A)}
    journal = open_journal(place, fences=held, lease_of=lease_of)  # type: ignore[arg-type]
    fill(journal, "/b", 2)
    journal.append([entry("/a/1", 1)])
    expire(place, A)
    journal.append([entry("/a/1", 2)])  # run out, but nobody took it: still ours
    assert leases.acquire(A, "two", 60) == 2
    with pytest.raises(Fenced, match=r"lease account:a has token 2 \(held by two\), this writer 1"):
        journal.append([entry("/a/1", 3)])
    for call in (
        lambda: journal.append([entry("/b", 3)]),
        journal.head,
        journal.reader,
        lambda: list(journal.read_all()),
    ):
        with pytest.raises(Fenced):
            call()
    journal.close()
    with closing(open_reader(place)) as reader:
        assert [(r.stream, r.seq) for r in reader.read_all()] == [("/b", 1), ("/b", 2), ("/a/1", 1), ("/a/1", 2)]


def test_a_takeover_and_an_append_cannot_interleave(leases: LeaseStore, place: Place) -> None:
    """While two processes take a lease from each other, each append stands before the takeover or nowhere."""
    rounds, kept = 8, 0
    with ThreadPoolExecutor(1) as pool:
        for number in range(1, rounds + 1):
            assert leases.acquire(HOUSE, f"{number}", 60) == number
            journal = open_journal(place, fences={HOUSE: number}, lease_of=lease_of)
            journal.append([entry("/s", kept + 1)])
            kept += 1
            expire(place, HOUSE)
            taking = pool.submit(leases.acquire, HOUSE, f"{number + 1}", 0)
            try:
                for _ in range(50):
                    journal.append([entry("/s", kept + 1)])
                    kept += 1
            except Fenced:
                assert taking.result() == number + 1
            assert taking.result() == number + 1
            with pytest.raises(Fenced):
                journal.append([entry("/s", kept + 1)])
            journal.close()
            sql(place.url, "UPDATE bulkhead.leases SET token = $1", number)
    with closing(open_reader(place)) as reader:
        assert [r.seq for r in reader.read("/s")] == list(range(1, kept + 1))
        assert reader.verify() == kept


def test_a_stream_needs_its_own_lease(leases: LeaseStore, place: Place) -> None:
    """Without the token of its account a stream is not written; with it, from then on, it is."""
    house = leases.acquire(HOUSE, "one", 60) or 0
    journal = open_journal(place, fences={HOUSE: house}, lease_of=lease_of)
    with pytest.raises(Fenced, match="account:a"):
        journal.append([entry("/b", 1), entry("/a/1", 1)])
    assert journal.append([entry("/b", 1)]) == 1
    journal.fence({**journal.fences, A: leases.acquire(A, "one", 60) or 0})
    assert journal.append([entry("/a/1", 1)]) == 2
    journal.close()


def test_an_opening_with_stale_tokens_changes_nothing(leases: LeaseStore, place: Place) -> None:
    """Whoever opens with a token that is not the newest is refused, and the present writer goes on."""
    first = leases.acquire(HOUSE, "one", 60) or 0
    expire(place, HOUSE)
    second = leases.acquire(HOUSE, "two", 60) or 0
    journal = open_journal(place, fences={HOUSE: second})
    with pytest.raises(Fenced, match="this writer 1"):
        open_journal(place, fences={HOUSE: first})
    assert journal.append([entry("/b", 1)]) == 1
    journal.close()


def test_a_newer_opening_ends_an_older_one(leases: LeaseStore, place: Place) -> None:
    """Two openings with good tokens never both append: the newer one does, the older one is fenced for good."""
    token = leases.acquire(HOUSE, "one", 60) or 0
    old = open_journal(place, fences={HOUSE: token})
    fill(old, "/b", 1)
    new = open_journal(place, fences={HOUSE: token})
    with pytest.raises(Fenced, match="opened by another process"):
        old.append([entry("/b", 2)])
    assert new.append([entry("/b", 2)]) == 2
    assert new.start_number() == 2
    for journal in (old, new):
        journal.close()


def test_without_leases_the_first_process_keeps_the_journal(place: Place) -> None:
    """A second opening without leases is refused as with SQLite, and free again when the first has closed."""
    first = open_journal(place)
    with pytest.raises(JournalLocked, match=r"open for writing in process \d+") as caught:
        open_journal(place)
    assert caught.value.pid > 0
    assert first.append([entry("/b", 1)]) == 1
    first.close()
    open_journal(place).close()
