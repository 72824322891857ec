"""Start, stop and look at the daemon."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.codes import epilog
from service.cli.output import note, print_json, print_line, show
from service.cli.parts import ConfigFile, Json, Socket, config_to_start, connect, sources_of
from service.cli.terminal import at_terminal, no_screen, no_terminal

__all__ = ["down", "register", "status", "up", "version"]

_READY_FD = Annotated[int, typer.Option("--ready-fd", hidden=True, help="Say on this file that the daemon is ready.")]
_PARENT = Annotated[bool, typer.Option("--with-parent", hidden=True, help="Stop when standard input ends.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (up, down, status, version):
        app.command(epilog=epilog())(command)


def up(
    config: ConfigFile = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Run in the background.")] = False,
    view: Annotated[
        bool | None, typer.Option("--view/--no-view", help="Open the cockpit (default: in a terminal).")
    ] = None,
    ready_fd: _READY_FD = -1,
    with_parent: _PARENT = False,
    as_json: Json = False,
) -> None:
    """Start the daemon: in a terminal with the cockpit (q ends both), else logging until Ctrl-C."""
    from service.cli import starting

    loaded = config_to_start(config)
    if ready_fd >= 0:
        raise typer.Exit(starting.as_child(loaded, sources_of(config), ready_fd, with_parent=with_parent))
    if detach:
        ready = starting.in_background(loaded, config)
        does = f"standing by while {ready['standing_by']} trades" if "standing_by" in ready else "running"
        print_json(ready) if as_json else print_line(f"{does}, process {ready['pid']}; its log is {ready['log']}")
        if ready["trouble"]:
            note(f"engine status Error: {ready['trouble']}")
        return
    trouble = no_screen()
    if view and trouble:
        raise no_terminal(trouble)
    if view or (view is None and not trouble and not as_json):
        raise typer.Exit(starting.with_view(loaded, config))
    if view is None and at_terminal() and not as_json:
        note(f"{trouble}: it logs here instead")
    raise typer.Exit(starting.in_foreground(loaded, sources_of(config), as_json=as_json))


def down(
    config: ConfigFile = None,
    socket: Socket = None,
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds to wait for its end.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Stop the daemon and wait until nothing of it is left. Open groups stay in the journal and go on at the next start."""
    from service.cli.stopping import stop_and_wait

    pid = stop_and_wait(connect(config, socket), timeout_s)
    print_json({"stopped": True, "pid": pid}) if as_json else print_line(f"stopped (process {pid})")


def status(config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Say whether it runs, on which market, whether entries are allowed, and how it stands."""
    found = connect(config, socket).get("/v1/status")
    if as_json:
        print_json(found)
        return
    from service.cli.views import status_view

    show(status_view(found))


def version(as_json: Json = False) -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    found = installed("bulkhead")
    print_json({"version": found}) if as_json else print_line(f"bulkhead {found}")
