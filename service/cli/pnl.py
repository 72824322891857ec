"""Show what was earned: by group, pyramid, leg, reason, pair, timeframe, strategy or day."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from service.cli.codes import epilog
from service.cli.log import instant_of
from service.cli.output import note, print_json, show, table
from service.cli.parts import ConfigFile, Json, Socket, connect
from service.cli.whole_file import whole_file

__all__ = ["By", "pnl", "register"]


class By(StrEnum):
    """What results are added up by."""

    GROUP = "group"
    PYRAMID = "pyramid"
    LEG = "leg"
    REASON = "reason"
    PAIR = "pair"
    TIMEFRAME = "timeframe"
    STRATEGY = "strategy"
    SIDE = "side"
    VENUE = "venue"
    ACCOUNT = "account"
    DAY = "day"


_KEY: Final = {By.GROUP: "group_id", By.PAIR: "symbol"}
_AMOUNTS: Final = ("realized_quote", "fees_quote", "net_quote")
_COLUMNS: Final = ("key", "quote", "scope", "realizations", *_AMOUNTS)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog())(pnl)


def pnl(
    by: Annotated[
        By, typer.Option("--by", help="What results are added up by; days are those of app.timezone.")
    ] = By.GROUP,
    account: Annotated[str, typer.Option("--account", help="Only this account.")] = "",
    group: Annotated[str, typer.Option("--group", help="Only this group.")] = "",
    scope: Annotated[str, typer.Option("--scope", help="Only live, paper or simulation: these never mix.")] = "",
    since: Annotated[str, typer.Option("--since", help="From here on: 10m, 2h, 3d, or an instant (ISO 8601).")] = "",
    until: Annotated[str, typer.Option("--until", help="Before this, written as --since.")] = "",
    file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the rows to a CSV file, full precision.")
    ] = None,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Show what closed positions earned, fees taken off, exactly: each closing fill with its share of the entry fees.

    Fees in base or quote currency are in the result; fees in any third currency are listed below it.
    """
    client = connect(config, socket, timeout_s=30)
    wanted = {"by": _KEY.get(by, by.value), "account": account, "group": group, "scope": scope}
    times = {"since": instant_of(client, since, "--since"), "until": instant_of(client, until, "--until")}
    found = client.get("/v1/pnl", **wanted, **times)
    if file is not None:
        _write(file, found["rows"])
    if as_json:
        print_json(found)
    elif file is not None:
        note(f"{file}: {len(found['rows'])} rows")
    else:
        _show(by, found)


def _show(by: By, found: Mapping[str, Any]) -> None:
    rows = [
        (row["key"], row["scope"], row["realizations"], *_amounts([row[name] for name in _AMOUNTS]), row["quote"])
        for row in found["rows"]
    ]
    columns = (by.value, "scope", "closes", "before fees", "fees", "net", "")
    rows += [("total", scope, "", *_amounts(sums), quote) for (quote, scope), sums in _totals(found["rows"]).items()]
    show(table(columns, rows, right=("closes", "before fees", "fees", "net")))
    for fee in found["other_fees"]:
        note(f"not in these sums: fees of {fee['amount']} {fee['currency']} ({fee['scope']})")


def _totals(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[str]]:
    """Return the sums of each quote currency and scope: these never mix."""
    totals: dict[tuple[str, str], list[Decimal]] = {}
    with localcontext(prec=130):
        for row in rows:
            sums = totals.setdefault((row["quote"], row["scope"]), [Decimal(0)] * len(_AMOUNTS))
            for number, name in enumerate(_AMOUNTS):
                sums[number] += Decimal(row[name])
    return {key: [format(each, "f") for each in sums] for key, sums in totals.items()}


def _amounts(amounts: Sequence[str]) -> list[Text]:
    """Return result before fees, fees and net result; what was earned or lost carries its sign."""
    before, fees, net = amounts
    return [_signed(before), Text(_signed(fees).plain.lstrip("+")), _signed(net)]


def _signed(amount: str) -> Text:
    """Return an amount with its sign, shortened to eight places for the eye."""
    with localcontext(prec=130):
        value = Decimal(amount)
        short = round(value, 8)
    plain = format(short.normalize() if short else Decimal(0), "+f" if short else "f")
    return Text(plain, style="green" if value > 0 else "red" if value < 0 else "")


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with whole_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(_COLUMNS)
        writer.writerows([row[name] for name in _COLUMNS] for row in rows)
        text.detach()
