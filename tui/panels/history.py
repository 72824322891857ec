"""Panel I: what was closed, one line a group (EX-1624)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.content import Content

from tui import cells
from tui.grid import Grid
from tui.lines import Lines
from tui.older import Older
from tui.panels.base import Panel, PanelKey
from tui.panels.performance_columns import HISTORY
from tui.panels.results_bar import ResultsBar
from tui.results import filters_of, narrow
from tui.state import State
from tui.text import line, padded

__all__ = ["HistoryPanel"]


class HistoryPanel(Panel):
    """Closed groups, the newest first; Enter shows what was done and why."""

    ident: ClassVar[str] = "history"
    key: ClassVar[str] = "9"
    title: ClassVar[str] = "History"
    topics: ClassVar[tuple[str, ...]] = ("trades",)
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("r", "range", "Range", target=False, fixed="next"),
        PanelKey("R", "range", "Range back", target=False, fixed="previous"),
        PanelKey("f", "ask-only", "Filter", target=False),
        PanelKey("F", "only", "All", target=False, fixed="none"),
        PanelKey("t", "trace", "Trace"),
        PanelKey("o", "group-log", "Log"),
        PanelKey("left_square_bracket", "older-trades", "Older", target=False),
        PanelKey("e", "ask-take", "Export", target=False, fixed="trades.csv"),
    )
    DEFAULT_CSS = """
    HistoryPanel #history { height: 1fr; }
    HistoryPanel #history-summary { height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._older = Older("trades", "group_id")

    def compose(self) -> ComposeResult:
        """Lay out the bar, the sums and the groups."""
        yield ResultsBar()
        yield Lines(id="history-summary")
        yield Grid(
            HISTORY,
            ident="group_id",
            empty="no group was closed in this range: r takes another, F all filters off",
            id="history",
        )

    @property
    def grid(self) -> Grid | None:
        """Return the table of groups."""
        found = self.query("#history")
        return found.first(Grid) if found else None

    def target(self) -> str:
        """Return the selected group."""
        row = self.query_one("#history", Grid).selected
        return "" if row is None else str(row["group_id"])

    def details(self) -> None:
        """Open the trace of the selected group."""
        if self.target():
            self.seat.run_text(f"trace {self.target()}")

    def draw(self, state: State) -> None:
        """Draw the newest answer, and what older ones were asked for."""
        self.query_one(ResultsBar).show(state)
        rows = self._older.beneath(state, state.rows("trades", "trades"))
        self.query_one("#history", Grid).take(rows, stale=state.stale("trades"))
        self.query_one("#history-summary", Lines).put(self._summary(rows))

    @property
    def before(self) -> Any:
        """Return where an older page begins, empty when there is none."""
        return self._older.before(self.seat.state)

    def add_older(self, page: Mapping[str, Any]) -> None:
        """Put a page of older groups beneath those that are there."""
        self._older.add(page, page["trades"])
        self.draw(self.seat.state)

    @property
    def searched(self) -> str:
        """Return the words that groups must have now."""
        return filters_of(self.seat.state).get("text", "")

    def search(self, text: str) -> None:
        """Ask the daemon for groups with these words: it knows all of them, the screen only the newest."""
        narrow(self.seat.state, {"text": text})

    def _summary(self, rows: list[dict[str, Any]]) -> Content:
        won = sum((cells.number(row["net_quote"]) or 0.0) > 0 for row in rows)
        quotes = {row["quote"] for row in rows}
        left = line((f" {len(rows)}", "strong"), (" closed", "dim"), ("   won ", "dim"), f"{won}")
        if len(quotes) == 1:  # sums of different currencies would be sums of nothing
            net = sum(cells.number(row["net_quote"]) or 0.0 for row in rows)
            fees = sum(cells.number(row["fees_quote"]) or 0.0 for row in rows)
            unit = f" {next(iter(quotes))}"
            left = line(
                left, ("   net ", "dim"), cells.signed(net), (unit, "dim"), ("   fees ", "dim"), cells.money(fees)
            )
        if self.before:
            left = line(left, ("   [ older", "dim"))
        shown = f"with “{self.searched}” " if self.searched else ""
        return padded(left, line((shown, "accent")), self.size.width)
