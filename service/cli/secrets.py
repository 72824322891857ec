"""Make new secrets of alerts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from service.cli.codes import epilog
from service.cli.output import note, print_json
from service.cli.parts import ConfigFile, Json, Socket, connect, load_config

__all__ = ["WhichSecret", "register", "rotate_secret"]


class WhichSecret(StrEnum):
    """What is made anew."""

    WEBHOOK = "webhook"
    HMAC = "hmac"


_secrets = typer.Typer(no_args_is_help=True, help="Make new secrets of alerts.", epilog=epilog())


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _secrets.callback()(lambda: None)
    _secrets.command("rotate", epilog=epilog())(rotate_secret)
    app.add_typer(_secrets, name="secrets")


def rotate_secret(
    which: Annotated[
        WhichSecret, typer.Argument(help="webhook: the secret in the body. hmac: the key of the signature.")
    ],
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Make a new secret; the former one counts for security.secret_rotation_grace_hours and is then erased.

    Put the new one into your alerts within that time. Works with and without a running daemon.
    """
    from service.api.client import DaemonNotRunning
    from service.cli.views import instant

    try:
        said = connect(config, socket).post("/v1/secrets/rotate", {"which": which.value})
    except DaemonNotRunning:
        said = _in_files(config, which)
    if as_json:
        print_json(said)
        return
    note(f"the new secret is in {said['file']}; the former one counts until {instant(said['former_until'])}")


def _in_files(config: ConfigFile, which: WhichSecret) -> dict[str, object]:
    """Rotate without a daemon: the next start reads both."""
    from runtime.clock import WallClock
    from service.config.secret_files import ROTATED, rotate

    loaded = load_config(config)
    former = rotate(loaded, which.value, now=WallClock().now())
    file = loaded.app.data_dir / "secrets" / ROTATED[which.value][0]
    return {"which": which.value, "file": str(file), "former_until": former.until}
