"""What several commands share: their options, and the way from them to the configuration and the daemon."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from service.cli.codes import ExitCode
from service.cli.configured import CONFIG_VARIABLE, config_file, config_to_start, load_config, sources_of
from service.cli.failures import CommandFailed, Failure

if TYPE_CHECKING:
    from service.api.client import Client

__all__ = [
    "ConfigFile",
    "JournalFile",
    "Json",
    "Socket",
    "config_file",
    "config_to_start",
    "connect",
    "json_wanted",
    "load_config",
    "remote",
    "sources_of",
    "usage",
]


def _remember(context: typer.Context, value: bool) -> bool:
    context.find_root().ensure_object(dict)["json"] = value
    return value


def json_wanted(context: typer.Context) -> bool:
    """Return whether the command was called with ``--json``."""
    return bool(context.find_root().ensure_object(dict).get("json"))


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration to use; without it config.toml of this folder when there is one, else the defaults.",
        envvar=CONFIG_VARIABLE,
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.", callback=_remember)]
Socket = Annotated[
    Path | None,
    typer.Option("--socket", metavar="FILE", help="The daemon's socket; without it the one of the configuration."),
]
JournalFile = Annotated[
    Path | None,
    typer.Option("--journal", metavar="FILE", help="Read this journal file instead of asking the daemon."),
]


def connect(config: Path | None, socket: Path | None, *, timeout_s: float = 10.0) -> Client:
    """Return a client of the daemon; whether it answers shows with the first request.

    ``--socket`` goes before ``--url``, and that before the socket of the configuration.
    """
    from service.api.client import Client

    if _remote["url"] and socket is None:
        return Client(Path(), timeout_s=timeout_s, **_remote)
    return Client(socket if socket is not None else _socket_of(config), timeout_s=timeout_s)


_remote: Final = {"url": "", "token": ""}


def remote(url: str = "", token: str = "") -> None:
    """Have every daemon that is asked from now on be one elsewhere; both empty: this machine's."""
    _remote.update(url=url, token=token)


def _socket_of(given: Path | None) -> Path:
    """Return where the daemon's socket is, also while the configuration is just being edited and holds mistakes."""
    from service.config import ConfigError
    from service.config.sources import Sources

    try:
        return load_config(given).socket_path
    except ConfigError:
        sources = Sources.of(config_file(given), os.environ)
        if sources.stamp() is None:
            raise
        return sources.guess().socket_path


def usage(message: str, advice: str = "", *, code: str = "Usage", path: str = "", value: str = "") -> CommandFailed:
    """Return the error of a command that was called wrongly."""
    return CommandFailed(Failure(ExitCode.USAGE, code, message, advice, path, value))
