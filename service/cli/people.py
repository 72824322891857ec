"""Who may log in over the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import typer

from service.access.roles import Role
from service.cli.admission import asked_password, done
from service.cli.asking import confirmed
from service.cli.codes import epilog
from service.cli.output import note, print_json, show, table
from service.cli.parts import ConfigFile, Json, Socket, usage

__all__ = ["add", "list_", "logout", "password", "register", "remove", "role"]

_users = typer.Typer(no_args_is_help=True, help="People who may log in over the network.", epilog=epilog())

_Name = Annotated[str, typer.Argument(help="Lower-case letters, digits, dots, - and _.")]
_Role = Annotated[Role, typer.Option("--role", help="viewer looks, operator trades and drafts, admin does everything.")]
_Stdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _users.callback()(lambda: None)
    for name, command in _COMMANDS.items():
        _users.command(name, epilog=epilog())(command)
    app.add_typer(_users, name="user")


def add(
    name: _Name,
    role: _Role = Role.VIEWER,
    password_stdin: _Stdin = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Let somebody in; the password is asked for and kept as an Argon2id hash.

    Needed only for who comes over the network (api.enabled): on this machine the socket's owner is asked nothing. Works with
    and without a running daemon.
    """
    from service.access import commands

    secret = asked_password(stdin=password_stdin)
    found = done(
        config,
        socket,
        lambda client: client.post("/v1/people", {"name": name, "role": role.value, "password": secret}),
        lambda store, now, _: commands.add(store, name, role, secret, now),
    )
    print_json(found) if as_json else note(f"{name} may log in as {role.value}")


def list_(config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """List who may log in, as what, and how many sessions each has open."""
    from service.access import commands
    from service.cli.views import instant

    found = done(
        config,
        socket,
        lambda client: client.get("/v1/people"),
        lambda store, now, _: {"people": commands.everybody(store, now)},
    )
    if as_json:
        print_json(found)
        return
    rows = (
        (each["name"], each["role"], str(each["sessions"]), instant(each["created_at"]), instant(each["changed_at"]))
        for each in found["people"]
    )
    show(table(("name", "role", "sessions", "since", "changed"), rows, right=("sessions",)))


def role(
    name: _Name,
    role: Annotated[Role, typer.Argument(help="viewer looks, operator trades and drafts, admin does everything.")],
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Change what somebody may do; it holds from the next request on."""
    from service.access import commands

    found = done(
        config,
        socket,
        lambda client: client.post(f"/v1/people/{client.part(name)}/role", {"role": role.value}),
        lambda store, now, _: commands.role(store, name, role, now),
    )
    print_json(found) if as_json else note(f"{name} is {role.value} now")


def password(
    name: _Name,
    password_stdin: _Stdin = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Give somebody another password; every session that the former one began ends."""
    from service.access import commands

    secret = asked_password(stdin=password_stdin)
    found = done(
        config,
        socket,
        lambda client: client.post(f"/v1/people/{client.part(name)}/password", {"password": secret}),
        lambda store, now, _: commands.password(store, name, secret, now),
    )
    print_json(found) if as_json else note(f"{name} has another password; log in again with it")


def logout(
    name: Annotated[str, typer.Argument(help="Whose sessions end.")] = "",
    everybody: Annotated[bool, typer.Option("--everybody", help="End every session there is.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """End every session of somebody, in browsers and terminals elsewhere, or of everybody: whoever may logs in anew.

    With --everybody access tokens are also signed with another key. Tokens of programs stay: bulkhead token revoke.
    """
    from service.access import commands

    if bool(name) is everybody:
        raise usage("say whose sessions end", "add a name, or --everybody")
    found = done(
        config,
        socket,
        lambda client: client.post("/v1/sessions/end", {"name": name}),
        lambda store, now, _: commands.logout(store, name, now),
    )
    print_json(found) if as_json else note(f"sessions ended: {found['ended']}")


def remove(
    name: _Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Let somebody in no more; their sessions end."""
    from service.access import commands

    if not yes:
        confirmed(f"remove {name}, and end every session of theirs?")
    found = done(
        config,
        socket,
        lambda client: client.post(f"/v1/people/{client.part(name)}/remove"),
        lambda store, _, __: commands.remove(store, name),
    )
    print_json(found) if as_json else note(f"{name} may not log in any more")


_COMMANDS: Final[dict[str, Callable[..., None]]] = {
    "add": add,
    "list": list_,
    "role": role,
    "password": password,
    "logout": logout,
    "remove": remove,
}
