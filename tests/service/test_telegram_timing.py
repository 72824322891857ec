"""What the phone says of time: round trips, signals, maintenance; and how it writes a group."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from actors.session_figures import CallFigures, figures_of_calls
from rules.quantiles import nearest_rank
from service.config import parse
from service.telegram.lines import group_lines, listed, moment, typing
from service.telegram.timing import NO_CALENDAR, maintenance, round_trips, signal_to_order

HOUR = 3_600 * 10**9


def calls(*took: float) -> CallFigures:
    return figures_of_calls({"at": 1, "call": "place", "answer": "ok", "failed": False, "ms": ms} for ms in took)


def test_quantiles_are_by_nearest_rank() -> None:
    """ML-1081: p50 and p95 are values that were measured; of none there is none."""
    assert [nearest_rank(range(1, 101), percent) for percent in (1, 50, 95, 100)] == [1, 50, 95, 100]
    assert [nearest_rank([7.0], percent) for percent in (50, 95)] == [7.0, 7.0]
    assert nearest_rank([], 50) is None


def test_latency_has_last_p50_and_p95() -> None:
    """ML-1081: of round trips and of signals; what was not measured is said so."""
    assert round_trips(calls(30, 10, 20)) == "venue: last 20 ms, p50 20 ms, p95 30 ms (3 calls)"
    assert round_trips(calls()) == "venue: no call yet"
    assert signal_to_order([2.25, 40.0]) == "signal to order: p50 2.2 ms, p95 40 ms (2 entries)"
    assert signal_to_order([]) == "signal to order: no entry yet"


def test_news_say_what_is_not_known_and_when_entries_wait() -> None:
    """ML-1081: without a calendar nothing is made up; spans of maintenance are told with whether one is on."""
    config = parse('[[accounts]]\nname = "main"\nmaintenance = ["23:45-00:45"]\n', {})
    assert "nothing is known" in NO_CALENDAR
    assert maintenance(config.accounts[0], 0) == "main: maintenance 23:45-00:45 UTC; entries wait until Thu 00:45 UTC"
    assert maintenance(config.accounts[0], 2 * HOUR).endswith("none now")
    assert maintenance(parse("", {}).accounts[0], 0) == ""


def group(**more: Any) -> dict[str, Any]:
    return {
        "group_id": "g1",
        "symbol": "<b>BTC</b>/USDT",
        "timeframe": "1h",
        "side": "long",
        "quote": "USDT",
        "open_qty": "0.0120",
        "avg_entry": "60150.5",
        "stop_price": None,
        "target_price": "62000",
        "unrealized_quote": "-1.5",
        "state": "partially_filled",
        "opened_at": 0,
        "first_fill_at": HOUR,
        **more,
    }


def test_a_group_is_written_in_short_lines() -> None:
    """ML-1081: side, volume, entry, stop, target, P&L, bars held and the id to close it by; as it is, without markup."""
    said = group_lines(group(), 4 * HOUR, "main")
    assert said == (
        "<b>BTC</b>/USDT 1h long: -1.50 USDT\n  0.012 at 60,150.5; target 62,000\n  3 bars, partially filled, main, g1"
    )
    assert "nothing filled yet" in group_lines(group(unrealized_quote=None, avg_entry=None), HOUR)
    assert "1 bar," in group_lines(group(), 2 * HOUR)
    assert max(map(len, said.splitlines())) <= 48


def test_moments_are_clock_times() -> None:
    """A live status says when, not how long ago: it is edited only when there is news."""
    assert moment(HOUR, 2 * HOUR, UTC) == "01:00"
    assert moment(HOUR, 26 * HOUR, UTC) == "01 Jan 01:00"


def test_lists_are_cut_and_buttons_fit() -> None:
    """A list never grows past a screen or two; what a button types fits into Telegram's 64 bytes."""
    assert listed(["line"] * 50).splitlines()[-1] == "and 10 more"
    assert typing("Close", "/close", "", "g1").data == "t:/close g1"
    assert len(typing("Close", "/close", "a" * 32, "g" * 13).data.encode()) <= 64
