"""Spans that come back: maintenance of venues, hours of markets."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.windows import Window, inside

NS = 10**9
DAY = 86_400 * NS


def at(text: str) -> int:
    """Return an instant from its ISO form, UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS


@pytest.mark.parametrize(
    ("window", "moment", "held"),
    [
        ("23:45-00:45", "2026-03-02T23:45:00", True),
        ("23:45-00:45", "2026-03-03T00:44:59", True),
        ("23:45-00:45", "2026-03-03T00:45:00", False),
        ("23:45-00:45", "2026-03-02T23:44:59", False),
        ("sat 22:00-23:30", "2026-03-07T22:30:00", True),
        ("sat 22:00-23:30", "2026-03-06T22:30:00", False),
        ("sun 23:00-01:00", "2026-03-09T00:30:00", True),
        ("fri,sat 22:00-22:00", "2026-03-08T21:59:00", True),
        ("fri,sat 22:00-22:00", "2026-03-08T22:00:00", False),
    ],
)
def test_an_instant_lies_inside_or_not(window: str, moment: str, held: bool) -> None:
    """A span has its first minute and not its end, goes on past midnight and past the end of the week."""
    assert Window.of(window).holds(at(moment)) is held


def test_when_it_is_over() -> None:
    """The end of the span that lasts longest is told, None outside all of them."""
    windows = [Window.of("sat 22:00-23:30"), Window.of("22:00-22:10")]
    assert inside(windows, at("2026-03-07T22:05:30")) == at("2026-03-07T23:30:00")
    assert inside(windows, at("2026-03-06T22:05:30")) == at("2026-03-06T22:10:00")
    assert inside(windows, at("2026-03-06T12:00:00")) is None


@pytest.mark.parametrize(
    "text", ["", "22:00", "25:00-26:00", "someday 22:00-23:00", "foo 22:00-23:00", "22:00 - 23:00"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    """Anything else is refused with the form that is wanted, or the days there are."""
    with pytest.raises(ValueError, match=r"such as 23:45-00:45|mon, tue"):
        Window.of(text)


@given(st.integers(0, 1439), st.integers(1, 1440), st.integers(0, 4 * 10**18))
def test_a_daily_span_covers_its_share_of_each_day(start: int, minutes: int, moment: int) -> None:
    """An instant inside comes to its end within the span's length, and the end itself is outside unless it is all day."""
    window = Window(tuple(range(7)), start, minutes)
    if window.holds(moment):
        end = window.ends(moment)
        assert moment < end <= moment + minutes * 60 * NS
        assert window.holds(end) is (minutes == 1440)
    assert window.holds(moment) is window.holds(moment + DAY)
