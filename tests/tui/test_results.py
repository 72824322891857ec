"""Performance and history as an operator uses them: ranges, pages, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.geometry import Size

from tests.tui.rig import cockpit
from tui.cells import pointed
from tui.chart import Curve, chart
from tui.command_line import completions
from tui.flows import without_flows
from tui.panels import HistoryPanel, PerformancePanel, TracePanel
from tui.panels import performance_sheets as sheets

pytestmark = pytest.mark.anyio

RESULTS = (PerformancePanel, HistoryPanel)


async def test_range_and_filters_are_asked_of_the_daemon_for_both_panels() -> None:
    """One choice of range and filters counts for performance and history (EX-1719)."""
    async with cockpit(panel="performance", size=(140, 40), panels=RESULTS) as rig:
        await rig.sees("EQUITY")
        await rig.type("range 7d")
        await rig.type("only side short")
        await rig.sees("side short")
        await rig.until(lambda: rig.app.state.get("figures")["range"]["name"] == "7d", "a week's figures")
        assert rig.app.state.get("figures")["dashboard"]["long"]["trades"] == 0
        await rig.type("go history")
        await rig.until(lambda: rig.app.state.rows("trades", "trades"), "trades")
        assert {row["side"] for row in rig.app.state.rows("trades", "trades")} == {"short"}
        await rig.type("range 2026-13-01")
        assert "[Usage]" in rig.said
        await rig.type("only none")
        await rig.until(lambda: len(rig.app.state.rows("trades", "trades")) > 5, "all sides again")


async def test_a_filter_offers_what_there_are_results_of() -> None:
    """After a filter's name Tab offers what was traded, not the names of filters again (EX-1719)."""
    async with cockpit(panel="performance", panels=RESULTS) as rig:
        await rig.until(lambda: rig.app.state.get("figures"), "figures")
        offered = {choice.value for choice in completions(rig.app, "only side ")}
        assert {"short", "long", "BTC/USDT", "breakout"} <= offered
        assert "none" not in offered
        assert [each.value for each in completions(rig.app, "only side sh")] == ["short"]


async def test_the_history_is_searched_filtered_and_paged_in_the_daemon(tmp_path: Path) -> None:
    """Words, reason and range are asked of the daemon, older pages follow, the file has what is shown (EX-1624)."""
    async with cockpit(panel="history", size=(140, 40), panels=(HistoryPanel, TracePanel)) as rig:
        rows = lambda: rig.app.state.rows("trades", "trades")  # noqa: E731 - one expression
        await rig.until(lambda: len(rows()) == 240, "all of them")
        await rig.press("slash", *"btc", "space", *"LONG", "enter")
        await rig.until(lambda: {row["symbol"] for row in rows()} == {"BTC/USDT"}, "only these")
        await rig.type("only reason stop")
        await rig.until(lambda: rows() and {row["reason"] for row in rows()} == {"stop"}, "only stops")
        rig.app.run_text(f"take trades.csv {tmp_path / 'stops.csv'}")
        await rig.until((tmp_path / "stops.csv").exists, "the file")
        assert len((tmp_path / "stops.csv").read_text().splitlines()) == len(rows()) + 1
        assert len(rows()) < 240
        await rig.type("only none")
        await rig.until(lambda: len(rows()) == 240, "all of them again")
        page = await rig.link.get("/v1/performance/trades", limit=100)
        rig.app.state.pieces["trades"].value = page
        await rig.press("left_square_bracket")
        panel: Any = rig.app.panel()
        await rig.until(lambda: len(panel.grid.rows) == 240, "the older ones beneath")
        await rig.press("t")
        await rig.until(lambda: rig.app.panel().ident == "trace", "its trace")


async def test_every_page_is_drawn_at_every_size() -> None:
    """Curves, figures, tables, histogram and heatmap, best and worst, capital and days: small and wide (EX-1604)."""
    words = {
        "curves": "DRAWDOWN",
        "figures": "Sharpe",
        "tables": "Realized",
        "shape": "PAIR BY TIMEFRAME",
        "trades": "TEN WORST",
        "capital": "EXPOSURE",
    }
    for size in ((80, 24), (180, 50)):
        async with cockpit(panel="performance", size=size, panels=RESULTS) as rig:
            for page, seen in words.items():
                await rig.type(f"page {page}")
                await rig.sees(seen)
            await rig.type("by month")
            await rig.sees("2026-1")


async def test_results_are_written_whole_and_not_over_another_file(tmp_path: Path) -> None:
    """An export asks before it writes over a file, is for its owner alone, and leaves no part of itself (EX-1718)."""
    async with cockpit(panel="history", panels=RESULTS) as rig:
        target = tmp_path / "trades.csv"
        await rig.type(f"take trades.csv {target}")
        await rig.until(target.exists, "the file")
        assert target.read_text().startswith("group_id,")
        assert target.stat().st_mode & 0o077 == 0
        target.write_text("mine")
        await rig.type(f"take trades.csv {target}")
        await rig.sees("Write over the file?")
        await rig.press("n")
        await rig.until(lambda: "Write over" not in rig.text, "the question is gone")
        assert target.read_text() == "mine"
        await rig.type(f"take trades.csv {tmp_path / 'nowhere' / 'x.csv'}")
        await rig.sees("[ExportFailed]")
    assert [each.name for each in tmp_path.iterdir()] == ["trades.csv"]  # noqa: ASYNC240 - nothing waits for it


async def test_a_file_is_named_as_the_daemon_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1718: without a path it goes to the operator's home under the name of what, from, to and mode."""
    monkeypatch.setenv("HOME", str(tmp_path))
    async with cockpit(panel="performance", panels=RESULTS) as rig:
        await rig.type("take by_pair.csv")
        await rig.until((tmp_path / "by_pair_demo.csv").exists, "the file")


async def test_a_chart_shows_every_curve_and_the_flows() -> None:
    """Each curve has its colour, extremes stand at the axis, money that came is a mark, nothing is no chart (EX-1705)."""
    points = [[at * 1e9, float(value)] for at, value in ((0, 100), (50, 300), (100, 200))]
    drawn = chart([Curve(points, "accent"), Curve(points[:2], "gain")], 60, 12, marks=[75e9])
    assert "300" in drawn.plain
    assert "100" in drawn.plain
    assert "╎" in drawn.plain
    assert len(drawn.plain.splitlines()) == 12
    assert all(len(each) <= 60 for each in drawn.plain.splitlines())
    assert chart([Curve([], "gain")], 60, 12).plain == "nothing to draw yet"
    assert chart([Curve(points[:1], "gain")], 60, 12).plain


async def test_total_realized_and_closed_are_drawn_together_or_alone() -> None:
    """Each of the three curves of equity has its colour and newest value; a key or a click draws it alone (EX-1705)."""
    async with cockpit(panel="performance", size=(80, 24), panels=RESULTS) as rig:
        await rig.sees("━ total 50,")
        made = rig.app.state.get("figures")["curves"]
        for name in ("total", "realized", "closed"):
            assert f"{name} {made[name][-1][1]:,.0f}" in rig.text
        assert "1 flow +200" in rig.text
        highest = {
            name: f"{max(value for _, value in without_flows(made[name], made['flows'])):,.0f} ▏"
            for name in ("total", "closed")
        }
        assert highest["total"] in rig.text
        await rig.press("c", "c", "c")
        await rig.sees(highest["closed"])
        assert highest["total"] not in rig.text
        rows = rig.text.splitlines()
        place = next(number for number, row in enumerate(rows) if "━ closed" in row)
        await rig.pilot.click(offset=(rows[place].index("━ closed") + 3, place))
        await rig.sees(highest["total"])


def test_equity_that_hardly_moves_has_cents_and_a_range_without_any_says_so() -> None:
    """Two values at the axis never read the same; where nothing is drawn it is said when it will be (EX-1705)."""
    points = [[0.0, 50_000.0], [1e9, 50_001.5]]
    falls = {"max_drawdown_percent": None, "current_drawdown_percent": None}
    curves = {"total": points, "realized": [], "closed": [], "drawdown": [], "flows": []}
    found = {"curves": curves, "dashboard": {"drawdown": falls}, "net_flows": 0.0}
    drawn = sheets.curves(found, Size(77, 16), "all").plain.splitlines()
    assert drawn[1].startswith("50,001.50 ▏")
    assert max(map(len, drawn)) <= 77
    none = sheets.curves({**found, "curves": {**curves, "total": []}}, Size(77, 16), "all").plain
    assert "no equity was noted in this range" in none


async def test_fees_in_no_result_stand_below_the_results() -> None:
    """EX-1701: what was paid in an exchange's own coin is named where the results are that do not hold it."""
    async with cockpit(panel="performance", size=(140, 40), panels=RESULTS) as rig:
        await rig.sees("EQUITY")
        found = rig.app.state.get("figures")
        drawn = sheets.figures({**found, "unvalued_fees": {"BNB": "0.3"}}, Size(100, 40)).plain
        assert "fees apart" in drawn
        assert "0.3 BNB" in drawn
        assert "fees apart" not in sheets.figures(found, Size(100, 40)).plain


def test_the_figures_of_a_group_stand_at_their_points() -> None:
    """Points stand beneath one another, what is no number stands left, all are as wide (EX-1613)."""
    assert pointed(["0.0118", "12.5", "7", "market"]) == [" 0.0118", "12.5   ", " 7     ", "market "]
    assert pointed([]) == []


def test_money_that_comes_moves_no_curve() -> None:
    """A deposit is a mark and no profit: what was before it is drawn as if it had been there (EX-1705)."""
    assert without_flows([[1, 100.0], [3, 1_110.0], [5, 1_105.0]], [[3, 1_000.0]]) == [
        (1, 1_100.0),
        (3, 1_110.0),
        (5, 1_105.0),
    ]
    assert without_flows([[2, 5.0]], []) == [(2, 5.0)]


async def test_no_extreme_of_a_curve_is_lost_between_two_columns() -> None:
    """EX-1711: a fall that is over within a part of a column's time reaches down as far as it went."""
    points = [[at * 1e9, -9.0 if at == 501 else 0.0] for at in range(1_000)]
    drawn = chart([Curve(points, "loss")], 40, 8, dates=False).plain.splitlines()
    assert any(ord(each) > 0x2800 for each in drawn[-1][10:]), drawn
