"""Take away how it went: one page with plots, tables and curves as files, charts as pictures."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from service.cli.codes import epilog
from service.cli.figures_options import (
    Account,
    First,
    Last,
    Pair,
    Range,
    Scope,
    Side,
    Strategy,
    Timeframe,
    Venue,
    wanted,
)
from service.cli.output import note, print_json, print_line, show, table
from service.cli.parts import ConfigFile, Json, Socket, connect, usage
from service.cli.progress import progress
from service.cli.whole_file import export_failed, whole_file

if TYPE_CHECKING:
    from service.api.client import Client

__all__ = ["export", "register", "report"]

_TIMEOUT_S: Final = 300.0
_PIECE: Final = 1 << 18


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=epilog())(report)
    app.command(epilog=epilog())(export)


def report(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The page; without it named by what it is.")
    ] = None,
    named: Range = "",
    first: First = "",
    last: Last = "",
    account: Account = "",
    scope: Scope = "",
    venue: Venue = "",
    pair: Pair = "",
    timeframe: Timeframe = "",
    strategy: Strategy = "",
    side: Side = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Write one HTML page of how it went: curves, drawdown, months, distribution, pairs, sides, best and worst.

    The page needs nothing else: no network, light or dark as the reader's system is, and it prints.
    """
    asked = wanted(named, first, last, account, scope, venue, pair, timeframe, strategy, side)
    client = connect(config, socket, timeout_s=_TIMEOUT_S)
    _taken(client, "/v1/performance/report", asked, out, as_json=as_json)


def export(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="A table, curve or chart; without it what there is.")
    ] = "",
    form: Annotated[str, typer.Option("--format", "-f", help="csv, json or parquet; png for charts.")] = "csv",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="File or folder; without it this folder.")
    ] = None,
    theme: Annotated[
        str, typer.Option("--theme", help="light or dark, of a picture; without it that of ui.theme.")
    ] = "",
    named: Range = "",
    first: First = "",
    last: Last = "",
    account: Account = "",
    scope: Scope = "",
    venue: Venue = "",
    pair: Pair = "",
    timeframe: Timeframe = "",
    strategy: Strategy = "",
    side: Side = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Write a table, curve or chart of the performance, trades, fills, orders or signals to a file, whole or not at all.

    Without --out it is named WHAT_FROM_TO_SCOPE.csv, with the days of its range.
    """
    client = connect(config, socket, timeout_s=_TIMEOUT_S)
    if not what:
        _list(client, as_json=as_json)
        return
    asked = wanted(named, first, last, account, scope, venue, pair, timeframe, strategy, side)
    name = client.part(what.replace("-", "_"))
    if form == "png":
        _taken(client, f"/v1/performance/picture/{name}", {**asked, "theme": theme}, out, as_json=as_json)
        return
    if theme:
        raise usage("only pictures have a theme", "add --format png", path="--theme", value=theme)
    _taken(client, f"/v1/performance/export/{name}", {**asked, "format": form}, out, as_json=as_json)


def _list(client: Client, *, as_json: bool) -> None:
    found = client.get("/v1/performance/exports")
    if as_json:
        print_json(found)
        return
    rows = [(name, each["says"], "png" if name in found["charts"] else "") for name, each in found["tables"].items()]
    rows += [(name, "a chart", "png") for name in found["charts"] if name not in found["tables"]]
    show(table(("what", "", "chart"), rows))


def _taken(client: Client, path: str, query: dict[str, Any], out: Path | None, *, as_json: bool) -> None:
    """Fetch an answer into a file of its name, telling how far it is; raise ``ExportFailed`` where there is no room."""
    try:
        with TemporaryFile() as spool, progress() as told:
            offered = client.fetch(path, spool, query, lambda done, of: told("fetching", done, of))
            place = out / offered if out is not None and out.is_dir() else out if out is not None else Path(offered)
            size = spool.tell()
            spool.seek(0)
            with whole_file(place) as file:
                while data := spool.read(_PIECE):
                    file.write(data)
    except OSError as error:
        raise export_failed(Path(gettempdir()), error) from error
    if as_json:
        print_json({"file": str(place), "bytes": size})
    else:
        print_line(str(place))
        note(f"{size:,} bytes")
