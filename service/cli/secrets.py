"""Keep secrets in the vault, see which there are, make new ones."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.asking import confirmed
from service.cli.codes import epilog
from service.cli.output import note, print_json, print_line, show, table
from service.cli.parts import ConfigFile, Json, Socket, connect, sources_of, usage

if TYPE_CHECKING:
    from service.config import Config
    from service.config.sources import Sources

__all__ = ["WhichSecret", "listing", "register", "remove_secret", "rotate_key", "rotate_secret", "set_secret"]


class WhichSecret(StrEnum):
    """What is made anew."""

    WEBHOOK = "webhook"
    HMAC = "hmac"


_secrets = typer.Typer(
    no_args_is_help=True, help="Keep credentials of venues in the vault; make new secrets of alerts.", epilog=epilog()
)

_Holder = Annotated[
    str,
    typer.Argument(metavar="ACCOUNT", help="An account; or exchange.VENUE for all accounts there, telegram, webhook."),
]
_Field = Annotated[
    str,
    typer.Argument(
        help="api_key, api_secret, passphrase, signature_key or encryption_key; token of telegram; token, secret or "
        "hmac_key of webhook."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _secrets.callback()(lambda: None)
    commands: tuple[tuple[str, Callable[..., Any]], ...] = (
        ("list", listing),
        ("set", set_secret),
        ("remove", remove_secret),
        ("rotate", rotate_secret),
        ("rotate-key", rotate_key),
    )
    for name, command in commands:
        _secrets.command(name, epilog=epilog())(command)
    app.add_typer(_secrets, name="secrets")


def listing(config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """List which secrets there are and where they come from; masks only, no command shows a stored secret again."""
    from service.credentials import listed

    found = _done(config, socket, lambda client: client.get("/v1/secrets"), listed)
    if as_json:
        print_json(found)
        return
    rows = ((each["holder"], each["field"], each["masked"], _source(each)) for each in found["secrets"])
    show(table(("of", "secret", "value", "from"), rows))
    print_line(
        f"vault {found['path']}: "
        + (f"key in the {found['key_from']}, bound to {found['binding']}" if found["exists"] else "none yet")
    )
    if found["trouble"]:
        note(found["trouble"])


def _source(row: dict[str, Any]) -> str:
    if row["source"] == "environment":
        return str(row["variable"])
    words = {"shut": "vault, which does not open", "": "nowhere"}
    return words.get(row["source"], str(row["source"])) + ("" if row["used"] else ", of no account")


def set_secret(
    account: _Holder,
    field: _Field,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read the value from standard input instead of asking for it.")
    ] = False,
    new_vault: Annotated[
        bool, typer.Option("--new-vault", help="Set a vault aside that does not open, and begin a new one.")
    ] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Keep a secret, encrypted: it is asked for without being shown, and never stands in an argument.

    A daemon that runs goes on under it at once: the account's session logs in anew. The environment beats the vault.
    """
    from runtime.clock import WallClock
    from service.credentials import put

    value = _asked(f"{field} of {account}", stdin=stdin)
    body = {"holder": account, "field": field, "value": value, "new_vault": new_vault}

    def here(loaded: Config, sources: Sources) -> Any:
        return put(loaded, sources, account, field, value, now=WallClock().now(), afresh=new_vault)

    _say(_done(config, socket, lambda client: client.post("/v1/secrets/set", body), here), "is kept", as_json=as_json)


def remove_secret(
    account: _Holder,
    field: _Field,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Take a secret out of the vault; an account without its credentials logs out and stays disabled."""
    from service.credentials import take_away

    if not yes:
        confirmed(f"take {field} of {account} out of the vault?")
    body = {"holder": account, "field": field}
    found = _done(
        config,
        socket,
        lambda client: client.post("/v1/secrets/remove", body),
        lambda loaded, sources: take_away(loaded, sources, account, field),
    )
    _say(found, "is kept no longer", as_json=as_json)


def rotate_secret(
    which: Annotated[
        WhichSecret, typer.Argument(help="webhook: the secret in the body. hmac: the key of the signature.")
    ],
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Make a new secret of alerts and print it, this once; the former one goes on counting for a while.

    Put the new one into your alerts within security.secret_rotation_grace_hours; then the former one is erased. Works with
    and without a running daemon.
    """
    from service.cli.views import instant

    wanted = {"which": which.value}
    said = _done(
        config,
        socket,
        lambda client: client.post("/v1/secrets/rotate", wanted),
        lambda loaded, _: _rotated_here(loaded, which),
    )
    if as_json:
        print_json(said)
        return
    print_line(said["secret"])
    note(f"it is shown this once; the former one counts until {instant(said['former_until'])}")


def _rotated_here(loaded: Config, which: WhichSecret) -> dict[str, object]:
    """Rotate without a daemon: the next start reads both."""
    from runtime.clock import WallClock
    from service.config import open_webhook_secrets
    from service.config.secret_files import ROTATED, rotate
    from service.config.vault import vault_of

    former = rotate(loaded, which.value, now=WallClock().now())
    made = getattr(open_webhook_secrets(loaded), ROTATED[which.value].field).reveal()
    file = str(vault_of(loaded).path)
    return {"which": which.value, "file": file, "former_until": former.until, "secret": made}


def rotate_key(config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Encrypt the vault under another master key and erase the former one; safe to break off and to call again.

    A key of the environment is changed there: the new one in BULKHEAD_MASTER_KEY, the former in BULKHEAD_MASTER_KEY_FORMER,
    then this command.
    """
    from service.credentials import rotate_key as rotated

    found = _done(
        config, socket, lambda client: client.post("/v1/secrets/rotate-key"), lambda loaded, _: rotated(loaded)
    )
    if as_json:
        print_json(found)
        return
    note(f"the vault is under a new key, in the {found['key_from']}, bound to {found['binding']}")


def _done(
    config: Path | None, socket: Path | None, ask: Callable[[Any], Any], here: Callable[[Config, Sources], Any]
) -> Any:
    """Return the daemon's answer, or what the same comes to here when no daemon of this machine runs."""
    from service.api.client import DaemonNotRunning

    client = connect(config, socket)
    try:
        return ask(client)
    except DaemonNotRunning:
        if client.url:
            raise
    from service.api.answers import plain

    sources = sources_of(config)
    # Credentials may be what a configuration lacks to be right: that is no reason not to take them.
    found = here(sources.guess(), sources)
    return found if isinstance(found, dict) else plain(found)


def _asked(what: str, *, stdin: bool) -> str:
    """Return a value that was typed without being shown, or the whole of standard input."""
    if stdin:
        return sys.stdin.read()
    if not sys.stdin.isatty():
        raise usage("there is no terminal to type a secret at", "add --stdin and send it in")
    return str(typer.prompt(what, hide_input=True))


def _say(found: Any, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    words = {
        "now": f"; the session of {', '.join(found['restarted'])} begins anew" if found["restarted"] else "",
        "restart": "; it counts from the next start of bulkhead",
        "environment": "; the environment sets it too, and counts",
    }
    note(f"{found['field']} of {found['holder']} {what}{words[found['counts']]}")
