"""Option chains in a terminal: what each expiry is worth, and its strikes with calls on the left and puts on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from service.cli.output import note, print_json, print_line, show, table
from service.cli.parts import ConfigFile, Json, Socket, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["chain"]

_WITHIN_S: Final = 410.0
"""A little longer than the daemon gives a fetch."""

_SIDE: Final = ("OI", "IV", "delta", "spread", "bid", "ask")
_SIDE_FIELDS: Final = ("open_interest", "implied_vol", "delta", "spread_quality", "bid", "ask")


def chain(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="An account at a venue with options.")],
    underlying: Annotated[str, typer.Argument(metavar="UNDERLYING", help="A share or fund: AAPL, or SPY/USD.")],
    dte: Annotated[str, typer.Option("--dte", metavar="MIN-MAX", help="Days to expiry, both ends included.")] = "30-45",
    strikes: Annotated[
        int, typer.Option("--strikes", min=1, max=500, help="Strikes around the price, an expiry.")
    ] = 40,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Show an option chain as bots see it, and whether it is good enough to choose strikes from.

    Up to three expiries, nearest to the middle of the range first: the first is the target and decides. Of its
    contracts, at most one in ten may lack Greeks, or quotes. `spread` is (ask - bid) / mid, `!` marks those above 15 %,
    `x` what may not be a leg. A chain younger than two minutes is the one that is kept.
    """
    client = connect(config, socket, timeout_s=_WITHIN_S)
    found = client.get("/v1/venues/chain", account=account, underlying=underlying, dte=dte, strikes=strikes)
    if as_json:
        print_json(found)
        return
    _print_chain(found)


def _print_chain(found: dict[str, Any]) -> None:
    price = found["underlying_price"] or "no price"
    kept = ", kept" if found["cached"] else ""
    print_line(f"{found['underlying']}  {price}  {found['age_s']:g} s old{kept}  {_verdict(found)}")
    columns = ("expiration", "days", "", "contracts", "clean", "no Greeks", "no quotes", "crossed", "verdict")
    fields = (
        "expiration",
        "dte",
        "target",
        "contracts",
        "clean",
        "missing_greeks",
        "missing_quotes",
        "crossed",
        "fault",
    )
    rows = ([_cell(field, each[field]) for field in fields] for each in found["expiries"])
    if found["expiries"]:
        show(table(columns, rows, right=("days", *columns[3:8])))
    elif found["listed"]:
        note(f"listed: {', '.join(found['listed'][:12])}{' ...' if len(found['listed']) > 12 else ''}")
        note("try another range: --dte MIN-MAX")
    for expiration in dict.fromkeys(each["expiration"] for each in found["contracts"]):
        _print_strikes(expiration, [each for each in found["contracts"] if each["expiration"] == expiration])


def _verdict(found: dict[str, Any]) -> str:
    from service.cli.views import instant

    if found["valid"]:
        return "valid"
    again = f"; fetched again {instant(found['retry_at'])}" if found["retry_at"] else ""
    detail = f" ({found['reason']})" if found["expiries"] else ""
    return f"NOT VALID: {found['fault']}{detail}{again}"


def _cell(field: str, value: Any) -> str:
    if field == "target":
        return "target" if value else ""
    return str(value) or ("good" if field == "fault" else "")


def _print_strikes(expiration: str, contracts: list[dict[str, Any]]) -> None:
    columns = (*(f"C {each}" for each in _SIDE), "strike", *(f"P {each}" for each in reversed(_SIDE)))
    print_line(f"\n{expiration}, {contracts[0]['dte']} days: calls left, puts right")
    show(table(columns, _strike_rows(contracts), right=columns))


def _strike_rows(contracts: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    by = {(each["strike"], each["right"]): each for each in contracts}
    for strike in sorted({each["strike"] for each in contracts}, key=float):
        call, put = _side(by.get((strike, "C"))), _side(by.get((strike, "P")))
        yield (*call, strike, *reversed(put))


def _side(contract: dict[str, Any] | None) -> tuple[str, ...]:
    if contract is None:
        return ("",) * len(_SIDE)
    return tuple(_told(contract, field) for field in _SIDE_FIELDS)


def _told(contract: dict[str, Any], field: str) -> str:
    """Return a field as shown; what the venue did not tell is a dash."""
    value = contract[field]
    match field:
        case "spread_quality":
            mark = "x" if not contract["clean"] else "!" if contract["wide"] else ""
            return ("-" if value is None else f"{float(value) * 100:.1f}%") + mark
        case "implied_vol":
            return "-" if value is None else f"{value * 100:.1f}%"
        case "delta":
            return "-" if value is None else f"{value:+.2f}"
        case "bid" | "ask":
            return "-" if not float(value) else str(value)
    return str(value)
