"""What every panel is: a place on the screen that draws the state, and keys that run commands on what is selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, cast

from textual import events
from textual.containers import Vertical
from textual.widget import Widget

from tui.grid import Grid
from tui.state import State

if TYPE_CHECKING:
    from tui.seat import Seat

__all__ = ["BROAD", "ROOMY", "Panel", "PanelKey"]

BROAD: Final = 100
"""Columns from which on a panel has room for two things beside each other."""

ROOMY: Final = 26
"""Lines from which on a panel has room for two things beneath each other."""


class PanelKey(NamedTuple):
    """A key of a panel: it runs a command, with the panel's target when ``target``; ``label`` stands in the key line."""

    key: str
    command: str
    label: str
    target: bool = True
    fixed: str = ""


class Panel(Vertical):
    """One panel.

    ``ident`` names it (``go positions``, ``--panel positions``), ``key`` opens it from anywhere (any key of Textual),
    ``title`` stands in the tab; one with ``tab`` False has none and is opened by key, command or from another panel.
    ``topics`` are asked while it is in front. ``keys`` run commands. ``grid`` is the table that sorting, filtering and
    column choice are for, None when it has none. Style sheets may use the classes ``-broad`` and ``-roomy`` of a panel: they
    say how much room it has.
    """

    ident: ClassVar[str] = ""
    key: ClassVar[str] = ""
    title: ClassVar[str] = ""
    tab: ClassVar[bool] = True
    topics: ClassVar[tuple[str, ...]] = ()
    keys: ClassVar[tuple[PanelKey, ...]] = ()

    def __init__(self) -> None:
        super().__init__(id=f"panel-{self.ident}")
        self._last_table: Grid | None = None

    def on_resize(self) -> None:
        """Say how much room there is, for style sheets: ``-broad`` from 100 columns on, ``-roomy`` from 26 lines on."""
        self.set_class(self.size.width >= BROAD, "-broad")
        self.set_class(self.size.height >= ROOMY, "-roomy")

    @property
    def seat(self) -> Seat:
        """Return the cockpit."""
        return cast("Seat", self.app)

    @property
    def grid(self) -> Grid | None:
        """Return the panel's main table."""
        return None

    def draw(self, state: State) -> None:
        """Draw what the screen knows now; called after each round while the panel is in front."""
        raise NotImplementedError

    def target(self) -> str:
        """Return what the panel's keys act on (a group's id, an entry's), empty when nothing is selected."""
        return ""

    def details(self) -> None:
        """Show more of what is selected (Enter)."""

    def left(self) -> None:
        """Take it that another panel is in front now."""

    def back(self) -> bool:
        """Go one step back (Esc): out of details, then out of a filter; return whether there was a step."""
        if self.searched:
            self.search("")
            return True
        return False

    def focus_main(self) -> None:
        """Give the keys to what the panel is about."""
        first: Widget | None = self.current_grid or next(iter(self.query(Grid)), None)
        if first is not None:
            first.focus()

    # --- the table -----------------------------------------------------------------------------------------------------

    @property
    def searched(self) -> str:
        """Return the words that rows must have now."""
        return self.grid.rows.text if self.grid is not None else ""

    def search(self, text: str) -> None:
        """Show only rows with these words."""
        if self.grid is not None:
            self.grid.search(text)

    @property
    def current_grid(self) -> Grid | None:
        """Return the table that the keys went to last, the main one when that is not on screen any more."""
        last = self._last_table
        there = last is not None and all(each.display for each in last.ancestors_with_self if isinstance(each, Widget))
        return last if there else self.grid

    def table_name(self, table: Grid) -> str:
        """Return the name that an operator's choices for a table are kept under."""
        return self.ident if table is self.grid else f"{self.ident}.{table.id}"

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember which table the keys go to: sorting and choosing columns is for that one."""
        if isinstance(event.widget, Grid):
            self._last_table = event.widget

    def set_columns(self, names: Sequence[str]) -> None:
        """Show these columns and remember them for this operator."""
        if (table := self.current_grid) is not None:
            table.set_columns(names)
            self.seat.set_preference(f"columns.{self.table_name(table)}", list(names))

    def set_order(self, name: str, *, descending: bool) -> None:
        """Sort by a column and remember it for this operator."""
        if (table := self.current_grid) is not None:
            table.order_by(name, descending=descending)
            self._keep_order(table)

    def on_grid_ordered(self, event: Grid.Ordered) -> None:
        """Remember how the operator sorts."""
        self._keep_order(event.grid)

    def _keep_order(self, table: Grid) -> None:
        way = "desc" if table.rows.descending else "asc"
        self.seat.set_preference(f"order.{self.table_name(table)}", [table.rows.sort, way])

    def on_grid_chosen(self, event: Grid.Chosen) -> None:
        """Open what the operator chose."""
        if event.grid is self.grid:
            event.stop()
            self.details()
