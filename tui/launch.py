"""Where the command line enters the room: it is known there by name and not by import, as it stands above it."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import Final

from tui.app import Cockpit
from tui.demo import DemoLink
from tui.last_words import LastWords
from tui.link import DaemonLink
from tui.options import Options
from tui.owned import OwnedCockpit
from tui.panels import PANELS
from tui.preferences import default_file
from tui.themes import THEMES

__all__ = ["Cockpit", "DaemonLink", "DemoLink", "Options", "default_file", "panel_names", "run", "theme_names"]

_SIZE: Final = ("COLUMNS", "LINES")
"""Where a shell, a container or a program that started us left the size it saw: Textual would believe it for good, and the
screen would never follow its terminal. A browser's size does come this way.
"""


_SELDOM: Final = (20_000, 20, 50)
"""When the process looks for circles of objects: what is drawn has none, and looking took a tenth of all its time."""


def run(options: Options, alive: Callable[[], bool] | None = None) -> int:
    """Show the cockpit until it is left; return its exit code.

    ``alive`` is given by who started the daemon for this screen: leaving asks first, and a daemon that died ends it.
    """
    if not options.served:
        for name in _SIZE:
            os.environ.pop(name, None)
    cockpit = _Alone(options) if alive is None else _Owned(options, alive)
    cockpit.hide = options.hide
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    cockpit.run()
    return int(cockpit.return_code or 0)


class _Alone(LastWords, Cockpit):
    """The cockpit of a terminal or a browser."""


class _Owned(LastWords, OwnedCockpit):
    """The cockpit of the terminal that its daemon was started for."""


def panel_names() -> list[str]:
    """Return the names of the panels."""
    return [panel.ident for panel in PANELS]


def theme_names() -> list[str]:
    """Return the names of the themes."""
    return list(THEMES)
