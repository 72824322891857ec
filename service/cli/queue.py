"""The waiting queue: look at it ranked, let an entry in, remove one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from service.cli.asking import confirmed
from service.cli.codes import epilog
from service.cli.output import print_json, print_line, show, table
from service.cli.parts import ConfigFile, Json, Socket, connect, usage

__all__ = ["force_add", "promote", "queue", "register", "remove"]

_Id = Annotated[str, typer.Argument(metavar="ID", help="Id of a waiting entry, as `bulkhead queue` shows it (q1).")]
_Account = Annotated[
    str, typer.Option("--account", help="Whose queue; needed only when several accounts have an entry of that id.")
]
_RequestId = Annotated[
    str, typer.Option("--request-id", help="Your name for this request: sent again under it, it acts only once.")
]
_queue = typer.Typer()


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _queue.callback(invoke_without_command=True, epilog=epilog())(queue)
    for command in (promote, force_add, remove):
        _queue.command(epilog=epilog())(command)
    app.add_typer(_queue, name="queue")


def queue(
    context: typer.Context,
    account: Annotated[str, typer.Option("--account", help="Only this account's queue.")] = "",
    history: Annotated[bool, typer.Option("--history", help="Entries that waited, and how each ended.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """List the entries that wait for a slot, best first, and why each stands where it does.

    A reason other than pool_full is a hold: it ends by itself, and nobody can overrule it. `promote ID` lets an entry in
    out of turn if a slot is free, `force-add ID` over the limit, `remove ID` deletes it.
    """
    if context.invoked_subcommand is not None:
        return
    client = connect(config, socket)
    if history:
        found = client.get("/v1/queue/history")
        print_json(found) if as_json else _show_history(found["entries"])
        return
    found = client.get("/v1/queue", account=account)
    if as_json:
        print_json(found)
        return
    for report in found["queues"]:
        _show(report)


def _show(report: dict[str, Any]) -> None:
    paused = f", entries are stopped ({report['paused']})" if report["paused"] else ""
    print_line(
        f"{report['account']}: {report['free']} of {report['maximum']} slots free"
        f" ({report['occupied']} / {report['maximum']} taken), {len(report['entries'])} of {report['queue_limit']}"
        f" waiting{paused}"
    )
    print_line(f"order: {', '.join(report['rules']) or 'by id'}")
    if report["entries"]:
        rows = (_row(entry, report["at"]) for entry in report["entries"])
        show(table(_COLUMNS, rows, right=_NUMBERS))
        # Beneath the table, as it would make it wider than most terminals.
        for entry in report["entries"]:
            print_line(f"{entry['queue_id']}: {entry['why']}")


_COLUMNS = ("rank", "id", "pair", "waits for", "loss %", "repl.", "profit USD", "entry", "price", "waits")
_NUMBERS = ("rank", "loss %", "repl.", "profit USD", "entry", "price", "waits")


def _row(entry: dict[str, Any], now: int) -> tuple[str, ...]:
    from service.cli.views import duration

    keys = {key["rule"]: key["value"] for key in entry["keys"]}
    waits_for = f"hold: {entry['hold']}" if entry["hold"] else entry["reason"].replace("_", " ")
    if keys.get("pyramid_continuation") == "yes":
        waits_for += ", next pyramid"
    return (
        str(entry["rank"]),
        entry["queue_id"],
        f"{entry['symbol']} {entry['timeframe']} {entry['side']}",
        waits_for,
        keys.get("highest_loss_percent", "-").removesuffix(" %"),
        str(entry["replacements"]),
        _money(entry["expected_profit"]),
        entry["entry_price"],
        entry["current_price"] or "?",
        duration((now - entry["queued_at"]) // 1_000_000_000),
    )


def _money(value: str | None) -> str:
    from decimal import Decimal

    return "?" if value is None else f"{Decimal(value):.2f}"


def _show_history(entries: list[dict[str, Any]]) -> None:
    from service.cli.views import instant

    if not entries:
        print_line("nothing has waited yet")
        return
    columns = ("id", "pair", "side", "queued", "waited for", "repl.", "status", "how", "detail")
    rows = (
        (
            entry["queue_id"],
            f"{entry['symbol']} {entry['timeframe']}",
            entry["side"],
            instant(entry["queued_at"]),
            entry["reason"],
            entry["replacement_count"],
            entry["status"],
            entry["closed_reason"],
            entry["closed_detail"],
        )
        for entry in entries
    )
    show(table(columns, rows, right=("repl.",)))


def promote(
    ident: _Id,
    account: _Account = "",
    request_id: _RequestId = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Let one entry in out of turn, if a slot is free; else NoFreeSlot."""
    _command("promote", ident, account, request_id, connect(config, socket), as_json=as_json)


def force_add(
    ident: _Id,
    account: _Account = "",
    request_id: _RequestId = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Let one entry in over the limit: more groups are live than there are slots. Asks first, unless --yes.

    Holds, precision, funds, the pyramid maximum and a pause still count.
    """
    client = connect(config, socket)
    if not yes:
        if as_json:
            raise usage("force-add asks first, and with --json nobody can answer", "add --yes", path="--yes")
        confirmed(_effect(client.get("/v1/queue", account=account)["queues"], ident))
    _command("force-add", ident, account, request_id, client, as_json=as_json)


def _effect(queues: list[dict[str, Any]], ident: str) -> str:
    for report in queues:
        for entry in report["entries"]:
            if entry["queue_id"] == ident:
                what = f"{entry['side']} {entry['symbol']} {entry['timeframe']} at {entry['entry_price']}"
                taken = f"{report['occupied']} of {report['maximum']} slots are taken"
                return f"Open {what} on {report['account']} although {taken}?"
    return f"Let {ident} in over the limit?"


def remove(
    ident: _Id,
    account: _Account = "",
    request_id: _RequestId = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Delete one entry from the queue; its signal is not executed."""
    _command("remove", ident, account, request_id, connect(config, socket), as_json=as_json)


def _command(name: str, ident: str, account: str, request_id: str, client: Any, *, as_json: bool) -> None:
    body = {"account": account, "request_id": request_id}
    said = client.post(f"/v1/queue/{client.part(ident)}/{name}", body)
    print_json(said) if as_json else print_line(_sentence(name, ident, said))


def _sentence(name: str, ident: str, said: dict[str, Any]) -> str:
    done = {"promote": "enters", "force-add": "enters over the limit", "remove": "is removed"}[name]
    became = "" if name == "remove" else f": {said['outcome'].rpartition(':')[2].replace('_', ' ')}"
    return f"{ident} {done}{became} ({said['account']})"
