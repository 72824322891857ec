"""The frame: panels by their keys, search, details, age of values, a daemon that goes and comes back, small screens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.rig import CORE, Clock, Listening, cockpit
from tui.panels import PANELS, HistoryPanel, PerformancePanel

pytestmark = pytest.mark.anyio


async def test_panels_open_by_their_keys_and_search_narrows_them() -> None:
    """1 to 9 switch panels, / searches, Esc undoes it, Enter opens and Esc closes details (EX-1601)."""
    async with cockpit(panels=PANELS) as rig:
        for panel in rig.app.panels:
            rig.app.set_focus(None)  # a form keeps the keys that are typed into it
            await rig.press(panel.key)
            assert rig.app.panel().ident == panel.ident
        rig.app.set_focus(None)
        await rig.press("2", "slash", *"sol", "enter")
        await rig.sees("1 of 12 match")
        grid = rig.app.panel().grid
        assert grid is not None
        assert [row["symbol"] for row in map(grid.rows.at, range(len(grid.rows))) if row] == ["SOL/USDT"]
        await rig.press("enter")
        await rig.sees("REFERENCES")
        assert "P1 DCA0" in rig.text
        await rig.press("escape")
        assert "REFERENCES" not in rig.text
        await rig.press("escape")
        assert len(grid.rows) == 12


async def test_the_dashboard_opens_panels_from_its_widgets() -> None:
    """A click on a widget, or its key, opens the panel it is about (EX-1611)."""
    async with cockpit(panels=CORE) as rig:
        await rig.pilot.click("#pool")
        assert rig.app.panel().ident == "queue"
        await rig.press("1", "g")
        assert rig.app.panel().ident == "positions"
        await rig.press("1", "r")
        assert rig.app.panel().ident == "risk"
        await rig.press("enter")
        await rig.sees("REFERENCES")
        assert rig.app.panel().ident == "positions"


async def test_keys_of_the_key_line_can_be_clicked_and_all_of_them_are_there_on_a_small_screen() -> None:
    """Whatever a key does a click does too; at 80x24 no key is cut (EX-1601, EX-1604)."""
    async with cockpit(size=(80, 24), panel="risk", panels=(*CORE, PerformancePanel, HistoryPanel)) as rig:
        for panel in ("risk", "history", "performance", "positions"):
            rig.app.open_panel(panel)
            await rig.pilot.pause()
            last = rig.text.splitlines()[-1]
            assert all(f" {key.label}" in last for key in rig.app.panel().keys), last
        await rig.until(lambda: rig.app.panel().target(), "a group is selected")
        await rig.pilot.click("#keys", offset=(last.index("Close"), 0))
        await rig.sees("n  No")
        await rig.press("n")
        await rig.pilot.click("#keys", offset=(last.index("help"), 0))
        await rig.sees("In this panel")


async def test_a_daemon_of_before_the_update_is_shown_as_well() -> None:
    """A screen that is newer than its daemon draws what that one says, and does not end (EX-1602)."""
    async with cockpit(panels=CORE) as rig:
        status = rig.app.state.get("status")
        rig.app.state.pieces["status"].value = {**status, "engine": {**status["engine"]}}
        del rig.app.state.get("status")["engine"]["held"]  # accounts that are paused: newer than the rest
        for panel in ("dashboard", "risk"):
            rig.app.open_panel(panel)
            rig.app.draw()
        assert "RUNNING" in rig.text


async def test_a_daemon_that_is_away_is_said_and_old_values_are_dimmed() -> None:
    """A banner says so and since when, values older than 3 s are dimmed; when it is back all is asked (EX-1602)."""
    async with cockpit(panel="positions", panels=CORE) as rig:
        grid = rig.app.panel().grid
        assert grid is not None
        assert not grid.stale
        rig.link.cut(away=True)
        await rig.sees("NO CONNECTION")
        await rig.sees("? UNKNOWN")
        rig.clock.go(2.9)
        await rig.app.refresh_now()
        assert not grid.stale
        rig.clock.go(0.2)
        await rig.app.refresh_now()
        assert grid.stale
        assert rig.app.panel().has_class("-stale")
        assert "for 3s" in rig.text
        rig.clock.go(1)
        await rig.app.refresh_now()
        assert rig.app.query_one("#header").has_class("-stale")
        rig.link.cut(away=False)
        await rig.until(lambda: "NO CONNECTION" not in rig.text and not grid.stale, "it is back")
        await rig.sees("connected again")


async def test_a_topic_the_daemon_refuses_is_said_with_its_code() -> None:
    """What cannot be asked is an error with its code and what to do, not an empty widget (EX-1603)."""
    async with cockpit(panels=CORE) as rig:
        rig.app.state.focus("group", "gone")
        rig.app.state.want(("group",))
        await rig.app.refresh_now()
        await rig.sees("there is no group gone [NotFound]")


@pytest.mark.slow(seconds=30)
async def test_every_panel_draws_at_every_size() -> None:
    """80 by 24 is enough for what is needed; smaller and ultrawide screens do not break it (EX-1604)."""
    needed = {"pair", "tf", "pyramids", "dca", "average", "percent", "pnl"}
    async with cockpit(size=(80, 24), panels=PANELS) as rig:
        for size in ((80, 24), (60, 16), (250, 70)):
            await rig.pilot.resize_terminal(*size)
            for panel in rig.app.panels:
                rig.app.open_panel(panel.ident)
                await rig.pilot.pause()
                lines = rig.text.splitlines()
                assert max(len(line) for line in lines) <= size[0]
                assert "bulkhead" in lines[0]
            rig.app.open_panel("positions")
            await rig.pilot.pause()
            grid = rig.app.panel().grid
            assert grid is not None
            assert needed <= set(grid.shown_columns)
            assert size[0] < 80 or "status" in grid.shown_columns


async def test_themes_and_density_go_round_by_keys() -> None:
    """F6 puts on the next theme, F7 the next density (EX-1604)."""
    async with cockpit(panel="queue", panels=CORE) as rig:
        assert rig.app.theme == "bulkhead-dark"
        await rig.press("f6")
        assert rig.app.theme == "bulkhead-light"
        await rig.press("f7")
        grid = rig.app.panel().grid
        assert grid is not None
        assert grid.density == "wide"


async def test_the_daemons_settings_count_where_the_operator_chose_nothing() -> None:
    """Theme, density and columns of ``[ui]`` are the beginning; what an operator chose goes before them (EX-1604)."""

    class Set(Listening):
        """A house with an ``[ui]`` section of its own."""

        async def get(self, path: str, **query: Any) -> Any:
            found = await super().get(path, **query)
            if path != "/v1/config":
                return found
            said = {"ui.theme": "light", "ui.density": "wide", "ui.column_visibility": {"queue": ["pair", "why"]}}
            return {**found, "effective": [{"key": key, "value": value} for key, value in said.items()]}

    clock = Clock()
    async with cockpit(panel="queue", theme="", link=Set(clock), clock=clock) as rig:
        grid = rig.app.panel().grid
        assert grid is not None
        assert rig.app.theme == "bulkhead-light"
        assert grid.density == "wide"
        assert grid.shown_columns == ("pair", "why")
    async with cockpit(panel="queue", theme="dark", link=Set(clock), clock=clock) as rig:
        assert rig.app.theme == "bulkhead-dark"


async def test_the_smallest_dashboard_shows_every_widget_and_groups() -> None:
    """At 80 by 24, over SSH from a phone, no widget is missing and several groups are there, those that lose most first."""
    async with cockpit(size=(80, 24), panels=CORE) as rig:
        for words in (
            "● RUNNING",
            "12 groups",
            "12/13",
            "queued 7  pool full 5",
            "today",
            "open",
            "committed",
            "○ IDLE",
        ):
            assert words in rig.text, words
        assert "WEBHOOK" in rig.text
        assert "1 OrderRejected" in rig.text
        lines = rig.text.splitlines()
        assert sum("/USDT" in line and ("long" in line or "short" in line) for line in lines[14:]) >= 6
        await rig.press("enter")
        assert rig.app.panel().ident == "positions"


async def test_an_alert_is_acknowledged_by_a_click_on_its_letter() -> None:
    """One by its letter in the strip, wherever one is; those in it by the word beside or by ``a`` (EX-1406)."""
    async with cockpit(size=(80, 24), panel="queue", panels=CORE) as rig:
        newest = rig.app.state.get("alerts")["alerts"][0]["position"]
        await rig.pilot.click("#alerts", offset=(1, 0))
        await rig.until(lambda: rig.link.told, "the alert is acknowledged")
        assert rig.link.told == [("/v1/alerts/ack", {"positions": [newest]})]
        await rig.pilot.click("#alerts", offset=(76, 0))
        await rig.until(lambda: rig.link.told[1:], "all are acknowledged")
        assert len(rig.link.told[1][1]["positions"]) == 3, "those that were to be seen, no others"
        await rig.press("a")
        await rig.until(lambda: not rig.app.query_one("#alerts").display, "a small screen has the line for itself")
