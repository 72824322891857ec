"""Which full backups go, and which never do (EX-1208)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rules.backup_retention import Archive, backups_to_go


def archive(name: str, at: int, *, kept: bool = False) -> Archive:
    return Archive(name=name, size=1, written_at=at, kept=kept)


def test_the_newest_and_the_marked_stay() -> None:
    """So many of the newest stay, marked ones besides; the oldest is named first."""
    there = [archive("c", 3), archive("a", 1), archive("d", 4), archive("b", 2, kept=True), archive("e", 5)]
    assert [each.name for each in backups_to_go(there, 2)] == ["a", "c"]
    assert backups_to_go(there, 0) == []
    assert backups_to_go([], 1) == []


def test_a_clock_that_was_put_back_does_not_take_the_one_just_made() -> None:
    """What was just made is the newest, whatever its time says."""
    there = [archive("of-the-future", 9_000), archive("made", 10)]
    assert [each.name for each in backups_to_go(there, 1, made="made")] == ["of-the-future"]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12),
    st.integers(0, 13),
    st.integers(0, 11),
)
def test_never_too_many_and_never_the_wrong_ones(rows: list[tuple[int, bool]], keep_newest: int, at: int) -> None:
    """Nothing marked goes, nor the one just made; as many stay as are asked for; the oldest go first."""
    there = [archive(str(number), written, kept=kept) for number, (written, kept) in enumerate(rows)]
    made = str(at) if at < len(there) else ""
    gone = backups_to_go(there, keep_newest, made)
    assert not any(each.kept or each.name == made for each in gone)
    stay = [each for each in there if each not in gone]
    assert len(stay) >= min(keep_newest, len(there))
    if keep_newest:
        assert sum(not each.kept for each in stay) <= keep_newest
        assert [each.written_at for each in gone] == sorted(each.written_at for each in gone)
