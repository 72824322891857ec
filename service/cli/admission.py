"""The way of a command about people and tokens: to the daemon, and while none runs to where they are kept."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from service.cli.parts import connect, load_config, usage

if TYPE_CHECKING:
    from service.access.store import AccessStore

__all__ = ["asked_password", "done"]


def done(
    config: Path | None,
    socket: Path | None,
    ask: Callable[[Any], Any],
    in_file: Callable[[AccessStore, int, str], Any],
) -> Any:
    """Return the daemon's answer, or what the same comes to where they are kept when no daemon of this machine runs."""
    from service.api.client import DaemonNotRunning

    client = connect(config, socket)
    try:
        return ask(client)
    except DaemonNotRunning:
        if client.url:
            raise
    from runtime.clock import WallClock
    from service.api.answers import plain
    from service.people import open_people

    store = open_people(load_config(config))
    try:
        return plain(in_file(store, WallClock().now(), getpass.getuser()))
    finally:
        store.close()


def asked_password(*, stdin: bool) -> str:
    """Return a password that was typed twice without being shown, or the first line of standard input."""
    if stdin:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise usage("there is no terminal to type a password at", "add --password-stdin and send it in")
    return str(typer.prompt("password", hide_input=True, confirmation_prompt=True))
