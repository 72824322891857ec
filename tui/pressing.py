"""What a key does that no widget has taken: it opens a panel, or runs what the panel in front has on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.commands import named

if TYPE_CHECKING:
    from tui.app import Cockpit
    from tui.panels import PanelKey

__all__ = ["press"]


def press(cockpit: Cockpit, key: str) -> bool:
    """Do what is on a key; return whether anything is. Nothing is while something stands over the screen."""
    if len(cockpit.screen_stack) > 1:
        return False
    opened = next((panel for panel in cockpit.panels if key == panel.key), None)
    if opened is not None:
        cockpit.open_panel(opened.ident)
        return True
    found = next((each for each in cockpit.panel().keys if key == each.key), None)
    return found is not None and _run(cockpit, found)


def _run(cockpit: Cockpit, key: PanelKey) -> bool:
    command = named(key.command)
    if command is None:
        return False
    target = cockpit.panel().target() if key.target else key.fixed
    if key.target and not target:
        cockpit.say(f"select a row first, then {key.label}", "warn")
    else:
        cockpit.run_command(command, tuple(filter(None, target.split("\t"))))
    return True
