"""Send a signal by hand."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from service.advice import advice_of
from service.cli import signals
from service.cli.codes import epilog
from service.cli.output import note, print_json, print_line
from service.cli.parts import ConfigFile, Json, Socket, connect, usage

__all__ = ["SideWord", "UnitWord", "entry", "exit_", "reduce", "register"]


class SideWord(StrEnum):
    """Side of the position meant."""

    LONG = "long"
    SHORT = "short"


class UnitWord(StrEnum):
    """Unit of a size."""

    QUOTE = "quote"
    BASE = "base"
    CONTRACTS = "contracts"


_Symbol = Annotated[str, typer.Argument(help="Symbol in any spelling: BTC/USDT, BTCUSDT, BTC/USDT:USDT.")]
_Side = Annotated[SideWord, typer.Option("--side", "-s", help="Side of the position meant, also of one to close.")]
_Unit = Annotated[UnitWord, typer.Option("--size-type", help="Unit of the size.")]
_Timeframe = Annotated[str, typer.Option("--timeframe", "-t", help="Part of the group's identity.")]
_Venue = Annotated[str, typer.Option("--venue", help="Exchange; without it that of the only account.")]
_Check = Annotated[bool, typer.Option("--check", help="Only show what would become of it; nothing is sent.")]
_Wait = Annotated[float, typer.Option("--wait", help="Seconds to wait for what becomes of it; 0 for none.")]

_signal = typer.Typer(
    no_args_is_help=True, help="Send signals by hand, check alerts, send stored ones again.", epilog=epilog()
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for name, command in (("entry", entry), ("exit", exit_), ("reduce", reduce)):
        _signal.command(name, epilog=epilog())(command)
    signals.add_to(_signal)
    app.add_typer(_signal, name="signal")


def entry(
    symbol: _Symbol,
    side: _Side,
    size: Annotated[str, typer.Option("--size", help="How much one pyramid buys (sells, when short) in all.")],
    size_type: _Unit = UnitWord.QUOTE,
    price: Annotated[str, typer.Option("--price", help="Entry price; without it the market's newest.")] = "",
    stop: Annotated[
        str, typer.Option("--stop-loss", help="Stop of the group, where the configuration honours it.")
    ] = "",
    target: Annotated[str, typer.Option("--take-profit", help="Target of the group, likewise.")] = "",
    label: Annotated[str, typer.Option("--label", help="Strategy name for the statistics.")] = "",
    timeframe: _Timeframe = "1h",
    venue: _Venue = "",
    wait_s: _Wait = 3.0,
    check: _Check = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Open a position group, or add a pyramid to the one that is open."""
    fields = {
        "kind": "entry",
        "size": size,
        "size_type": size_type.value,
        "price": price,
        "stop_loss": stop,
        "take_profit": target,
        "alert_name": label,
    }
    _send(symbol, side, timeframe, venue, fields, wait_s, config, socket, check=check, as_json=as_json)


def exit_(
    symbol: _Symbol,
    side: _Side,
    timeframe: _Timeframe = "1h",
    venue: _Venue = "",
    wait_s: _Wait = 3.0,
    check: _Check = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Close a position group: what is unfilled is cancelled, the rest is closed."""
    _send(symbol, side, timeframe, venue, {"kind": "exit"}, wait_s, config, socket, check=check, as_json=as_json)


def reduce(
    symbol: _Symbol,
    side: _Side,
    fraction: Annotated[str, typer.Option("--fraction", help="Part of what is open, above 0 up to 1.")] = "",
    size: Annotated[str, typer.Option("--size", help="Amount to close, in --size-type.")] = "",
    size_type: _Unit = UnitWord.BASE,
    timeframe: _Timeframe = "1h",
    venue: _Venue = "",
    wait_s: _Wait = 3.0,
    check: _Check = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Close part of a position group."""
    if bool(fraction) == bool(size):
        raise usage("a reduction needs either --fraction or --size", "for example: --fraction 0.5", code="MissingValue")
    fields = {"kind": "reduce", "fraction": fraction, "size": size, "size_type": size_type.value}
    _send(symbol, side, timeframe, venue, fields, wait_s, config, socket, check=check, as_json=as_json)


def _send(
    symbol: str,
    side: SideWord,
    timeframe: str,
    venue: str,
    fields: dict[str, str],
    wait_s: float,
    config: Any,
    socket: Any,
    *,
    check: bool,
    as_json: bool,
) -> None:
    given = {name: value for name, value in fields.items() if value}
    common = {"symbol": symbol, "side": side.value, "timeframe": timeframe}
    if venue:
        common["venue"] = venue
    client = connect(config, socket, timeout_s=15.0 + wait_s)
    if check:
        signals.show_report(client.post("/v1/signals/check", {**common, **given}), as_json=as_json)
        return
    said = client.post(f"/v1/signal?wait={wait_s:g}", {**common, **given})
    if as_json:
        print_json(said)
    else:
        print_line(_sentence(said))
    if (said["routed"] or "").startswith("rejected"):
        advice = advice_of(said["routed"].rpartition(":")[2])
        if advice and not as_json:
            note(f"try:   {advice}")
        raise typer.Exit(1)


def _sentence(said: dict[str, Any]) -> str:
    """Return what became of a signal; a code stands in brackets behind the reasons, as in every error."""
    outcome, _, detail = (said["routed"] or said["outcome"]).partition(":")
    if outcome == "queued":
        outcome, detail = f"queued as {detail.partition(':')[0]}", ""
    elif outcome == "replaced":
        outcome, detail = f"queued as {detail}", ""
    elif outcome == "dry_run":
        outcome, detail = f"dry run, it would be {detail}", ""
    elif outcome == "pyramid_added":
        outcome, detail = f"pyramid added (p{detail})", ""
    reasons = f": {'; '.join(said['reasons'])}" if said["reasons"] else ""
    code = f" [{detail}]" if outcome == "rejected" else f" {detail}" if detail else ""
    return f"{said['signal_id']} {outcome.replace('_', ' ')}{reasons}{code}  (bulkhead explain {said['signal_id']})"
