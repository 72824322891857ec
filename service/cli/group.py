"""Look at one position group, edit it, close it; adopt a position that was opened by hand."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from protocol.groups.naming import leg_name
from service.cli.asking import confirmed
from service.cli.codes import ExitCode
from service.cli.failures import CommandFailed, Failure
from service.cli.group_list import groups, ident_of
from service.cli.output import print_json, print_line, show
from service.cli.parts import ConfigFile, Json, Socket, connect, usage
from service.cli.trade import SideWord

if TYPE_CHECKING:
    from service.api.client import Client

__all__ = [
    "ModeWord",
    "PolicyWord",
    "RecoveryWord",
    "ScopeWord",
    "adopt",
    "close",
    "edit",
    "history",
    "register",
    "show_",
]


class ModeWord(StrEnum):
    """How a group takes profit."""

    PER_LEG = "per_leg"
    AGGREGATE = "aggregate"
    HYBRID = "hybrid"
    PYRAMID_AGGREGATE = "pyramid_aggregate"


class ScopeWord(StrEnum):
    """What pyramid_aggregate means."""

    COMBINED = "combined"
    PER_PYRAMID = "per_pyramid"


class PolicyWord(StrEnum):
    """What becomes of unfilled layers of a flat group."""

    CLOSE = "close"
    KEEP = "keep"


class RecoveryWord(StrEnum):
    """What a group does after an unclean end."""

    RESUME = "resume"
    FLATTEN = "flatten"


_Group = Annotated[str, typer.Argument(metavar="GROUP", help="Its id, or 'BTC/USDT 1h': see `bulkhead group`.")]
_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do what the preview says without asking.")]
_Preview = Annotated[bool, typer.Option("--preview", help="Only say what would follow.")]
_ADOPT_TIMEOUT_S: Final = 75.0

_group = typer.Typer(invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _group.callback()(groups)
    commands = (("show", show_), ("edit", edit), ("close", close), ("history", history), ("adopt", adopt))
    for name, command in commands:
        _group.command(name)(command)
    app.add_typer(_group, name="group")


def show_(group: _Group, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Show a group whole: settings, version, legs, orders, watched prices, closes, profit by leg and reason."""
    client = connect(config, socket)
    ident = ident_of(client, group)
    found = client.get(f"/v1/group/{client.part(ident)}")
    if as_json:
        print_json(found)
        return
    from service.cli.group_views import group_view

    live = client.get("/v1/groups", open=1)["groups"]
    show(group_view(found, next((each for each in live if each["group_id"] == ident), None)))


def history(group: _Group, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """List the versions of a group: how it began, each edit with old and new values, what it did after unclean ends."""
    client = connect(config, socket)
    found = client.get(f"/v1/group/{client.part(ident_of(client, group))}/history")
    if as_json:
        print_json(found)
        return
    from service.cli.group_views import history_view

    show(history_view(found["history"]))


def close(
    group: _Group,
    leg: Annotated[str, typer.Option("--leg", help="Close this leg only, for example p0.l2, or P0 DCA2.")] = "",
    yes: _Yes = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Close a group, or one leg of it, at the market: what is unfilled is cancelled first."""
    client = connect(config, socket)
    ident = ident_of(client, group)
    if not yes and not as_json:
        from service.cli.group_views import held_text, named

        found = client.get(f"/v1/group/{client.part(ident)}")["group"]
        confirmed(f"close {leg_name(leg) or 'all'} of {ident} at the market ({named(found)}, {held_text(found)})?")
    said = client.post(f"/v1/group/{client.part(ident)}/close", {"leg_id": leg})
    what = f"{leg_name(leg)} of {ident}" if leg else ident
    print_json(said) if as_json else print_line(f"{what} is being closed; watch: bulkhead group show {ident}")


def edit(
    group: _Group,
    tp_mode: Annotated[ModeWord | None, typer.Option("--tp-mode", help="How profit is taken.")] = None,
    scope: Annotated[ScopeWord | None, typer.Option("--pyramid-scope", help="Meaning of pyramid_aggregate.")] = None,
    aggregate: Annotated[str, typer.Option("--tp-aggregate", help="Target of the whole position, percent.")] = "",
    pyramid_tp: Annotated[
        list[str] | None, typer.Option("--pyramid-tp", metavar="N=PCT", help="Percent of a pyramid; N= removes it.")
    ] = None,
    tp: Annotated[
        list[str] | None, typer.Option("--tp", metavar="LEGS=PCT", help="Target percent of all, p0 or p0.l1.")
    ] = None,
    stop: Annotated[str, typer.Option("--stop", help="Stop of the group, a price; none takes it away.")] = "",
    target: Annotated[str, typer.Option("--target", help="Target of the group, a price; none takes it away.")] = "",
    leg: Annotated[str, typer.Option("--leg", help="The unfilled layer that the next four are for.")] = "",
    price: Annotated[str, typer.Option("--price", help="New price of the layer.")] = "",
    gap: Annotated[str, typer.Option("--gap", help="New distance from the entry, percent, 0 or negative.")] = "",
    qty: Annotated[str, typer.Option("--qty", help="New quantity of the layer, base units.")] = "",
    weight: Annotated[str, typer.Option("--weight", help="New share of the pyramid's size, percent.")] = "",
    cancel: Annotated[
        list[str] | None, typer.Option("--cancel-layers", metavar="LEGS", help="Unfilled layers of all, p0 or p0.l1.")
    ] = None,
    max_pyramids: Annotated[int | None, typer.Option("--max-pyramids", help="Most entries of the group.")] = None,
    slippage: Annotated[str, typer.Option("--max-slippage", help="Limit of market orders, percent.")] = "",
    when_flat: Annotated[PolicyWord | None, typer.Option("--when-flat", help="Flat with unfilled layers.")] = None,
    on_recovery: Annotated[RecoveryWord | None, typer.Option("--on-recovery", help="After an unclean end.")] = None,
    gap_s: Annotated[int | None, typer.Option("--recovery-max-gap", help="Seconds that do not flatten.")] = None,
    yes: _Yes = False,
    preview: _Preview = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Change settings and unfilled layers of a running group; the preview is shown first and done as it was shown."""
    changes: dict[str, Any] = {
        "tp_mode": tp_mode,
        "pyramid_scope": scope,
        "tp_aggregate_percent": aggregate,
        "pyramid_tp_percents": _pairs("--pyramid-tp", pyramid_tp),
        "tp_percents": _pairs("--tp", tp),
        "stop_price": "" if stop == "none" else stop,
        "target_price": "" if target == "none" else target,
        "clear": [name for name, value in (("stop", stop), ("target", target)) if value == "none"],
        "cancel_layers": cancel,
        "layers": _layer(leg, {"price": price, "gap_percent": gap, "qty": qty, "weight_percent": weight}),
        "max_pyramids": max_pyramids,
        "max_slippage_percent": slippage,
        "when_flat": when_flat,
        "on_recovery": on_recovery,
        "recovery_max_gap_s": gap_s,
    }
    given = {name: value for name, value in changes.items() if value not in ("", None, [], {})}
    client = connect(config, socket, timeout_s=20.0)
    address = f"/v1/group/{client.part(ident := ident_of(client, group))}/edit"
    shown = _asked(client, address, {"changes": given, "preview": True})
    if not _agreed(shown, yes=yes, preview=preview, as_json=as_json):
        return
    request_id = uuid.uuid4().hex  # house: each request of an operator is a new one
    agreed = {"expected_version": shown["version"], "digest": shown["digest"], "request_id": request_id}
    made = _asked(client, address, {"changes": given, "preview": False, **agreed})
    print_json(made) if as_json else print_line(f"{ident} is version {made['version']}")


def adopt(
    symbol: Annotated[str, typer.Argument(help="Unified symbol, for example BTC/USDT or BTC/USDT:USDT.")],
    qty: Annotated[str, typer.Option("--qty", help="Base units of the position that are adopted.")],
    price: Annotated[str, typer.Option("--price", help="What a unit has cost on average.")],
    side: Annotated[SideWord, typer.Option("--side", "-s", help="Side of the position.")] = SideWord.LONG,
    timeframe: Annotated[str, typer.Option("--timeframe", "-t", help="Part of the group's identity.")] = "1h",
    account: Annotated[str, typer.Option("--account", help="Account; without it the only one.")] = "",
    tp_mode: Annotated[ModeWord | None, typer.Option("--tp-mode", help="How profit is taken.")] = None,
    tp: Annotated[str, typer.Option("--tp", help="Target of the position's leg, percent.")] = "",
    aggregate: Annotated[str, typer.Option("--tp-aggregate", help="Target of the whole position, percent.")] = "",
    stop: Annotated[str, typer.Option("--stop", help="Stop of the group, a price.")] = "",
    target: Annotated[str, typer.Option("--target", help="Target of the group, a price.")] = "",
    on_recovery: Annotated[RecoveryWord | None, typer.Option("--on-recovery", help="After an unclean end.")] = None,
    label: Annotated[str, typer.Option("--label", help="Strategy name for the statistics.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the journal.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Take a slot beyond the limit.")] = False,
    yes: _Yes = False,
    preview: _Preview = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Make a group of a position that was opened by hand: no order opens it, targets and exits work as for any group."""
    import getpass

    client = connect(config, socket, timeout_s=_ADOPT_TIMEOUT_S)
    fields: dict[str, Any] = {
        "account": account or _only_account(client),
        "symbol": symbol,
        "timeframe": timeframe,
        "side": side,
        "qty": qty,
        "avg_price": price,
        "tp_mode": tp_mode,
        "tp_percent": tp,
        "tp_aggregate_percent": aggregate,
        "stop_price": stop,
        "target_price": target,
        "on_recovery": on_recovery,
        "strategy": label,
        "reason": reason,
        "operator": getpass.getuser(),
        "request_id": uuid.uuid4().hex,  # house: each request of an operator is a new one
    }
    wanted = {name: value for name, value in fields.items() if value not in ("", None)} | {"force": force}
    shown = _asked(client, "/v1/adopt", {**wanted, "preview": True})
    if not _agreed(shown, yes=yes, preview=preview, as_json=as_json):
        return
    made = _asked(client, "/v1/adopt", wanted)
    print_json(made) if as_json else print_line(
        f"adopted as {made['group_id']}; see: bulkhead group show {made['group_id']}"
    )


# --- asking -----------------------------------------------------------------------------------------------------------


def _asked(client: Client, address: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the daemon's answer; problems raise ``DaemonRefused`` and are shown one by one."""
    return dict(client.post(address, body))


def _agreed(shown: dict[str, Any], *, yes: bool, preview: bool, as_json: bool) -> bool:
    """Show a preview and ask; programs that want JSON say ``--yes`` or only see it."""
    if as_json:
        if preview or not yes:
            print_json(shown)
        return yes and not preview
    from service.cli.group_views import preview_view

    show(preview_view(shown))
    if not yes and not preview:
        confirmed("do this?")
    return not preview


def _pairs(option: str, given: list[str] | None) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for each in given or ():
        name, equals, value = each.partition("=")
        if not equals:
            raise usage(f"{option} takes NAME=PERCENT", f"for example: {option} 0=1.5", path=option, value=each)
        found[name] = value or None
    return found


def _layer(leg: str, fields: dict[str, str]) -> dict[str, dict[str, str]]:
    given = {name: value for name, value in fields.items() if value}
    if bool(leg) != bool(given):
        text = "--leg goes with --price, --gap, --qty or --weight"
        raise usage(text, "for example: --leg p0.l3 --price 61000", code="MissingValue", path="--leg", value=leg)
    return {leg: given} if leg else {}


def _only_account(client: Client) -> str:
    accounts = client.get("/v1/status")["accounts"]
    if len(accounts) != 1:
        text, advice = "there are several accounts", f"name one with --account: {', '.join(accounts)}"
        raise CommandFailed(Failure(ExitCode.USAGE, "MissingValue", text, advice, "--account"))
    return str(accounts[0])
