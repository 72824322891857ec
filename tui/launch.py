"""Where the command line enters the room: it is known there by name and not by import, as it stands above it."""

from __future__ import annotations

from tui.app import Cockpit
from tui.demo import DemoLink
from tui.link import DaemonLink
from tui.options import Options
from tui.panels import PANELS
from tui.preferences import default_file
from tui.themes import THEMES

__all__ = ["Cockpit", "DaemonLink", "DemoLink", "Options", "default_file", "panel_names", "run", "theme_names"]


def run(options: Options) -> int:
    """Show the cockpit until it is left; return its exit code."""
    cockpit = Cockpit(options)
    cockpit.run()
    return int(cockpit.return_code or 0)


def panel_names() -> list[str]:
    """Return the names of the panels."""
    return [panel.ident for panel in PANELS]


def theme_names() -> list[str]:
    """Return the names of the themes."""
    return list(THEMES)
