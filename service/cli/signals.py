"""Check an alert before it is made, send a stored one again, see what was missed."""

from __future__ import annotations

import getpass
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from service.advice import advice_of
from service.cli.codes import ExitCode, epilog
from service.cli.failures import CommandFailed, Failure
from service.cli.output import note, print_json, print_line
from service.cli.parts import ConfigFile, Json, Socket, connect, load_config, usage

if TYPE_CHECKING:
    from protocol.instruments import PrecisionRules
    from service.signal_check import CheckReport

__all__ = ["add_to", "check", "missed", "replay", "resume", "show_report"]

_MOST_BYTES: Final = 1_048_576


def add_to(app: typer.Typer) -> None:
    """Add the commands to those of ``bulkhead signal``."""
    for name, command in (("check", check), ("replay", replay), ("missed", missed), ("resume", resume)):
        app.command(name, epilog=epilog())(command)


# --- check ------------------------------------------------------------------------------------------------------------


def check(
    file: Annotated[str, typer.Argument(help="An alert's template or a received body; - reads standard input.")],
    mapping: Annotated[
        str, typer.Option("--mapping", help="Read it through this mapping, as ?mapping=NAME in the address does.")
    ] = "",
    rules: Annotated[
        str,
        typer.Option("--rules", help="Tick, step, least quantity and least notional of the market: 0.01,0.00001,0,5."),
    ] = "",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show how a template or a received body is read: mapping, values, identity, ladder, warnings. No daemon is needed.

    Placeholders such as {{ticker}} are filled with sample values. Ends with exit code 1 when the body would be refused.
    """
    from runtime.clock import WallClock
    from service.api.answers import plain
    from service.signal_check import check_body

    now = WallClock().now()
    report = check_body(_body(file), load_config(config), at=now, mapping=mapping, rules=_rules(rules))
    if as_json:
        print_json(plain(report))
    else:
        for line in _lines(report):
            print_line(line)
    if not report.ok:
        raise typer.Exit(1)


def _body(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(_MOST_BYTES)
    try:
        return Path(file).read_bytes()[:_MOST_BYTES]
    except OSError as error:
        failure = Failure(
            ExitCode.NOT_FOUND, "Unreadable", error.strerror or str(error), "name a file, or - for stdin", file
        )
        raise CommandFailed(failure) from error


def _rules(text: str) -> PrecisionRules | None:
    if not text:
        return None
    from protocol.instruments import PrecisionRules

    try:
        tick, step, least_qty, least_notional = (Decimal(part.strip()) for part in text.split(","))
        return PrecisionRules(tick, step, least_qty, least_notional)
    except (InvalidOperation, ValueError) as error:
        raise usage("--rules needs four numbers", "for example: --rules 0.01,0.00001,0.00001,5", value=text) from error


def _lines(report: CheckReport) -> list[str]:
    from rules.notation import plain

    lines = [f"mapping    {report.mapping}: {report.mapping_doc}"]
    if report.filled:
        lines.append("template   sample values stand for: " + ", ".join(f"{{{{{name}}}}}" for name in report.filled))
    width = max((len(each.path) for each in report.values), default=0)
    lines += [f"  {each.path:<{width}}  {each.value}  ({each.origin})" for each in report.values]
    for each in report.problems:
        lines.append(f"refused    {each.path}: {each.message} [{each.code}]")
        lines += [f"  try      {advice}"] if (advice := advice_of(each.code)) else []
    if report.identity and report.ok:
        part = f", {report.fraction} of it" if report.fraction is not None and report.kind == "reduce" else ""
        lines.append(f"signal     {report.kind} {report.side}{part}")
        lines.append(f"identity   {report.identity}")
    lines += [
        f"order {each.layer}    {plain(each.qty)} at {plain(each.price)}  {each.reason}".rstrip()
        for each in report.ladder
    ]
    if report.ladder_note:
        lines.append(f"ladder     {report.ladder_note}")
    lines += [f"warning    {each}" for each in report.warnings]
    lines.append("verdict    " + ("it would be accepted" if report.ok else "it would be refused"))
    return lines


# --- replay -----------------------------------------------------------------------------------------------------------


def replay(
    signal_id: Annotated[str, typer.Argument(help="Id of a stored signal: bulkhead tail shows them.")],
    live: Annotated[bool, typer.Option("--live", help="Trade it; without this it is only a rehearsal.")] = False,
    confirm: Annotated[str, typer.Option("--confirm", metavar="SYMBOL", help="The symbol, typed again.")] = "",
    reprice: Annotated[bool, typer.Option("--reprice", help="Enter at the market's newest price.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Send a stored signal again: by default a rehearsal that shows every step and changes nothing.

    With --live it is a new signal that names the old one; its age and its likeness to the old one do not count.
    """
    body = {
        "mode": "live" if live else "dry",
        "reprice": reprice,
        "confirm": confirm,
        "operator": getpass.getuser(),
    }
    said = connect(config, socket, timeout_s=20.0).post(f"/v1/signals/{signal_id}/replay", body)
    show_report(said, as_json=as_json)


def show_report(said: dict[str, Any], *, as_json: bool) -> None:
    """Print what would become (or became) of a signal."""
    if as_json:
        print_json(said)
        return
    from protocol.legible import legible

    for step in said["steps"]:
        details = f"  ({'; '.join(step['details'])})" if step["details"] else ""
        # One line a step: what a stranger wrote into the alert begins none of its own.
        print_line(legible(f"{step['name']:<16} {step['outcome'].replace('_', ' ')}{details}"))
    if said["signal_id"]:
        print_line(f"{said['signal_id']} {said['outcome'].replace('_', ' ')}  (bulkhead explain {said['signal_id']})")
    else:
        note("nothing was routed")


# --- missed -----------------------------------------------------------------------------------------------------------


def missed(config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """List the positions on which alerts and this house disagree, with the command that would mend each.

    Nothing is traded by itself: look, then run the command or leave it.
    """
    said = connect(config, socket).get("/v1/signals/missed")
    if as_json:
        print_json(said)
        return
    for each in said["incidents"]:
        print_line(each["text"])
        print_line(f"  {each['proposal'] or 'nothing to do'}  (bulkhead explain {each['signal_id']})")
    if not said["incidents"]:
        note("no alert disagrees with the positions here")


def resume(
    source: Annotated[str, typer.Argument(help="The source as the incident names it: user|alert|symbol|timeframe.")],
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Take entries of a silent source again, after you have looked why it was silent."""
    body = {"kind": "SourceSilent", "subject": source, "operator": getpass.getuser()}
    said = connect(config, socket).post("/v1/incidents/clear", body)
    if as_json:
        print_json(said)
    else:
        note(f"entries of {source} are taken again")
