"""The accounts' venues: how connections stand, trading rules, comparisons on demand."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from service.cli import venue_chain, venue_tools
from service.cli.codes import epilog
from service.cli.output import print_json, print_line, show, table
from service.cli.parts import ConfigFile, Json, Socket, connect

__all__ = ["allow_entries", "reconcile", "refresh", "register", "rules", "venue"]

_Account = Annotated[str, typer.Option("--account", help="Whose venue; not needed where there is one account.")]
_REFRESH_S: Final = 75.0
_venue = typer.Typer(
    help="Venues: which there are, trying and auditing an account, how connections stand, comparing the books.",
    epilog=epilog(),
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _venue.callback(invoke_without_command=True, epilog=epilog())(venue)
    for command in (rules, refresh, reconcile, allow_entries, venue_chain.chain):
        _venue.command(epilog=epilog())(command)
    venue_tools.register(_venue)
    app.add_typer(_venue, name="venue")


def venue(context: typer.Context, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Show how each account's connection stands, how old its trading rules are, and what waits for it.

    Until it is `up` the step towards that is told: connect, markets, authenticate, subscribe, resync. A venue that is
    `down` is tried again by itself: its groups keep their state, exits and entries wait. One that is
    `stopped` refuses the account: put that right, then `bulkhead restart /venues/ACCOUNT/session`.
    """
    if context.invoked_subcommand is not None:
        return
    found = connect(config, socket).get("/v1/venues")
    if as_json:
        print_json(found)
        return
    columns = ("account", "status", "why", "connection", "orders", "rules")
    show(table(columns, (_standing(each) for each in found["venues"])))


def _standing(each: dict[str, Any]) -> tuple[str, ...]:
    why = f"{each['code']}: {each['reason']}" if each["code"] else ""
    step = each.get("step", "")
    status = each["status"] + (f" ({step})" if step not in ("", "ready") else "")
    if each["status"] == "up" and not each.get("entries", True):
        status += ", entries wait"
    return each["account"], status, why, each["session"], each["orders"], _age(each["rules"])


def _age(found: dict[str, Any]) -> str:
    from service.cli.views import instant

    if found["fetched_at"] is None:
        return f"never fetched{': ' + found['error'] if found['error'] else ''}"
    failed = f"; last fetch failed: {found['error']}" if found["error"] else ""
    return f"{found['symbols']} symbols, {instant(found['fetched_at'])}{failed}"


def rules(
    symbol: Annotated[
        str, typer.Argument(metavar="[SYMBOL]", help="A market, by its unified symbol or the venue's name; none: all.")
    ] = "",
    account: _Account = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Show tick, step and minimums that orders are rounded to and checked against, and when they were fetched.

    For example: `bulkhead venue rules BTC/USDT`.
    """
    found = connect(config, socket).get("/v1/venues/rules", account=account, symbol=symbol)
    if as_json:
        print_json(found)
        return
    columns = ("symbol", "venue's name", "tick", "step", "min qty", "min notional", "maker fee", "taker fee")
    fields = ("symbol", "venue_symbol", "tick_size", "step_size", "min_qty", "min_notional", "maker_fee", "taker_fee")
    show(table(columns, ([row[field] for field in fields] for row in found["rules"]), right=columns[2:]))
    print_line(_age(found))


def refresh(account: _Account = "", config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Fetch the rules of all markets of a venue now; they are fetched by themselves when they are old."""
    said = connect(config, socket, timeout_s=_REFRESH_S).post("/v1/venues/refresh", {"account": account})
    print_json(said) if as_json else print_line(f"{said['account']}: {_age(said)}")


def reconcile(account: _Account = "", config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Compare orders, fills and balances with the venue now; differences are repaired and written to the log.

    It happens by itself after each connect and every minute. What it found: `bulkhead log --text compared`.
    """
    said = connect(config, socket).post("/v1/venues/reconcile", {"account": account})
    print_json(said) if as_json else print_line(f"{said['told']} compares the books; see: bulkhead tail")


def allow_entries(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account whose entries were stopped.")] = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Let an account's entries leave again after `ForeignEngine` stopped them; first stop the other engine.

    As long as orders of another bulkhead are open there, the next comparison stops the entries again.
    """
    said = connect(config, socket).post("/v1/venues/allow-entries", {"account": account})
    print_json(said) if as_json else print_line(f"entries of {said['account']} are allowed")
