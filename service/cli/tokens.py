"""Tokens of programs that come over the network."""

from __future__ import annotations

from typing import Annotated

import typer

from service.access.roles import Scope
from service.cli.admission import done
from service.cli.codes import epilog
from service.cli.output import note, print_json, print_line, show, table
from service.cli.parts import ConfigFile, Json, Socket

__all__ = ["create", "list_", "register", "revoke"]

_tokens = typer.Typer(no_args_is_help=True, help="Tokens of programs that come over the network.", epilog=epilog())

_Name = Annotated[str, typer.Argument(help="What it is for: lower-case letters, digits, dots, - and _.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _tokens.callback()(lambda: None)
    for name, command in (("create", create), ("list", list_), ("revoke", revoke)):
        _tokens.command(name, epilog=epilog())(command)
    app.add_typer(_tokens, name="token")


def create(
    name: _Name,
    scope: Annotated[
        Scope,
        typer.Option("--scope", help="metrics: for Prometheus alone. read looks, trade acts, admin does everything."),
    ] = Scope.READ,
    days: Annotated[int, typer.Option("--days", min=0, max=3650, help="Days it counts; 0: until it is revoked.")] = 0,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Make a token and print it, this once: only its hash is kept.

    A program sends it as `Authorization: Bearer TOKEN`; `bulkhead` takes it from BULKHEAD_TOKEN, with BULKHEAD_URL.
    """
    from service.access import commands

    found = done(
        config,
        socket,
        lambda client: client.post("/v1/tokens", {"name": name, "scope": scope.value, "days": days}),
        lambda store, now, by: commands.create(store, name, scope, by, days, now),
    )
    if as_json:
        print_json(found)
        return
    print_line(found["token"])
    note(f"the token {name} is shown this once; its scope is {scope.value}")


def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also those that were revoked.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """List tokens: names and scopes, never the tokens themselves."""
    from service.access import commands
    from service.cli.views import instant

    found = done(
        config,
        socket,
        lambda client: client.get("/v1/tokens", all="1" if everything else ""),
        lambda store, _, __: {"tokens": commands.tokens(store, everything=everything)},
    )
    if as_json:
        print_json(found)
        return
    columns = ("name", "id", "scope", "made", "by", "until", "revoked")
    rows = (
        (
            each["name"],
            each["id"],
            each["scope"],
            instant(each["created_at"]),
            each["created_by"],
            instant(each["until"]) if each["until"] else "for ever",
            instant(each["revoked_at"]) if each["revoked_at"] else "",
        )
        for each in found["tokens"]
    )
    show(table(columns, rows))


def revoke(
    name: Annotated[str, typer.Argument(help="Its name, or its id.")],
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """End a token: it is refused from the next request on."""
    from service.access import commands

    found = done(
        config,
        socket,
        lambda client: client.post(f"/v1/tokens/{client.part(name)}/revoke"),
        lambda store, now, _: commands.revoke(store, name, now),
    )
    print_json(found) if as_json else note(f"the token {found['name']} counts no more")
