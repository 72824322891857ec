"""Put the commands together."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from service.cli import (
    approvals,
    cockpit,
    control,
    daemon,
    files,
    group,
    incidents,
    log,
    messages,
    nodes,
    notifications,
    people,
    performance,
    pnl,
    practice,
    queue,
    reasons,
    risk,
    secrets,
    taking_away,
    tokens,
    trade,
    venues,
    watch,
)
from service.cli.codes import epilog
from service.cli.examples import ORDER, dress
from service.cli.failures import report
from service.cli.parts import json_wanted, remote
from service.cli.plugins import join

__all__ = ["Commands", "app"]


class Commands(TyperGroup):
    """The outermost edge: whatever a command raises becomes a line for the operator and an exit code."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands in the order they are met: start, trade, watch, steer, configure, operate, work on files."""
        join(self.commands)
        known = super().list_commands(ctx)
        return sorted(known, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find a command; what other rooms bring is looked for only when no command of this room has the name."""
        if cmd_name not in self.commands:
            join(self.commands)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get("BULKHEAD_TRACEBACK"):
                raise
            raise typer.Exit(report(error, as_json=json_wanted(ctx))) from error


app = typer.Typer(
    name="bulkhead",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=epilog(),
    help="A trading system in supervised compartments: start it, watch it, signal it, ask it why.\n\n"
    "New here: `bulkhead up` in one terminal, then in another `bulkhead signal entry BTC/USDT --side long --size 500`.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        daemon.version()
        raise typer.Exit


@app.callback()
def _elsewhere(
    url: Annotated[
        str,
        typer.Option("--url", envvar="BULKHEAD_URL", help="A daemon elsewhere: https://HOST:PORT.", show_default=False),
    ] = "",
    token: Annotated[
        str,
        typer.Option(
            "--token",
            envvar="BULKHEAD_TOKEN",
            help="What proves who you are there; the variable keeps it out of the list of processes.",
            show_default=False,
        ),
    ] = "",
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    remote(url, token)


for _family in (
    *(cockpit, daemon, trade, group, queue, approvals, risk, venues, watch, incidents, log, notifications, pnl),
    *(performance, taking_away),
    *(reasons, messages, nodes, control, people, tokens, secrets, practice, files),
):
    _family.register(app)
dress(app)
