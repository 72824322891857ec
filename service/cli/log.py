"""Search, follow and export the event log; see and acknowledge alerts; look after the log's segments."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from service.cli.codes import epilog
from service.cli.output import note, print_json, print_line, print_text, show, table
from service.cli.parts import ConfigFile, Json, Socket, connect, usage
from service.cli.whole_file import whole_file

if TYPE_CHECKING:
    from service.api.client import Client

__all__ = ["ack", "alerts", "instant_of", "keep", "prune", "register", "search", "segments"]

_PAGE: Final = 1_000
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}

_log = typer.Typer(
    invoke_without_command=True,
    help="Search the event log, export it, look after its segments. Without a subcommand: search.",
    epilog=epilog(),
)
_alerts = typer.Typer(
    invoke_without_command=True,
    help="See the alerts that nobody has acknowledged: the newest three and how many others there are.",
    epilog=epilog(),
)

_Words = list[str] | None
_Categories = Annotated[
    _Words,
    typer.Option(
        "--category",
        "-c",
        help="error, warning, info, webhook, order, risk_engine, precision or system; repeat for more.",
    ),
]
_Tags = Annotated[
    _Words,
    typer.Option(
        "--tag",
        help="entry, exit, dca, tp, reduce, risk_close, queue, config, api_reject, rate_limit, recovery, operator; "
        "several: lines that have all.",
    ),
]
_Segment = Annotated[str, typer.Argument(metavar="SEGMENT", help="Name or number of a segment: see `log segments`.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _log.callback(epilog=epilog())(search)
    for command in (segments, prune, keep):
        _log.command(epilog=epilog())(command)
    app.add_typer(_log, name="log")
    _alerts.callback(epilog=epilog())(alerts)
    _alerts.command(epilog=epilog())(ack)
    app.add_typer(_alerts, name="alerts")


def search(
    context: typer.Context,
    text: Annotated[str, typer.Option("--text", help="Words that lines must hold, in any order; beginnings do.")] = "",
    category: _Categories = None,
    severity: Annotated[_Words, typer.Option("--severity", help="error, warning, info, risk or order.")] = None,
    tag: _Tags = None,
    pair: Annotated[str, typer.Option("--pair", help="Symbol in any spelling.")] = "",
    timeframe: Annotated[str, typer.Option("--timeframe", "-t", help="Only groups of this timeframe.")] = "",
    code: Annotated[str, typer.Option("--code", help="Only this code, for example SlippageWarning.")] = "",
    group: Annotated[str, typer.Option("--group", help="Only this group.")] = "",
    correlation: Annotated[str, typer.Option("--correlation", help="Only this causal chain.")] = "",
    since: Annotated[str, typer.Option("--since", help="From here on: 10m, 2h, 3d, or an instant (ISO 8601).")] = "",
    until: Annotated[str, typer.Option("--until", help="Before this, written as --since.")] = "",
    last: Annotated[int, typer.Option("--last", "-n", min=1, max=10_000, help="Newest lines to show.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens. Ctrl-C ends it.")] = False,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help="Write all lines found to FILE.txt, .csv or .json instead."),
    ] = None,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Search the event log: newest lines last. All filters narrow; --export writes what was found to a file."""
    if context.invoked_subcommand is not None:
        return
    client = connect(config, socket, timeout_s=60)
    wanted = {
        "text": text,
        "category": ",".join(category or ()),
        "severity": ",".join(severity or ()),
        "tag": ",".join(tag or ()),
        "pair": pair,
        "timeframe": timeframe,
        "code": code,
        "group": group,
        "correlation": correlation,
        "since": instant_of(client, since, "--since"),
        "until": instant_of(client, until, "--until"),
    }
    wanted = {name: value for name, value in wanted.items() if value}
    if export is not None:
        _export(client, wanted, export, as_json=as_json)
        return
    found = list(reversed(client.get("/v1/log", limit=last, **wanted)["events"]))
    _print(found, as_json=as_json and not follow, one_line=as_json)
    if not found and not as_json and not follow:
        note("no line fits" if wanted else "nothing has happened yet")
    if follow:
        _follow(client, wanted, found[-1]["position"] if found else 0, as_json=as_json)


def instant_of(client: Client, text: str, option: str) -> str:
    """Return nanoseconds for ``10m`` (before the daemon's now) or ISO 8601."""
    if not text:
        return ""
    from datetime import UTC, datetime

    if match := re.fullmatch(r"(\d{1,6})([smhdw])", text):
        now = int(client.get("/v1/status")["now"])
        return str(max(0, now - int(match[1]) * _UNITS[match[2]] * 1_000_000_000))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        advice = "write 30s, 10m, 2h, 1d, or 2025-06-01T12:00:00Z"
        raise usage(f"{text!r} is no span and no instant", advice, path=option, value=text) from error
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return str(int(aware.timestamp() * 1_000) * 1_000_000)


def _print(rows: list[dict[str, Any]], *, as_json: bool, one_line: bool = False) -> None:
    if as_json:
        print_json(rows)
        return
    from service.cli.views import event_line, instant

    day = ""
    for row in rows:
        if one_line:
            print_json(row, one_line=True)
            continue
        if (its := instant(row["at"])[:10]) != day:
            day = its
            note(day)
        print_text(event_line({"kind": "event", **row}))


def _follow(client: Client, wanted: dict[str, str], after: int, *, as_json: bool) -> None:
    """Show what comes: woken by the daemon's stream, asked with the same filters."""
    from service.api.follow import follow as follow_events

    reached = [after]

    def woken(_: dict[str, Any]) -> None:
        rows = [row for row in client.get("/v1/log", limit=_PAGE, **wanted)["events"] if row["position"] > reached[0]]
        if rows:
            reached[0] = rows[0]["position"]
            _print(rows[::-1], as_json=False, one_line=as_json)

    follow_events(client, {"last": 0, "severity": "info"}, woken)


def _export(client: Client, wanted: dict[str, str], path: Path, *, as_json: bool) -> None:
    form = path.suffix.removeprefix(".").lower()
    if form not in ("txt", "csv", "json"):
        raise usage(f"no form of export is called {path.suffix or path.name!r}", "end the name in .txt, .csv or .json")
    with whole_file(path) as file:
        client.fetch("/v1/log/export", file, {"format": form, **wanted})
        size = file.tell()
    if as_json:
        print_json({"file": str(path), "bytes": size})
    else:
        note(f"{path}: {size} bytes")


# --- segments ---------------------------------------------------------------------------------------------------------


def segments(config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """List the log's segments: day, size, and which are never removed."""
    found = connect(config, socket).get("/v1/log/segments")
    if as_json:
        print_json(found)
        return
    rows = [
        (each["number"], each["day"], each["segment"], each["bytes"], "keep" if each["kept"] else "")
        for each in found["segments"]
    ]
    show(table(("no", "newest day", "segment", "bytes", ""), rows, right=("no", "bytes")))
    note(found["folder"])


def prune(
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would be removed.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Remove the segments that logging.retention_mode no longer keeps; never today's, never marked ones."""
    said = connect(config, socket).post("/v1/log/prune", {"preview": preview})
    if as_json:
        print_json(said)
        return
    for each in said["removed"]:
        print_line(f"{'would remove' if preview else 'removed'} {each['segment']} ({each['bytes']} bytes)")
    if not said["removed"]:
        print_line("nothing to remove")


def keep(
    segment: _Segment,
    off: Annotated[bool, typer.Option("--off", help="Take the mark away.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Mark a segment: it is never removed."""
    said = connect(config, socket).post("/v1/log/keep", {"segment": segment, "keep": not off})
    if as_json:
        print_json(said)
    else:
        print_line(f"{said['segment']} {'is kept' if said['kept'] else 'may be removed'}")


# --- alerts -----------------------------------------------------------------------------------------------------------


def alerts(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Show all of them, not the newest three.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """See the alerts that nobody has acknowledged: the newest three and how many others there are."""
    if context.invoked_subcommand is not None:
        return
    query = {"limit": 10_000} if everything else {}
    found = connect(config, socket).get("/v1/alerts", **query)
    if as_json:
        print_json(found)
        return
    from service.cli.views import event_line

    for row in found["alerts"]:
        line = event_line({"kind": "event", **row})
        print_text(line.append(f"  (bulkhead alerts ack {row['position']})", style="dim"))
    if found["others"]:
        print_line(f"and {found['others']} others: bulkhead alerts --all")
    if not found["count"]:
        print_line("no alerts")


def ack(
    ids: Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Numbers that `alerts` shows.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them as they stand.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Acknowledge alerts: they leave the strip and stay in the log."""
    if bool(ids) == everything:
        raise usage("name the alerts to acknowledge, or --all of them", "for example: bulkhead alerts ack 1234")
    said = connect(config, socket).post("/v1/alerts/ack", {"positions": ids or [], "all": everything})
    if as_json:
        print_json(said)
    else:
        print_line(f"{said['acknowledged']} acknowledged")
