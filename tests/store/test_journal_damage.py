"""Bit rot, missing rows, reordered rows and torn tails are found, wherever they are, and never read as truth."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runtime.journal import JournalCorrupt, JournalError, Record, Snapshot
from store.journal_repair import verify
from store.sqlite_journal import open_journal, open_reader
from tests.store.events import entry, fill

RECORDS = 200


@pytest.fixture
def written(path: Path) -> Path:
    """A closed journal of 200 records in streams a (odd positions) and b (even ones)."""
    journal = open_journal(path, durability="off")
    for seq in range(1, RECORDS // 2 + 1):
        journal.append([entry("a", seq), entry("b", seq)])
    journal.close()
    return path


def tamper(path: Path, *statements: str) -> None:
    """Change rows behind the journal's back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def damage_of(call: Callable[[], object]) -> tuple[int, bool]:
    """Return where a call found the damage, and whether it called it the tail."""
    with pytest.raises(JournalCorrupt) as caught:
        call()
    assert str(caught.value.position) in str(caught.value)
    return caught.value.position, caught.value.tail


@pytest.mark.parametrize(
    "change",
    [
        "payload = substr(payload, 1, 10) || x'00' || substr(payload, 12)",
        "payload = CAST('text' AS TEXT)",
        "payload = 5",
        "at = at + 1",
        "at = 'noon'",
        "message_id = message_id + 1",
        "correlation_id = -1",
        "causation_id = 77",
        "seq = 1000",
        "stream = 2, seq = 1000",
        "stream = 99",
        "type = 99",
        "checksum = zeroblob(32)",
        "checksum = 7",
    ],
)
def test_a_changed_cell_is_found(written: Path, change: str) -> None:
    """Whatever cell of a record changes, the full check names its position, and the damage is not a tail."""
    tamper(written, f"UPDATE events SET {change} WHERE position = 51")
    assert damage_of(lambda: verify(written)) == (51, False)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["DELETE FROM events WHERE position = 1"], (1, False)),
        (["DELETE FROM events WHERE position = 50"], (50, False)),
        (["DELETE FROM events WHERE position BETWEEN 50 AND 60"], (50, False)),
        (["DELETE FROM events WHERE position = 200"], (200, True)),
        (["DELETE FROM events WHERE position > 150"], (151, True)),
        (["DELETE FROM events"], (1, True)),
        (
            ["DELETE FROM events WHERE position = 50", "UPDATE events SET position = 50 WHERE position = 200"],
            (50, False),
        ),
        (
            [
                "UPDATE events SET position = 1000 WHERE position = 51",
                "UPDATE events SET position = 51 WHERE position = 53",
                "UPDATE events SET position = 53 WHERE position = 1000",
            ],
            (51, False),
        ),
        (["UPDATE events SET at = 0 WHERE position = 200"], (200, True)),
        (["UPDATE events SET at = 0 WHERE position >= 190"], (190, True)),
        (["UPDATE events SET position = 1152921504606846976 WHERE position = 200"], (200, True)),
        (["UPDATE head SET position = 150"], (201, True)),
        (["UPDATE head SET checksum = zeroblob(32)"], (201, True)),
        (["DELETE FROM head"], (201, True)),
        (["UPDATE streams SET name = 'c' WHERE name = 'b'"], (2, False)),
        (["DELETE FROM streams WHERE name = 'b'"], (2, False)),
        (["UPDATE streams SET name = x'ff' WHERE name = 'b'"], (2, False)),
        (["UPDATE types SET version = 2"], (1, True)),
    ],
)
def test_missing_moved_and_renamed_rows_are_found(
    written: Path, statements: list[str], expected: tuple[int, bool]
) -> None:
    """Rows that are gone, exchanged or newest but lost, and a changed dictionary, are named by their first position."""
    tamper(written, *statements)
    if "types" in statements[0]:
        with pytest.raises(JournalError):
            verify(written)
        return
    position, tail = damage_of(lambda: verify(written))
    assert position == expected[0]
    if "streams" not in statements[0]:
        assert tail == expected[1]


def read_until_damage(records: Iterator[Record]) -> tuple[list[Record], JournalError | None]:
    """Return what a read yields and the error that it ends with."""
    seen: list[Record] = []
    while True:
        try:
            seen.append(next(records))
        except StopIteration:
            return seen, None
        except JournalError as error:
            return seen, error


def test_reading_stops_before_a_damaged_record(written: Path) -> None:
    """A read yields what is good before the damage and raises at it: nothing after it is taken for truth."""
    tamper(written, "UPDATE events SET at = 0 WHERE position = 51")
    with closing(open_reader(written, check=False)) as reader:
        for read, good in ((reader.read_all(), 50), (reader.read("a"), 25)):
            seen, error = read_until_damage(read)
            assert len(seen) == good
            assert isinstance(error, JournalCorrupt)
            assert error.position == 51


def test_a_stream_with_a_gap_is_not_read_over_it(written: Path) -> None:
    """A missing record in the middle of a stream stops the reading of the stream."""
    tamper(written, "DELETE FROM events WHERE position = 51")
    with closing(open_reader(written, check=False)) as reader, pytest.raises(JournalCorrupt) as caught:
        list(reader.read("a"))
    assert caught.value.position == 51


def test_an_opening_checks_the_tail(written: Path) -> None:
    """Damage among the newest records is found at the opening, for writing and for reading, and nothing is changed."""
    tamper(written, "UPDATE events SET at = 0 WHERE position = 150")
    before = written.read_bytes()
    assert damage_of(lambda: open_journal(written)) == (150, False)
    assert damage_of(lambda: open_reader(written)) == (150, False)
    assert written.read_bytes() == before


def test_an_opening_does_not_check_before_the_newest_snapshot(path: Path) -> None:
    """The quick check is bounded: older damage is left to the full check and to reads."""
    journal = open_journal(path, durability="off")
    fill(journal, "a", 300, batch=300)
    journal.save_snapshot(Snapshot("a", 300, 1, b"state"))
    journal.close()
    tamper(path, "UPDATE events SET at = 0 WHERE position = 20")
    journal = open_journal(path)
    assert damage_of(journal.verify) == (20, False)
    assert damage_of(journal.digest) == (20, False)
    journal.close()


def test_a_damaged_snapshot_counts_as_none(path: Path) -> None:
    """The records are the truth: an actor whose snapshot is rotten is rebuilt from them."""
    journal = open_journal(path)
    fill(journal, "a", 2)
    journal.save_snapshot(Snapshot("a", 2, 1, b"state"))
    journal.close()
    tamper(path, "UPDATE snapshots SET state = x'00'")
    journal = open_journal(path)
    assert journal.load_snapshot("a") is None
    assert len(list(journal.read("a"))) == 2
    journal.close()


def test_a_broken_index_is_found(written: Path) -> None:
    """The full check includes SQLite's own: position 0 says that the records are good but the structure is not."""
    with closing(sqlite3.connect(written, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET rootpage = 2 WHERE name = 'sqlite_autoindex_types_1'")
    position, tail = damage_of(lambda: verify(written))
    assert (position, tail) == (0, False)


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bits_in_the_file_never_pass(written: Path, seed: int) -> None:
    """A random burst of flipped bits is found by the full check, or it hit nothing that any read returns."""
    with closing(open_reader(written)) as reader:
        truth = list(reader.read_all())
    rng = random.Random(seed)
    data = bytearray(written.read_bytes())
    start = rng.randrange(100, len(data) - 16)
    for offset in range(start, start + rng.randrange(1, 16)):
        data[offset] ^= rng.randrange(1, 256)
    written.write_bytes(data)
    try:
        verify(written)
        with closing(open_reader(written)) as reader:
            assert list(reader.read_all()) == truth
    except JournalError:
        seen = as_far_as_it_goes(written)
        assert seen == truth[: len(seen)]


def as_far_as_it_goes(path: Path) -> list[Record]:
    """Return what can be read of a damaged journal."""
    try:
        with closing(open_reader(path, check=False)) as reader:
            return read_until_damage(reader.read_all())[0]
    except JournalError:
        return []


def test_a_file_of_garbage_is_corrupt_and_one_of_another_program_refused(path: Path) -> None:
    """Neither is taken for an empty journal, and neither is touched."""
    path.write_bytes(b"not a database at all" * 500)
    before = path.read_bytes()
    assert damage_of(lambda: open_journal(path)) == (0, False)
    assert path.read_bytes() == before
    path.unlink()
    tamper(path, "CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="something else"):
        open_journal(path)
    assert path.read_bytes() == before
