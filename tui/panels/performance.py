"""Panel H: what it all came to, by any range and filter (EX-1624, EX-1701 to EX-1720)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.grid import Grid
from tui.lines import Lines
from tui.panels import performance_sheets as sheets
from tui.panels.base import Panel, PanelKey
from tui.panels.performance_columns import RESULTS, flattened
from tui.panels.results_bar import CURVES, PAGES, TABLES, ResultsBar
from tui.state import State
from tui.text import line

__all__ = ["PerformancePanel"]

_UNITS: Final = ("day", "week", "month")


class PerformancePanel(Panel):
    """Pages of figures; range and filters are those of the history too."""

    ident: ClassVar[str] = "performance"
    key: ClassVar[str] = "8"
    title: ClassVar[str] = "Performance"
    topics: ClassVar[tuple[str, ...]] = ("figures", "days")
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("v", "page", "Page", target=False, fixed="next"),
        PanelKey("r", "range", "Range", target=False, fixed="next"),
        PanelKey("R", "range", "Range back", target=False, fixed="previous"),
        PanelKey("b", "by", "By", target=False, fixed="next"),
        PanelKey("c", "curve", "Curve", target=False, fixed="next"),
        PanelKey("f", "ask-only", "Filter", target=False),
        PanelKey("F", "only", "All", target=False, fixed="none"),
        PanelKey("e", "ask-take", "Export", target=False),
    )
    DEFAULT_CSS = """
    PerformancePanel .sheet { height: 1fr; width: 1fr; margin: 0 2 0 1; }
    PerformancePanel #results { height: 1fr; display: none; }
    PerformancePanel Horizontal { height: 1fr; display: none; }
    PerformancePanel.-curves #page-curves, PerformancePanel.-shape #page-shape, PerformancePanel.-trades #page-trades,
    PerformancePanel.-capital #page-capital, PerformancePanel.-tables #results { display: block; }
    PerformancePanel #figures { display: none; width: 46; }
    PerformancePanel.-broad #figures { display: block; }
    PerformancePanel.-figures #page-curves { display: block; }
    PerformancePanel.-figures #curves { display: none; }
    PerformancePanel.-figures #figures { display: block; width: 1fr; }
    PerformancePanel #results-summary { height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.page = PAGES[0]
        self.table = TABLES[0]
        self.curve = CURVES[0]

    def compose(self) -> ComposeResult:
        """Lay out toolbar, summary and pages."""
        yield ResultsBar()
        yield Lines(id="results-summary")
        with Horizontal(id="page-curves"):
            yield Lines(id="curves", classes="sheet")
            yield Lines(id="figures", classes="sheet")
        yield Grid(
            RESULTS,
            ident="key",
            empty="nothing was closed in this range: r takes another, F all filters off",
            id="results",
        )
        with Horizontal(id="page-shape"):
            yield Lines(id="histogram", classes="sheet")
            yield Lines(id="heatmap", classes="sheet")
        with Horizontal(id="page-trades"):
            yield Lines(id="best", classes="sheet")
            yield Lines(id="worst", classes="sheet")
        with Horizontal(id="page-capital"):
            yield Lines(id="allocation", classes="sheet")
            yield Lines(id="days", classes="sheet")

    def on_mount(self) -> None:
        """Begin with the first page; tables by pair begin with the worst."""
        self.query_one("#results", Grid).order_by("realized", descending=True)
        self.add_class(f"-{self.page}")

    @property
    def grid(self) -> Grid | None:
        """Return the table of results."""
        found = self.query("#results")
        return found.first(Grid) if found else None

    def turn_to(self, page: str) -> None:
        """Show a page."""
        self.page = page
        for each in PAGES:
            self.set_class(each == page, f"-{each}")
        if page == "tables":
            self.focus_main()
        else:
            self.screen.set_focus(None)
        self.call_after_refresh(self._draw_again)

    def _draw_again(self) -> None:
        self.draw(self.seat.state)

    def focus_main(self) -> None:
        """Give the keys to the table where one is shown."""
        if self.page == "tables":
            super().focus_main()
        else:
            self.screen.set_focus(None)

    def search(self, text: str) -> None:
        """Look for words among the rows of a table."""
        if self.page != "tables":
            self.turn_to("tables")
        super().search(text)

    def draw(self, state: State) -> None:
        """Draw the page in front from the newest answer."""
        found = cast("Mapping[str, Any] | None", state.get("figures"))
        self.query_one(ResultsBar).show(state, page=self.page, table=self.table)
        if found is None:
            self.query_one("#results-summary", Lines).put(line((" figures are being computed …", "dim")))
            return
        self.query_one("#results-summary", Lines).put(sheets.summary(found, self.size.width))
        if self.page == "tables":
            self.query_one("#results", Grid).take(self._rows(found), stale=state.stale("figures"))
            return
        for sheet in self.query(".sheet").results(Lines):
            if sheet.size.width and sheet.display:
                self._fill(sheet, found, state)

    def _fill(self, sheet: Lines, found: Mapping[str, Any], state: State) -> None:
        if sheet.id in ("best", "worst"):
            sheet.put(sheets.extremes(found, sheet.id, sheet.size))
        elif sheet.id == "curves":
            sheet.put(sheets.curves(found, sheet.size, self.curve))
        elif sheet.id == "days":
            sheet.put(sheets.days(state.rows("days", "days"), sheet.size))
        else:
            sheet.put(_DRAWN[str(sheet.id)](found, sheet.size))

    def _rows(self, found: Mapping[str, Any]) -> list[dict[str, Any]]:
        table = self.table
        rows = found["periods"][table] if table in _UNITS else found["breakdown"][table]
        return [flattened(row) for row in rows]

    def on_resize(self) -> None:
        """Fit pages to the new size."""
        super().on_resize()
        self.call_after_refresh(self._draw_again)

    def back(self) -> bool:
        """Undo the search, then go to the first page."""
        if super().back():
            return True
        if self.page != PAGES[0]:
            self.turn_to(PAGES[0])
            return True
        return False


_DRAWN: Final = {
    "figures": sheets.figures,
    "histogram": sheets.histogram,
    "heatmap": sheets.heatmap,
    "allocation": sheets.allocation,
}
