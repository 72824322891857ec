"""Look at actors and events."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from service.cli.codes import epilog
from service.cli.output import print_json, print_text, show
from service.cli.parts import ConfigFile, Json, Socket, connect, usage

__all__ = ["ps", "register", "tail"]

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (ps, tail):
        app.command(epilog=epilog())(command)


def ps(
    under: Annotated[
        str, typer.Argument(metavar="[PATH]", help="Only the actor at this path and those below it.")
    ] = "/",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Show the tree of actors: state, restarts, waiting messages and their age, handle time."""
    rows = connect(config, socket).get("/v1/ps")["actors"]
    if under != "/":
        rows = [row for row in rows if row["path"] == under or row["path"].startswith(under.rstrip("/") + "/")]
    if not rows:
        from service.cli.reasons import nothing_at

        raise nothing_at(under)
    if as_json:
        print_json(rows)
        return
    from service.cli.views import ps_view

    show(ps_view(rows))


def tail(
    follow: Annotated[bool, typer.Option("--follow/--no-follow", "-f", help="Go on as events happen.")] = True,
    last: Annotated[
        int, typer.Option("--last", "-n", min=0, max=10_000, help="Events of the past to begin with.")
    ] = 20,
    types: Annotated[list[str] | None, typer.Option("--type", help="Only this event type; repeat for more.")] = None,
    group: Annotated[str, typer.Option("--group", help="Only this group.")] = "",
    symbol: Annotated[str, typer.Option("--symbol", help="Only this symbol, in any spelling.")] = "",
    severity: Annotated[
        str, typer.Option("--severity", help="At least this severe: debug (everything), info, warning, error.")
    ] = "",
    since: Annotated[str, typer.Option("--since", help="Begin here: 10m, 2h, or an instant (ISO 8601).")] = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Follow events: signals, groups, orders, fills, restarts, dead letters. Ctrl-C ends it."""
    client = connect(config, socket)
    least = severity or ("debug" if types else "info")  # who names a type wants it, however dull
    wanted: dict[str, Any] = {"type": ",".join(types or ()), "group": group, "symbol": symbol, "severity": least}
    if since:
        wanted["since"] = _instant(since, int(client.get("/v1/status")["now"]))
    else:
        wanted["last"] = last
    from service.api.follow import follow as follow_events

    def show_item(item: dict[str, Any]) -> None:
        if as_json:
            print_json(item, one_line=True)
        else:
            from service.cli.views import event_line

            print_text(event_line(item))

    follow_events(client, wanted, show_item, on=follow)


def _instant(text: str, now: int) -> int:
    """Return the instant meant by ``10m`` (before now) or by ISO 8601, nanoseconds."""
    from datetime import UTC, datetime

    if text[:-1].isdigit() and text[-1:] in _UNITS:
        return max(0, now - int(text[:-1]) * _UNITS[text[-1]] * 1_000_000_000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        advice = "write 30s, 10m, 2h, 1d, or 2025-06-01T12:00:00Z"
        raise usage(f"{text!r} is no span and no instant", advice, path="--since", value=text) from error
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return int(aware.timestamp()) * 1_000_000_000
