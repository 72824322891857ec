"""Commands that a room above the command line brings: known by name, never imported from here.

They are loaded when they are called or listed, so that no other command starts later because of them. One that cannot be
loaded says so when it is called, and harms no other.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import typer
from typer.main import get_group

from service.cli.codes import ExitCode
from service.cli.examples import dress
from service.cli.failures import CommandFailed, Failure

__all__ = ["GROUP", "join"]

GROUP: Final = "bulkhead.commands"
"""Entry points of this group are functions that add their commands to an application, as each family here has one."""


def join(commands: MutableMapping[str, Any]) -> None:
    """Add the commands that are brought and not there yet."""
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        if point.name not in commands:
            commands.update(_brought(point))


def _brought(point: EntryPoint) -> dict[str, Any]:
    app = typer.Typer()
    try:
        point.load()(app)
    except Exception as error:  # noqa: BLE001 - whatever keeps a plugin from loading is its own, not the command line's
        app = _excused(point, error)
    dress(app)
    return dict(get_group(app).commands)


def _excused(point: EntryPoint, error: Exception) -> typer.Typer:
    """Return a command of that name which says why it is not there."""
    app = typer.Typer()
    why = f"`bulkhead {point.name}` could not be loaded from {point.value}: {error!r}"

    def excuse() -> None:
        raise CommandFailed(Failure(ExitCode.FAILED, "CommandNotLoaded", why, "install bulkhead anew: make up"))

    settings = {"ignore_unknown_options": True, "allow_extra_args": True}
    app.command(point.name, help=f"Could not be loaded: {error!r}.", context_settings=settings)(excuse)
    return app
