"""Performance, history and settings as an operator uses them: ranges, pages, files, a draft from typing to in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tui.rig import cockpit
from tui.chart import Curve, chart
from tui.panels import HistoryPanel, PerformancePanel, SettingsPanel
from tui.settings_values import problem_of, value_of

pytestmark = pytest.mark.anyio

RESULTS = (PerformancePanel, HistoryPanel)
WHOLE = {"type": "whole number", "bounds": {"at_least": "1", "at_most": "500"}, "default": 10}
SHARE = {"type": "number", "bounds": {"below": "0"}, "default": "-5"}


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


async def test_a_setting_is_checked_while_typing_and_put_in_force() -> None:
    """A value out of bounds never leaves the field; the draft shows what it would do, and is applied after a question."""
    async with cockpit(panel="settings", size=(140, 40), panels=(SettingsPanel,)) as rig:
        await rig.sees("Execution pool")
        await rig.type("set execution_pool.max_open_groups 501")
        assert "must be 1 to 500" in rig.said
        panel: Any = rig.app.panel()
        panel.grid.select("execution_pool")
        await rig.press("enter")
        await rig.sees("max_open_groups")
        panel.grid.select("execution_pool.max_open_groups")
        await rig.press("enter", "x")
        await rig.sees("is a whole number")
        await rig.press("enter")
        assert rig.link.told == []
        await rig.press("backspace", "backspace", "backspace", "2", "0", "enter")
        await rig.sees("draft: 1 changes")
        await rig.sees("13 →")
        await rig.press("A")
        await rig.sees("Put 1 changes in force?")
        await rig.press("y")
        await rig.until(lambda: rig.app.state.setting("execution_pool.max_open_groups") == 20, "it is in force")
        await rig.sees("no draft")


async def test_a_secret_is_typed_unseen_and_stands_in_no_command() -> None:
    """What is typed for a secret goes to the vault alone: not on the screen, not into the history of commands (EX-1503)."""
    async with cockpit(panel="settings", size=(140, 40), panels=(SettingsPanel,)) as rig:
        await rig.sees("Exchange access")
        panel: Any = rig.app.panel()
        panel.grid.select("exchange")
        await rig.press("enter")
        await rig.sees("api_key")
        panel.grid.select("exchange.binance.api_key")
        await rig.press("enter", *"sesame")
        assert "sesame" not in rig.text
        await rig.press("enter")
        await rig.until(lambda: rig.link.told, "it is handed over")
        assert rig.link.told == [
            ("/v1/secrets/set", {"holder": "exchange.binance", "field": "api_key", "value": "sesame"})
        ]
        await rig.type("set exchange.binance.api_key sesame")
        assert "[SecretInConfig]" in rig.said
        assert len(rig.link.told) == 1


async def test_values_are_what_the_key_takes() -> None:
    """Types and bounds are those the daemon names; numbers keep their digits; unset is no value (EX-1303)."""
    assert value_of(WHOLE, "500") == 500
    assert value_of(SHARE, "-5.000000000000000001") == "-5.000000000000000001"
    assert value_of({"type": "list of text"}, "a, b") == ["a", "b"]
    assert value_of({"type": "table of text"}, '{"a": "b"}') == {"a": "b"}
    assert value_of({"type": "true or false"}, "true") is True
    assert value_of({"type": "one of a, b"}, "b") == "b"
    assert value_of(WHOLE, "unset") is None
    assert problem_of(WHOLE, "0") == "must be 1 to 500"
    assert problem_of(SHARE, "0") == "must be below 0"
    assert problem_of(SHARE, "nan") == "is a number"
    assert problem_of({"type": "one of a, b"}, "c") == "is one of a, b"
    assert problem_of({"type": "table of text"}, "[1]") == "is a table"


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
