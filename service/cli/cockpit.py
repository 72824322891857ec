"""The cockpit: the operator's screen. It stands in a room above this one, so it is known by name and never imported."""

from __future__ import annotations

import importlib
import os
import uuid
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from service.cli.codes import epilog
from service.cli.parts import ConfigFile, Socket, connect, load_config, remote, usage
from service.cli.terminal import no_screen, no_terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from service.api.client import Client

__all__ = ["cockpit", "demo_link", "open_beside", "prepare", "register"]

_ROOM: Final = "tui.launch"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog())(cockpit)


def cockpit(
    url: Annotated[
        str, typer.Option("--url", help="A daemon elsewhere, as before the command: https://HOST:PORT.")
    ] = "",
    token: Annotated[str, typer.Option("--token", help="Who you are there; better in BULKHEAD_TOKEN.")] = "",
    demo: Annotated[
        bool, typer.Option("--demo", help="A made-up house: no daemon, no money, nothing is kept.")
    ] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Look only: every command is off.")] = False,
    theme: Annotated[
        str, typer.Option("--theme", help="dark, light, dark-blue-orange, light-blue-orange; else as you left it.")
    ] = "",
    panel: Annotated[str, typer.Option("--panel", help="The panel to begin with: dashboard, positions, ...")] = "",
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve it to browsers instead: whoever logs in there gets one.")
    ] = False,
    host: Annotated[str, typer.Option("--host", help="Address for browsers; others than this need TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port for browsers; 0 takes any free one.")] = 8789,
    config: ConfigFile = None,
    socket: Socket = None,
) -> None:
    """Open the operator's screen: positions, risk, queue, alerts, every command. It survives restarts of the daemon.

    Keys: 1-9 panels, / search, : commands, ? help, Enter details, Esc back, Ctrl+Q leaves (the daemon goes on).
    """
    if token and not url:
        raise usage("--token goes with --url", "the daemon's own socket needs no token", path="--token")
    if url:
        remote(url, token)
    room = importlib.import_module(_ROOM)
    for option, given, known in (("--theme", theme, room.theme_names()), ("--panel", panel, room.panel_names())):
        if given and given not in known:
            raise usage(f"{given} is none of {', '.join(known)}", f"name one with {option}", path=option, value=given)
    clock = _clock()
    preferences = None if demo else room.default_file(os.environ)
    if serve:
        looks = {"read_only": read_only, "theme": theme, "panel": panel, "preferences": preferences, "demo": demo}
        _serve(connect(config, socket), config, host, port, looks)
        return
    if trouble := no_screen():
        raise no_terminal(trouble)
    link = demo_link(room, clock) if demo else _link(room, connect(config, socket))
    given_options = {"read_only": read_only, "theme": theme, "panel": panel}
    code = room.run(_options(room, link=link, clock=clock, preferences=preferences, **given_options))
    if code:
        raise typer.Exit(code)


def prepare() -> None:
    """Import what the screen needs: while a daemon starts there is time for it."""
    importlib.import_module(_ROOM)


def open_beside(client: Client, alive: Callable[[], bool]) -> None:
    """Show the screen of a daemon that this process started: until it is left, or the daemon is not ``alive`` any more."""
    room = importlib.import_module(_ROOM)
    preferences = room.default_file(os.environ)
    room.run(_options(room, link=_link(room, client), clock=_clock(), preferences=preferences), alive)


def _serve(client: Client, config: Path | None, host: str, port: int, looks: dict[str, Any]) -> None:
    import asyncio

    from service.browser.screens import Seat
    from service.browser.serving import Address, serve

    # The seat has no token: each browser brings its own.
    seat = Seat(socket=None if client.url else client.socket_path, url=client.url, **looks)
    asyncio.run(serve(seat, Address(host, port), load_config(config), _clock(), _say))


def _say(url: str) -> None:
    typer.echo(f"the cockpit is served at {url}  (Ctrl+C ends it, the daemon goes on)")


def demo_link(room: ModuleType, clock: Callable[[], int]) -> Any:
    """Return the made-up house, with the settings that there really are."""
    from service.config import Config
    from service.config.described import described

    return room.DemoLink(clock, described(Config(), {}))


def _clock() -> Callable[[], int]:
    from runtime.clock import WallClock

    return WallClock().now


def _link(room: ModuleType, client: Client) -> Any:
    if client.url:
        return room.DaemonLink(url=client.url, token=client.token)
    return room.DaemonLink(socket=client.socket_path)


def _options(room: ModuleType, **given: Any) -> Any:
    from rules.signals.redaction import redact_text
    from service.advice import advice_of

    return room.Options(advice=advice_of, hide=redact_text, request_id=_new_id, **given)


def _new_id() -> str:
    return uuid.uuid4().hex  # house: each request of an operator is a new one
