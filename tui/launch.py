"""Where the command line enters the room: it is known there by name and not by import, as it stands above it."""

from __future__ import annotations

from collections.abc import Callable

from tui.app import Cockpit
from tui.demo import DemoLink
from tui.link import DaemonLink
from tui.options import Options
from tui.owned import OwnedCockpit
from tui.panels import PANELS
from tui.preferences import default_file
from tui.themes import THEMES

__all__ = ["Cockpit", "DaemonLink", "DemoLink", "Options", "default_file", "panel_names", "run", "theme_names"]


def run(options: Options, alive: Callable[[], bool] | None = None) -> int:
    """Show the cockpit until it is left; return its exit code.

    ``alive`` is given by who started the daemon for this screen: leaving asks first, and a daemon that died ends it.
    """
    cockpit = Cockpit(options) if alive is None else OwnedCockpit(options, alive)
    cockpit.run()
    return int(cockpit.return_code or 0)


def panel_names() -> list[str]:
    """Return the names of the panels."""
    return [panel.ident for panel in PANELS]


def theme_names() -> list[str]:
    """Return the names of the themes."""
    return list(THEMES)
