"""List the groups, and find the one that an operator means by what it trades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.output import note, print_json, show, table
from service.cli.parts import ConfigFile, Json, Socket, connect, usage

if TYPE_CHECKING:
    from rich.console import RenderableType

    from service.api.client import Client

__all__ = ["groups", "ident_of", "money", "plain"]


def groups(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also the closed ones, newest first.")] = False,
    account: Annotated[str, typer.Option("--account", help="Only those of this account.")] = "",
    scope: Annotated[str, typer.Option("--scope", help="Only live, paper or simulation: these never mix.")] = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """List the open position groups with their profit; show, edit or close one, adopt a position.

    A group is named by its id, or by what it trades where that names one open group: BTC/USDT, or 'BTC/USDT 1h long'.
    `venue down`: its account's connection is away; it keeps its state, and exits are made once that is back.
    """
    if context.invoked_subcommand is not None:
        return
    found = connect(config, socket).get(
        "/v1/groups", open=None if everything else 1, account=account or None, scope=scope or None
    )
    if as_json:
        print_json(found)
    elif found["groups"]:
        show(_view(found["groups"]))
    else:
        note("no group is open; open one with: bulkhead signal entry BTC/USDT --side long --size 500")


def _view(found: Sequence[Mapping[str, Any]]) -> RenderableType:
    several = len({group["account"] for group in found}) > 1
    columns = (
        "group",
        *(("account", "scope") if several else ()),
        "pair",
        "side",
        "state",
        "pyramids",
        "layers",
        "open",
        "average",
        "mark",
        "unrealised",
        "realised",
    )
    rows = [
        (
            group["group_id"],
            *((group["account"], group["scope"]) if several else ()),
            f"{group['symbol']} {group['timeframe']}",
            group["side"],
            _standing(group),
            f"{group['pyramids']} / {group['max_pyramids']}",
            f"{group['legs_filled']} / {group['legs']}",
            plain(group["open_qty"]),
            plain(group["avg_entry"]),
            plain(group["mark"]),
            money(group["unrealized_quote"]),
            money(group["realized_quote"]),
        )
        for group in found
    ]
    right = ("pyramids", "layers", "open", "average", "mark", "unrealised", "realised")
    return table(columns, rows, right=right)


def _standing(group: Mapping[str, Any]) -> str:
    """Return the state of a group and why it closed; while its venue is away an open one says so (EX-106)."""
    state = group["state"].replace("_", " ") + (f": {group['reason'].replace('_', ' ')}" if group["reason"] else "")
    return f"{state}, {group['venue_trouble']}" if group["venue_trouble"] and group["state"] != "closed" else state


def plain(number: Any) -> str:
    """Return a number with at most twelve digits and without zeros that say nothing, ``-`` for none."""
    if number in (None, ""):
        return "-"
    return f"{Context(prec=12).plus(Decimal(str(number))).normalize():f}"


def money(number: Any) -> str:
    """Return an amount of quote currency with its sign, to the hundredth; ``-`` for none."""
    return "-" if number in (None, "") else f"{Decimal(str(number)):+.2f}"


def ident_of(client: Client, given: str) -> str:
    """Return the id of the group that is meant: the id itself, or the one open group of a pair (timeframe, side)."""
    words = given.replace("/", "").lower().split()
    if not words or "/" not in given:
        return given
    live = client.get("/v1/groups", open=1)["groups"]
    meant = [each for each in live if all(word in _names(each) for word in words)]
    if len(meant) > 1:
        ids = ", ".join(f"{each['group_id']} ({each['symbol']} {each['timeframe']} {each['side']})" for each in meant)
        raise usage(f"{given!r} may be {ids}", "name the timeframe as well: 'BTC/USDT 1h', or the id", value=given)
    return str(meant[0]["group_id"]) if meant else given


def _names(group: Mapping[str, Any]) -> set[str]:
    symbol = group["symbol"].replace("/", "").lower()
    return {symbol, symbol.partition(":")[0], group["timeframe"].lower(), group["side"]}
