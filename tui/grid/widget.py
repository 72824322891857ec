"""The widget: draws the lines that are on screen, and again only the cells that changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.cells import Cell
from tui.grid.column import Align, Column, Row
from tui.grid.layout import GAPS, Layout, Place
from tui.grid.rows import Rows

__all__ = ["Grid"]

_STYLES: Final = ("gain", "loss", "warn", "alarm", "dim", "strong", "accent")
_HEAD: Final = 1
_STEP: Final = 8


class Grid(ScrollView, can_focus=True):
    """A live table: ``take`` gives it rows.

    Sends ``Chosen`` for Enter or a double click, ``Moved`` when another row is selected, ``Ordered`` when it is sorted anew.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"grid--{name}" for name in _STYLES),
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

    class Chosen(Message):
        """The operator wants to see more of a row."""

        def __init__(self, grid: Grid, row: Row) -> None:
            super().__init__()
            self.grid = grid
            self.row = row

        @property
        def control(self) -> Grid:
            """Return the grid."""
            return self.grid

    class Moved(Message):
        """Another row is selected."""

        def __init__(self, grid: Grid, row: Row | None) -> None:
            super().__init__()
            self.grid = grid
            self.row = row

        @property
        def control(self) -> Grid:
            """Return the grid."""
            return self.grid

    class Ordered(Message):
        """The operator sorts by another column or the other way."""

        def __init__(self, grid: Grid) -> None:
            super().__init__()
            self.grid = grid

        @property
        def control(self) -> Grid:
            """Return the grid."""
            return self.grid

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
        self._cells: dict[str, tuple[Cell, ...]] = {}
        self._strips: dict[tuple[str, str], Strip] = {}
        self._rich: dict[tuple[str, str], Style] = {}

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
        for gone in self._cells.keys() - set(self.rows.shown):
            self._forget(gone)
        if self.rows.shown == before:
            self._draw_changes(changed)
        else:
            for ident in changed:
                self._forget(ident)
            self._follow_selected()
            self._size_up()
            self.refresh()

    def set_columns(self, chosen: Sequence[str] = (), density: str = "") -> None:
        """Show other columns (none: what fits), or the same further apart."""
        self.chosen_columns = tuple(chosen)
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
        index = self.rows.index_of(self._selected) if self._selected else None
        self._cursor = index if index is not None else max(0, min(self._cursor, len(self.rows) - 1))
        row = self.selected
        ident = str(row[self.rows.ident]) if row is not None else ""
        if ident != self._selected:
            self._selected = ident
            self.post_message(self.Moved(self, row))

    def _forget(self, ident: str) -> None:
        self._cells.pop(ident, None)
        for look in ("", "cursor"):
            self._strips.pop((ident, look), None)

    def _draw_changes(self, changed: set[str]) -> None:
        """Draw the cells that read differently now; lines that are off screen are only forgotten."""
        top, height = self.scroll_offset.y, self.size.height - _HEAD
        for line, ident in enumerate(self.rows.shown[top : top + height]):
            if ident not in changed:
                continue
            changed.discard(ident)
            before, row = self._cells.get(ident), self.rows.row(ident)
            if before is None or row is None:
                self._forget(ident)
                self.refresh(Region(0, line + _HEAD, self.size.width, 1))
                continue
            self._draw_cells(ident, line + _HEAD, before, self._draw_row(row))
        for ident in changed:
            self._forget(ident)

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
        gap = GAPS.get(self.density, 2)
        self._layout_now = Layout.fit(
            self.columns, self.scrollable_content_region.width or self.size.width, gap=gap, chosen=self.chosen_columns
        )
        self._cells.clear()
        self._size_up()
        self._redraw()

    def _size_up(self) -> None:
        self.virtual_size = Size(self._layout_now.width, len(self.rows) + _HEAD)

    def _redraw(self) -> None:
        self._strips.clear()
        self._rich.clear()
        self.refresh()

    def on_resize(self) -> None:
        """Choose columns for the new width."""
        self._lay_out()

    def notify_style_update(self) -> None:
        """Draw in the colours of another theme."""
        super().notify_style_update()
        self._strips.clear()
        self._rich.clear()

    def on_focus(self) -> None:
        """Show the cursor strongly."""
        self._strips.clear()
        self._rich.clear()

    on_blur = on_focus

    # --- drawing -------------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen: the head, a row, or nothing."""
        width = self.size.width
        if y < _HEAD:
            return self._head(width)
        index = y - _HEAD + self.scroll_offset.y
        row = self.rows.at(index)
        if row is None:
            text = (
                f" {self.empty if not self.rows.total else 'no row matches'}"
                if y == _HEAD + 1 and not len(self.rows)
                else ""
            )
            return Strip([Segment(set_cell_size(text, width), self._look("empty", ""))], width)
        ident = str(row[self.rows.ident])
        look = "cursor" if index == self._cursor else ""
        strip = self._strips.get((ident, look))
        if strip is None:
            strip = self._strips[ident, look] = self._line(ident, row, look)
        return self._cut(strip, width, self._look("", look))

    def _line(self, ident: str, row: Row, look: str) -> Strip:
        cells = self._cells.get(ident)
        if cells is None:
            cells = self._cells[ident] = self._draw_row(row)
        gap, plain = " " * self._layout_now.gap, self._look("", look)
        segments: list[Segment] = []
        for place, cell in zip(self._layout_now.places, cells, strict=True):
            segments.append(Segment(_fitted(cell.text, place), self._look(cell.style, look)))
            segments.append(Segment(gap, plain))
        return Strip(segments, self._layout_now.width + self._layout_now.gap)

    def _head(self, width: int) -> Strip:
        gap, plain = Segment(" " * self._layout_now.gap, self._look("head", "")), []
        for place in self._layout_now.places:
            column = place.column
            is_sorted = column.name == self.rows.sort
            mark = ("▾" if self.rows.descending else "▴") if is_sorted else ""
            title = f"{mark}{column.title}" if column.align is Align.RIGHT else f"{column.title}{mark}"
            plain += [Segment(_fitted(title, place), self._look("head-sorted" if is_sorted else "head", "")), gap]
        return self._cut(Strip(plain, self._layout_now.width + self._layout_now.gap), width, self._look("head", ""))

    def _cut(self, strip: Strip, width: int, style: Style) -> Strip:
        """Cut a whole line to the screen: fixed columns stay, the rest is moved by what is scrolled."""
        x = self.scroll_offset.x
        if not x:
            return strip.crop_extend(0, width, style)
        fixed = min(self._layout_now.fixed_width, width)
        rest = strip.crop(fixed + x, x + width)
        return Strip.join([strip.crop(0, fixed), rest]).adjust_cell_length(width, style)

    def _look(self, name: str, look: str) -> Style:
        style = self._rich.get((name, look))
        if style is None:
            style = self._rich[name, look] = self._made(name, look)
        return style

    def _made(self, name: str, look: str) -> Style:
        style = self.rich_style
        if name:
            style += self.get_component_rich_style(f"grid--{name}", partial=True)
        if self.stale and not name.startswith("head"):
            style += self.get_component_rich_style("grid--stale", partial=True)
        if look:
            focused = "grid--cursor" if self.has_focus else "grid--cursor-blurred"
            style += self.get_component_rich_style(focused, partial=True)
        return style

    # --- keys and mouse ------------------------------------------------------------------------------------------------

    def _move_to(self, index: int) -> None:
        index = max(0, min(index, len(self.rows) - 1))
        row = self.rows.at(index)
        if row is None:
            return
        self._cursor, self._selected = index, str(row[self.rows.ident])
        top, height = self.scroll_offset.y, max(1, self.scrollable_content_region.height - _HEAD)
        if index < top:
            self.scroll_to(y=index, animate=False)
        elif index >= top + height:
            self.scroll_to(y=index - height + 1, animate=False)
        self.refresh()
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
        """Scroll sideways."""
        self.scroll_to(x=self.scroll_offset.x + way * _STEP, animate=False)

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
        self.post_message(self.Ordered(self))

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


def _fitted(text: str, place: Place) -> str:
    """Return a text in exactly the cells of its column; what does not fit ends in an ellipsis."""
    width = place.width
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else set_cell_size(text, width)
    filler = " " * (width - length)
    return filler + text if place.column.align is Align.RIGHT else text + filler
