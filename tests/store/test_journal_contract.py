"""What ``runtime.journal.Journal`` promises, asked of every backend."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime.journal import Entry, Journal, JournalError, JournalUnavailable, SequenceConflict, Snapshot
from store.sqlite_journal import MEMORY, open_journal
from tests.store.events import StoreNoted, entry, fill


def test_an_empty_journal_has_nothing(contract_journal: Journal) -> None:
    """Position, instant and streams of a new journal are zero and empty; this is its first opening."""
    journal = contract_journal
    assert (journal.head(), journal.last_instant(), journal.streams()) == (0, 0, [])
    assert (list(journal.read_all()), list(journal.read("a"))) == ([], [])
    assert journal.load_snapshot("a") is None
    assert journal.start_number() == 1


def test_append_returns_the_position_of_the_last(contract_journal: Journal) -> None:
    """Positions count over all streams from 1 without gaps; an empty batch changes nothing."""
    journal = contract_journal
    assert journal.append([entry("a", 1), entry("b", 1), entry("a", 2)]) == 3
    assert journal.append([]) == 3
    assert journal.append([entry("b", 2)]) == 4
    assert [(r.position, r.stream, r.seq) for r in journal.read_all()] == [
        (1, "a", 1),
        (2, "b", 1),
        (3, "a", 2),
        (4, "b", 2),
    ]


def test_records_come_back_as_they_went_in(contract_journal: Journal) -> None:
    """A record has every field of its entry, decimals to the last zero."""
    given = entry("a", 1, text="süß \N{SNOWMAN} \0")
    contract_journal.append([given])
    (record,) = contract_journal.read("a")
    assert record[1:] == tuple(given)
    assert str(record.event.amount) == "0.10"  # type: ignore[attr-defined]


def test_a_stream_is_read_from_any_number(contract_journal: Journal) -> None:
    """``after_seq`` leaves out the records up to that number, over page limits too."""
    fill(contract_journal, "a", 1_100, batch=1_100)
    assert [r.seq for r in contract_journal.read("a", 3)] == list(range(4, 1_101))
    assert list(contract_journal.read("a", 1_100)) == []


def test_everything_is_read_from_any_position(contract_journal: Journal) -> None:
    """``after_position`` leaves out the records up to that position; ``limit`` bounds how many come."""
    fill(contract_journal, "a", 1_100, batch=1_100)
    assert [r.position for r in contract_journal.read_all(1_000)] == list(range(1_001, 1_101))
    assert [r.position for r in contract_journal.read_all(10, limit=3)] == [11, 12, 13]
    assert [r.position for r in contract_journal.read_all(limit=700)] == list(range(1, 701))
    assert list(contract_journal.read_all(1_100)) == list(contract_journal.read_all(5_000)) == []


def test_a_reader_may_append_between_records(contract_journal: Journal) -> None:
    """Appending while a read is under way disturbs neither."""
    fill(contract_journal, "a", 3)
    seen = []
    for record in contract_journal.read_all():
        seen.append(record.position)
        contract_journal.append([entry("b", record.position)])
    assert seen == [1, 2, 3]
    assert contract_journal.head() == 6


def test_an_append_in_two_steps_is_an_append(contract_journal: Journal) -> None:
    """``stage`` checks and writes, its completion commits and returns the position; appends go on after it."""
    fill(contract_journal, "a", 2)
    commit = contract_journal.stage([entry("a", 3), entry("b", 1)])
    assert commit() == 4
    assert contract_journal.stage([])() == 4
    assert contract_journal.append([entry("b", 2)]) == 5
    assert [(record.stream, record.seq) for record in contract_journal.read_all(2)] == [("a", 3), ("b", 1), ("b", 2)]


def test_a_stale_stage_keeps_nothing(contract_journal: Journal) -> None:
    """A wrong number fails the stage or its completion, and leaves the journal as it was and usable."""
    fill(contract_journal, "a", 2)
    with pytest.raises(SequenceConflict):
        contract_journal.stage([entry("new", 1), entry("a", 2)])()
    assert (contract_journal.head(), contract_journal.streams()) == (2, ["a"])
    assert contract_journal.append([entry("a", 3)]) == 3


@pytest.mark.parametrize("seq", [0, 1, 2, 4, -1])
def test_a_stale_writer_is_refused(contract_journal: Journal, seq: int) -> None:
    """An entry whose number is not the next of its stream fails the whole batch with SequenceConflict."""
    fill(contract_journal, "a", 2)
    with pytest.raises(SequenceConflict, match="stream a is at 2"):
        contract_journal.append([entry("new", 1), entry("a", seq)])
    assert (contract_journal.head(), contract_journal.streams()) == (2, ["a"])
    assert contract_journal.append([entry("a", 3)]) == 3


def test_two_entries_with_one_number_are_refused(contract_journal: Journal) -> None:
    """The expected number counts within a batch too."""
    with pytest.raises(SequenceConflict):
        contract_journal.append([entry("a", 1), entry("a", 1)])
    assert contract_journal.head() == 0


def test_what_can_never_be_stored_is_refused_whole(contract_journal: Journal) -> None:
    """A number beyond 64 bits or an event beyond the message limit fails its batch with a JournalError."""
    good = entry("a", 1)
    for bad in (
        good._replace(stream="b", message_id=2**63),
        good._replace(stream="b", event=StoreNoted("x" * 1_048_577)),
        good._replace(stream=""),
        good._replace(stream="\ud800"),
    ):
        with pytest.raises(JournalError):
            contract_journal.append([good, bad])
    assert contract_journal.head() == 0
    assert contract_journal.append([good]) == 1


def test_streams_are_named_in_order_of_appearance(contract_journal: Journal) -> None:
    """``streams`` filters by prefix, letter by letter, and keeps the order of the first records."""
    for name in ("/b/2", "/b%", "/a/1", "/b/1", "/B/1"):
        contract_journal.append([entry(name, 1)])
    assert contract_journal.streams("/b") == ["/b/2", "/b%", "/b/1"]
    assert contract_journal.streams() == ["/b/2", "/b%", "/a/1", "/b/1", "/B/1"]


def test_the_last_instant_is_that_of_the_newest_record(contract_journal: Journal) -> None:
    """``last_instant`` is the ``at`` of the newest record, even when an older one was later."""
    contract_journal.append([entry("a", 1, at=9_000), entry("b", 1, at=5_000)])
    assert contract_journal.last_instant() == 5_001


def test_the_newest_snapshot_is_kept(contract_journal: Journal) -> None:
    """A snapshot replaces older ones of its stream; an older one does not replace a newer."""
    fill(contract_journal, "a", 5)
    for seq in (2, 4, 3):
        contract_journal.save_snapshot(Snapshot("a", seq, 7, b"state %d" % seq))
    assert contract_journal.load_snapshot("a") == Snapshot("a", 4, 7, b"state 4")
    contract_journal.save_snapshot(Snapshot("a", 4, 8, b"other layout"))
    assert contract_journal.load_snapshot("a") == Snapshot("a", 4, 8, b"other layout")


@pytest.mark.parametrize(("stream", "seq"), [("a", 0), ("a", 3), ("none", 1)])
def test_a_snapshot_of_the_future_is_refused(contract_journal: Journal, stream: str, seq: int) -> None:
    """No snapshot can stand for records that the stream does not have."""
    fill(contract_journal, "a", 2)
    with pytest.raises(SequenceConflict):
        contract_journal.save_snapshot(Snapshot(stream, seq, 1, b""))
    assert contract_journal.load_snapshot(stream) is None


def test_a_closed_journal_is_unavailable(contract_journal: Journal) -> None:
    """After ``close`` every call raises JournalUnavailable; closing again does not."""
    fill(contract_journal, "a", 1)
    contract_journal.close()
    contract_journal.close()
    calls: list[Callable[[], object]] = [
        lambda: contract_journal.append([entry("a", 2)]),
        lambda: list(contract_journal.read("a")),
        lambda: list(contract_journal.read_all()),
        contract_journal.head,
        contract_journal.last_instant,
        contract_journal.streams,
        contract_journal.start_number,
        contract_journal.digest,
        lambda: contract_journal.load_snapshot("a"),
        lambda: contract_journal.save_snapshot(Snapshot("a", 1, 1, b"")),
    ]
    for call in calls:
        with pytest.raises(JournalUnavailable, match="closed"):
            call()


def test_everything_outlives_the_opening(reopen: Callable[[], Journal]) -> None:
    """Records, snapshots, stream numbers and the last instant are there again; each opening has its own number."""
    first = reopen()
    fill(first, "a", 3)
    first.append([entry("b", 1)])
    first.save_snapshot(Snapshot("a", 2, 1, b"state"))
    before = (list(first.read_all()), first.head(), first.last_instant(), first.streams(), first.digest())
    second = reopen()
    after = (list(second.read_all()), second.head(), second.last_instant(), second.streams(), second.digest())
    assert after == before
    assert second.load_snapshot("a") == Snapshot("a", 2, 1, b"state")
    assert second.start_number() == 2
    with pytest.raises(SequenceConflict):
        second.append([entry("a", 3)])
    assert second.append([entry("a", 4), entry("c", 1)]) == 6
    assert reopen().start_number() == 3


def test_equal_runs_have_equal_digests(reopen: Callable[[], Journal]) -> None:
    """The digest depends on the records alone: not on batches, openings, snapshots or the backend."""
    journal = reopen()
    fill(journal, "a", 4, batch=4)
    journal.append([entry("b", 1)])
    other = open_journal(MEMORY, opened_at=5)
    fill(other, "a", 4)
    other.save_snapshot(Snapshot("a", 1, 1, b"x"))
    other.append([entry("b", 1)])
    assert reopen().digest() == other.digest()
    other.close()


def test_any_difference_changes_the_digest(contract_journal: Journal) -> None:
    """Each field of a record is in the digest, its stream's name and event too."""
    good = entry("a", 1)
    digests = {_digest(given) for given in _variations(good)}
    assert len(digests) == len(_variations(good))
    contract_journal.append([good])
    assert contract_journal.digest() in digests


def _variations(good: Entry) -> list[Entry]:
    return [
        good,
        good._replace(stream="b"),
        good._replace(event=StoreNoted("other")),
        good._replace(at=0),
        good._replace(message_id=1_000),
        good._replace(correlation_id=1_000),
        good._replace(causation_id=1_000),
    ]


def _digest(given: Entry) -> str:
    journal = open_journal(MEMORY)
    journal.append([given])
    digest = journal.digest()
    journal.close()
    return digest
