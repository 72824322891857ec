"""Everything an operator can do, one table; the command line, the palette and the keys of panels all use it.

What lives here: for each area a module with a tuple of ``Command``. What must not: widgets; a command knows its ``Seat``.
"""

from tui.commands import (
    actors,
    engine,
    groups,
    injecting,
    log_files,
    logs,
    notices,
    queue,
    replays,
    results,
    risk,
    settings,
    settings_files,
    system,
    traces,
    view,
)
from tui.seat import Command

__all__ = [
    "COMMANDS",
    "Command",
    "actors",
    "engine",
    "groups",
    "injecting",
    "log_files",
    "logs",
    "named",
    "notices",
    "queue",
    "replays",
    "results",
    "risk",
    "settings",
    "settings_files",
    "system",
    "traces",
    "view",
]

COMMANDS: tuple[Command, ...] = (
    *engine.COMMANDS,
    *groups.COMMANDS,
    *risk.COMMANDS,
    *queue.COMMANDS,
    *logs.COMMANDS,
    *log_files.COMMANDS,
    *replays.COMMANDS,
    *results.COMMANDS,
    *settings.COMMANDS,
    *settings_files.COMMANDS,
    *actors.COMMANDS,
    *system.COMMANDS,
    *notices.COMMANDS,
    *traces.COMMANDS,
    *injecting.COMMANDS,
    *view.COMMANDS,
)
"""Every command, area by area; an area that is added is named here."""

_BY_NAME = {command.name: command for command in COMMANDS}


def named(name: str) -> Command | None:
    """Return a command by its name."""
    return _BY_NAME.get(name)
