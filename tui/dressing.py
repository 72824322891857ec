"""How the screen looks for one operator: what was chosen here, else what the daemon's ``[ui]`` section says (EX-1604)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tui.grid.layout import GAPS
from tui.panels import Panel
from tui.themes import THEMES

if TYPE_CHECKING:
    from tui.app import Cockpit

__all__ = ["dress", "next_of"]


def dress(cockpit: Cockpit) -> None:
    """Put theme, density, columns and order of each panel on; called again when the daemon's settings are known."""
    chosen, setting = cockpit.preferences, cockpit.state.setting
    theme = cockpit.options.theme or chosen.get("theme", "") or str(setting("ui.theme") or "dark")
    cockpit.theme = THEMES[theme if theme in THEMES else "dark"].theme.name
    density = chosen.get("density", "") or str(setting("ui.density") or "normal")
    columns = setting("ui.column_visibility")
    shared = columns if isinstance(columns, Mapping) else {}
    for panel in cockpit.query(Panel):
        if panel.grid is None:
            continue
        names = chosen.names(f"columns.{panel.ident}") or [str(each) for each in shared.get(panel.ident, ())]
        panel.grid.set_columns(names, density if density in GAPS else "normal")
        order = chosen.names(f"order.{panel.ident}")
        if len(order) == 2:
            panel.grid.order_by(order[0], descending=order[1] == "desc")


def next_of(names: Iterable[str], now: str) -> str:
    """Return the name after this one, the first after the last or after one that is not among them."""
    found = list(names)
    return found[(found.index(now) + 1) % len(found)] if now in found else found[0]
