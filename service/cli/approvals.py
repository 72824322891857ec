"""Approvals on the command line: what waits for a word, and saying it; one account stopped and armed again."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.codes import epilog
from service.cli.output import note, print_json, print_line
from service.cli.parts import ConfigFile, Json, Socket, connect

__all__ = ["approvals", "approve", "arm", "halt", "register", "reject"]

_approvals = typer.Typer(
    invoke_without_command=True,
    help="Entries that wait for your word (`approvals.entries`). Without a subcommand: list them.",
    epilog=epilog(),
)
_account = typer.Typer(no_args_is_help=True, help="Stop the entries of one account, and arm it again.", epilog=epilog())
_Id = Annotated[str, typer.Argument(metavar="ID", help="As `bulkhead approvals` shows it.")]
_Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Name of the account.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _approvals.callback(epilog=epilog())(approvals)
    for command in (approve, reject):
        _approvals.command(epilog=epilog())(command)
    app.add_typer(_approvals, name="approvals")
    _account.command("stop", epilog=epilog())(halt)
    _account.command(epilog=epilog())(arm)
    app.add_typer(_account, name="account")


def approvals(context: typer.Context, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """List what waits for a word, oldest first; the same prompts stand on the phone."""
    if context.invoked_subcommand is not None:
        return
    found = connect(config, socket).get("/v1/approvals")
    if as_json:
        print_json(found)
        return
    from service.cli.views import instant

    for each in found["approvals"]:
        print_line(f"{each['prompt_id']}  until {instant(each['until'])}  {each['title']}  ({each['body']})")
    if not found["approvals"]:
        note("nothing waits for a word")


def approve(ident: _Id, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Let a held entry go on to its pool."""
    _answer(ident, "approve", config, socket, as_json=as_json)


def reject(ident: _Id, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Refuse a held entry."""
    _answer(ident, "reject", config, socket, as_json=as_json)


def _answer(ident: str, word: str, config: ConfigFile, socket: Socket, *, as_json: bool) -> None:
    said = connect(config, socket).post(f"/v1/approvals/{ident}/{word}", {})
    print_json(said) if as_json else print_line(said["message"])


def halt(
    account: _Account,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log and on the phone.")] = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Stop the entries of one account until it is armed again: resuming the engine does not do it. Exits go on."""
    said = connect(config, socket).post(f"/v1/accounts/{account}/stop", {"reason": reason})
    print_json(said) if as_json else print_line(
        f"{account} takes no entries; again with: bulkhead account arm {account}"
    )


def arm(account: _Account, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Let a stopped account take entries again."""
    said = connect(config, socket).post(f"/v1/accounts/{account}/arm", {})
    print_json(said) if as_json else print_line(f"{account} is armed")
