"""Send any typed message to any actor."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from service.cli.codes import epilog
from service.cli.output import print_json, print_line, show
from service.cli.parts import ConfigFile, Json, Socket, connect, usage

__all__ = ["SendCommand", "register", "send"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=SendCommand, epilog=epilog())(send)


class SendCommand(TyperCommand):
    """A command whose help ends with the message types that can be sent."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, then every message type with its fields."""
        from service.cli.catalogue import catalogue, catalogue_view

        super().format_help(ctx, formatter)
        print_line("Message types; [fields] have a default; `bulkhead send --list TYPE` explains one:")
        show(catalogue_view(catalogue().values()))


def send(
    path: Annotated[str, typer.Argument(metavar="[PATH]", help="Path of the actor.")] = "",
    message: Annotated[
        str, typer.Argument(metavar="[MESSAGE-JSON]", help='{"type": "NAME", ...}; - reads standard input.')
    ] = "",
    listing: Annotated[
        bool, typer.Option("--list", help="List message types; with a NAME in place of PATH: its fields.")
    ] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Send a message to an actor; a request is answered with what the actor says."""
    if listing:
        _list(path, as_json=as_json)
        return
    if not path or not message:
        raise usage(
            "send needs PATH and MESSAGE-JSON", "bulkhead send --list shows what can be sent", code="MissingValue"
        )
    text = sys.stdin.read() if message == "-" else message
    said = connect(config, socket, timeout_s=30.0).post("/v1/send", _request(path, text))
    if as_json or said["answer"] is not None:
        print_json(said if as_json else said["answer"])
    else:
        print_line(f"{said['sent']} was told to {said['to']}")


def _request(path: str, message: str) -> str:
    """Return the request with the message exactly as it was written: no number goes through a float."""
    import json

    try:
        json.loads(message)
    except ValueError as error:
        advice = """quote it: bulkhead send /risk/coordinator '{"type": "PauseEngine"}'"""
        raise usage(f"the message is not JSON: {error}", advice, code="MalformedJson", value=message[:80]) from error
    return f'{{"path": {json.dumps(path)}, "message": {message}}}'


def _list(name: str, *, as_json: bool) -> None:
    from service.cli.catalogue import catalogue, catalogue_view, near_names, type_view

    types = catalogue()
    if not name:
        print_json([each.as_dict() for each in types.values()]) if as_json else show(catalogue_view(types.values()))
        return
    if name not in types:
        advice = near_names(name, types) or "bulkhead send --list shows all types"
        raise usage(f"there is no message type {name}", advice, code="UnknownType", value=name)
    print_json(types[name].as_dict()) if as_json else show(type_view(types[name]))
