"""Which segments of the log go, and which never do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.event_log.segments import Retention, RetentionMode, Segment, prune_segments
from tests.rules.vectors import cases, option

TODAY = date(2026, 2, 10)


def segment(name: str, day: date, size: float = 100, *, keep: bool = False) -> Segment:
    return Segment(id=name, day=day, size=size, keep=keep)


def limit_of(given: dict[str, Any]) -> float:
    """Return the most megabytes that a vector allows, however it says so."""
    if given["mode"] == "infinite":
        return float(option(given, "prune_above_mb", "max_total_mb", default=10_240))
    whole = float(given.get("max_file_mb", 100)) * float(given.get("max_files", 20))
    return float(option(given, "max_total_mb", default=whole))


@pytest.mark.parametrize("case", cases("log_retention", "prune_segments"))
def test_removed_segments_of_the_vectors(case: dict[str, Any]) -> None:
    """EX-1408: what the vectors remove, in their order."""
    given = case["input"]
    segments = [
        segment(
            each["id"],
            date.fromisoformat(each["day"]),
            float(each["mb"]),
            keep=option(each, "pinned", "keep", default=False),
        )
        for each in given["segments"]
    ]
    retention = Retention(
        mode=RetentionMode(given["mode"]), keep_days=int(given.get("keep_days", 30)), max_total=limit_of(given)
    )
    today = datetime.fromisoformat(given["now"]).astimezone(UTC).date()
    assert prune_segments(segments, retention, today) == case["expected"]["removed"]


def test_the_oldest_day_kept_is_keep_days_ago() -> None:
    """EX-1408: a segment goes when its day is before today less ``keep_days``, not on it."""
    days = [segment(str(ago), TODAY - timedelta(days=ago)) for ago in (6, 5, 4)]
    assert prune_segments(days, Retention(keep_days=5), TODAY) == ["6"]


def test_an_exact_fit_removes_nothing() -> None:
    """EX-1408: segments go only while the total exceeds the limit."""
    kept = [segment("a", TODAY - timedelta(days=2)), segment("b", TODAY - timedelta(days=1))]
    for mode in (RetentionMode.SIZE, RetentionMode.INFINITE):
        assert prune_segments(kept, Retention(mode=mode, max_total=200), TODAY) == []
        assert prune_segments(kept, Retention(mode=mode, max_total=199), TODAY) == ["a"]


_SEGMENTS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 50), st.booleans()), max_size=20).map(
    lambda rows: [
        segment(f"s{i}", TODAY - timedelta(days=ago), mb, keep=keep) for i, (ago, mb, keep) in enumerate(rows)
    ]
)


@given(segments=_SEGMENTS, limit=st.integers(0, 500), mode=st.sampled_from(RetentionMode), days=st.integers(1, 40))
def test_what_is_marked_and_what_is_of_today_stays(
    segments: list[Segment], limit: int, mode: RetentionMode, days: int
) -> None:
    """EX-1408: never removed are today's and marked segments; the removed are the oldest and no more than needed."""
    removed = prune_segments(segments, Retention(mode=mode, keep_days=days, max_total=limit), TODAY)
    by_id = {each.id: each for each in segments}
    assert not any(by_id[name].keep or by_id[name].day >= TODAY for name in removed)
    assert [by_id[name].day for name in removed] == sorted(by_id[name].day for name in removed)
    if removed and mode is not RetentionMode.DAYS:
        left = sum(each.size for each in segments) - sum(by_id[name].size for name in removed[:-1])
        assert left > limit
