"""How the screen looks for one operator: what was chosen here, else what the daemon's ``[ui]`` section says (EX-1604)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from tui.grid import Grid
from tui.grid.layout import GAPS
from tui.panels import Panel
from tui.themes import THEMES

if TYPE_CHECKING:
    from tui.app import Cockpit

__all__ = ["dress", "next_of", "tables"]


def dress(cockpit: Cockpit) -> None:
    """Put theme, density, columns and order of each table on; called again when the daemon's settings are known."""
    chosen, setting = cockpit.preferences, cockpit.state.setting
    theme = cockpit.options.theme or chosen.get("theme", "") or str(setting("ui.theme") or "dark")
    cockpit.theme = THEMES[theme if theme in THEMES else "dark"].theme.name
    density = chosen.get("density", "") or str(setting("ui.density") or "normal")
    columns = setting("ui.column_visibility")
    shared = columns if isinstance(columns, Mapping) else {}
    for name, table in tables(cockpit):
        names = chosen.names(f"columns.{name}") or [str(each) for each in shared.get(name, ())]
        table.set_columns(names, density if density in GAPS else "normal")
        order = chosen.names(f"order.{name}")
        if len(order) == 2:
            table.order_by(order[0], descending=order[1] == "desc")


def tables(cockpit: Cockpit) -> Iterator[tuple[str, Grid]]:
    """Yield every table of every panel, with the name that choices for it are kept under."""
    for panel in cockpit.query(Panel):
        for table in panel.query(Grid):
            if isinstance(table, Grid):  # Textual asks by the name of the class, which one of its containers has too
                yield panel.table_name(table), table


def next_of(names: Iterable[str], now: str) -> str:
    """Return the name after this one, the first after the last or after one that is not among them."""
    found = list(names)
    return found[(found.index(now) + 1) % len(found)] if now in found else found[0]
