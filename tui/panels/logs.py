"""Panel E: the log as it goes on, or as it was; filters, search, alerts (EX-1406, EX-1619)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.content import Content

from tui import cells
from tui.grid import Grid, Row
from tui.lines import Lines
from tui.panels.base import Panel, PanelKey
from tui.panels.log_columns import CATEGORIES, COLUMNS, letter
from tui.panels.log_toolbar import LogToolbar
from tui.state import State
from tui.text import line, lines

__all__ = ["LogsPanel"]

_MOST: Final = 4_000


class LogsPanel(Panel):
    """Lines of the log, newest last. In the stream the newest is always in sight; in review nothing moves."""

    ident: ClassVar[str] = "logs"
    key: ClassVar[str] = "5"
    title: ClassVar[str] = "Logs"
    topics: ClassVar[tuple[str, ...]] = ("log",)
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("s", "log-stream", "Stream/review", target=False),
        PanelKey("c", "ask-filter", "Category", target=False, fixed="category"),
        PanelKey("f", "ask-filter", "Filter", target=False),
        PanelKey("F", "log-clear", "All", target=False),
        PanelKey("A", "ack-line", "Ack"),
        PanelKey("t", "trace", "Trace"),
        PanelKey("g", "line-group", "Its group"),
        PanelKey("h", "line-chain", "Its chain"),
        PanelKey("w", "replay", "Replay"),
        PanelKey("W", "ask-replay-live", "Replay live"),
        PanelKey("e", "ask-export", "Export", target=False),
        PanelKey("left_square_bracket", "log-older", "Older", target=False),
        PanelKey("K", "retention", "Retention", target=False),
    )
    DEFAULT_CSS = """
    LogsPanel #log { height: 1fr; }
    LogsPanel #log-line { height: 3; padding: 0 1; background: $surface; display: none; }
    LogsPanel.-detail #log-line { display: block; height: 6; }
    LogsPanel.-roomy #log-line { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.stream = True
        self.filters: dict[str, str] = {}
        self._rows: list[dict[str, Any]] = []
        self._newest = 0

    def compose(self) -> ComposeResult:
        """Lay out toolbar, lines, the selected line in full."""
        yield LogToolbar()
        yield Grid(COLUMNS, ident="position", empty="no line fits", id="log")
        yield Lines(id="log-line")

    @property
    def grid(self) -> Grid | None:
        """Return the table of lines."""
        found = self.query("#log")
        return found.first(Grid) if found else None

    # --- what is shown -------------------------------------------------------------------------------------------------

    def draw(self, state: State) -> None:
        """Draw the newest answer; in review what was there when it began."""
        grid = self.query_one("#log", Grid)
        came = state.rows("log", "events")[::-1]
        self._newest = int(came[-1]["position"]) if came else self._newest
        if self.stream or not self._rows:
            self._rows = came
        rows = self._rows
        newer = sum(row["position"] > rows[-1]["position"] for row in came) if rows and not self.stream else 0
        ordered = bool(grid.rows.sort)
        grid.take(rows, stale=state.stale("log"))
        at_end = grid.selected is not None and grid.selected["position"] == (rows[-1]["position"] if rows else 0)
        if self.stream and not ordered and rows and not (at_end and grid.scroll_offset.y >= grid.max_scroll_y):
            grid.select(str(rows[-1]["position"]))
        self.query_one(LogToolbar).show(self.filters, stream=self.stream, shown=len(rows), newer=newer)
        self._draw_line(grid.selected)

    def _draw_line(self, row: Row | None) -> None:
        self.query_one("#log-line", Lines).put(lines(*_whole(row)) if row is not None else line(""))

    def target(self) -> str:
        """Return what the selected line is about: the most special id, position, signal, group, chain; a dash for none."""
        row = self.query_one("#log", Grid).selected
        if row is None:
            return ""
        about = row["client_order_id"] or row["group_id"] or row["signal_id"]
        ids = (about, row["position"], row["signal_id"], row["group_id"], row["correlation_id"])
        return "\t".join(str(each or "-") for each in ids)

    def details(self) -> None:
        """Show the selected line in full, on small screens too."""
        self.toggle_class("-detail")
        self.draw(self.seat.state)
        self.call_after_refresh(self._in_sight)

    def _in_sight(self) -> None:
        """Keep the selected line in sight when there is less room."""
        grid = self.query_one("#log", Grid)
        if grid.selected is not None:
            grid.select(str(grid.selected["position"]))

    def back(self) -> bool:
        """Hide the line in full, take the words off, go on with the stream."""
        if self.has_class("-detail"):
            self.remove_class("-detail")
            return True
        if any(self.filters.values()):
            self.clear_filters()
            return True
        if not self.stream:
            self.set_stream(stream=True)
            return True
        return False

    # --- stream and review ---------------------------------------------------------------------------------------------

    def set_stream(self, *, stream: bool) -> None:
        """Follow the newest line, or stand still."""
        self.stream = stream
        self.draw(self.seat.state)

    def on_grid_moved(self, event: Grid.Moved) -> None:
        """Stand still as soon as the operator looks at an older line; go on at the end."""
        grid, row = event.grid, event.row
        if row is None:
            return
        last = self._rows[-1]["position"] if self._rows else None
        if self.stream and grid.has_focus and row["position"] != last and not grid.rows.sort and self._moved(row):
            self.set_stream(stream=False)
        elif not self.stream and row["position"] == last and self._newest == last:
            self.set_stream(stream=True)
        self._draw_line(row)

    def _moved(self, row: Row) -> bool:
        """Tell whether the cursor stands there because of the operator: a line that came moves nobody."""
        selected = self.query_one("#log", Grid).selected
        return selected is not None and selected["position"] == row["position"]

    def add_older(self, rows: list[dict[str, Any]]) -> None:
        """Put older lines above those that are there; far back the newest go, ``End`` and the stream bring them again."""
        self.stream = False
        self._rows = (rows + self._rows)[:_MOST]
        self.draw(self.seat.state)
        self.call_after_refresh(self._in_sight)

    @property
    def oldest(self) -> int:
        """Return the position of the first line, 0 when there is none."""
        return int(self._rows[0]["position"]) if self._rows else 0

    # --- filters -------------------------------------------------------------------------------------------------------

    @property
    def searched(self) -> str:
        """Return the words that lines must have now."""
        return self.filters.get("text", "")

    def search(self, text: str) -> None:
        """Ask the daemon for lines with these words: it knows all of them, the screen only the newest."""
        self.set_filter("text", text)

    def set_filter(self, name: str, value: str) -> None:
        """Narrow the log by one filter; empty takes it off."""
        self.filters[name] = value
        self._rows = []
        self.seat.state.narrow("log", self.filters)
        if self.seat.panel() is self:
            self.draw(self.seat.state)

    def clear_filters(self) -> None:
        """Take every filter off."""
        for name in tuple(self.filters):
            self.filters[name] = ""
        self.set_filter("text", "")

    def toggle_category(self, name: str) -> None:
        """Show a category too, or no longer; none chosen shows all."""
        chosen = set(filter(None, self.filters.get("category", "").split(","))) ^ {name}
        self.set_filter("category", ",".join(each for each in CATEGORIES if each in chosen))


def _whole(row: Mapping[str, Any]) -> Iterator[Content]:
    ids = (
        ("group", row["group_id"]),
        ("order", row["client_order_id"]),
        ("signal", row["signal_id"]),
        ("chain", row["correlation_id"]),
        ("tags", " ".join(row["tags"])),
        ("stream", row.get("stream", "")),
    )
    yield line(
        letter(row),
        f" {cells.day_time(row['at'])} ",
        (str(row["code"]), "strong"),
        (f"  {row['identity']}" if row.get("identity") else "", "dim"),
        (f"  acknowledged {cells.clock_time(row['acknowledged_at'])} {row['acknowledged_by']}", "dim")
        if row["acknowledged_at"]
        else "",
        ("  waits to be acknowledged (A)", "warn") if row["pinned"] and not row["acknowledged_at"] else "",
    )
    yield line(f" {row['text']}")
    yield line((" " + "   ".join(f"{name} {value}" for name, value in ids if value), "dim"))
