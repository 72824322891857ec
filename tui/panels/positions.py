"""Panel B: every open group, and one group down to its legs (EX-1612 to EX-1614)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult

from tui import cells
from tui.grid import Grid
from tui.lines import Lines
from tui.panels.base import Panel, PanelKey
from tui.panels.group_detail import GroupDetail
from tui.panels.position_columns import COLUMNS, usd_of
from tui.state import State
from tui.text import line, padded

__all__ = ["PositionsPanel"]


class PositionsPanel(Panel):
    """The open groups; Enter opens one down to its legs."""

    ident: ClassVar[str] = "positions"
    key: ClassVar[str] = "2"
    title: ClassVar[str] = "Positions"
    topics: ClassVar[tuple[str, ...]] = ("groups", "group", "group_history", "group_log")
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("x", "close", "Close"),
        PanelKey("l", "close-leg", "Close leg"),
        PanelKey("u", "cancel-unfilled", "Unfilled"),
        PanelKey("b", "block", "Block"),
        PanelKey("B", "unblock", "Unblock"),
        PanelKey("o", "group-log", "Log"),
        PanelKey("t", "trace", "Trace"),
    )
    DEFAULT_CSS = """
    PositionsPanel #positions-summary { height: 1; }
    PositionsPanel.-broad GroupDetail { grid-size: 2; grid-columns: 3fr 2fr; grid-rows: 2 1fr; }
    PositionsPanel.-broad #group-head { column-span: 2; }
    PositionsPanel #positions { height: 1fr; }
    PositionsPanel.-detail #positions { height: 8; }
    PositionsPanel.-detail.-low #positions { display: none; }
    """

    def compose(self) -> ComposeResult:
        """Lay out the summary, the groups, and the one that is opened."""
        yield Lines(id="positions-summary")
        yield Grid(COLUMNS, ident="group_id", empty="no group is open: signals that are taken open one", id="positions")
        yield GroupDetail()

    @property
    def grid(self) -> Grid | None:
        """Return the table of groups."""
        found = self.query("#positions")
        return found.first(Grid) if found else None

    def target(self) -> str:
        """Return the group that is opened or selected; with a leg when one is selected in the opened group."""
        detail = self.query_one(GroupDetail)
        if detail.group_id:
            leg = detail.selected_leg
            return f"{detail.group_id}\t{leg}" if leg and detail.has_focus_within else detail.group_id
        row = self.query_one("#positions", Grid).selected
        return "" if row is None else str(row["group_id"])

    def draw(self, state: State) -> None:
        """Draw groups as of the newest answer."""
        seconds, rows = state.now() // 1_000_000_000, state.rows("groups", "groups")
        for row in rows:
            row["now"] = seconds  # written into the answer: copies of 200 rows ten times a second are not free
        grid = self.query_one("#positions", Grid)
        grid.take(rows, stale=state.stale("groups"))
        self.query_one("#positions-summary", Lines).put(self._summary(rows))
        self.set_class(self.size.height < 24, "-low")
        self.query_one(GroupDetail).draw(state)

    def _summary(self, rows: list[dict[str, Any]]) -> Any:
        grid = self.query_one("#positions", Grid)
        results = [usd_of(row, "unrealized_quote") for row in rows]
        held = sum(usd_of(row, "open_cost_quote") or 0.0 for row in rows)
        unpriced = sum(
            each is None and bool(cells.number(row["open_qty"])) for each, row in zip(results, rows, strict=True)
        )
        behind = sum((each or 0.0) < 0 for each in results)
        left = line(
            (f" {len(rows)}", "strong"),
            (" groups", "dim"),
            ("   unrealized ", "dim"),
            cells.signed(sum(each or 0.0 for each in results)),
            (" USD", "dim"),
            (f" ({unpriced} without a price)" if unpriced else "", "warn"),
            ("   deployed ", "dim"),
            cells.money(held),
            ("   behind ", "dim"),
            f"{behind}",
        )
        shown = f"{len(grid.rows)} of {len(rows)} match “{grid.rows.text}” " if grid.rows.text else ""
        return padded(left, line((shown, "accent")), self.size.width)

    def details(self) -> None:
        """Open the selected group."""
        row = self.query_one("#positions", Grid).selected
        if row is not None:
            self.show_group(str(row["group_id"]))

    def show_group(self, group_id: str) -> None:
        """Open a group by its id."""
        self.seat.state.focus("group", group_id)
        detail = self.query_one(GroupDetail)
        detail.open(group_id)
        self.add_class("-detail")
        self.draw(self.seat.state)

    def back(self) -> bool:
        """Close the opened group, else undo the filter."""
        detail = self.query_one(GroupDetail)
        if detail.group_id:
            detail.close()
            self.seat.state.focus("group", "")
            self.remove_class("-detail")
            self.focus_main()
            return True
        return super().back()

    def on_grid_moved(self, event: Grid.Moved) -> None:
        """Let the opened group follow the cursor."""
        detail = self.query_one(GroupDetail)
        if event.grid is self.grid and detail.group_id and event.row is not None and event.grid.has_focus:
            self.show_group(str(_ident(event.row)))


def _ident(row: Mapping[str, Any]) -> Any:
    return row["group_id"]
