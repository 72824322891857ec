"""The range and the filters that commands about performance share (EX-1719)."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from service.cli.parts import usage

__all__ = ["Account", "First", "Last", "Pair", "Range", "Scope", "Side", "Strategy", "Timeframe", "Venue", "wanted"]

Range = Annotated[
    str,
    typer.Option("--range", "-r", help="today, 7d, 30d, month, year or all: calendar days of app.timezone."),
]
First = Annotated[str, typer.Option("--from", metavar="DATE", help="First day, for example 2026-01-01.")]
Last = Annotated[str, typer.Option("--to", metavar="DATE", help="Last day, included.")]
Account = Annotated[str, typer.Option("--account", help="Only this account.")]
Scope = Annotated[str, typer.Option("--scope", help="live, paper or simulation: these never mix.")]
Venue = Annotated[str, typer.Option("--venue", help="Only this venue.")]
Pair = Annotated[str, typer.Option("--pair", help="Only this pair, for example BTC/USDT.")]
Timeframe = Annotated[str, typer.Option("--timeframe", "-t", help="Only this timeframe.")]
Strategy = Annotated[str, typer.Option("--strategy", help="Only this strategy.")]
Side = Annotated[str, typer.Option("--side", help="Only long or short.")]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def wanted(
    named: str,
    first: str,
    last: str,
    account: str,
    scope: str,
    venue: str,
    pair: str,
    timeframe: str,
    strategy: str,
    side: str,
) -> dict[str, Any]:
    """Return the query that these options ask for; what is left empty is left out."""
    for option, text in (("--from", first), ("--to", last)):
        if text and not _DAY.fullmatch(text):
            raise usage(f"{text!r} is no date", "write it like 2026-02-10", path=option, value=text)
    if named and (first or last):
        raise usage(
            "--range names the days already", "leave out --range, or --from and --to", path="--range", value=named
        )
    asked = {
        "range": named,
        "from": first,
        "to": last,
        "account": account,
        "scope": scope,
        "venue": venue,
        "symbol": pair,
        "timeframe": timeframe,
        "strategy": strategy,
        "side": side,
    }
    return {name: value for name, value in asked.items() if value}
