"""Values as a trader reads them: signs, places, ages; and curves of Braille."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui import cells
from tui.plot import braille, resampled

NOW = 1_795_000_000_000_000_000


@pytest.mark.parametrize(
    ("value", "text", "style"),
    [
        ("12.345", "+12.35", "gain"),
        ("-1234.5", "-1,234.50", "loss"),
        ("0", "0.00", "dim"),
        ("-0.001", "0.00", "dim"),
        (None, "\N{EN DASH}", "dim"),
        ("", "\N{EN DASH}", "dim"),
    ],
)
def test_gains_and_losses_always_carry_their_sign(value: str | None, text: str, style: str) -> None:
    """Colour never speaks alone: what is not zero has a sign, what is not known is no zero (EX-1604)."""
    assert cells.signed(value) == (text, style)


@pytest.mark.parametrize(
    ("value", "text"),
    [("67510.28", "67,510.28"), ("0.15770", "0.15770"), ("84.38", "84.38"), ("3067.9712345", "3,067.97"), ("7", "7")],
)
def test_prices_keep_the_places_of_their_market(value: str, text: str) -> None:
    """A price is read as the venue quotes it; computed ones are cut to what can be read."""
    assert cells.price(value).text == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s"), (59, "59s"), (60, "1m"), (3_599, "59m"), (11_100, "3h05"), (180_000, "2d02")],
)
def test_spans_have_two_units_at_most(seconds: int, text: str) -> None:
    """An age is read at a glance."""
    assert cells.span(seconds) == text


def test_small_forms() -> None:
    """Timers, quantities, short sums, times of day and words have one form each."""
    assert cells.timer(299) == "04:59"
    assert cells.timer(4_500) == "75:00"
    assert cells.amount("0.0200").text == "0.02"
    assert [cells.short_money(value) for value in (99.9, 1_234, 12_345, 4_560_000, None)] == [
        "99.90",
        "1,234",
        "12.3k",
        "4.6M",
        "\N{EN DASH}",
    ]
    assert cells.clock_time(NOW) == "11:06:40"
    assert cells.day_time(None) == "\N{EN DASH}"
    assert cells.age(NOW - 90_000_000_000, NOW).text == "1m"
    assert cells.words("pool_full") == "pool full"


@given(st.floats(-1, 2), st.integers(1, 40))
def test_a_bar_always_fills_its_width(share: float, width: int) -> None:
    """What lies beyond 0 and 1 is drawn as its end, and no bar moves what stands beside it."""
    assert len(cells.bar(share, width)) == width


@given(st.lists(st.floats(-1e6, 1e6), max_size=80), st.integers(0, 30), st.integers(0, 8))
def test_a_curve_fills_its_field(values: list[float], width: int, height: int) -> None:
    """A curve takes exactly the cells it is given, and only Braille or blanks."""
    drawn = braille(values, width, height)
    assert len(drawn) == height
    assert all(len(each) == width for each in drawn)
    assert all(sign == " " or 0x2800 <= ord(sign) <= 0x28FF for each in drawn for sign in each)


def test_a_rising_curve_rises() -> None:
    """The newest value stands right, the highest on top."""
    assert (
        braille([0, 1, 2, 3], 2, 1) == ["\u2860\u280a"]
        or braille([0, 1, 2, 3], 2, 1)[0][0] < braille([0, 1, 2, 3], 2, 1)[0][1]
    )
    assert resampled([1, 2, 3, 4], 2) == [2, 4]
    assert resampled([1, 2], 4) == [1, 1, 2, 2]
    assert cells.sparkline([0, 1, 2, 3], 4) == "▁▃▆█"
