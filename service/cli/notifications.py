"""Notifications on the command line: list, read, put away."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from service.cli.codes import epilog
from service.cli.output import note, print_json, print_line
from service.cli.parts import ConfigFile, Json, Socket, connect, usage

__all__ = ["dismiss", "listed", "notifications", "read", "register"]

_SIGNS = {"critical": "!!", "warning": "! ", "info": "  "}

_app = typer.Typer(
    invoke_without_command=True,
    help="What operators were told: the same list in cockpit, browser, phone and here. Without a subcommand: list.",
    epilog=epilog(),
)
_Limit = Annotated[int, typer.Option("--limit", min=1, max=500, help="Newest to show.")]
_Unread = Annotated[bool, typer.Option("--unread", help="Only what nobody has read.")]
_After = Annotated[int, typer.Option("--after", min=0, help="Only those after this sequence.")]
_Seqs = Annotated[list[int] | None, typer.Argument(metavar="[SEQ]...", help="Which ones, by the number before them.")]
_All = Annotated[bool, typer.Option("--all", help="All there are.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _app.callback(epilog=epilog())(notifications)
    _app.command("list", epilog=epilog())(listed)
    for command in (read, dismiss):
        _app.command(epilog=epilog())(command)
    app.add_typer(_app, name="notifications")


def notifications(
    context: typer.Context,
    unread: _Unread = False,
    after: _After = 0,
    limit: _Limit = 50,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """List notifications, the newest last. Critical ones are kept for 7 days, warnings for 3, all others for one."""
    if context.invoked_subcommand is None:
        listed(unread=unread, after=after, limit=limit, config=config, socket=socket, as_json=as_json)


def listed(
    unread: _Unread = False,
    after: _After = 0,
    limit: _Limit = 50,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """List notifications, the newest last; `!!` marks critical ones, `*` unread ones."""
    found = connect(config, socket).get("/v1/notifications", after=after, limit=500 if unread else limit)
    rows = [each for each in found["notifications"] if not unread or not each["read"]][-limit:]
    if as_json:
        print_json({**found, "notifications": rows})
        return
    from service.cli.views import instant

    for each in rows:
        new = " " if each["read"] else "*"
        print_line(
            f"{each['seq']:>5}{new} {instant(each['at'])}  {_SIGNS[each['severity']]} {each['type']}  {each['title']}"
        )
    note(f"{found['unread']} unread" if found["notifications"] else "there are no notifications")


def read(
    seqs: _Seqs = None,
    everything: _All = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Mark notifications as read: critical ones are then no longer repeated on the phone."""
    _mark("read", seqs, everything, connect(config, socket), as_json)


def dismiss(
    seqs: _Seqs = None,
    everything: _All = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Put notifications away."""
    _mark("dismiss", seqs, everything, connect(config, socket), as_json)


def _mark(how: str, seqs: list[int] | None, everything: bool, client: Any, as_json: bool) -> None:
    if not seqs and not everything:
        raise usage(
            "name notifications, or --all", "the numbers stand in: bulkhead notifications", path="SEQ", value=""
        )
    through = client.get("/v1/notifications", limit=1)["last_seq"] if everything else 0
    if everything and not through:
        found: dict[str, Any] = {"unread": 0, "notifications": []}
    else:
        found = client.post(f"/v1/notifications/{how}", {"seqs": seqs or [], "through": through})
    print_json({"unread": found["unread"]}) if as_json else note(f"{found['unread']} unread")
