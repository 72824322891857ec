"""Make lines of a grid out of cells: segments in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from protocol.legible import legible
from tui.cells import Cell
from tui.grid.column import Align
from tui.grid.layout import EDGE, Layout, Place
from tui.grid.rows import Rows

if TYPE_CHECKING:
    from tui.grid.widget import Grid

__all__ = ["STYLES", "Paint", "fitted"]

STYLES: Final = ("gain", "loss", "warn", "alarm", "dim", "strong", "accent", "risk", "critical")
"""Styles that a cell can name."""

_MARK: Final = "▌"
_MORE: Final = "▸"
"""Stands at the end of the titles while there are more columns to the right."""


class Paint:
    """Draws for one grid; remembers its styles until the theme or the focus changes."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._styles: dict[tuple[str, bool], Style] = {}

    def forget(self) -> None:
        """Look the styles up anew."""
        self._styles.clear()

    def row(self, layout: Layout, cells: Sequence[Cell], *, selected: bool) -> Strip:
        """Return a row in its whole width; the selected one is marked by a bar as well as by its ground."""
        gap, plain = " " * layout.gap, self._style("", selected)
        edge = Segment(_MARK, self._style("accent", selected)) if selected else Segment(" " * EDGE, plain)
        segments = [edge]
        for place, cell in zip(layout.places, cells, strict=True):
            segments.append(Segment(fitted(cell.text, place), self._style(cell.style, selected)))
            segments.append(Segment(gap, plain))
        return Strip(segments, EDGE + sum(place.width + layout.gap for place in layout.places))

    def head(self, layout: Layout, rows: Rows, x: int, width: int) -> Strip:
        """Return the titles; the one that is sorted by has an arrow."""
        style = self._style("head", False)
        gap, segments = Segment(" " * layout.gap, style), [Segment(" " * EDGE, style)]
        for place in layout.places:
            column = place.column
            sorted_by = column.name == rows.sort
            mark = ("▾" if rows.descending else "▴") if sorted_by else ""
            title = f"{mark}{column.title}" if column.align is Align.RIGHT else f"{column.title}{mark}"
            segments += [Segment(fitted(title, place), self._style("head-sorted" if sorted_by else "head", False)), gap]
        strip = Strip(segments, EDGE + sum(place.width + layout.gap for place in layout.places))
        whole = self._cut(strip, layout, x, width, style)
        more = layout.left_out or layout.width - x > width
        return Strip.join([whole.crop(0, width - EDGE), Strip([Segment(_MORE, style)], EDGE)]) if more else whole

    def text(self, text: str, width: int) -> Strip:
        """Return a line that is no row."""
        return Strip([Segment(set_cell_size(text, width), self._style("empty", False))], width)

    def cut(self, strip: Strip, layout: Layout, x: int, width: int, *, selected: bool) -> Strip:
        """Cut a row to the screen: fixed columns stay, the rest is moved by what is scrolled."""
        return self._cut(strip, layout, x, width, self._style("", selected))

    @staticmethod
    def _cut(strip: Strip, layout: Layout, x: int, width: int, style: Style) -> Strip:
        if not x:
            return strip.crop_extend(0, width, style)
        fixed = min(layout.fixed_width, width)
        rest = strip.crop(fixed + x, x + width)
        return Strip.join([strip.crop(0, fixed), rest]).adjust_cell_length(width, style)

    def _style(self, name: str, selected: bool) -> Style:
        style = self._styles.get((name, selected))
        if style is None:
            style = self._styles[name, selected] = self._made(name, selected=selected)
        return style

    def _made(self, name: str, *, selected: bool) -> Style:
        grid = self._grid
        style = grid.rich_style
        if name:
            style += grid.get_component_rich_style(f"grid--{name}", partial=True)
        if grid.stale and not name.startswith("head"):
            style += grid.get_component_rich_style("grid--stale", partial=True)
        if selected:
            focused = "grid--cursor" if grid.has_focus else "grid--cursor-blurred"
            style += grid.get_component_rich_style(focused, partial=True)
            if name == "critical":  # its own ground stays, or it could not be read
                style += grid.get_component_rich_style("grid--critical", partial=True)
        return style


def fitted(text: str, place: Place) -> str:
    """Return a text in exactly the cells of its column; what does not fit ends in an ellipsis."""
    width, text = place.width, legible(text)
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else set_cell_size(text, width)
    filler = " " * (width - length)
    return filler + text if place.column.align is Align.RIGHT else text + filler
