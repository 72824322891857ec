"""Operate actors: dead letters, release, restart; stop and allow entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from service.cli.codes import epilog
from service.cli.output import print_json, print_line, show, table
from service.cli.parts import ConfigFile, Json, Socket, connect

__all__ = ["dead_letters", "pause", "quarantine", "register", "release", "replay_letter", "restart", "resume"]

_Path = Annotated[str, typer.Argument(metavar="PATH", help="Path of an actor, as `bulkhead ps` shows it.")]
_letters = typer.Typer(help="Messages that nobody handled, or that crashed their actor.", epilog=epilog())


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _letters.callback(invoke_without_command=True, epilog=epilog())(dead_letters)
    _letters.command("replay", epilog=epilog())(replay_letter)
    app.add_typer(_letters, name="dead-letters")
    for command in (release, restart, quarantine, pause, resume):
        app.command(epilog=epilog())(command)


def dead_letters(
    context: typer.Context, config: ConfigFile = None, socket: Socket = None, as_json: Json = False
) -> None:
    """List dead letters, oldest first; `replay ID` hands one over again."""
    if context.invoked_subcommand is not None:
        return
    found = connect(config, socket).get("/v1/dead-letters")
    if as_json:
        print_json(found)
        return
    letters = found["dead_letters"]
    if not letters:
        print_line("no dead letters")
        return
    show(table(("id", "when", "to", "message", "why"), (_letter_row(each) for each in letters)))


def _letter_row(item: dict[str, Any]) -> tuple[str, ...]:
    from service.cli.views import instant

    letter = item["event"]
    why = letter["reason"] + (f": {letter['error']}" if letter["error"] else "")
    return letter["id"], instant(item["at"]), letter["path"], letter["message"], why


def replay_letter(
    ident: Annotated[str, typer.Argument(metavar="ID", help="Id of a dead letter.")],
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Hand a dead letter to its actor again."""
    client = connect(config, socket)
    said = client.post(f"/v1/dead-letters/{client.part(ident)}/replay")
    print_json(said) if as_json else print_line(f"dead letter {ident} was handed to {said['to']} again")


def release(path: _Path, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Let a quarantined actor go on, with a fresh restart budget."""
    _stand("/v1/release", path, connect(config, socket, timeout_s=75.0), as_json=as_json)


def restart(path: _Path, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Stop an actor in order and start it again, with whoever its supervisor's strategy takes along."""
    _stand("/v1/restart", path, connect(config, socket, timeout_s=75.0), as_json=as_json)


def quarantine(path: _Path, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Stop an actor in order and keep it down, mail and all, until `release`; who depends on it goes down with it."""
    _stand("/v1/quarantine", path, connect(config, socket, timeout_s=75.0), as_json=as_json)


def _stand(address: str, path: str, client: Any, *, as_json: bool) -> None:
    said = client.post(address, {"path": path})
    print_json(said) if as_json else print_line(
        f"{said['path']} is {said['state']}, restarted {said['restarts']} times"
    )


_Account = Annotated[str, typer.Option("--account", help="Only this account; unset: the whole engine.")]


def pause(
    reason: Annotated[str, typer.Option("--reason", help="Shown wherever the engine's status is.")] = "",
    account: _Account = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Stop new entries; exits, take profits and cancels go on. Survives a restart.

    The engine and each account are paused, and resumed, by themselves.
    """
    said = connect(config, socket).post("/v1/pause", {"reason": reason, "account": account})
    whose, which = (f"entries of {account}", f" --account {account}") if account else ("entries", "")
    print_json(said) if as_json else print_line(f"{whose} are stopped; go on with: bulkhead resume{which}")


def resume(account: _Account = "", config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Allow entries again; an account that was paused by itself, or stopped, stays so."""
    said = connect(config, socket).post("/v1/resume", {"account": account})
    print_json(said) if as_json else print_line(_resumed(said))


def _resumed(said: Mapping[str, Any]) -> str:
    of = f" of {said['account']}" if said["account"] else ""
    if said["status"] == "running":
        return f"entries{of} are allowed"
    if of:
        return f"entries{of} still wait: {said['reason']}"
    return f"the engine is in {said['status']}, entries wait: {said['reason']}"
