"""Show how it went: figures, history of trades, days, deposits and withdrawals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

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

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

__all__ = ["days", "deposit", "figures", "flows", "register", "trades", "withdraw"]

_TIMEOUT_S: Final = 60.0

_performance = typer.Typer(
    invoke_without_command=True,
    help="How it went: result, win rate, drawdown, Sharpe; trades, days, deposits. Without a subcommand: the figures.",
    epilog=epilog(),
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _performance.callback(epilog=epilog())(figures)
    for command in (trades, days, flows, deposit, withdraw):
        _performance.command(epilog=epilog())(command)
    app.add_typer(_performance, name="performance")


def figures(
    context: typer.Context,
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
    """Show the figures of a range: result, win rate, drawdown, ratios, and results by pair, timeframe and strategy.

    One scope at a time: without --scope that of the account asked for, else of the first.
    """
    if context.invoked_subcommand is not None:
        return
    asked = wanted(named, first, last, account, scope, venue, pair, timeframe, strategy, side)
    found = connect(config, socket, timeout_s=_TIMEOUT_S).get("/v1/performance", **asked)
    if as_json:
        print_json(found)
        return
    from service.cli.performance_view import figures_view

    show(figures_view(found))


def trades(
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
    reason: Annotated[str, typer.Option("--reason", help="Only those closed for this, for example take_profit.")] = "",
    text: Annotated[str, typer.Option("--text", help="Part of pair, strategy, reason or id.")] = "",
    newest: Annotated[int, typer.Option("--last", "-n", min=1, max=10_000, help="Newest trades to show.")] = 50,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """List closed groups, newest first: entry, exit, why, how long, result, fees, worst and best while open."""
    asked = wanted(named, first, last, account, scope, venue, pair, timeframe, strategy, side)
    client = connect(config, socket, timeout_s=_TIMEOUT_S)
    found = client.get("/v1/performance/trades", **asked, reason=reason, text=text, limit=newest)
    if as_json:
        print_json(found["trades"])
        return
    if not found["trades"]:
        note("no trade was closed in this range")
        return
    from service.cli.performance_view import trades_view

    show(trades_view(found["trades"]))


def days(
    account: Account = "",
    scope: Scope = "",
    newest: Annotated[int, typer.Option("--last", "-n", min=1, max=10_000, help="Newest days to show.")] = 30,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """List the summaries that were written down at each midnight: groups closed, fills, volume, result, best and worst."""
    client = connect(config, socket, timeout_s=_TIMEOUT_S)
    found = client.get("/v1/performance/days", account=account, scope=scope, limit=newest)
    if as_json:
        print_json(found["days"])
        return
    if not found["days"]:
        note("no day has ended yet; of today: bulkhead performance --range today")
        return
    from service.cli.performance_view import days_view

    show(days_view(found["days"]))


# --- deposits and withdrawals -------------------------------------------------------------------------------------------

_Amount = Annotated[str, typer.Argument(metavar="USD", help="Amount in US dollars.")]
_Of = Annotated[str, typer.Option("--account", help="Whose; without it that of the only account.")]
_Note = Annotated[str, typer.Option("--note", help="What it was, for the record.")]


def flows(
    account: Account = "", scope: Scope = "", config: ConfigFile = None, socket: Socket = None, as_json: Json = False
) -> None:
    """List deposits and withdrawals that were recorded: they are no profit and no loss."""
    found = connect(config, socket).get("/v1/performance/flows", account=account, scope=scope)
    if as_json:
        print_json(found["flows"])
        return
    from service.cli.views import instant

    rows = [(instant(each["at"]), each["account"], each["amount"], each["note"]) for each in found["flows"]]
    if rows:
        show(table(("at", "account", "USD", "note"), rows, right=("USD",)))
    else:
        note("nothing was deposited or withdrawn; record it with: bulkhead performance deposit 500")


def deposit(
    amount: _Amount,
    account: _Of = "",
    text: _Note = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Record a deposit: equity rises by it, and no figure takes it for profit. It moves no money itself."""
    _flow(amount, 1, account, text, config, socket, as_json=as_json)


def withdraw(
    amount: _Amount,
    account: _Of = "",
    text: _Note = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Record a withdrawal: equity falls by it, and no figure takes it for a loss. It moves no money itself."""
    _flow(amount, -1, account, text, config, socket, as_json=as_json)


def _flow(
    amount: str, sign: int, account: str, text: str, config: Path | None, socket: Path | None, *, as_json: bool
) -> None:
    body = {"account": account, "amount": str(_dollars(amount) * sign), "note": text}
    said = connect(config, socket).post("/v1/performance/flows", body)
    if as_json:
        print_json(said)
    else:
        print_line(f"recorded: {said['amount']} USD, {said['account']}")


def _dollars(text: str) -> Decimal:
    from decimal import Decimal, InvalidOperation

    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise usage(f"{text!r} is no amount", "write it like 500 or 1250.50", path="USD", value=text)
    return amount
