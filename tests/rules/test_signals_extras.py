"""What a payload may say beyond the table of EX-202."""

from __future__ import annotations

from typing import Any

import pytest

from rules.signals import read_extras
from tests.rules.signal_payloads import payload


@pytest.mark.parametrize(
    ("exchange", "clean", "delayed"),
    [("BINANCE_DL", "BINANCE", True), ("binance_dly", "binance", True), ("BINANCE", "BINANCE", False), (7, 7, False)],
)
def test_delayed_data_are_told_by_the_exchange(exchange: Any, clean: Any, delayed: bool) -> None:
    """TradingView marks delayed data after the exchange's name; the name itself is then read as usual."""
    found = read_extras(payload(tv__exchange=exchange))
    assert found.delayed is delayed
    assert isinstance(found.payload, dict)
    assert found.payload["tv"]["exchange"] == clean


@pytest.mark.parametrize(
    ("changes", "bar_at", "lag", "codes"),
    [
        ({}, None, None, ()),
        ({"tv__bar_time": "2026-03-01T12:00:00Z"}, 1_772_366_400 * 10**9, None, ()),
        ({"tv__bar_time": "{{time}}"}, None, None, ()),
        ({"tv__max_lag_seconds": "300"}, None, 300, ()),
        ({"tv__max_lag_seconds": 0}, None, None, ("OutOfRange",)),
        ({"tv__bar_time": "soon", "tv__max_lag_seconds": []}, None, None, ("InvalidTimestamp", "WrongType")),
    ],
)
def test_bar_and_largest_age(changes: dict[str, Any], bar_at: int | None, lag: int | None, codes: Any) -> None:
    """Both are optional and read by the rules of EX-204, EX-205 and EX-207."""
    found = read_extras(payload(**changes))
    assert (found.bar_at, found.max_lag_s) == (bar_at, lag)
    assert tuple(each.code for each in found.problems) == codes


@pytest.mark.parametrize("document", [None, [], {}, {"tv": 1}])
def test_what_has_no_section_has_no_extras(document: Any) -> None:
    """A document that validation will refuse passes unchanged."""
    assert read_extras(document).payload is document
