"""The widget: draws the lines that are on screen, and again only the cells that changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.cells import Cell
from tui.grid.column import Column, Row
from tui.grid.layout import GAPS, Layout, Place
from tui.grid.paint import STYLES, Paint
from tui.grid.rows import Rows

__all__ = ["Grid"]

_HEAD: Final = 1
_STEP: Final = 8
_NARROW: Final = 100


class Grid(ScrollView, can_focus=True):
    """A live table: ``take`` gives it rows.

    Sends ``Chosen`` for Enter or a double click, ``Moved`` when another row is selected, ``Ordered`` when it is sorted anew.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"grid--{name}" for name in STYLES),
        "grid--head",
        "grid--head-sorted",
        "grid--cursor",
        "grid--cursor-blurred",
        "grid--stale",
        "grid--empty",
    }
    DEFAULT_CSS = """
    Grid {
        height: 1fr;
        background: $background;
        color: $foreground;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 1;
        scrollbar-background: $background;
        scrollbar-color: $panel;
    }
    Grid > .grid--head { color: $text-muted; }
    Grid > .grid--head-sorted { color: $accent; }
    Grid > .grid--cursor { background: $cursor; }
    Grid > .grid--cursor-blurred { background: $surface; }
    Grid > .grid--gain { color: $gain; }
    Grid > .grid--loss { color: $loss; }
    Grid > .grid--warn { color: $warning; }
    Grid > .grid--alarm { color: $error; text-style: bold; }
    Grid > .grid--dim { color: $text-muted; }
    Grid > .grid--strong { text-style: bold; }
    Grid > .grid--accent { color: $accent; }
    Grid > .grid--risk { color: $risk; }
    Grid > .grid--critical { color: $background; background: $error; text-style: bold; }
    Grid > .grid--stale { color: $text-disabled; }
    Grid > .grid--empty { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "edge(-1)", "First", show=False),
        Binding("end", "edge(1)", "Last", show=False),
        Binding("left", "sideways(-1)", "Left", show=False),
        Binding("right", "sideways(1)", "Right", show=False),
        Binding("enter", "choose", "Details", show=False),
        Binding("less_than_sign", "sort_next(-1)", "Sort by the column to the left", show=False),
        Binding("greater_than_sign", "sort_next(1)", "Sort by the column to the right", show=False),
        Binding("equals_sign", "reverse", "Turn the order round", show=False),
    ]

    class About(Message):
        """Something about a row of a grid."""

        def __init__(self, grid: Grid, row: Row | None) -> None:
            super().__init__()
            self.grid = grid
            self.row = row

        @property
        def control(self) -> Grid:
            """Return the grid."""
            return self.grid

    class Chosen(About):
        """The operator wants to see more of a row."""

    class Moved(About):
        """Another row is selected."""

    class Ordered(About):
        """The operator sorts by another column or the other way."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        ident: str,
        empty: str = "nothing here",
        id: str | None = None,  # noqa: A002 - Textual names it
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.rows = Rows(columns, ident=ident)
        self.empty = empty
        self.chosen_columns: tuple[str, ...] = ()
        self.density = "normal"
        self.stale = False
        self._selected = ""
        self._cursor = 0
        self._layout_now = Layout((), 0, 0, 2)
        self._whole = False
        self._cells: dict[str, tuple[Cell, ...]] = {}
        self._strips: dict[tuple[str, bool], Strip] = {}
        self._cut_for = (0, 0)
        self._paint = Paint(self)

    # --- what it shows -------------------------------------------------------------------------------------------------

    @property
    def selected(self) -> Row | None:
        """Return the selected row."""
        return self.rows.at(self._cursor)

    def take(self, rows: Iterable[Row], *, stale: bool = False) -> None:
        """Show these rows; draws only what changed. ``stale`` dims all of it: the values are old."""
        if stale != self.stale:
            self.stale = stale
            self._redraw()
        before = self.rows.shown
        changed = self.rows.take(rows)
        shown = self.rows.shown
        if len(shown) != len(before):
            self._size_up()
        for gone in self._cells.keys() - set(shown):
            self._forget(gone)
        self._draw_changes(before, changed)
        self._follow_selected()

    def set_columns(self, chosen: Sequence[str] | None = None, density: str = "") -> None:
        """Show other columns (an empty choice: what fits), or the same ones further apart."""
        self.chosen_columns = self.chosen_columns if chosen is None else tuple(chosen)
        self.density = density or self.density
        self._lay_out()

    def order_by(self, name: str, *, descending: bool = False) -> None:
        """Sort by a column."""
        self.rows.order_by(name, descending=descending)
        self._follow_selected()
        self.refresh()

    def search(self, text: str) -> None:
        """Show only rows with these words."""
        self.rows.search(text)
        self._follow_selected()
        self._size_up()
        self.refresh()

    def select(self, ident: str) -> bool:
        """Select a row by its id; return whether it is shown."""
        index = self.rows.index_of(ident)
        if index is not None:
            self._move_to(index)
        return index is not None

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """Return the names of the columns on screen."""
        return tuple(place.column.name for place in self._layout_now.places)

    # --- keeping up ----------------------------------------------------------------------------------------------------

    def _follow_selected(self) -> None:
        """Keep the cursor on the row it was on; when that is gone, where it was."""
        index, was = self.rows.index_of(self._selected) if self._selected else None, self._cursor
        self._cursor = index if index is not None else max(0, min(self._cursor, len(self.rows) - 1))
        if self._cursor != was:
            self._draw_line(was)
            self._draw_line(self._cursor)
        row = self.selected
        ident = str(row[self.rows.ident]) if row is not None else ""
        if ident != self._selected:
            self._selected = ident
            self.post_message(self.Moved(self, row))

    def _draw_line(self, index: int) -> None:
        y = index - self.scroll_offset.y + _HEAD
        if _HEAD <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _forget(self, ident: str) -> None:
        self._cells.pop(ident, None)
        self._strips.pop((ident, False), None)
        self._strips.pop((ident, True), None)

    def _draw_changes(self, before: list[str], changed: set[str]) -> None:
        """Draw lines that hold another row now, and the cells that read differently; what is off screen is forgotten."""
        top, bottom = self.scroll_offset.y, self.scroll_offset.y + self.size.height - _HEAD
        shown, seen = self.rows.shown, set()
        for index in range(top, max(top, min(bottom, max(len(shown), len(before))))):
            ident = shown[index] if index < len(shown) else ""
            same = index < len(before) and before[index] == ident
            y = index - top + _HEAD
            if same and ident in changed:
                seen.add(ident)
                self._draw_row_again(ident, y)
            elif not same:
                self.refresh(Region(0, y, self.size.width, 1))
        for ident in changed - seen:
            self._forget(ident)

    def _draw_row_again(self, ident: str, y: int) -> None:
        before, row = self._cells.get(ident), self.rows.row(ident)
        if before is None or row is None:
            self._forget(ident)
            self.refresh(Region(0, y, self.size.width, 1))
        else:
            self._draw_cells(ident, y, before, self._draw_row(row))

    def _draw_cells(self, ident: str, y: int, before: tuple[Cell, ...], after: tuple[Cell, ...]) -> None:
        differing = [
            place for place, old, new in zip(self._layout_now.places, before, after, strict=True) if old != new
        ]
        if not differing:
            return
        self._forget(ident)
        self._cells[ident] = after
        fixed = self._layout_now.fixed_width
        left = min(self._on_screen(place, fixed) for place in differing)
        right = max(self._on_screen(place, fixed) + place.width for place in differing)
        left, right = max(0, left), min(self.size.width, right)
        if right > left:
            self.refresh(Region(left, y, right - left, 1))

    def _on_screen(self, place: Place, fixed: int) -> int:
        return place.start if place.start < fixed else max(fixed, place.start - self.scroll_offset.x)

    def _draw_row(self, row: Row) -> tuple[Cell, ...]:
        return tuple(place.column.cell(row) for place in self._layout_now.places)

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width or self.size.width
        gap = GAPS.get(self.density, 2) if self.density != "normal" or width >= _NARROW else GAPS["compact"]
        self._layout_now = Layout.fit(self.columns, width, gap=gap, chosen=self.chosen_columns, whole=self._whole)
        self._cells.clear()
        self._size_up()
        self._redraw()

    def _size_up(self) -> None:
        self.virtual_size = Size(self._layout_now.width, len(self.rows) + _HEAD)

    def _redraw(self) -> None:
        self._strips.clear()
        self._paint.forget()
        self.refresh()

    def on_mount(self) -> None:
        """Choose columns again when the scrollbar takes a cell, or gives it back."""
        self.watch(self, "show_vertical_scrollbar", self._lay_out, init=False)

    def on_resize(self) -> None:
        """Choose columns for the new width."""
        self._lay_out()

    def notify_style_update(self) -> None:
        """Draw in the colours of another theme."""
        super().notify_style_update()
        self._strips.clear()
        self._paint.forget()

    def on_focus(self) -> None:
        """Show the cursor strongly, or weakly without the keys; only its own line looks different."""
        self._paint.forget()
        self._strips.pop((self._selected, True), None)
        self._draw_line(self._cursor)

    on_blur = on_focus

    # --- drawing -------------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen: the head, a row, or nothing."""
        width = self.size.width
        if y < _HEAD:
            seen = self.scrollable_content_region.width or width
            return self._paint.head(self._layout_now, self.rows, self.scroll_offset.x, seen)
        index = y - _HEAD + self.scroll_offset.y
        row = self.rows.at(index)
        if row is None:
            return self._paint.text(self._said_instead(y), width)
        ident, selected, x = str(row[self.rows.ident]), index == self._cursor, self.scroll_offset.x
        if self._cut_for != (x, width):
            self._cut_for = (x, width)
            self._strips.clear()
        strip = self._strips.get((ident, selected))
        if strip is None:
            cells = self._cells.get(ident)
            if cells is None:
                cells = self._cells[ident] = self._draw_row(row)
            whole = self._paint.row(self._layout_now, cells, selected=selected)
            strip = self._paint.cut(whole, self._layout_now, x, width, selected=selected)
            self._strips[ident, selected] = strip
        return strip

    def _said_instead(self, y: int) -> str:
        """Return what stands where rows would: why there are none."""
        if y != _HEAD + 1 or len(self.rows):
            return ""
        return f" {'no row matches' if self.rows.total else self.empty}"

    # --- keys and mouse ------------------------------------------------------------------------------------------------

    def _move_to(self, index: int) -> None:
        index = max(0, min(index, len(self.rows) - 1))
        row = self.rows.at(index)
        if row is None:
            return
        was, self._cursor, self._selected = self._cursor, index, str(row[self.rows.ident])
        self._draw_line(was)
        self._draw_line(index)
        top, height = self.scroll_offset.y, max(1, self.scrollable_content_region.height - _HEAD)
        if index < top:
            self.scroll_to(y=index, animate=False)
        elif index >= top + height:
            self.scroll_to(y=index - height + 1, animate=False)
        self.post_message(self.Moved(self, row))

    def action_move(self, step: int) -> None:
        """Select the row above or below."""
        self._move_to(self._cursor + step)

    def action_page(self, step: int) -> None:
        """Select the row a screen further."""
        self._move_to(self._cursor + step * max(1, self.size.height - _HEAD - 1))

    def action_edge(self, way: int) -> None:
        """Select the first or the last row."""
        self._move_to(0 if way < 0 else len(self.rows) - 1)

    def action_sideways(self, way: int) -> None:
        """Scroll sideways; columns that were left out for want of room come from the right, and go again on the left."""
        x = self.scroll_offset.x + way * _STEP
        if (way > 0 and self._layout_now.left_out) or (self._whole and x < 0):
            self._whole = way > 0
            self._lay_out()
        self.scroll_to(x=x, animate=False, force=True)

    def action_choose(self) -> None:
        """Ask for more of the selected row."""
        if (row := self.selected) is not None:
            self.post_message(self.Chosen(self, row))

    def action_sort_next(self, step: int) -> None:
        """Sort by the next column on screen."""
        names = self.shown_columns
        if names:
            place = (names.index(self.rows.sort) + step) % len(names) if self.rows.sort in names else 0
            self._sorted_by(names[place], descending=self.rows.descending)

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._sorted_by(self.rows.sort, descending=not self.rows.descending)

    def _sorted_by(self, name: str, *, descending: bool) -> None:
        self.order_by(name, descending=descending)
        self.post_message(self.Ordered(self, self.selected))

    def on_click(self, event: events.Click) -> None:
        """Select a row, open it by a double click, sort by a title."""
        if event.y < _HEAD:
            self._click_head(event.x)
            return
        self._move_to(event.y - _HEAD + self.scroll_offset.y)
        if event.chain == 2:
            self.action_choose()

    def _click_head(self, x: int) -> None:
        fixed = self._layout_now.fixed_width
        wanted = x if x < fixed else x + self.scroll_offset.x
        for place in self._layout_now.places:
            if place.start <= wanted < place.start + place.width + self._layout_now.gap:
                again = place.column.name == self.rows.sort
                self._sorted_by(place.column.name, descending=not self.rows.descending if again else False)
                return
