"""The notification centre: three severities, unread ones, put away one or all (DS-720 to DS-725)."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from textual.app import ComposeResult

from tui import cells
from tui.cells import Cell
from tui.grid import Column, Grid, Row
from tui.lines import Lines
from tui.link import LinkState
from tui.panels.base import Panel, PanelKey
from tui.state import State
from tui.text import line, lines, padded

__all__ = ["COLUMNS", "SEVERITIES", "NoticesPanel"]

SEVERITIES: Final = {"critical": ("C", "critical"), "warning": ("W", "warn"), "info": ("I", "accent")}
"""Letter and look of each severity."""


def _letter(row: Row) -> Cell:
    sign, style = SEVERITIES.get(str(row["severity"]), ("?", "dim"))
    return Cell(f" {sign} ", style)


def _title(row: Row) -> Cell:
    many = f" x{row['count']}" if row["count"] > 1 else ""
    return Cell(f"{row['title']}{many}", "strong" if row["fresh"] else "")


COLUMNS: Final = (
    Column(
        name="new",
        title="",
        width=1,
        fixed=True,
        cell=lambda row: Cell("●" if row["fresh"] else " ", "accent"),
        value=lambda row: not row["fresh"],
        help="new since the list was opened",
    ),
    Column(name="severity", title=" S", width=3, fixed=True, cell=_letter, value=lambda row: row["severity"]),
    Column(
        name="time",
        title="Time",
        width=14,
        cell=lambda row: Cell(cells.day_time(row["at"]), "dim"),
        value=lambda row: row["at"],
    ),
    Column(name="title", title="What", width=24, stretch=8, cell=_title, value=lambda row: row["title"]),
    Column(
        name="body",
        title="",
        width=20,
        need=1,
        stretch=90,
        cell=lambda row: Cell(row["body"], "" if row["fresh"] else "dim"),
        value=lambda row: row["body"],
    ),
    Column(
        name="type",
        title="Type",
        width=22,
        need=3,
        cell=lambda row: Cell(row["type"], "dim"),
        value=lambda row: row["type"],
    ),
    Column(
        name="link",
        title="About",
        width=18,
        need=4,
        cell=lambda row: Cell(row["link"], "dim"),
        value=lambda row: row["link"],
    ),
)
"""Every column of a notification."""


class NoticesPanel(Panel):
    """The list, newest first; opening it reads what it shows."""

    ident: ClassVar[str] = "notices"
    key: ClassVar[str] = "n"
    title: ClassVar[str] = "Notifications"
    tab: ClassVar[bool] = False
    topics: ClassVar[tuple[str, ...]] = ("notices",)
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("d", "dismiss", "Dismiss"),
        PanelKey("D", "dismiss-all", "Dismiss all", target=False),
        PanelKey("o", "open-notice", "Open"),
    )
    DEFAULT_CSS = """
    NoticesPanel #notices-summary { height: 1; }
    NoticesPanel #notices { height: 1fr; }
    NoticesPanel #notice { height: 3; padding: 0 1; background: $surface; text-wrap: wrap; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._fresh: set[int] = set()

    def compose(self) -> ComposeResult:
        """Lay out the sum, the list, the selected one in full."""
        yield Lines(id="notices-summary")
        yield Grid(
            COLUMNS,
            ident="seq",
            empty="nothing to tell: fills, refusals, venues that go and come, incidents are told here",
            id="notices",
        )
        yield Lines(id="notice")

    @property
    def grid(self) -> Grid | None:
        """Return the list."""
        found = self.query("#notices")
        return found.first(Grid) if found else None

    def target(self) -> str:
        """Return the selected notification."""
        row = self.query_one("#notices", Grid).selected
        return "" if row is None else str(row["seq"])

    def draw(self, state: State) -> None:
        """Draw the list; what it shows unread is read from now on, and stays marked while the list is open."""
        rows = [each for each in state.rows("notices", "notifications") if not each["dismissed"]]
        unread = {int(each["seq"]) for each in rows if not each["read"]}
        if unread - self._fresh:
            self._fresh |= unread
            self.seat.run_text(f"read-notices {max(unread)}")
        shown: list[dict[str, Any]] = [{**each, "fresh": each["seq"] in self._fresh} for each in reversed(rows)]
        self.query_one("#notices", Grid).take(shown, stale=state.stale("notices"))
        self._summary(state, shown)
        self._whole(self.query_one("#notices", Grid).selected)

    def left(self) -> None:
        """Forget what was new: the list is no longer in front."""
        self._fresh = set()

    def _summary(self, state: State, rows: list[dict[str, Any]]) -> None:
        counts = {name: sum(each["severity"] == name for each in rows) for name in SEVERITIES}
        there = state.link_state is LinkState.CONNECTED
        self.query_one("#notices-summary", Lines).put(
            padded(
                line(
                    (f" {len(rows)}", "strong"),
                    (" notifications   ", "dim"),
                    (f"{counts['critical']} critical   ", "alarm" if counts["critical"] else "dim"),
                    (f"{counts['warning']} warning   ", "warn" if counts["warning"] else "dim"),
                    (f"{counts['info']} info", "dim"),
                ),
                line(("● connected " if there else "◌ reconnecting ", "gain" if there else "warn")),
                self.size.width,
            )
        )

    def _whole(self, row: Row | None) -> None:
        text = (
            line("")
            if row is None
            else lines(
                line(_letter(row), f" {row['title']}", (f"   {row['type']}  {row['link']}", "dim")),
                line(f" {row['body']}"),
            )
        )
        self.query_one("#notice", Lines).put(text)

    def on_grid_moved(self, event: Grid.Moved) -> None:
        """Show the notification under the cursor in full."""
        self._whole(event.row)

    def details(self) -> None:
        """Open what the selected notification is about."""
        if seq := self.target():
            self.seat.run_text(f"open-notice {seq}")
